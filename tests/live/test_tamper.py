# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""--tamper: signs that a traced program works against being seen, each told once, and none where there is none."""
import os
import shutil

import pytest
import util
from util import Target, Tracer

# By addresses that it is given: what a program can do to its own probe.
DISARM = "import ctypes; ctypes.c_uint16.from_address({semaphore}).value = 0"
PATCH = """import ctypes, mmap; page = {site} & -4096; \
ctypes.CDLL(None).mprotect(ctypes.c_void_p(page), ctypes.c_size_t(4096), 7); \
ctypes.memmove({site}, {nop}, len({nop}))"""


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
