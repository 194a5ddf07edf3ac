# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""More than a record holds, in bytes or in steps: it ends early, and says of every open container that it did."""

import sys


def cases():
    yield ["x" * 4000] * 15
    yield ["x" * 4000] * 16
    yield ["x" * 4000] * 17
    yield ["x" * 4000] * 100
    yield [["y" * 500] * 100] * 100
    yield [[n] * 128 for n in range(128)]
    yield {"key%d" % n: "v" * 4000 for n in range(20)}
    yield {"key%d" % n: ["v" * 1000] * 50 for n in range(20)}
    yield [ValueError("e" * 4000)] * 20
    yield [1 << 30000] * 30
    yield [b"b" * 5000] * 30
    yield [{"a": {"b": ["c" * 3000] * 50}}]
    for length in range(3300, 3400, 8):
        yield ["x" * 4000] * 15 + ["z" * length] * 3
    for n in range(60000, 65536, 97):
        yield ["w" * (n // 16)] * 16 + [None] * 20
    for values in ([None] * 126, [None, 1.5] * 63):
        for rest in range(120, 126):
            # 128 steps of each of the 31 lists, 5 for what is around the last one; an event has 4096
            yield [values] * 31 + [values[:rest]]


def main():
    for value in cases():
        sys.audit("pytrail.case", value)


if __name__ == "__main__":
    main()
