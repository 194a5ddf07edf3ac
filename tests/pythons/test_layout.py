# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Checks this interpreter's row of events/layouts.tsv: python3.X tests/pythons/test_layout.py LIBPYHOST

A plain script for any CPython from 3.8 on. It loads the decoder, built as a shared library, has it
decode every object of the oracle's case files in this very process, and compares what comes out with
what canon.py, which knows nothing of the decoder, says of them. `--max-string N --max-items N
--max-depth N` change the caps. Prints the differences and one line of summary; exit status 1 if there
are any, 77 if this interpreter has no ctypes.
"""

import argparse
import collections
import glob
import importlib.util
import json
import os
import sys
import sysconfig
import types

try:
    import ctypes
except ImportError:
    print("%s has no ctypes" % sys.executable)
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
LIVE = os.path.join(os.path.dirname(HERE), "live")
sys.path.insert(0, LIVE)
sys.dont_write_bytecode = True

from canon import Canon, type_name  # noqa: E402
from compare import event_difference, short  # noqa: E402

KNOWN_MAX = 24
# In the order of enum pt_known in bpf/wire.h.
KNOWN = (
    None, True, False, str, int, tuple, bytes, list, dict, float, bytearray, set, frozenset,
    types.CodeType, types.FunctionType, types.BuiltinFunctionType, types.MethodType,
    types.ModuleType, bool, type,
)
SHOWN = 10  # differences printed


class Decoder:
    def __init__(self, library, caps):
        self.decode = ctypes.CDLL(library).pyhost_decode
        self.decode.argtypes = (
            ctypes.c_uint64, ctypes.POINTER(ctypes.c_uint64), ctypes.c_uint32, ctypes.c_int,
            ctypes.c_uint, ctypes.c_uint, ctypes.c_uint, ctypes.c_char_p, ctypes.c_size_t,
        )
        self.known = (ctypes.c_uint64 * KNOWN_MAX)(*(id(obj) for obj in KNOWN))
        self.free_threaded = int(bool(sysconfig.get_config_var("Py_GIL_DISABLED")))
        self.caps = caps
        self.out = ctypes.create_string_buffer(1 << 20)

    def __call__(self, args):
        """The JSON text of an argument tuple."""
        size = self.decode(id(args), self.known, sys.hexversion, self.free_threaded, *self.caps,
                           self.out, len(self.out))
        if size < 0:
            raise OSError(-size, os.strerror(-size))
        return self.out.raw[:size].decode()


def load(path):
    """A case file as a module."""
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Check:
    def __init__(self, decoder, canon):
        self.decoder, self.canon = decoder, canon
        self.checked = 0
        self.failures = collections.Counter()

    def tuple(self, case, args):
        self.checked += 1
        want, truncated = self.canon.args(args)
        try:
            text = self.decoder(args)
            said = event_difference(want, truncated, json.loads(text))
        except (OSError, ValueError) as e:
            said = "%s: %s" % (type(e).__name__, e)
        if said:
            self.failures[case] += 1
            if sum(self.failures.values()) <= SHOWN:
                print("%s: %s\n    %s" % (case, short(want), said))

    def file(self, path):
        case = os.path.basename(path)
        batch = []
        for value in load(path).cases():
            self.tuple(case, (value,))
            batch.append(value)
            if len(batch) == 7:  # neighbours share what was read of memory
                self.tuple(case, tuple(batch))
                self.tuple(case, (batch[3], batch))
                batch.clear()


def check_names():
    """canon's own idea of tp_name, where Python knows better."""
    for cls, name in ((int, b"int"), (Check, b"Check"), (collections.deque, b"collections.deque")):
        if type_name(cls) != name:
            sys.exit("canon.py reads %r as the name of %r" % (type_name(cls), cls))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("--max-string", type=int, default=4096)
    parser.add_argument("--max-items", type=int, default=128)
    parser.add_argument("--max-depth", type=int, default=4)
    parser.add_argument("--case", default="*")
    options = parser.parse_args()
    caps = options.max_string, options.max_items, options.max_depth

    check_names()
    check = Check(Decoder(options.library, caps), Canon(*caps))
    check.tuple("no arguments", ())
    for path in sorted(glob.glob(os.path.join(LIVE, "workloads", "case_%s.py" % options.case))):
        check.file(path)
    failed = sum(check.failures.values())
    print("%s: %d checked, %d different%s" % (
        sys.version.split()[0], check.checked, failed,
        "".join(", %d in %s" % (n, case) for case, n in check.failures.items())))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
