// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The decoder as a shared library that an interpreter loads through ctypes to check its own layout
 * row: its own objects in, the JSON of their values out. See test_layout.py.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../../user/format/format.h"
#include "../../user/layouts.h"
#include "../../user/pymem.h"
#include "../../user/reader.h"
#include "../../user/util/buf.h"

int pyhost_decode(uint64_t obj_address, const uint64_t known[PT_KNOWN_MAX], uint32_t py_version_hex,
                  int free_threaded, unsigned int max_string, unsigned int max_items,
                  unsigned int max_depth, char *json_out, size_t cap);

/*
 * Decodes the tuple at obj_address; writes {"args":{…}[,"truncated":…][,"unreadable":…]} to
 * json_out. known: addresses of the objects of enum pt_known. Returns the length, or -errno
 * (-ENOENT: no layout, -EBADMSG: the record was malformed, -ENOSPC: cap is too small).
 */
__attribute__((visibility("default"))) int
pyhost_decode(uint64_t obj_address, const uint64_t known[PT_KNOWN_MAX], uint32_t py_version_hex,
              int free_threaded, unsigned int max_string, unsigned int max_items,
              unsigned int max_depth, char *json_out, size_t cap)
{
	const struct pt_layout *layout = layouts__find(py_version_hex, free_threaded);
	struct pt_site site = {.py_version = py_version_hex, .flags = PT_SITE_DECODE};
	struct pymem_options o = {
		.pid = getpid(),
		.site = &site,
		.max_string = max_string,
		.max_items = max_items,
		.max_depth = max_depth,
	};
	struct buf out = BUF_INIT, notes = BUF_INIT;
	const void *record;
	struct pymem *m;
	struct event ev;
	size_t size;
	int ret;

	if (!layout)
		return -ENOENT;
	site.layout = *layout;
	memcpy(site.known, known, sizeof(site.known));
	m = pymem__new(&o);
	if (!m)
		return -ENOMEM;
	size = pymem__tuple(m, obj_address, &record);
	ret = reader__audit(record, size, &ev);
	if (!ret) {
		buf__lit(&out, "{\"args\":");
		json__args(&out, &notes, &ev);
		buf__append(&out, notes.data, notes.len);
		buf__char(&out, '}');
		ret = out.failed || out.len >= cap ? -ENOSPC : (int)out.len;
		if (ret > 0) {
			memcpy(json_out, out.data, out.len);
			json_out[out.len] = '\0';
		}
	}
	buf__free(&out);
	buf__free(&notes);
	pymem__free(m);
	return ret;
}
