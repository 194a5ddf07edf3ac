# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What is installed beside the program: the unit, sample configurations, manifests, manual pages, completions."""
import glob
import os
import re
import shutil
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PYTRAIL = os.environ.get("PYTRAIL", os.path.join(ROOT, "build/pytrail"))
PKG = os.path.join(ROOT, "scripts/packaging")
EXPOSURE_MAX = 5.0  # of systemd-analyze security: what a tracer of all processes has to keep


def run(*args, **kwargs):
    return subprocess.run(args, capture_output=True, text=True, timeout=120, check=False, **kwargs)


def need(program):
    if not shutil.which(program):
        pytest.skip(f"{program} is not there")


def read(*path):
    with open(os.path.join(PKG, *path), encoding="utf-8") as file:
        return file.read()


@pytest.fixture(scope="module", name="root")
def root_fixture(tmp_path_factory):
    """What `make install` installs below a directory of its own."""
    root = tmp_path_factory.mktemp("root")
    done = run("make", "-s", "-C", ROOT, "install-files", f"SELF={PYTRAIL}", f"DESTDIR={root}",
               "PREFIX=/usr")
    assert done.returncode == 0, done.stderr
    return root


INSTALLED = [
    "usr/sbin/pytrail", "usr/lib/systemd/system/pytrail.service", "usr/lib/sysusers.d/pytrail.conf",
    "usr/lib/tmpfiles.d/pytrail.conf", "etc/logrotate.d/pytrail", "etc/pytrail/pytrail.yaml",
    "etc/pytrail/conf.d", "usr/share/man/man1/pytrail.1", "usr/share/man/man5/pytrail.yaml.5",
    "usr/share/man/man7/pytrail-events.7", "usr/share/bash-completion/completions/pytrail",
    "usr/share/zsh/vendor-completions/_pytrail", "usr/share/fish/vendor_completions.d/pytrail.fish",
    "usr/share/doc/pytrail/examples/kafka.yaml",
    "usr/share/doc/pytrail/examples/kubernetes/daemonset.yaml"]


def test_installed_files(root):
    for path in INSTALLED:
        assert (root / path).exists(), path
    assert (root / "etc/pytrail/pytrail.yaml").stat().st_mode & 0o777 == 0o600
    assert not re.search("@[A-Z]+@", (root / INSTALLED[1]).read_text())
    # what an administrator changed stays
    (root / "etc/pytrail/pytrail.yaml").write_text("# mine\n")
    run("make", "-s", "-C", ROOT, "install-files", f"SELF={PYTRAIL}", f"DESTDIR={root}", "PREFIX=/usr")
    assert (root / "etc/pytrail/pytrail.yaml").read_text() == "# mine\n"


def test_unit(root):
    need("systemd-analyze")
    unit = root / "usr/lib/systemd/system/pytrail.service"
    shown = run("systemd-analyze", "security", "--offline=true", str(unit))
    exposure = re.search(r"Overall exposure level for pytrail.service: ([\d.]+)", shown.stdout)
    assert exposure, shown.stdout + shown.stderr
    assert float(exposure[1]) <= EXPOSURE_MAX
    with open(os.path.join(ROOT, "SECURITY.md"), encoding="utf-8") as file:
        assert f"**{exposure[1]}**" in file.read()  # the figure in the documentation
    verified = run("systemd-analyze", "verify", "--man=no", "--root", str(root), "pytrail.service")
    assert not re.search("pytrail.service:.*(Unknown|Invalid|Failed to parse)", verified.stderr), \
        verified.stderr


def test_sysusers_and_tmpfiles(root):
    need("systemd-sysusers")
    done = run("systemd-sysusers", "--root", str(root))
    assert done.returncode == 0, done.stderr
    assert "\npytrail:" in "\n" + (root / "etc/passwd").read_text()
    done = run("systemd-tmpfiles", "--dry-run", "--create", str(root / INSTALLED[3]))
    assert "Unknown" not in done.stderr and "Invalid" not in done.stderr


def schemes():
    known = set()
    for line in run(PYTRAIL, "daemon", "--print-options").stdout.splitlines():
        cells = line.split("\t")
        if cells[0] == "section" and len(cells) > 3:
            known.update(cells[3].split(","))
    return known


@pytest.mark.parametrize("path", sorted(glob.glob(os.path.join(PKG, "config/*.yaml"))),
                         ids=os.path.basename)
