# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What the verifier has to do for each program, and what it had when that was recorded: figures.tsv, one row for each
kernel (major.minor, of another architecture than x86-64 that behind it) and program, written by tests/vm/matrix.py --record."""
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.dirname(os.environ.get("PYTRAIL", os.path.join(ROOT, "build/pytrail")))
STATS = os.path.join(BUILD, "tests/verifier/stats")
TABLE = os.path.join(HERE, "figures.tsv")
HEAD = "# kernel\tprogram\tinstructions\tstates"
# Another compiler makes other programs of the same source; a loop that the verifier walks anew makes far more.
TOLERANCE = 1.25
SLACK = 200
MOST = 400_000  # on any kernel, for its own limit is a million, and each start of a trace waits for it


def key_of(release, machine="x86_64"):
    """The kernel's name in the table."""
    return ".".join(release.split(".")[:2]) + ("" if machine == "x86_64" else "-" + machine)


def running():
    return key_of(os.uname().release, os.uname().machine)


def load():
    """{(kernel, program): (instructions, states)}"""
    rows = {}
    with open(TABLE, encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                kernel, program, instructions, states = line.split()
                rows[kernel, program] = (int(instructions), int(states))
    return rows


def save(rows):
    def order(key):
        version, _, machine = key[0].partition("-")
        return machine, [int(part) for part in version.split(".")], key[1]

    with open(TABLE, "w", encoding="utf-8") as file:
        file.write("# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)\n" + HEAD + "\n")
        for key in sorted(rows, key=order):
            file.write("\t".join(map(str, (*key, *rows[key]))) + "\n")


def measure(limit=900):
    """({program: (instructions, states)}, [those that are refused], the end of the verifier's log for them)"""
    done = subprocess.run([STATS], capture_output=True, text=True, timeout=limit, check=False)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return ({row[0]: (int(row[2]), int(row[5])) for row in rows}, [row[0] for row in rows if row[1] != "ok"],
            done.stderr)


def over(found, kernel=None):
    """What has become too much, in words."""
    recorded, kernel = load(), kernel or running()
    said = []
    for program, (instructions, states) in sorted(found.items()):
        was = recorded.get((kernel, program))
        limits = [was and int(n * TOLERANCE) + SLACK for n in was or (0, 0)]
        for word, now, limit in zip(("instructions", "states"), (instructions, states), limits):
            if limit and now > limit:
                said.append(f"{program}: {now} {word} on Linux {kernel}, limit {limit}")
        if instructions > MOST:
            said.append(f"{program}: {instructions} instructions on Linux {kernel}, limit {MOST}")
    return said
