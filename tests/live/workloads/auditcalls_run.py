# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Calls functions of the extension module auditcalls (tests/live/auditcalls.c), and opens files, a FIFO
to wait for what writes to it:

    auditcalls_run.py DIRECTORY (FUNCTION | /FILE)...
"""

import sys

sys.path.insert(0, sys.argv[1])
import auditcalls  # noqa: E402

for function in sys.argv[2:]:
    if function.startswith("/"):
        open(function).close()
    else:
        getattr(auditcalls, function)()
