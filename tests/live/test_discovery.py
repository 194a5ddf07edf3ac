# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Pythons that start while pytrail runs, from files known and new: every event from the first one on
where that is promised, and what came too late is said. Each process counts for itself: it raises a
known number of events, under a number of its own.

fanotify holds the execs of the whole machine: these tests always end pytrail, whatever happens.
"""
import collections
import concurrent.futures
import glob
import os
import shutil
import subprocess
import threading
import time

import pytest
import util
from util import Tracer, events

ALL = os.environ.get("PYTRAIL_TEST_ALL") == "1"
HERE = os.path.dirname(os.path.abspath(__file__))
KNOWN_RUNS = 1000 if ALL else 300
# copies of the interpreter; 1,000 take minutes: PYTRAIL_TEST_FRESH=1000
FRESH_RUNS = int(os.environ.get("PYTRAIL_TEST_FRESH") or (100 if ALL else 40))
EACH = 5  # events of each process
CODE = f"import sys\nfor i in range({EACH}): sys.audit('test.v', int(sys.argv[1]), i)"
LIBPYTHON = next(iter(glob.glob("/usr/lib/*/libpython3.11.so.1.0")), None)

needs_libpython = pytest.mark.skipif(not LIBPYTHON, reason="Debian's libpython3.11 is not here")


def start(python, number):
    subprocess.run([python, "-I", "-S", "-c", CODE, str(number)], check=True, timeout=util.LIMIT,
                   env=util.python_env(), stdin=subprocess.DEVNULL)


def start_all(pairs):
    """[(interpreter, number)], a few at once; the number of each."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(start, *pair) for pair in pairs]:
            done.result()
    return [number for _, number in pairs]


def start_fresh(directory):
    """Each from a copy of its own, which goes when it has run; the number of each."""
    def one(number):
        start(fresh(directory, number), number)
        shutil.rmtree(directory / str(number))
        return number
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, range(FRESH_RUNS)))


def wait_ready(tracer, word="tracing every"):
    util.wait_until(lambda: word in tracer.stderr or tracer.process.poll() is not None,
                    "pytrail is ready")
    assert tracer.process.poll() is None, tracer.stderr


def seen(tracer):
    """How often each process's number was seen; no event twice, and none lost."""
    pairs = [(r["args"]["arg0"], r["args"]["arg1"]) for r in events(tracer.records(), "test.v")]
    assert len(set(pairs)) == len(pairs), "an event was reported twice"
    assert tracer.summary()["lost"] == 0
    assert tracer.summary()["events"] == len(pairs)
    return collections.Counter(number for number, _ in pairs)


def fresh(directory, number):
    return util.private_python(directory / str(number), f"python3.11-{number}")


# --- the interpreter's own executable ------------------------------------------------------


def test_a_known_file(python):
    """Nothing of it has run when pytrail starts: it is found by its name."""
    with Tracer("-o", "json", "-e", "test.v", "--interpreters", f"+{python}") as tracer:
        wait_ready(tracer)
        assert f" of {python} " in tracer.stderr
        numbers = start_all([(python, n) for n in range(KNOWN_RUNS)])
        assert tracer.stop() == 0
    assert seen(tracer) == {n: EACH for n in numbers}
    assert not any(python in line and "missing" in line for line in tracer.stderr.splitlines())


def test_fresh_files_with_hold(tmp_path):
    with Tracer("-o", "json", "-e", "test.v", "--hold-new=20000") as tracer:
        wait_ready(tracer, "is held")
        numbers = start_fresh(tmp_path)
        assert tracer.stop() == 0
    assert seen(tracer) == {n: EACH for n in numbers}
    own = [line for line in tracer.stderr.splitlines() if str(tmp_path) in line]
    assert not any("first events may be missing" in line for line in own)


def test_fresh_files_without_hold(tmp_path):
    """A race: how much of it is won is printed, and stands in the README. What is seen is right."""
    with Tracer("-o", "json", "-e", "test.v") as tracer:
        wait_ready(tracer)
        numbers = start_fresh(tmp_path)
        assert tracer.stop() == 0
    count = seen(tracer)
    assert set(count) <= set(numbers)
    complete = sum(n == EACH for n in count.values())
    print(f"fresh files without --hold-new: {sum(count.values())} of {len(numbers) * EACH} events, "
          f"{complete} of {len(numbers)} processes complete")


def test_a_script_and_its_interpreter(tmp_path):
    """The exec of a script: its interpreter is what is held."""
    script = tmp_path / "script"
    script.write_text(f"#!{fresh(tmp_path, 1)} -IS\nimport sys\nsys.audit('test.v', 1, 0)\n")
    script.chmod(0o755)
    with Tracer("-o", "json", "-e", "test.v", "--hold-new=20000") as tracer:
        wait_ready(tracer, "is held")
        subprocess.run([script], check=True, timeout=util.LIMIT, env=util.python_env())
        assert tracer.stop() == 0
    assert seen(tracer) == {1: 1}


