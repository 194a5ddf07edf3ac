# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# tests/sink: drive sends items by one driver; mock_kafka is a receiver.

TEST_DEPS += $(B)/tests/sink/drive build/tests/sink/mock_kafka
SAN_DEPS += $(B)/tests/sink/drive

$(B)/tests/sink/%: tests/sink/%.c $(B)/libpytrail.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d -MT $@ -o $@ $< $(B)/libpytrail.a $(LDFLAGS) $(LDLIBS)

build/tests/sink/mock_kafka: tests/sink/mock_kafka.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O1 $(WARN) -o $@ $< -lrdkafka

-include $(wildcard $(B)/tests/sink/*.d)
