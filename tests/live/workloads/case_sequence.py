# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Tuples and lists: nested, long, empty, subclasses, structure sequences."""

import collections
import os
import sys
import time


class SubList(list):
    def __iter__(self):
        raise RuntimeError

    def __len__(self):
        return 1


class SubTuple(tuple):
    def __iter__(self):
        raise RuntimeError

    def __len__(self):
        return 1


Point = collections.namedtuple("Point", "x y")


def cases():
    yield ()
    yield []
    yield ((),)
    yield [[]]
    for length in (1, 2, 3, 4, 5, 6, 15, 16, 17, 63, 64, 65, 127, 128, 129, 130, 1000, 100000):
        yield tuple(range(length))
        yield list(range(1000000, 1000000 + length))
        yield SubList("s%d" % n for n in range(length))
        yield SubTuple(range(length))
    yield (1, "two", b"three", 4.0, None, True, [5, (6, [7, ()])])
    yield Point(1, Point([2], "3"))
    yield os.stat("/")
    yield time.gmtime(0)
    shrunk = list(range(100))
    del shrunk[3:90]
    yield shrunk
    emptied = [1, 2, 3]
    emptied.clear()
    yield emptied
    yield [[[n] * 10 for n in range(20)] for _ in range(20)]
    yield collections.deque([1, 2])
    yield range(3)


def main():
    for value in cases():
        sys.audit("pytrail.case", value)


if __name__ == "__main__":
    main()