def test_a_file_system_mounted_later(tmp_path):
    directory = tmp_path / "mounted"
    directory.mkdir()
    with Tracer("-o", "json", "-e", "test.v", "--hold-new=20000") as tracer:
        wait_ready(tracer, "is held")
        subprocess.run(["mount", "-t", "tmpfs", "none", directory], check=True)
        try:
            # the mount is taken notice of by the thread that answers: behind this exec
            subprocess.run(["true"], check=True)
            for number in range(5):
                start(fresh(directory, number), number)
            assert tracer.stop() == 0
        finally:
            subprocess.run(["umount", "-l", directory], check=True)
    assert seen(tracer)[4] == EACH


def test_children_of_a_command(tmp_path):
    python = fresh(tmp_path, 1)
    code = f"import subprocess; subprocess.run([{python!r}, '-I', '-S', '-c', {CODE!r}, '1'])"
    result = util.run("trace", "-o", "json", "-e", "test.v", "--hold-new=20000", "--",
                      util.SYSTEM_PYTHON, "-c", code, env=util.python_env())
    assert result.returncode == 0
    assert len(events(util.json_lines(result.stdout), "test.v")) == EACH
    assert "first events may be missing" not in result.stderr


# --- libpython -----------------------------------------------------------------------------


@pytest.fixture
def library(tmp_path):
    return shutil.copy(LIBPYTHON, tmp_path)


def build(tmp_path, *flags):
    program = str(tmp_path / "embed")
    subprocess.run(["cc", "-o", program, os.path.join(HERE, "embed.c"), "-ldl", *flags], check=True)
    return program


