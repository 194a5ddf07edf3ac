# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""`pytrail spool` on spools that a small program fills. Needs no root."""
import json
import os
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PYTRAIL = os.environ.get("PYTRAIL", os.path.join(ROOT, "build", "pytrail"))
FILL = os.path.join(ROOT, "build", "tests", "bench", "spool_bench")


def spool(*args):
    return subprocess.run([PYTRAIL, "spool", *map(str, args)], capture_output=True, text=True,
                          timeout=60, check=False)


@pytest.fixture(name="directory")
def directory_fixture(tmp_path):
    subprocess.run([FILL, tmp_path / "spool", "300"], check=True, stdout=subprocess.DEVNULL)
    return tmp_path / "spool"


def output(directory):
    result = spool("show", "--json", directory)
    assert (result.returncode, result.stderr) == (0, "")
    shown = json.loads(result.stdout)
    assert [lane["severity"] for lane in shown["lanes"]] == [1, 2, 3, 4, 5]
    return shown["outputs"][0]


def test_show(directory):
    shown = output(directory)
    assert (shown["name"], shown["stream"], shown["configured"]) == ("bench", "json", True)
    assert (shown["pending"], shown["delivered"], shown["cursor"]) == (300, 0, "none")
    text = spool(directory)
    assert text.returncode == 0
    assert any(line.split()[:3] == ["bench", "json", "300"] for line in text.stdout.splitlines())


def test_verify(directory):
    result = spool("verify", directory)
    assert (result.returncode, result.stdout) == (0, "")
    assert "300 items, all whole" in result.stderr


def test_verify_says_where_it_is_damaged(directory):
    path = sorted(directory.glob("2-*.seg"))[0]
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.write_bytes(data)
    result = spool("verify", directory)
    assert result.returncode == 1
    assert path.name in result.stdout and "damaged" in result.stdout
    found = [json.loads(line) for line in spool("verify", "--json", directory).stdout.splitlines()]
    assert [(f["segment"], f["head"]) for f in found] == [(path.name, True)]
    assert found[0]["offset"] <= 5000 < found[0]["offset"] + found[0]["bad_bytes"]


def test_verify_sees_a_damaged_head(directory):
    path = sorted(directory.glob("1-*.seg"))[0]
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    result = spool("verify", directory)
    assert result.returncode == 1 and f"{path.name}: cannot be read" in result.stdout


def test_drain_prints_and_moves_only_when_asked(directory):
    result = spool("drain", directory)
    assert (result.returncode, result.stderr) == (0, "")
    assert [len(line) for line in result.stdout.splitlines()] == [900] * 300
    assert output(directory)["pending"] == 300
    assert spool("drain", "--ack", "--output", "bench", directory).stdout == result.stdout
    shown = output(directory)
    assert (shown["pending"], shown["delivered"], shown["cursor"]) == (0, 300, "ok")
    assert spool("drain", directory).stdout == ""


def test_drain_says_what_is_lost(directory):
    for path in directory.glob("2-*.seg"):
        path.unlink()
    result = spool("drain", directory)
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    lost = [json.loads(line) for line in lines if line.startswith("{")]
    # Each third item is missing: said once, not a hundred times.
    assert [(record["count"], record["cause"]) for record in lost] == [(100, "spool_error")]
    assert len([line for line in lines if line.startswith("xxx")]) == 200


def test_a_damaged_cursor_is_said(directory):
    spool("drain", "--ack", directory)
    cursor = directory / "cursors" / "bench.cur"
    cursor.write_bytes(b"\xff" * len(cursor.read_bytes()))
    result = spool("verify", directory)
    assert result.returncode == 1 and "bench.cur" in result.stdout
    assert output(directory)["cursor"] == "damaged"


def test_errors_are_one_sentence(tmp_path, directory):
    for args in [(tmp_path / "none",), (tmp_path,), ("drain", "--output", "other", directory)]:
        result = spool(*args)
        assert result.returncode == 1 and result.stdout == ""
        assert result.stderr.startswith("pytrail: ") and result.stderr.count("\n") == 1
