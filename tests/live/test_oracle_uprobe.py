# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The oracle on interpreters without USDT, and on others by uprobes: 0 missing, 0 extra, 0 different,
with the hook in the traced run and without any."""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import interpreters  # noqa: E402
import unhooked  # noqa: E402

WORKLOADS = os.path.join(HERE, "workloads")
PROGRAMS = ("cases.py", "threads.py", "forks.py")
PYTHONS = interpreters.listed()
UNPROBED = sorted(name for name, p in PYTHONS.items() if p.probe == "no-usdt" and "musl" not in name)
PROBED = sorted(name for name, p in PYTHONS.items() if p.probe == "usdt")
STRIPPED = ("3.8", "3.11", "3.13")
SMALL_CAPS = (16, 3, 1)
LIMIT = 120  # seconds for a run
ALL = os.environ.get("PYTRAIL_TEST_ALL") == "1"


def run_twice(program, command, directory, **rest):
    rest.setdefault("limit", LIMIT)
    for name, result in zip(("hooked", "unhooked"), unhooked.run_twice(
            [os.path.join(WORKLOADS, program)], command, directory, **rest)):
        assert result.ok and result.status == 0, "%s: %s\n%s" % (name, result, result.output[-2000:])


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", UNPROBED)
def test_without_usdt(name, program, tmp_path):
    run_twice(program, PYTHONS[name].command, tmp_path)


@pytest.mark.parametrize("name", UNPROBED)
def test_small_caps(name, tmp_path):
    if not ALL:
        pytest.skip("only with PYTRAIL_TEST_ALL=1")
    run_twice("cases.py", PYTHONS[name].command, tmp_path, caps=SMALL_CAPS)


@pytest.mark.parametrize("shape", ("shared", "pie", "no-pie"))
@pytest.mark.parametrize("version", STRIPPED)
def test_stripped(version, shape, tmp_path):
    """No symbols but the dynamic ones: the audit functions are found by what they do."""
    python = next((p for name, p in PYTHONS.items()
                   if name.startswith("pyenv-") and interpreters.minor(p) == version), None)
    if not python:
        pytest.skip("pyenv has no %s" % version)
    where = tmp_path / "python"
    where.mkdir()
    made = (interpreters.stripped_copy(python, where) if shape == "shared"
            else interpreters.static(python, where, shape == "pie"))
    if not made:
        pytest.skip("%s has no library to make it of" % python.name)
    run_twice("cases.py", made[0], tmp_path, env=made[1])


@pytest.mark.parametrize("name", PROBED)
def test_usdt_interpreter_by_uprobe(name, tmp_path):
    run_twice("cases.py", PYTHONS[name].command, tmp_path, options=["--probe=uprobe"])
