// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "zstd_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

#include "../util/dynlib.h"
#include "../util/write_all.h"

#define LEVEL 3
#define CHUNK (128u << 10)

static struct {
	DYNLIB_FN(ZSTD_createCCtx);
	DYNLIB_FN(ZSTD_freeCCtx);
	DYNLIB_FN(ZSTD_CCtx_setParameter);
	DYNLIB_FN(ZSTD_compressStream2);
	DYNLIB_FN(ZSTD_isError);
} zstd;

int zstd_file__load(struct buf *why)
{
	static const struct dynlib_symbol symbols[] = {
		DYNLIB_SYMBOL(zstd, ZSTD_createCCtx),
		DYNLIB_SYMBOL(zstd, ZSTD_freeCCtx),
		DYNLIB_SYMBOL(zstd, ZSTD_CCtx_setParameter),
		DYNLIB_SYMBOL(zstd, ZSTD_compressStream2),
		DYNLIB_SYMBOL(zstd, ZSTD_isError),
		{0},
	};

	return dynlib__load("libzstd.so.1", "libzstd1", symbols, why);
}

/* One chunk of input, or the end of it. */
static int compress_chunk(ZSTD_CCtx *ctx, ZSTD_inBuffer *in, ZSTD_EndDirective end, int to, char *out)
{
	size_t left;

	do {
		ZSTD_outBuffer o = {out, CHUNK, 0};
		int err;

		left = zstd.ZSTD_compressStream2(ctx, &o, in, end);
		if (zstd.ZSTD_isError(left))
			return -EIO;
		err = write_all(to, out, o.pos);
		if (err)
			return err;
	} while (end == ZSTD_e_end ? left != 0 : in->pos < in->size);
	return 0;
}

static int compress(int from, int to)
{
	ZSTD_CCtx *ctx = zstd.ZSTD_createCCtx();
	char *in = malloc(CHUNK), *out = malloc(CHUNK);
	int err = ctx && in && out ? 0 : -ENOMEM;
	ssize_t n = 1;

	if (!err) {
		zstd.ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, LEVEL);
		zstd.ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
	}
	while (!err && n) {
		ZSTD_inBuffer chunk = {in, 0, 0};

		n = read(from, in, CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = -errno;
		chunk.size = n > 0 ? (size_t)n : 0;
		if (!err)
			err = compress_chunk(ctx, &chunk, n ? ZSTD_e_continue : ZSTD_e_end, to, out);
	}
	free(in);
	free(out);
	if (ctx)
		zstd.ZSTD_freeCCtx(ctx);
	return err;
}

/* Not yet under its name: a file without one that gets it when it is whole. */
static int open_nameless(int dirfd, mode_t mode)
{
	int fd = openat(dirfd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);

	return fd < 0 ? -errno : fd;
}

static int give_name(int dirfd, int fd, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, dirfd, name, AT_SYMLINK_FOLLOW) ? -errno : 0;
}

int zstd_file__compress(int dirfd, const char *name)
{
	int from = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), to, err = 0;
	char *whole = NULL;
	struct stat st;

	if (from < 0)
		return -errno;
	if (fstat(from, &st) || !S_ISREG(st.st_mode)) {
		close(from);
		return -EINVAL;
	}
	to = open_nameless(dirfd, st.st_mode & 0777);
	if (to < 0)
		err = to;
	if (!err && asprintf(&whole, "%s.zst", name) < 0) {
		whole = NULL;
		err = -ENOMEM;
	}
	if (!err)
		err = compress(from, to);
	if (!err && fchown(to, st.st_uid, st.st_gid) && geteuid() == 0)
		err = -errno;
	if (!err && fdatasync(to))
		err = -errno;
	if (!err)
		err = give_name(dirfd, to, whole);
	if (err == -EEXIST) /* killed before it had removed the other: that one is whole, too */
		err = 0;
	if (!err && unlinkat(dirfd, name, 0))
		err = -errno;
	if (to >= 0)
		close(to);
	close(from);
	free(whole);
	return err;
}
