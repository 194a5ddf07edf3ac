# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Nesting: up to the depth that is decoded and beyond, of every kind of container, and cycles."""

import sys


class Node(Exception):
    pass


def nested(wrap, depth, value="core"):
    for _ in range(depth):
        value = wrap(value)
    return value


def function_in(module):
    def function():
        pass

    function.__module__ = module
    return function


WRAPS = (
    lambda v: [v],
    lambda v: (v,),
    lambda v: {"k": v},
    lambda v: {1: v},
    lambda v: frozenset([v]),
    lambda v: [v, v],
    lambda v: Node(v),
    lambda v: [Node(v)],
    lambda v: {"a": [v], "b": (v, 1), "c": 2},
)


def cycles():
    loop = []
    loop.append(loop)
    yield loop
    around = {}
    around["self"] = around
    around["list"] = [around]
    yield around
    pair = ([],)
    pair[0].append(pair)
    yield pair
    error = Node()
    error.args = (error,)
    yield error


def cases():
    for wrap in WRAPS:
        for depth in range(0, 14):
            if wrap is not WRAPS[5] or depth < 8:
                yield nested(wrap, depth)
                yield nested(wrap, depth, 5)
    for depth in range(0, 9):
        yield nested(WRAPS[0], depth, [])
        yield nested(WRAPS[0], depth, {})
        yield nested(WRAPS[0], depth, ())
        yield nested(WRAPS[0], depth, set())
        yield nested(WRAPS[0], depth, len)
        yield nested(WRAPS[0], depth, sys)
        yield nested(WRAPS[0], depth, int)
        yield nested(WRAPS[0], depth, Node("x"))
        yield nested(WRAPS[0], depth, nested)
        yield nested(WRAPS[0], depth, nested.__code__)
        yield nested(WRAPS[0], depth, function_in(["a", ["b"]]))
        yield nested(WRAPS[0], depth, [].append)
        yield nested(WRAPS[0], depth, "x".join)
        yield nested(WRAPS[0], depth, b"bytes")
        yield nested(WRAPS[0], depth, 1.5)
    yield from cycles()


def main():
    for value in cases():
        sys.audit("pytrail.case", value)


if __name__ == "__main__":
    main()
