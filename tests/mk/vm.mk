# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The live tests on other kernels, in virtual machines.

.PHONY: test-kernels
test-kernels: ## run the live tests on Debian's kernels from 5.10 on, in virtual machines (ARGS= for options)
	@scripts/deps.sh vm
	@$(MAKE) --no-print-directory -s $(PARALLEL) all $(VERIFIER_BIN)
	@$(PYTHON) -B tests/vm/matrix.py $(ARGS)

# What is built for another architecture is run in guests of that only.
.PHONY: test-arm64
test-arm64: ## build for arm64 and run the live tests there, in emulated machines (ARGS= for options)
	@scripts/deps.sh arm64
	@root=$$(tests/vm/sysroot.sh arm64) && $(MAKE) --no-print-directory -s $(PARALLEL) ARCH=arm64 SYSROOT=$$root \
		all build/arm64/tests/verifier/stats
	@$(PYTHON) -B tests/vm/matrix.py --arch arm64 $(ARGS)
