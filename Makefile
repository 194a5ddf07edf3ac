# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# pytrail. All output goes to build/; `make help` lists the targets.
#
#   make DEBUG=1     no optimisation, debug information
#   make SAN=1       AddressSanitizer and UndefinedBehaviorSanitizer
#   make STATIC=1    one static binary
#   make ARCH=arm64 SYSROOT=DIR   for another architecture, against the libraries below DIR (tests/vm/sysroot.sh)
# Each of these builds in a directory of its own below build/.

PREFIX ?= /usr/local
DESTDIR ?=
ARGS ?=

VERSION := 0.1.0
HOST_ARCH := $(patsubst aarch64,arm64,$(shell uname -m))
ARCH ?= $(HOST_ARCH)
CROSS := $(filter-out $(HOST_ARCH),$(ARCH))
MULTIARCH := $(patsubst arm64,aarch64,$(ARCH))-linux-gnu
BPF_ARCH := $(patsubst x86_64,x86,$(ARCH))
PYTHON ?= /usr/bin/python3
CC ?= cc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool /usr/bin/bpftool) bpftool)
LLVM_STRIP ?= $(firstword $(shell command -v llvm-strip llvm-strip-14 2>/dev/null) llvm-strip)
PKG_CONFIG ?= pkg-config
ifneq ($(CROSS),)
CC := $(MULTIARCH)-gcc --sysroot=$(SYSROOT)
PKG_CONFIG := env PKG_CONFIG_SYSROOT_DIR=$(SYSROOT) \
	PKG_CONFIG_LIBDIR=$(SYSROOT)/usr/lib/$(MULTIARCH)/pkgconfig:$(SYSROOT)/usr/share/pkgconfig $(PKG_CONFIG)
endif

VARIANT := $(if $(DEBUG),debug)$(if $(SAN),san)$(if $(STATIC),static)
# Of one architecture all variants share the BPF object.
BPF_B := build$(if $(CROSS),/$(CROSS))
B := $(BPF_B)$(if $(VARIANT),/$(VARIANT))
GEN := build/gen

WARN := -Wall -Wextra -Werror -Wno-unused-parameter -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wvla
OPT := $(if $(DEBUG),-O0,$(if $(SAN),-O1,-O3)) -g
comma := ,
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
CPPFLAGS += -D_GNU_SOURCE -DPYTRAIL_VERSION='"$(VERSION)"' -I. -Iuser -I$(GEN) -I$(BPF_B)
CFLAGS += -std=gnu11 $(OPT) $(WARN) $(SANFLAGS) -fstack-protector-strong
LDFLAGS += $(SANFLAGS) $(if $(STATIC),-static)
LDLIBS := $(shell $(PKG_CONFIG) $(if $(STATIC),--static) --libs libbpf libelf zlib liblzma 2>/dev/null || \
	echo -lbpf -lelf -lz -llzma)
# The full screen of `pytrail top`.
LDLIBS += $(shell $(PKG_CONFIG) $(if $(STATIC),--static) --libs ncursesw 2>/dev/null || echo -lncursesw -ltinfo)
# Small and always there; heavy libraries of sinks are loaded when used (user/util/dynlib.h).
LDLIBS += $(shell $(PKG_CONFIG) $(if $(STATIC),--static) --libs yaml-0.1 jansson libseccomp libcap-ng nettle 2>/dev/null || \
	echo -lyaml -ljansson -lseccomp -lcap-ng -lnettle) -lpthread -lm
CPPFLAGS += $(if $(STATIC),-DPYTRAIL_STATIC)
# The files of container runtimes.
LDLIBS += $(shell $(PKG_CONFIG) $(if $(STATIC),--static) --libs jansson 2>/dev/null || echo -ljansson)
# Behind libelf.a, which may lack some (user/util/libelf_rest.c).
LDLIBS += $(if $(STATIC),$(B)/libpytrail.a)
# Debian has no static Zydis: a static build knows no probes but USDT there.
ifneq ($(if $(STATIC),$(findstring /,$(shell $(CC) -print-file-name=libZydis.a)),yes),)
LDLIBS += -lZydis
else
CPPFLAGS += -DPYTRAIL_NO_DECODER
endif

