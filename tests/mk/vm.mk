# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The live tests on other kernels, in virtual machines.

.PHONY: test-kernels
test-kernels: ## run the live tests on Debian's kernels from 5.10 on, in virtual machines (ARGS= for options)
	@scripts/deps.sh vm
	@$(MAKE) --no-print-directory -s $(PARALLEL) all $(VERIFIER_BIN)
	@$(PYTHON) -B tests/vm/matrix.py $(ARGS)
