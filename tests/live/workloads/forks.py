# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Processes made by fork, of forks, and by a pool; each raises events of its own."""

import multiprocessing
import os
import sys


def work(generation, number):
    for n in range(200):
        sys.audit("pytrail.fork", generation, number, n)
    os.listdir("/")


def forks(generation):
    children = []
    for number in range(4):
        pid = os.fork()
        if not pid:
            status = 1
            try:
                work(generation, number)
                if generation < 2:
                    forks(generation + 1)
                status = 0
            finally:
                os._exit(status)
        children.append(pid)
    for pid in children:
        if os.waitpid(pid, 0)[1]:
            raise SystemExit("a child failed")


def main():
    forks(1)
    with multiprocessing.get_context("fork").Pool(3) as pool:
        pool.starmap(work, [(9, n) for n in range(12)])
        pool.close()
        pool.join()
    work(0, 0)


main()
