# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Types: static, made by a class statement or from a specification, metaclasses, aliases."""

import abc
import collections
import ctypes
import enum
import io
import os
import re
import sys
import threading
import types
import typing


class Plain:
    class Inner:
        pass


class Meta(type):
    def __repr__(cls):
        return "not this"


class WithMeta(metaclass=Meta):
    pass


class Abstract(abc.ABC):
    pass


def renamed(name):
    cls = type("Before", (), {})
    cls.__name__ = name
    return cls


def cases():
    for value in list(vars(__import__("builtins")).values()) + list(vars(types).values()):
        if isinstance(value, type):
            yield value
    yield from (Plain, Plain.Inner, Meta, WithMeta, Abstract, type, object)
    yield from (io.TextIOWrapper, io.BytesIO, re.Pattern, os.stat_result, os.DirEntry, enum.Enum)
    yield from (collections.deque, collections.OrderedDict, collections.abc.Mapping, threading.Lock)
    yield from (ctypes.Structure, ctypes.c_int, ctypes.c_char_p, typing.Any, typing.List[int])
    yield type("N" * 254, (), {})
    yield type("N" * 255, (), {})
    yield type("N" * 256, (), {})
    yield type("N" * 5000, (), {})
    yield type("\u20ac\U0001f600", (), {})
    yield type("", (), {})
    yield type("with.dots and spaces\n\"", (), {})
    yield renamed("After")
    yield collections.namedtuple("Named", "a")
    yield [int, [str, (Plain,)]]
    yield {int: str}
    if sys.version_info >= (3, 9):
        yield list[int]
    if sys.version_info >= (3, 10):
        yield int | str


def main():
    for value in cases():
        sys.audit("pytrail.case", value)


if __name__ == "__main__":
    main()
