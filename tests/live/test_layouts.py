# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The layouts of live interpreters: proven before they are used, given up when they do not fit."""
import os
import re
import subprocess

import pytest

import util

# An interpreter that is as far as any, and waits.
READY = "import sys; print('ready', flush=True); sys.stdin.readline()"


def interpreters():
    """(name, how to start it) of every interpreter there is."""
    listed = subprocess.run([os.path.join(util.ROOT, "tests", "pythons", "list.sh")],
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    rows = [line.split("\t") for line in listed.splitlines()]
    return [pytest.param(row[4], row[1], id=row[0]) for row in rows]


@pytest.mark.parametrize("start, version", interpreters())
def test_a_layout_is_proven_on_the_live_process(start, version):
    with subprocess.Popen([start, "-c", READY], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        assert process.stdout.readline() == "ready\n"
        # a `run` script may be a parent, the interpreter itself has replaced it or is its child
        children = open(f"/proc/{process.pid}/task/{process.pid}/children").read().split()
        pid = children[0] if children else str(process.pid)
        with util.Tracer("-o", "json", "--probe=auto", "-p", pid) as tracer:
            util.wait_until(lambda: re.search(rf"CPython {re.escape(version)} is proven on process "
                                              rf"{pid} ", tracer.stderr)
                            or tracer.process.poll() is not None, "the layout is proven")
            assert tracer.process.poll() is None, tracer.stderr
            assert tracer.stop() == 0
            assert "does not fit" not in tracer.stderr
        process.stdin.close()


def stamped(directory, version):
    """A copy of the system's 3.11 that says it is another version (Py_Version in .rodata)."""
    path = util.private_python(directory)
    with open(path, "rb") as file:
        data = file.read()
    symbols = subprocess.run(["readelf", "--dyn-syms", "-W", path], stdout=subprocess.PIPE, text=True,
                             check=True).stdout
    address = int(re.search(r"^\s*\d+: ([0-9a-f]+)\s.*\sPy_Version$", symbols, re.M)[1], 16)
    at = util.Probes(path).file_offset(address)
    assert data[at:at + 4] == (0x030b02f0).to_bytes(4, "little")
    with open(path, "wb") as file:
        file.write(data[:at] + version.to_bytes(4, "little") + data[at + 4:])
    return path


def test_an_unknown_version_gives_names_and_one_warning(tmp_path):
    python = stamped(tmp_path, 0x034000f0)
    with util.Target(python) as target, util.Tracer("-o", "json", "-p", str(target.pid)) as tracer:
        tracer.wait_attached(target)
        target.do('sys.audit("test.one", 1, "two")')
        target.do('sys.audit("test.two")')
        tracer.wait_event("test.two", target.pid)
        assert tracer.stop() == 0
        records = util.events(tracer.records(), "test.one")
        assert len(records) == 1
        assert records[0]["undecoded"] is True and "args" not in records[0]
        assert len(re.findall(r"layout of CPython 3\.64\.0 .*is not known", tracer.stderr)) == 1


def test_a_layout_that_does_not_fit_is_given_up(tmp_path):
    """3.11 with the layout of 3.9: its types have the right names, its modules are not found."""
    python = stamped(tmp_path, 0x030902f0)
    with util.Target(python) as target, util.Tracer("-o", "json", "-p", str(target.pid)) as tracer:
        tracer.wait_attached(target)

        def given_up():
            target.do('sys.audit("test.event", {"a": 1})')
            seen = util.events(tracer.records(), "test.event")
            return any(r.get("undecoded") for r in seen)
        util.wait_until(given_up, "arguments are not decoded any more")
        assert "does not fit" in tracer.stderr
        assert tracer.stop() == 0


def test_one_process_cannot_blind_pytrail_for_others(tmp_path):
    """It has its modules replaced: no proof is to be had from it, and none against the layout."""
    python = util.private_python(tmp_path)
    with util.Target(python) as liar, util.Target(python) as honest:
        liar.do("sys.modules['_frozen_importlib'] = sys.modules['sys']")
        pids = ("-p", str(liar.pid), "-p", str(honest.pid))
        with util.Tracer("-o", "json", *pids) as tracer:
            tracer.wait_attached(liar, honest)
            util.wait_until(lambda: f"is proven on process {honest.pid}" in tracer.stderr,
                            "the layout is proven on the other process")
            for target in (liar, honest):
                target.do('sys.audit("test.value", {"a": [1]})')
                record = tracer.wait_event("test.value", target.pid)
                assert record["args"] == {"arg0": {"a": [1]}}
            assert tracer.stop() == 0
