# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""A file system by FUSE with one file, `f`, whose content never comes: withhold.py DIRECTORY

Says "mounted". What reads the file, or a page of it, waits as long as this lives.
"""
import ctypes
import errno
import os
import struct
import sys

LOOKUP, GETATTR, OPEN, READ, INIT, OPENDIR = 1, 3, 14, 15, 26, 27
NO_ANSWER = (2, 36, 42)  # FORGET, INTERRUPT, BATCH_FORGET
DONE = (18, 25, 29)  # RELEASE, FLUSH, RELEASEDIR
SIZE = 1 << 20
ASYNC_READ = 1
FOREVER = 3600


def attributes(node):
    mode, size = (0o40755, 4096) if node == 1 else (0o100666, SIZE)
    return struct.pack("<6Q10I", node, size, size // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer(code, node):
    """None: none. A number: an error."""
    if code == INIT:
        return struct.pack("<4I2H2I2H8I", 7, 31, 128 << 10, ASYNC_READ, 12, 8, 4096, 1, 0, 0, *[0] * 8)
    if code == LOOKUP:
        return struct.pack("<4Q2I", 2, 0, FOREVER, FOREVER, 0, 0) + attributes(2)
    if code == GETATTR:
        return struct.pack("<Q2I", FOREVER, 0, 0) + attributes(node)
    if code in (OPEN, OPENDIR):
        return struct.pack("<Q2I", 0, 0, 0)
    if code == READ or code in NO_ANSWER:
        return None
    return b"" if code in DONE else errno.ENOSYS


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    fd = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={fd},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
    if libc.mount(b"withhold", sys.argv[1].encode(), b"fuse", 0, options.encode()):
        sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")
    print("mounted", flush=True)
    while True:
        try:
            request = os.read(fd, 1 << 20)
        except OSError as err:
            if err.errno == errno.ENODEV:  # unmounted
                return
            continue
        _, code, unique, node = struct.unpack_from("<2I2Q", request)
        what = answer(code, node)
        if isinstance(what, int):
            os.write(fd, struct.pack("<IiQ", 16, -what, unique))
        elif what is not None:
            os.write(fd, struct.pack("<IiQ", 16 + len(what), 0, unique) + what)


main()
