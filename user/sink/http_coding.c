// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Bodies compressed as one whole: a batch is in memory anyway, and receivers want its length. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "http_impl.h"

/* JSON of events shrinks to about a tenth at the fastest level already. */
#define GZIP_LEVEL Z_BEST_SPEED
#define ZSTD_LEVEL 1
#define GZIP_WBITS (15 + 16) /* zlib.h, deflateInit2(): + 16 is gzip */

struct http_coder {
	enum http_coding coding;
	z_stream z;
	ZSTD_CCtx *zstd;
	struct buf out;
};

static struct {
	DYNLIB_FN(ZSTD_createCCtx);
	DYNLIB_FN(ZSTD_freeCCtx);
	DYNLIB_FN(ZSTD_compressCCtx);
	DYNLIB_FN(ZSTD_compressBound);
	DYNLIB_FN(ZSTD_isError);
} zstd;

static const struct dynlib_symbol zstd_symbols[] = {
	DYNLIB_SYMBOL(zstd, ZSTD_createCCtx),   DYNLIB_SYMBOL(zstd, ZSTD_freeCCtx),
	DYNLIB_SYMBOL(zstd, ZSTD_compressCCtx), DYNLIB_SYMBOL(zstd, ZSTD_compressBound),
	DYNLIB_SYMBOL(zstd, ZSTD_isError),      {0},
};

int http_coder__new(const char *name, struct http_coder **out, struct buf *why)
{
	struct http_coder *c = calloc(1, sizeof(*c));
	int err = c ? 0 : -ENOMEM;

	if (c && !strcmp(name, "gzip")) {
		c->coding = HTTP_CODING_GZIP;
		if (deflateInit2(&c->z, GZIP_LEVEL, Z_DEFLATED, GZIP_WBITS, 8, Z_DEFAULT_STRATEGY) !=
		    Z_OK) {
			c->coding = HTTP_CODING_NONE;
			err = -ENOMEM;
		}
	} else if (c && !strcmp(name, "zstd")) {
		err = dynlib__load("libzstd.so.1", "libzstd1", zstd_symbols, why);
		if (!err) {
			c->coding = HTTP_CODING_ZSTD;
			c->zstd = zstd.ZSTD_createCCtx();
			err = c->zstd ? 0 : -ENOMEM;
		}
	}
	if (err == -ENOMEM)
		buf__str(why, "out of memory");
	if (err) {
		http_coder__free(c);
		return err;
	}
	*out = c;
	return 0;
}

void http_coder__free(struct http_coder *c)
{
	if (!c)
		return;
	if (c->coding == HTTP_CODING_GZIP)
		deflateEnd(&c->z);
	if (c->coding == HTTP_CODING_ZSTD)
		zstd.ZSTD_freeCCtx(c->zstd);
	buf__free(&c->out);
	free(c);
}

const char *http_coder__name(const struct http_coder *c)
{
	static const char *const names[] = {NULL, "gzip", "zstd"};

	return names[c->coding];
}

static bool gzip(struct http_coder *c, const struct buf *in)
{
	if (in->len > UINT_MAX || deflateReset(&c->z) != Z_OK ||
	    !buf__reserve(&c->out, deflateBound(&c->z, in->len)) || c->out.cap > UINT_MAX)
		return false;
	c->z.next_in = (Bytef *)in->data;
	c->z.avail_in = (uInt)in->len;
	c->z.next_out = (Bytef *)c->out.data;
	c->z.avail_out = (uInt)c->out.cap;
	if (deflate(&c->z, Z_FINISH) != Z_STREAM_END)
		return false;
	c->out.len = c->z.total_out;
	return true;
}

const struct buf *http_coder__encode(struct http_coder *c, const struct buf *in)
{
	size_t n;

	if (c->coding == HTTP_CODING_NONE)
		return in;
	buf__reset(&c->out);
	if (c->coding == HTTP_CODING_GZIP)
		return gzip(c, in) ? &c->out : NULL;
	if (!buf__reserve(&c->out, zstd.ZSTD_compressBound(in->len)))
		return NULL;
	n = zstd.ZSTD_compressCCtx(c->zstd, c->out.data, c->out.cap, in->data, in->len, ZSTD_LEVEL);
	if (zstd.ZSTD_isError(n))
		return NULL;
	c->out.len = n;
	return &c->out;
}
