# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The decoder as a shared library for interpreters to load, other C libraries than this machine's
# included: no more of pytrail in it than decoding and rendering need.

PYHOST_SRC := tests/pythons/hostdecode.c user/pymem.c user/layouts.c user/reader.c user/catalog.c \
	$(filter-out %/json_schema.c,$(wildcard user/format/json*.c)) user/format/when.c \
	user/util/buf.c user/util/base64.c user/util/log.c user/util/nearest_word.c
PYHOST_OBJ := $(PYHOST_SRC:%.c=build/pyhost/%.o)

build/pyhost/%.o: %.c | $(GEN)/audit_events.h $(GEN)/layouts_table.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu11 -O2 -g $(WARN) -fPIC -fvisibility=hidden -ffunction-sections \
		-MMD -MP -c -o $@ $<

build/libpyhost.so: $(PYHOST_OBJ)
	$(CC) -shared -Wl,--gc-sections -o $@ $^ -lm

-include $(PYHOST_OBJ:.o=.d)

TEST_DEPS += build/libpyhost.so
