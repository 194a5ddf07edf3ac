#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Checks events/mapping.tsv against the tables beside it and makes C tables of it.

gen-mapping.py c AUDIT        the C tables of user/mapping.c, on standard output
gen-mapping.py check AUDIT    every problem with its line; exit 1 if there is one
gen-mapping.py json AUDIT     what each event becomes, one JSON object an event and condition

AUDIT is events/audit.tsv; mapping.tsv, attack.tsv and ocsf.tsv lie beside it. Their heads say what is in
them.
"""
import argparse
import importlib.util
import json
import os
import re
import sys

sys.dont_write_bytecode = True  # nothing beside the sources
HERE = os.path.dirname(os.path.abspath(__file__))


def load_sibling(name):
    """A script here as a module, whatever its name."""
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"),
                                                  os.path.join(HERE, name + ".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


gen_events = load_sibling("gen-events")
c_string = gen_events.c_string

# ECS 9.4.0: the event.type that go with an event.category.
TYPES = {
    "configuration": "access change creation deletion info",
    "database": "access change info error",
    "email": "info",
    "file": "access change creation deletion info",
    "host": "access change end info start",
    "library": "start",
    "network": "access allowed connection denied end info protocol start",
    "package": "access change deletion info installation start",
    "process": "access change end info start",
    "registry": "access change creation deletion",
    "web": "access error info",
}
# user/mapping.h has the same.
ROLES = ("file from target mode uid gid owner group open_flags remote local host port query "
         "socket_family socket_type url method body executable executables argv arguments command "
         "cwd pid signal module dll function script source code registry_hive registry_key "
         "registry_value").split()
CONDITIONS = "create write harmless raw get post put delete head options patch method".split()
SEVERITIES = ("Informational", "Low", "Medium", "High", "Critical")
TACTICS = {
    "reconnaissance": "TA0043", "resource-development": "TA0042", "initial-access": "TA0001",
    "execution": "TA0002", "persistence": "TA0003", "privilege-escalation": "TA0004",
    "defense-evasion": "TA0005", "credential-access": "TA0006", "discovery": "TA0007",
    "lateral-movement": "TA0008", "collection": "TA0009", "command-and-control": "TA0011",
    "exfiltration": "TA0010", "impact": "TA0040",
}
ANY = "*"


def tactic_name(slug):
    return " ".join(w if w == "and" else w.capitalize() for w in slug.split("-"))


class Rows:
    """A table of tabs: its rows by the first column, its problems."""

    def __init__(self, path, columns):
        self.path, self.rows, self.problems = path, [], []
        try:
            with open(path, encoding="ascii") as file:
                lines = file.read().split("\n")
        except (OSError, UnicodeDecodeError) as error:
            sys.exit("gen-mapping.py: cannot read '%s': %s" % (path, error))
        head = None
        for number, line in enumerate(lines, 1):
            if line.startswith("#") or not line:
                continue
            cells = line.split("\t")
            if head is None:
                head = cells
                if head != columns:
                    self.problem(number, "the columns must be: %s" % " ".join(columns))
            elif len(cells) != len(columns) or not all(c and c == c.strip() for c in cells):
                self.problem(number, "there must be %d columns, none empty" % len(columns))
            else:
                self.rows.append((number, cells))

    def problem(self, line, text):
        self.problems.append("%s:%d: %s" % (self.path, line, text))


class Row:
    """One row of mapping.tsv."""

    def __init__(self, line, cells):
        self.line = line
        self.event, _, self.condition = cells[0].partition("?")
        self.type, self.action, ocsf, self.attack, roles = cells[1:]
        self.attack = None if self.attack == "-" else self.attack
        match = re.fullmatch(r"(\d+)/(\d+)", ocsf, re.ASCII)
        self.ocsf = (int(match[1]), int(match[2])) if match else None
        self.roles = {} if roles == "-" else dict(r.partition("=")[::2] for r in roles.split(" "))

    @property
    def is_default(self):
        return self.event.endswith(ANY)


class Mapping:
    """All tables together. `of` has the rows of each event: the plain one last."""

    def __init__(self, audit_path):
        self.audit = gen_events.Table(audit_path)
        where = os.path.dirname(os.path.abspath(audit_path))
        self.table = Rows(os.path.join(where, "mapping.tsv"),
                          ["event", "type", "action", "ocsf", "attack", "roles"])
        attack = Rows(os.path.join(where, "attack.tsv"), ["id", "name", "tactics", "later"])
        ocsf = Rows(os.path.join(where, "ocsf.tsv"), ["class", "name", "category", "activities"])
        self.attack = {c[0]: c for _, c in attack.rows}
        self.ocsf = {c[0]: c for _, c in ocsf.rows}
        self.problems = ["%s:%d: %s" % (audit_path, *p) for p in self.audit.problems]
        self.problems += attack.problems + ocsf.problems
        for name, rows in (("attack.tsv", self.attack), ("ocsf.tsv", self.ocsf)):
            if "version" not in rows:
                self.problems.append("%s: there is no row of the version" % name)
        self.rows = [Row(*r) for r in self.table.rows]
        self.by_name = {e.name: e for e in self.audit.events}
        self.of = {}
        self.collect()
        self.problems += self.table.problems

    def problem(self, row, text):
        self.table.problem(row.line, text)

    def collect(self):
        rows, plain = {}, {}
        for row in self.rows:
            self.check_row(row)
            if row.condition:
                rows.setdefault(row.event, []).append(row)
            elif row.event in plain:
                self.problem(row, "'%s' is on line %d already" % (row.event,
                                                                   plain[row.event].line))
            else:
                plain[row.event] = row
        if ANY not in plain:
            self.table.problem(1, "there is no row '*'")
            return
        for event in self.audit.events:
            last = plain.get(event.name) or plain.get(event.module + ".*") or plain[ANY]
            self.of[event.name] = rows.pop(event.name, []) + [last]
            for row in self.of[event.name]:
                self.check_event(row, event)
        self.any = plain[ANY]
        modules = {e.module for e in self.audit.events}
        for name, row in plain.items():
            if not row.is_default and name not in self.by_name:
                self.problem(row, "audit.tsv has no event '%s'" % name)
            elif row.is_default and name != ANY and name[:-2] not in modules:
                self.problem(row, "audit.tsv has no module '%s'" % name[:-2])
        for left in rows.values():
            self.problem(left[0], "audit.tsv has no event '%s'" % left[0].event)

    def check_row(self, row):
        if row.condition and row.condition not in CONDITIONS:
            self.problem(row, "there is no condition '%s'" % row.condition)
        if row.action != "-" and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row.action):
            self.problem(row, "'%s' is no action" % row.action)
        if row.action == "-" and not row.is_default:
            self.problem(row, "an action is missing")
        known = self.ocsf.get(str(row.ocsf[0])) if row.ocsf else None
        if not known:
            self.problem(row, "ocsf.tsv has no such class")
        elif str(row.ocsf[1]) not in self.activities(row.ocsf[0]):
            self.problem(row, "class %d has no activity %d" % row.ocsf)
        if row.attack and (row.attack not in self.attack or
                           row.attack.split(".")[0] not in self.attack):
            self.problem(row, "attack.tsv has no technique '%s', or not its parent" % row.attack)
        for role in row.roles.values():
            if role not in ROLES:
                self.problem(row, "there is no role '%s'" % role)

    def check_event(self, row, event):
        allowed = TYPES.get(event.category, "").split()
        if row.type not in allowed:
            self.problem(row, "'%s' is %s: its type is one of: %s, not %s" % (
                event.name, event.category, " ".join(allowed), row.type))
        names = {n for _, s in event.signatures for n in s}
        for name in row.roles:
            if not row.is_default and name not in names:
                self.problem(row, "'%s' has no argument '%s'" % (event.name, name))

    def activities(self, uid):
        return dict(a.split("=") for a in self.ocsf[str(uid)][3].split(","))

    def action(self, row, event):
        if row.action != "-":
            return row.action
        return re.sub(r"[^a-z0-9]+", "-", event.name.lower()).strip("-") if event else "audit"


# --- renderings ----------------------------------------------------------------------------------

def compact(value):
    return json.dumps(value, separators=(",", ":"))


def members(value):
    """The members of an object, without its braces, a comma behind the last."""
    return compact(value)[1:-1] + ","


def ecs_event(mapping, row, event):
    out = {"kind": "event", "category": [event.category if event else "process"],
           "type": [row.type], "action": mapping.action(row, event)}
    out["severity"] = event.severity if event else 1
    out.update({"outcome": "unknown", "provider": "cpython", "module": "pytrail",
                "dataset": "pytrail.audit"})
    if event:
        out["code"] = event.name
    return out


def techniques(mapping, row):
    """(technique, sub-technique or None), rows of attack.tsv."""
    parent = mapping.attack[row.attack.split(".")[0]]
    return parent, mapping.attack[row.attack] if "." in row.attack else None


def ecs_threat(mapping, row):
    parent, sub = techniques(mapping, row)
    tactics = (sub or parent)[2].split("|")
    technique = {"id": [parent[0]], "name": [parent[1]]}
    if sub:
        technique["subtechnique"] = {"id": [sub[0]], "name": [sub[1]]}
    return {"framework": "MITRE ATT&CK", "technique": technique,
            "tactic": {"id": [TACTICS[t] for t in tactics],
                       "name": [tactic_name(t) for t in tactics]}}


def ocsf_base(mapping, row, event):
    uid, activity = row.ocsf
    _, name, category, _ = mapping.ocsf[str(uid)]
    number, category = category.split(" ", 1)
    caption = mapping.activities(uid)[str(activity)]
    if activity == 99:
        # the source's own name of it, as OCSF asks for
        caption = mapping.action(row, event)
    severity = event.severity if event else 1
    return {"activity_id": activity, "activity_name": caption, "category_uid": int(number),
            "category_name": category, "class_uid": uid, "class_name": name,
            "type_uid": uid * 100 + activity, "type_name": "%s: %s" % (name, caption),
            "severity_id": severity, "severity": SEVERITIES[severity - 1]}


def ocsf_attacks(mapping, row):
    parent, sub = techniques(mapping, row)
    out = []
    for tactic in (sub or parent)[2].split("|"):
        attack = {"version": mapping.attack["version"][1],
                  "tactic": {"uid": TACTICS[tactic], "name": tactic_name(tactic)},
                  "technique": {"uid": parent[0], "name": parent[1]}}
        if sub:
            attack["sub_technique"] = {"uid": sub[0], "name": sub[1]}
        out.append(attack)
    return out


def c_text(text):
    """The literal and its length."""
    return "%s, %d" % (c_string(text), len(text)) if text else "NULL, 0"


def c_row(mapping, row, event, next_row, roles):
    threat = attacks = ""
    if row.attack:
        threat = ',"threat":%s' % compact(ecs_threat(mapping, row))
        attacks = ',"attacks":%s' % compact(ocsf_attacks(mapping, row))
    base = members(ocsf_base(mapping, row, event))
    return "{%s, %s, %s, %d, %d, %d, %s, %s,\n\t %s,\n\t %s,\n\t %s,\n\t %s}" % (
        c_string(mapping.action(row, event)), c_string(event.category if event else "process"),
        c_string(row.attack) if row.attack else "NULL", row.ocsf[0], row.ocsf[1],
        event.severity if event else 1,
        "MAPPING_IF_" + (row.condition.upper() or "ALWAYS"), "%s, %s" % (next_row, roles),
        c_text('"event":{' + members(ecs_event(mapping, row, event))), c_text(threat),
        c_text(base), c_text(attacks))


def print_roles(number, row, event):
    print("static const uint8_t mapping_roles_%d[][CATALOG_ARGS_MAX] = {" % number)
    for _, names in event.newest_first:
        roles = [row.roles.get(n, "none") if n else "none" for n in names] or ["none"]
        print("\t{%s}," % ", ".join("ROLE_" + r.upper() for r in roles))
    print("};")


def print_c(mapping):
    print("/* Made by scripts/gen-mapping.py from events/mapping.tsv, not edited by hand. */")
    flat = [(row, event) for event in mapping.audit.events for row in mapping.of[event.name]]
    for number, (row, event) in enumerate(flat):
        print_roles(number, row, event)
    print("static const struct mapping mappings[%d] = {" % (len(flat) + 1))
    first = {}
    for number, (row, event) in enumerate(flat):
        first.setdefault(event.name, number)
        more = "&mappings[%d]" % (number + 1) if row.condition else "NULL"
        print("\t%s," % c_row(mapping, row, event, more, "mapping_roles_%d" % number))
    print("\t%s,\n};" % c_row(mapping, mapping.any, None, "NULL", "NULL"))
    print("#define MAPPING_ANY %d" % len(flat))
    print("static const uint16_t mapping_first[%d] = {" % len(mapping.audit.events))
    for i in range(0, len(mapping.audit.events), 16):
        print("\t%s," % ", ".join(str(first[e.name]) for e in mapping.audit.events[i:i + 16]))
    print("};")
    print("#define MAPPING_ATTACK_VERSION %s" % c_string(mapping.attack["version"][1]))
    print("#define MAPPING_OCSF_VERSION %s" % c_string(mapping.ocsf["version"][1]))


def print_json(mapping):
    for event in mapping.audit.events:
        for row in mapping.of[event.name]:
            print(compact({
                "event": event.name, "condition": row.condition or None,
                "default": row.is_default, "ecs": ecs_event(mapping, row, event),
                "ocsf": ocsf_base(mapping, row, event), "attack": row.attack,
                "threat": ecs_threat(mapping, row) if row.attack else None, "roles": row.roles}))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("mode", choices=["c", "check", "json"])
    parser.add_argument("audit")
    args = parser.parse_args()
    mapping = Mapping(args.audit)
    if mapping.problems:
        print("\n".join(mapping.problems), file=sys.stderr)
        sys.exit(1)
    if args.mode == "c":
        print_c(mapping)
    elif args.mode == "json":
        print_json(mapping)


if __name__ == "__main__":
    main()
