# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""`pytrail events`: the table as text and as JSON, one event, one version, errors. No root."""
import fcntl
import json
import os
import struct
import subprocess
import termios

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PYTRAIL = os.environ.get("PYTRAIL", os.path.join(ROOT, "build", "pytrail"))


def run(*args):
    return subprocess.run([PYTRAIL, "events", *args], capture_output=True, text=True, timeout=60,
                          check=False)


def output(*args):
    result = run(*args)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def events(*args):
    return {e["event"]: e for e in map(json.loads, output("--json", *args).splitlines())}


def seeds():
    with open(os.path.join(ROOT, "tests", "unit", "seed_events.txt"), encoding="ascii") as file:
        return file.read().split()


def test_json_has_every_documented_event():
    assert [name for name in seeds() if name not in events()] == []


def test_json_of_one_event():
    assert json.loads(output("--json", "os.listdir")) == {
        "event": "os.listdir", "module": "os", "category": "file", "severity": 1,
        "platform": "all", "linux": True, "documented": True, "since": "3.8",
        "signatures": [{"args": ["path"], "since": "3.8", "documented": True}],
        "sources": [{"language": "C", "file": "Modules/posixmodule.c", "format": "O",
                     "versions": "3.8+"}],
    }


def test_json_until_and_alias():
    table = events()
    assert table["nntplib.connect"]["until"] == "3.12"
    assert table["sys.set_asyncgen_hook_firstiter"]["alias"] == "sys.set_asyncgen_hooks_firstiter"
    assert table["sys.set_asyncgen_hooks_firstiter"]["sources"] == []
    assert "until" not in table["open"] and "alias" not in table["open"]


def test_json_sources_are_taken_apart():
    sources = events("import")["import"]["sources"]
    assert {"language": "C", "file": "Python/import.c", "format": "OOOOO",
            "versions": "3.8+"} in sources
    python = next(s for s in sources if s["language"] == "Py")
    assert python["file"] == "Lib/importlib/_bootstrap.py"
    assert python["format"].endswith("getattr(sys, 'path_hooks', None)")
    assert events("ctypes.PyObj_FromPtr")["ctypes.PyObj_FromPtr"]["sources"][0]["format"] == "(O)"


def test_table_is_aligned():
    lines = output().splitlines()
    assert lines[0].split() == ["EVENT", "VERSIONS", "CATEGORY", "SEVERITY", "PLATFORM",
                                "ARGUMENTS"]
    starts = [lines[0].index(word) for word in lines[0].split()]
    for line in lines[1:]:
        for start in starts[1:]:
            assert line[start - 1] == " ", line
        assert line[starts[5]] != " ", line
    assert {line.split()[0] for line in lines if line[0] != " "} >= set(seeds())


def terminal_output(columns, *args):
    """What `pytrail events` prints on a terminal of so many columns."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
    process = subprocess.Popen([PYTRAIL, "events", *args], stdout=theirs, stdin=theirs)
    os.close(theirs)
    data = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # EIO: nobody has the other end any more
            break
        if not chunk:
            break
        data += chunk
    os.close(ours)
    assert process.wait(timeout=60) == 0
    return data.decode().replace("\r\n", "\n").splitlines()


def test_arguments_are_fitted_to_the_terminal():
    lines = terminal_output(100, "code.*", "open")
    assert max(map(len, lines)) <= 100
    start = lines[0].index("ARGUMENTS")
    names = " ".join(line[start:] for line in lines[1:-1])
    assert names == ("code, filename, name, argcount, posonlyargcount, kwonlyargcount, nlocals, "
                     "stacksize, flags")
    assert len(lines) > 3 and lines[2].startswith(" " * start)
    # Too narrow to be fitted: one line a signature, as in a file.
    assert terminal_output(60, "code.*", "open") == output("code.*", "open").splitlines()


def test_every_signature_has_a_line():
    lines = output("shutil.rm*").splitlines()
    assert lines[1].split() == ["shutil.rmtree", "3.11+", "file", "2", "all", "path,", "dir_fd"]
    assert lines[2].startswith(" ") and lines[2].split() == ["3.8-3.10", "path"]
    assert len(lines) == 3


def test_details_of_one_event():
    text = output("shutil.rmtree")
    assert text.startswith("shutil.rmtree\n")
    for words in [["severity", "2,", "low"], ["arguments", "3.11+", "path,", "dir_fd"],
                  ["3.8-3.10", "path"], ["raised", "3.8-3.10", "Py", "Lib/shutil.py", "(path)"]]:
        assert words in [line.split() for line in text.splitlines()]


def test_other_name_is_said():
    code, doc = "sys.set_asyncgen_hook_firstiter", "sys.set_asyncgen_hooks_firstiter"
    assert f"raised      as {code}\n" in output(doc)
    assert f"documented  as {doc}\n" in output(code)


def test_python_version():
    old, new = events("--python", "3.9"), events("--python", "3.14")
    assert "time.sleep" not in old and "time.sleep" in new
    assert "nntplib.connect" in old and "nntplib.connect" not in new
    assert [s["args"] for s in old["shutil.rmtree"]["signatures"]] == [["path"]]
    assert [s["args"] for s in new["shutil.rmtree"]["signatures"]] == [["path", "dir_fd"]]
    assert "3.11+" not in output("--python", "3.9")
    assert set(events("--python", "3.99")) == set(events("--python", "3.15"))


def test_globs():
    names = set(events("socket.*"))
    assert "socket.connect" in names and all(n.startswith("socket.") for n in names)
    assert set(events("socket.*", "open")) == names | {"open"}
    assert set(events("socket.*,!socket.connect")) == names - {"socket.connect"}
    assert set(events("shutil.[mr]*")) == {"shutil.make_archive", "shutil.move", "shutil.rmtree"}


def test_schema_is_json():
    assert json.loads(output("--json-schema"))["$schema"].startswith("https://json-schema.org/")


@pytest.mark.parametrize("args, status, sentence", [
    (["listdir"], 1, "there is no event 'listdir'; did you mean 'os.listdir'?"),
    (["open", "socket.conect"], 1,
     "there is no event 'socket.conect'; did you mean 'socket.connect'?"),
    (["qqqqqqqqqq"], 1, "there is no event 'qqqqqqqqqq'"),
    ([""], 1, "there is no event ''"),
    (["zz.*"], 1, "no event matches 'zz.*'"),
    (["--python", "3.9", "time.sleep"], 1, "Python 3.9 has no event 'time.sleep'"),
    (["a[b"], 2, "malformed pattern 'a[b': '[' has no ']'"),
    (["open,"], 2, "malformed pattern 'open,': there is an empty item between commas"),
    (["--python", "3.7"], 2, "'3.7' is no version"),
    (["--python", "2.7"], 2, "'2.7' is no version"),
    (["--python", "3."], 2, "'3.' is no version"),
    (["--python", "3.9.2"], 2, "'3.9.2' is no version"),
    (["--python", "3.4294967305"], 2, "is no version"),
    (["--python"], 2, "option '--python' needs a value"),
    (["--nonsense"], 2, "unknown option '--nonsense'"),
    (["-xy"], 2, "unknown option '-x'"),
    (["--json-schema", "open"], 2, "--json-schema goes with no other option"),
    (["open\n\x1b2J"], 1, "there is no event 'open\\n\\x1b2J'"),
])
def test_errors(args, status, sentence):
    result = run(*args)
    assert result.returncode == status
    assert result.stdout == ""
    assert result.stderr.startswith("pytrail: ") and sentence in result.stderr
    assert result.stderr.count("\n") == 1
