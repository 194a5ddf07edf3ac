# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "live")]
