# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Attaching and detaching, again and again: the target never notices and nothing is left behind."""
import os
import signal
import subprocess

import util
from util import Target, Tracer, events, wait_until

TIMES = int(os.environ.get("PYTRAIL_TEST_TURNS", 200 if os.environ.get("PYTRAIL_TEST_ALL") == "1" else 50))
KILLED_EVERY = min(10, TIMES)  # of them, one in so many ends by SIGKILL


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident_kb(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def pinned():
    return sorted(os.listdir("/sys/fs/bpf")) if os.path.isdir("/sys/fs/bpf") else []


def values(records):
    return [r["args"]["arg0"] for r in events(records, "test.v")]


# Raises events without a pause from a thread of its own, counts them, and checks what it computes.
BUSY = """
def busy():
    global count
    while not stop:
        sys.audit("test.busy", count, "text", (1, 2))
        count += 1
        assert sum(range(100)) == 4950
"""


def test_attach_and_detach(target):
    target.do(f"stop = False; count = 0; exec({BUSY!r}); import threading;"
              " thread = threading.Thread(target=busy); thread.start()")
    assert target.is_clean()
    before_pins, before_files = pinned(), open_files(target.pid)
    before_kb = None
    for turn in range(TIMES):
        with Tracer("-p", str(target.pid), "-o", "json:/dev/null") as tracer:
            tracer.wait_attached(target)
            assert set(target.semaphores()) == {1}
            if turn % KILLED_EVERY == KILLED_EVERY - 1:
                tracer.stop(signal.SIGKILL)
            else:
                assert tracer.stop() == 0, tracer.stderr
                assert target.is_clean(), "detached, but the probe or its semaphore is still there"
        # After a SIGKILL the kernel detaches in its own time.
        wait_until(target.is_clean, "the semaphore is back to 0 and the instruction restored")
        if turn == TIMES // 10:  # warmed up
            before_kb = resident_kb(target.pid)
    target.do("stop = True; thread.join(); assert count > 10000")
    assert resident_kb(target.pid) - before_kb < 2048
    assert open_files(target.pid) == before_files
    assert pinned() == before_pins


def test_two_tracers_at_once(target):
    """Each sees every event, and one ends without harm to the other."""
    with Tracer("-p", str(target.pid), "-o", "json", "-e", "test.*") as first:
        first.wait_attached(target)
        with Tracer("-p", str(target.pid), "-o", "json", "-e", "test.*") as second:
            # The kernel counts a probe, not those who use it: the semaphore stays at 1.
            second.wait_attached(target)
            first.wait_seen(target)
            second.wait_seen(target)
            assert second.stop() == 0
        assert target.is_attached()
        target.do('sys.audit("test.v", "one")')
        first.wait_for(lambda r: values([r]) == ["one"], "the last event")
        assert first.stop() == 0
    wait_until(target.is_clean, "nobody is attached")
    assert values(second.records()) == []


def test_a_long_trace_does_not_grow(target, tmp_path):
    """Processes and files come and go under one trace of the host: its fds and memory stay."""

    def start(times, directory):
        """Short-lived processes from five files."""
        for number in range(times):
            python = target.python
            if number % 10 == 0:
                python = util.private_python(directory / str(number % 40))
            subprocess.run([python, "-I", "-S", "-c", "import sys; sys.audit('test.v', 1)"],
                           check=True, env=util.python_env(), timeout=util.LIMIT)

    with Tracer("-o", "json:/dev/null", "-e", "test.v") as tracer:
        tracer.wait_attached(target)
        start(100, tmp_path)
        files, memory = open_files(tracer.process.pid), resident_kb(tracer.process.pid)
        start(200, tmp_path)
        assert open_files(tracer.process.pid) <= files + 8
        assert resident_kb(tracer.process.pid) - memory < 8192
        assert tracer.stop() == 0
    wait_until(target.is_clean, "the probe is gone")


def test_many_threads_while_it_attaches(python):
    """Threads that raise events at full speed all along: every result is right."""
    with Target(python) as target:
        target.do(f"stop = False; count = 0; exec({BUSY!r}); import threading;"
                  " threads = [threading.Thread(target=busy) for _ in range(8)];"
                  " [t.start() for t in threads]")
        for _ in range(3):
            with Tracer("-p", str(target.pid), "-o", "json", "-e", "test.busy",
                        "--max-events", "5000") as tracer:
                assert tracer.wait_end() == 0, tracer.stderr
                assert len(events(tracer.records())) == 5000
        target.do("stop = True; [t.join() for t in threads]")
        wait_until(target.is_clean, "the probe is gone")
