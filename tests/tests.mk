# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The tests' own targets, included by the Makefile. A tier is a directory of tests/.

.PHONY: test test-all
test: all ## install what is missing and run all tests (live ones need root)
