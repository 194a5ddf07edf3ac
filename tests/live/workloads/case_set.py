# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Sets and frozensets, with deletions, in the order of their tables."""

import sys


class Sub(set):
    def __iter__(self):
        raise RuntimeError

    def __len__(self):
        return 0


class SubFrozen(frozenset):
    def __iter__(self):
        raise RuntimeError


def cases():
    yield set()
    yield frozenset()
    for length in (1, 2, 4, 5, 6, 7, 8, 9, 31, 32, 33, 64, 127, 128, 129, 1000, 50000):
        yield set(range(length))
        yield frozenset("item%d" % n for n in range(length))
        holed = set(range(length))
        for n in range(0, length, 2):
            holed.discard(n)
        yield holed
    yield {-1, 0, -2}  # hash(-1) is that of -2, and -1 is what marks a dead entry
    yield {None, True, 2.5, "x", b"y", (1, (2,)), frozenset([3])}
    emptied = {1, 2, 3}
    emptied.clear()
    yield emptied
    yield Sub([1, 2, 3])
    yield SubFrozen([1, 2, 3])
    yield {frozenset([frozenset([frozenset([frozenset([1])])])])}


def main():
    for value in cases():
        sys.audit("pytrail.case", value)


if __name__ == "__main__":
    main()
