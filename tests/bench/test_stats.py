# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The benchmark's arithmetic, tables and chart; nothing is measured."""
import json
import os
import sys
import xml.etree.ElementTree

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chart  # noqa: E402
import readme  # noqa: E402
import report  # noqa: E402
import targets  # noqa: E402
from stats import Series, Spread, paired, quantile  # noqa: E402


@pytest.mark.parametrize("values, q, expected", [
    ([], 0.5, None), ([3], 0.25, 3), ([1, 2], 0.5, 1.5), ([4, 1, 3, 2], 0.25, 1.75),
    ([1, 2, 3, 4, 5], 0.75, 4), ([1, 2, 3], 1, 3)])
def test_quantile(values, q, expected):
    assert quantile(values, q) == expected


def test_ratios_are_paired_by_round():
    ratio = paired({0: 10, 1: 40, 2: 7, 3: None}, {0: 5, 1: 10, 3: 1, 4: 9})
    assert ratio.values == [2, 4] and ratio.median == 3
    assert paired({0: 1}, {0: 0}).median is None


def test_a_noisy_round_does_not_move_the_ratio():
    """Both cases take twice as long in a round: the ratio of medians of pairs stays."""
    ratio = paired({0: 2, 1: 4, 2: 2}, {0: 1, 1: 2, 2: 1})
    assert (ratio.median, ratio.low, ratio.high) == (2, 2, 2)


def filled():
    series = Series()
    for number, scale in enumerate((1.0, 1.2, 0.9)):
        for case, cost in (("nothing", 20), ("floor", 500), ("null", 750), ("json", 2000),
                           ("by-name", 540), ("bpftrace", 8000)):
            series.add(case, "open wall", number, cost * scale)
    return series


def verdicts(series):
    return {t.title: t.verdict() for t in targets.all_targets(series)}


def test_targets_without_figures_are_not_measured():
    assert set(verdicts(Series()).values()) == {"not measured"}


def test_targets():
    said = verdicts(filled())
    assert said["open, JSON to /dev/null / floor"] == "met"
    assert said["filtered out by name / floor"] == "met"
    assert said["subprocess.Popen, 40-entry environment / floor"] == "not measured"


@pytest.mark.parametrize("value, least, expected", [(1.6, False, "met"), (1.61, False, "NOT met"),
                                                    (1.6, True, "met"), (1.59, True, "NOT met")])
def test_verdict_at_the_limit(value, least, expected):
    assert targets.Target("t", Spread([value]), 1.6, "{}", least).verdict() == expected


def test_numbers():
    assert report.number(Spread([])) == "-"
    assert report.number(Spread([2, 2])) == "2"
    assert report.number(Spread([1, 2, 3]), "{:.1f}") == "2.0 (1.5 to 2.5)"


def test_table_is_aligned():
    lines = report.table(["", "ns"], [["a", "1"], ["bcd", "234"]]).splitlines()
    assert lines == ["      ns", "---  ---", "a      1", "bcd  234"]


def test_report_of_every_group_without_figures():
    machine = {"cores": 2, "cpu": "x", "kernel": "6", "python_version": "3.11", "load_at_start": 0.1}
    text = report.render(machine, Series(), list(report.TABLES), {"bcc": "is not installed"},
                         targets.all_targets(Series()))
    assert "bcc: is not installed" in text and "not idle" not in text


def test_readme_section(tmp_path):
    """Through the file: rounds are numbers again, rows without figures are left out."""
    series, path = filled(), tmp_path / "bench.json"
    path.write_text(json.dumps({"machine": {"cores": 2, "kernel": "6.18.44-x"},
                                "results": series.as_dict()}))
    machine, loaded = readme.load(path)
    assert loaded.data == series.data
    text = readme.section(machine, loaded)
    assert "2 cores, kernel 6.18," in text
    assert "| **pytrail**, JSON to /dev/null | 750 (712 to 825) | 1.50 |" in text
    assert "bcc's" not in text and "Real programs" not in text


def test_chart_is_well_formed():
    tree = xml.etree.ElementTree.fromstring(chart.draw(chart.bars(filled()), "2 cores <&>"))
    texts = [e.text for e in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert "2 cores <&>" in texts and "8,000" in texts


def test_chart_cuts_a_bar_that_dwarfs_the_others():
    found = [(c, c, Spread([v])) for c, v in (("a", 10), ("b", 100), ("c", 5000))]
    assert chart.axis(found) == 150
    assert chart.axis(found[:2]) == 15 and chart.axis(found[:1]) == 10 and chart.axis([]) == 1
    assert chart.draw(found, "").count("<path") == 1


@pytest.mark.parametrize("most, expected", [(5, [0, 1, 2, 3, 4, 5]), (9, [0, 2, 4, 6, 8]),
                                            (12345, [0, 5000, 10000]), (300, list(range(0, 301, 50)))])
def test_ticks(most, expected):
    assert chart.ticks(most) == expected
