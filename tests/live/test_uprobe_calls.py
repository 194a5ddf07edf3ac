# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Every code of a Py_BuildValue() format, from an extension module (auditcalls.c) that is compiled for
each interpreter, against the in-process hook; what a hook cannot see; and who made the call."""

import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import interpreters  # noqa: E402
import oracle  # noqa: E402
import unhooked  # noqa: E402
import util  # noqa: E402

PROGRAM = os.path.join(HERE, "workloads", "auditcalls_run.py")
PYTHONS = interpreters.listed()
UNPROBED = sorted(name for name, p in PYTHONS.items() if p.probe == "no-usdt" and "musl" not in name)
PROBED = sorted(name for name, p in PYTHONS.items() if p.probe == "usdt")
LONG = ("abcdefghijklmnopqrstuvwxyz" * 193)[:5000]
# (event, arguments, member beside them, its value)
ODD = (
    ("odd.converter", [1, None, 2], "undecoded", ["args.arg1"]),
    ("odd.converter.alone", [None], "undecoded", ["args.arg0"]),
    ("odd.complex", [1, None, 2], "undecoded", ["args.arg1"]),
    # how many characters it has is not known of UTF-8 or wchar_t that is not read to its end
    ("odd.s.long", [LONG[:4096], 5], "truncated", {"args.arg0": {}}),
    ("odd.u.long", ["a\U0001f600" * 512, 5], "truncated", {"args.arg0": {}}),
    ("odd.name", [1], None, None),
    (LONG[-1025:-1], [1], "truncated", {"event": {}}),
    ("odd.fails.utf8", ["\udcff\udcfe"], None, None),
    ("odd.fails.null", [1, None], "unreadable", ["args.arg1"]),
    ("odd.fails.code", [1], "truncated", {"args": {"length": 3}}),
    ("odd.fails.separator", [1, 2], None, None),
    ("odd.fails.bracket", [1], None, None),
    ("odd.fails.close", [1], None, None),
)


NOT_GIVEN = [name for name in UNPROBED if name.startswith("pyenv-3.8")]
PROGRAMS = [name for name, p in PYTHONS.items() if name in UNPROBED + PROBED and p.command == p.file]
modules = {}


@pytest.fixture
def python(request, tmp_path_factory):
    """An interpreter, the directory of the module built for it, and that module's file."""
    found = PYTHONS[request.param]
    if found.name not in modules:
        modules[found.name] = build(found, tmp_path_factory.mktemp(found.name))
    if not modules[found.name]:
        pytest.skip("%s has no headers" % found.name)
    return (found, *modules[found.name])


def build(python, where):
    """(directory, file), or None. An interpreter without headers gets a module of the stable ABI."""
    headers, flags = interpreters.headers(python), []
    suffix = interpreters.asked(
        python, "import sysconfig; print(sysconfig.get_config_var('EXT_SUFFIX'))")
    if not headers and python.flavour == "gil":
        others = (interpreters.headers(p) for p in PYTHONS.values()
                  if p.flavour == "gil" and interpreters.minor(p) >= "3.11")
        headers = next(filter(None, others), None)
        major, minor = interpreters.minor(python).split(".")
        flags = ["-DPy_LIMITED_API=0x03080000", "-DVERSION=0x%02x%02x0000" % (int(major), int(minor))]
        suffix = ".abi3.so"
    if not headers:
        return None
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-g", "-Wall", "-Wextra", "-Werror",
                    "-Wno-unused-parameter", "-Wno-missing-field-initializers", "-I" + headers, *flags,
                    "-o", str(where / ("auditcalls" + suffix)),
                    os.path.join(HERE, "auditcalls.c")], check=True)
    return str(where), "auditcalls" + suffix


def on(names):
    return pytest.mark.parametrize("python", sorted(names), indirect=True)


def assert_equal(*results):
    for result in results:
        assert result.ok and result.status == 0, "%s\n%s" % (result, result.output[-2000:])


