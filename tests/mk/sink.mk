# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# tests/sink: drive sends items by one driver.

TEST_DEPS += $(B)/tests/sink/drive
SAN_DEPS += $(B)/tests/sink/drive

$(B)/tests/sink/%: tests/sink/%.c $(B)/libpytrail.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d -MT $@ -o $@ $< $(B)/libpytrail.a $(LDFLAGS) $(LDLIBS)

-include $(wildcard $(B)/tests/sink/*.d)
