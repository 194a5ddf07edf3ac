// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "survey.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../util/buf.h"
#include "record_stream.h"

static DIR *open_dir(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

static void read_cursor(struct survey *s, struct survey_output *o)
{
	uint64_t generation, from = 0, next;
	int fd = cursor__open(s->dirfd, o->name, false), index;

	o->error = fd < 0 ? fd : cursor__read(fd, &o->cursor, &generation);
	if (fd >= 0)
		close(fd);
	if (o->error)
		memset(&o->cursor, 0, sizeof(o->cursor));
	else if (!o->stream[0])
		memcpy(o->stream, o->cursor.stream, sizeof(o->stream));
	index = control__stream(&s->state, o->stream, strlen(o->stream));
	next = index < 0 ? 0 : s->live.next[index];
	if (!o->error && o->cursor.spool_id == s->spool_id)
		from = o->cursor.mark.ordinal;
	if (o->configured) {
		const struct control_output *c = control__output(&s->state, o->name);

		if (c->since_ordinal > from)
			from = c->since_ordinal;
	}
	o->pending = next > from ? next - from : 0;
	if (o->pending && !from)
		o->pending = next - 1; /* ordinals begin with 1 */
}

static bool is_known(const struct survey *s, const char *name)
{
	for (size_t i = 0; i < s->outputs_cnt; i++)
		if (!strcmp(s->outputs[i].name, name))
			return true;
	return false;
}

static void find_outputs(struct survey *s)
{
	DIR *dir = open_dir(s->dirfd, CURSORS_NAME);
	struct dirent *e;

	for (size_t i = 0; i < SPOOL_OUTPUTS_MAX; i++) {
		const struct control_output *c = &s->state.outputs[i];
		struct survey_output *o = &s->outputs[s->outputs_cnt];

		if (!c->name[0] || !spool__is_name(c->name))
			continue;
		memcpy(o->name, c->name, sizeof(o->name));
		memcpy(o->stream, s->state.streams[c->stream].name, sizeof(o->stream));
		o->configured = true;
		s->outputs_cnt++;
	}
	while (dir && (e = readdir(dir)) &&
	       s->outputs_cnt < sizeof(s->outputs) / sizeof(s->outputs[0])) {
		size_t len = strlen(e->d_name);
		struct survey_output *o = &s->outputs[s->outputs_cnt];

		if (len < 5 || len - 4 > SPOOL_NAME_MAX || strcmp(e->d_name + len - 4, ".cur"))
			continue;
		memcpy(o->name, e->d_name, len - 4);
		o->name[len - 4] = '\0';
		if (spool__is_name(o->name) && !is_known(s, o->name))
			s->outputs_cnt++;
	}
	if (dir)
		closedir(dir);
	for (size_t i = 0; i < s->outputs_cnt; i++)
		read_cursor(s, &s->outputs[i]);
}

static void count_segments(struct survey *s)
{
	DIR *dir = open_dir(s->dirfd, ".");
	struct dirent *e;
	struct stat st;
	unsigned lane;
	uint64_t first;

	while (dir && (e = readdir(dir)))
		if (segment__parse_name(e->d_name, &lane, &first) &&
		    !fstatat(s->dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW)) {
			s->lanes[lane].segments++;
			s->lanes[lane].bytes += (uint64_t)st.st_size;
		}
	if (dir)
		closedir(dir);
}

int survey__open(const char *dir, struct survey *out, struct buf *why)
{
	struct control_file *c;
	int fd, err;

	memset(out, 0, sizeof(*out));
	out->dirfd = open(dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (out->dirfd < 0) {
		err = -errno;
		buf__printf(why, "cannot open the spool '%s': %s", dir, strerror(errno));
		return err;
	}
	err = control__map(out->dirfd, dir, false, &fd, &c, why);
	if (err) {
		close(out->dirfd);
		return err;
	}
	control__snapshot(c, &out->live);
	out->state_whole = control__load(c, &out->state);
	if (!out->state_whole)
		memset(&out->state, 0, sizeof(out->state));
	out->spool_id = c->spool_id;
	control__unmap(c);
	close(fd);
	count_segments(out);
	find_outputs(out);
	return 0;
}

void survey__close(struct survey *s)
{
	close(s->dirfd);
}

static void read_segment(struct survey *s, struct record_stream *rs, const char *name,
                         struct survey_segment *out)
{
	struct record_head h;
	const void *payload;
	struct item it;
	unsigned lane;
	uint64_t first;
	struct stat st;
	bool active;
	int n = 0;

	*out = (struct survey_segment){.name = name};
	segment__parse_name(name, &lane, &first);
	active = s->live.active[lane - 1] == first;
	out->error = record_stream__open(rs, s->dirfd, name);
	if (!out->error &&
	    (rs->head.spool_id != s->spool_id || rs->head.lane != lane || rs->head.first != first))
		out->error = -EBADMSG;
	if (out->error)
		return;
	while ((n = record_stream__next(rs, !active, &h, &payload)) > 0) {
		if (item__decode(payload, h.len, &it) == (long)h.len) {
			out->items++;
		} else {
			out->bad_bytes += h.len;
			out->bad_at = record_stream__offset(rs) - h.len;
		}
	}
	out->error = n;
	out->bytes = fstat(rs->fd, &st) ? 0 : (uint64_t)st.st_size;
	if (rs->bad_bytes)
		out->bad_at = rs->bad_at;
	out->bad_bytes += rs->bad_bytes;
}

int survey__segments(struct survey *s, void (*fn)(void *ctx, const struct survey_segment *seg),
                     void *ctx)
{
	DIR *dir = open_dir(s->dirfd, ".");
	struct record_stream rs = {.fd = -1};
	struct survey_segment seg;
	struct dirent *e;
	unsigned lane;
	uint64_t first;

	if (!dir)
		return -errno;
	while ((e = readdir(dir))) {
		if (!segment__parse_name(e->d_name, &lane, &first))
			continue;
		read_segment(s, &rs, e->d_name, &seg);
		if (seg.error != -ENOENT) /* acknowledged meanwhile */
			fn(ctx, &seg);
	}
	closedir(dir);
	record_stream__free(&rs);
	return 0;
}
