# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The tests' own targets, included by the Makefile. A tier is a directory of tests/; tests/run.py
# finds what there is in each and runs it.

UNIT_BIN := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
FUZZ_BIN := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_OBJ := $(USER_SRC:%.c=build/fuzz/obj/%.o)
FUZZ_FLAGS := -std=gnu11 -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all
FUZZ_SECONDS ?= 60
JOBS ?= $(shell nproc)
# Under a `make -j` its job server counts.
PARALLEL = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS))

# What tests have beside the unit tests, tests/mk/*.mk add to this; built before they run.
TEST_DEPS :=
SAN_DEPS :=

-include $(wildcard tests/mk/*.mk)

# Interpreters of other Debian suites, once: cached outside the clone. Without them, and off line, their
# tests are skipped by name.
FETCH_PYTHONS = timeout 900 tests/pythons/fetch.sh >/dev/null || \
	echo "tests: not all interpreters could be fetched: the tests on those are skipped"
# The root of another Debian, for containers: the same.
MAKE_ROOT = timeout 900 tests/pythons/root.sh >/dev/null || \
	echo "tests: no root directory of trixie: the tests on it are skipped"

.PHONY: test test-all check unit-tests test-bins san-bins fuzz-bins fuzz-quick
test: ## install what is missing, build and run all tests (those on live processes need root)
	@scripts/deps.sh test
	@$(FETCH_PYTHONS)
	@$(MAKE_ROOT)
	@$(MAKE) --no-print-directory -s $(PARALLEL) test-bins
	@$(PYTHON) tests/run.py --fuzz-seconds 60

test-all: ## the same with interpreters that have to be fetched or built first
	@scripts/deps.sh all
	@$(FETCH_PYTHONS)
	@$(MAKE_ROOT)
	@for build in ft clang musl; do tests/pythons/build-$$build.sh || \
		echo "tests: no $$build build of CPython: its tests are skipped"; done
	@$(MAKE) --no-print-directory -s $(PARALLEL) test-bins
	@$(PYTHON) tests/run.py --all --fuzz-seconds 60

check: ## build, and run the tests that need no root, without installing anything
	@$(MAKE) --no-print-directory -s $(PARALLEL) test-bins
	@PYTRAIL_NO_LIVE=1 $(PYTHON) tests/run.py

test-bins: all unit-tests fuzz-bins $(TEST_DEPS)
	@$(MAKE) --no-print-directory -s SAN=1 san-bins

san-bins: $(B)/pytrail unit-tests $(SAN_DEPS)

unit-tests: $(UNIT_BIN)

# cmocka 2 has new names for assertions that are all that cmocka 1 has.
$(B)/tests/unit/%: tests/unit/%.c $(B)/libpytrail.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-deprecated-declarations -MMD -MP -MF $@.d -MT $@ $(UNIT_FLAGS_$*) -o $@ $< \
		$(B)/libpytrail.a $(LDFLAGS) $(LDLIBS) -lcmocka

# Fuzz targets are built by clang with all of user/, instrumented.
fuzz-bins: $(FUZZ_BIN)

build/fuzz/obj/%.o: %.c | $(GEN_H) $(SKEL)
	@mkdir -p $(@D)
	$(CLANG) $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c -o $@ $<

build/fuzz/libpytrail.a: $(FUZZ_OBJ)
	@rm -f $@
	ar rcs $@ $^

build/fuzz/%: tests/fuzz/%.c build/fuzz/libpytrail.a
	$(CLANG) $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer,address,undefined -MMD -MP -MF $@.d -MT $@ \
		-o $@ $< build/fuzz/libpytrail.a $(LDLIBS)

fuzz-quick: ## run every fuzz target for FUZZ_SECONDS (60)
	@$(MAKE) --no-print-directory -s $(PARALLEL) fuzz-bins
	@$(PYTHON) tests/run.py --fuzz-seconds $(FUZZ_SECONDS) fuzz

-include $(UNIT_BIN:%=%.d) $(FUZZ_BIN:%=%.d) $(FUZZ_OBJ:.o=.d)
