# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Threads that raise events at the same time, each with its own arguments."""

import os
import sys
import threading

THREADS = 8
EVENTS = 1500


def work(number):
    for n in range(EVENTS):
        sys.audit("pytrail.thread", number, n, "x" * (n % 200), [n, {"n": n}])
        if n % 100 == 0:
            os.listdir("/")


def main():
    threads = [threading.Thread(target=work, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


main()
