# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The oracle's own parts: that it sees a difference, and what canonical form and a layout row are."""

import json
import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "live"))

import oracle  # noqa: E402
from canon import Canon  # noqa: E402
from compare import difference, event_difference  # noqa: E402


def canon(*args, caps=(4096, 128, 4)):
    return Canon(*caps).args(args)


@pytest.mark.parametrize("value", [
    None, True, 0, 1.0, "x", [], {}, [1, [2]], {"a": [1, {"b": None}]}, "\ud83d\ude00"])
def test_equal(value):
    assert difference(value, json.loads(json.dumps(value))) is None


@pytest.mark.parametrize("a,b", [
    (1, 1.0), (1, True), (0, False), (0, None), ("", None), ([], {}), (0.0, -0.0), ([1], [1, 2]),
    ({"a": 1}, {"a": 1, "b": 2}), ({"a": 1}, {"b": 1}), ([1, [2]], [1, [3]]), ("a", "a "),
    ({"$set": [1, 2]}, {"$set": [2, 1]}), ("\ud83d", "\ude00")])
def test_different(a, b):
    assert difference(a, b) and difference(b, a)


def test_event_notes():
    values, truncated = canon("x" * 5000)
    good = {"args": {"path": "x" * 4096}, "truncated": {"args.path": {"length": 5000}}}
    assert event_difference(values, truncated, good) is None
    assert event_difference(values, truncated, {"args": good["args"]})
    assert event_difference(values, truncated, dict(good, truncated={"args.path": {"length": 4999}}))
    assert event_difference(values, truncated, dict(good, truncated={"args.mode": {"length": 5000}}))
    assert event_difference(values, truncated, dict(good, unreadable=["args.path"]))
    assert event_difference(["x"], [], {"args": {"a": "x", "b": 1}})
    assert event_difference(["x"], [], {"args": None})


def test_canon():
    deep = {"a b": ["y" * 20], "k": {1: 2}, "$": {3}}
    values, truncated = canon(1 << 64, -(1 << 63), b"\0", deep, len, caps=(16, 128, 4))
    assert values == [{"$int": "0x10000000000000000"}, -(1 << 63), {"$bytes": "AA=="},
                      {"$dict": [["a b", ["y" * 16]], ["k", {"$dict": [[1, 2]]}], ["$", {"$set": [3]}]]},
                      {"$function": "len", "module": "builtins"}]
    assert truncated == [("#3[0][1][0]", 20)]
    assert canon([[[1]]], caps=(16, 2, 2)) == ([[[[]]]], [("#0[0][0]", 1)])
    assert canon({"a b": "y" * 17}, caps=(16, 2, 2))[1] == [('#0["a b"]', 17)]


def run_oracle(tmp_path, hook, records):
    """compare() of what was written down: events as (pid, tid, name, values)."""
    hook_path, json_path = tmp_path / "hook", tmp_path / "json"
    hook_path.write_text("".join(
        json.dumps([p, t, n, name, values, []]) + "\n" for n, (p, t, name, values) in enumerate(hook)))
    json_path.write_text("".join(
        json.dumps({"type": "audit", "event": name, "monotonic_ns": n, "process": {"pid": p, "tid": t},
                    "args": {"arg%d" % i: v for i, v in enumerate(values)}}) + "\n"
        for n, (p, t, name, values) in enumerate(records)))
    result = oracle.compare(str(hook_path), str(json_path))
    return result.events, result.missing, result.extra, result.different


def test_oracle_counts(tmp_path):
    begin, end = (1, 1, oracle.BEGIN, []), (1, 1, oracle.END, [])
    events = [(1, 1, "a", [1]), (1, 1, "b", []), (1, 2, "c", ["x"]), (3, 3, "d", [])]
    all_of = [begin] + events + [end]
    around = [(1, 1, "before", [])] + all_of + [(1, 1, "after", []), (4, 4, "other process", [])]
    assert run_oracle(tmp_path, all_of, around) == (6, 0, 0, 0)
    for i in range(1, 5):
        assert run_oracle(tmp_path, all_of, all_of[:i] + all_of[i + 1:])[1:] == (1, 0, 0)
        assert run_oracle(tmp_path, all_of[:i] + all_of[i + 1:], all_of)[2] == (i != 4)
    changed = list(all_of)
    changed[1] = (1, 1, "a", [2])
    assert run_oracle(tmp_path, all_of, changed) == (6, 0, 0, 1)
    twice = all_of[:2] + all_of[1:]
    assert run_oracle(tmp_path, all_of, twice) == (6, 0, 1, 0)


def gen_layouts(tmp_path, change):
    with open(os.path.join(ROOT, "events", "layouts.tsv"), encoding="utf-8") as file:
        text = file.read()
    path = tmp_path / "layouts.tsv"
    path.write_text(change(text))
    return subprocess.run([sys.executable, os.path.join(ROOT, "scripts", "gen-layouts.py"), str(path),
                           os.path.join(ROOT, "bpf", "wire.h")], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE).returncode


@pytest.mark.parametrize("old,new", [
    ("tuple_items", "tuple_item"), ("\ttp_name", ""), ("0x0309", "0x0308"), ("0x030b", "0x0207"),
    ("\t168\t", "\t168 \t"), ("\t168\t", "\t99999\t"), ("\t168\t", "\t0\t"), ("\t168\t", "\t167\t")])
def test_gen_layouts_refuses(tmp_path, old, new):
    assert gen_layouts(tmp_path, lambda text: text.replace(old, new, 1)) != 0


def test_gen_layouts(tmp_path):
    assert gen_layouts(tmp_path, lambda text: text) == 0


@pytest.mark.parametrize("flags,flavour", [([], "0"), (["--free-threaded"], "1")])
def test_dump_layout(flags, flavour):
    """Rows are what the dumper prints of the headers that are here."""
    listed = subprocess.run([os.path.join(HERE, "list.sh")], stdout=subprocess.PIPE, check=True)
    found = 0
    with open(os.path.join(ROOT, "events", "layouts.tsv"), encoding="utf-8") as file:
        rows = file.read().splitlines()
    for line in listed.stdout.decode().splitlines():
        name, version, _, _, _, path = line.split("\t")
        minor = ".".join(version.split(".")[:2])
        include = os.path.join(os.path.dirname(os.path.dirname(path)), "include", "python" + minor)
        if not os.path.exists(os.path.join(include, "Python.h")) or (
                flags and int(minor.split(".")[1]) < 13):
            continue
        row = subprocess.run([os.path.join(ROOT, "scripts", "dump-layout.sh"), *flags, include],
                             stdout=subprocess.PIPE, check=True).stdout.decode().strip()
        assert row in rows and row.split("\t")[1] == flavour, name
        found += 1
    if not found:
        pytest.skip("no headers of CPython here")
