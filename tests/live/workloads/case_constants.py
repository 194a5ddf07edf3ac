# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The constants, no argument and many."""

import sys


def cases():
    yield None
    yield True
    yield False
    yield NotImplemented
    yield Ellipsis
    yield (None, True, False, 0, 1)
    yield [None] * 20
    yield [True, False] * 20


def main():
    for value in cases():
        sys.audit("pytrail.case", value)


if __name__ == "__main__":
    main()
