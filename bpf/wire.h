/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The contract between the kernel side (bpf/) and the user side (user/): every record that crosses
 * the ring or lies in a --record file, and every value that user space puts into a BPF map.
 *
 * A record is a struct pt_rec (or one that begins with it), `size` bytes in all, a multiple of 8.
 * All integers are in host byte order. Nothing in a record is trusted by its reader: the bytes of
 * values come from the memory of the traced process.
 *
 * An audit record (PT_REC_AUDIT) is
 *
 *	struct pt_audit | event name, padded to 8 | node node node ...
 *
 * and the nodes are the argument tuple in pre-order: a node is a struct pt_node followed by `len`
 * bytes of payload, padded to 8. A container node (PT_K_TUPLE to PT_K_EXCEPTION) is followed by its
 * children and a PT_K_END node. There is one root, of kind PT_K_TUPLE or PT_K_UNREADABLE. A stream
 * that ends before every container got its PT_K_END was cut by a limit of the whole record
 * (PT_AUDIT_CUT is then set): what is missing was never decoded.
 *
 * The kernel emits layouts as they lie in CPython's memory (1, 2 and 4 byte characters, 30-bit
 * digits) and never a name, a policy or a text: those are user space's.
 */
#ifndef PYTRAIL_WIRE_H
#define PYTRAIL_WIRE_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define PT_WIRE_VERSION 3

/* Sizes that both sides must agree on. All are powers of two: BPF code masks with size - 1. */
#define PT_COMM_LEN   16
#define PT_NAME_MAX   1024  /* bytes of an event's name, longer ones are cut and marked */
#define PT_RECORD_MAX 65536 /* bytes of a whole record */
#define PT_CHUNK_MAX  4096  /* bytes that one step copies of a long string */
#define PT_DEPTH_MAX  8     /* containers that can be open at once; --max-depth is at most this */
#define PT_FRAMES_MAX \
	(PT_DEPTH_MAX + 4)       /* containers open in a record: the root, then max-depth
				 * collections, then a method, its function */
#define PT_FILTER_NAME 64        /* bytes of an event's name that the kernel filters by */
#define PT_RATE_MAX    100000000 /* events a second and process, at most, that a limit can be */
#define PT_SITES_MAX   4096      /* probe sites that can be attached at once */

enum pt_rec_kind {
	/* from the kernel */
	PT_REC_AUDIT = 1, /* struct pt_audit */
	PT_REC_EXEC = 2,  /* struct pt_rec: the task has just executed a new file */
	PT_REC_EXIT = 3,  /* struct pt_rec: the last thread of the process has exited */
	PT_REC_FORK = 4,  /* struct pt_rec: the task is a new process, ppid its parent */
	PT_REC_MAP = 5,   /* struct pt_map: the task is about to map a libpython */
	PT_REC_AGAIN = 6, /* struct pt_again: as PT_REC_AUDIT, header cut short; in the ring only */
	/* made by user space, in record files and in the same stream */
	PT_REC_PROCESS = 64, /* struct pt_process: facts of a process, before its first event */
	PT_REC_LOST = 65,    /* struct pt_lost */
	/* struct pt_call_site: before the process's first event from there */
	PT_REC_CALL_SITE = 66,
	PT_REC_ATTACH = 67, /* struct pt_attach: the process's events are seen from now on */
	PT_REC_DETACH = 68, /* struct pt_attach: they are seen no more */
};

#define PT_UNSET_ID 0xffffffffu /* of a login uid or an audit session: there is none */

/* Who: the thread that raised the event, as the kernel knows it at that moment. */
struct pt_task {
	__u64 start_ns; /* start of the process (group leader), CLOCK_BOOTTIME */
	__u32 pid;      /* process (tgid), in the initial PID namespace, as is tid, ppid */
	__u32 tid;
	__u32 ppid;
	__u32 uid; /* in the initial user namespace, as are all ids of users and groups */
	__u32 gid;
	__u32 euid;
	__u32 egid;
	__u32 ns_pid;           /* process, in the innermost PID namespace it is in; 0: not known */
	char comm[PT_COMM_LEN]; /* of the thread; NUL-terminated unless lying */
	__u32 loginuid;         /* who logged in (pam_loginuid), PT_UNSET_ID: nobody */
	__u32 session_id;       /* of that login (audit), PT_UNSET_ID: none */
	/* in the cgroup v2 hierarchy; its root's where all is in v1. 0: not known */
	__u64 cgroup_id;
	__u32 exec_id; /* changes with each execve of the process */
	__u32 reserved;
};

