# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""`pytrail trace -- COMMAND` and the options, as a user sees them: streams and exit codes."""
import json
import os
import shutil
import signal
import subprocess
import tempfile

import pytest
import util
from util import SUMMARY, SYSTEM_PYTHON, events, json_lines, run

THREE = 'import sys; [sys.audit("test.n", i) for i in range(3)]'


def trace(*args, code="pass", python=SYSTEM_PYTHON, **kwargs):
    return run("trace", "-o", "json", *args, "--", python, "-c", code, **kwargs)


def test_a_command_is_traced():
    result = trace(code='import os; os.listdir("/")')
    assert result.returncode == 0, result.stderr
    lines = [line for line in result.stdout.splitlines() if '"event":"os.listdir"' in line]
    mine = [line for line in lines if '"args":{"path":"/"}' in line]
    assert len(mine) == 1
    record = json.loads(mine[0])
    assert record["type"] == "audit" and record["known"] is True
    assert record["python"]["probe"] == "usdt" and record["python"]["version"].startswith("3.")
    process = record["process"]
    assert process["pid"] == process["tid"] and process["uid"] == os.getuid()
    assert os.path.realpath(process["exe"]) == os.path.realpath(SYSTEM_PYTHON)
    assert process["argv"] == [SYSTEM_PYTHON, "-c", 'import os; os.listdir("/")']
    assert process["cwd"] == os.getcwd()


def test_from_the_first_instruction():
    """The events of the start, which are raised before any code of the user, are all there."""
    code = ('import sys, os\n'
            'seen = []\n'
            'sys.addaudithook(lambda event, args: seen.append(event))\n')
    records = json_lines(trace(code=code).stdout)
    names = [r["event"] for r in events(records)]
    # CPython raises this one for the interpreter's configuration, before anything is imported.
    assert names.count("cpython.run_command") == 1
    first = [r for r in events(records, "import")][0]
    assert first["args"]["module"] in ("_frozen_importlib_external", "encodings", "zipimport",
                                       "_io", "marshal", "posix")
    assert names.index("import") < names.index("cpython.run_command")
    assert [r["seq"] for r in records] == list(range(len(records)))


@pytest.mark.parametrize("code, status", [
    ("raise SystemExit(7)", 7),
    ("raise ValueError", 1),
    ("import os; os.kill(os.getpid(), 9)", 128 + 9),
    ("import os; os.kill(os.getpid(), 15)", 128 + 15),
    ("import os; os._exit(255)", 255),
])
def test_the_status_is_the_commands(code, status):
    result = trace(code=code)
    assert result.returncode == status, result.stderr
    assert SUMMARY.search(result.stderr)


def test_a_command_that_does_not_exist():
    result = run("trace", "-o", "json", "--", "/no/such/command")
    assert result.returncode in (1, 126, 127)
    assert "/no/such/command" in result.stderr and result.stdout == ""


def test_a_command_on_the_path():
    name = os.path.basename(SYSTEM_PYTHON)
    result = run("trace", "-o", "json", "--", name, "-c", THREE,
                 env={**os.environ, "PATH": "/usr/sbin:/usr/bin:/bin"})
    assert result.returncode == 0, result.stderr
    assert len(events(json_lines(result.stdout), "test.n")) == 3


def test_the_commands_children_are_traced():
    code = f"import subprocess; subprocess.run([{SYSTEM_PYTHON!r}, '-c', {THREE!r}], check=True)"
    records = json_lines(trace(code=code).stdout)
    assert [r["args"]["arg0"] for r in events(records, "test.n")] == [0, 1, 2]
    pids = {r["process"]["pid"] for r in events(records)}
    child = events(records, "test.n")[0]["process"]
    assert len(pids) >= 2 and child["ppid"] in pids


def test_a_shell_that_starts_pythons():
    result = run("trace", "-o", "json", "--", "sh", "-c",
                 f"{SYSTEM_PYTHON} -c '{THREE}'; {SYSTEM_PYTHON} -c '{THREE}'; exit 5")
    assert result.returncode == 5
    records = events(json_lines(result.stdout), "test.n")
    assert len(records) == 6 and len({r["process"]["pid"] for r in records}) == 2


def test_others_are_not_traced(target):
    """With a command, only it."""
    with util.Tracer("-o", "json", "--", target.python, "-c", "input()") as tracer:
        # Standard input is empty: the command ends by itself.
        tracer.wait_end()
    assert not events(tracer.records(), pid=target.pid)


