/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf_file.h"
#include "py_version.h"

/* PY_VERSION_HEX, Include/patchlevel.h: major, minor, micro a byte each, then level and serial. */
#define LEVEL_ALPHA 0xa
#define LEVEL_BETA  0xb
#define LEVEL_RC    0xc
#define LEVEL_FINAL 0xf

#define HEX(minor, micro, level, serial) \
	(3u << 24 | (uint32_t)(minor) << 16 | (uint32_t)(micro) << 8 | (level) << 4 | (serial))

static bool plausible(uint64_t hex)
{
	unsigned level = hex >> 4 & 0xf;

	return hex >> 24 == 3 && (level == 0 || level >= LEVEL_ALPHA) &&
	       (level <= LEVEL_RC || level == LEVEL_FINAL);
}

/* A decimal number of at most three digits at *s, which is moved behind it; -1. */
static int take_number(const char **s)
{
	int n = 0, digits = 0;

	while (**s >= '0' && **s <= '9' && digits < 3) {
		n = n * 10 + (**s - '0');
		++*s;
		digits++;
	}
	return digits && n <= 255 ? n : -1;
}

uint32_t py_version__parse(const char *text)
{
	int minor, micro, serial = 0;
	uint32_t level = LEVEL_FINAL;

	if (strncmp(text, "3.", 2))
		return 0;
	text += 2;
	minor = take_number(&text);
	if (minor < 0 || *text++ != '.')
		return 0;
	micro = take_number(&text);
	if (micro < 0)
		return 0;
	if (*text == 'a' || *text == 'b' || !strncmp(text, "rc", 2)) {
		level = *text == 'a' ? LEVEL_ALPHA : *text == 'b' ? LEVEL_BETA : LEVEL_RC;
		text += level == LEVEL_RC ? 2 : 1;
		serial = take_number(&text);
		if (serial < 0 || serial > 15)
			return 0;
	}
	if (*text == '+') /* built between two releases */
		text++;
	return *text ? 0 : HEX(minor, micro, level, (uint32_t)serial);
}

void py_version__format(uint32_t hex, char *out, size_t size)
{
	unsigned major = hex >> 24, minor = hex >> 16 & 0xff, micro = hex >> 8 & 0xff;
	unsigned level = hex >> 4 & 0xf, serial = hex & 0xf;

	if (!hex)
		snprintf(out, size, "%s", "");
	else if (!level)
		snprintf(out, size, "%u.%u", major, minor);
	else if (level == LEVEL_FINAL)
		snprintf(out, size, "%u.%u.%u", major, minor, micro);
	else
		snprintf(out, size, "%u.%u.%u%s%u", major, minor, micro,
		         level == LEVEL_ALPHA  ? "a"
		         : level == LEVEL_BETA ? "b"
		                               : "rc",
		         serial);
}

/* The start of _Py_DebugOffsets, 3.13 and later: Include/internal/pycore_debug_offsets.h. */
struct debug_offsets {
	char cookie[8];
	uint64_t version;
	uint64_t free_threaded;
};

static bool read_debug_offsets(struct elf_file *e, uint64_t runtime, struct debug_offsets *out)
{
	Elf64_Shdr section;
	size_t index = 0;

	/* The section is made for finders that have no symbols: stripped and not exported. */
	if (!runtime && elf_file__find_section(e, ".PyRuntime", &index, &section))
		runtime = section.sh_addr;
	return runtime && !elf_file__read_address(e, runtime, out, sizeof(*out)) &&
	       !memcmp(out->cookie, "xdebugpy", sizeof(out->cookie));
}

/*
 * The only version string in read-only data: 0 when there is none or more than one. Py_GetVersion()
 * puts PY_VERSION in by "%s", so that it is a string of its own, with a NUL before it; unless the
 * linker (ld -O2, string merging) found it at the end of another one, such as the installation
 * prefix of pyenv: that counts for less.
 */
