# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The interpreters that there are to trace (tests/pythons/list.sh), and others made of them: stripped
copies, and executables with the interpreter in them, position-independent and not."""

import collections
import glob
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))

Python = collections.namedtuple("Python", "name version flavour probe command file")

MAIN = """
int Py_BytesMain(int argc, char **argv);

int main(int argc, char **argv)
{
	return Py_BytesMain(argc, argv);
}
"""


def listed():
    """All of them, by name."""
    said = subprocess.run([os.path.join(os.path.dirname(HERE), "pythons", "list.sh")],
                          stdout=subprocess.PIPE, check=True).stdout.decode()
    return {line.split("\t")[0]: Python(*line.split("\t")) for line in said.splitlines()}


def asked(python, code):
    """What an interpreter prints."""
    return subprocess.run([python.command, "-I", "-c", code], stdout=subprocess.PIPE,
                          check=True).stdout.decode().strip()


def minor(python):
    return ".".join(python.version.split(".")[:2])


def prefix_of(python):
    return asked(python, "import sys; print(sys.prefix)")


def headers(python):
    """The directory of Python.h, or None."""
    path = asked(python, "import sysconfig; print(sysconfig.get_path('include'))")
    return path if os.path.exists(os.path.join(path, "Python.h")) else None


def environment(python, libraries=None):
    """For a copy of the interpreter that lies somewhere else."""
    env = {**os.environ, "PYTHONHOME": prefix_of(python), "PYTHONHASHSEED": "0"}
    if libraries:
        env["LD_LIBRARY_PATH"] = libraries
    return env


def strip(path):
    """Removes all symbols but the dynamic ones."""
    subprocess.run(["strip", "-s", path], check=True)
    return path


def stripped_copy(python, directory):
    """Of an executable and the shared libpython that it uses: (command, environment), or None when it
    uses none."""
    library = glob.glob(os.path.join(prefix_of(python), "lib",
                                     "libpython%s.so.1.0" % minor(python)))
    if not library:
        return None
    for source in (python.file, library[0]):
        strip(shutil.copy(source, str(directory)))
    return os.path.join(str(directory), os.path.basename(python.file)), environment(
        python, str(directory))


def static(python, directory, pie):
    """A stripped executable that holds the interpreter: (command, environment), or None when there is no
    archive to make it of."""
    archive = glob.glob(os.path.join(prefix_of(python), "lib", "python" + minor(python), "config-*",
                                     "libpython%s.a" % minor(python)))
    if not archive:
        return None
    source, path = (os.path.join(str(directory), name)
                    for name in ("main.c", "python" + minor(python)))
    with open(source, "w", encoding="ascii") as file:
        file.write(MAIN)
    subprocess.run(["cc", "-O2", "-pie" if pie else "-no-pie", "-fPIE" if pie else "-fno-pie",
                    "-o", path, source, "-Wl,--export-dynamic", "-Wl,--whole-archive", archive[0],
                    "-Wl,--no-whole-archive", "-lpthread", "-ldl", "-lutil", "-lm"], check=True)
    return strip(path), environment(python)
