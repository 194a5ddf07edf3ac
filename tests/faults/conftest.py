# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "live")]
import util  # noqa: E402


@pytest.fixture
def target(tmp_path):
    """A process that does what it is told, of an interpreter that nobody else traces."""
    with util.Target(util.private_python(tmp_path)) as process:
        yield process
