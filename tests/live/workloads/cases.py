# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""All case_*.py, one after the other, in one process."""

import glob
import importlib
import os
import sys


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, here)
    for path in sorted(glob.glob(os.path.join(here, "case_*.py"))):
        importlib.import_module(os.path.basename(path)[:-3]).main()


if __name__ == "__main__":
    main()