def test_sample_configuration(path, tmp_path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for scheme in re.findall(r"to: ([\w+]+)://", text):
        if scheme not in schemes():
            pytest.skip(f"this pytrail has no receiver {scheme}")
    for secret in re.findall(r"/etc/pytrail/([\w.-]+)", text):
        (tmp_path / secret).write_text("secret\n")
        (tmp_path / secret).chmod(0o600)
    (tmp_path / "p.yaml").write_text(text.replace("/etc/pytrail/", f"{tmp_path}/"))
    done = run(PYTRAIL, "daemon", "-c", str(tmp_path / "p.yaml"), "--check-config")
    assert (done.returncode, done.stderr) == (0, "")


def test_every_recipe_of_the_issue_has_a_sample():
    names = {os.path.basename(p) for p in glob.glob(os.path.join(PKG, "config/*.yaml"))}
    assert names >= {n + ".yaml" for n in ("pytrail", "elastic", "splunk", "loki", "kafka", "rsyslog",
                                           "otlp")}


def test_kubernetes(tmp_path):
    yaml = pytest.importorskip("yaml")
    documents = list(yaml.safe_load_all(read("kubernetes/daemonset.yaml")))
    assert [d["kind"] for d in documents] == ["Namespace", "ServiceAccount", "ConfigMap", "DaemonSet"]
    assert all(d["apiVersion"] and d["metadata"]["name"] == "pytrail" for d in documents)
    spec = documents[3]["spec"]
    pod = spec["template"]["spec"]
    labels = spec["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"].items() <= labels.items()
    assert pod["hostPID"] is True and pod["automountServiceAccountToken"] is False
    container, = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    volumes = {v["name"] for v in pod["volumes"]}
    assert {m["name"] for m in container["volumeMounts"]} == volumes
    for volume in pod["volumes"]:
        assert len(volume) == 2  # name, and one kind
    # the configuration in it is one that this pytrail takes
    (tmp_path / "p.yaml").write_text(documents[2]["data"]["pytrail.yaml"])
    done = run(PYTRAIL, "daemon", "-c", str(tmp_path / "p.yaml"), "--check-config")
    assert (done.returncode, done.stderr) == (0, "")


def test_containerfile():
    words = {line.split()[0] for line in read("kubernetes/Containerfile").splitlines()
             if line and not line.startswith(("#", "\t", " "))}
    assert words == {"FROM", "COPY", "WORKDIR", "RUN", "ENTRYPOINT", "CMD"}


def test_logrotate(tmp_path):
    need("logrotate")
    log = tmp_path / "events.json"
    log.write_text("x\n")
    (tmp_path / "c").write_text(read("logrotate.conf").replace("/var/log/pytrail/*", f"{tmp_path}/*"))
    done = run("logrotate", "-d", "-s", str(tmp_path / "s"), str(tmp_path / "c"))
    assert done.returncode == 0 and "error" not in done.stderr


@pytest.mark.parametrize("page", [p for p in INSTALLED if "/man/" in p], ids=os.path.basename)
def test_manual_pages(root, page):
    need("man")
    done = run("man", "--warnings", "-l", str(root / page), env={**os.environ, "MANWIDTH": "80",
                                                                 "MANROFFSEQ": "", "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0 and done.stderr == ""
    assert len(done.stdout.splitlines()) > 60
    if shutil.which("mandoc"):
        done = run("mandoc", "-Tlint", "-Wwarning", str(root / page))
        assert done.stdout == ""


def test_manual_has_every_key_and_event(root):
    page = (root / INSTALLED[8]).read_text()
    for line in run(PYTRAIL, "daemon", "--print-options").stdout.splitlines():
        cells = line.split("\t")
        if cells[0] == "key":
            assert f".It Cm {cells[2]}\n" in page
    events = (root / INSTALLED[9]).read_text()
    for name in re.findall(r'"event":"([^"]+)"', run(PYTRAIL, "events", "--json").stdout):
        assert f".It Sy {name}\n" in events


# --- completions ---------------------------------------------------------------------------------


def completed(root, *words):
    """What bash offers for the last word."""
    script = f"""source {root}/usr/share/bash-completion/completions/pytrail
        COMP_WORDS=({' '.join(f"'{w}'" for w in words)}); COMP_CWORD={len(words) - 1}
        _pytrail; printf '%s\\n' "${{COMPREPLY[@]}}" """
    done = run("bash", "-c", script)
    assert done.stderr == ""
    return done.stdout.split()


def options_of(command):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "\n".join(
        line for line in run(PYTRAIL, "help", command).stdout.splitlines()
        if re.match(r" {2,8}-", line))))


def test_bash(root):
    assert "trace" in completed(root, "pytrail", "tr")
    assert completed(root, "pytrail", "trace", "--pro") == ["--probe", "--processes"]
    assert completed(root, "pytrail", "trace", "--probe", "=", "us") == ["usdt"]
    assert completed(root, "pytrail", "trace", "-e", "os.listd") == ["os.listdir", "os.listdrives"]
    assert completed(root, "pytrail", "help", "re") == ["replay"]


@pytest.mark.parametrize("command", ["trace", "top", "list", "events", "check", "replay", "daemon"])
def test_every_option_is_in_every_shell(root, command):
    wanted = options_of(command)
    assert wanted <= set(completed(root, "pytrail", command, "--"))
    zsh, fish = (root / INSTALLED[11]).read_text(), (root / INSTALLED[12]).read_text()
    part = re.search(rf"\n\t{command}\)\n.*?;;", zsh, re.S)[0]
    for option in wanted:
        assert re.search(rf"'\*{option}[=:']", part)
        assert re.search(rf"seen_subcommand_from {command}' -l {option[2:]}\b", fish)


@pytest.mark.parametrize("shell, path", [("bash", 10), ("zsh", 11), ("fish", 12)])
def test_syntax(root, shell, path):
    need(shell)
    done = run(shell, "-n", str(root / INSTALLED[path]))
    assert (done.returncode, done.stderr) == (0, "")
