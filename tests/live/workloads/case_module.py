# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Modules, their subclasses, and names that are not what the import system gave them."""

import importlib.util
import os
import sys
import types


class Sub(types.ModuleType):
    pass


def cases():
    yield from (sys, os, types, os.path, sys.modules[__name__])
    yield types.ModuleType("made")
    yield types.ModuleType("\u20ac" * 3000)
    yield types.ModuleType("")
    yield Sub("of a subclass")
    renamed = types.ModuleType("before")
    renamed.__name__ = "after"
    yield renamed
    spec = importlib.util.find_spec("colorsys")
    yield importlib.util.module_from_spec(spec)
    yield [sys, {"m": (os,)}]


def main():
    for value in cases():
        sys.audit("pytrail.case", value)


if __name__ == "__main__":
    main()