def test_the_command_has_the_usual_signals():
    """pytrail ignores SIGPIPE for itself, not for what it runs."""
    assert run("trace", "-o", "json", "--", "sh", "-c", "kill -PIPE $$").returncode == 128 + 13


def test_the_commands_streams_are_its_own(tmp_path):
    result = run("trace", "-o", f"json:{tmp_path}/out", "--", "sh", "-c", "cat; echo err >&2",
                 input="hello\n")
    assert result.returncode == 0
    assert result.stdout == "hello\n" and "err\n" in result.stderr


def test_standard_output_is_json_when_it_is_no_terminal():
    result = run("trace", "--", SYSTEM_PYTHON, "-c", THREE)
    assert len(events(json_lines(result.stdout), "test.n")) == 3


def test_text_has_no_control_characters():
    code = 'import sys; sys.audit("test.evil", "\\x1b[31mred\\r\\n\\x9b2J\\u202e")'
    result = run("trace", "-o", "text", "-e", "test.evil", "--", SYSTEM_PYTHON, "-c", code)
    lines = [line for line in result.stdout.split("\n") if "test.evil" in line]
    assert len(lines) == 1 and "red" in lines[0]
    assert not any(c < " " or "\x7f" <= c < "\xa0" or c == "\u202e" for c in lines[0])


def test_files_as_destinations(tmp_path):
    result = run("trace", "-o", f"json:{tmp_path}/a", "-o", f"text:{tmp_path}/b",
                 "-e", "test.n", "--", SYSTEM_PYTHON, "-c", THREE)
    assert (result.returncode, result.stdout) == (0, "")
    assert len(events(json_lines((tmp_path / "a").read_text()), "test.n")) == 3
    assert (tmp_path / "b").read_text().count("test.n") == 3


def test_summary_counts():
    result = trace("-e", "test.*", code=THREE)
    summary = SUMMARY.search(result.stderr)
    assert (summary["events"], summary["lost"], summary["processes"]) == ("3", "0", "1")
    assert int(summary["filtered"]) > 50


def test_quiet():
    result = trace("-q", code=THREE)
    assert result.stderr == "" and len(events(json_lines(result.stdout), "test.n")) == 3


def test_stats():
    result = trace("--stats", code=THREE)
    words = result.stderr.replace("=", " ").replace(":", " ").split()
    for word in ("seen", "emitted", "filtered", "lost"):
        assert any(word in w for w in words), result.stderr


def test_patterns():
    code = 'import sys; [sys.audit(n) for n in ("test.a", "test.b", "test.c", "other.d")]'
    got = [r["event"] for r in events(json_lines(trace("-e", "test.*,!test.b", code=code).stdout))]
    assert got == ["test.a", "test.c"]
    result = trace("-e", "test.a", "-e", "other.d", code=code)
    got = [r["event"] for r in events(json_lines(result.stdout))]
    assert got == ["test.a", "other.d"]
    got = {r["event"] for r in events(json_lines(trace("-e", "!import,!open", code=code).stdout))}
    assert {"test.a", "test.b", "test.c", "other.d"} < got and not got & {"import", "open"}


def test_a_long_name_is_filtered_too():
    """Longer than what the kernel side compares."""
    name = "test." + "x" * 300
    code = f'import sys; sys.audit("{name}1"); sys.audit("{name}2")'
    got = [r["event"] for r in events(json_lines(trace("-e", name + "1", code=code).stdout))]
    assert got == [name + "1"]


def test_an_unknown_event_is_warned_of_and_traced():
    result = trace("-e", "opne,test.n", code=THREE)
    assert result.returncode == 0
    warning = [line for line in result.stderr.splitlines() if "opne" in line]
    assert len(warning) == 1 and "open" in warning[0]
    assert len(events(json_lines(result.stdout))) == 3


def test_max_events():
    result = trace("--max-events", "5", code=THREE)
    assert len(events(json_lines(result.stdout))) == 5
    assert SUMMARY.search(result.stderr)["events"] == "5"


