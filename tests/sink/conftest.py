# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
import pytest

from certificates import Certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(str(tmp_path_factory.mktemp("certificates")))
