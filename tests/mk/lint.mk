# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Static analysis: .clang-tidy and tests/lint/ say what is looked for, and what is not.

LINT_FLAGS = $(CPPFLAGS) -std=gnu11 $(filter-out -Werror,$(WARN))

.PHONY: lint
lint: $(GEN_H) $(SKEL) ## static analysis of the C sources: clang-tidy, clang's analyzer, cppcheck (ARGS=--deep)
	@$(PYTHON) -B tests/lint/lint.py $(ARGS) -- $(LINT_FLAGS)
