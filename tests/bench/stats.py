# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Medians, quartiles and paired ratios. Pure functions of numbers; None where there is no figure."""
import statistics


def quantile(values, q):
    """Linear between the two nearest ranks; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    at = (len(ordered) - 1) * q
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


class Spread:
    """Median and quartiles of several measurements."""

    def __init__(self, values):
        self.values = [v for v in values if v is not None]
        self.n = len(self.values)
        self.median = statistics.median(self.values) if self.values else None
        self.low, self.high = quantile(self.values, 0.25), quantile(self.values, 0.75)

    def as_dict(self):
        return {"median": self.median, "q1": self.low, "q3": self.high, "n": self.n,
                "values": self.values}


def paired(values, base):
    """Ratios of values to base, round by round: both are {round: number}; rounds that lack either, or
    whose base is 0, are left out."""
    return Spread([values[r] / base[r] for r in sorted(values)
                   if values[r] is not None and base.get(r)])


class Series:
    """What was measured: numbers by case, figure and round."""

    def __init__(self):
        self.data = {}  # (case, figure) -> {round: number}

    def add(self, case, figure, number, value):
        self.data.setdefault((case, figure), {})[number] = value

    def rounds(self, case, figure):
        return self.data.get((case, figure), {})

    def spread(self, case, figure):
        return Spread(list(self.rounds(case, figure).values()))

    def ratio(self, case, base, figure, base_figure=None):
        """Of two cases in the same figure (or of two figures), paired."""
        return paired(self.rounds(case, figure), self.rounds(base, base_figure or figure))

    def cases(self, figure):
        return [c for c, f in self.data if f == figure]

    def as_dict(self):
        out = {}
        for (case, figure), values in self.data.items():
            out.setdefault(case, {})[figure] = values
        return out
