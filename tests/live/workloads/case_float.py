# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Floats: edges, what JSON has no number for, subclasses, and what is no float."""

import math
import struct
import sys


class Sub(float):
    def __float__(self):
        return 1.0


class Mixin:
    pass


class Mixed(Mixin, Sub):
    pass


def cases():
    yield from (0.0, -0.0, 1.0, -1.0, 0.1, 1 / 3, math.pi, 1e15, 1e16, 1e17, 123456789.125, 1e-4, 1e-5)
    yield from (sys.float_info.max, sys.float_info.min, sys.float_info.epsilon, 5e-324, -5e-324)
    yield from (float("nan"), -float("nan"), float("inf"), -float("inf"))
    yield struct.unpack("<d", b"\x01\x00\x00\x00\x00\x00\xf0\x7f")[0]  # a signalling NaN
    for exponent in range(-320, 309, 9):
        yield 10.0**exponent
        yield -(3.0**0.5) * 10.0**exponent
    for value in (0.0, -2.5, float("nan"), float("-inf")):
        yield Sub(value)
        yield Mixed(value)
    yield 1 + 2j


def main():
    for value in cases():
        sys.audit("pytrail.case", value)


if __name__ == "__main__":
    main()
