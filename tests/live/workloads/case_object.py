# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Objects that are none of the kinds that have a form of their own."""

import array
import collections
import ctypes
import datetime
import decimal
import io
import itertools
import pathlib
import re
import sys
import threading
import types
import uuid
import weakref


class Plain:
    pass


class Slots:
    __slots__ = ("a",)


class Lying:
    """Says it is a str, and cannot be asked anything."""

    @property
    def __class__(self):
        return str

    def __getattribute__(self, name):
        raise RuntimeError(name)

    def __repr__(self):
        raise RuntimeError

    __str__ = __len__ = __repr__
    __hash__ = None

    def __eq__(self, other):
        raise RuntimeError


def generator():
    yield 1


def cases():
    plain = Plain()
    yield from (object(), plain, Slots(), Lying(), weakref.ref(plain), weakref.proxy(plain))
    yield from (iter([]), iter({}), iter(""), zip(), map(len, []), enumerate([]), reversed([]))
    yield from (slice(1), range(5), 1j, memoryview(b"x"), generator(), itertools.count())
    yield from (property(), classmethod(len), staticmethod(len), super(Plain, plain))
    yield from ({}.keys(), {}.values(), {}.items(), types.MappingProxyType({}))
    yield from (types.SimpleNamespace(a=1), sys.stdout, io.StringIO(), io.BytesIO(), sys.flags)
    yield from (re.compile("x"), re.match("x", "x"), threading.Lock(), threading.RLock())
    yield from (datetime.datetime(2020, 1, 1), datetime.timedelta(1), decimal.Decimal("1.5"))
    yield from (pathlib.PurePosixPath("/a"), uuid.UUID(int=1), array.array("i", [1]))
    yield from (collections.ChainMap(), ctypes.c_int(3), ctypes.create_string_buffer(5))
    yield from (sys._getframe(), sys.implementation, sys.version_info, sys.float_info)
    yield type("L" * 300, (), {})()
    yield type("\u20ac", (), {})()
    yield [plain, (plain, {"x": plain, plain: 1})]


def main():
    for value in cases():
        sys.audit("pytrail.case", value)


if __name__ == "__main__":
    main()
