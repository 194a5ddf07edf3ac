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
