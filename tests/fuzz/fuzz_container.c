/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* libFuzzer: whatever the files of a container runtime hold, what is taken of them is terminated
 * text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "enrich/container_json.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool found, const struct container_facts *f)
{
	const char *const texts[] = {f->name, f->image, f->pod, f->pod_namespace};

	if (found != (f->name[0] != '\0') && found)
		abort();
	for (size_t i = 0; i < 4; i++)
		if (strnlen(texts[i], CONTAINER_TEXT_MAX) == CONTAINER_TEXT_MAX)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct container_facts f;
	char path[64];

	check(container_json__docker(text, size, ID, &f), &f);
	check(container_json__storage(text, size, ID, &f), &f);
	check(container_json__bundle(text, size, &f), &f);
	if (container_json__data_root(text, size, path, sizeof(path)) &&
	    (path[0] != '/' || strnlen(path, sizeof(path)) == sizeof(path)))
		abort();
	return 0;
}
