# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Which processes are traced: -p, -f, the whole host, and the PIDs that cannot be."""
import glob
import os
import re
import signal
import subprocess

import pytest
import util
from util import Target, Tracer, events, run


def values(records, name="test.v", pid=None):
    return [r["args"]["arg0"] for r in events(records, name, pid)]


def dead_pid():
    with subprocess.Popen(["true"]) as process:
        pass
    return process.pid


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_process(target, python, number):
    with Target(python) as other, Tracer("-p", str(target.pid), "-o", "json") as tracer:
        tracer.wait_attached(target)
        target.do('sys.audit("test.v", 1)')
        other.do('sys.audit("test.v", 2)')
        target.do('sys.audit("test.v", 3)')
        tracer.wait_for(lambda r: values([r]) == [3], "the second event")
        assert tracer.stop(number) == 0
        assert values(tracer.records()) == [1, 3]
        assert tracer.summary()["lost"] == 0 and tracer.summary()["processes"] == 1
        target.do('sys.audit("test.v", 4)')  # lives on
        other.do('sys.audit("test.v", 5)')


def test_several_processes(target, python):
    with Target(python) as second, Target(python) as third:
        with Tracer("-p", str(target.pid), "-p", str(second.pid), "-o", "json") as tracer:
            tracer.wait_seen(target)
            tracer.wait_seen(second)
            for number, process in enumerate((target, second, third)):
                process.do(f'sys.audit("test.v", {number})')
            tracer.wait_event("test.v", target.pid)
            tracer.wait_event("test.v", second.pid)
            assert tracer.stop() == 0
            assert sorted(values(tracer.records())) == [0, 1]
            assert tracer.summary()["processes"] == 2


def test_threads_of_a_process(target):
    with Tracer("-p", str(target.pid), "-o", "json", "-e", "test.v") as tracer:
        tracer.wait_attached(target)
        target.do('import threading;'
                  ' t = [threading.Thread(target=sys.audit, args=("test.v", i)) for i in range(4)];'
                  ' [x.start() for x in t]; [x.join() for x in t]')
        assert tracer.stop() == 0
    records = events(tracer.records(), "test.v")
    assert sorted(values(records)) == [0, 1, 2, 3]
    assert {r["process"]["pid"] for r in records} == {target.pid}
    assert target.pid not in {r["process"]["tid"] for r in records}


def test_what_the_ring_holds_is_written_at_the_end(target):
    with Tracer("-p", str(target.pid), "-o", "json", "-e", "test.v") as tracer:
        tracer.wait_attached(target)
        target.do('[sys.audit("test.v", i) for i in range(2000)]')
        assert tracer.stop() == 0
    assert values(tracer.records()) == list(range(2000))
    assert tracer.summary()["events"] == 2000


def fork_line(number):
    return (f'pid = os.fork(); pid or (sys.audit("test.v", {number}), os._exit(0));'
            f' os.waitpid(pid, 0)')


def test_children_without_follow(target):
    with Tracer("-p", str(target.pid), "-o", "json") as tracer:
        tracer.wait_attached(target)
        target.do(fork_line(1))
        target.do('sys.audit("test.v", 2)')
        assert tracer.stop() == 0
    assert values(tracer.records()) == [2]


def test_children_with_follow(target, python):
    with Target(python) as other, Tracer("-f", "-p", str(target.pid), "-o", "json") as tracer:
        tracer.wait_attached(target)
        target.do(fork_line(1))
        other.do(fork_line(2))
        target.do('sys.audit("test.v", 3)')
        assert tracer.stop() == 0
    records = events(tracer.records(), "test.v")
    assert sorted(values(records)) == [1, 3]
    child = [r for r in records if r["args"]["arg0"] == 1][0]
    assert child["process"]["pid"] != target.pid and child["process"]["ppid"] == target.pid


def test_grandchildren_with_follow(target):
    with Tracer("-f", "-p", str(target.pid), "-o", "json") as tracer:
        tracer.wait_attached(target)
        target.do('pid = os.fork(); pid or (os.fork() or sys.audit("test.v", 1), os._exit(0));'
                  ' os.waitpid(pid, 0)')
        tracer.wait_event("test.v")
        assert tracer.stop() == 0


