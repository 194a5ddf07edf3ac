#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""How long it takes to attach many interpreter files and to detach them: tests/bench/many_files.py [N]

N (50) copies of the system's interpreter are attached beforehand for a command that does nothing. What
analysing the files takes is in the first figure.
"""
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../live"))
import util  # noqa: E402


def measure(count):
    """Seconds to attach and to detach, files attached."""
    with tempfile.TemporaryDirectory(prefix="pytrail-files-") as directory:
        for number in range(count):
            util.private_python(directory, f"python3.{number}")
        marks, files, begin = {}, 0, time.monotonic()
        with subprocess.Popen([util.PYTRAIL, "trace", "-vv", "-o", "json:/dev/null", "--interpreters",
                               f"{directory}/python3.*", "--", "sh", "-c", "echo started >&2"],
                              stderr=subprocess.PIPE, text=True, errors="replace") as process:
            for line in process.stderr:
                if line == "started\n":
                    marks["started"] = time.monotonic()
                files += " attached " in line or line.startswith("pytrail: attached")
        end = time.monotonic()
        return marks["started"] - begin, end - marks["started"], files


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    attach, detach, files = measure(count)
    assert files >= count, files
    print(f"{files} files: until they are attached {attach:.2f} s, to detach them {detach:.2f} s")


if __name__ == "__main__":
    main()
