# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Runs a Python program under an audit hook that writes down every event in canonical form:

    python3.X hook.py OUT MAX_STRING MAX_ITEMS MAX_DEPTH (PROGRAM | -m MODULE) [ARGUMENT...]

The events between those named BEGIN and END, which are raised here, are what oracle.py compares with
pytrail's. OUT gets one JSON line for each, appended as it happens, so that a process that is killed
or forked loses none: [pid, tid, number, event, values, truncated]; values is null, and truncated says
why, if the hook itself failed. The number orders the events of a thread: one that a finalizer raises
while the hook is at work is written first.

Before that it raises HELLO again and again until there is a file OUT.go, which oracle.py makes when
pytrail has seen one: an interpreter that starts from a file new to pytrail is traced a moment later.

The hook raises no event: canon.py says how, os.write() and getpid() are none, nothing is imported.
"""

import _thread
import fcntl
import itertools
import json
import os
import runpy
import sys
import time
import types

HELLO = "pytrail.oracle.hello"
BEGIN = "pytrail.oracle.begin"
END = "pytrail.oracle.end"
LIMIT = 40  # seconds to be seen in
LOW_FD = 700  # what programs that close files by number leave alone

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from canon import Canon  # noqa: E402


def make_hook(fd, caps):
    args_of = Canon(*caps).args
    encode = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode
    write, getpid, gettid = os.write, os.getpid, _thread.get_native_id
    number = itertools.count().__next__
    ended = []

    def hook(event, args):
        n = number()
        if ended:
            return
        if event == END:
            ended.append(True)
        try:
            values, truncated = args_of(args, len(event.encode()))
        except BaseException as e:  # whatever it is, it is not the program's
            values, truncated = None, ascii(e)
        write(fd, (encode((getpid(), gettid(), n, event, values, truncated)) + "\n").encode())

    return hook


def run(program, arguments):
    """As the interpreter does it."""
    if program == "-m":
        module = arguments[0]
        sys.argv = arguments
        sys.path[0] = os.getcwd()
        sys.audit(BEGIN)
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return
    sys.argv = [program] + arguments
    sys.path[0] = os.path.dirname(os.path.abspath(program))
    with open(program, "rb") as file:
        code = compile(file.read(), program, "exec")
    main = types.ModuleType("__main__")
    main.__file__ = program
    main.__builtins__ = __builtins__
    sys.modules["__main__"] = main
    sys.audit(BEGIN)
    exec(code, main.__dict__)


def wait_for_pytrail(go):
    end = time.monotonic() + LIMIT
    while not os.path.exists(go):
        if time.monotonic() > end:
            sys.exit("hook.py: pytrail does not see this process")
        sys.audit(HELLO)
        time.sleep(0.01)


def start(out, max_string, max_items, max_depth, program, *arguments, install=sys.addaudithook):
    wait_for_pytrail(out + ".go")
    fd = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, LOW_FD)
    os.close(fd)
    caps = int(max_string), int(max_items), int(max_depth)
    install(make_hook(high, caps))
    try:
        run(program, list(arguments))
    finally:
        sys.audit(END)


if __name__ == "__main__":
    if len(sys.argv) < 6:
        sys.exit("usage: hook.py OUT MAX_STRING MAX_ITEMS MAX_DEPTH (PROGRAM | -m MODULE) [ARGUMENT...]")
    start(*sys.argv[1:])
