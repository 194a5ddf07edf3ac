#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Takes the BTF out of a kernel: extract-btf.py FILE OUT

FILE is raw BTF (as /sys/kernel/btf/vmlinux), an ELF vmlinux, or a boot image that holds one or a
flat image compressed by gzip, xz, lzma or zstd (the latter by the program zstd).
"""
import lzma
import struct
import subprocess
import sys
import zlib

BTF_MAGIC = b"\x9f\xeb\x01\x00"  # little endian; version 1, flags 0 (linux/btf.h)
BTF_HEADER = 24


def unzstd(data):
    # A boot image goes on behind the stream: what came out before that error is what is wanted.
    return subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False).stdout


PACKERS = [
    (b"\x1f\x8b\x08", lambda d: zlib.decompressobj(31).decompress(d)),
    (b"\xfd7zXZ\0", lambda d: lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(d)),
    (b"\x5d\0\0", lambda d: lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(d)),
    (b"\x28\xb5\x2f\xfd", unzstd),
]


def find_btf(data):
    """The largest BTF in data, found by its header, whose lengths must hold together; or None."""
    best, at = None, data.find(BTF_MAGIC)
    while at >= 0:
        if at + BTF_HEADER <= len(data):
            header, type_off, type_len, str_off, str_len = struct.unpack_from("<5I", data, at + 4)
            end = at + header + str_off + str_len
            sane = header == BTF_HEADER and type_off == 0 and str_off == type_len
            if sane and end <= len(data) and (best is None or end - at > len(best)):
                best = data[at:end]
        at = data.find(BTF_MAGIC, at + 1)
    return best


def unpack(data):
    """What is compressed in a boot image, one by one."""
    for magic, decompress in PACKERS:
        at = data.find(magic)
        while at >= 0:
            try:
                out = decompress(data[at:])
            except (zlib.error, lzma.LZMAError, EOFError):
                out = b""
            if len(out) > len(data) // 2:
                yield out
            at = data.find(magic, at + 1)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    btf = find_btf(data)
    for image in unpack(data) if btf is None else ():
        btf = find_btf(image)
        if btf is not None:
            break
    if btf is None:
        sys.exit(f"extract-btf: no BTF in {sys.argv[1]}")
    with open(sys.argv[2], "wb") as file:
        file.write(btf)


if __name__ == "__main__":
    main()
