# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What the verifier makes of the programs.

VERIFIER_BIN := $(B)/tests/verifier/stats
TEST_DEPS += $(VERIFIER_BIN)

$(VERIFIER_BIN): tests/verifier/stats.c $(B)/libpytrail.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d -MT $@ -o $@ $< $(B)/libpytrail.a $(LDFLAGS) $(LDLIBS)

-include $(VERIFIER_BIN).d
