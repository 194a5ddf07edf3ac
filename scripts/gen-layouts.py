#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Makes the C table of object layouts: gen-layouts.py events/layouts.tsv bpf/wire.h > layouts_table.h

The output defines `static const struct pt_layout layouts_table[]`, sorted by version, GIL flavour
first. The columns must be exactly the fields of struct pt_layout, each value must fit its field
and be believable, and no version may come twice: anything else fails with the line at fault.
"""

import re
import sys

MAX_OFFSET = 1024  # the largest offset in use is below 300
ZERO_ALLOWED = {"str_wstr", "str_wstr_length", "dict_split_values"}
FLAGS = {"int_tagged", "dict_log2_keys", "free_threaded"}


def fail(text):
    sys.exit("gen-layouts: " + text)


def read_fields(path):
    """The fields of struct pt_layout in order: [(name, bits)]."""
    with open(path, encoding="utf-8") as f:
        match = re.search(r"^struct pt_layout \{(.*?)^\};", f.read(), re.M | re.S)
    if not match:
        fail(path + ": no struct pt_layout")
    body = re.sub(r"/\*.*?\*/", "", match.group(1), flags=re.S)
    fields = []
    for decl in filter(None, (d.strip() for d in body.split(";"))):
        m = re.fullmatch(r"__u(8|16)\s+(\w+)", decl)
        if not m:
            fail("%s: struct pt_layout: cannot read %r" % (path, decl))
        fields.append((m.group(2), int(m.group(1))))
    return fields


def check_value(name, bits, text):
    """The value of one cell, or an exception that says what is wrong with it."""
    if not re.fullmatch(r"0x[0-9a-f]+|0|[1-9][0-9]*", text):
        raise ValueError("not a number")
    value = int(text, 0)
    if value >= 1 << bits:
        raise ValueError("does not fit %d bits" % bits)
    if name == "py_version":
        if not 0x0308 <= value <= 0x03FF:
            raise ValueError("not a version: 0x030b is 3.11")
    elif name in FLAGS:
        if value > 1:
            raise ValueError("not 0 or 1")
    elif name.endswith("_shift"):
        if not 0 < value < 32 - 3:
            raise ValueError("not a bit of a 32-bit field")
    elif value > MAX_OFFSET:
        raise ValueError("above %d" % MAX_OFFSET)
    elif value == 0 and name not in ZERO_ALLOWED:
        raise ValueError("0 is no offset")
    elif value % 4:
        raise ValueError("not aligned")
    return value


def read_rows(path, fields):
    bits = dict(fields)
    header, rows = None, {}
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            where = "%s:%d: " % (path, number)
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            cells = line.split("\t")
            if header is None:
                header = cells
                wrong = sorted(set(header) ^ set(bits))
                if wrong or len(header) != len(bits):
                    fail(where + "columns are not the fields of struct pt_layout: "
                         + (", ".join(wrong) or "one comes twice"))
                continue
            if len(cells) != len(header):
                fail(where + "%d cells, %d columns" % (len(cells), len(header)))
            row = {}
            for name, text in zip(header, cells):
                try:
                    row[name] = check_value(name, bits[name], text)
                except ValueError as e:
                    fail(where + "%s = %r: %s" % (name, text, e))
            key = row["py_version"], row["free_threaded"]
            if key in rows:
                fail(where + "this version and flavour come twice")
            rows[key] = row
    if not rows:
        fail(path + ": no rows")
    return [rows[key] for key in sorted(rows)]


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: gen-layouts.py LAYOUTS_TSV WIRE_H")
    fields = read_fields(sys.argv[2])
    rows = read_rows(sys.argv[1], fields)
    print("/* Made by scripts/gen-layouts.py from events/layouts.tsv. */")
    print("static const struct pt_layout layouts_table[] = {")
    for row in rows:
        print("\t/* %d.%d%s */" % (row["py_version"] >> 8, row["py_version"] & 255,
                                   " free-threaded" if row["free_threaded"] else ""))
        print("\t{")
        for name, _ in fields:
            print("\t\t.%s = %s," % (name, hex(row[name]) if name == "py_version" else row[name]))
        print("\t},")
    print("};")


if __name__ == "__main__":
    main()