struct pt_rec {
	__u32 size;    /* of the whole record, this header included */
	__u16 kind;    /* enum pt_rec_kind */
	__u16 version; /* PT_WIRE_VERSION */
	__u64 time_ns; /* CLOCK_MONOTONIC */
	struct pt_task task;
};

/* For the collector only, never handed on: what is to be attached. */
struct pt_map {
	struct pt_rec rec;
	__u32 fd; /* the task's descriptor of the file */
	__u32 reserved;
};

enum pt_probe {
	PT_PROBE_USDT = 1,
	PT_PROBE_UPROBE = 2,
};

enum pt_audit_flags {
	PT_AUDIT_CUT = 1 << 0,             /* the node stream ended early: a limit of the record */
	PT_AUDIT_UNDECODED = 1 << 1,       /* no layout for this interpreter: there are no nodes */
	PT_AUDIT_NAME_CUT = 1 << 2,        /* the name has more than PT_NAME_MAX bytes */
	PT_AUDIT_NAME_UNREADABLE = 1 << 3, /* name_len is 0, the name's memory could not be read */
	PT_AUDIT_FREE_THREADED = 1 << 4,
};

struct pt_audit {
	struct pt_rec rec;
	__u64 call_site;  /* return address of the probed call, 0: not known */
	__u64 bias;       /* run-time address minus link-time address of the probed file */
	__u32 site;       /* index into the sites map while attached */
	__u32 py_version; /* PY_VERSION_HEX of the interpreter, 0: not known */
	__u16 name_len;   /* bytes of the name, without a NUL */
	__u8 probe;       /* enum pt_probe */
	__u8 flags;       /* enum pt_audit_flags */
	/* The name's characters: 0 bytes of UTF-8; 1, 2, 4: Latin-1, UCS-2, UCS-4, as in a str
	 * object. */
	__u8 name_kind;
	__u8 reserved;
	__u16 slot; /* scratch slot that it was made in, see struct pt_again */
};

/*
 * An event of which all that is left out here is as in the last struct pt_audit with that slot:
 * task, bias, site and py_version. A slot has one owner at a time, so that its records are in the
 * ring in their order. What fewer bytes are to be put into the ring, the less the traced program
 * pays. User space makes a struct pt_audit of it (user/again.h) before anybody sees it.
 */
struct pt_again {
	__u32 size;
	__u16 kind;
	__u16 version;
	__u64 time_ns;
	__u64 call_site;
	/* the same 8 bytes as at the end of struct pt_audit */
	__u16 name_len;
	__u8 probe;
	__u8 flags;
	__u8 name_kind;
	__u8 reserved;
	__u16 slot;
};

enum pt_kind {
	PT_K_END = 0, /* closes the innermost open container */
	PT_K_NONE = 1,
	PT_K_FALSE = 2,
	PT_K_TRUE = 3,
	PT_K_INT = 4,    /* payload: __s64 */
	PT_K_BIGINT = 5, /* payload: __u32 digits of 30 bits, least significant first.
				 * PT_F_CUT: the stored digits are the most significant ones and the
				 * dropped count (length - stored) is even, so that the hexadecimal
				 * digits of what is stored are a prefix of the true ones */
	PT_K_FLOAT = 6,  /* payload: double */
	PT_K_STR = 7,    /* payload: one byte a character, Latin-1 (ASCII included) */
	PT_K_STR2 = 8,   /* payload: __u16 a character, UCS-2, lone surrogates possible */
	PT_K_STR4 = 9,   /* payload: __u32 a character, anything possible */
	PT_K_UTF8 = 10,  /* payload: bytes of a C string that CPython decodes as UTF-8 */
	PT_K_BYTES = 11,
	PT_K_BYTEARRAY = 12,
	PT_K_CLASS = 13,      /* payload: tp_name, bytes of UTF-8 */
	PT_K_OBJECT = 14,     /* payload: __u64 address, then tp_name of its type, UTF-8 */
	PT_K_UNREADABLE = 15, /* payload: __u64 address; nothing of the value could be read */
	PT_K_UNDECODED = 16,  /* payload: none; a value the format of the call says nothing of */
	/* containers: followed by children and PT_K_END; payload: __u64 length unless said
	 * otherwise */
	PT_K_TUPLE = 32,
	PT_K_LIST = 33,
	PT_K_DICT = 34, /* children: key, value, key, value ... */
	PT_K_SET = 35,
	PT_K_FROZENSET = 36,
	PT_K_CODE = 37,     /* payload: __u64 co_firstlineno. children: qualname (name before 3.11),
				 * filename */
	PT_K_FUNCTION = 38, /* payload: none. children: qualname, module */
	PT_K_CFUNCTION = 39, /* payload: ml_name, UTF-8. children: module */
	PT_K_MODULE = 40,    /* payload: none. children: name */
	PT_K_EXCEPTION = 41, /* payload: tp_name of its type, UTF-8. children: args */
	PT_K_METHOD = 42,    /* payload: none. children: the function (bound method) */
};

