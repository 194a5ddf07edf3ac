/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The settings: every tunable is one line here and its option in user/session.c. */
#ifndef PYTRAIL_CONFIG_BPF_H
#define PYTRAIL_CONFIG_BPF_H

/* Set between open and load. */
const volatile __u32 cfg_max_string = 4096;
const volatile __u32 cfg_max_items = 128;
const volatile __u32 cfg_max_depth = 4;
const volatile __u32 cfg_slots = 64;   /* power of two */
const volatile __u32 cfg_sleepers = 6; /* programs that may sleep at once, fewer than SLOT_TRIES */
const volatile __u32 cfg_site = 0;     /* of audit_old and entry_old: which site this copy is for */
const volatile __u8 cfg_never = 0;     /* stays 0: see keep_own_stack() */
const volatile __u8 cfg_sleepable = 0; /* the sleepable program is the one that is loaded */
const volatile __u8 cfg_selected = 0;  /* `processes` says which are wanted, else all are */
const volatile __u8 cfg_filter_processes =
	0;                              /* ask it at each event (0: the kernel's pid filter does) */
const volatile __u8 cfg_users = 0;      /* ask `users` */
const volatile __u8 cfg_users_only = 0; /* one that is not in `users` is not wanted */
const volatile __u8 cfg_select = 0;     /* ask `unwanted` */
const volatile __u8 cfg_filter_events = 0; /* ask `filter` */
const volatile __u8 cfg_drop_unknown = 0;  /* a name that is not in `filter` is not wanted */
/* Nanoseconds for each event of a process, and how far ahead of them it may be; 0: as many as it
 * likes. */
const volatile __u64 cfg_rate_interval_ns = 0;
const volatile __u64 cfg_rate_burst_ns = 0;
/* A wakeup costs the traced program more than all the rest: at most one in wake_ns, or when
 * wake_bytes are waiting. The collector sweeps by itself for longer than wake_ns after each
 * (user/session.c). */
const volatile __u64 cfg_wake_ns = 5000000;
const volatile __u64 cfg_wake_bytes = 1 << 20;

#endif
