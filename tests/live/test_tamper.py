# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""--tamper: signs that a traced program works against being seen, each told once, and none where there is none."""
import contextlib
import os
import shutil
import signal
import subprocess
import sys

import pytest
import util
from util import Target, Tracer

# By addresses that it is given: what a program can do to its own probe.
DISARM = "import ctypes; ctypes.c_uint16.from_address({semaphore}).value = 0"
PATCH = """import ctypes, mmap; page = {site} & -4096; \
ctypes.CDLL(None).mprotect(ctypes.c_void_p(page), ctypes.c_size_t(4096), 7); \
ctypes.memmove({site}, {nop}, len({nop}))"""

# A page of a file in the place of the one that the semaphore is in. Nothing of Python must be needed behind that.
WITHHOLD = """
import ctypes, os
libc = ctypes.CDLL(None)
for f in (libc.mmap, libc.mremap):
    f.restype = ctypes.c_void_p
number = ctypes.c_ulong
fd = os.open({path!r}, os.O_RDWR)
at = number(libc.mmap(None, number(4096), 3, 2, fd, number(0)))
if {random}:
    libc.madvise(at, number(4096), 1)
move, size, to = libc.mremap, number(4096), number({semaphore} & -4096)
move(at, size, size, 3, to)
"""


def alerts(records, pid=None):
    return [r for r in records if r["type"] == "alert" and (pid is None or r["process"]["pid"] == pid)]


def wait_alert(tracer, name):
    return tracer.wait_for(lambda r: r["type"] == "alert" and r["alert"] == name, f"alert {name}")


def trace(*targets, options=()):
    pids = [part for t in targets for part in ("-p", str(t.pid))]
    return Tracer(*pids, "-o", "json", "--tamper", "--probe=usdt", *options)


@pytest.mark.parametrize("code, alert", [(DISARM, "probe_disarmed"), (PATCH, "probe_overwritten")])
def test_own_probe(python, target, code, alert):
    with Target(python) as other, trace(target, other) as tracer:
        tracer.wait_attached(target, other)
        for pc, semaphore in target.probes.sites:
            target.do(code.format(semaphore=target.map + semaphore, site=target.map + pc, nop=util.NOP))
        record = wait_alert(tracer, alert)
        assert record["process"] == {"pid": target.pid, "comm": "python3.11"}
        assert "not seen" in record["message"]
        # other looks pass, and it is not told again; of the other process there is nothing to tell
        other.do('sys.audit("test.v")')
        tracer.wait_event("test.v", other.pid)
        assert tracer.stop() == 0
    assert len(alerts(tracer.records())) == 1


@contextlib.contextmanager
def withheld(directory):
    """A file whose pages do not come, until the `with` statement ends."""
    os.mkdir(directory)
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "workloads", "withhold.py")
    server = subprocess.Popen([sys.executable, program, directory], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True)
    try:
        if server.stdout.readline() != "mounted\n":
            pytest.skip(f"no FUSE here: {server.communicate()[1].strip()[-100:]}")
        yield os.path.join(directory, "f")
    finally:
        server.kill()
        server.communicate()
        subprocess.run(["umount", "-l", directory], stderr=subprocess.DEVNULL, check=False)


@pytest.mark.parametrize("random", [False, True], ids=["read ahead", "read"])
def test_memory_that_does_not_come(python, target, tmp_path, random):
    """A look at it is given up; what others do is told as always. A thread that waits for such a page cannot be killed
    (request_wait_answer(), fs/fuse/dev.c): all is said before, and the process ends when the page, or an error, comes."""
    with Target(python) as other, trace(target, other) as tracer:
        with withheld(str(tmp_path / "fuse")) as path:
            tracer.wait_attached(target, other)
            code = WITHHOLD.format(path=path, random=random, semaphore=target.map + target.probes.sites[0][1])
            target.process.stdin.write(f"exec({code!r})\n")
            target.process.stdin.flush()
            record = wait_alert(tracer, "memory_withheld")
            assert record["process"]["pid"] == target.pid
            for number in range(3):
                other.do(f'sys.audit("test.v", {number})')
                tracer.wait_for(lambda r, n=number: util.events([r], "test.v", other.pid) and r["args"]["arg0"] == n,
                                f"event {number}")
            tracer.process.send_signal(signal.SIGTERM)
            util.wait_until(lambda: util.SUMMARY.search(tracer.stderr), "the summary")
        assert tracer.wait_end() == 0
    assert len(alerts(tracer.records())) == 1


