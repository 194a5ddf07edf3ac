# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Entry probes at the edges: names of all sorts, calls that raise no event, vetoes, filters,
subinterpreters, and builds by other compilers and with other C libraries."""

import json
import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import interpreters  # noqa: E402
import util  # noqa: E402

EDGES = os.path.join(HERE, "workloads", "edges.py")
PYTHONS = interpreters.listed()
UNPROBED = sorted(n for n, p in PYTHONS.items() if p.probe == "no-usdt" and p.command == p.file)
BOTH = UNPROBED + sorted(n for n in PYTHONS if n.startswith("debian-"))
CLANG, MUSL = (sorted(n for n in PYTHONS if kind in n) for kind in ("-clang", "-musl"))
NAMES = [
    ("edge.begin", []), ("edge.\xe9", [1]), ("edge.\u20ac", [2]), ("edge.\U0001f600", [3]),
    ("\xe9dge", [4]), ("edge.nul", [5]), ("edge.\u20acnul", [6]), ("edge.text", ["text"]),
    ("edge.text\xe9", [7]), ("edge." + "x" * 58, [63]), ("edge." + "x" * 59, [64]),
    ("edge." + "x" * 1019, [1024]), ("edge." + "x" * 1019, [1025]), ("edge." + "x" * 1019, [5005]),
    ("edge." + "\xe9" * 100, [105]), ("edge." + "\u20ac" * 300, [305]),
    ("edge.many", list(range(128))), ("edge.end", []),
]
CUT = (1025, 5005)

# A Python hook sees its event before it says no; a C hook that says no is asked first.
VETO = """
import ctypes, os, sys
def hook(event, args):
    if event == "veto.python": raise RuntimeError
def c_hook(event, args, data):
    return -1 if event == b"veto.c" else 0
sys.addaudithook(hook)
if "c" in sys.argv:
    kept = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.py_object, ctypes.c_void_p)(c_hook)
    ctypes.pythonapi.PySys_AddAuditHook(kept, None)
for event in "veto.before", "veto.python", "veto.c", "veto.after":
    try: sys.audit(event, 1)
    except (RuntimeError, SystemError): pass
os._exit(0) # ctypes is not there any more when the last events are raised
"""

SUB = """
import sys
try:
    import _interpreters as interpreters
    run = interpreters.exec
except ImportError:
    import _xxsubinterpreters as interpreters
    run = interpreters.run_string
if "hook" in sys.argv: sys.addaudithook(lambda event, args: None)
sys.audit("sub.main", 1)
for n in range(3):
    sub = interpreters.create()
    run(sub, "import sys; sys.audit('sub.inner', %d, 'text', [1.5, None]); "
             "compile('sub', 'sub', 'eval')" % n)
    interpreters.destroy(sub)
sys.audit("sub.main", 2)
"""

# Writes down what its hook gets, in JSON as it is: an interpreter without ctypes cannot run hook.py.
OWN_HOOK = """
import json, os, sys
out = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def hook(event, args):
    try: text = json.dumps([event, args])
    except (TypeError, ValueError): text = json.dumps([event, None])
    os.write(out, (text + "\\n").encode())
