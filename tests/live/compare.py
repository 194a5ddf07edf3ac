# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What canon.py says of an event's arguments beside what pytrail's JSON says of them."""

from canon import merged

NOTES_MAX = 256  # user/format/json.h: JSON_NOTES_MAX; the rest is one note on "args"


def short(value, limit=160):
    text = ascii(value)
    return text if len(text) <= limit else "%s… (%d characters)" % (text[:limit], len(text))


def difference(want, got, path=""):
    """None, or where and how two JSON values differ. Types count: 1 is not 1.0, nor true."""
    if type(want) is tuple:
        want = list(want)
    if type(want) is not type(got):
        return "%s: want %s, got %s" % (path, short(want), short(got))
    if type(want) is str:
        if want == got or merged(want) == merged(got):
            return None
    elif type(want) is list:
        for i, (a, b) in enumerate(zip(want, got)):
            said = difference(a, b, "%s[%d]" % (path, i))
            if said:
                return said
        if len(want) == len(got):
            return None
        return "%s: want %d items, got %d" % (path, len(want), len(got))
    elif type(want) is dict:
        # The order of keys is a question of the table for pytrail, of history for Python.
        want = {merged(k): v for k, v in want.items()}
        got = {merged(k): v for k, v in got.items()}
        for key in want:
            if key not in got:
                return "%s: want a key %s, got keys %s" % (path, short(key), short(list(got)))
            said = difference(want[key], got[key], "%s[%s]" % (path, short(key, 40)))
            if said:
                return said
        extra = [key for key in got if key not in want]
        if not extra:
            return None
        return "%s: want no key %s" % (path, short(extra[0]))
    elif want == got and repr(want) == repr(got):  # 0.0 is not -0.0
        return None
    return "%s: want %s, got %s" % (path, short(want), short(got))


def _numbered(path, names):
    """A path of pytrail's with the argument's number for its name."""
    if path == "args":
        return path
    best = -1
    for i, name in enumerate(names):
        rest = path[len("args." + name):]
        if path.startswith("args." + name) and rest[:1] in ("", ".", "["):
            if best < 0 or len(name) > len(names[best]):
                best = i
    if best < 0:
        return path
    return "#%d%s" % (best, path[len("args." + names[best]):])


def event_difference(values, truncated, record):
    """None, or how a JSON record differs from Canon.args()' answer."""
    args = record.get("args")
    if type(args) is not dict:
        return "no arguments: %s" % short(args)
    said = difference(list(values), list(args.values()))
    if said:
        return "argument " + said
    if record.get("unreadable"):
        return "unreadable: %s" % short(record["unreadable"])
    if record.get("undecoded"):
        return "undecoded: %s" % short(record["undecoded"])
    want = dict(truncated)
    got = {_numbered(path, list(args)): note.get("length")
           for path, note in record.get("truncated", {}).items()}
    if len(truncated) > NOTES_MAX and "args" in got and len(got) > NOTES_MAX:
        got.pop("args")
        want = {path: want.get(path, "no such path") for path in got}
    if set(want) != set(got):
        return "truncated: want only %s, got only %s" % (
            short(sorted(set(want) - set(got))), short(sorted(set(got) - set(want))))
    for path, length in want.items():
        if length is not None and length != got[path]:
            return "truncated %s: want length %s, got %s" % (path, length, got[path])
    return None
