# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
import subprocess

import pytest

import schemas


@pytest.fixture(scope="session", name="every")
def every_fixture(tmp_path_factory):
    """A record file with every event, with arguments of many kinds."""
    path = tmp_path_factory.mktemp("records") / "every.rec"
    subprocess.run([schemas.BUILD_EVERY, path], check=True)
    return path
