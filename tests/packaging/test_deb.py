# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The Debian package: what lintian says of it, and its life in a root of its own. It takes `make deb` first, which
a run of the other tests does not do: without a package these are skipped by name."""
import glob
import os
import shutil
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGES = [p for p in glob.glob(os.path.join(ROOT, "build/deb/pytrail_*.deb"))]

pytestmark = pytest.mark.skipif(not PACKAGES, reason="no package: make deb first")


def test_lintian():
    if not shutil.which("lintian"):
        pytest.skip("lintian is not there")
    done = subprocess.run(["lintian", "--no-cfg", "--fail-on", "error,warning", PACKAGES[0]],
                          capture_output=True, text=True, timeout=300, check=False)
    said = [line for line in done.stdout.splitlines() if line[:2] in ("E:", "W:")]
    assert not said


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_install_upgrade_purge():
    if not shutil.which("debootstrap") or not shutil.which("zstd"):
        pytest.skip("debootstrap or zstd is not there")
    done = subprocess.run([os.path.join(ROOT, "tests/packaging/deb-root.sh"), PACKAGES[0]],
                          capture_output=True, text=True, timeout=560, check=False)
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "ok", done.stdout + done.stderr
