// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "caps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/perf_event.h>

#include "../util/buf.h"
#include "../util/log.h"

static uint64_t needed, needed_files;
static bool keeps_all;

static uint64_t both(const struct __user_cap_data_struct data[2], bool permitted)
{
	return permitted ? (uint64_t)data[1].permitted << 32 | data[0].permitted
	                 : (uint64_t)data[1].effective << 32 | data[0].effective;
}

static uint64_t get(bool permitted)
{
	/* of this thread, whichever it is */
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	return syscall(SYS_capget, &header, data) < 0 ? 0 : both(data, permitted);
}

static int set(uint64_t permitted, uint64_t effective)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{.permitted = (uint32_t)permitted, .effective = (uint32_t)effective},
		{.permitted = (uint32_t)(permitted >> 32), .effective = (uint32_t)(effective >> 32)},
	};

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

uint64_t caps__effective(void)
{
	return get(false);
}

void caps__need(enum cap cap)
{
	needed |= CAP_BIT(cap);
}

static void need_file(const struct stat *st)
{
	/* to make a file there or to open it again, and to give what replaces it to its owner */
	if (st->st_uid != geteuid())
		needed_files |= CAP_BIT(CAPABILITY_DAC_OVERRIDE) | CAP_BIT(CAPABILITY_CHOWN);
}

void caps__need_file(int fd)
{
	struct stat st;

	if (!fstat(fd, &st))
		need_file(&st);
}

void caps__need_path(const char *path)
{
	struct stat st;

	if (!stat(path, &st))
		need_file(&st);
}

void caps__keep_all(void)
{
	keeps_all = true;
}

/* What is not in the bounding set cannot be had by executing a file. Without CAP_SETPCAP it stays
 * as it is. */
static void limit_bounding(uint64_t keep)
{
	for (unsigned cap = 0; cap < 64; cap++)
		if (!(keep & CAP_BIT(cap)) && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) > 0)
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

int caps__limit(uint64_t keep)
{
	uint64_t permitted = get(true);

	keep &= permitted;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	limit_bounding(keep);
	return set(keep, keep);
}

void caps__limit_thread(uint64_t caps)
{
	if (!keeps_all && caps__limit(caps))
		log__debug("a thread keeps its capabilities: %s", strerror(errno));
}

void caps__limit_to_files(uint64_t more)
{
	caps__limit_thread(needed_files | more);
}

void caps__limit_to_needed(void)
{
	caps__limit_thread(needed | needed_files);
}

/*
 * A uprobe by a perf event, in a file that is not there: refused before that is seen
 * (perf_uprobe_event_init(), kernel/events/core.c: CAP_SYS_ADMIN, where CAP_PERFMON does for other
 * events).
 */
static bool may_open_uprobes(void)
{
	static const char nowhere[] = "/nonexistent/pytrail";
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.uprobe_path = (uint64_t)(uintptr_t)nowhere,
	};
	FILE *type = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	char text[16] = "";
	int fd;

	if (!type)
		return true;
	if (!fgets(text, sizeof(text), type))
		text[0] = '\0';
	fclose(type);
	attr.type = (uint32_t)strtoul(text, NULL, 10);
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0 || (errno != EACCES && errno != EPERM);
}

/* The links of /proc/PID/map_files: CAP_CHECKPOINT_RESTORE will do since Linux 5.9
 * (12886f8ab10c). */
static bool may_follow_map_files(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uint64_t start, end;
	char line[256] = "", path[96], *rest;
	struct stat st;
	bool found;

	if (!maps)
		return true;
	found = fgets(line, sizeof(line), maps) != NULL;
	fclose(maps);
	start = strtoull(line, &rest, 16);
	end = *rest == '-' ? strtoull(rest + 1, NULL, 16) : 0;
	snprintf(path, sizeof(path), "/proc/self/map_files/%" PRIx64 "-%" PRIx64, start, end);
	return !found || !end || !stat(path, &st) || errno != EPERM;
}

/* Tried without it, while it can still be taken back. */
static bool needs_admin(uint64_t keep, uint64_t permitted, bool uprobes)
{
	bool needs;

	if (!(permitted & CAP_BIT(CAPABILITY_SYS_ADMIN)) || set(permitted, keep & permitted))
		return false;
	needs = (uprobes && !may_open_uprobes()) || !may_follow_map_files();
	set(permitted, permitted);
	return needs;
}

int caps__drop(bool uprobes, struct buf *why)
{
	uint64_t keep = needed | needed_files;
	int err;

	if (keeps_all)
		return 0;
	if (needs_admin(keep, get(true), uprobes))
		keep |= CAP_BIT(CAPABILITY_SYS_ADMIN);
	err = caps__limit(keep);
	if (err)
		buf__printf(why, "capabilities cannot be given up: %s", strerror(-err));
	else
		log__debug("capabilities that are left: %llx", (unsigned long long)caps__effective());
	return err;
}