TURNS = """
import os, sys
for maker in range(6):
    if not os.fork():
        for number in range(40):
            if not os.fork():
                sys.audit("test.turns", maker, number)
                os._exit(0)
            if number % 8 == 7:
                for _ in range(8):
                    os.wait()
        os._exit(0)
for _ in range(6):
    os.wait()
"""


def test_children_of_processes_that_take_turns(python):
    """Each child is followed and the trace ends, though one is preempted while the kernel tells pytrail of its own child,
    or of its end: since Linux 7.0 it does not tell of others of that processor as long."""
    done = util.run("trace", "--interpreters", "none", "-e", "test.turns", "--ring-size", "64M", "-o", "json", "--bpf-stats",
                    "--stats", "--", python, "-I", "-c", TURNS, limit=3 * util.LIMIT)
    assert done.returncode == 0, done.stderr
    found = [tuple(r["args"].values()) for r in events(util.json_lines(done.stdout), "test.turns")]
    assert sorted(found) == [(maker, number) for maker in range(6) for number in range(40)], done.stderr
    assert not re.search(r"follow_fork [^,]*left out", done.stderr), done.stderr
    assert "could not be followed" not in done.stderr


def test_it_ends_when_its_processes_have_ended(python):
    with Target(python) as target, Tracer("-p", str(target.pid), "-o", "json") as tracer:
        tracer.wait_attached(target)
        target.do('sys.audit("test.v", 1)')
        target.process.stdin.close()
        assert target.process.wait(util.LIMIT) == 0
        assert tracer.wait_end() == 0, tracer.stderr
    assert values(tracer.records()) == [1]


def test_duration(target):
    with Tracer("-p", str(target.pid), "-o", "json", "--duration", "5") as tracer:
        tracer.wait_attached(target)
        target.do('sys.audit("test.v", 1)')
        assert tracer.wait_end() == 0
    assert values(tracer.records()) == [1]
    assert float(util.SUMMARY.search(tracer.stderr)["seconds"]) < 30


# --- PIDs that cannot be traced: one clear sentence, an exit code ------------------------


def assert_refused(result, *words):
    assert result.returncode in (1, 3), result
    assert result.stdout == ""
    said = [line for line in result.stderr.splitlines() if "warning" not in line]
    assert len(said) == 1, result.stderr
    for word in words:
        assert word in said[0], said


def test_no_such_process():
    pid = dead_pid()
    assert_refused(run("trace", "-o", "json", "-p", str(pid)), str(pid), "no such process")


def test_not_python():
    with subprocess.Popen(["sleep", "600"]) as sleeper:
        try:
            result = run("trace", "-o", "json", "-p", str(sleeper.pid))
        finally:
            sleeper.kill()
    assert_refused(result, str(sleeper.pid), "Python")


def test_a_zombie():
    with subprocess.Popen(["sleep", "0"]) as zombie:
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        assert_refused(run("trace", "-o", "json", "-p", str(zombie.pid)), str(zombie.pid))


def test_a_kernel_thread():
    assert_refused(run("trace", "-o", "json", "-p", "2"), "2")


def test_a_process_that_exits_meanwhile(python):
    """Whenever it exits, the end is orderly."""
    for _ in range(10):
        with subprocess.Popen([python, "-I", "-c", "pass"], env=util.python_env()) as process:
            result = run("trace", "-o", "json", "-p", str(process.pid))
        assert result.returncode in (0, 1, 3), result
        assert result.stderr.count("\n") >= 1
        assert "Assert" not in result.stderr and "libbpf" not in result.stderr


def without_probe():
    root = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    for path in sorted(glob.glob(f"{root}/versions/3.*/bin/python3.[0-9]*")):
        minor = path.rsplit(".", 1)[1]
        if minor.isdigit() and int(minor) >= 8 and not os.path.islink(path):
            with open(path, "rb") as file:
                if b"python\0audit\0" not in file.read():
                    yield path


# Raises an event whenever it is told to, and says so.
TOLD = "import sys\nfor line in sys.stdin: sys.audit('test.v', 1); print('done', flush=True)"


