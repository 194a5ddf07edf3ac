# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Whether memory and descriptors stay flat and the accounts exact, under load and with receivers that fail. With
# sanitizers (SAN=1) what was freed is kept for a while, to be found when used: less of it than by default.

MINUTES ?= 30

.PHONY: soak
soak: all ## run pytrail for MINUTES (30) under mixed load, and watch what it takes and counts (SAN=1, ARGS=)
	@scripts/deps.sh test
	@PYTRAIL=$(B)/pytrail $(if $(SAN),ASAN_OPTIONS=quarantine_size_mb=8:thread_local_quarantine_size_kb=64) \
		$(PYTHON) -B tests/soak/soak.py --minutes $(MINUTES) $(if $(SAN),--memory-kib 32768) $(ARGS)
