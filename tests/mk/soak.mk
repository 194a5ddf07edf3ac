# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Whether memory, descriptors and maps stay flat while thousands of Pythons come and go.

MINUTES ?= 30

.PHONY: soak
soak: all ## let short Pythons come and go for MINUTES (30) and watch what pytrail takes
	@scripts/deps.sh test
	@$(PYTHON) -B tests/live/soak.py --minutes $(MINUTES) $(ARGS)
