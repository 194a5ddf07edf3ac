# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Strings of all three widths, compact or not, at every length that matters to a copy."""

import sys


class Sub(str):
    def __str__(self):
        return "not this"

    __repr__ = __str__


class WithSlots(str):
    __slots__ = ()


ALPHABETS = (
    "abcdefghij", "a", "\xe9\xff\x80a", "\u20ac\u0100z\uffff", "\U0001f600\U0010ffffy\u20ac",
    "\x00\x01\x1f\x7f\x80\x9f\"\\/\b\t\n\f\r\u2028\u2029",
    "\ud800", "x\udcff", "\udfff\ud800", "\ud83d\ude00", "\U00010000\ud801",
)


def text(alphabet, length):
    return (alphabet * (length // len(alphabet) + 1))[:length]


def cases():
    for alphabet in ALPHABETS:
        for length in list(range(0, 40)) + [63, 64, 65, 99, 100, 104, 105, 127, 128, 129, 255, 1000]:
            yield text(alphabet, length)
    # the cap is 4096 bytes: 4096, 2048 and 1024 characters
    for alphabet in ALPHABETS[:5]:
        for length in (1023, 1024, 1025, 2047, 2048, 2049, 4094, 4095, 4096, 4097, 5000, 10000):
            yield text(alphabet, length)
        yield text(alphabet, 1 << 20)
        for length in (0, 1, 2, 7, 8, 9, 40, 200, 4096, 4097):
            yield Sub(text(alphabet, length))
            yield WithSlots(text(alphabet, length))
    attributed = Sub("with a dict")
    attributed.attribute = 1
    yield attributed
    yield sys.intern("interned")
    yield [chr(n) for n in range(0, 128)]
    yield [chr(n) for n in range(128, 256)]
    for n in range(0xd7f0, 0xe010, 5):
        yield chr(n)
    kept = "encoded already \xe9"
    kept.encode()
    yield kept


def main():
    for value in cases():
        sys.audit("pytrail.case", value)


if __name__ == "__main__":
    main()
