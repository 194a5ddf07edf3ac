/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "usdt_note.h"

#define NT_STAPSDT 3

static size_t align4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* The terminated string at *pos, which is moved behind it; NULL when its end is not in the
 * bytes. */
static const char *take_string(const uint8_t *data, size_t len, size_t *pos)
{
	const char *s = (const char *)data + *pos;
	const void *nul = *pos < len ? memchr(s, '\0', len - *pos) : NULL;

	if (!nul)
		return NULL;
	*pos = (const uint8_t *)nul - data + 1;
	return s;
}

static bool parse_desc(const uint8_t *data, size_t len, struct usdt_note *out)
{
	uint64_t addr[3];
	size_t pos = sizeof(addr);

	if (len < sizeof(addr))
		return false;
	memcpy(addr, data, sizeof(addr));
	out->location = addr[0];
	out->base = addr[1];
	out->semaphore = addr[2];
	out->provider = take_string(data, len, &pos);
	out->name = out->provider ? take_string(data, len, &pos) : NULL;
	out->args = out->name ? take_string(data, len, &pos) : NULL;
	return out->args != NULL;
}

bool usdt_iter__next(struct usdt_iter *it, struct usdt_note *out)
{
	while (it->pos < it->len && it->len - it->pos >= sizeof(Elf64_Nhdr)) {
		size_t left = it->len - it->pos - sizeof(Elf64_Nhdr), name_len, desc_len;
		const uint8_t *name, *desc;
		Elf64_Nhdr nhdr;

		memcpy(&nhdr, it->data + it->pos, sizeof(nhdr));
		name = it->data + it->pos + sizeof(nhdr);
		name_len = align4(nhdr.n_namesz);
		if (name_len > left)
			return false;
		desc = name + name_len;
		desc_len = nhdr.n_descsz;
		left -= name_len;
		if (desc_len > left)
			return false;
		/* Padding may be missing behind the last one. */
		it->pos += sizeof(nhdr) + name_len;
		it->pos += align4(desc_len) < left ? align4(desc_len) : left;
		if (nhdr.n_type == NT_STAPSDT && nhdr.n_namesz == sizeof("stapsdt") &&
		    !memcmp(name, "stapsdt", sizeof("stapsdt")) && parse_desc(desc, desc_len, out))
			return true;
	}
	return false;
}

struct reg_name {
	const char *name;
	uint8_t number;
};

/* System V ABI, AMD64 supplement, figure 3.36: DWARF register numbers. */
static const struct reg_name x86_regs[] = {
	{"rax", 0}, {"eax", 0}, {"ax", 0}, {"al", 0},  /**/
	{"rdx", 1}, {"edx", 1}, {"dx", 1}, {"dl", 1},  /**/
	{"rcx", 2}, {"ecx", 2}, {"cx", 2}, {"cl", 2},  /**/
	{"rbx", 3}, {"ebx", 3}, {"bx", 3}, {"bl", 3},  /**/
	{"rsi", 4}, {"esi", 4}, {"si", 4}, {"sil", 4}, /**/
	{"rdi", 5}, {"edi", 5}, {"di", 5}, {"dil", 5}, /**/
	{"rbp", 6}, {"ebp", 6}, {"bp", 6}, {"bpl", 6}, /**/
	{"rsp", 7}, {"esp", 7}, {"sp", 7}, {"spl", 7},
};

/* The number in "r12", "r12d", "x30": from min to max, no leading zero; -1. */
static int numbered(const char *s, size_t len, int min, int max)
{
	int n = 0;

	if (len < 1 || len > 2 || (len > 1 && s[0] == '0'))
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		n = n * 10 + (s[i] - '0');
	}
	return n >= min && n <= max ? n : -1;
}

static int x86_reg(const char *s, size_t len)
{
	for (size_t i = 0; i < sizeof(x86_regs) / sizeof(x86_regs[0]); i++)
		if (strlen(x86_regs[i].name) == len && !memcmp(x86_regs[i].name, s, len))
			return x86_regs[i].number;
	if (len < 2 || s[0] != 'r')
		return -1;
	/* r8 to r15; d, w, b: their lower halves, quarters, eighths */
	if (s[len - 1] == 'd' || s[len - 1] == 'w' || s[len - 1] == 'b')
		len--;
	return numbered(s + 1, len - 1, 8, 15);
}

