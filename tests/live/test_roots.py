# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Containers as runtimes make them: the root of another Debian, in two overlays over the same lower one, each
in mount, PID and user namespaces of its own and in a control group named as a runtime names it."""
import os
import subprocess

import pytest
import util
from util import Tracer, events

CACHE = os.environ.get("PYTRAIL_PYTHONS") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "pytrail/pythons")
LOWER = os.path.join(CACHE, "root-trixie")
PYTHON = os.path.realpath(LOWER + "/usr/bin/python3")

needs_root = pytest.mark.skipif(not os.path.exists(PYTHON),
                                reason="no root directory of trixie (tests/pythons/root.sh makes it)")

ID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
ID2 = "f" * 64
POD = "01234567-89ab-cdef-0123-456789abcdef"
RUNTIMES = [
    ("docker", f"/system.slice/docker-{ID}.scope", f"/system.slice/docker-{ID2}.scope", None),
    ("containerd", f"/kubepods/burstable/pod{POD}/{ID}", f"/kubepods/burstable/pod{POD}/{ID2}", POD),
    ("podman", f"/machine.slice/libpod-{ID}.scope/container", f"/machine.slice/libpod-{ID2}.scope/container",
     None),
]
CODE = "import os, sys; sys.audit('test.here', os.getpid(), os.getuid())"


@pytest.fixture(name="roots")
def roots_fixture(tmp_path):
    with util.overlays(LOWER, tmp_path) as mounted:
        yield mounted


def start(root, enter, *words):
    subprocess.run([*enter, "unshare", "--mount", "--pid", "--fork", "--user", "--map-root-user",
                    "chroot", root, *words], check=True, timeout=util.LIMIT)


def attachments(tracer):
    return [line for line in tracer.stderr.splitlines() if ": attached" in line and
            ("root-trixie/" in line or "-merged/" in line)]


@needs_root
@pytest.mark.parametrize("first, second, pod", [r[1:] for r in RUNTIMES], ids=[r[0] for r in RUNTIMES])
def test_containers(roots, first, second, pod):
    with Tracer("-o", "json", "-e", "test.here", "--interpreters", f"+{PYTHON}") as tracer:
        util.wait_until(lambda: "tracing every" in tracer.stderr, "pytrail is ready")
        for root, path in zip(roots, (first, second)):
            with util.control_group(path) as enter:
                start(root, enter, "/usr/bin/python3", "-c", CODE)
        util.wait_until(lambda: len(events(tracer.records())) == 2, "both are seen")
        assert tracer.stop() == 0
    # the lower file, attached before anything ran, serves both
    assert len(attachments(tracer)) == 1, attachments(tracer)
    for record, path, container in zip(events(tracer.records()), (first, second), (ID, ID2)):
        process = record["process"]
        assert record["args"] == {"arg0": 1, "arg1": 0}
        assert process["ns_pid"] == 1 and process["pid"] != 1
        assert process["container_id"] == container and process.get("pod_uid") == pod
        assert process["cgroup"] == "/pytrail-test" + path
        assert process["exe"].endswith("/usr/bin/" + os.path.basename(PYTHON))
        assert process["ancestry"][0]["comm"] == "unshare"
        assert record["python"]["version"].startswith("3.13.")
    assert not any("missing" in line and "python3.13" in line for line in tracer.stderr.splitlines())


def has_seen(tracer, count):
    util.wait_until(lambda: len(events(tracer.records())) >= count, f"{count} events")


@needs_root
@pytest.mark.parametrize("hold", [[], ["--hold-new=20000"]], ids=["found", "held"])
def test_a_file_that_is_copied_up(roots, hold):
    """One container changes its interpreter, which then is another file: each event is seen, and once."""
    copied = roots[1] + "/usr/bin/" + os.path.basename(PYTHON)
    with Tracer("-o", "json", "-e", "test.here", "--interpreters", f"+{PYTHON}", *hold) as tracer:
        util.wait_until(lambda: ("is held" if hold else "tracing every") in tracer.stderr, "pytrail is ready")
        for root in roots:
            start(root, [], "/usr/bin/python3", "-c", CODE)
        has_seen(tracer, 2)
        with open(copied, "ab") as file:
            file.write(b"\0")
        if not hold:  # the first start comes too soon for what is found
            waiting = "import sys\nfor line in sys.stdin: " + CODE.replace("import os, sys;", "import os;")
            with subprocess.Popen(["chroot", roots[1], "/usr/bin/python3", "-c", waiting], text=True,
                                  stdin=subprocess.PIPE) as process:
                util.wait_until(lambda: len(attachments(tracer)) == 2, "it is attached")
                process.communicate("go\n", timeout=util.LIMIT)
            has_seen(tracer, 3)
        start(roots[1], [], "/usr/bin/python3", "-c", CODE)
        start(roots[0], [], "/usr/bin/python3", "-c", CODE)
        has_seen(tracer, 4 if hold else 5)
        assert tracer.stop() == 0
    seen = [r["process"]["pid"] for r in events(tracer.records())]
    assert len(seen) == len(set(seen)) == (4 if hold else 5)
    assert len(attachments(tracer)) == 2, attachments(tracer)
