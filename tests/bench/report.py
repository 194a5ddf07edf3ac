# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The results as tables of text: figures with quartiles, and targets beside them."""
import group_end
import group_producer
import group_real

SHAPE_TITLES = {"open": "open", "import": "import", "exec": "exec", "popen": "Popen, 40 variables",
                "none": "no arguments", "id": "id() in C"}


def number(spread, form="{:.0f}"):
    """Median and quartiles: `1150 (1100 to 1200)`; the median alone when there is no spread."""
    if spread.median is None:
        return "-"
    median, low, high = (form.format(v) for v in (spread.median, spread.low, spread.high))
    return median if low == high else f"{median} ({low} to {high})"


def table(head, rows):
    """Aligned columns, the first to the left."""
    rows = [head, *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["  ".join([row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in
                                                    zip(row[1:], widths[1:])]).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def producer_tables(r, _skipped):
    rows, shapes = [], []
    for case, title, _ in group_producer.CASES:
        if not r.rounds(case, "open wall") or case.startswith("uprobe"):
            continue
        lost = r.spread(case, "lost share").median
        rows.append([title, number(r.spread(case, "open wall")), number(r.spread(case, "open cpu")),
                     number(r.ratio(case, "floor", "open wall"), "{:.2f}"),
                     "" if lost is None else f"{lost:.1%}"])
        if r.rounds(case, "popen wall"):
            shapes.append([title] + [number(r.spread(case, f"{s} wall")) for s in group_producer.SHAPES])
    ratios = [["pytrail / floor"] + [number(r.ratio("null", "floor", f"{s} wall"), "{:.2f}")
                                     for s in group_producer.SHAPES]]
    uprobe = [[title, *[number(r.spread(case, f"{s} wall")) for case in ("uprobe-floor", "uprobe")],
               number(r.ratio("uprobe", "uprobe-floor", f"{s} wall"), "{:.2f}")]
              for s, title in SHAPE_TITLES.items()]
    lost = number(r.spread("others", "lost share"), "{:.1%}")
    return [("What one `open` event costs its producer, by USDT",
             table(["", "ns, clock", "ns, CPU time", "/ floor", "lost"], rows)),
            (f"Other events, ns by the clock (pytrail lost {lost} of them: large records at full speed)",
             table([""] + [SHAPE_TITLES[s] for s in group_producer.SHAPES], shapes + ratios)),
            ("By uprobes, as on a build without USDT, ns by the clock",
             table(["", "empty program", "pytrail", "pytrail / empty"], uprobe))]


def replay_tables(r, _skipped):
    rows = [[name, number(r.spread(name, "rate"), "{:,.0f}"), number(r.spread(name, "wall rate"),
                                                                     "{:,.0f}")]
            for name in r.cases("rate")]
    return [("Collector: replay of 1,000,000 open events",
             table(["to", "events per second of CPU", "per second by the clock"], rows))]


def end_tables(r, skipped):
    rows = []
    for case, title in [c[:2] for c in group_end.CASES] + [("1 60s", "1 producer for 60 s")]:
        if case in skipped or not r.rounds(case, "raised rate"):
            continue
        rows.append([title, number(r.spread(case, "raised rate"), "{:,.0f}"),
                     number(r.spread(case, "lost share"), "{:.2%}"),
                     number(r.spread(case, "unaccounted")),
                     number(r.spread(case, "collector cores"), "{:.2f}"),
                     number(r.spread(case, "anonymous MiB"), "{:.1f}"),
                     number(r.spread(case, "resident MiB"), "{:.0f}")])
    late = [[f"{group_end.RATE:,} a second"] + [number(r.spread("latency", f), "{:.1f}")
                                                for f in ("p50 ms", "p99 ms", "max ms")]]
    return [("End to end, JSON to /dev/null",
             table(["", "events/s", "lost", "in no counter", "collector, cores", "MiB, own",
                    "MiB, ring included"], rows)),
            ("From event to line, through a pipe, ms", table(["", "p50", "p99", "most"], late))]


def real_tables(r, skipped):
    names = [f[:-len(" wall")] for c, f in r.data if c == "untraced" and f.endswith(" wall")]
    rows = []
    for name in names:
        row = [name, number(r.spread("untraced", f"{name} wall"), "{:.3f}")]
        for case in ("full", "filter", "bpftrace"):
            for kind in ("wall", "cpu"):
                row.append(number(r.ratio(case, "untraced", f"{name} {kind}"), "{:.2f}"))
        rows.append(row)
    head = ["", "untraced, s"] + [f"{case}, {kind}" for case in ("full", "filter", "bpftrace")
                                  for kind in ("wall", "CPU")]
    return [("Real programs, traced / untraced", table(head, rows)),
            ("Its columns", "\n".join(f"{case}: {title}" for case, title in group_real.CASES))]


def attach_tables(r, _skipped):
    rows = [[title, number(r.spread("attach", figure), form)] for title, figure, form in (
        ("start to first event, s", "first event s", "{:.2f}"),
        ("memory of its own, MiB", "anonymous MiB", "{:.1f}"),
        ("memory with ring and libraries, MiB", "resident MiB", "{:.0f}"),
        ("open before anything was attached, ns", "before attach ns", "{:.0f}"),
        ("open after all was detached, ns", "after detach ns", "{:.0f}"))]
    return [("Whole-host tracing beside 200 live Pythons", table(["", ""], rows))]


TABLES = {"producer": producer_tables, "replay": replay_tables, "end": end_tables, "real": real_tables,
          "attach": attach_tables}


def targets_table(targets):
    rows = [[t.title, ("≥ " if t.least else "≤ ") + t.form.format(t.limit), number(t.measured, t.form),
             t.verdict()] for t in targets]
    return table(["target", "limit", "measured", ""], rows)


def machine_line(machine):
    line = (f"{machine['cores']} cores ({machine['cpu']}), kernel {machine['kernel']}, "
            f"Python {machine['python_version']}, load at start {machine['load_at_start']:.2f}")
    if machine["load_at_start"] > machine["cores"] / 4:
        line += "\nThe machine is not idle: figures by the clock include what others took."
    return line


def render(machine, results, groups, skipped, targets):
    parts = [machine_line(machine), "Medians (and quartiles) of rounds; ratios are paired by round."]
    for group in groups:
        for title, text in TABLES[group](results, skipped):
            parts.append(f"{title}\n\n{text}")
    if skipped:
        parts.append("Skipped\n\n" + "\n".join(f"{what}: {why}" for what, why in skipped.items()))
    parts.append(f"Targets\n\n{targets_table(targets)}")
    return "\n\n".join(parts) + "\n"
