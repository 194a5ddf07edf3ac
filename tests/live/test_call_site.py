# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Call sites of events that entry probes see."""
import glob
import os
import subprocess

import pytest

import util

# ctypes.dlopen is raised by an extension module, compile by the core, test.v by no C code but sys.audit.
# Then it stays until it is let go: of a process that is gone call sites are not known.
CODE = """
import ctypes, sys
ctypes.CDLL(None)
compile('1', 'there', 'eval')
sys.audit('test.v')
open(sys.argv[1]).read()
"""


@pytest.fixture(name="trace")
def trace_fixture(tmp_path):
    """Traces CODE; its events, and what pytrail wrote."""
    gate = str(tmp_path / "gate")
    os.mkfifo(gate)

    def trace(python, *args):
        with util.Tracer("-o", "json", *args, "--", python, "-I", "-c", CODE, gate) as tracer:
            tracer.wait_event("test.v")
            with open(gate, "w", encoding="utf-8"):
                pass
            assert tracer.wait_end() == 0, tracer.stderr
            return util.events(tracer.records()), tracer.lines
    return trace


def pythons():
    root = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    for path in sorted(glob.glob(f"{root}/versions/3.*/bin/python3")):
        minor = os.path.basename(os.path.realpath(path)).rsplit(".", 1)[1]
        if minor.isdigit() and int(minor) >= 8:
            yield path


@pytest.fixture(params=[*pythons(), util.SYSTEM_PYTHON], name="python")
def python_fixture(request):
    return request.param


def has_symbol(path, name):
    table = subprocess.run(["nm", path], capture_output=True, text=True, check=False).stdout
    return any(line.split()[-1] == name for line in table.splitlines())


def core_of(python):
    """Base name of the file that the interpreter is in."""
    code = ("import os, re, sys; maps = open('/proc/self/maps').read(); "
            "print((re.findall(r'/(libpython3[^/\\n]*)', maps) or "
            "[os.path.basename(os.path.realpath(sys.executable))])[0])")
    return subprocess.run([python, "-I", "-c", code], capture_output=True, text=True,
                          check=True).stdout.strip()


def test_modules_and_symbols(trace, python, tmp_path):
    record = str(tmp_path / "record")
    events, lines = trace(python, "--probe=uprobe", "--record", record)
    assert {e["python"]["probe"] for e in events} == {"uprobe"}

    site = {e["event"]: e.get("call_site") for e in events}
    core = core_of(python)
    assert site["ctypes.dlopen"]["module"].startswith("_ctypes.")
    assert site["test.v"]["module"] == core
    for event in events:
        if event["event"] == "compile" and event["args"]["filename"] == "there":
            assert event["call_site"]["module"] == core
    extension = subprocess.run(
        [python, "-I", "-c", "import _ctypes; print(_ctypes.__file__)"],
        capture_output=True, text=True, check=True).stdout.strip()
    if has_symbol(extension, "py_dl_open"):
        assert site["ctypes.dlopen"]["symbol"] == "py_dl_open"
        assert 0 < site["ctypes.dlopen"]["offset"] < 1000
    else:
        assert site["ctypes.dlopen"]["offset"] > 0

    again = util.run("replay", "-o", "json", record)
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines() == lines


def test_none_by_usdt(trace):
    """The probe does not tell who called."""
    events, _ = trace(util.SYSTEM_PYTHON, "--probe=usdt")
    assert events and not any("call_site" in e for e in events)
