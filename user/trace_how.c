/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <stddef.h>

#include "attach.h"
#include "binary.h"
#include "layouts.h"
#include "trace_how.h"

/* What the file's own probe or its audit functions leave to be wished for. */
static const char *probe_reason(const struct binary *b, enum pt_probe probe)
{
	size_t i;

	if (probe == PT_PROBE_UPROBE) {
		if (b->missing[0])
			return b->missing;
		for (i = 0; i < b->entries_cnt; i++) {
			if (b->entries[i].single_stepped)
				return "no instruction that the kernel probes cheaply: 10 us an "
				       "event";
		}
		return NULL;
	}
	for (i = 0; i < b->sites_cnt; i++) {
		const struct pt_arg *args = b->sites[i].args;

		if (args[0].kind == PT_ARG_NONE || args[1].kind == PT_ARG_NONE)
			return "a probe site's arguments are in a place not understood";
	}
	return NULL;
}

struct trace_how trace_how__of(const struct binary *b)
{
	enum pt_probe probe = attach__probe(b, PROBE_AUTO);
	struct trace_how how = {.probe = probe == PT_PROBE_USDT ? "usdt" : "uprobe"};

	if (!probe)
		return (struct trace_how){
			.reason = b->missing[0] ? b->missing : "its audit functions were not found"};
	how.reason = probe_reason(b, probe);
	if (!b->py_version)
		how.reason = "version not known: arguments undecoded";
	else if (!layouts__find(b->py_version, b->free_threaded))
		how.reason = "object layout of this version not known: arguments undecoded";
	else
		how.decoded = probe == PT_PROBE_UPROBE || !how.reason;
	return how;
}
