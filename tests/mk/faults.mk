# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What lets calls fail, for tests.

FAULTS_LIB := build/tests/faults/inject.so
TEST_DEPS += $(FAULTS_LIB)

$(FAULTS_LIB): tests/faults/inject.c
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE -std=gnu11 -O2 -g $(WARN) -fno-builtin -fPIC -shared -MMD -MP -MF $@.d -MT $@ -o $@ $< -ldl

-include $(FAULTS_LIB).d
