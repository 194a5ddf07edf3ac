# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The configuration file, as `pytrail daemon --check-config` sees it: every key, every error."""
import os
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PYTRAIL = os.environ.get("PYTRAIL", os.path.join(ROOT, "build/pytrail"))
OUTPUT = "outputs: [{name: a, to: /dev/null}]\n"


def run(*args):
    return subprocess.run([PYTRAIL, "daemon", *args], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=False)


def check(tmp_path, text, fragments=()):
    """(exit status, standard output, the errors with the directory taken off)"""
    path = tmp_path / "p.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    for name, fragment in dict(fragments).items():
        (tmp_path / "conf.d").mkdir(exist_ok=True)
        (tmp_path / "conf.d" / name).write_text(fragment)
    result = run("-c", str(path), "--check-config")
    errors = result.stderr.replace(f"{tmp_path}/", "").replace("pytrail: ", "").splitlines()
    return result.returncode, result.stdout, errors


def options():
    """Section → key → (type, default, limits) of --print-options."""
    found = {}
    for line in run("--print-options").stdout.splitlines():
        kind, section, *rest = line.split("\t")
        if kind == "section":
            found[section] = {}
        else:
            key, of_type, default, limits, text = rest
            assert text and not text.endswith("."), line
            found[section][key] = (of_type, default, limits)
    return found


# --- what is good ------------------------------------------------------------------------


GIVEN = {  # where the type does not tell what is good
    ("trace", "events"): "[open, 'socket.*', '!socket.gethostname']",
    ("trace", "interpreters"): "+/opt/*/bin/python3",
    ("trace.select", "uid"): "[root, 1000, '!2']",
    ("trace.select", "cgroup"): "[/system.slice]",
    ("trace.select", "container"): "[abcdef]",
    ("outputs", "name"): "file",
    ("outputs", "to"): "/dev/null",
    ("outputs", "format"): "json",
    ("outputs", "events"): "['open']",
    ("trace", "max_string"): "16K",
    ("exporter", "user"): "nobody",
    ("redact", "rules"): "[all, '!input']",
    ("metrics", "listen"): "127.0.0.1:9464",
}


def example(section, key, of_type, default, limits):
    value = GIVEN.get((section, key))
    if value:
        return value
    if of_type == "choice":
        return limits.split("|")[-1]
    return {"text": "x", "yes/no": "yes", "number": "3", "size": "2M", "time": "1s",
            "list": "[a, 'b*', '!c']", "path": "/x/y"}[of_type]


def test_every_key(tmp_path):
    """Each key that the documentation is made from is taken, once, all together."""
    text, sections = "", options()
    for name in ("trace", "spool", "redact", "exporter", "metrics", "control", "log"):
        text += f"{name}:\n"
        for key, row in sections[name].items():
            text += f"  {key}: {example(name, key, *row)}\n"
        if name == "trace":
            text += "  select:\n"
            for key, row in sections["trace.select"].items():
                text += f"    {key}: {example('trace.select', key, *row)}\n"
    text += "outputs:\n  -\n"
    for key, row in {**sections["outputs"], **sections["outputs:file"]}.items():
        text += f"    {key}: {example('outputs', key, *row)}\n"
    assert check(tmp_path, text) == (0, "OK\n", [])


def test_defaults_are_good(tmp_path):
    sections = options()
    for name, keys in sections.items():
        for key, (of_type, default, limits) in keys.items():
            if not default or ":" in name or "." in name or name == "outputs":
                continue
            status, _, errors = check(tmp_path, f"{name}: {{{key}: {default}}}\n{OUTPUT}")
            assert (status, errors) == (0, []), (name, key)


def test_fragments_are_merged(tmp_path):
    status, out, errors = check(tmp_path, OUTPUT, {
        "20.yaml": "trace: {events: socket.*}\noutputs: [{name: b, to: /dev/null}]\n",
        "10.yaml": "trace: {events: [open], probe: usdt}\n",
        "not.yml": "this is not looked at",
        ".hidden.yaml": "neither is this",
    })
    assert (status, out, errors) == (0, "OK\n", [])


def test_aliases(tmp_path):
    text = "trace: {events: &e [open, 'socket.*']}\noutputs: [{name: a, to: /dev/null, events: *e}]\n"
    assert check(tmp_path, text)[0] == 0


def test_nothing_in_a_section(tmp_path):
    assert check(tmp_path, f"trace:\n# events: x\nmetrics:\n{OUTPUT}")[0] == 0


