#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Static analysis: tests/lint/lint.py [--deep] [--jobs N] [FILE...] -- COMPILER FLAGS

clang-tidy (the checks of .clang-tidy), clang's static analyzer (what scan-build runs) and cppcheck over the C sources
of user/, and of bpf/ as the host compiles it; clang-tidy over those of tests/, too (tests/.clang-tidy): the others
do not know that cmocka's assertions do not return. Exit status 1 when any of them finds something. The analyzer
gives up a function after so many steps as CI has the time for; --deep lets it go on as far as it does by default.
What was clean is not looked at again while it, what it includes, the flags and the checks stay the same.
"""
import argparse
import concurrent.futures
import glob
import hashlib
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLEAN = os.path.join(ROOT, "build/lint")
NODES = 20000  # steps of the analyzer for a function; its own default is 225000
# BPF, and what is compiled with flags of its own.
LEFT_OUT = (".bpf.c", "bench/floor.c", "live/auditcalls.c", "live/embed.c")

CPPCHECK = ["cppcheck", "--enable=warning,performance,portability", "--std=c11", "--library=posix,gnu", "--quiet",
            "--inline-suppr", "--error-exitcode=1", "-D__x86_64__",
            "-DLIBBPF_OPTS(type,name,...)=struct type name={0}",
            "-Dbpf_object__for_each_program(pos,obj)=while ((pos = bpf_object__next_program(obj, pos)))", f"--suppressions-list={ROOT}/tests/lint/cppcheck",
            "--template={file}:{line}: {severity}: {message} [{id}]"]

RULES = {"clang-tidy": (".clang-tidy", "tests/.clang-tidy"), "analyzer": ("tests/lint/analyzer",),
         "cppcheck": ("tests/lint/cppcheck",)}


def sources():
    """Of all that is compiled for this host."""
    found = []
    for pattern in ("user/*.c", "user/*/*.c", "tests/*/*.c"):
        found += glob.glob(pattern, root_dir=ROOT)
    return sorted(path for path in found if not path.endswith(LEFT_OUT))


def closure(path, known):
    """The file and what it includes of ours: their contents' hash, by name."""
    if path in known:
        return known[path]
    known[path] = ""  # of a cycle
    with open(os.path.join(ROOT, path), "rb") as file:
        text = file.read()
    sums = [hashlib.sha256(text).hexdigest()]
    for name in re.findall(rb'^#\s*include "([^"]+)"', text, re.M):
        for base in (os.path.dirname(path), "", "user", "build/gen", "build"):
            candidate = os.path.normpath(os.path.join(base, name.decode()))
            if os.path.exists(os.path.join(ROOT, candidate)):
                sums.append(closure(candidate, known))
                break
    known[path] = hashlib.sha256(" ".join(sums).encode()).hexdigest()
    return known[path]


class Tool:
    """A command for one file; its output is what it found."""

    def __init__(self, name, command):
        self.name, self.command = name, command
        version = subprocess.run([command[0], "--version"], capture_output=True, check=True).stdout
        rules = b""
        for path in RULES[name]:
            with open(os.path.join(ROOT, path), "rb") as file:
                rules += file.read()
        self.salt = repr(command).encode() + version + rules

    def stamp(self, path, known):
        key = hashlib.sha256(self.salt + path.encode() + closure(path, known).encode()).hexdigest()
        return os.path.join(CLEAN, f"{self.name}-{key}")

    def applies(self, path):
        return self.name == "clang-tidy" or path.startswith("user/")

    @staticmethod
    def of_ours(said):
        """Without what it says of code that was generated, in build/, what tests/lint/analyzer has, and the steps of it."""
        with open(os.path.join(ROOT, "tests/lint/analyzer"), encoding="utf-8") as file:
            known = [line.strip() for line in file if not line.startswith("//")]
        kept, ours = [], False
        for line in said:
            found = re.match(r"(\S+?):\d+:\d+: (?:fatal )?(?:error|warning):.* \[([\w.]+)\]$", line)
            if found:
                ours = not found[1].startswith("build/") and f"{found[2]}:{found[1]}" not in known
            if ours and not re.match(r"\d+ errors? generated", line):
                kept.append(line)
        return kept

    def run(self, path):
        """What it says of a file, "" if it is clean."""
        words = [path if word == "FILE" else word for word in self.command]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        said = [line for line in (done.stdout + done.stderr).splitlines()
                if not re.match(r"\d+ warnings? (generated|treated)|Suppressed \d+|Use -header-filter", line)]
        if self.name == "analyzer" and done.returncode >= 0:
            said = self.of_ours(said)
            return "\n".join(said)
        if done.returncode and not said:
            said = [f"{path}: {self.name} ended with {done.returncode}"]
        return "\n".join(said) if done.returncode or any("warning:" in line for line in said) else ""


def tools(flags, deep):
    nodes = [] if deep else ["-Xclang", "-analyzer-config", "-Xclang", f"max-nodes={NODES}"]
    # not what is generated: it takes a minute to look at the skeleton's bytes
    defines = [flag for flag in flags if flag.startswith(("-D", "-I")) and not flag.startswith("-Ibuild")]
    return [
        Tool("clang-tidy", ["clang-tidy", "-quiet", "FILE", "--", *flags]),
        Tool("analyzer", ["clang", "--analyze", "--analyzer-output", "text", "-Xclang", "-analyzer-werror", *nodes,
                          *flags, "FILE"]),
        Tool("cppcheck", [*CPPCHECK, *defines, "FILE"]),
    ]


def main():
    if "--" not in sys.argv:
        sys.exit(__doc__)
    at = sys.argv.index("--")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deep", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("files", nargs="*")
    options = parser.parse_args(sys.argv[1:at])
    os.makedirs(CLEAN, exist_ok=True)
    begin, known, bad = time.monotonic(), {}, 0
    files = options.files or sources()
    work = [(tool, path, tool.stamp(path, known)) for tool in tools(sys.argv[at + 1:], options.deep)
            for path in files if tool.applies(path)]
    todo = [(tool, path, stamp) for tool, path, stamp in work if not os.path.exists(stamp)]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for (tool, path, stamp), said in zip(todo, pool.map(lambda job: job[0].run(job[1]), todo)):
            if said:
                bad += 1
                print(said, flush=True)
            else:
                with open(stamp, "w", encoding="ascii"):
                    pass
    print(f"lint: {len(files)} files, {len(todo)} of {len(work)} looks new, {bad} with findings, "
          f"{time.monotonic() - begin:.0f} s")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