enum pt_node_flags {
	/*
	 * Cut by a cap. On a leaf the payload then begins with the true length (__u64: characters,
	 * bytes or digits; ~0 when it is not known) and the stored part follows. On a container
	 * there are fewer children than its payload says, or the name in it was cut; no length is
	 * in front.
	 */
	PT_F_CUT = 1 << 0,
	PT_F_NEG = 1 << 1, /* PT_K_BIGINT: negative */
	/* Memory went away in the middle: the rest of the payload's bytes are zero, or children
	 * miss. */
	PT_F_UNREADABLE = 1 << 2,
};

struct pt_node {
	__u8 kind;  /* enum pt_kind */
	__u8 flags; /* enum pt_node_flags */
	__u16 reserved;
	__u32 len; /* bytes of payload, without padding */
};

/* Facts of a process, read by user space once: argv is NUL-separated. Strings follow, no padding
 * between them, the whole padded to 8. A length of PT_UNKNOWN_LEN: not known. */
#define PT_UNKNOWN_LEN 0xffffffffu

struct pt_process {
	struct pt_rec rec;
	__u32 exe_len;
	__u32 argv_len;
	__u32 cwd_len;
	__u32 container_len;
	__u32 cgroup_len;   /* path of the control group that tells most (user/enrich/cgroup.h) */
	__u32 ancestry_len; /* a list as in user/enrich/ancestry.h */
	__u32 venv_len;     /* directory of the virtual environment */
	/* of the container: name, image, pod, the pod's namespace, NUL-separated */
	__u32 names_len;
};

/*
 * What the call_site of a process's events is. Strings follow as in struct pt_process, without a
 * NUL in them: base name of the mapped file (PT_UNKNOWN_LEN: memory of no file), function
 * (PT_UNKNOWN_LEN: not known).
 */
struct pt_call_site {
	struct pt_rec rec;
	__u64 address; /* struct pt_audit.call_site */
	/* in the function; without one, link-time address in the file; ~0: not known */
	__u64 offset;
	__u32 module_len;
	__u32 symbol_len;
};

enum pt_attach_flags {
	PT_ATTACH_LATE = 1 << 0, /* it may have raised events before */
	PT_ATTACH_FREE_THREADED = 1 << 1,
};

enum pt_detach_reason {
	PT_DETACH_NONE = 0, /* of PT_REC_ATTACH */
	PT_DETACH_EXIT = 1, /* the process has ended */
	/* it executes another file: when that is a Python, PT_REC_ATTACH follows */
	PT_DETACH_EXEC = 2,
	PT_DETACH_FILE = 3, /* the file's probes were taken away */
	PT_DETACH_END = 4,  /* tracing ends */
};

/* Between PT_REC_ATTACH and the next PT_REC_DETACH of a process its events are seen. The path of
 * the file that is probed follows, padded to 8. */
struct pt_attach {
	struct pt_rec rec; /* task.tid is that of the process */
	__u64 late_ns;     /* PT_ATTACH_LATE: for how long it had run by then */
	__u32 py_version;  /* PY_VERSION_HEX of the interpreter, 0: not known */
	__u32 file_len;
	__u8 probe;  /* enum pt_probe */
	__u8 flags;  /* enum pt_attach_flags */
	__u8 reason; /* enum pt_detach_reason */
	__u8 reserved[5];
};

