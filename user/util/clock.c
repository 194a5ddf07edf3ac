// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "clock.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t clock__monotonic(void)
{
	return now(CLOCK_MONOTONIC);
}

uint64_t clock__boottime(void)
{
	return now(CLOCK_BOOTTIME);
}

uint64_t clock__realtime(void)
{
	return now(CLOCK_REALTIME);
}

struct time_budget time_budget__new(uint64_t ns)
{
	return (struct time_budget){ns, now(CLOCK_MONOTONIC), now(CLOCK_THREAD_CPUTIME_ID)};
}

uint64_t time_budget__spent(const struct time_budget *b)
{
	uint64_t cpu = now(CLOCK_THREAD_CPUTIME_ID) - b->cpu;
	uint64_t wall = (now(CLOCK_MONOTONIC) - b->monotonic) / 10;

	return cpu > wall ? cpu : wall;
}

bool time_budget__is_over(const struct time_budget *b)
{
	return time_budget__spent(b) >= b->ns;
}

int64_t clock__realtime_offset(void)
{
	uint64_t before, wall, after, best = UINT64_MAX;
	int64_t offset = 0;
	int i;

	/* the pair that was taken closest together: preemption between them would falsify it */
	for (i = 0; i < 5; i++) {
		before = now(CLOCK_MONOTONIC);
		wall = now(CLOCK_REALTIME);
		after = now(CLOCK_MONOTONIC);
		if (after - before < best) {
			best = after - before;
			offset = (int64_t)(wall - (before + best / 2));
		}
	}
	return offset;
}

void clock__boot_id(char *out, size_t size)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}
