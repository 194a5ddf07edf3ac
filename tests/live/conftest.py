# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Fixtures of the live tests."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import util  # noqa: E402


@pytest.fixture
def python(tmp_path):
    """An interpreter that only this test runs and traces."""
    return util.private_python(tmp_path)


@pytest.fixture
def target(python):
    """A running process of it that does what it is told."""
    with util.Target(python) as process:
        yield process