def traced(python, where, function, *options):
    """Events of a run without a hook, which ends when they have been seen: whose events were raised where
    is looked up while it runs."""
    fifo = os.path.join(where, "fifo")
    if not os.path.exists(fifo):
        os.mkfifo(fifo)
    with util.Tracer("-o", "json", *options, "--", python.file, PROGRAM, where, function,
                     fifo) as tracer:
        tracer.wait_for(lambda r: r.get("event") == "open" and r["args"].get("path") == fifo,
                        "the program has done its work")
        with open(fifo, "w", encoding="ascii"):
            pass
        assert tracer.wait_end() == 0, tracer.stderr
        return util.events(tracer.records())


def of_module(records, module):
    return [r for r in records if r.get("call_site", {}).get("module") == module]


@on(UNPROBED + PROBED)
def test_by_uprobe(python, tmp_path):
    found, where, _ = python
    functions = ["calls"] if found.name in NOT_GIVEN else ["calls", "doubles"]
    assert_equal(*unhooked.run_twice([PROGRAM, where] + functions, found.command, tmp_path, limit=120,
                                     options=["--probe=uprobe"]))


@on(PROBED)
def test_by_usdt(python):
    found, where, _ = python
    assert_equal(oracle.run([PROGRAM, where, "calls", "doubles"], found.command, limit=120))


@on(NOT_GIVEN)
def test_doubles_that_the_site_does_not_give(python):
    """PySys_Audit() itself is probed, where 3.8 has no function behind it: no vector registers."""
    found, where, module = python
    records = {r["event"]: r for r in of_module(traced(found, where, "doubles"), module)}
    assert list(records["calls.d"]["args"].values()) == [None] * 3
    assert records["calls.d"]["undecoded"] == ["args.arg0", "args.arg1", "args.arg2"]
    many = records["calls.d.many"]  # eight in registers, the rest on the stack
    assert list(many["args"].values()) == [None] * 8 + [9.0, 10.0, 11.0, 12.0]
    assert len(many["undecoded"]) == 8
    mixed = list(records["calls.id"]["args"].values())
    assert mixed[::2] == list(range(1, 11)) and mixed[1::2] == [None] * 8 + [9.5, 10.5]
    assert records["calls.sd"]["undecoded"] == ["args.arg1", "args.arg3", "args.arg5"]


@on(PROGRAMS)
def test_odd(python):
    found, where, module = python
    records = of_module(traced(found, where, "odd", "--probe=uprobe"), module)
    assert [r["event"] for r in records] == [event for event, *_ in ODD]
    for record, (event, args, member, value) in zip(records, ODD):
        assert list(record["args"].values()) == args, event
        for name in ("undecoded", "truncated", "unreadable"):
            assert record.get(name) == (value if name == member else None), event


@on(PROGRAMS)
def test_call_site(python):
    found, where, module = python
    records = traced(found, where, "calls", "--probe=uprobe")
    sites = {r["event"]: r["call_site"] for r in records if r["event"].startswith("calls.")}
    assert {site["module"] for site in sites.values()} == {module}
    for event, symbol in (("calls.none", "call_objects"), ("calls.s", "call_strings"),
                          ("calls.u", "call_wide"), ("calls.n", "call_numbers"),
                          ("calls.{}", "call_containers")):
        assert sites[event]["symbol"] == symbol and sites[event]["offset"] > 0
    core = {r["call_site"]["module"] for r in records if r["event"] in ("import", "compile")}
    if "pyenv" in found.name:
        assert core == {"libpython%s.so.1.0" % interpreters.minor(found)}
    else:
        assert core == {os.path.basename(found.file)}


@on(name for name in PROGRAMS if name in PROBED)
def test_no_call_site_by_usdt(python):
    found, where, _ = python
    records = traced(found, where, "calls")
    assert "calls.s" in [r["event"] for r in records]
    assert not any("call_site" in r for r in records)
