# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""--processes: from when to when the events of each process are seen, and what came too late is said."""
import os
import subprocess

import pytest

import interpreters
import util
from util import Target, Tracer, events, json_lines, run

PYTHON = util.SYSTEM_PYTHON


def presence(records, pid=None):
    """(action, reason or late) of the records of that kind, in order."""
    return [(r["action"], r.get("reason", r.get("late", False))) for r in records
            if r["type"] == "process" and r["action"] in ("attach", "detach") and
            pid in (None, r["process"]["pid"])]


def of(records, pid, kind):
    return [r for r in records if r["process"]["pid"] == pid and r.get("action", r["type"]) == kind]


def wait_ready(tracer):
    util.wait_until(lambda: "tracing every" in tracer.stderr, "pytrail is ready")


def test_a_process_that_was_there(target):
    """It is told before it raises anything, with its file and for how long it had run; and the end."""
    with open("/proc/uptime", encoding="ascii") as file:
        before = float(file.read().split()[0])
    with Tracer("-o", "json", "-e", "test.v", "--processes") as tracer:
        record = tracer.wait_for(lambda r: r.get("action") == "attach" and
                                 r["process"]["pid"] == target.pid, "it is told")
        wait_ready(tracer)
        target.do('sys.audit("test.v")')
        tracer.wait_event("test.v", target.pid)
        assert tracer.stop() == 0
    records = tracer.records()
    assert presence(records, target.pid) == [("attach", True), ("detach", "end")]
    assert record["python"]["file"] == target.python
    assert record["python"]["probe"] == "usdt" and record["python"]["version"].startswith("3.")
    assert 0 <= record["late_ns"] < (record["process"]["start_ns"] + (before + 60) * 1e9)
    event, = of(records, target.pid, "audit")
    # one process: the start is that of the events, to the nanosecond
    assert event["process"]["entity_id"] == record["process"]["entity_id"]
    assert {k: v for k, v in event["python"].items()} == {
        k: v for k, v in record["python"].items() if k != "file"}
    assert list(record)[:8] == ["type", "id", "seq", "time", "monotonic_ns", "action", "late", "late_ns"]


