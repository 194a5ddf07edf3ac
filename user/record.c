// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../bpf/wire.h"
#include "util/log.h"
#include "util/safe_file.h"
#include "util/write_all.h"

static const char magic[8] = {'p', 'y', 't', 'r', 'a', 'i', 'l', '\n'};

/* A later version's header may be longer, so far. */
#define HEADER_MAX 4096
#define ROOM       (4 * PT_RECORD_MAX)

struct record_writer {
	int fd;
	bool owned;
	int err;
	size_t len;
	char *name;
	uint8_t data[ROOM];
};

struct record_reader {
	struct record_header header;
	int fd;
	bool owned;
	bool eof;
	uint64_t offset; /* in the file, of data[pos] */
	size_t pos, len; /* pos is a multiple of 8 */
	char *name;
	uint64_t data[ROOM / 8];
};

_Static_assert(sizeof(struct record_header) == 72, "the file's format");

static int writer__flush(struct record_writer *w)
{
	int err = write_all(w->fd, w->data, w->len);

	w->len = 0;
	if (err && !w->err) {
		w->err = err;
		log__error("cannot write records to %s: %s", w->name, strerror(-err));
	}
	return w->err;
}

int record_writer__open(const char *path, const struct record_header *h, struct record_writer **out)
{
	struct record_writer *w = calloc(1, sizeof(*w));
	struct record_header header = *h;
	bool standard = !strcmp(path, "-");
	int err = ENOMEM;

	if (!w || !(w->name = strdup(standard ? "standard output" : path)))
		goto fail;
	w->owned = !standard;
	w->fd = standard ? STDOUT_FILENO : safe_file__open(path, O_WRONLY | O_TRUNC, 0600);
	if (w->fd < 0) {
		err = -w->fd;
		goto fail;
	}
	memcpy(header.magic, magic, sizeof(magic));
	header.version = PT_WIRE_VERSION;
	header.header_size = sizeof(header);
	memcpy(w->data, &header, sizeof(header));
	w->len = sizeof(header);
	*out = w;
	return 0;
fail:
	log__error("cannot open %s for records: %s", path, safe_file__why(-err));
	if (w)
		free(w->name);
	free(w);
	return -err;
}

int record_writer__write(struct record_writer *w, const void *record, size_t size)
{
	if (w->err)
		return w->err;
	if (size > sizeof(w->data) - w->len && writer__flush(w))
		return w->err;
	if (size > sizeof(w->data))
		return -EMSGSIZE;
	memcpy(w->data + w->len, record, size);
	w->len += size;
	return 0;
}

int record_writer__close(struct record_writer *w)
{
	int err;

	if (!w)
		return 0;
	if (!w->err)
		writer__flush(w);
	if (w->owned && close(w->fd) && !w->err && errno != EINTR) {
		w->err = -errno;
		log__error("cannot write records to %s: %s", w->name, strerror(errno));
	}
	err = w->err;
	free(w->name);
	free(w);
	return err;
}

/* Has `want` bytes ready at pos, if the file has as many. Returns how many there are, or -errno. */
static ssize_t reader__fill(struct record_reader *r, size_t want)
{
	uint8_t *data = (uint8_t *)r->data;

	if (r->len - r->pos >= want || r->eof)
		return (ssize_t)(r->len - r->pos);
	memmove(data, data + r->pos, r->len - r->pos);
	r->len -= r->pos;
	r->pos = 0;
	while (r->len < want) {
		ssize_t n = read(r->fd, data + r->len, sizeof(r->data) - r->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n) {
			r->eof = true;
			break;
		}
		r->len += (size_t)n;
	}
	return (ssize_t)r->len;
}

static void reader__skip(struct record_reader *r, size_t len)
{
	r->pos += len;
	r->offset += len;
}

static int reader__header_check(struct record_reader *r)
{
	struct record_header *h = &r->header;
	ssize_t n = reader__fill(r, sizeof(*h));

	if (n < 0) {
		log__error("cannot read %s: %s", r->name, strerror((int)-n));
		return (int)n;
	}
	memset(h, 0, sizeof(*h));
	memcpy(h, r->data, (size_t)n < sizeof(*h) ? (size_t)n : sizeof(*h));
	if ((size_t)n < sizeof(*h) || memcmp(h->magic, magic, sizeof(magic)) != 0) {
		log__error("%s is not a record file of pytrail trace --record", r->name);
		return -EBADMSG;
	}
	if (h->version != PT_WIRE_VERSION) {
		log__error("%s has records of version %u; this pytrail reads version %d", r->name,
		           h->version, PT_WIRE_VERSION);
		return -EPROTONOSUPPORT;
	}
	if (h->header_size < sizeof(*h) || h->header_size > HEADER_MAX || h->header_size % 8 ||
	    reader__fill(r, h->header_size) < (ssize_t)h->header_size) {
		log__error("%s is damaged: its header says that it has %u bytes", r->name,
		           h->header_size);
		return -EBADMSG;
	}
	h->boot_id[sizeof(h->boot_id) - 1] = '\0';
	reader__skip(r, h->header_size);
	return 0;
}

int record_reader__open(const char *path, struct record_reader **out)
{
	struct record_reader *r = calloc(1, sizeof(*r));
	bool standard = !strcmp(path, "-");
	int err = -ENOMEM;

	if (!r || !(r->name = strdup(standard ? "standard input" : path))) {
		log__error("out of memory");
		goto fail;
	}
	r->owned = !standard;
	r->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (r->fd < 0) {
		err = -errno;
		log__error("cannot open %s: %s", path, strerror(errno));
		goto fail;
	}
	err = reader__header_check(r);
	if (err)
		goto fail;
	*out = r;
	return 0;
fail:
	record_reader__close(r);
	return err;
}

const struct record_header *record_reader__header(const struct record_reader *r)
{
	return &r->header;
}

int record_reader__next(struct record_reader *r, const void **record, size_t *size)
{
	ssize_t n = reader__fill(r, sizeof(struct pt_rec));
	const struct pt_rec *rec;

	if (!n)
		return 0;
	if (n >= (ssize_t)sizeof(*rec)) {
		size_t want = ((const struct pt_rec *)(r->data + r->pos / 8))->size;

		if (want < sizeof(*rec) || want > PT_RECORD_MAX || want % 8) {
			log__error(
				"%s is damaged at byte %llu: a record says that it has %zu bytes",
				r->name, (unsigned long long)r->offset, want);
			return -EBADMSG;
		}
		n = reader__fill(r, want);
		if (n >= (ssize_t)want) {
			*record = r->data + r->pos / 8;
			*size = want;
			reader__skip(r, want);
			return 1;
		}
	}
	if (n < 0) {
		log__error("cannot read %s: %s", r->name, strerror((int)-n));
		return (int)n;
	}
	log__error("%s is torn: the record at byte %llu is not whole", r->name,
	           (unsigned long long)r->offset);
	return -EBADMSG;
}

void record_reader__close(struct record_reader *r)
{
	if (!r)
		return;
	if (r->owned && r->fd >= 0)
		close(r->fd);
	free(r->name);
	free(r);
}
