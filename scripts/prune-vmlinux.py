#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Prunes the C dump of a kernel's BTF to what bpf/ uses.

    bpftool btf dump file BTF format c | prune-vmlinux.py ARCH ORIGIN > vmlinux/ARCH/vmlinux.h

Kept are the types of ROOTS, those fields of them that are named (CO-RE finds a field by name at
load time, so that a structure need list only the fields that are used), and all types that these
hold by value. A structure that is only pointed to becomes a forward declaration. Types of ROOTS
that a kernel does not have are said on standard error and left out.
"""
import re
import sys

ALL = None

# Type -> the fields to keep (ALL: every one), in anonymous structures and unions of it, too.
ROOTS = {
    # the process of an event
    "struct task_struct": """thread_info __state flags on_cpu mm exit_state exit_code exit_signal
        pid tgid real_parent parent group_leader thread_pid start_time start_boottime real_cred cred
        comm nsproxy signal loginuid sessionid self_exec_id cgroups thread files fs
        in_execve""",
    "struct thread_info": "flags status cpu",
    "struct thread_struct": "fsbase gsbase uw",
    "struct cred": """uid gid suid sgid euid egid fsuid fsgid securebits cap_inheritable
        cap_permitted cap_effective cap_bset cap_ambient user_ns""",
    "kuid_t": ALL,
    "kgid_t": ALL,
    "kernel_cap_t": ALL,
    "struct user_namespace": "parent level owner group ns",
    "struct signal_struct": "live nr_threads pids group_exit_code flags leader tty",
    "struct pid": "count level numbers",
    "struct upid": ALL,
    "struct pid_namespace": "level parent user_ns ns",
    "enum pid_type": ALL,
    # its files and namespaces
    "struct mm_struct": "exe_file arg_start arg_end env_start env_end",
    "struct file": "f_path f_inode f_flags f_mode",
    "struct path": ALL,
    "struct dentry": "d_flags d_parent d_name d_inode d_iname d_sb",
    "struct qstr": ALL,
    "struct inode": "i_mode i_uid i_gid i_flags i_sb i_ino i_size i_mtime_sec i_rdev i_generation",
    "struct super_block": "s_dev s_magic s_id s_root s_uuid",
    "struct vfsmount": "mnt_root mnt_sb",
    "struct vm_area_struct": "vm_start vm_end vm_mm vm_pgoff vm_file",
    "struct fs_struct": "root pwd",
    "struct nsproxy": ALL,
    "struct mnt_namespace": "ns",
    "struct uts_namespace": "ns",
    "struct ipc_namespace": "ns",
    "struct net": "ns",
    "struct cgroup_namespace": "ns",
    "struct ns_common": "inum",
    "struct css_set": "subsys dfl_cgrp",
    "struct cgroup_subsys_state": "cgroup id",
    "struct cgroup": "kn level",
    "struct kernfs_node": "name id parent __parent",
    "struct linux_binprm": "file executable interpreter filename interp argc envc vma mm cred",
    # contexts of programs
    "struct pt_regs": ALL,
    "struct user_pt_regs": ALL,
    "struct trace_entry": ALL,
    "struct trace_event_raw_sched_process_exec": ALL,
    "struct trace_event_raw_sched_process_fork": ALL,
    "struct trace_event_raw_sched_process_template": ALL,
    "struct trace_event_raw_sched_process_exit": ALL,
    "struct trace_event_raw_sys_enter": ALL,
    "struct trace_event_raw_sys_exit": ALL,
    "struct bpf_perf_event_data": ALL,
    "struct bpf_raw_tracepoint_args": ALL,
    # what programs share with the kernel, and what libbpf's headers name
    "enum bpf_map_type": ALL,
    "enum bpf_prog_type": ALL,
    "enum bpf_attach_type": ALL,
    "enum bpf_func_id": ALL,
    "struct bpf_pidns_info": ALL,
    "struct bpf_dynptr": ALL,
    "struct bpf_timer": ALL,
    "struct bpf_spin_lock": ALL,
    "struct btf_ptr": ALL,
    "struct bpf_iter_num": ALL,
    "struct bpf_cpumask": ALL,
    "struct bpf_list_head": ALL,
    "struct bpf_rb_root": ALL,
}
TYPEDEFS = """bool _Bool u8 u16 u32 u64 s8 s16 s32 s64 __u8 __u16 __u32 __u64 __s8 __s16 __s32 __s64
    uint8_t uint16_t uint32_t uint64_t int8_t int16_t int32_t int64_t size_t ssize_t uintptr_t
    __be16 __be32 __be64 __le16 __le32 __le64 __wsum __sum16 pid_t uid_t gid_t dev_t ino_t mode_t
    loff_t time64_t ktime_t fmode_t umode_t sector_t atomic_t atomic64_t refcount_t
    """.split()
# Of the anonymous enumerations, those with a constant of the BPF interface; `false` and `true`.
CONSTANTS = re.compile(r"\b(BPF_ANY|BPF_F_\w+|BPF_RB_\w+|BPF_RINGBUF_\w+|BPF_LOCAL_STORAGE_\w+|"
                       r"false|true)\b = ")

WORDS = re.compile(r"[A-Za-z_]\w*")
TAGGED = re.compile(r"\b(struct|union|enum)\s+([A-Za-z_]\w*)")
NOT_TYPES = {"struct", "union", "enum", "const", "volatile", "unsigned", "signed", "long", "int",
             "short", "char", "void", "float", "double", "typedef", "__attribute__", "packed",
             "aligned"}
# What a pointer to a function or to an array declares.
POINTER = re.compile(r"\(\*[*\s]*(?:const\s+)?(\w+)(?:\[\w*\])*\)\s*[\[(]")


def split_blocks(text):
    """The top-level declarations of the dump, in order: a list of texts."""
    blocks, lines, depth = [], [], 0
    for line in text.splitlines():
        if not lines and (not line.strip() or line.startswith("#")):
            continue
        lines.append(line)
        depth += line.count("{") - line.count("}")
        if depth == 0 and line.rstrip().endswith(";"):
            blocks.append("\n".join(lines))
            lines = []
    if lines:
        sys.exit("prune-vmlinux: the dump ends inside a declaration")
    return blocks


def name_of(block):
    """What a declaration declares: "struct x", "enum x", a typedef's name; "": anonymous."""
    if block.startswith("typedef"):
        line = block.splitlines()[-1]
        found = (POINTER.search(line) or
                 re.search(r"(\w+)(?:\[\w*\])*(?:\s+__attribute__.*)?;$", line) or
                 re.search(r"(\w+)\(", line))
        return found.group(1)
    found = re.match(r"(struct|union|enum)\s+(\w+)", block)
    return f"{found.group(1)} {found.group(2)}" if found else ""


