# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The verifier of this kernel accepts each program, with less work than a limit: a change that makes it walk
many more states fails here before it fails on an older kernel."""
import os
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STATS = os.path.join(ROOT, "build/tests/verifier/stats")
# Instructions processed; the kernel's own limit is a million. Linux 6.18 takes 300,000 for the largest, 6.1 twice that.
LIMITS = {name + kind: 750_000 for name in ("audit", "entry") for kind in ("_sleepable", "_plain", "_old")}
OTHERS = 2_000


@pytest.fixture(scope="module", name="programs")
def programs_fixture():
    done = subprocess.run([STATS], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return {row[0]: (row[1], int(row[2])) for row in rows}


def test_all_are_accepted(programs):
    assert programs and {said for said, _ in programs.values()} == {"ok"}
    assert {"watch_exec", "watch_exit", "follow_fork"} <= set(programs)


def test_work_of_the_verifier(programs):
    over = {name: cnt for name, (_, cnt) in programs.items() if cnt > LIMITS.get(name, OTHERS)}
    assert not over, over
