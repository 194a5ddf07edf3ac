# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The benchmark: an empty BPF program (the floor), an audit hook in C (a peer), and the driver.

BENCH_BIN := build/bench/floor build/bench/chook.so

build/bench/floor.bpf.o: tests/bench/floor.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c -o $@.tmp $<
	$(LLVM_STRIP) -g $@.tmp
	mv $@.tmp $@

build/bench/floor.skel.h: build/bench/floor.bpf.o
	$(BPFTOOL) gen skeleton $< name floor_bpf > $@.tmp && mv $@.tmp $@

build/bench/floor: tests/bench/floor.c build/bench/floor.skel.h
	$(CC) -D_GNU_SOURCE -Ibuild/bench -std=gnu11 -O2 -g $(WARN) -o $@ $< $(LDLIBS)

build/bench/chook.so: tests/bench/chook.c
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE -std=gnu11 -O2 -g $(WARN) -fPIC -shared -o $@ $<

.SECONDARY: build/bench/floor.bpf.o
-include build/bench/floor.bpf.d

.PHONY: bench bench-quick bench-bins
bench-bins: all $(BENCH_BIN)

bench: ## measure what tracing costs, beside other ways to do it (ARGS= for options)
	@scripts/deps.sh bench
	@$(MAKE) --no-print-directory -s $(PARALLEL) bench-bins
	@$(PYTHON) -B tests/bench/bench.py $(ARGS)

bench-quick: ## the same in under two minutes, with wider spread
	@$(MAKE) --no-print-directory bench ARGS="--quick $(ARGS)"
