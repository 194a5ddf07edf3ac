# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Least privilege: what is left of root once pytrail is attached, in each of its threads; and that none of it
reaches the command that is traced."""
import glob
import os
import re
import shutil
import subprocess
import tempfile

import pytest
import util
from util import run

CAPS = {"chown": 0, "dac_override": 1, "dac_read_search": 2, "kill": 5, "setgid": 6, "setuid": 7, "setpcap": 8,
        "sys_ptrace": 19, "sys_admin": 21, "perfmon": 38, "bpf": 39, "checkpoint_restore": 40}
# SECURITY.md, "Privileges"
TRACING = {"bpf", "perfmon", "sys_ptrace", "dac_read_search", "checkpoint_restore"}
# of one process the kernel keeps the filter: uprobes by perf events, which want more
OF_PROCESS = TRACING | {"sys_admin"}
# user/util/patient.h, when there is one
LOOKING = {"sys_ptrace", "dac_read_search"}
ROTATED = "?rotate_size=4096&keep=2&compress=zstd"


def bits(names):
    mask = 0
    for name in names:
        mask |= 1 << CAPS[name]
    return mask


def status(path):
    with open(f"{path}/status", encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def tasks(pid):
    """What /proc says of each thread of a process."""
    return [status(path) for path in glob.glob(f"/proc/{pid}/task/*")]


def mine():
    """Of what this test has itself."""
    return int(status("/proc/self")["CapPrm"], 16)


def confined(pid, caps, others=()):
    """Each thread is under a filter; the main one has these, the others no more than those of theirs. All but the one
    that looks into processes, which has less."""
    # less what is not given here in the first place
    allowed = bits(set(caps) | set(others))

    def limited(task):
        return not any(int(task[of], 16) & ~allowed for of in ("CapPrm", "CapEff", "CapBnd"))

    # a thread sees to that itself, as it begins
    util.wait_until(lambda: all(map(limited, tasks(pid))), f"no thread has more than {sorted(set(caps) | set(others))}")
    found = tasks(pid)
    for task in found:
        assert task["NoNewPrivs"] == "1" and task["Seccomp"] == "2", task["Name"]
    main = status(f"/proc/{pid}")
    assert int(main["CapEff"], 16) == bits(caps) & mine()
    assert int(main["CapInh"], 16) == int(main["CapAmb"], 16) == 0
    looking = [task for task in found if task["Name"] == "pytrail-look"]
    assert not any(int(task[of], 16) & ~bits(LOOKING) for task in looking for of in ("CapPrm", "CapEff"))
    return [task for task in found if task not in looking]


def wait_confined(tracer):
    """Which it is once everything is attached."""
    util.wait_until(lambda: status(f"/proc/{tracer.process.pid}")["Seccomp"] == "2", "it is confined")
    return tracer.process.pid


def test_tracing(target):
    with util.Tracer("-p", str(target.pid)) as tracer:
        assert len(confined(wait_confined(tracer), OF_PROCESS)) == 1
        assert tracer.stop() == 0


def test_tracing_the_host():
    with util.Tracer("--interpreters", "none", "--probe=usdt", "-e", "test.*") as tracer:
        assert len(confined(wait_confined(tracer), TRACING)) == 1
        assert tracer.stop() == 0


def test_loading_on_the_side(target):
    """The program for interpreters without USDT is loaded by a thread; then no program can be any more."""
    with util.Tracer("-p", str(target.pid), "-f", "--probe=auto") as tracer:
        pid = wait_confined(tracer)
        confined(pid, TRACING)
        util.wait_until(lambda: status(f"/proc/{pid}").get("Seccomp_filters", "2") == "2", "it is confined again")
        assert len(confined(pid, TRACING)) == 1
        assert tracer.stop() == 0
        assert "libbpf: " not in tracer.stderr  # nothing that it tried was refused


def test_holding():
    with util.Tracer("--interpreters", "none", "--probe=usdt", "-e", "test.*", "--hold-new=1") as tracer:
        assert len(confined(wait_confined(tracer), TRACING | {"sys_admin"})) == 2
        assert tracer.stop() == 0


def test_a_directory_of_another_user(tmp_path, target):
    os.mkdir(tmp_path / "theirs")
    os.chown(tmp_path / "theirs", 65534, 65534)
    out = tmp_path / "theirs" / "events.json"
    with util.Tracer("-p", str(target.pid), "-o", f"json:{out}{ROTATED}") as tracer:
        assert len(confined(wait_confined(tracer), OF_PROCESS | {"dac_override", "chown"})) == 2
        tracer.wait_attached(target)
        target.do("for i in range(200): sys.audit('test.n', 'x' * 100, i)")
        # rotated and compressed there, where root could not without
        util.wait_until(lambda: glob.glob(f"{out}.*.zst"), "a rotated file")
        assert tracer.stop() == 0
        assert "cannot" not in tracer.stderr


def test_no_confine(target):
    with util.Tracer("-p", str(target.pid), "--no-confine") as tracer:
        tracer.wait_attached(target)
        task = status(f"/proc/{tracer.process.pid}")
        assert task["Seccomp"] == "0" and task["NoNewPrivs"] == "0"
        assert int(task["CapEff"], 16) == mine()


SAME = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "SigBlk", "SigIgn", "Groups", "Uid",
        "Max open files", "Max locked memory")


def as_seen_inside(text):
    """Of `cat /proc/self/status /proc/self/limits`."""
    found = {}
    for line in text.splitlines():
        name = next((name for name in SAME if line.startswith(name)), None)
        if name:
            found[name] = " ".join(line[len(name):].split())
    assert len(found) == len(SAME), text
    return found


@pytest.mark.parametrize("options", [[], ["--hold-new"]])
def test_the_command_has_all(options):
    """It runs as it would untraced."""
    words = ["cat", "/proc/self/status", "/proc/self/limits"]
    untraced = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout
    traced = run("trace", "-q", *options, "-o", "json:/dev/null", "--", *words)
    assert traced.returncode == 0, traced.stderr
    assert as_seen_inside(traced.stdout) == as_seen_inside(untraced)


def test_the_command_is_setuid(tmp_path):
    """A program that becomes another user does so when it is traced, too."""
    shutil.copy("/usr/bin/id", tmp_path / "id")
    os.chown(tmp_path / "id", 65534, 65534)
    os.chmod(tmp_path / "id", 0o6755)
    if os.statvfs(tmp_path).f_flag & os.ST_NOSUID:
        pytest.skip("nothing is setuid on the file system of temporary files")
    traced = run("trace", "-q", "-o", "json:/dev/null", "--", str(tmp_path / "id"))
    assert traced.returncode == 0 and "euid=65534" in traced.stdout and "egid=65534" in traced.stdout


@pytest.mark.parametrize("without", ["", "multi-uprobe links", "attach cookies,sleepable uprobes,multi-uprobe links"])
def test_a_file_that_appears_later(tmp_path, monkeypatch, without):
    """It is found, attached and its events decoded without what was given up; also where the kernel lacks things, so
    that more has to be done for it."""
    monkeypatch.setenv("PYTRAIL_WITHOUT", without)
    if "attach cookies" in without and not util.loads(util.SYSTEM_PYTHON):
        pytest.skip("this kernel takes programs that sleep only")
    with util.Tracer("-o", "json", "-e", "test.*", "--interpreters", "none", "--probe=usdt") as tracer:
        wait_confined(tracer)
        os.mkdir(tmp_path / "closed", 0o700)
        os.chown(tmp_path / "closed", 65534, 65534)
        with util.Target(util.private_python(tmp_path / "closed")) as target:
            tracer.wait_attached(target)
            target.do("sys.audit('test.later', [1, 'two'])")
            assert tracer.wait_event("test.later", target.pid)["args"] == {"arg0": [1, "two"]}


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return file.read().split()


def test_the_exporter_is_started_by_another(target, monkeypatch):
    """It has no filter of the tracer's beneath its own; who starts it is left with little. Nothing of either is left."""
    directory = tempfile.mkdtemp(dir="/var/tmp")
    os.chmod(directory, 0o755)
    monkeypatch.setenv("TMPDIR", directory)
    with util.Tracer("-p", str(target.pid), "-o", "json:exec:/bin/cat") as tracer:
        pid = wait_confined(tracer)
        confined(pid, OF_PROCESS | {"chown", "kill"})
        by_name = {status(f"/proc/{child}")["Name"]: status(f"/proc/{child}") for child in children(pid)}
        starter, exporter = by_name["pytrail-start"], by_name["pytrail-export"]
        assert not int(starter["CapBnd"], 16) & ~bits({"setuid", "setgid", "setpcap", "dac_override"})
        assert int(exporter["CapEff"], 16) == int(exporter["CapBnd"], 16) == 0
        assert exporter.get("Seccomp_filters", "1") == "1"
        assert tracer.stop() == 0
    assert not [child["Pid"] for child in (starter, exporter) if os.path.exists(f"/proc/{child['Pid']}")]
    os.rmdir(directory)  # the spool with the exporter's cursors is gone


