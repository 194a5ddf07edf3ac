# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Outputs over the network without tracing: `pytrail replay`, its exporter, what that may and what becomes of it."""
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
from relp import Receiver  # noqa: E402

PYTRAIL = os.environ.get("PYTRAIL", os.path.join(ROOT, "build/pytrail"))


def wait_until(condition, what, limit=30):
    end = time.monotonic() + limit
    while not (value := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.01)
    return value


def replay(*args, **kwargs):
    return subprocess.run([PYTRAIL, "replay", *args], capture_output=True, text=True, timeout=120,
                          check=False, **kwargs)


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(n) for n in file.read().split()]
    except FileNotFoundError:
        return []


def status(pid):
    try:
        file = open(f"/proc/{pid}/status", encoding="ascii", errors="replace")
    except FileNotFoundError:
        return {}
    with file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(name="waiting")
def waiting_fixture(records):
    """A replay whose receiver is not there, and its exporter at work."""
    process = subprocess.Popen([PYTRAIL, "replay", "-o", f"json:relp://127.0.0.1:{closed_port()}",
                                records], stderr=subprocess.PIPE)
    exporter = wait_until(lambda: [c for c in children(process.pid)
                                   if status(c)["Name"] == "pytrail-export" and
                                   status(c)["Seccomp"] == "2"], "an exporter")[0]
    yield process, exporter
    process.kill()
    process.wait()


def test_all_records_arrive(records):
    receiver = Receiver()
    result = replay("-o", f"json:relp://127.0.0.1:{receiver.port}?redact=no", records)
    assert result.returncode == 0, result.stderr
    local = replay("-o", "json", records).stdout.splitlines()
    assert [json.loads(b) for b in receiver.taken()] == [json.loads(line) for line in local]


def test_two_outputs_with_filters(records, tmp_path):
    one, two = Receiver(), Receiver()
    result = replay("-o", f"json:relp://127.0.0.1:{one.port}?events=open",
                    "-o", f"relp://127.0.0.1:{two.port}?min_severity=5&format=json",
                    "-o", f"json:{tmp_path}/file", records)
    assert result.returncode == 0, result.stderr
    kinds = [json.loads(b) for b in one.taken()]
    assert {r["event"] for r in kinds if r["type"] == "audit"} <= {"open", None}  # or unreadable
    assert any(r["type"] == "lost" for r in kinds)
    assert len((tmp_path / "file").read_bytes().splitlines()) >= one.count()
    assert not [r for b in two.taken() if (r := json.loads(b))["type"] == "audit" and r["known"] is False]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_privileges(waiting):
    """Nothing to gain in it: no user of note, no capabilities, few system calls, no dumps."""
    _, exporter = waiting
    facts = status(exporter)
    assert "0" not in facts["Uid"].split() and "0" not in facts["Gid"].split()
    assert facts["Groups"].split() == []
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(facts[kind], 16) == 0, kind
    assert (facts["NoNewPrivs"], facts["Seccomp"]) == ("1", "2")
    with open(f"/proc/{exporter}/limits", encoding="ascii") as file:
        assert "Max core file size        0                    0" in file.read()
    assert os.stat(f"/proc/{exporter}/mem").st_uid == 0  # not dumpable


def test_nothing_on_its_command_line(waiting):
    _, exporter = waiting
    with open(f"/proc/{exporter}/cmdline", "rb") as file:
        assert file.read() == b"pytrail\0--exporter\0"


def starter_of(process):
    """Who starts exporters: the tracer's first child."""
    return next(c for c in children(process.pid) if status(c)["Name"] == "pytrail-start")


def test_it_ends_with_its_tracer(waiting):
    process, exporter = waiting
    starter = starter_of(process)
    process.kill()
    process.wait()
    for pid in exporter, starter:
        wait_until(lambda p=pid: not os.path.exists(f"/proc/{p}"), "the exporter and its starter end")


def test_terminal_signals_do_not_end_it(waiting):
    process, exporter = waiting
    starter = starter_of(process)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(exporter, number)
        os.kill(starter, number)
    time.sleep(0.1)  # nothing can be awaited: nothing is to happen
    assert process.poll() is None and set(children(process.pid)) == {starter, exporter}


def test_who_starts_it_has_nothing_open(waiting):
    """No file of the tracer's, so that no reader of its output waits for it."""
    process, _ = waiting
    starter = starter_of(process)
    assert sorted(map(int, os.listdir(f"/proc/{starter}/fd"))) == [0, 1, 2, 3]
    assert [os.readlink(f"/proc/{starter}/fd/{fd}") for fd in (0, 1)] == ["/dev/null"] * 2


def exporter_of(process):
    """One that is at work: an output has a thread."""
    return wait_until(lambda: [c for c in children(process.pid) if status(c).get("Name") == "pytrail-export" and
                               int(status(c).get("Threads", "0")) > 1], "an exporter")[0]


