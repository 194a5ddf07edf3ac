// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "waiter.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../util/clock.h"

int waiter__init(struct waiter *w)
{
	w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return w->wake < 0 ? -errno : 0;
}

void waiter__close(struct waiter *w)
{
	if (w->wake >= 0)
		close(w->wake);
	w->wake = -1;
}

void waiter__interrupt(const struct waiter *w)
{
	/* a full counter is one that wakes, too */
	(void)!write(w->wake, &(uint64_t){1}, sizeof(uint64_t));
}

bool waiter__interrupted(const struct waiter *w)
{
	struct pollfd p = {.fd = w->wake, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

uint64_t waiter__deadline(double seconds)
{
	return clock__monotonic() + (uint64_t)(seconds * 1e9);
}

int waiter__poll(const struct waiter *w, int fd, short events, uint64_t deadline)
{
	struct pollfd p[] = {{.fd = w->wake, .events = POLLIN}, {.fd = fd, .events = events}};

	for (;;) {
		uint64_t now = clock__monotonic(), left = deadline > now ? deadline - now : 0;
		struct timespec ts = {(time_t)(left / 1000000000), (long)(left % 1000000000)};
		int n = ppoll(p, 2, &ts, NULL);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			return p[0].revents ? -ECANCELED : 0;
		if (n == 0)
			return -ETIMEDOUT;
	}
}

void waiter__block_sigpipe(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}
