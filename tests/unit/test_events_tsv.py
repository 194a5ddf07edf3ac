# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""events/audit.tsv and the scripts that read it. The checker must refuse whatever is wrong."""
import importlib.util
import os
import random
import re
import shutil
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(ROOT, "scripts", "gen-events.py")
CSTRING = os.path.join(ROOT, "scripts", "gen-cstring.py")
TABLE = os.path.join(ROOT, "events", "audit.tsv")
COLUMNS = ["event", "module", "category", "severity", "platform", "documented", "arguments",
           "sources"]


def run(*args):
    return subprocess.run([sys.executable, "-B", *args], capture_output=True, text=True,
                          timeout=60, check=False)


def read_table():
    """{name: {column: cell}} and the lines of the file."""
    with open(TABLE, encoding="ascii") as file:
        lines = file.read().splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")][1:]
    return {row[0]: dict(zip(COLUMNS, row)) for row in rows}, lines


@pytest.fixture(scope="module", name="gen_events")
def gen_events_module():
    spec = importlib.util.spec_from_file_location("gen_events", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- the table -----------------------------------------------------------------------------------

def test_table_is_right():
    result = run(SCRIPT, "check", TABLE)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_every_documented_event_is_there():
    """seed_events.txt: the names in the editions of CPython's audit events table, 3.8 to 3.14."""
    with open(os.path.join(ROOT, "tests", "unit", "seed_events.txt"), encoding="ascii") as file:
        names = file.read().split()
    events, _ = read_table()
    assert len(set(names)) == len(names) == 197
    assert [name for name in names if name not in events] == []
    assert [name for name in names if events[name]["documented"] == "no"] == []


def test_undocumented_events_are_there():
    events, _ = read_table()
    for name in ["_thread.start_joinable_thread", "pathlib.Path.walk", "_wmi.exec_query"]:
        assert events[name]["documented"] == "no"
        assert re.search(r"\(\?(, \?)*\)$", events[name]["arguments"])


def test_both_names_of_the_asyncgen_hooks():
    events, _ = read_table()
    for kind in ["firstiter", "finalizer"]:
        code, doc = f"sys.set_asyncgen_hook_{kind}", f"sys.set_asyncgen_hooks_{kind}"
        assert events[code]["documented"] == f"as:{doc}"
        assert events[doc]["sources"] == f"as:{code}"


def test_windows_only_events_are_marked():
    events, _ = read_table()
    for name, cell in events.items():
        if re.match(r"winreg\.|_winapi\.|msvcrt\.|_wmi\.", name):
            assert cell["platform"] == "windows", name


@pytest.mark.parametrize("readme, options", [("events/README.md", ["--full"]), ("README.md", [])])
def test_readme_has_the_table(readme, options):
    path = os.path.join(ROOT, readme)
    if readme == "README.md" and not os.path.exists(path):
        pytest.skip("there is no README.md")
    result = run(SCRIPT, "readme", TABLE, *options, "--check", path)
    assert (result.returncode, result.stderr) == (0, "")


# --- the checker ---------------------------------------------------------------------------------

def check(tmp_path, text):
    path = tmp_path / "audit.tsv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return run(SCRIPT, "check", str(path)), str(path)


def edited(event, cells):
    """The table with cells of one event changed, and the number of its line."""
    _, lines = read_table()
    number = next(i for i, line in enumerate(lines) if line.startswith(event + "\t"))
    row = dict(zip(COLUMNS, lines[number].split("\t")))
    row.update(cells)
    lines[number] = "\t".join(row[c] for c in COLUMNS)
    return "\n".join(lines) + "\n", number + 1


WRONG = [
    ({"event": "os.list dir"}, "is no name of an event"),
    ({"event": "os..listdir"}, "is no name of an event"),
    ({"event": "os.listdir" + "x" * 60}, "longer than 63 bytes"),
    ({"event": "zz.last"}, "rows are sorted"),
    ({"event": "open"}, "is on line"),
    ({"module": "os.path/"}, "is no name of a module"),
    ({"category": "files"}, "is no ECS category"),
    ({"severity": "0"}, "is not 1 to 5"),
    ({"severity": "6"}, "is not 1 to 5"),
    ({"severity": "01"}, "is not 1 to 5"),
    ({"platform": "macos"}, "is no platform"),
    ({"documented": "maybe"}, "documented is yes, no or as:NAME"),
    ({"documented": "as:open"}, "must exist and point back"),
    ({"documented": "as:nowhere.at_all"}, "must exist and point back"),
    ({"sources": "as:open"}, "must exist and point back"),
    ({"documented": "no"}, "has no names of arguments"),
    ({"arguments": "3.8+ (?)"}, "has a signature with names"),
    ({"arguments": "3.8+ path"}, "is no signature"),
    ({"arguments": "3.8+ (path);3.9+ ()"}, "is no signature"),
    ({"arguments": "3.8+ (path,mode)"}, "is no name of an argument"),
    ({"arguments": '3.8+ (pa"th)'}, "is no name of an argument"),
    ({"arguments": "3.8+ (path, path)"}, "comes twice"),
    ({"arguments": "3.8+ (path); 3.9+ (file)"}, "two signatures with 1 arguments"),
    ({"arguments": "3.8+ (" + ", ".join(f"a{i}" for i in range(17)) + ")"}, "more than 16"),
    ({"arguments": "3.8+ (path); 3.8+ (path, more)"}, "no source raises it with 2 arguments"),
    ({"arguments": "3.9+ (path)"}, "its sources raise it in 3.8+"),
    ({"arguments": "3.8-3.12 (path)"}, "its sources raise it in 3.8+"),
    ({"arguments": "3.7+ (path)"}, "outside 3.8 to 3.15"),
    ({"arguments": "3.16+ (path)"}, "outside 3.8 to 3.15"),
    ({"arguments": "3.8-3.99 (path)"}, "outside 3.8 to 3.15"),
    ({"arguments": "3.9-3.8 (path)"}, "does not ascend"),
    ({"arguments": "3.9-3.9 (path)"}, "does not ascend"),
    ({"arguments": "3.8-3.15 (path)"}, "write it 3.8+"),
    ({"arguments": "2.7+ (path)"}, "is no range of versions"),
    ({"arguments": "3.8+- (path)"}, "is no range of versions"),
    ({"sources": "C:Modules/posixmodule.c O 3.8+"}, "is no source"),
    ({"sources": "Rust:Modules/posixmodule.rs (O) 3.8+"}, "is no source"),
    ({"sources": "C:Modules/posix module.c (O) 3.8+"}, "is no source"),
    ({"sources": "C:Modules/posixmodule.c (N) 3.8+"}, "is no Py_BuildValue format"),
    ({"sources": "C:Modules/posixmodule.c () 3.8+"}, "is no Py_BuildValue format"),
    ({"sources": "C:Modules/posixmodule.c (OO) 3.8+"}, "no signature has as many"),
    ({"sources": "C:Modules/posixmodule.c (O{3}) 3.8+"}, "no signature has as many"),
    ({"sources": "C:Modules/posixmodule.c (NULL) 3.8+"}, "no signature has as many"),
    ({"sources": "Py:Lib/os.py (a, b) 3.8+"}, "no signature has as many"),
    ({"sources": "Py:Lib/os.py (f(a) 3.8+"}, "unbalanced brackets"),
    ({"sources": "Py:Lib/os.py (a,, b) 3.8+"}, "empty expression"),
    ({"sources": "C:a.c (O) 3.8+; C:a.c (O) 3.8+"}, "the same source comes twice"),
    ({"sources": " C:a.c (O) 3.8+"}, "blanks around it"),
    ({"category": ""}, "is empty"),
    ({"category": "file\tfile"}, "9 columns, not 8"),
    ({"module": "\u00f6s"}, "not ASCII"),
    ({"module": "o\x07s"}, "a control character"),
    ({"module": "os\r"}, "a control character"),
]


@pytest.mark.parametrize("cells, sentence", WRONG, ids=[f"{i}-{w[1]}" for i, w in enumerate(WRONG)])
def test_wrong_row_is_refused(tmp_path, cells, sentence):
    text, line = edited("os.listdir", cells)
    result, path = check(tmp_path, text)
    assert result.returncode == 1
    problems = result.stderr.splitlines()
    assert all(re.match(re.escape(path) + r":\d+: ", p) for p in problems), problems
    # The row of a sorting or uniqueness problem may be its neighbour.
    assert any(sentence in p for p in problems), problems
    if "event" not in cells:
        assert any(p.startswith(f"{path}:{line}: ") for p in problems)
    assert run(SCRIPT, "c", path).stdout == "", "nothing is generated from a wrong table"


def test_every_problem_is_said(tmp_path):
    text, line = edited("os.listdir", {"category": "files", "severity": "9", "platform": "vms"})
    result, path = check(tmp_path, text)
    assert len([p for p in result.stderr.splitlines() if p.startswith(f"{path}:{line}: ")]) == 3


@pytest.mark.parametrize("text, sentence", [
    ("", "no row of column names"),
    ("# only a comment\n", "no row of column names"),
    ("\t".join(COLUMNS) + "\n", "there is no event"),
    ("\t".join(reversed(COLUMNS)) + "\n", "the columns must be"),
    ("\t".join(COLUMNS), "the last line has no end"),
    ("\t".join(COLUMNS) + "\n\n", "1 columns, not 8"),
    (b"\xff\xfe\n", "not ASCII"),
    (b"\0\n", "a control character"),
])
def test_wrong_file_is_refused(tmp_path, text, sentence):
    result, _ = check(tmp_path, text)
    assert result.returncode == 1
    assert sentence in result.stderr


def test_no_file():
    result = run(SCRIPT, "check", "/nonexistent/audit.tsv")
    assert result.returncode == 1
    assert result.stderr == ("gen-events.py: cannot read '/nonexistent/audit.tsv': "
                             "No such file or directory\n")


def test_damaged_tables_are_refused_or_read(tmp_path, gen_events, capsys):
    """Bytes changed, dropped, doubled at random: never an exception, and what passes generates."""
    rng = random.Random(578)
    with open(TABLE, "rb") as file:
        lines = file.read().splitlines(keepends=True)
    head = [line for line in lines if line.startswith(b"event\t")]
    rows = lines[lines.index(head[0]) + 1:]
    path = tmp_path / "audit.tsv"
    refused = 0
    for _ in range(600):
        data = bytearray(b"".join(head + rng.sample(rows, 4)))
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(data))
            kind = rng.randrange(4)
            if kind == 0:
                data[at] = rng.randrange(256)
            elif kind == 1:
                del data[at:at + rng.randint(1, 8)]
            elif kind == 2:
                data[at:at] = data[at:at + rng.randint(1, 8)]
            else:
                data[at] = rng.choice(b"()\t\n;,:?{}+-.# 0\0\"'")
        path.write_bytes(data)
        table = gen_events.Table(str(path))
        assert all(line >= 1 and text for line, text in table.problems)
        refused += bool(table.problems)
        if not table.problems:
            gen_events.print_c(table)
            gen_events.markdown_full(table)
            gen_events.markdown_summary(table)
    capsys.readouterr()
    assert refused > 300