enum pt_lost_cause {
	PT_LOST_RING_FULL = 0,   /* the collector was too slow for the ring's size */
	PT_LOST_SCRATCH = 1,     /* no scratch slot was free to decode in */
	PT_LOST_READER = 2,      /* user space refused a record that is malformed */
	PT_LOST_OUTPUT = 3,      /* user space could not write it */
	PT_LOST_SPOOL_FULL = 4,  /* no room in the spool: its bound, or the disk's */
	PT_LOST_SPOOL_ERROR = 5, /* the spool could not be written, or was damaged */
	PT_LOST_THROTTLED = 6,   /* the process raised more than --max-rate */
	PT_LOST_CAUSES
};

enum pt_filtered_cause { PT_FILTERED_PROCESS = 0, PT_FILTERED_EVENT = 1, PT_FILTERED_CAUSES };

struct pt_lost {
	struct pt_rec rec; /* task.pid 0: process not known */
	__u64 count;
	__u64 first_ns; /* CLOCK_MONOTONIC; the loss lies in [first_ns, last_ns] */
	__u64 last_ns;
	__u32 cause; /* enum pt_lost_cause */
	__u32 reserved;
};

/* Losses of a process and cause since the start, in the map `losses`; counts only grow. */
struct pt_lost_key {
	__u32 pid;
	__u32 cause; /* enum pt_lost_cause */
};

struct pt_lost_value {
	__u64 count;
	__u64 first_ns;
	__u64 last_ns;
	struct pt_task task;
};

/* One per scratch slot, in the map `slot_counters`, added to by the slot's owner alone: no atomic
 * is needed. */
struct pt_slot_counters {
	__u64 seen; /* events that took the slot and were emitted, or lost as the ring was full */
	__u64 emitted;
	__u64 emitted_bytes;
	__u64 reserved;
};

/* One per CPU, in the map `counters`; emitted and its bytes are added by user space, from all
 * slots, and so is most of seen. seen = emitted + all filtered + all lost, exactly. */
struct pt_counters {
	__u64 seen;
	__u64 emitted;
	__u64 emitted_bytes;
	__u64 wakeups;
	__u64 unreadable; /* values marked unreadable in emitted events */
	__u64 filtered[PT_FILTERED_CAUSES];
	__u64 lost[PT_LOST_CAUSES];
};

/*
 * Where things lie in the objects of one CPython version and flavour: a row of events/layouts.tsv.
 * Offsets in bytes from the start of the object; 0 in the fields marked "or 0": absent there.
 */
struct pt_layout {
	__u16 ob_type;
	__u16 ob_size; /* var-sized objects: tuple, list, bytes, bytearray */
	__u16 tp_name;
	__u16 tp_flags;
	__u16 tp_base;
	__u16 tuple_items;
	__u16 list_items; /* pointer to the items */
	__u16 bytes_data;
	__u16 bytearray_start; /* pointer */
	__u16 str_length;
	__u16 str_state;       /* __u32 bit field */
	__u16 str_ascii;       /* data of a compact ASCII string */
	__u16 str_compact;     /* data of any other compact string */
	__u16 str_any;         /* pointer to the data of one that is not compact */
	__u16 str_wstr;        /* or 0: pointer to wchar_t of a legacy string (before 3.12) */
	__u16 str_wstr_length; /* or 0 */
	__u16 float_value;
	__u16 int_size; /* ob_size (signed digits) before 3.12, lv_tag from 3.12 on */
	__u16 int_digits;
	__u16 dict_used;
	__u16 dict_keys;
	__u16 dict_values;
	__u16 dict_split_values; /* from ma_values to the first value: 0, from 3.13 on 8 */
	__u16 set_used;
	__u16 set_mask;
	__u16 set_table;
	__u16 code_filename;
	__u16 code_qualname; /* co_name before 3.11 */
	__u16 code_firstlineno;
	__u16 func_qualname;
	__u16 func_module;
	__u16 cfunc_ml;
	__u16 cfunc_module;
	__u16 method_func;
	__u16 module_name;
	__u16 exc_args;
	/* in state: kind is 3 bits from here, compact and ascii one bit each */
	__u8 str_kind_shift;
	__u8 str_compact_shift;
	__u8 str_ascii_shift;
	__u8 int_tagged;     /* 1: lv_tag (3.12+): digits = tag >> 3, sign = 1 - (tag & 3) */
	__u8 dict_log2_keys; /* 1: PyDictKeysObject of 3.11+ (dk_log2_size), 0: dk_size before */
	__u8 free_threaded;
	__u16 py_version; /* 0x030b for 3.11 */
};