if "hook" in sys.argv: sys.addaudithook(hook)
sys.audit("own.begin")
sys.audit("own", 1, -1.5, "text \\u20ac", [1, [2, {"a": None}]], True, 1 << 62)
import glob, subprocess
compile("1 + 1", "name", "eval")
glob.glob("/proc/self/stat*")
os.listdir("/proc/self")
subprocess.run(["/bin/true"], check=True)
open("/dev/null", "w").close()
sys.audit("own.end")
"""


def traced(python, *arguments, options=(), status=0):
    """Audit records of a run, in their order, and what was said."""
    said = util.run("trace", "-o", "json", *options, "--", python.file, *arguments,
                    env={**os.environ, "PYTHONHASHSEED": "0"})
    assert said.returncode == status, said.stderr
    return util.events(util.json_lines(said.stdout)), said.stderr


def pairs(records, prefix):
    return [(r["event"], list(r["args"].values())) for r in records if r["event"].startswith(prefix)]


@pytest.mark.parametrize("arguments", ((), ("hook",)), ids=("unhooked", "hooked"))
@pytest.mark.parametrize("name", BOTH)
def test_names(name, arguments):
    records, _ = traced(PYTHONS[name], EDGES, *arguments, options=["--probe=uprobe"])
    records = [r for r in records if "dge" in r["event"]]
    assert [(r["event"], list(r["args"].values())) for r in records] == NAMES
    for record in records:
        cut = {"event": {}} if record["args"].get("arg0") in CUT else None
        if record["event"] == "edge.many":
            cut = {"args": {"length": 200}}
        assert record.get("truncated") == cut, record["event"][:100]
        assert "unreadable" not in record and record["known"] is False


@pytest.mark.parametrize("name", BOTH)
def test_filter(name):
    """Literal names are decided in the kernel, globs, long and non-ASCII names in user space."""
    plain = "edge." + "x" * 58
    wanted = ["edge.begin", "edge.\xe9", plain, plain + "x", "edge.many"]
    patterns = ",".join(wanted) + ",*.end,!edge.m*"
    records, said = traced(PYTHONS[name], EDGES, options=["--probe=uprobe", "-e", patterns])
    assert [r["event"] for r in records if r["event"].startswith("edge")] == wanted[:-1] + ["edge.end"]
    summary = util.SUMMARY.search(said)
    assert int(summary["events"]) == len(records) and summary["lost"] == "0"
    assert int(summary["filtered"]) > 10


@pytest.mark.parametrize("name, probe", [(name, "uprobe") for name in BOTH] +
                         [(name, "usdt") for name in BOTH if PYTHONS[name].probe == "usdt"])
def test_veto(name, probe):
    python = PYTHONS[name]
    every = [("veto." + what, [1]) for what in ("before", "python", "c", "after")]
    records, _ = traced(python, "-c", VETO, options=["--probe=" + probe])
    assert pairs(records, "veto.") == every
    records, _ = traced(python, "-c", VETO, "c", options=["--probe=" + probe])
    if probe == "usdt":  # it fires when the C hooks have agreed
        del every[2]
    assert pairs(records, "veto.") == every


@pytest.mark.parametrize("arguments", ((), ("hook",)), ids=("unhooked", "hooked"))
@pytest.mark.parametrize("name", BOTH)
def test_subinterpreters(name, arguments):
    """They share the code that is probed; a hook of the main interpreter does not see their events."""
    records, _ = traced(PYTHONS[name], "-c", SUB, *arguments, options=["--probe=uprobe"])
    inner = [("sub.inner", [n, "text", [1.5, None]]) for n in range(3)]
    assert pairs(records, "sub.") == [("sub.main", [1])] + inner + [("sub.main", [2])]
    compiled = [r["args"] for r in records if r["event"] == "compile" and
                r["args"].get("filename") == "sub"]
    assert len(compiled) == 3


def own_events(path):
    with open(path, encoding="ascii") as file:
        return [json.loads(line) for line in file]


def window(events):
    names = [event[0] for event in events]
    return events[names.index("own.begin"):names.index("own.end") + 1]


@pytest.mark.parametrize("arguments", ((), ("hook",)), ids=("unhooked", "hooked"))
@pytest.mark.parametrize("name", MUSL)
def test_musl(name, arguments, tmp_path):
    """Traced, as any other: every event, and every argument that JSON can hold as it is."""
    python, out = PYTHONS[name], str(tmp_path / "out")
    records, said = traced(python, "-c", OWN_HOOK, out, *arguments, options=["-v"])
    if not arguments:
        subprocess.run([python.file, "-c", OWN_HOOK, out, "hook"], check=True)
    wanted = window(own_events(out))
    main = records[0]["process"]["pid"]
    got = window([[r["event"], list(r["args"].values())] for r in records
                  if r["process"]["pid"] == main])
    assert [event for event, _ in got] == [event for event, _ in wanted], said
    for (event, args), (_, values) in zip(wanted, got):
        assert args is None or values == args, event
    assert {r["python"]["probe"] for r in records} == {"uprobe"}


@pytest.mark.parametrize("name", CLANG + MUSL)
def test_other_builds_are_listed(name):
    """As traceable by uprobes, with nothing that cannot be seen."""
    python = PYTHONS[name]
    with subprocess.Popen([python.file, "-c", "print('ready', flush=True); input()"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        said = util.run("list", "--json")
        process.communicate(b"\n")
    line = next(p for p in map(json.loads, said.stdout.splitlines()) if p["pid"] == process.pid)
    assert line["trace"] == "uprobe" and not line.get("note"), line
