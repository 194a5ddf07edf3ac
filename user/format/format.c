// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "format.h"

#include <errno.h>
#include <string.h>

#include "json.h"
#include "../util/fnv.h"
#include "../util/log.h"

static const struct format *const formats[] = {&format_text, &format_json, &format_ecs,
                                               &format_ocsf, &format_cef,  &format_leef};

#define FORMATS_CNT (sizeof(formats) / sizeof(formats[0]))

const struct format *format__find(const char *name, size_t len)
{
	for (size_t i = 0; i < FORMATS_CNT; i++)
		if (strlen(formats[i]->name) == len && !memcmp(formats[i]->name, name, len))
			return formats[i];
	return NULL;
}

int format__take_attack(const char *text, unsigned *severity)
{
	if (!strcmp(text, "high")) {
		*severity = FORMAT_ATTACK_SEVERITY;
	} else if (!strcmp(text, "all")) {
		*severity = 1;
	} else if (!strcmp(text, "none")) {
		*severity = FORMAT_ATTACK_NEVER;
	} else {
		log__error("--attack takes high, all or none, not '%s'", text);
		return -EINVAL;
	}
	return 0;
}

struct format_context format_context__of(const char *boot_id, uint64_t instance_ns,
                                         int64_t realtime_offset_ns)
{
	struct format_context ctx = {.realtime_offset_ns = realtime_offset_ns};

	fnv__hex(ctx.instance, fnv64__add(fnv64__add(FNV64_INIT, boot_id, strlen(boot_id)),
	                                  &instance_ns, sizeof(instance_ns)));
	return ctx;
}

const char *format__names(void)
{
	static char names[128];

	if (!names[0])
		for (size_t i = 0; i < FORMATS_CNT; i++) {
			if (i)
				strncat(names, ", ", sizeof(names) - strlen(names) - 1);
			strncat(names, formats[i]->name, sizeof(names) - strlen(names) - 1);
		}
	return names;
}

const char *lost_cause__name(uint32_t cause)
{
	switch (cause) {
	case PT_LOST_RING_FULL:
		return "ring_full";
	case PT_LOST_SCRATCH:
		return "scratch";
	case PT_LOST_READER:
		return "malformed";
	case PT_LOST_OUTPUT:
		return "output";
	case PT_LOST_SPOOL_FULL:
		return "spool_full";
	case PT_LOST_SPOOL_ERROR:
		return "spool_error";
	case PT_LOST_THROTTLED:
		return "throttled";
	default:
		return "unknown";
	}
}

bool lost_cause__in_kernel(uint32_t cause)
{
	return cause == PT_LOST_RING_FULL || cause == PT_LOST_SCRATCH || cause == PT_LOST_THROTTLED;
}

const char *detach_reason__name(uint8_t reason)
{
	switch (reason) {
	case PT_DETACH_EXIT:
		return "exit";
	case PT_DETACH_EXEC:
		return "exec";
	case PT_DETACH_FILE:
		return "file";
	case PT_DETACH_END:
		return "end";
	default:
		return "unknown";
	}
}

const char *probe__name(uint8_t probe)
{
	return probe == PT_PROBE_UPROBE ? "uprobe" : "usdt";
}