def test_limits_are_marked():
    code = 'import sys; sys.audit("test.big", "x" * 1000, list(range(50)), [[[[1]]]])'
    result = trace("-e", "test.big", "--max-string", "16", "--max-items", "3", "--max-depth", "2",
                   code=code)
    record, = events(json_lines(result.stdout))
    assert record["args"]["arg0"] == "x" * 16
    assert record["truncated"]["args.arg0"]["length"] == 1000
    assert record["args"]["arg1"] == [0, 1, 2]
    assert record["truncated"]["args.arg1"]["length"] == 50
    assert any(key.startswith("args.arg2") for key in record["truncated"])


def test_a_full_disk():
    result = run("trace", "-o", "json:/dev/full", "--", SYSTEM_PYTHON, "-c", THREE)
    assert "No space left on device" in result.stderr
    assert result.returncode == 1


def test_a_full_disk_on_standard_output():
    with open("/dev/full", "w", encoding="ascii") as full:
        result = trace(code=THREE, stdout=full)
    assert "No space left on device" in result.stderr
    assert result.returncode == 1


def test_a_closed_pipe():
    """As `| head -1`: it ends, and says nothing of it."""
    with subprocess.Popen([util.PYTRAIL, "trace", "-o", "json", "--", SYSTEM_PYTHON, "-c", THREE],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(util.LIMIT) in (0, 128 + signal.SIGPIPE)
    assert "roken pipe" not in said


def test_record_and_replay(tmp_path):
    record = str(tmp_path / "records")
    code = ('import sys, os; os.listdir("/");'
            ' sys.audit("test.v", None, True, -5, 2**200, 1.5, "é\\u20ac\\U0001f600",'
            ' b"\\0\\xff", [1, (2,)], {"k": [3]}, {1: 2}, {4}, len, int, sys, ValueError(1))')
    result = trace("--record", record, code=code)
    assert result.returncode == 0, result.stderr
    replayed = run("replay", record, "-o", "json")
    assert replayed.returncode == 0, replayed.stderr
    assert replayed.stdout == result.stdout
    with open(record, "rb") as file:
        assert run("replay", "-", "-o", "json", stdin=file).stdout == result.stdout
    filtered = run("replay", record, "-o", "json", "-e", "test.v")
    assert len(events(json_lines(filtered.stdout))) == 1


def test_not_root():
    """Exit status 3, one sentence that says what is missing."""
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    with tempfile.TemporaryDirectory() as directory:  # that nobody can read
        os.chmod(directory, 0o755)
        program = shutil.copy(util.PYTRAIL, directory)
        for args in (["-p", str(os.getpid())], [], ["--", "/bin/true"]):
            result = subprocess.run([*nobody, program, "trace", "-o", "json", *args], text=True,
                                    capture_output=True, timeout=util.LIMIT, check=False)
            assert result.returncode == 3, result
            assert result.stdout == "" and result.stderr.count("\n") == 1, result.stderr
            assert "root" in result.stderr or "CAP_" in result.stderr


def test_check_says_that_this_host_can_be_traced():
    result = run("check")
    assert result.returncode == 0, result.stdout + result.stderr
    data = json.loads(run("check", "--json").stdout)
    assert isinstance(data, dict)


def test_list_shows_a_live_process(target):
    shown = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    mine = [r for r in shown if r["pid"] == target.pid]
    assert len(mine) == 1 and "3." in json.dumps(mine[0])
    assert any(str(target.pid) in line for line in run("list").stdout.splitlines())


def test_sighup_opens_files_anew(tmp_path, target):
    """What logrotate does: rename, SIGHUP. Nothing of what comes before or after is missing."""
    path, moved = tmp_path / "x.json", tmp_path / "moved.json"
    with util.Tracer("-p", str(target.pid), "-o", f"json:{path}") as tracer:
        tracer.wait_attached(target)
        target.do('sys.audit("test.before")')
        util.wait_until(lambda: b"test.before" in path.read_bytes(), "the event is in the file")
        path.rename(moved)
        tracer.process.send_signal(signal.SIGHUP)
        util.wait_until(path.exists, "there is a new file")
        target.do('sys.audit("test.after")')
        util.wait_until(lambda: b"test.after" in path.read_bytes(), "the event is in the new file")
        assert tracer.stop() == 0
    assert b"test.before" in moved.read_bytes() and b"test.after" not in moved.read_bytes()


def test_sighup_ends_it_without_files(target):
    with util.Tracer("-p", str(target.pid), "-o", "json") as tracer:
        tracer.wait_attached(target)
        assert tracer.stop(signal.SIGHUP) == 0
