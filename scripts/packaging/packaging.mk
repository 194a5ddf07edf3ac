# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Installing and packages, included by the Makefile.

SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
PKG := scripts/packaging
MAN := build/man
COMPLETION := build/completion
# The program that man pages and completions are made from: the one that is built, whatever it is.
SELF = $(B)/pytrail
DIST := build/pytrail-$(VERSION)-linux-$(ARCH)

.PHONY: man completions install install-files deb dist

man: $(MAN)/pytrail.1 $(MAN)/pytrail.yaml.5 $(MAN)/pytrail-events.7 ## make the manual pages in build/man

$(MAN)/pytrail.1: user/man/pytrail.1
	@mkdir -p $(@D)
	cp $< $@

$(MAN)/pytrail.yaml.5: user/man/pytrail.yaml.5.in $(PKG)/gen-man.py $(SELF)
	@mkdir -p $(@D)
	$(SELF) daemon --print-options | $(PYTHON) $(PKG)/gen-man.py yaml $< > $@.tmp && mv $@.tmp $@

$(MAN)/pytrail-events.7: events/audit.tsv $(PKG)/gen-man.py scripts/gen-events.py
	@mkdir -p $(@D)
	$(PYTHON) $(PKG)/gen-man.py events $< > $@.tmp && mv $@.tmp $@

completions: $(COMPLETION)/pytrail.bash $(COMPLETION)/pytrail.zsh $(COMPLETION)/pytrail.fish

$(COMPLETION)/pytrail.%: $(PKG)/gen-completions.py $(SELF)
	@mkdir -p $(@D)
	$(PYTHON) $< $* $(SELF) > $@.tmp && mv $@.tmp $@

install: all man completions install-files ## install into DESTDIR/PREFIX, settings into SYSCONFDIR

to_prefix = $(DESTDIR)$(PREFIX)/$(1)
install-files:
	install -D -m 0755 $(SELF) $(call to_prefix,sbin/pytrail)
	install -D -m 0644 $(MAN)/pytrail.1 $(call to_prefix,share/man/man1/pytrail.1)
	install -D -m 0644 $(MAN)/pytrail.yaml.5 $(call to_prefix,share/man/man5/pytrail.yaml.5)
	install -D -m 0644 $(MAN)/pytrail-events.7 $(call to_prefix,share/man/man7/pytrail-events.7)
	install -D -m 0644 $(COMPLETION)/pytrail.bash \
		$(call to_prefix,share/bash-completion/completions/pytrail)
	install -D -m 0644 $(COMPLETION)/pytrail.zsh $(call to_prefix,share/zsh/vendor-completions/_pytrail)
	install -D -m 0644 $(COMPLETION)/pytrail.fish \
		$(call to_prefix,share/fish/vendor_completions.d/pytrail.fish)
	install -d $(call to_prefix,lib/systemd/system)
	sed 's|@SBINDIR@|$(PREFIX)/sbin|; s|@SYSCONFDIR@|$(SYSCONFDIR)|' $(PKG)/systemd/pytrail.service \
		> $(call to_prefix,lib/systemd/system/pytrail.service)
	chmod 0644 $(call to_prefix,lib/systemd/system/pytrail.service)
	install -D -m 0644 $(PKG)/systemd/sysusers.conf $(call to_prefix,lib/sysusers.d/pytrail.conf)
	install -D -m 0644 $(PKG)/systemd/tmpfiles.conf $(call to_prefix,lib/tmpfiles.d/pytrail.conf)
	install -D -m 0644 $(PKG)/logrotate.conf $(DESTDIR)$(SYSCONFDIR)/logrotate.d/pytrail
	install -d $(DESTDIR)$(SYSCONFDIR)/pytrail/conf.d
	[ -e $(DESTDIR)$(SYSCONFDIR)/pytrail/pytrail.yaml ] || install -m 0600 $(PKG)/config/pytrail.yaml \
		$(DESTDIR)$(SYSCONFDIR)/pytrail/pytrail.yaml
	install -d $(call to_prefix,share/doc/pytrail/examples)
	cp -R $(filter-out $(PKG)/config/pytrail.yaml,$(wildcard $(PKG)/config/*.yaml)) $(PKG)/kubernetes \
		$(PKG)/elasticsearch $(wildcard $(PKG)/dashboards) \
		$(call to_prefix,share/doc/pytrail/examples/)
	chmod -R u=rwX,go=rX $(call to_prefix,share/doc/pytrail/examples)

# In a copy of the tree, since dpkg-buildpackage wants debian/ at its top and writes beside it.
deb: ## make a Debian package in build/deb
	rm -rf build/deb && mkdir -p build/deb/pytrail-$(VERSION)
	tar -c --exclude=./build --exclude=./.git --exclude=__pycache__ . | tar -x -C build/deb/pytrail-$(VERSION)
	cp -R $(PKG)/debian build/deb/pytrail-$(VERSION)/debian
	cd build/deb/pytrail-$(VERSION) && env -u MAKEFLAGS -u MAKELEVEL dpkg-buildpackage -b -us -uc
	rm -rf build/deb/pytrail-$(VERSION)
	@ls build/deb/*.deb

dist: ## make a tarball with one static program in build
	$(MAKE) -s STATIC=1 all
	rm -rf $(DIST) && mkdir -p $(DIST)
	$(MAKE) -s STATIC=1 install DESTDIR=$(CURDIR)/$(DIST) PREFIX=/usr
	cp LICENSE README.md $(DIST)/
	tar --sort=name --owner=0 --group=0 --numeric-owner -C build -czf $(DIST).tar.gz $(notdir $(DIST))
	@ls $(DIST).tar.gz
