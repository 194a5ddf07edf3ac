// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "looks.h"

#include <errno.h>
#include <stdlib.h>

#include "allowance.h"
#include "util/clock.h"

#define WAITING_MAX 256
#define WAITING_MS  512 /* of the longest delay: a second in all */

/* So long at once; then, between two slices of a look at all that takes long, the same for other
 * things. */
#define SLICE_NS 10000000u
#define SLICE_MS (SLICE_NS / 1000000)
#define LONG_NS  200000000u
/* A look at all takes this part of the time at most. */
#define ALL_PART 5
/* One process of them: it can map ahead of who looks for ever. */
#define ONE_NS 1000000000u

/* A process that may turn out to run a Python. */
struct waiting {
	pid_t pid;
	uint32_t uid;
	int delay_ms; /* until the next look: doubled each time */
	uint64_t next_ns;
};

struct looks {
	struct looks_options o;
	struct waiting waiting[WAITING_MAX];
	size_t waiting_cnt;
	struct pid_list all;
	struct discover_look *look; /* at one of them, that goes on */
	uint64_t look_ns;           /* it has taken so far */
	bool looking;               /* at all of them */
	bool incomplete;
	uint64_t spent_ns; /* on that */
	uint64_t next_ns;  /* not again before */
};

struct looks *looks__new(const struct looks_options *opts)
{
	struct looks *l = calloc(1, sizeof(*l));

	if (l)
		l->o = *opts;
	return l;
}

void looks__free(struct looks *l)
{
	if (!l)
		return;
	discover__look_end(l->look);
	pid_list__free(&l->all);
	free(l);
}

void looks__wait_for(struct looks *l, pid_t pid, uint32_t uid)
{
	size_t i;

	for (i = 0; i < l->waiting_cnt; i++)
		if (l->waiting[i].pid == pid)
			return;
	if (l->waiting_cnt < WAITING_MAX)
		l->waiting[l->waiting_cnt++] =
			(struct waiting){.pid = pid, .uid = uid, .delay_ms = 1};
}

/* Whether it is waited for no more: then the look at all may find it. */
static bool look_at_waiting(struct looks *l, struct waiting *w, uint64_t now)
{
	struct time_budget cost = time_budget__new(0);
	struct discovered found;
	int ret = 0;

	if (allowance__may(l->o.allowance, w->uid, now)) {
		ret = discover__pid(l->o.discover, w->pid, &found);
		if (ret == 1)
			l->o.found(l->o.ctx, &found, false);
		allowance__took(l->o.allowance, w->uid, now, time_budget__spent(&cost));
	}
	w->delay_ms *= 2;
	w->next_ns = now + (uint64_t)w->delay_ms * 1000000;
	return ret || w->delay_ms > WAITING_MS;
}

static int go_on_waiting(struct looks *l)
{
	struct time_budget slice = time_budget__new(SLICE_NS);
	int soonest = -1;
	size_t i;

	for (i = 0; i < l->waiting_cnt;) {
		struct waiting *w = &l->waiting[i];
		uint64_t now = clock__monotonic();

		if (now >= w->next_ns && !time_budget__is_over(&slice) && look_at_waiting(l, w, now)) {
			*w = l->waiting[--l->waiting_cnt];
			continue;
		}
		if (soonest < 0 || w->delay_ms < soonest)
			soonest = w->delay_ms;
		i++;
	}
	return soonest;
}

bool looks__can_begin(const struct looks *l, uint64_t now)
{
	return !l->looking && now >= l->next_ns;
}

void looks__begin(struct looks *l, struct pid_list *all)
{
	pid_list__free(&l->all);
	l->all = *all;
	*all = (struct pid_list){0};
	l->looking = true;
	l->incomplete = false;
	l->spent_ns = 0;
}

/* Nothing is wrong with the process, but we could not look. */
static bool is_want(int err)
{
	return err == -ENOMEM || err == -EMFILE || err == -ENFILE;
}

/* False: nothing is left. */
static bool look_at_next(struct looks *l, const struct time_budget *slice)
{
	uint64_t before = time_budget__spent(slice);
	struct discovered found;
	pid_t pid;
	int ret;

	if (!l->look) {
		if (!pid_list__take(&l->all, &pid))
			return false;
		l->look_ns = 0;
		ret = discover__look(l->o.discover, pid, &l->look);
		if (ret) {
			l->incomplete |= is_want(ret);
			return true;
		}
	}
	ret = discover__look_on(l->look, slice, &found);
	l->look_ns += time_budget__spent(slice) - before;
	if (ret == -EAGAIN && l->look_ns < ONE_NS)
		return true;
	discover__look_end(l->look);
	l->look = NULL;
	if (ret == 1)
		l->o.found(l->o.ctx, &found, true);
	l->incomplete |= is_want(ret);
	return true;
}

static int go_on_all(struct looks *l)
{
	struct time_budget slice = time_budget__new(SLICE_NS);
	bool more = true;

	if (!l->looking)
		return -1;
	while (more && !time_budget__is_over(&slice))
		more = look_at_next(l, &slice);
	l->spent_ns += time_budget__spent(&slice);
	if (more)
		return l->spent_ns > LONG_NS ? (int)SLICE_MS : 0;
	l->looking = false;
	l->next_ns = clock__monotonic() + l->spent_ns * (ALL_PART - 1);
	l->o.over(l->o.ctx, !l->incomplete);
	return -1;
}

int looks__go_on(struct looks *l)
{
	int waiting = go_on_waiting(l), all = go_on_all(l);

	if (waiting < 0 || all < 0)
		return waiting < 0 ? all : waiting;
	return waiting < all ? waiting : all;
}
