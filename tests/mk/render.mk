# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The program that makes the record file of tests/replay.

RECORDS_BIN := $(B)/tests/replay/build_records
TEST_DEPS += $(RECORDS_BIN)

$(RECORDS_BIN): tests/replay/build_records.c $(B)/libpytrail.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d -MT $@ -o $@ $< $(B)/libpytrail.a $(LDFLAGS) $(LDLIBS)

-include $(RECORDS_BIN).d
