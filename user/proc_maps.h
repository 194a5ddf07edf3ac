/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* /proc/PID/maps, see proc(5). Its paths are chosen by whoever owns the process. */
#ifndef PYTRAIL_PROC_MAPS_H
#define PYTRAIL_PROC_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;

struct proc_map {
	uint64_t start;
	uint64_t end;
	uint64_t offset; /* in the file */
	uint64_t ino;    /* 0: no file */
	dev_t dev;       /* on overlay and btrfs not what stat(2) says of the file */
	bool exec;
	const char *path; /* as it stands there (a newline is "\012"), in the text; not terminated */
	size_t path_len;
};

/* Reads the file into text (appended). 0, -ESRCH: no such process, -errno. A process without memory of
 * its own (kernel thread, zombie) gives an empty text. */
int proc_maps__read(pid_t pid, struct buf *text);

/* The mapping of the line at *pos, which is moved behind it; lines that are none are skipped. False
 * at the end. */
bool proc_maps__next(const char *text, size_t len, size_t *pos, struct proc_map *out);

/* The path that the kernel escaped, in buf, terminated, without a " (deleted)" at its end (*deleted
 * then). False: it does not fit. A file may really be called so: *deleted is a hint. */
bool proc_map__path(const struct proc_map *m, char *buf, size_t size, bool *deleted);

#endif