/* Objects that the decoder knows by address; link-time addresses in the probed file, 0: not found.
 * The order is that of enum pt_known; scripts and binary.c use it. */
enum pt_known {
	PT_KNOWN_NONE,      /* _Py_NoneStruct */
	PT_KNOWN_TRUE,      /* _Py_TrueStruct */
	PT_KNOWN_FALSE,     /* _Py_FalseStruct */
	PT_KNOWN_STR,       /* PyUnicode_Type */
	PT_KNOWN_INT,       /* PyLong_Type */
	PT_KNOWN_TUPLE,     /* PyTuple_Type */
	PT_KNOWN_BYTES,     /* PyBytes_Type */
	PT_KNOWN_LIST,      /* PyList_Type */
	PT_KNOWN_DICT,      /* PyDict_Type */
	PT_KNOWN_FLOAT,     /* PyFloat_Type */
	PT_KNOWN_BYTEARRAY, /* PyByteArray_Type */
	PT_KNOWN_SET,       /* PySet_Type */
	PT_KNOWN_FROZENSET, /* PyFrozenSet_Type */
	PT_KNOWN_CODE,      /* PyCode_Type */
	PT_KNOWN_FUNCTION,  /* PyFunction_Type */
	PT_KNOWN_CFUNCTION, /* PyCFunction_Type */
	PT_KNOWN_METHOD,    /* PyMethod_Type */
	PT_KNOWN_MODULE,    /* PyModule_Type */
	PT_KNOWN_BOOL,      /* PyBool_Type */
	PT_KNOWN_TYPE,      /* PyType_Type */
	PT_KNOWN_MAX = 24
};

/* Where an argument of a probe is, from the ELF note's text ("8@%rbx", "-4@-8(%rbp)", "8@$5"). */
enum pt_arg_kind {
	PT_ARG_NONE = 0,
	PT_ARG_CONST = 1,     /* value */
	PT_ARG_REG = 2,       /* register */
	PT_ARG_REG_DEREF = 3, /* memory at register + value */
};

struct pt_arg {
	__u8 kind; /* enum pt_arg_kind */
	__u8 reg;  /* number of the register in DWARF order of the architecture */
	__u8 size; /* bytes: 1, 2, 4, 8 */
	__u8 is_signed;
	__u32 reserved;
	__s64 value;
};

/* What the probed instruction is, and so where the event's name and arguments are. */
enum pt_entry {
	PT_ENTRY_USDT = 0, /* python:audit: args[0] name, args[1] argument tuple */
	/* sys_audit_tstate(): args[0] name, args[1] format, args[2] va_list * */
	PT_ENTRY_VA_LIST = 1,
	/* PySys_Audit(), _PySys_Audit(): args[0] name, args[1] format; varargs from integer
	 * register number first_vararg of the calling convention on, then the stack */
	PT_ENTRY_VARIADIC = 2,
	PT_ENTRY_BUILTIN = 3, /* sys.audit(): args[0] PyObject *const *args, args[1] nargs */
};

enum pt_site_flags {
	PT_SITE_DECODE = 1 << 0, /* layout and known are valid: decode arguments */
};

/* Objects that are arrays in the file (user/singletons.h); link-time addresses. */
struct pt_singletons {
	__u64 ints;     /* of -5 and those behind it */
	__u64 chars;    /* of the str "\0" and those behind it */
	__u32 ints_cnt; /* 0: not found, as chars_cnt */
	__u16 int_size; /* bytes of each */
	__u16 char_size;
	__u32 chars_cnt;
	__u32 reserved;
};

/* One probe site: all that the program under it needs, found by the attach cookie (its index). */
struct pt_site {
	__u64 address;         /* link-time address of the probed instruction */
	struct pt_arg args[3]; /* see enum pt_entry */
	__u64 known[PT_KNOWN_MAX];
	struct pt_singletons singletons;
	struct pt_layout layout;
	__u32 py_version; /* PY_VERSION_HEX, 0: not known */
	__u32 binary;     /* user space's number of the file */
	/*
	 * Link-time range of the sys.audit builtin: a hit in an audit function whose caller lies in
	 * it was reported by the builtin's own probe already. 0: there is no such probe.
	 */
	__u64 builtin_start;
	__u64 builtin_end;
	__u8 probe;        /* enum pt_probe */
	__u8 flags;        /* enum pt_site_flags */
	__u8 entry;        /* enum pt_entry */
	__u8 first_vararg; /* PT_ENTRY_VARIADIC: registers taken by named parameters */
	__u32 stack_moved; /* bytes that the prologue has moved the stack pointer by, at the site */
};

