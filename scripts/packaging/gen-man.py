#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Man pages made from tables, on standard output.

gen-man.py yaml HEAD          pytrail.yaml(5): HEAD, then the keys that `pytrail daemon --print-options` printed,
                              on standard input
gen-man.py events AUDIT       pytrail-events(7), of events/audit.tsv
"""

import importlib.util
import os
import sys

SCRIPTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def roff(text):
    """Plain text as a line of mdoc(7)."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return "\\&" + text if text[:1] in (".", "\\") or text[:1] == "'" else text


def sentences(text):
    """Each on a line of its own."""
    text = text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
    return "\n".join(map(roff, text.replace(". ", ".\n").split("\n")))


def yaml_key(name, of_type, default, limits, text):
    print(".It Cm %s" % roff(name))
    said = {"choice": "One of " + limits.replace("|", ", ")}.get(of_type, of_type.capitalize())
    if limits and of_type != "choice":
        said += ", " + limits.replace("..", " to ")
    if default:
        said += "; default " + default
    print(".Em %s ." % roff(said))
    print(sentences(text))


def yaml_page(head, options):
    with open(head, encoding="utf-8") as file:
        print(file.read(), end="")
    in_list = False
    for line in options:
        kind, name, *rest = line.rstrip("\n").split("\t")
        if kind == "section":
            if in_list:
                print(".El")
            title = {"outputs:*": "outputs: all receivers"}.get(name, name.replace(":", ": "))
            print(".Ss %s" % roff(title))
            print(sentences(rest[0]))
            if len(rest) > 1 and rest[1]:
                print("URLs:")
                schemes = rest[1].split(",")
                for i, scheme in enumerate(schemes):
                    print(".Ql %s%s" % (roff(scheme + "://"), " ," if i + 1 < len(schemes) else " ."))
                if rest[2]:
                    print("Format unless told otherwise:")
                    print(".Cm %s ." % rest[2])
            in_list = False
            continue
        if not in_list:
            print(".Bl -tag -width indent")
            in_list = True
        yaml_key(*rest)
    if in_list:
        print(".El")
    print(".Sh SEE ALSO\n.Xr pytrail 1 ,\n.Xr pytrail-events 7")


def load_gen_events():
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_file_location("gen_events",
                                                  os.path.join(SCRIPTS, "gen-events.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def event_entry(gen, event):
    print(".It Sy %s" % roff(event.name))
    for span, names in event.newest_first:
        arguments = ", ".join(n or "arg%d" % i for i, n in enumerate(names)) or "no arguments"
        print(roff("Python %s: %s" % (gen.range_text(span), arguments)))
        print(".br")
    said = "%s, severity %d" % (event.category, event.severity)
    if event.platform not in gen.LINUX:
        said += "; not on Linux"
    if event.alias:
        said += "; also called " + event.alias
    print(roff(said + "."))


def events_page(path):
    gen = load_gen_events()
    table = gen.Table(path)
    if table.problems:
        sys.exit("gen-man.py: '%s' has problems" % path)
    print(""".\\" SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
.\\" Made by scripts/packaging/gen-man.py from events/audit.tsv, not edited by hand.
.Dd November 27, 2026
.Dt PYTRAIL-EVENTS 7
.Os
.Sh NAME
.Nm pytrail-events
.Nd the audit events of CPython
.Sh DESCRIPTION
The %d audit events (PEP 578) that CPython 3.8 to 3.15 raises or documents, as
.Xr pytrail 1
knows them: the names of the arguments, by the versions that raise the event with that many; the category, a word
of the Elastic Common Schema; and the severity, from 1 (informational) to 5 (critical), of the event as such.
An event that is not here is shown, too, its arguments as arg0, arg1 and so on.
.Pp
.Ql pytrail events NAME
prints one with the places that raise it.""" % len(table.events))
    for module in sorted({e.module for e in table.events}, key=str.lower):
        print(".Ss %s" % roff(module))
        print(".Bl -tag -width indent")
        for event in table.events:
            if event.module == module:
                event_entry(gen, event)
        print(".El")
    print(".Sh SEE ALSO\n.Xr pytrail 1\n.Pp\nPEP 578, Python Runtime Audit Hooks.")


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("yaml", "events"):
        sys.exit(__doc__)
    if sys.argv[1] == "yaml":
        yaml_page(sys.argv[2], sys.stdin)
    else:
        events_page(sys.argv[2])


if __name__ == "__main__":
    main()
