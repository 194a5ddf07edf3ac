# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The journald driver against a journald of its own, which sees nothing of the machine's."""
import json
import os
import signal
import subprocess

import pytest

from driving import HOSTILE, Drive, item, wait_for
from receivers import Receiver, need

JOURNALD = "/lib/systemd/systemd-journald"
NAME = "pytrailtest"
MACHINE = "0123456789abcdef0123456789abcdef"


class Journald(Receiver):
    """systemd-journald for a namespace of journals, with a directory as its /run."""

    def __init__(self, directory):
        super().__init__(directory)
        if not os.path.exists(JOURNALD) or os.geteuid():
            pytest.skip("no systemd-journald here, or not root")
        need("journalctl")
        os.makedirs(self.path("run/systemd"), exist_ok=True)
        with open(self.path("machine-id"), "w", encoding="ascii") as file:
            file.write(MACHINE + "\n")
        with open(self.path("journald.conf"), "w", encoding="ascii") as file:
            file.write("[Journal]\nStorage=volatile\nRateLimitBurst=0\nSystemMaxUse=500M\nRuntimeMaxUse=500M\n"
                       "ForwardToWall=no\nForwardToSyslog=no\n")
        self.socket = self.path(f"run/systemd/journal.{NAME}/socket")

    def command(self):
        # nothing that is mounted here is seen outside
        script = (f'mount --bind "{self.directory}/run" /run && touch /etc/machine-id && '
                  f'mount --bind "{self.directory}/machine-id" /etc/machine-id && '
                  f'mount -t tmpfs none /etc/systemd && '
                  f'cp "{self.directory}/journald.conf" /etc/systemd/journald@{NAME}.conf && '
                  f'exec {JOURNALD} {NAME}')
        return ["unshare", "-m", "--propagation", "private", "sh", "-c", script]

    def ready(self):
        return os.path.exists(self.socket)

    def entries(self, count):
        """Once there are so many of ours."""
        directory = self.path(f"run/log/journal/{MACHINE}.{NAME}")

        def read():
            done = subprocess.run(["journalctl", f"--directory={directory}", "-o", "json",
                                   "--all", "--no-pager", "-t", "pytrail"], capture_output=True, check=False)
            found = [json.loads(line) for line in done.stdout.splitlines()]
            return found if len(found) >= count else None
        return wait_for(read)


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
