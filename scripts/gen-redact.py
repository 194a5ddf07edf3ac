#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""gen-redact.py c|check REDACT AUDIT: checks events/redact.tsv against events/audit.tsv; c: the C table of
user/redact/plan.c, on standard output. Exit 1 if there is a problem, each said with its line."""

import importlib.util
import os
import sys

COLUMNS = ["event", "argument", "rule", "how"]
RULES = {"input", "send", "env", "command"}
HOW = {"value", "env", "command", "login"}


def audit_table(path):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gen-events.py")
    spec = importlib.util.spec_from_file_location("gen_events", script)
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    spec.loader.exec_module(module)
    table = module.Table(path)
    if table.problems:
        sys.exit("gen-redact.py: '%s' has problems: gen-events.py check names them" % path)
    return {e.name: {n for _, names in e.signatures for n in names if n} for e in table.events}


def read(path, events):
    """(rows, problems)"""
    rows, problems, head = [], [], False
    try:
        with open(path, encoding="ascii") as file:
            lines = file.read().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        sys.exit("gen-redact.py: cannot read '%s': %s" % (path, error))
    if lines.pop():
        problems.append((len(lines) + 1, "the last line has no end"))
    for number, line in enumerate(lines, 1):
        if line.startswith("#"):
            continue
        cells = line.split("\t")
        if not head:
            head = True
            if cells != COLUMNS:
                problems.append((number, "the columns must be: %s" % " ".join(COLUMNS)))
            continue
        if len(cells) != len(COLUMNS):
            problems.append((number, "%d columns, not %d" % (len(cells), len(COLUMNS))))
            continue
        event, argument, rule, how = cells
        if event not in events:
            problems.append((number, "'%s' is no event of audit.tsv" % event))
        elif argument not in events[event]:
            problems.append((number, "'%s' has no argument '%s'" % (event, argument)))
        if rule not in RULES:
            problems.append((number, "'%s' is no rule (%s)" % (rule, ", ".join(sorted(RULES)))))
        if how not in HOW:
            problems.append((number, "'%s' is no way (%s)" % (how, ", ".join(sorted(HOW)))))
        if rows and (event, argument) <= rows[-1][:2]:
            problems.append((number, "'%s %s' is not behind the row before it: rows are sorted, each "
                                     "argument has one" % (event, argument)))
        rows.append((event, argument, rule, how))
    if not rows:
        problems.append((1, "there is no row"))
    return rows, problems


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("c", "check"):
        sys.exit(__doc__)
    rows, problems = read(sys.argv[2], audit_table(sys.argv[3]))
    for number, text in problems:
        print("%s:%d: %s" % (sys.argv[2], number, text), file=sys.stderr)
    if problems:
        sys.exit(1)
    if sys.argv[1] == "c":
        print("/* Made by scripts/gen-redact.py from events/redact.tsv, not edited by hand. */")
        print("static const struct redact_row redact_rows[] = {")
        for event, argument, rule, how in rows:
            print('\t{"%s", "%s", RULE_%s, HOW_%s},' % (event, argument, rule.upper(), how.upper()))
        print("};")


if __name__ == "__main__":
    main()
