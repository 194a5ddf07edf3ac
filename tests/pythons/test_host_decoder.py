# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Every interpreter there is checks its own row of events/layouts.tsv (test_layout.py, list.sh)."""

import os
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LIBRARY = os.environ.get("PYHOST", os.path.join(ROOT, "build", "libpyhost.so"))
# What there should be one of; of these the machine's own is not optional.
WANTED = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.13 free-threaded", "3.14", "3.15")
REQUIRED = "debian-3.11"
# --max-string, --max-items, --max-depth
CAPS = ((4096, 128, 4), (16, 3, 1), (60000, 300, 8))


def interpreters():
    """[(name, version, command)], version as in WANTED."""
    listed = subprocess.run([os.path.join(HERE, "list.sh")], stdout=subprocess.PIPE, check=True)
    found = []
    for line in listed.stdout.decode().splitlines():
        name, version, flavour, _, command, _ = line.split("\t")
        version = ".".join(version.split(".")[:2])
        if flavour != "gil":
            version += " " + flavour
        found.append((name, version, command))
    return found


FOUND = interpreters()


@pytest.mark.parametrize("caps", CAPS, ids=lambda c: "-".join(map(str, c)))
@pytest.mark.parametrize("name,command", [(n, c) for n, _, c in FOUND], ids=[n for n, _, _ in FOUND])
def test_layout(name, command, caps):
    options = zip(("--max-string", "--max-items", "--max-depth"), map(str, caps))
    done = subprocess.run([command, os.path.join(HERE, "test_layout.py"), LIBRARY,
                           *(word for option in options for word in option)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    if done.returncode == 77 and name != REQUIRED:
        pytest.skip("%s: %s" % (name, done.stdout.decode(errors="replace").strip()))
    assert done.returncode == 0, done.stdout.decode(errors="replace")


@pytest.mark.parametrize("version", WANTED)
def test_there_is_one(version):
    """Says which versions no interpreter was there for."""
    if version not in [v for _, v, _ in FOUND]:
        pytest.skip("no Python %s here (tests/pythons/fetch.sh, build-ft.sh)" % version)


def test_required():
    assert REQUIRED in [name for name, _, _ in FOUND]
