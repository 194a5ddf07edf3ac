# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""A peer of the benchmark: python:audit of one process with bcc, event and arguments printed.

bcc_audit.py PID STR, where a str of that process has its characters at offset STR; the other offsets
are those of class Bpftrace in tracers.py."""
import sys

from bcc import BPF, USDT

TEXT = r"""
#include <uapi/linux/ptrace.h>
struct event { u32 pid; u32 flags; char name[64]; char path[64]; char mode[64]; };
BPF_PERF_OUTPUT(events);
int on_audit(struct pt_regs *ctx)
{
    u64 name = 0, args = 0, item = 0, n = 0;
    struct event e = {};

    bpf_usdt_readarg(1, ctx, &name);
    bpf_usdt_readarg(2, ctx, &args);
    e.pid = bpf_get_current_pid_tgid() >> 32;
    bpf_probe_read_user_str(e.name, sizeof(e.name), (void *)name);
    bpf_probe_read_user(&n, sizeof(n), (void *)(args + 16));
    if (n > 0) {
        bpf_probe_read_user(&item, sizeof(item), (void *)(args + 24));
        bpf_probe_read_user_str(e.path, sizeof(e.path), (void *)(item + STR));
    }
    if (n == 3) {
        bpf_probe_read_user(&item, sizeof(item), (void *)(args + 32));
        bpf_probe_read_user_str(e.mode, sizeof(e.mode), (void *)(item + STR));
        bpf_probe_read_user(&item, sizeof(item), (void *)(args + 40));
        bpf_probe_read_user(&e.flags, sizeof(e.flags), (void *)(item + 24));
    }
    events.perf_submit(ctx, &e, sizeof(e));
    return 0;
}
"""


def main():
    usdt = USDT(pid=int(sys.argv[1]))
    usdt.enable_probe(probe="audit", fn_name="on_audit")
    bpf = BPF(text=TEXT.replace("STR", sys.argv[2]), usdt_contexts=[usdt])

    def show(_cpu, data, _size):
        e = bpf["events"].event(data)
        sys.stdout.write(f"{e.pid} {e.name.decode()} {e.path.decode()} {e.mode.decode()} {e.flags}\n")

    bpf["events"].open_perf_buffer(show, page_cnt=512)
    print("ready", file=sys.stderr, flush=True)
    try:
        while True:
            bpf.perf_buffer_poll()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
