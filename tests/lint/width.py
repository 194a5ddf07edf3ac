#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Comments that are wider than 100 columns, which clang-format does not break: tests/lint/width.py FILE..."""
import re
import sys

COLUMNS = 100
COMMENT = re.compile(r"\s*(/\*|\*( |$)|//)")


def main(paths):
    wide = 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                width = len(line.rstrip("\n").expandtabs(8))
                if width > COLUMNS and COMMENT.match(line):
                    print(f"{path}:{number}: a comment of {width} columns, {COLUMNS} are the most")
                    wide += 1
    return wide != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
