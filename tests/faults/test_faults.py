# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Calls that fail, one at a time: no crash, no hang, an exit code with its reason, and nothing missing unsaid."""
import os
import resource
import shutil
import subprocess

import pytest
from faults import FAMILIES, PYTRAIL, RECORDS, SANITIZED, Case

# All of them in a plain build; with sanitizers, which takes ten times as long, some.
MOST = 12 if SANITIZED else None
REPLAY = [name for name in FAMILIES if name not in ("kernel", "epoll", "wait-interrupted")]


@pytest.fixture(scope="module", name="records")
def records_fixture(tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "all.rec"
    subprocess.run([RECORDS, path], check=True)
    return str(path)


def show(wrong):
    return f"{len(wrong)} went wrong:\n" + "\n".join(wrong[:10])


@pytest.mark.parametrize("family", REPLAY)
def test_replay(records, family):
    wrong = Case(["replay", records, "-o", "json:{out}"]).check(family, MOST)
    assert not wrong, show(wrong)


@pytest.mark.parametrize("family", ["memory", "read-interrupted", "read-short"])
def test_replay_redacted(records, family):
    case = Case(["replay", records, "-o", "ecs:{out}", "--redact", "--redact-key", "{dir}/key", "-e", "o*,s*,c*"])
    wrong = case.check(family, MOST)
    assert not wrong, show(wrong)


@pytest.mark.parametrize("form", ["ocsf", "cef", "text"])
def test_formats(records, form):
    case = Case(["replay", records, "-o", form + ":{out}"], compare=form == "ocsf")
    wrong = case.check("memory", MOST or 60)
    assert not wrong, show(wrong)


@pytest.mark.parametrize("family", ["memory", "open", "file", "fork", "write", "write-short", "read-interrupted"])
def test_rotation(records, family):
    case = Case(["replay", records, "-o", "json:{out}?rotate_size=4096&compress=zstd"], compare=False)
    wrong = case.check(family, MOST or 60)
    assert not wrong, show(wrong)


@pytest.mark.parametrize("family", ["memory", "open", "read", "read-interrupted", "read-short", "fork", "descriptors"])
def test_configuration(family):
    def write(directory):
        with open(f"{directory}/pytrail.yaml", "w", encoding="utf-8") as file:
            file.write("trace: {events: [open, 'socket.*'], select: {uid: [0, '!1'], exe: '/usr/*'}}\n"
                       "outputs: [{name: a, to: /dev/null}, {name: b, to: 'exec:/bin/cat', min_severity: 2}]\n")
    case = Case(["daemon", "-c", "{dir}/pytrail.yaml", "--check-config"], setup=write)
    wrong = case.check(family, 8 if SANITIZED else 40)
    assert not wrong, show(wrong)


@pytest.mark.parametrize("words", [["list", "--json"], ["check", "--json"], ["events", "--json"]])
def test_looks(words):
    """What is there on the host changes meanwhile."""
    wrong = []
    for family, most in (("memory", 10), ("open", 4), ("read", 4), ("map", 2), ("write", 1)):
        if not SANITIZED or most > 4:
            wrong += Case(words, compare=False).check(family, most // (4 if SANITIZED else 1))
    assert not wrong, show(wrong)


@pytest.mark.parametrize("family", ["memory", "fork", "descriptors", "open", "write", "epoll", "wait-interrupted"])
def test_a_receiver(records, family):
    """With a spool and an exporter, whose own calls are not concerned."""
    case = Case(["replay", records, "-o", "json:exec:/bin/cat"], compare=False)
    wrong = case.check(family, 3 if SANITIZED else 12)
    assert not wrong, show(wrong)


def test_few_descriptors(records):
    """As many as there are is what it does with, or it says so."""
    case = Case(["replay", records, "-o", "json:{out}"])
    case.count("open")
    wrong = []
    for limit in range(4, 24, 4 if SANITIZED else 1):
        def few(most=limit):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        if os.path.exists(case.out):
            os.unlink(case.out)
        done = subprocess.run([PYTRAIL, "replay", records, "-o", f"json:{case.out}"], stdin=subprocess.DEVNULL,
                              capture_output=True, preexec_fn=few, timeout=60, check=False)
        text = case.judge(done, False)
        if text:
            wrong.append(f"{limit} descriptors: {text}")
    assert not wrong, show(wrong)


@pytest.fixture(name="small")
def small_fixture(tmp_path):
    """A file system of 16 KiB."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", tmp_path], stderr=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield str(tmp_path)
    subprocess.run(["umount", "-l", tmp_path], check=True)


def test_a_full_disk(records, small):
    done = subprocess.run([PYTRAIL, "replay", records, "-o", f"json:{small}/out"], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 1 and f"cannot write to {small}/out: No space left on device" in done.stderr
    # what is there is whole but for the last line
    with open(f"{small}/out", encoding="utf-8") as file:
        lines = file.read().split("\n")
    assert all(line.startswith("{") and line.endswith("}") for line in lines[:-1]) and len(lines) > 2


def test_a_full_disk_for_rotation(records, small):
    done = subprocess.run([PYTRAIL, "replay", records, "-o", f"json:{small}/out?rotate_size=4096&compress=zstd&keep=1"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 1)
    assert done.returncode == 0 or "No space left on device" in done.stderr


def test_a_full_disk_for_the_spool(records, small):
    """What found no room there is counted as not delivered, and that is a failure; so when the exporter cannot even
    get there."""
    os.chmod(small, 0o755)
    done = subprocess.run([PYTRAIL, "replay", records, "-o", "json:exec:/bin/cat"], capture_output=True, text=True,
                          env={**os.environ, "TMPDIR": small}, timeout=90, check=False)
    assert done.returncode == 1, done.stderr
    assert "cannot" in done.stderr or "were not delivered" in done.stderr
    assert not os.listdir(small)


@pytest.mark.parametrize("words", [["events", "--json"], ["check", "--json"], ["replay", "{records}", "-o", "json"]])
def test_standard_output(records, words):
    words = [word.format(records=records) for word in words]
    with open("/dev/full", "wb") as full:
        done = subprocess.run([PYTRAIL, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "No space left on device" in done.stderr
    # a reader that goes away has seen enough
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([PYTRAIL, *words], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    os.close(writer)
    assert done.returncode == 0, done.stderr


def test_no_standard_files(records):
    """Closed ones are not taken for files that are opened later."""
    shell = shutil.which("sh")
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        out = os.path.join(os.path.dirname(records), "closed.json")
        done = subprocess.run([shell, "-c", f'exec "$@" {closed}', "sh", PYTRAIL, "replay", records, "-o", f"json:{out}"],
                              capture_output=True, timeout=60, check=False)
        assert done.returncode in (0, 1), (closed, done)
        if done.returncode == 0:
            with open(out, "rb") as file:
                data = file.read()
            assert data.startswith(b"{") and b"pytrail: " not in data, closed
        if os.path.exists(out):
            os.unlink(out)
    done = subprocess.run([shell, "-c", 'exec "$@" >&-', "sh", PYTRAIL, "replay", records, "-o", "json"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "cannot write to standard output: Bad file descriptor" in done.stderr