/* The kernel's answer for an event's name, in the map `filter` (key: name, zero-padded). Names that
 * are absent, or longer than PT_FILTER_NAME - 1, are decided in user space. */
enum pt_verdict {
	PT_VERDICT_EMIT = 1,
	PT_VERDICT_DROP = 2,
};

/*
 * A process that user space does not want, in the map `unwanted` (key: its pid): the kernel drops
 * its events for as long as all of this is true of it. It executes another file, or moves to
 * another control group: user space is asked again.
 */
struct pt_unwanted {
	__u64 start_ns;
	__u64 cgroup_id;
	__u32 exec_id;
	__u32 reserved;
};

_Static_assert(sizeof(struct pt_unwanted) == 24, "wire");
_Static_assert(sizeof(struct pt_task) == 80, "wire");
_Static_assert(sizeof(struct pt_rec) == 96, "wire");
_Static_assert(sizeof(struct pt_map) == sizeof(struct pt_rec) + 8, "wire");
_Static_assert(sizeof(struct pt_audit) == 96 + 32, "wire");
_Static_assert(sizeof(struct pt_again) == 32, "wire");
_Static_assert(sizeof(struct pt_slot_counters) == 32, "wire");
_Static_assert(sizeof(struct pt_node) == 8, "wire");
_Static_assert(sizeof(struct pt_process) == 96 + 32, "wire");
_Static_assert(sizeof(struct pt_call_site) == 96 + 24, "wire");
_Static_assert(sizeof(struct pt_attach) == 96 + 24, "wire");
_Static_assert(sizeof(struct pt_lost) == 96 + 32, "wire");
_Static_assert(sizeof(struct pt_lost_key) == 8, "wire");
_Static_assert(sizeof(struct pt_lost_value) == 24 + 80, "wire");
_Static_assert(sizeof(struct pt_layout) == 80, "wire");
_Static_assert(sizeof(struct pt_arg) == 16, "wire");
_Static_assert(sizeof(struct pt_singletons) == 32, "wire");
_Static_assert(sizeof(struct pt_site) == 8 + 48 + 24 * 8 + 32 + 80 + 32, "wire");
_Static_assert(__builtin_offsetof(struct pt_task, pid) == 8, "wire");
_Static_assert(__builtin_offsetof(struct pt_task, comm) == 40, "wire");
_Static_assert(__builtin_offsetof(struct pt_task, cgroup_id) == 64, "wire");
_Static_assert(__builtin_offsetof(struct pt_rec, time_ns) == 8, "wire");
_Static_assert(__builtin_offsetof(struct pt_rec, task) == 16, "wire");
_Static_assert(__builtin_offsetof(struct pt_audit, call_site) == 96, "wire");
_Static_assert(__builtin_offsetof(struct pt_audit, bias) == 104, "wire");
_Static_assert(__builtin_offsetof(struct pt_audit, site) == 112, "wire");
_Static_assert(__builtin_offsetof(struct pt_audit, py_version) == 116, "wire");
_Static_assert(__builtin_offsetof(struct pt_audit, name_len) == 120, "wire");
_Static_assert(__builtin_offsetof(struct pt_audit, flags) == 123, "wire");
_Static_assert(__builtin_offsetof(struct pt_audit, name_kind) == 124, "wire");
_Static_assert(__builtin_offsetof(struct pt_audit, slot) == 126, "wire");
_Static_assert(__builtin_offsetof(struct pt_again, name_len) == 24, "wire");
_Static_assert(__builtin_offsetof(struct pt_again, flags) == 27, "wire");
_Static_assert(__builtin_offsetof(struct pt_again, slot) == 30, "wire");
_Static_assert(__builtin_offsetof(struct pt_node, len) == 4, "wire");
_Static_assert(__builtin_offsetof(struct pt_lost, cause) == 120, "wire");

#endif /* PYTRAIL_WIRE_H */
