#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""How many events are seen of interpreters that nobody has run before: tests/bench/fresh_files.py [N] [OPTION...]

N (1000) processes, each from a copy of the system's interpreter of its own, four at a time, under a trace of
the command that starts them, with the options of `pytrail trace` that are given (--hold-new=20000). Nothing
else on the host is attached.
"""
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../live"))
import util  # noqa: E402

EACH = 5
CODE = f"import sys\nfor i in range({EACH}): sys.audit('test.v', int(sys.argv[1]), i)"


def start_all(directory, count):
    def one(number):
        own = os.path.join(directory, str(number))
        subprocess.run([util.private_python(own, f"python3.11-{number}"), "-I", "-S", "-c", CODE,
                        str(number)], check=True, env=util.python_env(), stdin=subprocess.DEVNULL)
        shutil.rmtree(own)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(count)))


def measure(directory, count, options):
    out = os.path.join(directory, "out.json")
    launcher = util.private_python(os.path.join(directory, "launcher"))
    done = subprocess.run([util.PYTRAIL, "trace", "-o", f"json:{out}", "-e", "test.v", "--interpreters",
                           "none", *options, "--", launcher, "-B", os.path.abspath(__file__), "--start",
                           directory, str(count)], env=util.python_env(), stderr=subprocess.PIPE,
                          text=True, check=True)
    numbers = []
    with open(out, encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            if record["type"] == "audit":
                numbers.append((record["args"]["arg0"], record["args"]["arg1"]))
    assert len(set(numbers)) == len(numbers), "an event was reported twice"
    whole = sum(all((n, i) in set_of for i in range(EACH)) for set_of in [set(numbers)] for n in range(count))
    print(f"{count} fresh files {' '.join(options)}: {len(numbers)} of {count * EACH} events, {whole} processes "
          f"complete, {done.stderr.count('first events may be missing')} said to be late")


def main():
    if sys.argv[1:2] == ["--start"]:
        start_all(sys.argv[2], int(sys.argv[3]))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory(prefix="pytrail-fresh-") as directory:
        measure(directory, count, sys.argv[2:])


if __name__ == "__main__":
    main()