# libbpf's headers and, for asm/errno.h, the multiarch directory (usdt.bpf.h of libbpf 1.1 wants it).
BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) -D__BPF__ $(WARN) \
	-Wno-missing-prototypes -Wno-unused-function -Ivmlinux/$(ARCH) -I. \
	-idirafter $(SYSROOT)/usr/include/$(MULTIARCH)

USER_SRC := $(filter-out user/main.c,$(wildcard user/*.c user/*/*.c))
USER_OBJ := $(USER_SRC:%.c=$(B)/%.o)
GEN_H := $(GEN)/audit_events.h $(GEN)/event_mapping.h $(GEN)/layouts_table.h $(GEN)/json_schema.h \
	$(GEN)/redact_table.h
SKEL := $(BPF_B)/pytrail.skel.h

.PHONY: all
all: $(B)/pytrail ## build build/pytrail

$(B)/pytrail: $(B)/user/main.o $(B)/libpytrail.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/libpytrail.a: $(USER_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(B)/user/%.o: user/%.c | $(GEN_H) $(SKEL)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BPF_B)/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c -o $@.tmp $<
	$(LLVM_STRIP) -g $@.tmp
	mv $@.tmp $@

$(BPF_B)/%.skel.h: $(BPF_B)/%.bpf.o
	$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp && mv $@.tmp $@

$(GEN)/audit_events.h: events/audit.tsv scripts/gen-events.py
	@mkdir -p $(@D)
	$(PYTHON) scripts/gen-events.py c $< > $@.tmp && mv $@.tmp $@

$(GEN)/event_mapping.h: $(addprefix events/,audit.tsv mapping.tsv attack.tsv ocsf.tsv) \
		scripts/gen-mapping.py scripts/gen-events.py
	@mkdir -p $(@D)
	$(PYTHON) scripts/gen-mapping.py c $< > $@.tmp && mv $@.tmp $@

$(GEN)/layouts_table.h: events/layouts.tsv scripts/gen-layouts.py bpf/wire.h
	@mkdir -p $(@D)
	$(PYTHON) scripts/gen-layouts.py $< bpf/wire.h > $@.tmp && mv $@.tmp $@

$(GEN)/redact_table.h: events/redact.tsv events/audit.tsv scripts/gen-redact.py scripts/gen-events.py
	@mkdir -p $(@D)
	$(PYTHON) scripts/gen-redact.py c events/redact.tsv events/audit.tsv > $@.tmp && mv $@.tmp $@

$(GEN)/json_schema.h: user/format/schema.json
	@mkdir -p $(@D)
	$(PYTHON) scripts/gen-cstring.py json_schema $< > $@.tmp && mv $@.tmp $@

# Kept: make would delete them as intermediate, and build them again each time.
.SECONDARY: $(BPF_B)/pytrail.bpf.o

-include $(USER_OBJ:.o=.d) $(B)/user/main.d $(BPF_B)/pytrail.bpf.d

include tests/tests.mk
include scripts/packaging/packaging.mk

.PHONY: deps
deps: ## install what building and testing need (Debian, Ubuntu; names for Fedora)
	scripts/deps.sh

.PHONY: run
run: ## install what is missing, build, and trace the whole host (ARGS= for options)
	@scripts/deps.sh build
	@$(MAKE) --no-print-directory -s all
	$(B)/pytrail trace $(ARGS)

.PHONY: fmt fmt-check
FMT_SRC = $(wildcard bpf/*.[ch] user/*.[ch] user/*/*.[ch] tests/*/*.[ch])
fmt: ## format the C sources
	clang-format -i $(FMT_SRC)
fmt-check: ## fail when a C source is not formatted
	clang-format --dry-run --Werror $(FMT_SRC)
	$(PYTHON) tests/lint/width.py $(FMT_SRC)

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## this text
	@echo "pytrail $(VERSION): audit events of live CPython, from the kernel"
	@grep -hE '^[a-z][a-zA-Z_-]*:.*## ' $(MAKEFILE_LIST) | \
		awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'
