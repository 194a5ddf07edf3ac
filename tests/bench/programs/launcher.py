# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Starts programs, one at a time, as told by lines of JSON on standard input ({"argv", "cwd"}), and
answers each with wall and CPU time. What is traced with its children, so that attaching is no part of
a program's time."""
import json
import os
import subprocess
import sys
import time


def main():
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        begin = time.perf_counter()
        child = subprocess.Popen(order["argv"], cwd=order["cwd"], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        took = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        print(json.dumps({"wall": took, "cpu": usage.ru_utime + usage.ru_stime,
                          "status": child.returncode,
                          "said": said[-2000:].decode(errors="replace")}), flush=True)


if __name__ == "__main__":
    main()
