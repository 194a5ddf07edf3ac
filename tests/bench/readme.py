# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The README's section on cost, from build/bench.json: readme.py [FILE]. Draws its chart, too, into
tests/bench/cost.svg."""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import chart  # noqa: E402
from report import number  # noqa: E402
from stats import Series  # noqa: E402

EVENT_ROWS = (
    ("nothing", "nothing attached"),
    ("by-pid", "pytrail tracing another process"),
    ("noop", "in-process Python hook that does nothing"),
    ("c", "in-process C hook, one JSON line to a buffered file"),
    ("floor", "an empty BPF program on the probe: the floor"),
    ("by-name", "**pytrail**, event filtered out by name"),
    ("null", "**pytrail**, JSON to /dev/null"),
    ("file-big", "**pytrail**, JSON to a file, `--ring-size 256M`"),
    ("json", "in-process Python hook, one JSON line to a buffered file"),
    ("json-write", "the same, written line by line"),
    ("bpftrace", "bpftrace printing event and arguments"),
    ("bcc", "bcc's Python front end doing the same"),
)
HERE = os.path.dirname(os.path.abspath(__file__))
INTRO = """## Cost

![What one open() event costs the traced program](tests/bench/cost.svg)

What one `open` event (three arguments) costs the traced program; {machine}, medians with
quartiles, all cases interleaved in one run:
"""
# Of another benchmark than the one that this is made of.
FIXED = (
    "- 50 interpreter files are detached in 0.18 s, by links of many uprobes that are closed at the same time; by perf",
    "  events, which kernels before 6.6 and `-p` for one process need, one after the other: 6.7 s (`tests/bench/many_files.py`)",
)
OUTRO = """
A hook in C inside the process is cheaper than any breakpoint; but it has to be built for and loaded
into every interpreter, runs in the program it watches, and what it has buffered dies with it.

`make bench` measures all of this on your machine, prints it beside its targets, and writes every
figure to `build/bench.json` and the chart to `build/bench.svg`; `make bench-quick` takes under two
minutes. What is not installed (bpftrace, bcc, Ansible, …) is left out, and said.
"""


def load(path):
    """(machine, Series)"""
    with open(path, encoding="utf-8") as file:
        raw = json.load(file)
    series = Series()
    for case, figures in raw["results"].items():
        for figure, rounds in figures.items():
            for when, value in rounds.items():
                series.add(case, figure, int(when), value)
    return raw["machine"], series


def event_rows(r):
    rows = ["| | ns | ÷ floor |", "|---|--:|--:|"]
    for case, title in EVENT_ROWS:
        cost = r.spread(case, "open wall")
        if cost.n:
            rows.append(f"| {title} | {number(cost, '{:,.0f}')} | "
                        f"{number(r.ratio(case, 'floor', 'open wall'), '{:.2f}')} |")
    return rows


def sentence(r):
    """What is not in the table of `open`."""
    uprobe, ratio = r.spread("uprobe", "open wall"), r.ratio("uprobe", "uprobe-floor", "open wall")
    popen = r.ratio("null", "floor", "popen wall")
    if not uprobe.n or not popen.n:
        return []
    return ["", f"By uprobe the same event costs {number(uprobe, '{:,.0f}')} ns, {ratio.median:.2f} times an empty "
            f"program at the", f"same site; a `subprocess.Popen` with 40 environment variables {popen.median:.1f} "
            "times the floor."]


def real_rows(r):
    names = [f[:-len(" wall")] for c, f in r.data if c == "untraced" and f.endswith(" wall")]
    if not names:
        return []
    rows = ["", "Real programs, wall time traced ÷ untraced:", "",
            "| | everything, JSON on disk | security-minded filter | bpftrace |", "|---|--:|--:|--:|"]
    for name in names:
        ratios = [number(r.ratio(case, "untraced", f"{name} wall"), "{:.2f}")
                  for case in ("full", "filter", "bpftrace")]
        rows.append(f"| {name} | {' | '.join(ratios)} |")
    return rows


def other_rows(r):
    """A list of what else there is to know."""
    facts = (
        ("replay to JSON: {} events per second and core", r.spread("json", "rate"), "{:,.0f}"),
        ("replay to ECS: {}", r.spread("ecs", "rate"), "{:,.0f}"),
        ("replay to OCSF: {}", r.spread("ocsf", "rate"), "{:,.0f}"),
        ("one program at full speed: {} events/s", r.spread("1", "raised rate"), "{:,.0f}"),
        ("of them lost: {}", r.spread("1", "lost share"), "{:.2%}"),
        ("the collector then uses {} of a core", r.spread("1", "collector cores"), "{:.2f}"),
        ("four programs at full speed: {} lost, all of them counted", r.spread("4", "lost share"),
         "{:.2%}"),
        ("event to line at 10,000 events a second, p50: {} ms", r.spread("latency", "p50 ms"), "{:.1f}"),
        ("the same, p99: {} ms", r.spread("latency", "p99 ms"), "{:.1f}"),
        ("200 live Pythons: first event after {} s", r.spread("attach", "first event s"), "{:.2f}"),
        ("memory there, beside the ring: {} MiB", r.spread("attach", "anonymous MiB"), "{:.1f}"),
    )
    lines = [f"- {title.format(number(spread, form))}" for title, spread, form in facts if spread.n]
    return ["", *lines] if lines else []


def section(machine, r):
    cpu = f" ({machine['cpu']})" if machine.get("cpu") else ""
    where = f"{machine['cores']} cores{cpu}, kernel {'.'.join(machine['kernel'].split('.')[:2])}"
    return "\n".join([INTRO.format(machine=where), *event_rows(r), *sentence(r), *real_rows(r),
                      *other_rows(r), *FIXED]) + \
        "\n" + OUTRO


def main():
    default = os.path.join(HERE, "../../build/bench.json")
    machine, results = load(sys.argv[1] if len(sys.argv) > 1 else default)
    with open(os.path.join(HERE, "cost.svg"), "w", encoding="utf-8") as file:
        file.write(chart.draw(chart.bars(results), chart.subtitle(machine)))
    print(section(machine, results), end="")


if __name__ == "__main__":
    main()