ROOT = """
set -e
mount -t tmpfs none "$0"
mkdir "$0/proc" "$0/sys" "$0/usr" "$0/var" "$0/tmp" "$0/dev" "$0/etc"
mkdir -m 1777 "$0/var/tmp"
mount --rbind /proc "$0/proc"; mount --rbind /sys "$0/sys"; mount --bind /usr "$0/usr"; mount --bind /dev "$0/dev"
for name in bin lib lib64 sbin; do ln -s "usr/$name" "$0/$name"; done
cp "$1" "$0/pytrail"
shift
exec chroot "$0" /pytrail "$@"
"""


@pytest.mark.parametrize("output", ["json", "json:exec:/bin/cat"])
def test_a_privileged_container(tmp_path, target, output):
    """Another root and mounts of its own, the host's processes: what is traced is in no file that it could open by
    name, and is found and decoded by what is left of its privileges."""
    if not os.path.islink("/lib"):
        pytest.skip("this host has a /lib of its own")
    os.mkdir(tmp_path / "root")
    words = ["trace", "--probe=usdt", "-p", str(target.pid), "-e", "test.*", "--max-events", "1", "-o", output, "-o",
             "json:/var/tmp/events.json"]
    with subprocess.Popen(["unshare", "-m", "sh", "-c", ROOT, str(tmp_path / "root"), util.PYTRAIL, *words],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            util.wait_until(lambda: process.poll() is not None or status(f"/proc/{process.pid}")["Seccomp"] == "2",
                            "it is confined")
            assert process.poll() is None, process.stderr.read()
            confined(process.pid, OF_PROCESS | ({"kill", "chown"} if "exec" in output else set()))
            target.do("sys.audit('test.contained', 'seen')")
            out, said = process.communicate(timeout=util.LIMIT)
        finally:
            process.kill()
    assert process.returncode == 0, said
    assert output != "json" or '"args":{"arg0":"seen"}' in out
    assert "1 events, 0 filtered, 0 lost" in re.sub(r"\d+ filtered", "0 filtered", said), said


def test_words():
    said = run("trace", "--no-confine=1")
    assert said.returncode == 2 and "--no-confine" in said.stderr
    assert "--no-confine" in run("help", "trace").stdout