def test_an_exporter_that_is_killed_is_started_again(records):
    """The rest is delivered by the next one."""
    port = closed_port()
    process = subprocess.Popen([PYTRAIL, "replay", "-o", f"json:relp://127.0.0.1:{port}?retry_max=100ms",
                                records], stderr=subprocess.PIPE, text=True)
    for _ in range(3):
        exporter = exporter_of(process)
        time.sleep(0.2)  # so that it has told that it is ready
        os.kill(exporter, signal.SIGKILL)
        wait_until(lambda n=exporter: exporter_of(process) != n, "another exporter")
    receiver = Receiver(port)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    ids = {json.loads(line)["id"] for line in replay("-o", "json", records).stdout.splitlines()}
    assert {json.loads(body)["id"] for body in receiver.taken()} == ids


@pytest.mark.parametrize("spec, error", [
    ("json:nfs://x", "there is no receiver of the scheme 'nfs', there are "),
    ("nfs://x", "there is no receiver of the scheme 'nfs', there are "),
    ("json:relp://127.0.0.1:1?nope=1", "there is no setting 'nope' here"),
    ("json:relp://127.0.0.1:1?batch_wait=x", "'batch_wait' takes a time such as 200ms, 5s or 1h"),
    ("json:relp://127.0.0.1:1?batch_wait", "'batch_wait' in the URL's query has no value"),
    ("json:relp://127.0.0.1:1?timeout=%zz", "after '%' come two hexadecimal digits"),
    ("relp://127.0.0.1:1?format=xml", "there is no format 'xml', there are "),
])
def test_errors(records, spec, error):
    result = replay("-o", spec, records)
    assert result.returncode == 2 and error in result.stderr, result.stderr


def reachable(tmp_path):
    """The exporter's user has to come by there."""
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:
        if str(parent).startswith("/tmp/"):
            os.chmod(parent, 0o755)
    return {**os.environ, "TMPDIR": str(tmp_path)}


def leave_spool(where, name, age=3600, mode=0o710, segment=False):
    """What a tracer leaves that is killed."""
    spool = where / name / "spool"
    (spool / "cursors").mkdir(parents=True)
    (spool / "control").write_bytes(bytes(16384))
    (spool / "cursors" / "relp.cur").write_bytes(b"")
    if segment:
        (spool / "1-0000000000000001.seg").write_bytes(b"x")
    (where / name).chmod(mode)
    when = time.time() - age
    os.utime(where / name, (when, when))


def test_what_killed_tracers_left(records, tmp_path):
    """It is removed, but for what may hold events, is in use, or is none of ours."""
    receiver = Receiver()
    env = reachable(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    leave_spool(elsewhere, "kept")
    leave_spool(tmp_path, "pytrail-empty0")
    leave_spool(tmp_path, "pytrail-empty1")
    leave_spool(tmp_path, "pytrail-events", segment=True)
    leave_spool(tmp_path, "pytrail-in_use")
    leave_spool(tmp_path, "pytrail-isnew0", age=0)
    leave_spool(tmp_path, "pytrail-public", mode=0o777)
    leave_spool(tmp_path, "pytrail-toolong")
    (tmp_path / "pytrail-myfile").write_text("mine")
    (tmp_path / "pytrail-mylink").symlink_to(elsewhere / "kept")
    with open(tmp_path / "pytrail-in_use/spool/control", "rb") as control:
        fcntl.flock(control, fcntl.LOCK_EX)
        result = replay("-v", "-o", f"json:relp://127.0.0.1:{receiver.port}", records, env=env)
    assert result.returncode == 0, result.stderr
    assert sorted(os.listdir(tmp_path)) == ["elsewhere", "pytrail-events", "pytrail-in_use", "pytrail-isnew0",
                                            "pytrail-myfile", "pytrail-mylink", "pytrail-public",
                                            "pytrail-toolong"]
    assert os.path.exists(elsewhere / "kept/spool/control")
    assert (f"'{tmp_path}/pytrail-events/spool' is left by a pytrail that was killed, with events that may not have "
            "been delivered: 'pytrail spool' shows them") in result.stderr


def test_what_others_could_exchange_stays(records, tmp_path):
    """In a directory of names that all can move, nothing is removed."""
    receiver = Receiver()
    env = reachable(tmp_path)
    leave_spool(tmp_path, "pytrail-empty0")
    tmp_path.chmod(0o777)
    result = replay("-o", f"json:relp://127.0.0.1:{receiver.port}", records, env=env)
    assert result.returncode == 0, result.stderr
    assert os.listdir(tmp_path) == ["pytrail-empty0"]
    tmp_path.chmod(0o1777)
    assert replay("-o", f"json:relp://127.0.0.1:{receiver.port}", records, env=env).returncode == 0
    assert os.listdir(tmp_path) == []


def test_no_private_spool_is_left(records, tmp_path):
    receiver = Receiver()
    env = reachable(tmp_path)
    assert replay("-o", f"json:relp://127.0.0.1:{receiver.port}", records, env=env).returncode == 0
    assert receiver.count() and os.listdir(tmp_path) == []
