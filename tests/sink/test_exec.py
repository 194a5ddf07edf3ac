# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The exec driver: commands that read, answer, die, and hang."""
import json
import stat

import pytest

from driving import HOSTILE, Drive, item, wait_for


@pytest.fixture
def script(tmp_path):
    def write(text):
        path = tmp_path / "command"
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return f"exec:{path}"
    return write


def lines(path):
    try:
        return path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []


def test_lines_and_arguments(tmp_path, script):
    url = script('#!/bin/sh\nprintf "%s|" "$@" >"$1.args"\ncat >"$1"\n')
    out = tmp_path / "out"
    with Drive(url, f"argument={out}", "argument=a b", "argument=$(id)") as drive:
        items = [item(n, body={"n": n, "text": text}) for n, text in enumerate(HOSTILE)]
        items.append(item(99, body="two\nlines"))
        assert set(drive.send(items)["items"]) == {"ok"}
    got = lines(out)
    assert [json.loads(line)["text"] for line in got[:-1]] == HOSTILE
    assert got[-1] == b"two lines"
    assert (tmp_path / "out.args").read_text() == f"{out}|a b|$(id)|"


def test_ends_and_is_started_again(tmp_path, script):
    out = tmp_path / "out"
    url = script('#!/bin/sh\nread -r line\nprintf "%s\\n" "$line" >>"$1"\nexit 3\n')
    with Drive(url, f"argument={out}") as drive:
        for n in range(3):
            drive.until_delivered([item(n)])
            wait_for(lambda: len(lines(out)) > n)
        wait_for(lambda: "ended with status 3" in drive.send([item(n) for n in range(10_000)])["reason"])


def test_killed(script):
    with Drive(script("#!/bin/sh\nkill -9 $$\n")) as drive:
        answer = drive.send([item(n, body="x" * 1000) for n in range(1000)])
        assert set(answer["items"]) == {"retry"} and "was killed by signal 9" in answer["reason"]


@pytest.mark.parametrize("acknowledge", ["read", "line"])
def test_never_reads(script, acknowledge):
    url = script("#!/bin/sh\nexec sleep 1000\n")
    items = [item(n, body="x" * 1000) for n in range(1000)]
    with Drive(url, "timeout=300ms", f"acknowledge={acknowledge}") as drive:
        for batch in (items, items[:1]):
            answer = drive.send(batch)
            assert set(answer["items"]) == {"retry"} and "timed out" in answer["reason"]
    with Drive(url, "timeout=1h", f"acknowledge={acknowledge}") as drive:
        drive.interrupt(0.2)
        assert set(drive.send(items)["items"]) == {"retry"}


ANSWERS = """#!/usr/bin/python3
import json, sys
for line in sys.stdin:
    print(json.loads(line).get("say", ""), flush=True)
"""


def test_answers(script):
    with Drive(script(ANSWERS), "acknowledge=line") as drive:
        said = ["", "ok", "retry", "reject", "ok"]
        answer = drive.send([item(n, body={"say": s}) for n, s in enumerate(said)])
        assert answer["items"] == ["ok", "ok", "retry", "rejected", "ok"]
        big = [item(n, body={"say": "ok", "pad": "x" * 1000}) for n in range(5000)]
        assert set(drive.send(big)["items"]) == {"ok"}, "neither side blocks the other"


def test_nonsense_answers(script):
    with Drive(script(ANSWERS), "acknowledge=line", "timeout=5s") as drive:
        for said in ("nonsense", "x" * 10_000, "ok\nok\nok"):
            answer = drive.send([item(1, body={"say": said})])
            if said.startswith("ok"):
                continue  # the second line answers nothing: told now, or with the next batch
            assert answer["items"] == ["retry"] and "other lines" in answer["reason"]
        drive.until_delivered([item(2, body={"say": "ok"})])


def test_dies_after_some(tmp_path, script):
    """What it has answered is delivered, the rest comes again."""
    url = script('#!/bin/sh\nfor i in 1 2 3; do read -r line || exit; echo ok; printf "%s\\n" "$line" >>"$1"; done\n')
    out = tmp_path / "out"
    with Drive(url, "acknowledge=line", f"argument={out}") as drive:
        answer = drive.send([item(n) for n in range(10)])
        assert answer["items"] == ["ok"] * 3 + ["retry"] * 7 and "ended with status 0" in answer["reason"]
        drive.until_delivered([item(n) for n in range(3, 10)])
    assert {json.loads(line)["n"] for line in lines(out)} == set(range(10))


def test_its_output_is_not_ours(script):
    """What it prints is not taken for ours, and its files are closed."""
    url = script("#!/bin/sh\nls /proc/self/fd >&2\necho noise\ncat >/dev/null\n")
    drive = Drive(url)
    assert drive.send([item(1)])["items"] == ["ok"]
    assert set(drive.close().split()) == {"0", "1", "2", "3"}


@pytest.mark.parametrize("url, sentence", [
    ("exec:cat", "it has to be exec:/PATH"),
    ("exec:/nowhere/cat", "'/nowhere/cat' cannot be executed: No such file")])
def test_urls(url, sentence):
    assert sentence in Drive(url).refusal()
