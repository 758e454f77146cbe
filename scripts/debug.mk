# SPDX-License-Identifier: GPL-2.0
#
# The debug kernel: Documentation/debug.rst. Included by the Makefile.

#: make check-debug    the lab's tests on a kernel that finds more (builds it first)
#: make debug-kernel   only builds that kernel, and the module for it

debug_kdir	:= $(build)/debug/linux

# As tests/debug/lib.sh has them.
debug_env	= LAB_KERNEL=$(build)/debug/kernel LAB_MEMORY=768 LAB_PATIENCE=5

# What makes sense only on the stock kernel is left out: the lab's own tests,
# and refusals of CPUs, which never come to the module's work.
DEBUG_TESTS	?= $(wildcard tests/debug/*.t) tests/fuzz/lab.t \
	$(filter-out tests/lab/lab.t tests/lab/refuse.t,$(wildcard tests/lab/*.t))
# The short part.
DEBUG_SHORT	:= $(addprefix tests/debug/,detect.t short.t)

# Compiles in the background, with what the tests leave of the processors:
# $(call beside_debug_kernel,COMMAND).
define beside_debug_kernel
	@JOBS=$(JOBS) nice -n 19 scripts/debug-kernel >/dev/null & kernel=$$!; \
	{ $(1); }; status=$$?; \
	wait $$kernel && [ $$status = 0 ]
endef

debug-kernel:
	@JOBS=$(JOBS) scripts/debug-kernel >/dev/null
	@$(MAKE) module KDIR=$(debug_kdir)

debug_prove	= $(debug_env) prove -j $(JOBS) --timer --exec ''

check-debug: debug-kernel
	@$(MAKE) userspace guests tests-lab tests-fuzz
	@ROUNDS=$(or $(ROUNDS),10) $(debug_prove) $(DEBUG_TESTS)

check-debug-short: debug-kernel
	@$(debug_prove) $(DEBUG_SHORT)

.PHONY: debug-kernel check-debug check-debug-short
