# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The formats of SIEMs on events of a real interpreter: a workload that raises many kinds of them, with odd values."""
import os
import subprocess
import sys

import pytest

import util

sys.path.insert(0, os.path.join(util.ROOT, "tests/formats"))
import ecs_check  # noqa: E402
import ocsf_check  # noqa: E402
import schemas  # noqa: E402
import test_ecs as templates  # noqa: E402
import test_lines as grammar  # noqa: E402

FORMATS = ("json", "ecs", "ocsf", "cef", "leef")


@pytest.fixture(scope="module", name="lines")
def lines_fixture(tmp_path_factory):
    """Of one run, by format."""
    where = tmp_path_factory.mktemp("formats")
    outputs = [part for f in FORMATS for part in ("-o", f"{f}:{where / f}")]
    done = subprocess.run(
        [util.PYTRAIL, "trace", "--processes", *outputs, "--", util.private_python(where),
         os.path.join(util.ROOT, "tests/live/workloads/edges.py")],
        capture_output=True, timeout=util.LIMIT, check=False, cwd=where)
    assert util.SUMMARY.search(done.stderr.decode()), done.stderr
    return {f: (where / f).read_bytes()[:-1].split(b"\n") for f in FORMATS}


def test_as_many_in_each(lines):
    counts = {f: len(lines[f]) for f in FORMATS}
    assert len(set(counts.values())) == 1 and counts["json"] > 100, counts


def test_ecs(lines):
    checker = ecs_check.Checker(templates.own_fields())
    docs = schemas.documents(lines["ecs"])
    for doc in docs:
        checker.check(doc)
    for field in ("host.name", "host.os.kernel", "process.start", "process.parent.name", "file.path",
                  "process.working_directory"):
        assert field in checker.seen


def test_ocsf(lines):
    validator = ocsf_check.Validator()
    for doc in schemas.documents(lines["ocsf"]):
        validator.check(doc)


def test_lines_of_fields(lines):
    for text in grammar.texts(lines["cef"], ""):
        grammar.cef(text)
    for text in grammar.texts(lines["leef"], "\t"):
        grammar.leef(text)