# Another process reads a page that does not come, through /proc/PID/mem, and has the lock of the memory for as long. A
# thread that wants to have it for itself is behind that, and all who read the memory are behind the thread.
LOCK = """
import ctypes, os, sys, threading, time
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
number = ctypes.c_ulong
size, zero = number(4096), number(0)
path, = sys.argv[1:]
at = libc.mmap(None, size, 1, 2, os.open(path, os.O_RDWR), zero)
memory = os.open("/proc/self/mem", os.O_RDONLY)
reads, go = os.pipe()
if not os.fork():
    libc.prctl(1, 9, 0, 0, 0)
    os.read(reads, 1)
    os.pread(memory, 1, at)
maps, then = os.pipe()
def wait():
    os.read(maps, 1)
    libc.mmap(None, size, 1, 0x22, -1, zero)
threading.Thread(target=wait, daemon=True).start()
print("ready", flush=True)
sys.stdin.readline()
for end in (go, then):
    os.write(end, b"x")
    time.sleep(0.3)
sys.audit("test.v", 1)
print("done", flush=True)
time.sleep(1000)
"""


def test_facts_that_do_not_come(python, tmp_path):
    """The command line is unknown then; nothing else is, and others' events come."""
    if tuple(map(int, os.uname().release.split(".")[:2])) < (6, 13):
        pytest.skip("the kernel wants that lock itself to find a probe: there is no event then")
    with contextlib.ExitStack() as targets, withheld(str(tmp_path / "fuse")) as path:
        # they end after the server: nothing that waits for it can
        target, other = (targets.enter_context(t) for t in (Target(python, LOCK, [path]), Target(python)))
        target.expect("ready")
        target.map = target.probes.bias(target.pid, python)
        tracer = Tracer("-p", str(target.pid), "-p", str(other.pid), "-o", "json", "--probe=usdt")
        targets.callback(tracer.__exit__)
        tracer.wait_attached(target, other)
        target.process.stdin.write("go\n")
        target.process.stdin.flush()
        record = tracer.wait_event("test.v", target.pid)
        other.do('sys.audit("test.v", 2)')
        tracer.wait_event("test.v", other.pid)
        assert record["process"]["exe"] == python and "argv" not in record["process"]


def test_nothing_to_tell_by_uprobe(target):
    with Tracer("-p", str(target.pid), "-o", "json", "--tamper", "--probe=uprobe") as tracer:
        util.wait_until(lambda: "attached" in tracer.stderr, "pytrail attaches")
        target.do('import time; time.sleep(1.5); sys.audit("test.v")')
        tracer.wait_event("test.v", target.pid)
        assert tracer.stop() == 0
    assert not alerts(tracer.records())


def test_file_changed(python, target):
    with trace(target) as tracer:
        tracer.wait_attached(target)
        os.utime(python, (1, 1))
        record = wait_alert(tracer, "interpreter_changed")
        assert python in record["message"] and record["process"]["pid"] == target.pid
        assert tracer.stop() == 0
    assert len(alerts(tracer.records())) == 1


def test_file_replaced(python, target):
    with trace(target) as tracer:
        tracer.wait_attached(target)
        shutil.copy(python, python + ".new")
        os.rename(python + ".new", python)
        record = wait_alert(tracer, "interpreter_deleted")
        assert python in record["message"]
        assert tracer.stop() == 0
    assert len(alerts(tracer.records())) == 1


def test_exec_and_exit_are_no_signs(python, target):
    """A process that becomes another, or ends, has no probe any more."""
    with Target(python) as other, trace(target, other) as tracer:
        tracer.wait_attached(target, other)
        target.process.stdin.write('os.execv("/bin/sleep", ["sleep", "60"])\n')
        target.process.stdin.flush()
        util.wait_until(lambda: os.readlink(f"/proc/{target.pid}/exe").endswith("/sleep"), "it executes")
        other.process.kill()
        other.process.wait()
        with Target(python) as third:  # as long as this takes it is looked at
            third.do("import time; time.sleep(1.5)")
        assert tracer.stop() == 0
    assert not alerts(tracer.records())
