# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Ints of all sizes, of both signs, at the edges of digits, of 64 bits and of the cap, and subclasses."""

import enum
import signal
import sys


class Sub(int):
    def __int__(self):
        return 1

    def __index__(self):
        return 2

    def __repr__(self):
        return "three"


class WithDict(int):
    pass


class Colour(enum.IntEnum):
    RED = 1
    BIG = 1 << 100


class Flags(enum.IntFlag):
    A = 1
    B = 1 << 40


def cases():
    yield from range(-10, 270)  # those that there is one of, and their neighbours
    yield from range(1020, 1030)
    for bits in list(range(0, 135)) + [30 * 32, 30 * 127, 30 * 1023, 30 * 1024]:
        for delta in (-1, 0, 1):
            yield (1 << bits) + delta
            yield -(1 << bits) + delta
    # 4096 bytes of digits are 1024 digits: what is above is cut, to an even number of digits less
    for digits in (1024, 1025, 1026, 1027, 2000, 100001):
        yield (1 << (30 * digits - 1)) - 1
        yield -(1 << (30 * digits - 1)) + 12345
        yield (1 << (30 * digits)) - 1
        yield (7 << (30 * digits)) // 9
    for value in (0, 1, -1, 5, 1 << 29, 1 << 30, -(1 << 60), 1 << 64, -(1 << 64), 1 << 200):
        yield Sub(value)
        yield WithDict(value)
    attributed = WithDict(1 << 90)
    attributed.attribute = "x"
    yield attributed
    yield list(Colour)
    yield Flags.A | Flags.B
    yield signal.SIGINT


def main():
    for value in cases():
        sys.audit("pytrail.case", value)


if __name__ == "__main__":
    main()
