# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The decoder as a shared library for interpreters to load, other C libraries than this machine's
# included: no more of pytrail in it than decoding and rendering need.

PYHOST_SRC := tests/pythons/hostdecode.c user/pymem.c user/layouts.c user/reader.c user/catalog.c \
	$(filter-out %/json_schema.c,$(wildcard user/format/json*.c)) user/format/when.c user/util/buf.c user/util/base64.c user/util/log.c

build/libpyhost.so: $(PYHOST_SRC) | $(GEN)/audit_events.h $(GEN)/layouts_table.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu11 -O2 -g $(WARN) -fPIC -shared -fvisibility=hidden -ffunction-sections \
		-Wl,--gc-sections -MMD -MP -MF $@.d -MT $@ -o $@ $(PYHOST_SRC) -lm

-include build/libpyhost.so.d

TEST_DEPS += build/libpyhost.so
