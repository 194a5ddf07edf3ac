# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""`pytrail top`: its figures against a known number of events, its screen and keys in a real terminal
(tmux), and that it gives the terminal back however it ends. `list --watch` too."""
import json
import os
import re
import shutil
import signal
import subprocess

import bpfmaps
import pytest
import util
from util import PYTRAIL, SUMMARY, Target, Tracer, wait_until

# Raises as many events as each line of standard input says.
COUNTED = """
import os, sys
os.write(1, b"ready\\n")
while True:
    line = os.read(0, 16)
    if not line:
        break
    for number in range(int(line)):
        sys.audit("test.odd" if number & 1 else "test.even", number)
    os.write(1, b"done\\n")
"""


class Counted(Target):
    def __init__(self, python, *args):
        super().__init__(python, COUNTED, args)
        self.expect("ready")
        self.map = self.probes.bias(self.pid, os.path.realpath(python))

    def go(self, number):
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()
        self.expect("done")


class Batch(Tracer):
    """`pytrail top --batch` beside the test."""

    def __init__(self, *args):  # pylint: disable=super-init-not-called
        original = subprocess.Popen

        def popen(command, **kwargs):
            return original([PYTRAIL, "top", "-v", *command[3:]], **kwargs)
        util.subprocess.Popen = popen
        try:
            super().__init__(*args)
        finally:
            util.subprocess.Popen = original

    def tables(self):
        """[{title: [row's words]}] of every text that is complete."""
        with self.changed:
            text = "\n".join(self.lines)
        return [block.splitlines() for block in text.split("\n\n") if block]


def total_of(lines, name):
    """The TOTAL of the row whose last words are `name`, in a table's lines."""
    at = lines[0].split().index("TOTAL")
    for line in lines[1:]:
        if line.endswith(name):
            return int(line.split()[at])
    return 0


def tables_by(tracer, title):
    return [t for t in tracer.tables() if t[0].endswith(title)]


def test_batch_figures_are_the_number_of_events(python):
    with Counted(python) as target, Batch(
            "-p", str(target.pid), "-e", "test.*", "--batch", "100000", "--interval",
            "0.1") as tracer:
        tracer.wait_attached(target)
        target.go(1000)
        target.go(2001)
        wait_until(lambda: [t for t in tables_by(tracer, "EVENT") if total_of(t, "test.even")],
                   "a table with events")
        assert tracer.stop() == 0
        summary = SUMMARY.search(tracer.stderr)
        assert (summary["events"], summary["lost"], summary["processes"]) == ("3001", "0", "1")
        by_event, by_process = tables_by(tracer, "EVENT")[-1], tables_by(tracer, "COMMAND")[-1]
        assert total_of(by_event, "test.even") == 500 + 1001
        assert total_of(by_event, "test.odd") == 500 + 1000
        assert [line.split()[0] for line in by_process[1:]] == [str(target.pid)]
        assert int(by_process[1].split()[6]) == 3001
        assert total_of(tables_by(tracer, "PROCESSES  CONTAINER")[-1], "(none)") == 3001
        heads = [t for t in tracer.tables() if t[0].startswith("20")]
        assert "events 3001 " in heads[-1][0] and " lost 0 " in heads[-1][0]


def test_a_batch_ends_by_itself(target):
    result = util.run("top", "-p", str(target.pid), "--batch", "3", "--interval", "0.1", "--by",
                      "event")
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("SEV  CATEGORY") == 3 and "COMMAND" not in result.stdout


def test_names_are_escaped(target):
    with Batch("-p", str(target.pid), "--batch", "100000", "--interval", "0.1") as tracer:
        tracer.wait_attached(target)
        target.do('sys.audit("test.\\x1b[31m\\u202e\\n")')
        wait_until(lambda: "\\x1b[31m\\u202e\\n" in "\n".join(tracer.lines), "the row")
        assert tracer.stop() == 0
        assert not any(c in "".join(tracer.lines) for c in "\x1b\u202e")


def test_a_reader_that_goes_away(target):
    with subprocess.Popen([PYTRAIL, "top", "-q", "-p", str(target.pid), "--batch", "100000",
                           "--interval", "0.1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(util.LIMIT) == 0


def test_children_for_whom_there_is_no_room(target, tmp_path):
    """A process that is not followed is counted and said, not silently missed."""
    with Tracer("-p", str(target.pid), "-f", "-o", "json:/dev/null") as tracer:
        tracer.wait_attached(target)
        processes = bpfmaps.of_process(tracer.process.pid)["processes"]
        # of processes that there cannot be
        bpfmaps.fill(processes["id"], range(1 << 23, (1 << 23) + processes["max_entries"]),
                     tmp_path)
        target.do("pid = os.fork(); pid or os._exit(0); os.waitpid(pid, 0)")
        wait_until(lambda: "could not be followed" in tracer.stderr, "it is said")
        tracer.stop()


# --- in a terminal -------------------------------------------------------------------------

needs_tmux = pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")


class Terminal:
    """A command in a terminal of its own. Files before and after hold the terminal's settings, status
    the command's exit status."""

    def __init__(self, directory, *command, env=""):
        self.directory = directory
        self.tmux = ["tmux", "-S", str(directory / "socket"), "-f", "/dev/null"]
        words = " ".join(f"'{word}'" for word in command)
        script = (f"stty -g > before; {env} {words} 2> stderr & echo $! > pid; fg >/dev/null;"
                  f" echo $? > status; stty -g > after; echo; echo THE END; exec cat")
        with open(directory / "script", "w", encoding="ascii") as file:
            file.write("set -m\n" + script + "\n")
        self.run("new-session", "-d", "-x", "120", "-y", "24", "-c", str(directory),
                 f"LC_ALL=C.UTF-8 bash {directory}/script")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run([*self.tmux, "kill-server"], capture_output=True, check=False)

    def run(self, *args):
        return subprocess.run([*self.tmux, *args], capture_output=True, text=True, check=True,
                              timeout=util.LIMIT).stdout

    def screen(self):
        return self.run("capture-pane", "-p")

    def keys(self, *names):
        self.run("send-keys", *names)

    def expect(self, pattern, what=None):
        """Waits until the screen matches; the match."""
        return wait_until(lambda: re.search(pattern, self.screen(), re.M), what or pattern)

    def read(self, name):
        path = self.directory / name
        return path.read_text() if path.exists() else ""

    def pid(self):
        return int(wait_until(lambda: self.read("pid").strip(), "the command runs"))

    def ended(self):
        """Its exit status, the terminal as it was before."""
        wait_until(lambda: self.read("after"), "it ends")
        self.expect("^THE END")
        assert self.read("after") == self.read("before"), "the terminal is left in another mode"
        assert self.run("display", "-p", "#{alternate_on} #{cursor_flag}").split() == ["0", "1"]
        return int(self.read("status"))


@pytest.fixture(name="top")
def fixture_top(tmp_path, python):
    with Counted(python) as target, Terminal(
            tmp_path, PYTRAIL, "top", "-p", str(target.pid), "--interval", "0.1") as terminal:
        terminal.target = target
        terminal.expect("^ +PID .* COMMAND")
        wait_until(target.is_attached, "it is attached")
        yield terminal


@needs_tmux
def test_a_screen(top):
    top.target.go(10)
    row = top.expect(rf"^ *{top.target.pid} .*usdt .*")
    assert row[0].split()[6] == "10"
    top.expect(r"^events 10 \(.*/s\)  filtered 0  lost 0  processes 1  cpu \d")
    top.keys("e")
    top.expect("CATEGORY +EVENT$")
    lines = top.screen().splitlines()
    assert any(re.match(r" +[\d.]+ +5 .* test.odd$", line) for line in lines)
    top.keys("c")
    top.expect(r"^ +[\d.]+ +10 +1 +\(none\)")
    top.keys("p")
    top.expect(rf"^ *{top.target.pid} ")
    top.keys("?")
    top.expect("^q +quit")
    top.keys("q")
    assert top.ended() == 0
    assert SUMMARY.search(top.read("stderr"))["events"] == "10"


@needs_tmux
def test_filter_and_sort(top):
    top.target.go(11)
    top.keys("e")
    top.expect("test.even")
    # by name: from A on
    top.keys("<")
    wait_until(lambda: top.screen().find("test.even") < top.screen().find("test.odd"), "sorted")
    top.keys("r")
    wait_until(lambda: 0 < top.screen().find("test.odd") < top.screen().find("test.even"),
               "the other way round")
    top.keys("/", "o", "d", "d")
    top.expect("^filter: odd_")
    wait_until(lambda: "test.even" not in top.screen(), "filtered")
    top.keys("Enter")
    top.expect("^filter: odd$")
    top.keys("/", "C-u", "*", "v", "e", "n", "Enter")
    top.expect("test.even")
    assert "test.odd" not in top.screen()
    top.keys("/", "C-u", "Enter")
    top.expect("test.odd")
    top.keys("q")
    assert top.ended() == 0


@needs_tmux
def test_pause(top):
    top.target.go(10)
    top.expect("^events 10 ")
    top.keys("Space")
    top.expect("paused")
    top.target.go(5)
    top.keys("e")
    top.expect("^ +[\\d.]+ +5 .*test.even")
    top.expect("^events 10 ")
    top.keys("Space")
    top.expect("^events 15 ")
    top.expect("^ +[\\d.]+ +8 .*test.even")
    top.keys("q")
    assert top.ended() == 0


@needs_tmux
def test_resize_and_scroll(top):
    top.target.go(10)
    top.keys("e")
    top.expect("test.odd")
    top.run("resize-window", "-x", "60", "-y", "5")
    wait_until(lambda: len(top.screen().splitlines()) == 5 and
               max(map(len, top.screen().splitlines())) <= 60, "redrawn")
    # one row is left: the next ones by scrolling
    top.expect("test.(odd|even)$")
    first = top.expect("test.(odd|even)$")[1]
    top.keys("Down")
    top.expect("test.(?!%s)(odd|even)$" % first)
    top.keys("PPage")
    top.expect(f"test.{first}$")
    top.run("resize-window", "-x", "20", "-y", "3")
    top.run("resize-window", "-x", "150", "-y", "40")
    wait_until(lambda: "test.odd" in top.screen() and "test.even" in top.screen(), "both fit again")
    top.keys("q")
    assert top.ended() == 0


@needs_tmux
@pytest.mark.parametrize("number, status", [
    (signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGHUP, 0),
    (signal.SIGABRT, 128 + signal.SIGABRT), (signal.SIGQUIT, 128 + signal.SIGQUIT)])
def test_the_terminal_is_given_back(top, number, status):
    top.target.go(3)
    top.expect("^events 3 ")
    os.kill(top.pid(), number)
    assert top.ended() == status
    top.target.go(1)  # lives on


@needs_tmux
def test_a_key_is_a_signal(top):
    top.keys("C-c")
    assert top.ended() == 0


@needs_tmux
def test_a_terminal_that_is_not_known(tmp_path, target):
    with Terminal(tmp_path, PYTRAIL, "top", "-p", str(target.pid), env="TERM=nonesuch") as terminal:
        assert terminal.ended() == 2
        said = terminal.read("stderr")
        assert "'nonesuch'" in said and "--batch" in said


@needs_tmux
def test_what_is_logged_does_not_touch_the_screen(tmp_path, python):
    with Counted(python) as target, Terminal(
            tmp_path, PYTRAIL, "top", "-v", "-p", str(target.pid), "--interval", "0.1") as terminal:
        terminal.expect("COMMAND$")
        target.go(2)
        terminal.expect("^events 2 ")
        terminal.keys("q")
        assert terminal.ended() == 0
    assert "attached" in terminal.read("stderr")


# --- list ----------------------------------------------------------------------------------


def test_list_has_build_ids(target):
    line = [x for x in util.run("list").stdout.splitlines() if x.startswith(f"{target.pid} ")]
    head = util.run("list").stdout.splitlines()[0]
    assert "BUILD ID" in head and len(line) == 1
    notes = subprocess.run(["readelf", "-n", target.python], capture_output=True, text=True,
                           check=True).stdout
    build_id = re.search("Build ID: ([0-9a-f]+)", notes)[1]
    assert f" {build_id[:12]} " in line[0]
    assert f'"build_id":"{build_id}"' in util.run("list", "--json").stdout


def table_row(pid, *words):
    done = util.run("list", *words)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    row, = [x for x in lines if x.startswith(f"{pid} ")]
    return lines[0], row, done


def test_list_counts(python):
    """Events while it counts, by process; none are known without."""
    code = "import sys, time\nwhile True:\n    sys.audit('test.v')\n    time.sleep(0.01)\n"
    with Target(python, code=code) as busy, Target(python) as idle:
        head, row, done = table_row(busy.pid, "--count=0.5")
        assert "EVENTS" in head
        at = head.index("EVENTS")
        assert int(row[at:].split()[0]) > 0
        records = [json.loads(x) for x in util.run("list", "--json", "--count=0.3").stdout.splitlines()]
        by_pid = {r["pid"]: r for r in records}
        assert by_pid[busy.pid]["events"] > 0 and by_pid[idle.pid]["events"] == 0
        assert by_pid[busy.pid]["events_s"] >= 0.3
        assert "EVENTS" not in util.run("list").stdout
        assert '"events"' not in util.run("list", "--json").stdout


def test_list_counts_on(python):
    """With --watch from one table to the next; the end is that of a trace."""
    code = "import sys, time\nwhile True:\n    sys.audit('test.v')\n    time.sleep(0.001)\n"
    with Target(python, code=code) as busy, subprocess.Popen(
            [PYTRAIL, "list", "--json", "--watch=0.2", "--count"], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True) as process:
        counts = []
        for line in process.stdout:
            record = json.loads(line)
            if record["pid"] == busy.pid:
                counts.append(record["events"])
            if len(counts) > 3 and counts[-1] > counts[-3]:
                break
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(util.LIMIT) == 0
        assert counts == sorted(counts)
    assert not busy.process.returncode or busy.process.returncode < 0


@pytest.mark.parametrize("words", [["--count=0"], ["--count=x"], ["--count=-1"]])
def test_list_wrong_counts(words):
    assert util.run("list", *words).returncode == 2


def test_list_watch_appends(python):
    with subprocess.Popen([PYTRAIL, "list", "--watch=0.1"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout.readline().startswith("PID ")
        with Target(python) as target:
            line = next(x for x in process.stdout if x.startswith(f"{target.pid} "))
            assert python in line
        # and it goes again
        table = []
        for line in process.stdout:
            table = [] if line == "\n" else table + [line.split()[0]]
            if table and table[0] == "PID" and len(table) > 1 and line == "\n":
                break
            if line == "\n":
                continue
            if table[0] == "PID" and str(target.pid) not in table and len(table) > 1:
                break
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(util.LIMIT) == 0


@needs_tmux
def test_list_watch_redraws(tmp_path, python):
    with Terminal(tmp_path, PYTRAIL, "list", "--watch=0.1") as terminal:
        terminal.expect("^PID ")
        with Target(python) as target:
            terminal.expect(f"^{target.pid} ")
        wait_until(lambda: not re.search(f"^{target.pid} ", terminal.screen(), re.M), "it is gone")
        assert terminal.screen().count("PID ") == 1
        terminal.keys("C-c")
        assert terminal.ended() == 0