class Embedding:
    """The program at its first line of output: it has no Python in it yet, if it is not linked so."""

    def __init__(self, *words):
        self.process = subprocess.Popen(words, text=True, env=util.python_env(),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == "ready\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def finish(self):
        self.process.communicate("go\n", timeout=util.LIMIT)
        assert self.process.returncode == 0


def imports(records, pid):
    return [r["args"]["module"] for r in events(records, "import", pid)]


@needs_libpython
def test_a_library_that_is_loaded_late(tmp_path):
    """It is installed: the same events as when it was traced from its exec."""
    program = build(tmp_path)
    runs = []
    for _ in range(2):
        with Embedding(program, LIBPYTHON, "import json") as process, \
                Tracer("-o", "json", "-e", "import") as tracer:
            wait_ready(tracer)
            process.finish()
            assert tracer.stop() == 0
            assert f"process {process.process.pid}: the first" not in tracer.stderr
            assert tracer.summary()["lost"] == 0, tracer.stderr
        runs.append(imports(tracer.records(), process.process.pid))
    result = util.run("trace", "-o", "json", "-e", "import", "--interpreters", f"+{LIBPYTHON}", "--",
                      program, LIBPYTHON, "import json", env=util.python_env(), input="go\n")
    whole = imports(util.json_lines(result.stdout.replace("ready\n", "")), None)
    assert len(whole) > 10
    assert runs == [whole, whole]


@needs_libpython
def test_a_new_library_that_is_loaded_late(tmp_path, library):
    """It is attached as it is mapped, not by the next look at all processes, 5 s apart."""
    code = ("import sys, time\nprint('running', flush=True)\n"
            "end = time.monotonic() + 2\n"
            "while time.monotonic() < end: sys.audit('test.v', 1, 1); time.sleep(0.001)")
    with Tracer("-o", "json", "-e", "test.v") as tracer:
        wait_ready(tracer)
        for _ in range(3):  # one of them may be hit by the look at all processes
            with Embedding(build(tmp_path), library, code) as process:
                process.finish()
                tracer.wait_event("test.v", process.process.pid, limit=5)
        assert tracer.stop() == 0


@needs_libpython
def test_an_executable_that_needs_a_new_library(tmp_path, library):
    """Held at its exec, with what it will map: every event from the first on."""
    program = build(tmp_path, "-Wl,--no-as-needed", library, f"-Wl,-rpath,{tmp_path}")
    runs = []
    with Tracer("-o", "json", "-e", "import", "--hold-new=20000") as tracer:
        wait_ready(tracer, "is held")
        for _ in range(2):
            with Embedding(program, "-", "import json") as process:
                process.finish()
                runs.append(process.process.pid)
        assert tracer.stop() == 0
    said = [line for line in tracer.stderr.splitlines() if library in line]
    assert said and not any("missing" in line for line in said)
    first, second = (imports(tracer.records(), pid) for pid in runs)
    assert first == second and len(first) > 10


@needs_libpython
def test_another_mount_namespace(tmp_path, library):
    """The library's name means nothing here: it is found in the root of the process that is held."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    build(tmp_path, "-Wl,--no-as-needed", library, f"-Wl,-rpath,{elsewhere}")
    script = f"mount --bind {tmp_path} {elsewhere} && exec {elsewhere}/embed - 'import json'"
    runs = []
    with Tracer("-o", "json", "-e", "import", "--hold-new=20000") as tracer:
        wait_ready(tracer, "is held")
        for _ in range(2):
            with Embedding("unshare", "-m", "sh", "-c", script) as process:
                process.finish()
                runs.append(process.process.pid)
        assert tracer.stop() == 0
    first, second = (imports(tracer.records(), pid) for pid in runs)
    assert first == second and len(first) > 10
    own = [line for line in tracer.stderr.splitlines() if str(tmp_path) in line]
    assert own and not any("missing" in line for line in own)


# --- holding, and what must not come of it ---------------------------------------------------


class Stuck:
    """pytrail whose standard output is full: it attaches nothing more, while execs are held."""

    def __init__(self, hold_ms):
        self.process = subprocess.Popen(
            [util.PYTRAIL, "trace", "-v", "-o", "json", f"--hold-new={hold_ms}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "is held" in line:
                break
        # it is read no further: more than the pipe holds is written
        subprocess.run([util.SYSTEM_PYTHON, "-c", "import sys\n"
                        "for i in range(5000): sys.audit('test.v' * 20, i)"], check=True)
        util.wait_until(self.is_stuck, "pytrail waits for its reader")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def is_stuck(self):
        with open(f"/proc/{self.process.pid}/wchan", encoding="ascii") as file:
            return "pipe" in file.read()


def execute(python):
    """By a shell: Popen() itself waits in vfork() until its child has executed."""
    return subprocess.Popen(["sh", "-c", 'exec "$0" -I -S -c 1', python], env=util.python_env(),
                            stdin=subprocess.DEVNULL)


def is_held(process):
    """It waits in the kernel, as the shell still."""
    with open(f"/proc/{process.pid}/wchan", encoding="ascii") as file:
        return "fanotify" in file.read()


def test_the_time_is_bounded(tmp_path):
    python = fresh(tmp_path, 1)
    with Stuck(1000):
        begin = time.monotonic()
        with execute(python) as process:
            util.wait_until(lambda: is_held(process), "it is held")
            assert process.wait(util.LIMIT) == 0
        assert time.monotonic() - begin >= 0.9


def test_unrelated_programs_go_on(tmp_path):
    python = fresh(tmp_path, 1)
    with Stuck(20000), execute(python) as process:
        util.wait_until(lambda: is_held(process), "it is held")
        for number in range(50):
            copy = shutil.copy("/bin/true", tmp_path / f"true-{number}")
            subprocess.run([copy], check=True, timeout=util.LIMIT)
        subprocess.run([util.SYSTEM_PYTHON, "-c", "1"], check=True, timeout=util.LIMIT)
        assert is_held(process)
        process.kill()  # what is held can be killed
        assert process.wait(util.LIMIT) == -9


def test_its_death_lets_all_go(tmp_path):
    pythons = [fresh(tmp_path, number) for number in range(5)]
    with Stuck(20000) as pytrail:
        held = [execute(python) for python in pythons]
        for process in held:
            util.wait_until(lambda p=process: is_held(p), "it is held")
        begin = time.monotonic()
        pytrail.process.kill()
        assert [process.wait(util.LIMIT) for process in held] == [0] * 5
        assert time.monotonic() - begin < 15


def test_stopping_it_lets_all_go(python):
    """Between start and end of many traces, no exec is lost or hangs."""
    stop = threading.Event()

    def work():
        count = 0
        while not stop.is_set():
            subprocess.run(["true"], check=True, timeout=util.LIMIT)
            start(python, count)
            count += 1
        return count

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        worker = pool.submit(work)
        for _ in range(3):
            result = util.run("trace", "--hold-new", "-o", "json:/dev/null", "--duration", "0.3")
            assert result.returncode == 0
        stop.set()
        assert worker.result() > 0


# --- options ---------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["--interpreters", "python3"], ["--interpreters", "+"],
                                   ["--interpreters", ""], ["--hold-new=0"], ["--hold-new=x"]])
def test_wrong_words(words):
    assert util.run("trace", *words, "--", "true").returncode == 2


def test_no_interpreters():
    result = util.run("trace", "-v", "-o", "json", "--interpreters", "none", "--", "true")
    assert result.returncode == 0 and "attached" not in result.stderr
