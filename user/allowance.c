// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "allowance.h"

#include <stdlib.h>

#include "util/log.h"

/* Users that are known apart at once: root, and who has used most of late. A host has few that do
 * anything. */
#define USERS        64

#define SAY_AGAIN_NS 60000000000ull

/* Time is booked ahead: of a user with a quarter of it four times what a look took. No look is
 * begun that is booked further ahead than allowance_options.ahead_ns. */
struct user {
	uint32_t uid;
	uint64_t booked_ns;
	uint64_t said_ns;
};

struct allowance {
	struct user users[USERS]; /* the first one is root's */
	uint64_t booked_ns;
	struct allowance_options o;
};

struct allowance *allowance__new(const struct allowance_options *opts)
{
	struct allowance *a = calloc(1, sizeof(*a));

	if (a)
		a->o = *opts;
	return a;
}

void allowance__free(struct allowance *a)
{
	free(a);
}

/* His, or the place of one who has nothing booked any more, or the least. */
static struct user *find(struct allowance *a, uint32_t uid)
{
	struct user *least = &a->users[1];

	if (!uid)
		return &a->users[0];
	for (size_t i = 1; i < USERS; i++) {
		if (a->users[i].uid == uid)
			return &a->users[i];
		if (a->users[i].booked_ns < least->booked_ns)
			least = &a->users[i];
	}
	*least = (struct user){.uid = uid};
	return least;
}

bool allowance__may(struct allowance *a, uint32_t uid, uint64_t now)
{
	struct user *u = find(a, uid);
	uint64_t last = now + a->o.ahead_ns;

	if (a->o.says && u->booked_ns > last && (!u->said_ns || now - u->said_ns >= SAY_AGAIN_NS)) {
		u->said_ns = now;
		log__warn("programs that user %u starts are looked at late: it takes too long to "
		          "find out what they run, and the first events of a Python that is new "
		          "may be missing",
		          uid);
	}
	/* what all others have used up is not root's fault */
	return u->booked_ns <= last && (!uid || a->booked_ns <= last);
}

static void book(uint64_t *booked, uint64_t start, uint64_t took)
{
	*booked = (*booked > start ? *booked : start) + took;
}

void allowance__took(struct allowance *a, uint32_t uid, uint64_t start, uint64_t took)
{
	book(&find(a, uid)->booked_ns, start, took * 100 / a->o.user_percent);
	book(&a->booked_ns, start, took * 100 / a->o.all_percent);
}
