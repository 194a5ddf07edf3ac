# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""A bar chart as SVG: what one `open` event costs its producer, with quartiles."""
import itertools
from xml.sax.saxutils import escape

BARS = (
    ("nothing", "nothing attached"),
    ("noop", "in-process hook that does nothing"),
    ("c", "in-process C hook, JSON"),
    ("floor", "empty BPF program"),
    ("by-name", "pytrail, filtered out"),
    ("null", "pytrail, JSON"),
    ("json", "in-process Python hook, JSON"),
    ("bpftrace", "bpftrace"),
    ("bcc", "bcc"),
)
WIDTH, LEFT, RIGHT, ROW, TOP = 760, 250, 100, 30, 56
OWN, OTHER = "#1f6feb", "#8b949e"


def bars(results, figure="open wall"):
    """[(case, title, Spread)] of those measured."""
    found = ((case, title, results.spread(case, figure)) for case, title in BARS)
    return [bar for bar in found if bar[2].median is not None]


def subtitle(machine):
    return (f"{machine['cores']} cores, kernel {machine['kernel'].split('-')[0]}, medians and quartiles")


def ticks(most):
    """At most six round numbers from 0 to most."""
    step, factors = 1, itertools.cycle((2, 2.5, 2))
    while most / step > 6:
        step = int(step * next(factors))
    return [i * step for i in range(int(most / step) + 1)]


def axis(found):
    """Where the axis ends: a bar that would dwarf all others is cut."""
    *others, longest = sorted(spread.high for _, _, spread in found) or [1]
    return min(longest, 1.5 * others[-1]) if others and others[-1] else longest or 1


def draw(found, subtitle):
    """The document; found as bars() has it."""
    most = axis(found)
    scale = (WIDTH - LEFT - RIGHT) / most
    height = TOP + ROW * len(found) + 34
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
           f'height="{height}" font-family="sans-serif" font-size="13">',
           f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
           '<text x="12" y="22" font-size="15" font-weight="bold">What one open() audit event costs the '
           'traced program, ns</text>',
           f'<text x="12" y="42" fill="#57606a">{escape(subtitle)}</text>']
    foot = TOP + ROW * len(found)
    for tick in ticks(most):
        x = LEFT + tick * scale
        out.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{foot}" stroke="#d0d7de"/>')
        out.append(f'<text x="{x:.1f}" y="{foot + 18}" text-anchor="middle" fill="#57606a">'
                   f'{tick:,.0f}</text>')
    for i, (case, title, spread) in enumerate(found):
        y = TOP + ROW * i
        own = OWN if title.startswith("pytrail") else OTHER
        low, end, high = (LEFT + min(v, most) * scale for v in (spread.low, spread.median, spread.high))
        out += [f'<text x="{LEFT - 8}" y="{y + 19}" text-anchor="end">{escape(title)}</text>',
                f'<rect x="{LEFT}" y="{y + 5}" width="{max(end - LEFT, 1):.1f}" height="{ROW - 10}" '
                f'fill="{own}"/>',
                f'<line x1="{low:.1f}" y1="{y + 15}" x2="{high:.1f}" y2="{y + 15}" stroke="#24292f"/>',
                f'<text x="{max(high, end) + 6:.1f}" y="{y + 19}">{spread.median:,.0f}</text>']
        if spread.median > most:
            out.append(f'<path d="M{end - 24:.1f} {y + ROW - 3} l8 -{ROW - 6} h6 l-8 {ROW - 6} z" '
                       f'fill="#ffffff"/>')
    out.append("</svg>")
    return "\n".join(out) + "\n"
