# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The program that makes the record file of tests/formats.

EVERY_BIN := $(B)/tests/formats/build_every
TEST_DEPS += $(EVERY_BIN)

$(EVERY_BIN): tests/formats/build_every.c $(B)/libpytrail.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d -MT $@ -o $@ $< $(B)/libpytrail.a $(LDFLAGS) $(LDLIBS)

-include $(EVERY_BIN).d
