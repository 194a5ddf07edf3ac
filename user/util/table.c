/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <stdint.h>
#include <string.h>

#include "util/columns.h"
#include "util/table.h"

struct table_cell {
	size_t start; /* in text */
	size_t len;
	size_t width; /* columns of the terminal */
};

void table__init(struct table *t, unsigned columns)
{
	memset(t, 0, sizeof(*t));
	t->columns = columns;
}

void table__free(struct table *t)
{
	buf__free(&t->text);
	buf__free(&t->cells);
}

/* The character at s and its bytes; 0: not UTF-8. Overlong forms and surrogates are no UTF-8. */
static unsigned decode(const char *s, uint32_t *cp)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const uint8_t *u = (const uint8_t *)s;
	unsigned len = u[0] < 0x80 ? 1 : u[0] < 0xc2 ? 0 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;

	if (len == 1)
		*cp = u[0];
	if (len <= 1 || u[0] > 0xf4)
		return len == 1;
	*cp = u[0] & (0x7f >> len);
	for (unsigned i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80) /* the end of the string, too */
			return 0;
		*cp = *cp << 6 | (u[i] & 0x3f);
	}
	if (*cp < least[len] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp < 0xe000))
		return 0;
	return len;
}

void table__cell(struct table *t, const char *text)
{
	struct table_cell cell = {.start = t->text.len};

	while (*text) {
		uint32_t cp = 0;
		unsigned len = decode(text, &cp);
		int width = len ? columns__of(cp) : -1;

		if (width >= 0) {
			buf__append(&t->text, text, len);
			cell.width += (size_t)width;
			text += len;
			continue;
		}
		for (len = len ? len : 1; len; len--, text++) {
			buf__printf(&t->text, "\\x%02x", (uint8_t)*text);
			cell.width += 4;
		}
	}
	cell.len = t->text.len - cell.start;
	buf__append(&t->cells, &cell, sizeof(cell));
}

static struct table_cell cell_at(const struct table *t, size_t i)
{
	struct table_cell cell;

	memcpy(&cell, t->cells.data + i * sizeof(cell), sizeof(cell));
	return cell;
}

static size_t column_width(const struct table *t, size_t cnt, unsigned column)
{
	size_t width = 1;

	for (size_t i = column; i < cnt; i += t->columns) {
		struct table_cell cell = cell_at(t, i);

		if (cell.width > width)
			width = cell.width;
	}
	return width;
}

void table__render(const struct table *t, struct buf *out)
{
	size_t cnt = t->cells.len / sizeof(struct table_cell), blanks = 0;

	if (t->text.failed || t->cells.failed) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < cnt; i++) {
		struct table_cell cell = cell_at(t, i);
		unsigned column = i % t->columns;

		if (column && (cell.len || column + 1 < t->columns)) {
			while (blanks--)
				buf__char(out, ' ');
		}
		if (cell.len) {
			buf__append(out, t->text.data + cell.start, cell.len);
		} else if (column + 1 < t->columns) {
			buf__char(out, '-');
			cell.width = 1;
		}
		if (column + 1 == t->columns)
			buf__char(out, '\n');
		else
			blanks = column_width(t, cnt, column) - cell.width + 2;
	}
}