/* DWARF for the Arm 64-bit Architecture (aadwarf64), 4.1: x0 to x30 are 0 to 30, sp is 31. */
static int arm64_reg(const char *s, size_t len)
{
	if (len == 2 && !memcmp(s, "sp", 2))
		return 31;
	if (len < 2 || (s[0] != 'x' && s[0] != 'w'))
		return -1;
	return numbered(s + 1, len - 1, 0, 30);
}

/* A whole number in [s, s + len). */
static bool parse_number(const char *s, size_t len, int64_t *out)
{
	char text[32], *end;

	/* strtoll would take white space and a second sign, too. */
	if (!len || len >= sizeof(text) || !(s[0] == '-' || (s[0] >= '0' && s[0] <= '9')))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	errno = 0;
	*out = strtoll(text, &end, 0);
	if (errno == ERANGE && text[0] != '-') {
		errno = 0;
		*out = (int64_t)strtoull(text, &end, 0);
	}
	return !errno && !*end && end != text;
}

/* "%rbx", "(%rax)", "-8(%rbp)", "$5" */
static void parse_x86(const char *s, size_t len, struct pt_arg *arg)
{
	const char *open = memchr(s, '(', len);
	int64_t value = 0;
	int reg;

	if (len && s[0] == '$') {
		if (parse_number(s + 1, len - 1, &value)) {
			arg->kind = PT_ARG_CONST;
			arg->value = value;
		}
		return;
	}
	if (len && s[0] == '%') {
		reg = x86_reg(s + 1, len - 1);
		if (reg >= 0) {
			arg->kind = PT_ARG_REG;
			arg->reg = reg;
		}
		return;
	}
	if (!open || s[len - 1] != ')' || s + len - open < 4 || open[1] != '%')
		return;
	reg = x86_reg(open + 2, s + len - 1 - (open + 2));
	if (reg < 0 || (open > s && !parse_number(s, open - s, &value)))
		return;
	arg->kind = PT_ARG_REG_DEREF;
	arg->reg = reg;
	arg->value = value;
}

/* "x0", "[x19]", "[sp, 16]", "5" */
static void parse_arm64(const char *s, size_t len, struct pt_arg *arg)
{
	const char *comma;
	int64_t value = 0;
	size_t reg_len;
	int reg;

	if (len && s[0] != '[') {
		reg = arm64_reg(s, len);
		if (reg >= 0) {
			arg->kind = PT_ARG_REG;
			arg->reg = reg;
		} else if (parse_number(s, len, &value)) {
			arg->kind = PT_ARG_CONST;
			arg->value = value;
		}
		return;
	}
	if (len < 3 || s[len - 1] != ']')
		return;
	s++;
	len -= 2;
	comma = memchr(s, ',', len);
	reg_len = comma ? (size_t)(comma - s) : len;
	reg = arm64_reg(s, reg_len);
	if (reg < 0)
		return;
	if (comma) {
		do
			comma++;
		while (comma < s + len && (*comma == ' ' || *comma == '#'));
		if (!parse_number(comma, s + len - comma, &value))
			return;
	}
	arg->kind = PT_ARG_REG_DEREF;
	arg->reg = reg;
	arg->value = value;
}

/* The size before the '@': negative for signed. */
static bool parse_size(const char *s, size_t len, struct pt_arg *arg)
{
	bool negative = len && s[0] == '-';
	char digit;

	if (len != (size_t)(negative ? 2 : 1))
		return false;
	digit = s[len - 1];
	if (digit != '1' && digit != '2' && digit != '4' && digit != '8')
		return false;
	arg->size = digit - '0';
	arg->is_signed = negative;
	return true;
}

/* The end of one argument: at a blank, but not at one within brackets. */
static const char *arg_end(const char *s)
{
	int depth = 0;

	for (; *s && (depth > 0 || *s != ' '); s++) {
		if (*s == '[' || *s == '(')
			depth++;
		else if (*s == ']' || *s == ')')
			depth--;
	}
	return s;
}

size_t usdt__parse_args(unsigned machine, const char *text, struct pt_arg *out, size_t max)
{
	size_t cnt = 0;

	for (;;) {
		const char *end, *at;
		struct pt_arg arg = {0};

		while (*text == ' ')
			text++;
		if (!*text)
			return cnt;
		end = arg_end(text);
		at = memchr(text, '@', end - text);
		if (at && parse_size(text, at - text, &arg)) {
			at++;
			if (machine == EM_X86_64)
				parse_x86(at, end - at, &arg);
			else if (machine == EM_AARCH64)
				parse_arm64(at, end - at, &arg);
		}
		if (cnt < max)
			out[cnt] = arg;
		cnt++;
		text = end;
	}
}