@pytest.fixture
def unprobed():
    """A running interpreter that was built without python:audit."""
    path = next(without_probe(), None)
    if not path:
        pytest.skip("no interpreter without the probe here (looked for pyenv's)")
    with subprocess.Popen([path, "-c", TOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        raise_event(process)
        yield process
        process.kill()


def raise_event(process):
    process.stdin.write("go\n")
    process.stdin.flush()
    assert process.stdout.readline() == "done\n"


def test_a_python_without_the_probe(unprobed):
    """It is traced by its functions."""
    with Tracer("-p", str(unprobed.pid), "-o", "json", "-e", "test.v") as tracer:
        util.wait_until(lambda: raise_event(unprobed) or events(tracer.records()), "an event")
        assert tracer.stop() == 0
    assert {r["python"]["probe"] for r in events(tracer.records())} == {"uprobe"}
    raise_event(unprobed)  # lives on


def test_a_python_without_the_probe_that_is_asked_for(unprobed):
    result = run("trace", "-o", "json", "--probe", "usdt", "-p", str(unprobed.pid))
    assert_refused(result, "probe")


# --- the whole host ----------------------------------------------------------------------


def test_the_host_before_and_after(target, python):
    """A process that ran before, and one started from the same file later, from its first event."""
    with Tracer("-o", "json") as tracer:
        tracer.wait_attached(target)
        target.do('sys.audit("test.v", 1)')
        subprocess.run([python, "-c", 'import sys; sys.audit("test.v", 2)'], check=True,
                       env=util.python_env(), timeout=util.LIMIT)
        tracer.wait_for(lambda r: values([r]) == [2], "the event of the later process")
        assert tracer.stop() == 0
    records = tracer.records()
    assert values(records, pid=target.pid) == [1]
    later = [r["process"]["pid"] for r in events(records, "test.v") if r["args"]["arg0"] == 2][0]
    names = [r["event"] for r in events(records, pid=later)]
    assert names.count("cpython.run_command") == 1
    assert names.index("import") < names.index("cpython.run_command")


def test_the_host_a_new_file(target, tmp_path):
    """A file that nobody ran when the trace began is found while it runs."""
    with Tracer("-o", "json", "-e", "test.v") as tracer:
        tracer.wait_attached(target)
        with Target(util.private_python(tmp_path / "new")) as later:
            tracer.wait_attached(later)
            later.do('sys.audit("test.v", 7)')
            tracer.wait_event("test.v", later.pid)
            assert tracer.stop() == 0
    assert values(tracer.records(), pid=later.pid) == [7]


def test_a_deleted_file(tmp_path):
    """The interpreter was upgraded: its file has no name any more."""
    python = util.private_python(tmp_path)
    with Target(python) as target:
        os.unlink(python)
        with Tracer("-p", str(target.pid), "-o", "json", "-e", "test.v") as tracer:
            tracer.wait_attached(target)
            target.do('sys.audit("test.v", 1)')
            tracer.wait_event("test.v", target.pid)
            assert tracer.stop() == 0


def test_a_mount_namespace_of_its_own(python, tmp_path):
    """The file's path means nothing outside: it is reached through /proc."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    script = (f'mount -t tmpfs none {hidden} && cp {python} {hidden}/python3.11 &&'
              f' exec {hidden}/python3.11 -c "$CODE"')
    env = {**util.python_env(), "CODE": util.OBEDIENT}
    with subprocess.Popen(["unshare", "-m", "sh", "-c", script], stdin=subprocess.PIPE, text=True,
                          stdout=subprocess.PIPE, env=env) as process:
        assert process.stdout.readline() == "ready\n"
        assert not os.path.exists(hidden / "python3.11")
        with Tracer("-p", str(process.pid), "-o", "json", "-e", "test.v") as tracer:
            # Its file cannot be read from here: raise the event until it is seen.
            def seen():
                process.stdin.write('sys.audit("test.v", 1)\n')
                process.stdin.flush()
                return process.stdout.readline() == "done\n" and events(tracer.records(), "test.v")
            util.wait_until(seen, "an event from the other mount namespace")
            assert tracer.stop() == 0
        process.kill()
