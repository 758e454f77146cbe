# SPDX-License-Identifier: GPL-2.0
#
# VM entries with fields that are wrong: Documentation/entry-checks.rst.
# Included by the Makefile.

#: make fuzz-entry     the rules of VM entry against the processor's, in the lab
#:                     (MUTATIONS=60000 SEED=1 MODELS=...)

entry_dir	= $(build)/entry-$(release)

# Beside links to the rules, for kbuild makes objects where the sources are.
entry:
	@mkdir -p $(entry_dir)
	@flock $(build)/.entry.lock sh -c '\
		cd $(entry_dir) && find . -type l -delete && mkdir -p tests && \
		cp -rs $(top)/module $(top)/uapi . && cp -rs $(top)/tests/entry tests/ && \
		ln -sf $(top)/tests/entry/Kbuild Kbuild && \
		$(MAKE) -C $(KDIR) M=$(entry_dir) modules $(if $(V),V=1)'

entry-path:
	@echo $(entry_dir)/vmentry.ko

fuzz-entry:
	@scripts/setup all
	@$(MAKE) entry
	@MUTATIONS=$(or $(MUTATIONS),60000) SEED=$(or $(SEED),1) MODELS="$(MODELS)" \
		prove -v --timer --exec '' tests/lab/entry.t

.PHONY: entry entry-path fuzz-entry
