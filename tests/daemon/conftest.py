# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
import os
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture(scope="session", name="records")
def records_fixture(tmp_path_factory):
    """A file for `pytrail replay`."""
    path = tmp_path_factory.mktemp("records") / "all.rec"
    subprocess.run([os.path.join(ROOT, "build/tests/replay/build_records"), path], check=True)
    return str(path)