# --- what is not -------------------------------------------------------------------------


ERRORS = [
    ("trace:\n  evnts: open\n", "p.yaml:2:3: there is no key 'evnts' in 'trace'; did you mean 'events'?"),
    ("trace:\n  xyzzyxyzzy: 1\n", "p.yaml:2:3: there is no key 'xyzzyxyzzy' in 'trace'"),
    ("spol: {}\n", "p.yaml:1:1: there is no key 'spol' in the configuration; did you mean 'spool'?"),
    ("trace:\n  select: {exee: x}\n",
     "p.yaml:2:12: there is no key 'exee' in 'trace.select'; did you mean 'exe'?"),
    ("trace: [1]\n", "p.yaml:1:8: 'trace' is a section: keys below it, each with its value"),
    ("trace:\n  probe: usb\n", "p.yaml:2:10: 'probe' takes one of auto|usdt|uprobe, not 'usb'"),
    ("trace:\n  probe: usdt\n  probe: usdt\n", "p.yaml:3:3: 'probe' is given twice: at p.yaml:2:3, too"),
    ("log: {level: debug}\nlog: {}\n", "p.yaml:2:1: 'log' is given twice: at p.yaml:1:1, too"),
    ("trace:\n  probe: [usdt]\n", "p.yaml:2:10: 'probe' takes one value, not a list"),
    ("trace:\n  probe: {a: 1}\n", "p.yaml:2:10: 'probe' takes one value, not a section"),
    ("trace:\n  probe:\n", "p.yaml:2:9: 'probe' has no value"),
    ("trace:\n  probe: ~\n", "p.yaml:2:10: 'probe' has no value"),
    ("trace:\n  processes: 1\n", "p.yaml:2:14: 'processes' takes yes or no, not '1'"),
    ("trace:\n  max_items: 0\n", "p.yaml:2:14: 'max_items' takes a whole number from 1 to 4096, not '0'"),
    ("trace:\n  max_items: 1K\n",
     "p.yaml:2:14: 'max_items' takes a whole number from 1 to 4096, not '1K'"),
    ("trace:\n  ring_size: 3G\n",
     "p.yaml:2:14: 'ring_size' takes a size such as 512K or 64M from 4K to 2G, not '3G'"),
    ("trace:\n  hold_new: 5 parsecs\n",
     "p.yaml:2:13: 'hold_new' takes a time such as 200ms, 5s or 1h from 0s to 60s, not '5 parsecs'"),
    ("trace:\n  interpreters: python3\n",
     "p.yaml:2:17: 'interpreters' takes absolute globs separated by ':', with '+' in front to add "
     "them, or none, not 'python3'"),
    ("trace:\n  select: {uid: nosuchuser}\n", "p.yaml:2:17: --uid: there is no user 'nosuchuser'"),
    ("spool: {directory: spool}\n", "p.yaml:1:20: 'directory' takes an absolute path, not 'spool'"),
    ("metrics: {listen: '0.0.0.0:9464'}\n",
     "p.yaml:1:19: '0.0.0.0:9464' can be reached from other hosts: figures are served on a loopback "
     "address only, such as 127.0.0.1:9464, or unix:/path"),
    ("metrics: {listen: '9464'}\n",
     "p.yaml:1:19: this takes 127.0.0.1:PORT, [::1]:PORT or unix:/path, not '9464'"),
    ("outputs: {name: a}\n", "p.yaml:1:10: 'outputs' is a list: each output begins with '- name:'"),
    ("outputs: [a]\n", "p.yaml:1:11: an output is made of keys: 'name:', 'to:', …"),
    ("outputs: [{to: /x}]\n", "p.yaml:1:11: an output needs a 'name'"),
    ("outputs: [{name: x}]\n",
     "p.yaml:1:11: an output needs 'to': a receiver's URL, or the absolute path of a file"),
    ("outputs: [{name: x, to: y}]\n",
     "p.yaml:1:25: 'to' takes a receiver's URL or an absolute path, not 'y'"),
    ("outputs: [{name: 'A b', to: /x}]\n",
     "p.yaml:1:18: 'name' takes up to 31 of a-z, 0-9, _ and -, not 'A b'"),
    ("outputs:\n- {name: x, to: /x}\n- {name: x, to: /y}\n",
     "p.yaml:3:3: there are two outputs of the name 'x': at p.yaml:2:3, too"),
    ("redact: {rules: [nosuch]}\n", "p.yaml:1:18: "),
    ("outputs: [{name: x, to: /x, keep: 3}]\n",
     "p.yaml:1:25: 'keep' and 'compress' are of rotated files: set 'rotate_size' or"),
    ("outputs: [{name: x, to: /x, format: xml}]\n", "p.yaml:1:37: there is no format 'xml', there are "),
    ("outputs: [{name: x, to: /x, batch_wait: 1s}]\n",
     "p.yaml:1:29: there is no key 'batch_wait' in an output to a file"),
    ("outputs: [{name: x, to: 'nfs://x'}]\n",
     "p.yaml:1:25: there is no receiver of the scheme 'nfs', there are "),
    ("a: [1, 2\n", "p.yaml:2:1: this is not YAML: did not find expected ',' or ']' while parsing a flow"),
    ("- a\n", "p.yaml:1:1: a configuration is made of sections, such as 'outputs:'"),
    ("{a: 1}: 2\n", "p.yaml:1:1: a key is one word"),
    ("trace: {probe: !!str usdt}\n", "p.yaml:1:16: tags are not understood"),
    ("trace: {probe: *a}\n", "p.yaml:1:16: there is no anchor 'a' before this alias"),
    ("trace: &a {select: *a}\n", "p.yaml:1:20: there is no anchor 'a' before this alias"),
    ("trace: {probe: \"a\\0b\"}\n", "p.yaml:1:16: a NUL cannot be part of a value"),
    ("log: {}\n---\nlog: {}\n", "p.yaml:3:1: there is a second document: one file has one"),
    ("", "p.yaml: there is no output: say under 'outputs:' where events go"),
    (b"\xff\xfe\x00", "p.yaml:"),
]


