# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""bytes and bytearray, and subclasses."""

import sys


class SubBytes(bytes):
    def __bytes__(self):
        return b"not this"


class SubArray(bytearray):
    def __bytes__(self):
        return b"not this"


def cases():
    every = bytes(range(256))
    for length in list(range(0, 34)) + [127, 128, 129, 255, 1000, 4095, 4096, 4097, 5000, 100000]:
        data = (every * (length // 256 + 1))[:length]
        yield data
        yield bytearray(data)
        yield SubBytes(data)
        yield SubArray(data)
    # what is taken off the front is not moved at once: the data begin later than the allocation
    moved = bytearray(every * 20)
    del moved[:100]
    yield moved
    grown = bytearray(b"a")
    grown.extend(every)
    yield grown
    emptied = bytearray(every)
    emptied.clear()
    yield emptied
    yield memoryview(b"abc")


def main():
    for value in cases():
        sys.audit("pytrail.case", value)


if __name__ == "__main__":
    main()