# --- what is generated ---------------------------------------------------------------------------

def test_hash_finds_every_event(gen_events):
    names = list(read_table()[0])
    slots, longest, seed = gen_events.best_slots(names)
    assert longest <= 4
    assert sorted(s for s in slots if s) == list(range(1, len(names) + 1))
    for index, name in enumerate(names):
        slot = gen_events.event_hash(name, seed)
        while slots[slot] != index + 1:
            assert slots[slot], name
            slot = (slot + 1) % len(slots)


def test_readme_is_updated_in_place(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("before\n<!-- events:begin -->\nold\n<!-- events:end -->\nafter\n")
    assert run(SCRIPT, "readme", TABLE, "--check", str(path)).returncode == 1
    assert run(SCRIPT, "readme", TABLE, "--update", str(path)).returncode == 0
    text = path.read_text()
    assert text.startswith("before\n<!-- events:begin -->\n")
    assert text.endswith("<!-- events:end -->\nafter\n")
    assert "| `os` |" in text and "old" not in text
    assert run(SCRIPT, "readme", TABLE, "--check", str(path)).returncode == 0
    assert run(SCRIPT, "readme", TABLE, "--update", str(path)).returncode == 0
    assert path.read_text() == text


@pytest.mark.parametrize("text", [
    "", "<!-- events:begin -->", "<!-- events:end -->\n<!-- events:begin -->",
    "<!-- events:begin --><!-- events:begin --><!-- events:end -->"])
def test_readme_without_markers_is_left_alone(tmp_path, text):
    path = tmp_path / "README.md"
    path.write_text(text)
    result = run(SCRIPT, "readme", TABLE, "--update", str(path))
    assert result.returncode == 1 and "must have the markers" in result.stderr
    assert path.read_text() == text


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler")
def test_cstring_round_trip(tmp_path):
    text = "".join(map(chr, range(1, 0x180)))
    text += "??=??/\n\\n \"quoted\" \\x41 \u20ac \U0001f40d 0\u00e90\n"
    source = tmp_path / "text"
    source.write_bytes(text.encode())
    made = run(CSTRING, "some_text", str(source))
    assert (made.returncode, made.stderr) == (0, "")
    program = tmp_path / "main.c"
    program.write_text(made.stdout + "#include <stdio.h>\nint main(void) "
                       "{ return fwrite(some_text, 1, sizeof(some_text) - 1, stdout) == 0; }\n")
    binary = str(tmp_path / "main")
    subprocess.run(["cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wtrigraphs", "-o", binary,
                    str(program)], check=True, timeout=60)
    assert subprocess.run([binary], capture_output=True, check=True).stdout == text.encode()


@pytest.mark.parametrize("name, data", [("2x", b"x"), ("a b", b"x"), ("x", b"\xff"),
                                        ("x", b"a\0b")])
def test_cstring_refuses(tmp_path, name, data):
    source = tmp_path / "text"
    source.write_bytes(data)
    result = run(CSTRING, name, str(source))
    assert result.returncode == 1 and result.stdout == "" and result.stderr.count("\n") == 1
