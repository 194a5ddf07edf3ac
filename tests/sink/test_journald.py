# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The journald driver against a journald of its own, which sees nothing of the machine's."""
import json
import os
import signal

import pytest

from driving import HOSTILE, Drive, item
from journal import Journald


@pytest.fixture
def journald(tmp_path):
    with Journald(tmp_path) as receiver:
        yield receiver


def text(value):
    """journalctl prints what is not printable as a list of bytes."""
    return bytes(value).decode() if isinstance(value, list) else value


def test_fields(journald):
    with Drive(f"journald://{journald.socket}") as drive:
        assert drive.send([item(7, severity=5, entity="abc")])["items"] == ["ok"]
    entry = journald.entries(1)[0]
    assert {k: v for k, v in entry.items() if not k.startswith("_")} == {
        "MESSAGE": '{"n": 7}', "PRIORITY": "2", "SYSLOG_IDENTIFIER": "pytrail", "PYTRAIL_ID": "b00t-7",
        "PYTRAIL_EVENT": "os.system", "PYTRAIL_CATEGORY": "process", "PYTRAIL_ENTITY_ID": "abc",
        "PYTRAIL_FORMAT": "json", "PYTRAIL_SEVERITY": "5", "PYTRAIL_SEQ": "7",
        "PYTRAIL_TIME": "2026-09-21T14:13:20.123456789Z"}


def test_hostile(journald):
    """Values with newlines make no field of their own; 100 kB and 2 MB arrive."""
    items = [item(n, body=t + "\nPRIORITY=0\nFORGED=yes", entity=t[:63]) for n, t in enumerate(HOSTILE)]
    items.append(item(100, body="y" * 2_000_000))
    with Drive(f"journald://{journald.socket}") as drive:
        assert set(drive.send(items)["items"]) == {"ok"}
    got = {int(e["PYTRAIL_SEQ"]): e for e in journald.entries(len(items))}
    for n, t in enumerate(HOSTILE):
        assert text(got[n]["MESSAGE"]) == t + "\nPRIORITY=0\nFORGED=yes"
        assert got[n]["PRIORITY"] == "4" and "FORGED" not in got[n]
        assert text(got[n].get("PYTRAIL_ENTITY_ID", "")) == t[:63]
    assert len(text(got[100]["MESSAGE"])) == 2_000_000


def test_killed_and_restarted(journald):
    """Run without systemd, journald takes its socket with it: what is sent meanwhile is held."""
    with Drive(f"journald://{journald.socket}") as drive:
        assert set(drive.send([item(n) for n in range(50)])["items"]) == {"ok"}
        journald.entries(50)
        journald.kill()
        answer = drive.send([item(50)])
        assert answer["items"] == ["retry"] and "refused" in answer["reason"]
        journald.start()
        drive.until_delivered([item(50)])
        assert len(journald.entries(51)) == 51


def test_stopped(journald):
    """One that does not read holds the output until its time-out, or an interrupt."""
    items = [item(n, body="x" * 5000) for n in range(2000)]
    with Drive(f"journald://{journald.socket}", "timeout=300ms") as drive:
        journald.process.send_signal(signal.SIGSTOP)
        answer = drive.send(items)
        assert answer["items"][0] == "ok" and answer["items"][-1] == "retry" and "timed out" in answer["reason"]
    with Drive(f"journald://{journald.socket}", "timeout=1h") as drive:
        drive.interrupt(0.2)
        assert drive.send(items)["items"][-1] == "retry"
        journald.process.send_signal(signal.SIGCONT)
    journald.entries(answer["items"].count("ok"))


def test_no_journald(tmp_path):
    with Drive(f"journald://{tmp_path}/socket") as drive:
        answer = drive.send([item(1)])
        assert answer["items"] == ["retry"] and "No such file" in answer["reason"], "never told as delivered"


def test_urls():
    assert "an absolute path has to follow" in Drive("journald:relative").refusal()
    assert "too long" in Drive("journald:///" + "x" * 200).refusal()
