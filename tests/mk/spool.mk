# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The program that fills and reads a spool: the benchmark of it, and what makes the spools of tests/cli/test_spool.py.

SPOOL_BENCH := $(B)/tests/bench/spool_bench
TEST_DEPS += $(SPOOL_BENCH)

$(SPOOL_BENCH): tests/bench/spool_bench.c $(B)/libpytrail.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d -MT $@ -o $@ $< $(B)/libpytrail.a $(LDFLAGS) $(LDLIBS)

.PHONY: bench-spool
bench-spool: $(SPOOL_BENCH) ## measure the spool: items a second in and out
	@dir=$$(mktemp -d) && for i in 1 2 3 4 5; do $(SPOOL_BENCH) $$dir/spool$$i 1000000; rm -rf $$dir/spool$$i; done; rmdir $$dir

-include $(SPOOL_BENCH).d
