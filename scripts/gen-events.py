#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Checks events/audit.tsv and makes things of it.

gen-events.py c FILE                          the C tables of user/catalog.c, on standard output
gen-events.py check FILE                      every problem with its line; exit 1 if there is one
gen-events.py readme FILE                     the table by module, Markdown, on standard output
gen-events.py readme FILE --full              the whole table instead
gen-events.py readme FILE [--full] --update README   puts it between README's markers
gen-events.py readme FILE [--full] --check README    exit 1 if what is there is another

The columns and their syntax are explained at the head of the file itself.
"""

import argparse
import re
import sys

COLUMNS = ["event", "module", "category", "severity", "platform", "documented", "arguments",
           "sources"]
# The words of ECS 9.4.0 for event.category.
CATEGORIES = {"api", "authentication", "configuration", "database", "driver", "email", "file",
              "host", "iam", "intrusion_detection", "library", "malware", "network", "package",
              "process", "registry", "session", "threat", "vulnerability", "web"}
PLATFORMS = {"all", "unix", "linux", "bsd", "windows"}
LINUX = {"all", "unix", "linux"}
OLDEST, NEWEST = 8, 15  # minor versions that the table speaks of
OPEN = 0xFF             # the minor version that "3.8+" ends with
ARGS_MAX = 16           # CATALOG_ARGS_MAX of user/catalog.h
NAME_MAX = 63           # PT_FILTER_NAME of bpf/wire.h, less the NUL: the kernel filters by the name

RE_EVENT = re.compile(r"[A-Za-z_][\w]*(\.[A-Za-z_]\w*)*(/\w+)?", re.ASCII)
RE_MODULE = re.compile(r"[A-Za-z_]\w*(\.\w+)*", re.ASCII)
RE_ARGUMENT = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
RE_SIGNATURE = re.compile(r"(\S+) \(([^()]*)\)")
RE_SOURCE = re.compile(r"(C|Py):([\w./-]+) \((.*)\) (\S+)", re.ASCII)
RE_LONE_TUPLE = re.compile(r"O\{(\d+)\}")


class Event:
    """A row, taken apart. Ranges are pairs of minor versions, both inclusive."""

    def __init__(self, line):
        self.line = line
        self.name = self.module = self.category = self.platform = self.documented = ""
        self.severity = 0
        self.signatures = []  # (range, names), a name is None when it has none
        self.sources = []     # (language, file, format, range)
        self.sources_text = ""

    @property
    def alias(self):
        """The name of the same event in the code, or in the documentation, if it is another."""
        for text in (self.documented, self.sources_text):
            if text.startswith("as:"):
                return text[3:]
        return None

    @property
    def is_documented(self):
        return self.documented != "no"

    @property
    def span(self):
        return (min(s[0][0] for s in self.signatures), max(s[0][1] for s in self.signatures))

    @property
    def newest_first(self):
        """The order of catalog.h: signatures with documented names first, newest edition first."""
        return sorted(self.signatures,
                      key=lambda s: (None in s[1], -s[0][1], -s[0][0], len(s[1])))


def parse_range(text):
    """`3.8+`, `3.8-3.12` or `3.9`."""
    m = re.fullmatch(r"3\.(\d+)(?:(\+)|-3\.(\d+))?", text, re.ASCII)
    if not m:
        raise ValueError("'%s' is no range of versions (3.8+, 3.8-3.12, 3.9)" % text)
    first = int(m[1])
    last = OPEN if m[2] else int(m[3]) if m[3] else first
    if m[3] and last <= first:
        raise ValueError("the range '%s' does not ascend" % text)
    if first < OLDEST or first > NEWEST or (last != OPEN and last > NEWEST):
        raise ValueError("'%s' is outside 3.%d to 3.%d" % (text, OLDEST, NEWEST))
    if last == NEWEST:
        raise ValueError("'%s' ends with the newest version: write it 3.%d+" % (text, first))
    return (first, last)


def range_text(span):
    if span[1] == OPEN:
        return "3.%d+" % span[0]
    return "3.%d" % span[0] if span[0] == span[1] else "3.%d-3.%d" % span


def split_expressions(text):
    """Splits Python argument expressions at their top-level commas."""
    out, depth, current, quote = [], 0, "", None
    for c in text:
        if quote:
            quote = None if c == quote else quote
        elif c in "'\"":
            quote = c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            if depth < 0:
                raise ValueError("unbalanced brackets in '%s'" % text)
        elif c == "," and depth == 0:
            out.append(current.strip())
            current = ""
            continue
        current += c
    if depth or quote:
        raise ValueError("unbalanced brackets or quotes in '%s'" % text)
    if current.strip() or out:
        out.append(current.strip())
    if "" in out:
        raise ValueError("an empty expression in '%s'" % text)
    return out


def count_format(text):
    """How many arguments an event has that is raised from C with this format.

    PySys_Audit() builds one value; if that is not a tuple it becomes a tuple of one.
    """
    if text == "NULL":
        return 0
    m = RE_LONE_TUPLE.fullmatch(text)
    if m:
        return int(m[1])
    inner = text[1:-1] if text.startswith("(") and text.endswith(")") else text
    if not re.fullmatch(r"([OSsyzuUiIkKlLnCcbBhHpdfD]|[szyu]#)+", inner):
        raise ValueError("'%s' is no Py_BuildValue format that PySys_Audit takes" % text)
    return len(inner.replace("#", ""))


def parse_signatures(text):
    out = []
    for item in text.split("; "):
        m = RE_SIGNATURE.fullmatch(item)
        if not m:
            raise ValueError("'%s' is no signature: RANGE (name, name)" % item)
        names = m[2].split(", ") if m[2] else []
        for name in names:
            if name != "?" and not RE_ARGUMENT.fullmatch(name):
                raise ValueError("'%s' is no name of an argument" % name)
        real = [n for n in names if n != "?"]
        if len(set(real)) != len(real):
            raise ValueError("an argument's name comes twice in '%s'" % item)
        if len(names) > ARGS_MAX:
            raise ValueError("more than %d arguments in '%s'" % (ARGS_MAX, item))
        if len(names) in (len(s[1]) for s in out):
            raise ValueError("two signatures with %d arguments" % len(names))
        out.append((parse_range(m[1]), [None if n == "?" else n for n in names]))
    return out


def parse_sources(text):
    out = []
    if text.startswith("as:"):
        return out
    for item in text.split("; "):
        m = RE_SOURCE.fullmatch(item)
        if not m:
            raise ValueError("'%s' is no source: LANGUAGE:FILE (FORMAT) RANGE" % item)
        out.append((m[1], m[2], m[3], parse_range(m[4])))
    if len(set(out)) != len(out):
        raise ValueError("the same source comes twice")
    return out


class Table:
    """The file. Every problem is collected: (line, sentence)."""

    def __init__(self, path):
        self.events = []
        self.problems = []
        self.head_seen = False
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError as error:
            sys.exit("gen-events.py: cannot read '%s': %s" % (path, error.strerror))
        if data and not data.endswith(b"\n"):
            self.problem(data.count(b"\n") + 1, "the last line has no end")
        for number, raw in enumerate(data.split(b"\n")[:-1], 1):
            self.read_line(number, raw)
        if not self.head_seen:
            self.problem(1, "there is no row of column names")
        self.check_table()
        self.problems.sort(key=lambda p: p[0])

    def problem(self, line, text):
        self.problems.append((line, text))

    def read_line(self, number, raw):
        try:
            line = raw.decode("ascii")
        except UnicodeDecodeError:
            self.problem(number, "not ASCII")
            return
        if line.startswith("#"):
            return
        if re.search(r"[^\x20-\x7e\t]", line):
            self.problem(number, "a control character")
            return
        cells = line.split("\t")
        if not self.head_seen:
            self.head_seen = True
            if cells != COLUMNS:
                self.problem(number, "the columns must be: %s" % " ".join(COLUMNS))
            return
        if len(cells) != len(COLUMNS):
            self.problem(number, "%d columns, not %d" % (len(cells), len(COLUMNS)))
            return
        for column, cell in zip(COLUMNS, cells):
            if not cell or cell != cell.strip():
                self.problem(number, "%s is empty or has blanks around it" % column)
                return
        self.events.append(self.read_event(number, dict(zip(COLUMNS, cells))))

    def read_event(self, number, cell):
        event = Event(number)
        event.name, event.module, event.category = cell["event"], cell["module"], cell["category"]
        event.platform, event.documented = cell["platform"], cell["documented"]
        event.sources_text = cell["sources"]
        if not RE_EVENT.fullmatch(event.name):
            self.problem(number, "'%s' is no name of an event" % event.name)
        if len(event.name) > NAME_MAX:
            self.problem(number, "the name is longer than %d bytes" % NAME_MAX)
        if not RE_MODULE.fullmatch(event.module):
            self.problem(number, "'%s' is no name of a module" % event.module)
        if event.category not in CATEGORIES:
            self.problem(number, "'%s' is no ECS category" % event.category)
        if cell["severity"] not in ("1", "2", "3", "4", "5"):
            self.problem(number, "the severity '%s' is not 1 to 5" % cell["severity"])
        else:
            event.severity = int(cell["severity"])
        if event.platform not in PLATFORMS:
            self.problem(number, "'%s' is no platform (%s)"
                         % (event.platform, ", ".join(sorted(PLATFORMS))))
        if event.documented not in ("yes", "no") and not event.documented.startswith("as:"):
            self.problem(number, "documented is yes, no or as:NAME, not '%s'" % event.documented)
        if event.documented.startswith("as:") and event.sources_text.startswith("as:"):
            self.problem(number, "an event cannot have another name in both places")
        for field, column, parse in (("signatures", "arguments", parse_signatures),
                                     ("sources", "sources", parse_sources)):
            try:
                setattr(event, field, parse(cell[column]))
            except ValueError as error:
                self.problem(number, "%s: %s" % (column, error))
        self.check_event(event)
        return event

    def check_event(self, event):
        """The row against itself: signatures and sources must tell the same story."""
        if not event.signatures or (not event.sources and not event.alias):
            return  # said already
        if event.documented == "no" and any(None not in n for _, n in event.signatures if n):
            self.problem(event.line, "an event that is not documented has no names of arguments")
        if event.is_documented and not any(None not in n for _, n in event.signatures):
            self.problem(event.line, "a documented event has a signature with names")
        counts = {len(names): [] for _, names in event.signatures}
        for language, path, text, span in event.sources:
            try:
                count = count_format(text) if language == "C" else len(split_expressions(text))
            except ValueError as error:
                self.problem(event.line, "sources: %s" % error)
                continue
            if count not in counts:
                self.problem(event.line, "%s raises it with %d arguments: no signature has as many"
                             % (path, count))
            else:
                counts[count].append(span)
        for span, names in event.signatures:
            raised = counts[len(names)]
            if event.sources and not raised:
                self.problem(event.line, "no source raises it with %d arguments" % len(names))
            elif raised and span != (min(s[0] for s in raised), max(s[1] for s in raised)):
                self.problem(event.line, "the signature of %d arguments is said to be of %s, its "
                             "sources raise it in %s" % (len(names), range_text(span), range_text(
                                 (min(s[0] for s in raised), max(s[1] for s in raised)))))

    def check_table(self):
        by_name = {}
        for event in self.events:
            if event.name in by_name:
                self.problem(event.line, "'%s' is on line %d already"
                             % (event.name, by_name[event.name].line))
            by_name.setdefault(event.name, event)
        for before, after in zip(self.events, self.events[1:]):
            if after.name < before.name:
                self.problem(after.line, "'%s' must come before '%s': rows are sorted"
                             % (after.name, before.name))
        for event in self.events:
            other = by_name.get(event.alias) if event.alias else None
            if event.alias and (not other or other.alias != event.name):
                self.problem(event.line, "as:%s: that row must exist and point back" % event.alias)
        if not self.events:
            self.problem(1, "there is no event")


# --- C -------------------------------------------------------------------------------------------

HASH_BITS = 10
MASK64 = (1 << 64) - 1


def event_hash(name, seed):
    """The same function as catalog__hash() in user/catalog.c."""
    data, n = name.encode("ascii"), len(name)
    if n >= 8:
        a, b = int.from_bytes(data[:8], "little"), int.from_bytes(data[-8:], "little")
    elif n >= 4:
        a, b = int.from_bytes(data[:4], "little"), int.from_bytes(data[-4:], "little")
    else:
        a, b = (data[0] | data[n // 2] << 8 | data[-1] << 16 if n else 0), 0
    h = ((a ^ n) * seed) & MASK64
    h = ((h ^ h >> 32 ^ b) * seed) & MASK64
    return h >> (64 - HASH_BITS)


def place(names, seed):
    """Open addressing with linear probing: (slots, longest probe)."""
    size = 1 << HASH_BITS
    slots, longest = [0] * size, 0
    for index, name in enumerate(names):
        slot, probes = event_hash(name, seed), 1
        while slots[slot]:
            slot, probes = (slot + 1) % size, probes + 1
        slots[slot] = index + 1
        longest = max(longest, probes)
    return slots, longest


def best_slots(names):
    """Tries odd multipliers and keeps the first with the shortest worst case."""
    if len(names) * 4 > 1 << HASH_BITS:
        sys.exit("gen-events.py: HASH_BITS is too small for %d events" % len(names))
    best, seed = None, 0x9E3779B97F4A7C15
    for _ in range(200):
        slots, longest = place(names, seed)
        if best is None or longest < best[1]:
            best = (slots, longest, seed)
            if longest <= 2:
                break
        seed = (seed * 6364136223846793005 + 1442695040888963407) & MASK64 | 1
    return best


def c_string(text):
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?")


def version_hex(minor):
    return "CATALOG_OPEN" if minor == OPEN else "0x03%02x" % minor


def c_signature(span, names):
    plain = [name or "arg%d" % i for i, name in enumerate(names)]
    return "{%s, %s, %d, %d, {%s}, {%s}, {%s}, {%s}}" % (
        version_hex(span[0]), version_hex(span[1]), len(names), None not in names,
        ", ".join(c_string('"%s":' % n) for n in plain) or "NULL",
        ", ".join(str(len('"%s":' % n)) for n in plain) or "0",
        ", ".join(c_string(n) for n in plain) or "NULL",
        ", ".join(c_string('"%s":' % n.replace(".", "_")) for n in plain) or "NULL")


def print_c(table):
    events = table.events
    print("/* Made by scripts/gen-events.py from events/audit.tsv, not edited by hand. */")
    for i, event in enumerate(events):
        print("static const struct catalog_signature signatures_%d[] = {" % i)
        for span, names in event.newest_first:
            print("\t%s," % c_signature(span, names))
        print("};")
    print("static const struct catalog_event catalog_events[%d] = {" % len(events))
    for i, event in enumerate(events):
        name, span = event.name, event.span
        print("\t{%s, %d, %d, %s, %s, %d, %d, %d, %s, %s, %s, %s," % (
            c_string(name), len(name), i, version_hex(span[0]), version_hex(span[1]),
            event.severity, event.is_documented, event.platform in LINUX, c_string(event.module),
            c_string(event.category), c_string(event.platform),
            c_string(event.alias) if event.alias else "NULL"))
        print("\t %s," % c_string("" if event.sources_text.startswith("as:")
                                  else event.sources_text))
        prefix = '"event":"%s",' % name
        print("\t %s, %d, %d, signatures_%d}," % (c_string(prefix), len(prefix), len(event.signatures), i))
    print("};")
    slots, longest, seed = best_slots([e.name for e in events])
    print("#define CATALOG_HASH_BITS %d" % HASH_BITS)
    print("#define CATALOG_HASH_SEED 0x%xULL" % seed)
    print("/* Index of the event plus 1, 0: empty; at most %d probes to find one. */" % longest)
    print("static const uint16_t catalog_slots[%d] = {" % len(slots))
    for i in range(0, len(slots), 16):
        print("\t%s," % ", ".join(map(str, slots[i:i + 16])))
    print("};")


# --- Markdown ------------------------------------------------------------------------------------

BEGIN, END = "<!-- events:begin -->", "<!-- events:end -->"


def markdown_summary(table):
    modules = {}
    for event in table.events:
        modules.setdefault(event.module, []).append(event)
    linux = sum(e.platform in LINUX for e in table.events)
    out = ["%d events, %d of them can be raised on Linux." % (len(table.events), linux), "",
           "| module | events | on Linux | categories | severity |", "|---|--:|--:|---|---|"]
    for module in sorted(modules, key=str.lower):
        events = modules[module]
        low, high = min(e.severity for e in events), max(e.severity for e in events)
        out.append("| `%s` | %d | %d | %s | %s |" % (
            module, len(events), sum(e.platform in LINUX for e in events),
            ", ".join(sorted({e.category for e in events})),
            low if low == high else "%d to %d" % (low, high)))
    return out


def markdown_full(table):
    out = ["| event | arguments | versions | category | severity | platform | documented |",
           "|---|---|---|---|--:|---|---|"]
    for event in table.events:
        signatures = []
        for span, names in event.signatures:
            text = ", ".join("`%s`" % (n or "?") for n in names) or "none"
            signatures.append(text if len(event.signatures) == 1
                              else "%s: %s" % (range_text(span), text))
        documented = event.documented
        if documented.startswith("as:"):
            documented = "as `%s`" % documented[3:]
        elif event.alias:
            documented = "raised as `%s`" % event.alias
        out.append("| `%s` | %s | %s | %s | %d | %s | %s |" % (
            event.name, "<br>".join(signatures), range_text(event.span), event.category,
            event.severity, event.platform, documented))
    return out


def readme(table, args):
    lines = markdown_full(table) if args.full else markdown_summary(table)
    if not args.update and not args.check:
        print("\n".join(lines))
        return
    path = args.update or args.check
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        sys.exit("gen-events.py: cannot read '%s': %s" % (path, error.strerror))
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        sys.exit("gen-events.py: '%s' must have the markers %s and %s once each"
                 % (path, BEGIN, END))
    head, rest = text.split(BEGIN)
    wanted = "%s%s\n%s\n%s%s" % (head, BEGIN, "\n".join(lines), END, rest.split(END)[1])
    if args.update and wanted != text:
        with open(path, "w", encoding="utf-8") as file:
            file.write(wanted)
    elif args.check and wanted != text:
        sys.exit("gen-events.py: the events table in '%s' is not that of '%s': run with --update"
                 % (path, args.file))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("mode", choices=["c", "check", "readme"])
    parser.add_argument("file")
    parser.add_argument("--full", action="store_true")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--update", metavar="README")
    which.add_argument("--check", metavar="README")
    args = parser.parse_args()
    if args.mode != "readme" and (args.full or args.update or args.check):
        parser.error("--full, --update and --check belong to readme")
    table = Table(args.file)
    for line, text in table.problems:
        print("%s:%d: %s" % (args.file, line, text), file=sys.stderr)
    if table.problems:
        sys.exit(1)
    if args.mode == "c":
        print_c(table)
    elif args.mode == "readme":
        readme(table, args)


if __name__ == "__main__":
    main()
