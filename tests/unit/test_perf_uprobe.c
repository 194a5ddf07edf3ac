/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include "perf_uprobe.h"

/* A kernel whose function has so many stars on its parameter of the buffer; none: it has only the
 * one before. */
static struct btf *kernel(const char *function, const char *structure, int stars)
{
	struct btf *btf = btf__new_empty();
	int integer, buffer, regs, proto;

	assert_non_null(btf);
	integer = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	buffer = btf__add_struct(btf, structure, 8);
	regs = btf__add_ptr(btf, btf__add_struct(btf, "pt_regs", 168));
	proto = btf__add_func_proto(btf, integer);
	assert_int_equal(btf__add_func_param(btf, "regs", regs), 0);
	if (stars) /* the pointers come behind the prototype */
		assert_int_equal(btf__add_func_param(btf, "ucb", proto + stars), 0);
	for (int i = 0; i < stars; i++)
		assert_int_equal(btf__add_ptr(btf, i ? proto + i : buffer), proto + 1 + i);
	assert_true(btf__add_func(btf, function, BTF_FUNC_STATIC, proto) > 0);
	return btf;
}

static bool unlocked(const char *function, const char *structure, int stars)
{
	struct btf *btf = kernel(function, structure, stars);
	bool is = perf_uprobe__is_unlocked(btf);

	btf__free(btf);
	return is;
}

static void test_kernels(void **state)
{
	(void)state;
	assert_true(unlocked("__uprobe_perf_func", "uprobe_cpu_buffer", 2));  /* 6.10 and later */
	assert_false(unlocked("__uprobe_perf_func", "uprobe_cpu_buffer", 1)); /* before */
	assert_false(unlocked("__uprobe_perf_func", "uprobe_cpu_buffer", 0)); /* long before */
	assert_false(unlocked("__uprobe_perf_func", "something_else", 2));
	/* it was inlined */
	assert_false(unlocked("__uprobe_trace_func", "uprobe_cpu_buffer", 1));
	assert_true(unlocked("__uprobe_trace_func", "bpf_session_run_ctx", 1));
}

static void test_this_one(void **state)
{
	struct btf *btf = btf__load_vmlinux_btf();

	(void)state;
	if (!btf)
		skip();
	perf_uprobe__is_unlocked(btf); /* whatever it says: it does not fall over */
	btf__free(btf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernels),
		cmocka_unit_test(test_this_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
