# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The verifier of this kernel accepts each program, with not much more work than is recorded (figures.tsv): a change that
makes it walk many more states fails here before it fails on an older kernel."""
import figures
import pytest


@pytest.fixture(scope="module", name="measured")
def measured_fixture():
    return figures.measure()


def test_all_are_accepted(measured):
    found, refused, said = measured
    assert not refused, said
    assert {"watch_exec", "watch_exit", "follow_fork"} <= set(found)


def test_work_of_the_verifier(measured):
    assert not figures.over(measured[0])


def test_more_work_is_told():
    """On a kernel with figures of its own, and on one without."""
    (kernel, program), (instructions, states) = next(iter(figures.load().items()))
    assert not figures.over({program: (instructions, states)}, kernel)
    assert figures.over({program: (instructions * 2 + 1000, states)}, kernel)
    assert figures.over({program: (instructions, states * 2 + 1000)}, kernel)
    assert figures.over({program: (figures.MOST + 1, 1)}, "99.9")
    assert not figures.over({program: (figures.MOST, 1)}, "99.9")
