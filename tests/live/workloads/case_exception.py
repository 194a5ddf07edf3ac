# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Exceptions of many classes with their arguments; nested ones; their classes."""

import builtins
import json
import os
import subprocess
import sys
import urllib.error


class Mine(Exception):
    pass


class Both(Mine, KeyError):
    def __init__(self, *args):
        super().__init__(*args)
        self.more = 1


class Silent(Exception):
    def __init__(self, *args):
        pass


def raised(function, *args):
    try:
        function(*args)
    except Exception as e:  # all of it is wanted
        return e
    raise AssertionError


def cases():
    special = {"UnicodeDecodeError", "UnicodeEncodeError", "UnicodeTranslateError"}
    for name in sorted(vars(builtins)):
        cls = getattr(builtins, name)
        if not (isinstance(cls, type) and issubclass(cls, BaseException)) or name in special:
            continue
        if name.endswith("ExceptionGroup"):
            yield cls("group", [ValueError(1), KeyError("k")])
            continue
        yield cls
        yield cls()
        yield cls("text", 2, None)
    yield UnicodeDecodeError("utf-8", b"\xff", 0, 1, "reason")
    yield Mine()
    yield Mine("x", [1, {"y": 2}])
    yield Both("key")
    yield Silent(1, 2)
    yield Mine(Mine(Mine(Mine(Mine("deep")))))
    yield Mine("x" * 5000, *range(200))
    changed = Mine("before")
    changed.args = ("after", 1)
    yield changed
    yield raised(open, "/nonexistent/file")
    yield raised(os.listdir, "/nonexistent")
    yield raised(int, "x")
    yield raised(json.loads, "{")
    yield raised(lambda: 1 // 0)
    yield raised(lambda: {}["missing"])
    yield subprocess.CalledProcessError(1, ["cmd"])
    yield urllib.error.URLError("reason")
    yield SystemExit(7)
    yield [ValueError("in a list"), (KeyError("in a tuple"),)]
    yield {"exception": OSError(2, "No such file", "/x")}


def main():
    for value in cases():
        sys.audit("pytrail.case", value)


if __name__ == "__main__":
    main()
