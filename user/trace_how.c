/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <stddef.h>

#include "binary.h"
#include "layouts.h"
#include "trace_how.h"

struct trace_how trace_how__of(const struct binary *b)
{
	if (!b->sites_cnt)
		return (struct trace_how){
			.reason = "built without the python:audit probe (configure --with-dtrace)"};
	for (size_t i = 0; i < b->sites_cnt; i++) {
		const struct pt_arg *args = b->sites[i].args;

		if (args[0].kind == PT_ARG_NONE || args[1].kind == PT_ARG_NONE)
			return (struct trace_how){
				.probe = "usdt",
				.reason = "a probe site's arguments are in a place not understood"};
	}
	if (!b->py_version)
		return (struct trace_how){
			.probe = "usdt",
			.reason = "version not known: arguments undecoded",
		};
	if (!layouts__find(b->py_version, b->free_threaded))
		return (struct trace_how){
			.probe = "usdt",
			.reason = "object layout of this version not known: arguments undecoded",
		};
	return (struct trace_how){.probe = "usdt", .decoded = true};
}
