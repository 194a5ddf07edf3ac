# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""A virtual machine with a kernel of its own and the host's file system, read-only below a layer in
memory: runs one shell script in it. Of another architecture it has the root directory of tests/vm/sysroot.sh,
and of the host the clone, at its own place. Software emulation: no KVM is needed, and everything takes ten to
twenty times as long."""
import dataclasses
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
VIRTIOFSD = ("/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd")
STATUS = re.compile(rb"^guest exit status (\d+)\r?$", re.M)


@dataclasses.dataclass
class Machine:
    """What QEMU is to be for an architecture."""
    emulator: str
    options: list
    console: str


MACHINES = {
    # one processor and no cmpxchg16b: with QEMU 7.2 kernels crash at random otherwise
    "amd64": Machine("qemu-system-x86_64", ["-machine", "q35,accel=tcg", "-cpu", "max,-cx16"],
                     "ttyS0 mitigations=off"),
    "arm64": Machine("qemu-system-aarch64", ["-machine", "virt,accel=tcg", "-cpu", "cortex-a57"], "ttyAMA0"),
}


class Unavailable(Exception):
    """This machine cannot run guests, and why."""


@dataclasses.dataclass
class Result:
    status: int  # exit status of the script, -1: it did not come to an end
    output: str  # what it printed
    console: str  # file with the kernel's messages
    seconds: float


def find(program):
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        raise Unavailable(f"{program} is not installed (scripts/deps.sh vm)")
    return path


def virtiofsd():
    for path in VIRTIOFSD:
        if os.access(path, os.X_OK):
            return path
    raise Unavailable("virtiofsd is not installed (scripts/deps.sh vm)")


def make_initrd(kernel, script, path, root, share):
    """busybox, the modules that the kernel needs for the host's file system, and the script; where in the
    host's file system the guest's root is, and what of the host it has beside that."""
    with tempfile.TemporaryDirectory() as top:
        for name in ("bin", "modules", "etc"):
            os.mkdir(os.path.join(top, name))
        shutil.copy(os.path.join(root, "bin/busybox") if root else find("busybox"),
                    os.path.join(top, "bin/busybox"))
        shutil.copy(os.path.join(HERE, "guest-init"), os.path.join(top, "init"))
        os.chmod(os.path.join(top, "init"), 0o755)
        with open(os.path.join(top, "command"), "w", encoding="utf-8") as file:
            file.write(script)
        with open(os.path.join(top, "root-and-share"), "w", encoding="utf-8") as file:
            file.write(f"{root}\n{share}\n")
        with open(os.path.join(kernel, "insmod"), encoding="utf-8") as file:
            modules = file.read().split()
        with open(os.path.join(top, "modules/insmod"), "w", encoding="utf-8") as file:
            for number, module in enumerate(modules):
                name = f"{number:02}-{os.path.basename(module)}"
                # busybox's insmod knows no xz of newer kernels
                target = os.path.join(top, "modules", name)
                shutil.copy(os.path.join(kernel, module), target)
                if name.endswith(".xz"):
                    subprocess.run([find("xz"), "-d", target], check=True)
                    name = name[:-len(".xz")]
                file.write(name + "\n")
        names = subprocess.run(["find", ".", "-print0"], cwd=top, capture_output=True, check=True)
        with open(path, "wb") as out:
            subprocess.run([find("cpio"), "--null", "-o", "-H", "newc", "--quiet", "-R", "0:0"], cwd=top,
                           input=names.stdout, stdout=out, check=True)


def qemu_command(kernel, work, memory, boot, machine):
    # an emulated processor may be without a real one for longer than the kernel's 21 seconds
    words = f"panic=-1 quiet rcupdate.rcu_cpu_stall_timeout=300 cgroup_no_v1=all console={machine.console} {boot}"
    console, out = os.path.join(work, "console.log"), os.path.join(work, "out.log")
    return [
        find(machine.emulator), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        *machine.options, "-smp", "1", "-m", memory,
        "-object", f"memory-backend-memfd,id=mem,size={memory},share=on", "-numa", "node,memdev=mem",
        "-kernel", os.path.join(kernel, "vmlinuz"), "-initrd", os.path.join(work, "initrd"),
        "-append", words,
        "-chardev", f"file,id=console,path={console}", "-serial", "chardev:console",
        "-chardev", f"socket,id=fs,path={os.path.join(work, 'fs.sock')}",
        "-device", "vhost-user-fs-pci,chardev=fs,tag=host",
        "-chardev", f"file,id=out,path={out}", "-device", "virtio-serial-pci",
        "-device", "virtserialport,chardev=out,name=out",
    ]


def start_virtiofsd(work):
    path = os.path.join(work, "fs.sock")
    command = [virtiofsd(), f"--socket-path={path}"]
    if "libexec" in command[0]:
        command += ["--shared-dir", "/", "--sandbox", "none"]
    else:
        command += ["-o", "source=/", "-o", "sandbox=chroot", "-o", "cache=always"]
    with open(os.path.join(work, "virtiofsd.log"), "wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   start_new_session=True)
    end = time.monotonic() + 20
    while not os.path.exists(path):
        if process.poll() is not None or time.monotonic() > end:
            with open(os.path.join(work, "virtiofsd.log"), encoding="utf-8") as log:
                raise Unavailable(f"virtiofsd does not start: {log.read().strip()[-500:]}")
        time.sleep(0.05)
    return process


def stop(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run(kernel, script, work, seconds, memory="3G", boot="", arch="amd64", root="", share=""):
    """Runs `script` in a guest of `kernel` (a directory of fetch.sh), with these words to the kernel; files of the run
    go to `work`. root: the guest's root directory, if it is not the host's; share: a directory of the host that it has
    then, too. With the word "guest.systemd" systemd is booted there, and runs the script."""
    os.makedirs(work, exist_ok=True)
    for name in ("fs.sock", "out.log", "console.log"):
        if os.path.exists(os.path.join(work, name)):
            os.unlink(os.path.join(work, name))
    make_initrd(kernel, script, os.path.join(work, "initrd"), root, share)
    begin = time.monotonic()
    files = start_virtiofsd(work)
    try:
        with open(os.path.join(work, "qemu.log"), "wb") as log:
            qemu = subprocess.Popen(qemu_command(kernel, work, memory, boot, MACHINES[arch]),
                                    stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=log, start_new_session=True)
        try:
            qemu.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:
            stop(qemu)
    finally:
        stop(files)
    try:
        with open(os.path.join(work, "out.log"), "rb") as file:
            output = file.read()
    except FileNotFoundError:
        output = b""
    found = STATUS.search(output)
    return Result(int(found[1]) if found else -1, STATUS.sub(b"", output).decode(errors="replace"),
                  os.path.join(work, "console.log"), time.monotonic() - begin)
