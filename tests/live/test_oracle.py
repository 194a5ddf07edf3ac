# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What pytrail says beside what an in-process audit hook says: 0 missing, 0 extra, 0 different."""

import glob
import os
import shutil
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import oracle  # noqa: E402

WORKLOADS = os.path.join(HERE, "workloads")
CASES = sorted(os.path.basename(p) for p in glob.glob(os.path.join(WORKLOADS, "case_*.py")))
PROGRAMS = ("threads.py", "forks.py")
OTHERS = ("3.9", "3.13", "3.13t", "3.14", "3.15")  # cached by tests/pythons/fetch.sh and build-ft.sh
# CPython's own tests, run as root. Not those that exhaust the stack (test_json): there the hook
# cannot run either, and it is pytrail alone that sees the events. More than 100,000 events in all.
REGRESSION = (
    "test_audit", "test_ctypes", "test_fileio", "test_glob", "test_import", "test_importlib",
    "test_mailbox", "test_marshal", "test_pathlib", "test_pickle.CPicklerTests", "test_py_compile",
    "test_shutil", "test_tempfile", "test_zipfile",
)
SMALL_CAPS = (16, 3, 1)


def others():
    listed = subprocess.run([os.path.join(os.path.dirname(HERE), "pythons", "list.sh")],
                            stdout=subprocess.PIPE, check=True).stdout.decode()
    found = {}
    for line in listed.splitlines():
        name, _, _, probe, command, _ = line.split("\t")
        if name.startswith("cached-") and probe == "usdt":
            found[name[len("cached-"):]] = command
    return found


OTHER_COMMANDS = others()
seen = {}  # events compared in CPython's tests, by module


def assert_equal(result, status=0):
    assert result.ok, "%s\n%s" % (result, result.output[-2000:])
    if status is not None:
        assert result.status == status, result.output[-2000:]


@pytest.mark.parametrize("name", CASES + list(PROGRAMS))
def test_workload(name):
    assert_equal(oracle.run([os.path.join(WORKLOADS, name)]))


@pytest.mark.parametrize("name", CASES)
def test_small_caps(name):
    assert_equal(oracle.run([os.path.join(WORKLOADS, name)], caps=SMALL_CAPS))


@pytest.mark.parametrize("name", CASES + list(PROGRAMS))
@pytest.mark.parametrize("version", OTHERS)
def test_other_pythons(version, name):
    if version not in OTHER_COMMANDS:
        pytest.skip("no Python %s is cached (tests/pythons/fetch.sh, build-ft.sh)" % version)
    assert_equal(oracle.run([os.path.join(WORKLOADS, name)], OTHER_COMMANDS[version]))


@pytest.mark.parametrize("name", REGRESSION)
def test_cpython_regression(name, tmp_path):
    if not os.path.exists("/usr/lib/python3.11/test/test_audit.py"):
        pytest.fail("CPython's tests are not installed (libpython3.11-testsuite)")
    result = oracle.run(["-m", "unittest", "-q", "test." + name], cwd=str(tmp_path))
    # Whether CPython's tests pass is not what is tested.
    assert_equal(result, status=None)
    seen[name] = result.events


def test_cpython_regression_is_large():
    if set(seen) != set(REGRESSION):
        pytest.skip("not all of CPython's tests were run")
    assert sum(seen.values()) >= 100000, seen


def test_mercurial(tmp_path):
    hg = shutil.which("hg", path="/usr/bin")
    if not hg:
        pytest.skip("Mercurial is not installed")
    env = {**os.environ, "HGPLAIN": "1", "HOME": str(tmp_path)}
    for arguments in (["version"], ["init", "repo"], ["-R", "repo", "log"], ["-R", "repo", "status"]):
        assert_equal(oracle.run([hg] + arguments, cwd=str(tmp_path), env=env))


def test_django():
    if not os.path.isdir("/usr/lib/python3/dist-packages/django"):
        pytest.skip("Django is not installed (python3-django)")
    assert_equal(oracle.run([os.path.join(WORKLOADS, "django_start.py")]))