@pytest.mark.parametrize("text, error", ERRORS)
def test_errors(tmp_path, text, error):
    status, out, errors = check(tmp_path, text)
    assert (status, out) == (2, "")
    assert any(line.startswith(error) for line in errors), errors


def test_all_errors_at_once(tmp_path):
    text = "trace: {evnts: 1, probe: x}\nspol: 1\noutputs: [{to: /x}]\nlog: {level: loud}\n"
    status, _, errors = check(tmp_path, text)
    assert status == 2
    assert [e.split(": ")[0] for e in errors] == ["p.yaml:1:9", "p.yaml:1:26", "p.yaml:2:1",
                                                  "p.yaml:3:11", "p.yaml:4:14"]


def test_a_key_of_two_files(tmp_path):
    status, _, errors = check(tmp_path, OUTPUT + "trace: {probe: usdt}\n",
                              {"1.yaml": "trace:\n  probe: auto\n"})
    assert (status, errors) == (2, ["conf.d/1.yaml:2:3: 'probe' is given twice: at p.yaml:2:9, too"])


def test_aliases_are_bounded(tmp_path):
    """A billion laughs."""
    text = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for i in range(9):
        text += f"b{i}: &a{i + 1} [{', '.join([f'*a{i}'] * 10)}]\n"
    status, _, errors = check(tmp_path, text)
    assert status == 2 and "there are more than 20000 values" in errors[0]


def test_depth_is_bounded(tmp_path):
    status, _, errors = check(tmp_path, "a: " + "[" * 5000 + "]" * 5000)
    assert status == 2 and "nested too deep" in errors[0]


def test_size_is_bounded(tmp_path):
    assert check(tmp_path, "#" * (1 << 20) + "#")[2][0] == "p.yaml: this is larger than 1M"


def test_a_file_that_others_can_write(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(OUTPUT)
    path.chmod(0o666)
    result = run("-c", str(path), "--check-config")
    assert result.returncode == 2
    assert "others can change this file: chown it to root and chmod o-w" in result.stderr


def test_files_that_are_none(tmp_path):
    result = run("-c", str(tmp_path / "none.yaml"), "--check-config")
    assert result.returncode == 2 and "cannot be read: No such file or directory" in result.stderr
    result = run("-c", str(tmp_path), "--check-config")
    assert result.returncode == 2 and "this is not a file" in result.stderr


def test_controls_do_not_reach_the_terminal(tmp_path):
    result = check(tmp_path, 'trace: {"\\e[31m": 1}\n')
    assert not any("\x1b" in line for line in result[2])


def test_words():
    assert run("--nope").returncode == 2
    assert run("-c").returncode == 2
    assert run("extra").returncode == 2
