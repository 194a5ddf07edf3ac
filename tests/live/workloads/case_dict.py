# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Dicts with every kind of key table: general, of strings, split; with holes, emptied, long."""

import collections
import os
import sys


class Sub(dict):
    def items(self):
        return []

    def __iter__(self):
        raise RuntimeError

    def __len__(self):
        return 0


class Text(str):
    pass


class Instance:
    def __init__(self, *names):
        for name in names:
            setattr(self, name, name + "!")


class Slots:
    __slots__ = ("a", "__dict__")


def deleted(items, holes):
    made = dict(items)
    for key in holes:
        del made[key]
    return made


def tables():
    yield {}
    yield {"a": 1}
    yield {1: "a"}
    yield {None: None, True: False, 1.5: 2.5, b"x": b"y", (1, 2): [3]}
    yield {"a": 1, 2: "b"}
    yield {Text("a"): 1, "b": 2}
    for length in (1, 2, 4, 5, 6, 8, 10, 11, 16, 21, 22, 63, 64, 127, 128, 129, 200, 255, 256, 300, 70000):
        yield {"key%d" % n: n for n in range(length)}
        yield {n: "value%d" % n for n in range(length)}
        length = min(length, 300)  # dead entries count as steps, of which an event has 4096
        yield deleted([("k%d" % n, n) for n in range(length)], ["k%d" % n for n in range(0, length, 3)])
        yield deleted([(n, n) for n in range(length)], range(0, length - 1))
    gone = {"a": 1}
    del gone["a"]
    yield gone
    cleared = {n: n for n in range(50)}
    cleared.clear()
    yield cleared
    cleared["again"] = 1
    yield cleared
    yield Sub({"a": 1, "b": 2})
    yield collections.OrderedDict([("a", 1), ("b", [2])])
    yield collections.defaultdict(list, a=[1])
    yield collections.Counter("hello")
    yield dict(os.environ)


def keys():
    yield {"$set": 1}
    yield {"$a": 1, "b": 2}
    yield {"a": 1, "$": 2}
    yield {"": 1}
    yield {"a b": 1, "\u20ac": 2, "\xe9": 3, "\"\\": 4, "x\x00y": 5, "\ud800": 6}
    yield {"\ud83d\ude00": 1, "\U0001f600": 2}  # the same to a JSON parser
    yield {"k" * 5000: 1}
    yield {"k" * 64: "x" * 5000, "k" * 65: "x" * 5000, "1": "x" * 5000, "_1": "x" * 5000}
    yield {"a\"b\n\u20ac\x7f": "x" * 5000}
    yield {1: "x" * 5000, ("x" * 5000,): 2}
    yield {"a": {"b": {"c": {"d": {"e": 1}}}}}


def split():
    """The attributes of instances: keys shared by the class, values their own."""
    yield Instance("a", "b", "c")
    yield Instance("a", "b")
    yield Instance("a", "b", "c")
    yield Instance()
    yield Instance("c", "a")
    yield Instance("b", "c", "d", "e")
    holed = Instance("a", "b", "c")
    del holed.b
    yield holed
    more = Instance("a", "b", "c")
    more.__dict__["x y"] = 1
    yield more
    general = Instance("a")
    general.__dict__[1] = 1
    yield general
    many = Instance(*["attribute%d" % n for n in range(40)])
    yield many
    slotted = Slots()
    slotted.a = 1
    slotted.b = 2
    yield slotted


def cases():
    yield from tables()
    yield from keys()
    for instance in split():
        yield instance.__dict__
    yield dict(vars(sys.modules[__name__]))
    yield vars(Instance)


def main():
    for value in cases():
        sys.audit("pytrail.case", value)


if __name__ == "__main__":
    main()
