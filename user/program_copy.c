// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "program_copy.h"

#include <errno.h>

#include <bpf/libbpf.h>

#include "pytrail.skel.h"

/* Every map but the constants, which are frozen as each object is loaded. */
static int share_maps(struct pytrail_bpf *copy, const struct pytrail_bpf *from)
{
	struct bpf_map *map;
	int err;

	bpf_object__for_each_map(map, copy->obj)
	{
		const struct bpf_map *original;

		if (map == copy->maps.rodata)
			continue;
		original = bpf_object__find_map_by_name(from->obj, bpf_map__name(map));
		err = original ? bpf_map__reuse_fd(map, bpf_map__fd(original)) : -ENOENT;
		if (err)
			return err;
	}
	return 0;
}

int program_copy__load(struct pytrail_bpf *copy, const struct pytrail_bpf *from,
                       struct bpf_program *prog)
{
	struct bpf_program *other;
	int err;

	bpf_object__for_each_program(other, copy->obj)
		bpf_program__set_autoload(other, other == prog);
	err = share_maps(copy, from);
	return err ? err : pytrail_bpf__load(copy);
}
