# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Which processes are selected by what they are, across fork and exec, and that the kernel drops the rest."""
import os
import re
import subprocess

import pytest
import util
from util import events, json_lines, run

# A parent of one script forks, and its child executes another.
PARENT = """
import os, sys
sys.audit("test.parent", 1)
pid = os.fork()
if not pid:
    sys.audit("test.fork", 2)
    os.execv(sys.executable, [sys.executable, sys.argv[1]])
os.waitpid(pid, 0)
for i in range(1000):
    sys.audit("test.parent", 3)
"""
CHILD = """
import sys
for i in range(1000):
    sys.audit("test.child", 4)
"""


@pytest.fixture(name="world")
def world_fixture(tmp_path, python):
    (tmp_path / "parent.py").write_text(PARENT)
    (tmp_path / "child.py").write_text(CHILD)
    return [python, "-B", str(tmp_path / "parent.py"), str(tmp_path / "child.py")]


def trace(world, *args, **kwargs):
    """The test's own events by name, the counters of user space and kernel."""
    done = run("trace", "-o", "json", "--stats", *args, "--", *world, env=util.python_env(), **kwargs)
    assert done.returncode == 0, done.stderr
    names = [r["event"] for r in events(json_lines(done.stdout)) if r["event"].startswith("test.")]
    kernel = re.search(r"kernel: (\d+) seen = (\d+) emitted .* \+ (\d+) filtered by process", done.stderr)
    seen, emitted, filtered = map(int, kernel.groups())
    assert seen == emitted + filtered
    return {n: names.count(n) for n in set(names)}, emitted, filtered


ALL = {"test.parent": 1001, "test.fork": 1, "test.child": 1000}


def only(*names):
    return {n: ALL[n] for n in names}


@pytest.mark.parametrize("args, wanted", [
    (["--script", "parent.py"], only("test.parent", "test.fork")),
    (["--script", "!parent.py"], only("test.child")),
    (["--script", "child.py"], only("test.child")),
    (["--script", "*/child.py", "--script", "parent.py"], ALL),
    (["--script", "child.py", "--exe", "!python3.11"], {}),
    (["--exe", "python3*"], ALL), (["--exe", "/usr/bin/*"], {}),
    (["--comm", "python3.11"], ALL), (["--comm", "!python*"], {}),
    (["--uid", str(os.getuid())], ALL), (["--uid", f"!{os.getuid()}"], {}),
    (["--uid", "65533"], {}), (["--venv", "*"], {}), (["--container", "0"], {}),
    (["--cgroup", "/"], ALL), (["--cgroup", "/none"], {}),
])
def test_selected(world, args, wanted):
    got, _, filtered = trace(world, *args)
    assert got == wanted
    if not wanted:
        # but for the first few of each process, the kernel has dropped them
        assert filtered > 1000


def test_the_kernel_drops(world):
    """The collector has time to decide on a process that waits; from then on nothing of it arrives."""
    with util.Target(world[0]) as target:
        with util.Tracer("-p", str(target.pid), "-f", "-o", "json", "--stats", "--script",
                         "none") as tracer:
            tracer.wait_attached(target)
            # the collector decides while the target goes on, within far fewer events than these
            target.do('[sys.audit("test.v") for i in range(200000)]')
            assert tracer.stop() == 0
            assert not events(tracer.records())
            emitted = int(re.search(r"(\d+) emitted", tracer.stderr)[1])
            assert emitted < 50000
            assert tracer.summary()["filtered"] >= 200000


def test_venv(tmp_path):
    subprocess.run([util.SYSTEM_PYTHON, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    (tmp_path / "a.py").write_text('import sys; sys.audit("test.venv")')
    for command, env in ([[str(tmp_path / "env/bin/python"), "a.py"], None],
                         [["env/bin/python", "a.py"], None],
                         [["python", "a.py"], {"VIRTUAL_ENV": str(tmp_path / "env"),
                                               "PATH": f"{tmp_path}/env/bin:/usr/bin:/bin"}]):
        for venv, wanted in (("env", 1), (str(tmp_path / "env"), 1), ("!env", 0)):
            done = run("trace", "-o", "json", "-e", "test.*", "--venv", venv, "--", "env",
                       *command, cwd=tmp_path, env={**os.environ, **(env or {})})
            got = events(json_lines(done.stdout), "test.venv")
            assert len(got) == wanted, (command, venv, done.stderr)
            for record in got:
                assert record["python"]["venv"] == str(tmp_path / "env")
                assert record["python"]["script"] == "a.py"


@pytest.mark.parametrize("args", [["--uid", "no such user"], ["--uid", "!"], ["--exe", ""], ["--venv"]])
def test_usage(args):
    done = run("trace", *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
