/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* /proc/PID/maps, see proc(5). Its paths are chosen by whoever owns the process. */
#ifndef PYTRAIL_PROC_MAPS_H
#define PYTRAIL_PROC_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_map {
	uint64_t start;
	uint64_t end;
	uint64_t offset; /* in the file */
	uint64_t ino;    /* 0: no file */
	dev_t dev;       /* on overlay and btrfs not what stat(2) says of the file */
	bool exec;
	/* as it stands there (a newline is "\012"), in the text; not terminated */
	const char *path;
	size_t path_len;
};

/*
 * The file is read piece by piece: a process can have a million mappings, each with a path of 4096
 * bytes, and who reads decides how long it goes on. proc_maps__read() calls fn for each mapping of
 * the next piece (some dozen, in the kernel's order: by address) until it returns false; the next
 * call goes on behind that one. 1: there is more; 0: that was all; -ESRCH: no such process; -errno.
 * A process without memory of its own (a kernel thread, a zombie) has none.
 */
struct proc_maps;
int proc_maps__open(pid_t pid, struct proc_maps **out);
int proc_maps__read(struct proc_maps *p, bool (*fn)(void *ctx, const struct proc_map *m), void *ctx);
void proc_maps__close(struct proc_maps *p);

/* The mapping of the line at *pos, which is moved behind it; lines that are none are skipped. False
 * at the end. */
bool proc_maps__next(const char *text, size_t len, size_t *pos, struct proc_map *out);

/* The path that the kernel escaped, in buf, terminated, without a " (deleted)" at its end (*deleted
 * then). False: it does not fit. A file may really be called so: *deleted is a hint. */
bool proc_map__path(const struct proc_map *m, char *buf, size_t size, bool *deleted);

#endif