static uint32_t scan_text(const char *data, size_t len, int minor)
{
	struct {
		uint32_t hex;
		bool ambiguous;
	} own = {0}, tail = {0}, *best;

	/* "3.9.1" is the shortest */
	for (size_t i = 1; i + 5 <= len; i++) {
		char before = data[i - 1];
		uint32_t hex;

		if (data[i] != '3' || data[i + 1] != '.' || (before && !strchr("/- (", before)))
			continue;
		/* The copy in memory is terminated behind its end. */
		hex = py_version__parse(data + i);
		if (!hex || (minor >= 0 && (int)(hex >> 16 & 0xff) != minor))
			continue;
		best = before ? &tail : &own;
		best->ambiguous |= best->hex && best->hex != hex;
		best->hex = hex;
	}
	best = own.hex ? &own : &tail;
	/* With no other clue, the end of some path is none. */
	if (best->ambiguous || (best == &tail && minor < 0))
		return 0;
	return best->hex;
}

/* Bytes of it that are looked through: of an interpreter it is 3 MB. */
#define RODATA_MAX (32u << 20)

static uint32_t scan_part(struct elf_file *e, uint64_t offset, uint64_t len, int minor)
{
	char *data = elf_file__load(e, offset, len);
	uint32_t hex = data ? scan_text(data, len, minor) : 0;

	free(data);
	return hex;
}

static uint32_t scan_rodata(struct elf_file *e, int minor)
{
	uint64_t left = RODATA_MAX;
	const Elf64_Phdr *segments;
	size_t cnt, index = 0;
	uint32_t hex = 0;
	Elf64_Shdr section;

	if (elf_file__find_section(e, ".rodata", &index, &section) && section.sh_type == SHT_PROGBITS)
		return section.sh_size > left
		               ? 0
		               : scan_part(e, section.sh_offset, section.sh_size, minor);
	segments = elf_file__segments(e, &cnt);
	for (size_t i = 0; i < cnt && !hex; i++) {
		if (segments[i].p_type != PT_LOAD || segments[i].p_flags & PF_W ||
		    segments[i].p_filesz > left)
			continue;
		left -= segments[i].p_filesz;
		hex = scan_part(e, segments[i].p_offset, segments[i].p_filesz, minor);
	}
	return hex;
}

/* "python3.9", "libpython3.13t.so.1.0", "python3.11d": major.minor and the flavour's letter. */
static bool from_name(const char *name, struct py_version *out)
{
	const char *slash = strrchr(name, '/'), *s;
	int minor;

	s = strstr(slash ? slash + 1 : name, "python3.");
	if (!s)
		return false;
	s += strlen("python3.");
	minor = take_number(&s);
	if (minor < 0)
		return false;
	out->hex = HEX(minor, 0, 0, 0);
	out->free_threaded = minor >= 13 && *s == 't';
	return true;
}

static bool from_version_object(struct elf_file *e, uint64_t address, struct py_version *out)
{
	uint64_t hex; /* const unsigned long Py_Version */

	if (!address || elf_file__read_address(e, address, &hex, sizeof(hex)) || !plausible(hex) ||
	    !hex)
		return false;
	out->hex = (uint32_t)hex;
	return true;
}

/* Before 3.11 no object tells. */
static bool from_api(struct elf_file *e, const struct py_version_hints *hints, struct py_version *out)
{
	int minor = -1;

	if (hints->has_api && !hints->version_object)
		minor = hints->has_newref ? 10 : hints->has_frame_getcode ? 9 : 8;
	out->hex = scan_rodata(e, minor);
	if (!out->hex && minor >= 0)
		out->hex = HEX(minor, 0, 0, 0);
	return out->hex != 0;
}

void py_version__find(struct elf_file *e, const struct py_version_hints *hints, struct py_version *out)
{
	struct py_version named = {0};
	struct debug_offsets offsets;
	char soname[256];
	bool has_offsets, has_name;

	memset(out, 0, sizeof(*out));
	has_offsets = read_debug_offsets(e, hints->runtime, &offsets);
	has_name = (elf_file__dynamic_string(e, DT_SONAME, 0, soname, sizeof(soname)) &&
	            from_name(soname, &named)) ||
	           (hints->path && from_name(hints->path, &named));
	if (from_version_object(e, hints->version_object, out))
		;
	else if (has_offsets && plausible(offsets.version))
		out->hex = (uint32_t)offsets.version;
	else if (!from_api(e, hints, out) && has_name)
		out->hex = named.hex;
	if (has_offsets)
		out->free_threaded = offsets.free_threaded != 0;
	else if (has_name && named.hex >> 16 == out->hex >> 16)
		out->free_threaded = named.free_threaded;
	py_version__format(out->hex, out->text, sizeof(out->text));
}
