# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The service as it is installed, under a systemd that was booted in a virtual machine for it: service_tests.py, of which
each test is one here."""
import json
import os

import guest
import matrix
import pytest
import service_tests

KERNEL = "6.12"
SECONDS = 900


@pytest.fixture(scope="module", name="result")
def result_fixture():
    found = matrix.fetched([KERNEL])
    if KERNEL not in found:
        pytest.skip(f"Linux {KERNEL} could not be fetched (tests/vm/fetch.sh {KERNEL} says why)")
    if not os.path.exists("/bin/systemctl"):
        pytest.skip("systemd is not installed (scripts/deps.sh vm)")
    script = f"exec /usr/bin/python3 -B '{matrix.ROOT}/tests/vm/service_tests.py'\n"
    try:
        return guest.run(found[KERNEL][1], script, os.path.join(matrix.ROOT, "build/vm/service"), SECONDS,
                         boot="guest.systemd fstab=no luks=no")
    except guest.Unavailable as error:
        pytest.skip(f"no virtual machine: {error}")


@pytest.mark.parametrize("test", [test.__name__ for test in service_tests.TESTS])
def test_service(result, test):
    rows = {row["test"]: row for row in (json.loads(line) for line in result.output.splitlines() if line[:1] == "{")}
    assert test in rows, (f"the guest did not come to it (status {result.status}, {result.seconds:.0f} s): "
                          f"{result.output[-1000:]}; see {result.console}")
    assert rows[test]["ok"], rows[test]["said"]
