# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The command line where nothing is traced: help, usage errors, exit codes. Needs no root."""
import os
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PYTRAIL = os.environ.get("PYTRAIL", os.path.join(ROOT, "build", "pytrail"))
COMMANDS = ["trace", "top", "list", "events", "check", "replay", "spool", "daemon", "status", "help"]


def run(*args, **kwargs):
    kwargs.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([PYTRAIL, *args], stderr=subprocess.PIPE, text=True, timeout=60,
                          check=False, **kwargs)


def assert_usage_error(result, *words):
    """Exit status 2, one sentence on standard error, nothing on standard output."""
    assert result.returncode == 2, result
    assert result.stdout == ""
    assert result.stderr.startswith("pytrail: ") and result.stderr.count("\n") == 1, result.stderr
    for word in words:
        assert word in result.stderr


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version(option):
    result = run(option)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("pytrail ")


@pytest.mark.parametrize("args", [["--help"], ["-h"], ["help"]])
def test_overview_names_every_command(args):
    result = run(*args)
    assert (result.returncode, result.stderr) == (0, "")
    for command in COMMANDS:
        assert f"\n  {command} " in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(command):
    result = run("help", command)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"usage: pytrail {command}")
    if command != "help":
        assert run(command, "--help").stdout == result.stdout


def test_no_line_of_the_help_is_wide():
    for command in COMMANDS:
        assert max(map(len, run("help", command).stdout.splitlines())) <= 100


def test_help_of_trace_names_every_option():
    text = run("help", "trace").stdout
    for option in ["-p", "-f", "-e", "-o", "--duration", "--max-events", "--record", "--ring-size",
                   "--max-string", "--max-items", "--max-depth", "--stats", "--strict", "--probe",
                   "-q", "-v"]:
        assert option in text


def test_no_command():
    assert_usage_error(run(), "help")


def test_unknown_command_names_the_nearest():
    assert_usage_error(run("trcae"), "'trcae'", "'trace'")
    assert_usage_error(run("help", "lst"), "'lst'", "'list'")


def test_unknown_command_that_is_like_none():
    assert "did you mean" not in run("xyzzy").stderr
    assert_usage_error(run("x" * 5000))
    assert_usage_error(run("\x1b[31mred"))
    assert "\x1b" not in run("\x1b[31mred").stderr


@pytest.mark.parametrize("args", [
    ["--bogus"],
    ["trace", "--bogus"],
    ["trace", "-p"],
    ["trace", "-p", "x"],
    ["trace", "-p", "0"],
    ["trace", "-p", "-1"],
    ["trace", "-p", "1x"],
    ["trace", "-p", "99999999999999999999"],
    ["trace", "word"],
    ["trace", "-o", "nonsense"],
    ["trace", "-o", "nonsense:/tmp/x"],
    ["trace", "-o", ""],
    ["trace", "--duration", "soon"],
    ["trace", "--duration", "-1"],
    ["trace", "--duration", "nan"],
    ["trace", "--max-events", "-5"],
    ["trace", "--max-events", "many"],
    ["trace", "--ring-size", "0"],
    ["trace", "--ring-size", "64Q"],
    ["trace", "--ring-size", "1T"],
    ["trace", "--max-string", "x"],
    ["trace", "--max-items", "0"],
    ["trace", "--max-depth", "9"],
    ["trace", "--stats=x"],
    ["trace", "--probe", "x"],
    ["trace", "-p", "1", "--", "true"],
    ["top"],
    ["top", "--bogus"],
    ["top", "-o", "json"],
    ["top", "--record", "x"],
    ["top", "--batch", "0"],
    ["top", "--interval", "0"],
    ["top", "--by", "x"],
    ["top", "--once", "word"],
    ["top", "--once", "--", "true"],
    ["trace", "--once"],
    ["list", "--bogus"],
    ["list", "--watch=0"],
    ["list", "--watch=x"],
    ["list", "word"],
    ["events", "--bogus"],
    ["events", "--python", "x"],
    ["check", "--bogus"],
    ["replay"],
    ["replay", "--bogus"],
    ["help", "trace", "list"],
    ["spool", "--bogus"],
    ["spool", "empty"],
    ["spool", "show", "--ack"],
    ["spool", "--output"],
    ["spool", "show", "/a", "/b"],
])
def test_usage_errors(args):
    assert_usage_error(run(*args))


@pytest.mark.parametrize("pattern", ["", ",", "open,,os.*", "!", "open,!", "[a"])
def test_malformed_pattern(pattern):
    assert_usage_error(run("trace", "-e", pattern))


def test_full_disk_is_said():
    with open("/dev/full", "w", encoding="ascii") as full:
        for args in (["events"], ["events", "--json"], ["help"]):
            result = run(*args, stdout=full)
            assert result.returncode == 1
            assert "No space left on device" in result.stderr


def test_closed_pipe_is_quiet():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        result = run("events", stdout=closed)
    assert (result.returncode, result.stderr) == (0, "")


def test_replay_of_no_file():
    result = run("replay", "/no/such/file")
    assert result.returncode == 1
    assert "/no/such/file" in result.stderr and "No such file" in result.stderr
    assert result.stdout == ""
