// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Items as bytes: what is put in comes out, and bytes that lie are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spool/item.h"
#include "util/buf.h"

#define TEXT(s) ((struct item_text){"" s, sizeof(s) - 1})

static struct item sample(void)
{
	return (struct item){
		.kind = ITEM_AUDIT,
		.severity = 3,
		.time_ns = 1790000000123456789,
		.seq = 17,
		.stream = TEXT("ecs"),
		.id = TEXT("97722cece2fcc057-17"),
		.entity = TEXT("d261cd6b14c67eeadc15855464d47687"),
		.event = TEXT("os.system"),
		.category = TEXT("process"),
		.body = TEXT("{\"a\":1}"),
	};
}

static void assert_text(struct item_text t, struct item_text want)
{
	assert_int_equal(t.len, want.len);
	assert_memory_equal(t.s, want.s, want.len);
}

static void comes_out_as_it_went_in(void **state)
{
	struct buf b = BUF_INIT;
	struct item it = sample(), out;

	assert_int_equal(item__encode(&it, &b), 0);
	assert_int_equal(b.len % 8, 0);
	assert_int_equal(item__decode(b.data, b.len, &out), b.len);
	assert_int_equal(out.kind, ITEM_AUDIT);
	assert_int_equal(out.severity, 3);
	assert_int_equal(out.time_ns, it.time_ns);
	assert_int_equal(out.seq, 17);
	assert_text(out.stream, it.stream);
	assert_text(out.id, it.id);
	assert_text(out.entity, it.entity);
	assert_text(out.event, it.event);
	assert_text(out.category, it.category);
	assert_text(out.body, it.body);
	buf__free(&b);
}

static void every_shorter_one_is_refused(void **state)
{
	struct buf b = BUF_INIT;
	struct item it = sample(), out;

	assert_int_equal(item__encode(&it, &b), 0);
	for (size_t len = 0; len < b.len; len++) {
		char *copy =
			/* a buffer of its own: a sanitizer sees a read beyond it */
			malloc(len + 1);

		memcpy(copy, b.data, len);
		assert_true(item__decode(copy, len, &out) < 0);
		free(copy);
	}
	buf__free(&b);
}

/* Each byte of the head changed: refused, or within bounds. */
static void lying_heads_stay_within_bounds(void **state)
{
	struct buf b = BUF_INIT;
	struct item it = sample(), out;

	assert_int_equal(item__encode(&it, &b), 0);
	for (size_t i = 0; i < 40; i++) {
		for (int v = 0; v < 256; v++) {
			char old = b.data[i];
			long n;

			b.data[i] = (char)v;
			n = item__decode(b.data, b.len, &out);
			if (n > 0) {
				assert_true((size_t)n <= b.len);
				assert_true(out.body.s + out.body.len <= b.data + b.len);
			}
			b.data[i] = old;
		}
	}
	buf__free(&b);
}

static void long_texts_are_cut_and_long_bodies_refused(void **state)
{
	static char many[300];
	struct buf b = BUF_INIT;
	struct item it = sample(), out;

	memset(many, 'e', sizeof(many));
	it.event = (struct item_text){many, sizeof(many)};
	assert_int_equal(item__encode(&it, &b), 0);
	assert_true(item__decode(b.data, b.len, &out) > 0);
	assert_int_equal(out.event.len, ITEM_EVENT_MAX);
	it.body.len = ITEM_BODY_MAX + 1;
	assert_true(item__encode(&it, &b) < 0);
	buf__free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_out_as_it_went_in),
		cmocka_unit_test(every_shorter_one_is_refused),
		cmocka_unit_test(lying_heads_stay_within_bounds),
		cmocka_unit_test(long_texts_are_cut_and_long_bodies_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
