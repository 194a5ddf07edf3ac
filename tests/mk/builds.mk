# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Builds by other releases of Debian, in roots of their own.

.PHONY: test-builds
test-builds: $(RECORDS_BIN) ## build and try it in Debian 12, 13 and sid, by gcc, clang and as a static program (ARGS=)
	@scripts/deps.sh test
	@$(PYTHON) -B tests/builds/matrix.py $(ARGS)
