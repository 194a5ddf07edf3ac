# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Runs a Python program exactly as hook.py does, with the same arguments and imports, but installs no
hook: the way of real targets, which unhooked.py compares with what hook.py wrote of another run."""

import sys

sys.dont_write_bytecode = True
import hook  # noqa: E402

hook.start(*sys.argv[1:], install=lambda _: None)
