# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The BPF maps of a running pytrail, seen by bpftool: names, entries; and how to fill one."""
import json
import os
import re
import shutil
import struct
import subprocess

BPFTOOL = next((p for p in ("/usr/sbin/bpftool", "/usr/local/sbin/bpftool", "/usr/bin/bpftool")
                if os.path.exists(p)), None) or shutil.which("bpftool")


def bpftool(*args):
    result = subprocess.run([BPFTOOL, "-j", *args], capture_output=True, text=True, timeout=120,
                            check=False)
    return json.loads(result.stdout) if result.stdout.strip() else None


def of_process(pid):
    """{name: what bpftool says of the map}"""
    ids = set()
    for fd in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as info:
                found = re.search(r"^map_id:\s*(\d+)", info.read(), re.M)
        except FileNotFoundError:
            continue
        if found:
            ids.add(found[1])
    shown = [bpftool("map", "show", "id", number) for number in ids]
    return {m["name"]: m for m in shown if m and "name" in m}


def entries(number):
    """How many entries a hash map holds."""
    keys = bpftool("map", "dump", "id", str(number))
    return len(keys) if isinstance(keys, list) else 0


def fill(number, keys, tmp_path):
    """Puts keys, numbers of 32 bits with the value 1, into a map until there is no more room."""
    def hexadecimal(value):
        return " ".join(f"{byte:02x}" for byte in struct.pack("<I", value))
    batch = tmp_path / "batch"
    with open(batch, "w", encoding="ascii") as file:
        for key in keys:
            file.write(f"map update id {number} key hex {hexadecimal(key)}"
                       f" value hex {hexadecimal(1)}\n")
    return subprocess.run([BPFTOOL, "batch", "file", str(batch)], capture_output=True, text=True,
                          timeout=120, check=False)
