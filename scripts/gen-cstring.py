#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""gen-cstring.py NAME FILE: prints the C definition `const char NAME[] = "...";` of FILE's text.

The output is a header that exactly one C file includes. FILE is UTF-8 text without NUL.
"""

import re
import sys


def escape(byte):
    """One byte of a C string literal; octal escapes end by themselves, hexadecimal ones do not."""
    special = {0x22: '\\"', 0x5C: "\\\\", 0x0A: "\\n", 0x09: "\\t"}
    if byte in special:
        return special[byte]
    if 0x20 <= byte < 0x7F and byte != 0x3F:  # "?": no trigraphs
        return chr(byte)
    return "\\%03o" % byte


def main():
    if len(sys.argv) != 3 or not re.fullmatch(r"[A-Za-z_]\w*", sys.argv[1], re.ASCII):
        sys.exit("usage: gen-cstring.py NAME FILE")
    name, path = sys.argv[1:]
    try:
        with open(path, "rb") as file:
            data = file.read()
        data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        sys.exit("gen-cstring.py: cannot read '%s': %s" % (path, error))
    if 0 in data:
        sys.exit("gen-cstring.py: '%s' holds a NUL byte: not text" % path)
    print("/* Made by scripts/gen-cstring.py, not edited by hand. */")
    print("const char %s[] =" % name)
    for line in data.splitlines(keepends=True) or [b""]:
        print('\t"%s"' % "".join(map(escape, line)))
    print("\t;")


if __name__ == "__main__":
    main()
