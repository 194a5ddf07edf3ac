# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Some of the groups of `make test-kernels`, on kernels that differ from the one here. What a guest printed, and its
console, are in build/vm/KERNEL/. Software emulation on a busy machine takes what it takes: nothing here asks how long,
but for a limit for guests that hang."""
import concurrent.futures
import os

import guest
import matrix
import pytest

# 5.10 takes as long as the two others together: its verifier is slow, and each probe site has a program. What the
# verifiers have to do is held to its limits on the kernel here, and on all by `make test-kernels`.
GROUPS = {
    "5.10": ("check", "usdt", "uprobe", "kernel"),
    "6.1": ("check", "usdt", "uprobe", "kernel"),
    "6.12": ("check", "usdt", "kernel"),
}
SECONDS = 800


def run(kernel, found):
    """{group: row} and the guest's Result, or why there is none."""
    if kernel not in found:
        return f"Linux {kernel} could not be fetched (tests/vm/fetch.sh {kernel} says why)"
    try:
        return matrix.run(kernel, found[kernel][1], GROUPS[kernel], quick=True, seconds=SECONDS)
    except guest.Unavailable as error:
        return f"no virtual machine: {error}"


@pytest.fixture(scope="module", name="results")
def results_fixture():
    found = matrix.fetched(GROUPS)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(GROUPS, pool.map(lambda kernel: run(kernel, found), GROUPS)))


@pytest.mark.parametrize("kernel, group", [(k, g) for k, groups in GROUPS.items() for g in groups])
def test_kernel(results, kernel, group):
    if isinstance(results[kernel], str):
        pytest.skip(results[kernel])
    rows, result = results[kernel]
    assert group in rows, (f"the guest did not come to it (status {result.status}, {result.seconds:.0f} s): "
                           f"{result.output[-1000:]}; see {result.console}")
    if rows[group]["ok"] is None:
        pytest.skip(rows[group]["said"])
    assert rows[group]["ok"], rows[group]["said"]
