# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""sys.audit() calls at the edge of what it takes: `edges.py` without a hook, `edges.py hook` with one.

Those that fail raise no event, whatever has been seen; what they fail with depends on whether anyone
listens.
"""

import sys


class Text(str):
    def __str__(self):
        return "not this"

    __repr__ = __hash__ = __str__


def call(*args):
    try:
        sys.audit(*args)
    except (TypeError, UnicodeEncodeError):
        pass


def main():
    if "hook" in sys.argv:
        sys.addaudithook(lambda event, args: None)
    call("edge.begin")
    call()
    call(None, "edge")
    call(1)
    call(b"edge.bytes", "edge")
    call(["edge"])
    call("edge.\xe9", 1)
    call("edge.\u20ac", 2)
    call("edge.\U0001f600", 3)
    call("\xe9dge", 4)
    call("edge.nul\0behind", 5)
    call("edge.\u20acnul\0behind", 6)
    call(Text("edge.text"), Text("text"))
    call(Text("edge.text\xe9"), 7)
    call("edge." + "x" * 58, 63)
    call("edge." + "x" * 59, 64)
    call("edge." + "x" * 1019, 1024)
    call("edge." + "x" * 1020, 1025)
    call("edge." + "x" * 5000, 5005)
    call("edge." + "\xe9" * 100, 105)
    call("edge." + "\u20ac" * 300, 305)
    call("edge.many", *range(200))
    call("edge.end")


main()
