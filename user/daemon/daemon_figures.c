// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../output.h"
#include "../session.h"
#include "../util/clock.h"
#include "../util/log.h"
#include "../util/safe_file.h"
#include "../util/write_all.h"
#include "control.h"
#include "daemon_impl.h"
#include "notify.h"

#define FIGURES_NS 1000000000u

static void take(struct daemon *d)
{
	struct tracer_figures *t = &d->figures;
	struct session *s = trace_loop__session(d->loop);

	t->time_ns = (int64_t)clock__realtime();
	t->started_ns = (int64_t)d->instance_ns;
	t->kernel = session__counters(s);
	t->output = *output__stats(d->output);
	t->files = attach__files(session__attach(s));
	t->rss_bytes = figures__rss();
	t->programs_cnt = (uint32_t)session__runs(s, t->programs, RUN_STATS_MAX);
	outlets__tell(d->outlets, t);
}

static int replace_file(const char *path, const struct buf *text)
{
	char tmp[4096];
	int fd, err;

	if (snprintf(tmp, sizeof(tmp), "%s.tmp", path) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	err = write_all(fd, text->data, text->len);
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(tmp, path))
		err = -errno;
	if (err)
		unlink(tmp);
	return err;
}

static void write_textfile(struct daemon *d, uint64_t now)
{
	const struct settings *m = d->cfg->sections[SECTION_METRICS];
	const char *path = settings__string(m, "textfile");
	static bool said;
	struct buf text = BUF_INIT;
	int err;

	if (!path || now < d->textfile_ns)
		return;
	d->textfile_ns = now + (uint64_t)(settings__seconds(m, "interval") * 1e9);
	figures__prometheus(&text, &d->figures, outlets__figures(d->outlets));
	err = text.failed ? -ENOMEM : replace_file(path, &text);
	if (err && !said)
		log__error("cannot write the metrics to '%s': %s", path, safe_file__why(err));
	said = err;
	buf__free(&text);
}

static void touch(const char *path)
{
	if (utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW) && errno == ENOENT) {
		int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

		if (fd >= 0)
			close(fd);
	}
}

void daemon__figures(struct daemon *d, uint64_t now)
{
	uint64_t watchdog = notify__watchdog_ns();

	/* half of it, so that one that is late does no harm */
	if (watchdog && now >= d->watchdog_ns) {
		notify("WATCHDOG=1");
		d->watchdog_ns = now + watchdog / 2;
	}
	if (now < d->figures_ns)
		return;
	d->figures_ns = now + FIGURES_NS;
	take(d);
	touch(d->alive);
	write_textfile(d, now);
	notify("STATUS=%llu events, %llu processes", (unsigned long long)d->figures.output.events,
	       (unsigned long long)d->figures.output.processes);
}

void daemon__answer(struct daemon *d)
{
	struct buf text = BUF_INIT;

	take(d);
	figures__json(&text, &d->figures, outlets__figures(d->outlets));
	figures__text(&text, &d->figures, outlets__figures(d->outlets));
	if (!text.failed)
		control__answer(d->control, &text);
	buf__free(&text);
}
