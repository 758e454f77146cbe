# SPDX-License-Identifier: GPL-2.0
#
# The debug kernel: Documentation/debug.rst. Included by the Makefile.

#: make check-debug    the lab's tests on a kernel that finds more (builds it first)
#: make debug-kernel   only builds that kernel, and the module for it

debug_kdir	:= $(build)/debug/linux

# It needs more memory than the lab has otherwise, and is several times slower.
debug_env	= LAB_KERNEL=$(build)/debug/kernel LAB_MEMORY=768 LAB_PATIENCE=5

# What makes sense only on the stock kernel is left out: the lab's own tests,
# and refusals of CPUs, which never come to the module's work.
DEBUG_TESTS	?= $(wildcard tests/debug/*.t) \
	$(filter-out tests/lab/lab.t tests/lab/refuse.t,$(wildcard tests/lab/*.t))

debug-kernel:
	@JOBS=$(JOBS) scripts/debug-kernel >/dev/null
	@$(MAKE) module KDIR=$(debug_kdir)

check-debug:
	@scripts/setup all
	@$(MAKE) debug-kernel
	@$(MAKE) userspace guests tests-lab
	@$(debug_env) prove -j $(JOBS) --timer --exec '' $(DEBUG_TESTS)

.PHONY: debug-kernel check-debug
