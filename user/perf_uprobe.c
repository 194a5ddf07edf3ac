/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <stdint.h>
#include <string.h>

#include <bpf/btf.h>

#include "perf_uprobe.h"

/* The type behind a pointer, NULL: it is none. */
static const struct btf_type *behind_pointer(const struct btf *kernel, const struct btf_type *type)
{
	return type && btf_is_ptr(type) ? btf__type_by_id(kernel, type->type) : NULL;
}

bool perf_uprobe__is_unlocked(const struct btf *kernel)
{
	int id = btf__find_by_name_kind(kernel, "__uprobe_perf_func", BTF_KIND_FUNC);
	const struct btf_type *type;
	const struct btf_param *params;
	unsigned int i;

	/* made part of its callers: by what else came with that release (adf46d88ae4b) */
	if (id <= 0)
		return btf__find_by_name_kind(kernel, "bpf_session_run_ctx", BTF_KIND_STRUCT) > 0;
	type = btf__type_by_id(kernel, (uint32_t)id);
	type = type ? btf__type_by_id(kernel, type->type) : NULL;
	if (!type || !btf_is_func_proto(type))
		return false;
	params = btf_params(type);
	for (i = 0; i < btf_vlen(type); i++) {
		const struct btf_type *p = btf__type_by_id(kernel, params[i].type);

		p = behind_pointer(kernel, behind_pointer(kernel, p));
		if (p && btf_is_struct(p) &&
		    !strcmp(btf__name_by_offset(kernel, p->name_off), "uprobe_cpu_buffer"))
			return true;
	}
	return false;
}
