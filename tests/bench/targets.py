# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The targets: each a figure of the results beside a limit. A target never fails the command."""
from stats import Spread

REAL_STEADY = ("Django requests", "hg log")
REAL_START = ("Django start", "compileall", "test_json", "test_pathlib", "ansible localhost")


class Target:
    """measured: Spread; limit: number; least: whether more is better; form: how a number is written."""

    def __init__(self, title, measured, limit, form, least=False):
        self.title, self.measured, self.limit = title, measured, limit
        self.form, self.least = form, least

    def met(self):
        """None when it could not be measured."""
        if self.measured.median is None:
            return None
        if self.least:
            return self.measured.median >= self.limit
        return self.measured.median <= self.limit

    def verdict(self):
        return {None: "not measured", True: "met", False: "NOT met"}[self.met()]

    def as_dict(self):
        return {"title": self.title, "limit": self.limit, "at_least": self.least,
                "met": self.met(), **self.measured.as_dict()}


def producer_targets(r):
    def against(case, base, shape="open"):
        return r.ratio(case, base, f"{shape} wall")

    file_less = r.ratio("file-big", "json", "open wall")
    return [
        Target("open, JSON to /dev/null / floor", against("null", "floor"), 1.6, "{:.2f}"),
        Target("the same / in-process Python JSON hook", against("null", "json"), 0.45, "{:.2f}"),
        Target("the same / bpftrace", against("null", "bpftrace"), 0.15, "{:.2f}"),
        Target("open, JSON to a file / in-process Python JSON hook (issue 2)", file_less, 1, "{:.2f}"),
        Target("id() by uprobe / empty program at the same site",
               r.ratio("uprobe", "uprobe-floor", "id wall"), 1.6, "{:.2f}"),
        Target("open by uprobe / empty program at the same site",
               r.ratio("uprobe", "uprobe-floor", "open wall"), 1.6, "{:.2f}"),
        Target("filtered out by name / floor", against("by-name", "floor"), 1.10, "{:.2f}"),
        Target("another process wanted, filter in BPF / floor", against("by-map", "floor"), 1.10,
               "{:.2f}"),
        Target("another process wanted, filter in the kernel / floor", against("by-pid", "floor"), 1.10,
               "{:.2f}"),
        Target("subprocess.Popen, 40-entry environment / floor", against("null", "floor", "popen"), 6,
               "{:.2f}"),
    ]


def collector_targets(r):
    return [Target(f"replay to {name}, open events a second and core", r.spread(name, "rate"), limit,
                   "{:,.0f}", least=True)
            for name, limit in (("json", 2.0e6), ("ecs", 1.2e6), ("ocsf", 1.0e6))]


def end_targets(r):
    return [
        Target("1 producer at full speed for 60 s: lost events", r.spread("1 60s", "lost"), 0, "{:.0f}"),
        Target("4 producers: events in no counter", Spread(
            [abs(v) for v in r.rounds("4", "unaccounted").values()]), 0, "{:.0f}"),
        Target("4 producers, --ring-size 256M: lost events", r.spread("4 256M", "lost"), 0, "{:.0f}"),
        Target("event to line at 10,000 a second, p99, ms", r.spread("latency", "p99 ms"), 15, "{:.1f}"),
    ]


def real_targets(r):
    out = []
    for names, limit in ((REAL_STEADY, 1.05), (REAL_START, 1.20)):
        for name in names:
            ratio = r.ratio("full", "untraced", f"{name} wall")
            if ratio.n:
                out.append(Target(f"{name}, everything to JSON on disk / untraced", ratio, limit,
                                  "{:.3f}"))
    return out


def attach_targets(r):
    return [
        Target("200 live Pythons: memory beside the ring, MiB", r.spread("attach", "anonymous MiB"), 40,
               "{:.1f}"),
        Target("200 live Pythons: start to first event, s", r.spread("attach", "first event s"), 1,
               "{:.2f}"),
    ]


PARTS = {"producer": producer_targets, "replay": collector_targets, "end": end_targets,
         "real": real_targets, "attach": attach_targets}


def all_targets(results, groups=tuple(PARTS)):
    """Those of the groups, in the order of the table."""
    return [t for group in groups for t in PARTS[group](results)]
