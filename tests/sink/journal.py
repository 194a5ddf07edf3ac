# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""A journald of the tests' own, which sees nothing of the machine's."""
import json
import os
import subprocess

import pytest

from driving import wait_for
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