def members(block):
    """The members of a structure: lists of lines, anonymous structures in one piece."""
    out, lines, depth = [], [], 0
    for line in block.splitlines()[1:-1]:
        lines.append(line)
        depth += line.count("{") - line.count("}")
        if depth == 0:
            out.append(lines)
            lines = []
    return out


def declared(line):
    """The name that a member's line declares."""
    found = (POINTER.search(line) or
             re.search(r"(\w+)\s*(?:\[\w*\])*\s*(?::\s*\d+)?(?:\s+__attribute__.*)?;", line))
    return found.group(1) if found else ""


def keep_fields(block, fields):
    """The block with only the named fields, in anonymous structures too."""
    lines = block.splitlines()
    kept = []
    for member in members(block):
        if declared(member[-1]) in fields:
            kept += member
        elif len(member) > 1 and any(declared(line) in fields for line in member):
            kept += keep_fields("\n".join(member), fields).splitlines()
    return "\n".join([lines[0]] + kept + [lines[-1]])


def references(block):
    """(needed whole, needed as a forward declaration): what a declaration refers to."""
    whole, forward = set(), set()
    body = block.splitlines()
    for number, line in enumerate(body):
        if "=" in line:  # an enumerator
            continue
        for found in TAGGED.finditer(line):
            name = f"{found.group(1)} {found.group(2)}"
            pointer = line[found.end():].lstrip().startswith("*")
            opens = line[found.end():].lstrip().startswith("{")
            function = "(" in line and found.start() > line.index("(")
            if opens and number == 0:
                continue
            if found.group(1) != "enum" and (pointer or function):
                forward.add(name)
            else:
                whole.add(name)
        plain = TAGGED.sub(" ", re.sub(r"__attribute__\(\(.*\)\)", " ", line))
        whole.update(w for w in WORDS.findall(plain) if w not in NOT_TYPES)
    return whole, forward


def prune(text):
    blocks, by_name, anonymous = [], {}, []
    for block in split_blocks(text):
        name = name_of(block)
        if "{" not in block and not block.startswith("typedef"):
            continue  # a forward declaration: made anew
        fields = ROOTS.get(name, ALL)
        if fields is not ALL:
            block = keep_fields(block, fields.split())
        blocks.append((name, block))
        if name:
            by_name[name] = block
        elif CONSTANTS.search(block):
            anonymous.append(block)
    missing = [n for n in ROOTS if n not in by_name]
    if missing:
        print("prune-vmlinux: not in this kernel:", ", ".join(missing), file=sys.stderr)
    want = [n for n in list(ROOTS) + TYPEDEFS if n in by_name]
    kept, forward = set(), set()
    while want:
        name = want.pop()
        if name in kept:
            continue
        kept.add(name)
        whole, pointed = references(by_name[name])
        forward |= pointed
        # A word that is not a type (a field's name) may be the name of one: it then costs a few
        # lines, no more.
        want += [w for w in whole if w in by_name and w not in kept]
    out = [f"{n};" for n in sorted(forward)]
    out += [b for n, b in blocks if n in kept or (not n and b in anonymous)]
    return out


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    arch, origin = sys.argv[1:]
    out = prune(sys.stdin.read())
    print("/* SPDX-License-Identifier: GPL-2.0-only */")
    print(f"/*\n * Types of the Linux kernel ({arch}, {origin}), made by scripts/vmlinux.sh from\n"
          " * the kernel's BTF and reduced to what bpf/ uses. Do not edit: see"
          " vmlinux/README.md.\n */")
    print("#ifndef __VMLINUX_H__\n#define __VMLINUX_H__\n")
    print("#ifndef BPF_NO_PRESERVE_ACCESS_INDEX")
    print("#pragma clang attribute push (__attribute__((preserve_access_index)), "
          "apply_to = record)\n#endif\n")
    print("\n\n".join(out))
    print("\n#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n#pragma clang attribute pop\n#endif\n")
    print("#endif /* __VMLINUX_H__ */")


if __name__ == "__main__":
    main()
