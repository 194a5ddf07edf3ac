// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Short records of the ring, made whole from what was said before. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "again.h"
#include "records.h"

#define SLOTS 4

static int setup(void **state)
{
	*state = again__new(SLOTS);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	again__free(*state);
	return 0;
}

/* The record as the kernel would send it once its header has been said. */
static size_t shorten(const struct rb *whole, unsigned char *out)
{
	struct pt_again r = {
		.size = (uint32_t)(whole->size - sizeof(struct pt_audit) + sizeof(r)),
		.kind = PT_REC_AGAIN,
		.version = PT_WIRE_VERSION,
		.time_ns = whole->rec.time_ns,
		.call_site = whole->audit.call_site,
		.name_len = whole->audit.name_len,
		.probe = whole->audit.probe,
		.flags = whole->audit.flags,
		.name_kind = whole->audit.name_kind,
		.slot = whole->audit.slot,
	};

	memcpy(out, &r, sizeof(r));
	memcpy(out + sizeof(r), whole->bytes + sizeof(struct pt_audit),
	       whole->size - sizeof(struct pt_audit));
	return r.size;
}

static void event(struct rb *b, const char *name, uint16_t slot)
{
	rb__audit(b, name);
	b->audit.slot = slot;
	b->audit.bias = 0x1000;
	b->audit.site = 7;
	rb__node(b, PT_K_UNREADABLE, 0, "12345678", 8);
}

static void test_whole_is_itself(void **state)
{
	static struct rb b;
	size_t size;

	event(&b, "open", 1);
	size = b.size;
	assert_ptr_equal(again__whole(*state, b.bytes, &size), b.bytes);
	assert_int_equal(size, b.size);
}

static void test_short_is_made_whole(void **state)
{
	static struct rb first, second;
	static unsigned char bytes[4096] __attribute__((aligned(8)));
	const void *got;
	size_t size;

	event(&first, "open", 1);
	first.rec.task.pid = 4300;
	size = first.size;
	again__whole(*state, first.bytes, &size);

	event(&second, "os.listdir", 1);
	second.rec.task.pid = 4300;
	second.rec.time_ns = 6000000456;
	second.audit.call_site = 0x4711;
	second.audit.flags = PT_AUDIT_NAME_CUT;
	size = shorten(&second, bytes);
	got = again__whole(*state, bytes, &size);
	assert_int_equal(size, second.size);
	assert_memory_equal(got, second.bytes, size);
}

static void test_slots_are_apart(void **state)
{
	static struct rb a, b;
	static unsigned char bytes[4096] __attribute__((aligned(8)));
	const struct pt_audit *got;
	size_t size;

	event(&a, "open", 0);
	event(&b, "open", 3);
	b.rec.task.pid = 99;
	size = a.size;
	again__whole(*state, a.bytes, &size);
	size = b.size;
	again__whole(*state, b.bytes, &size);
	size = shorten(&a, bytes);
	got = again__whole(*state, bytes, &size);
	assert_int_equal(got->rec.task.pid, 4242);
	size = shorten(&b, bytes);
	got = again__whole(*state, bytes, &size);
	assert_int_equal(got->rec.task.pid, 99);
}

/* What cannot be made whole is left to the reader, which refuses it. */
static void test_refused(void **state)
{
	static struct rb b;
	static unsigned char bytes[4096] __attribute__((aligned(8)));
	struct pt_again *r = (void *)bytes;
	size_t size, len;

	event(&b, "open", 2);
	len = size = shorten(&b, bytes);
	assert_ptr_equal(again__whole(*state, bytes, &size), bytes); /* nothing was said before */
	size = b.size;
	again__whole(*state, b.bytes, &size);
	r->slot = SLOTS;
	size = len;
	assert_ptr_equal(again__whole(*state, bytes, &size), bytes);
	r->slot = 2;
	size = len - 8; /* not the size that it says */
	assert_ptr_equal(again__whole(*state, bytes, &size), bytes);
	size = 8;
	assert_ptr_equal(again__whole(*state, bytes, &size), bytes);
	r->version++;
	size = len;
	assert_ptr_equal(again__whole(*state, bytes, &size), bytes);
	r->version--;
	assert_ptr_not_equal(again__whole(*state, bytes, &size), bytes);
	b.audit.slot = SLOTS; /* of no slot: passed on, not kept */
	size = b.size;
	assert_ptr_equal(again__whole(*state, b.bytes, &size), b.bytes);
}

/* As large as the ring can have them, though no whole record is. */
static void test_largest(void **state)
{
	static struct rb b;
	static unsigned char bytes[PT_RECORD_MAX] __attribute__((aligned(8)));
	struct pt_again *r = (void *)bytes;
	size_t size;

	event(&b, "open", 2);
	size = b.size;
	again__whole(*state, b.bytes, &size);
	shorten(&b, bytes);
	r->size = PT_RECORD_MAX;
	size = PT_RECORD_MAX;
	assert_ptr_equal(again__whole(*state, bytes, &size), bytes);
	r->size = PT_RECORD_MAX - sizeof(struct pt_audit) + sizeof(struct pt_again);
	size = r->size;
	assert_ptr_not_equal(again__whole(*state, bytes, &size), bytes);
	assert_int_equal(size, PT_RECORD_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole_is_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(test_short_is_made_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_are_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_largest, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