def test_a_process_whose_program_is_loaded_later(target):
    """The one on audit functions takes longer: that others are seen meanwhile changes nothing for whom it is for."""
    unprobed = next((p for p in interpreters.listed().values() if p.probe == "no-usdt"), None)
    if not unprobed:
        pytest.skip("no interpreter without the probe is here")
    child = subprocess.Popen([unprobed.command, "-I", "-c", util.OBEDIENT], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    with child, Tracer("-o", "json", "-e", "test.v", "--processes") as tracer:
        assert child.stdout.readline() == "ready\n"
        wait_ready(tracer)
        target.do('sys.audit("test.v", 1)')
        child.stdin.write('sys.audit("test.v", 2)\n')
        child.stdin.flush()
        assert child.stdout.readline() == "done\n"
        tracer.wait_event("test.v", target.pid)
        tracer.wait_event("test.v", child.pid)
        assert tracer.stop() == 0
        child.stdin.close()
    records = tracer.records()
    for pid, probe, arg in ((target.pid, "usdt", 1), (child.pid, "uprobe", 2)):
        assert presence(records, pid) == [("attach", True), ("detach", "end")]
        event, = of(records, pid, "audit")
        assert event["python"]["probe"] == probe and event["args"] == {"arg0": arg}
    assert "may be missing" not in tracer.stderr


def test_by_pid(target, python):
    with Target(python) as other, Tracer("-o", "json", "-p", str(target.pid), "--processes") as tracer:
        tracer.wait_seen(target)
        target.process.stdin.close()
        assert tracer.wait_end() == 0
        assert presence(tracer.records(), other.pid) == []
    assert presence(tracer.records(), target.pid) == [("attach", True), ("detach", "exit")]


LIFE = """
import os, sys
sys.audit("test.v", 1)
pid = os.fork()
if not pid:
    sys.audit("test.v", 2)
    os.execv(sys.executable, [sys.executable, "-c", "import sys; sys.audit('test.v', 3)"])
os.waitpid(pid, 0)
os.execv("/bin/true", ["true"])
"""


def check_life(records):
    """A parent and its child, which executes Python again; the parent then executes something else."""
    first, second = (next(r for r in events(records, "test.v") if r["args"]["arg0"] == n)["process"]["pid"]
                     for n in (1, 2))
    assert presence(records, first) == [("attach", False), ("detach", "exec")]
    assert presence(records, second) == [("attach", False), ("detach", "exec"), ("attach", False),
                                         ("detach", "exit")]
    # no event outside of it, and each attach with the facts of the image that it is about
    inside = set()
    for record in records:
        pid = record["process"]["pid"]
        if record.get("action") == "attach":
            inside.add(pid)
        elif record.get("action") == "detach":
            inside.remove(pid)
        elif record["type"] == "audit":
            assert pid in inside
    assert not inside & {first, second}
    last = of(records, second, "attach")[1]
    assert last["process"]["argv"][1] == "-c" and "late" not in last
    return first, second


def test_exec_and_fork_of_a_command(python, tmp_path):
    script = tmp_path / "life.py"
    script.write_text(LIFE)
    rec = str(tmp_path / "rec")
    done = run("trace", "-o", "json", "-e", "test.v", "--processes", "--record", rec, "--", python,
               "-S", str(script), env=util.python_env())
    assert done.returncode == 0, done.stderr
    records = json_lines(done.stdout)
    check_life(records)
    again = json_lines(run("replay", "-o", "json", rec).stdout)
    assert presence(again) == presence(records)
    assert of(again, check_life(again)[0], "attach") == of(records, check_life(records)[0], "attach")


def test_exec_and_fork_on_the_host(python, tmp_path):
    script = tmp_path / "life.py"
    script.write_text(LIFE)
    with Tracer("-o", "json", "-e", "test.v", "--processes", "--interpreters", f"+{python}") as tracer:
        wait_ready(tracer)
        subprocess.run([python, "-S", str(script)], check=True, env=util.python_env())
        tracer.wait_for(lambda r: events([r], "test.v") and r["args"]["arg0"] == 3, "the last event")
        assert tracer.stop() == 0
    records = [r for r in tracer.records() if r["process"].get("exe") == python or
               os.path.dirname(python) in str(r["process"].get("argv"))]
    check_life(records)


def test_a_file_that_is_new(tmp_path):
    """Attached while its process runs: late, by how long; what it forks later is not."""
    with Tracer("-o", "json", "-e", "test.*", "--processes") as tracer:
        wait_ready(tracer)
        with Target(util.private_python(tmp_path)) as target:
            tracer.wait_seen(target)
            target.do('pid = os.fork(); pid or (sys.audit("test.child"), os._exit(0));'
                      ' os.waitpid(pid, 0)')
            child = tracer.wait_event("test.child")["process"]["pid"]
            assert tracer.stop() == 0
    first = of(tracer.records(), target.pid, "attach")[0]
    assert first["late"] is True and 0 < first["late_ns"] < 30e9
    assert presence(tracer.records(), child) == [("attach", False), ("detach", "exit")]


def test_selection_holds_for_it(target, python):
    with Target(python) as other, \
            Tracer("-o", "json", "--processes", "-e", "test.*", "--exe", "none", "--exe", "nobody") as tracer:
        wait_ready(tracer)
        other.do('sys.audit("test.v")')
        target.do('sys.audit("test.v")')
        assert tracer.stop() == 0
    assert presence(tracer.records()) == []


def test_max_events_has_its_ends(target):
    with Tracer("-o", "json", "-p", str(target.pid), "--processes", "-e", "test.v",
                "--max-events", "2") as tracer:
        tracer.wait_attached(target)
        target.do('[sys.audit("test.v", i) for i in range(5)]')
        assert tracer.wait_end() == 0
    assert len(events(tracer.records())) == 2
    assert presence(tracer.records()) == [("attach", True), ("detach", "end")]
