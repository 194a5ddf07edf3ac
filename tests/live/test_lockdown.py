# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""`pytrail check` on a kernel that is locked down: what it says is shown to pytrail alone, in a mount namespace."""
import json
import subprocess

import pytest
import util


def check(tmp_path, text, *args):
    (tmp_path / "lockdown").write_text(text)
    return subprocess.run(["unshare", "-m", "sh", "-c",
                           f'mount --bind {tmp_path} /sys/kernel/security && exec "$@"', "sh", util.PYTRAIL, *args],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)


@pytest.mark.parametrize("level,state,words", [
    ("none", "ok", "none"), ("integrity", "ok", "all of pytrail works"),
    ("confidentiality", "missing", "boot with lockdown=integrity or none")])
def test_check(tmp_path, level, state, words):
    text = "none integrity confidentiality\n".replace(level, f"[{level}]")
    said = check(tmp_path, text, "check")
    row = next(line for line in said.stdout.splitlines() if " lockdown " in line)
    assert row.split()[0] == state and level in row and words in row
    # whether it can be traced is tried, not taken from there
    assert said.returncode == 0, said.stderr
    assert json.loads(check(tmp_path, text, "check", "--json").stdout)["lockdown"] == level


def test_not_mounted(tmp_path):
    said = check(tmp_path, "", "check")
    assert any("lockdown" in line and "not known" in line for line in said.stdout.splitlines())
    assert "lockdown" not in json.loads(check(tmp_path, "", "check", "--json").stdout)
