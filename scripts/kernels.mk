# SPDX-License-Identifier: GPL-2.0
#
# Kernels of other Debian suites: Documentation/kernels.rst. Included by the
# Makefile.

#: make check-kernels  builds and tests on the kernels of KERNELS="bookworm trixie";
#:                     sid is the third that is known

KERNELS	?= bookworm trixie
# This machine's own suite needs no chroot.
own_suite := $(shell . /etc/os-release 2>/dev/null && echo $$VERSION_CODENAME)
other_kernels := $(filter-out $(own_suite),$(KERNELS))
# Where the module loads. sid's kernel leaves VT-x to KVM alone.
KERNELS_RUN := $(filter-out sid,$(other_kernels))

# Where a newer KVM answers otherwise is in tests/lab/differences-*.txt. The lab's
# own tests are not about the kernel in it.
KERNEL_TESTS ?= $(filter-out tests/lab/lab.t,$(wildcard tests/lab/*.t)) \
	$(wildcard tests/conformance/*.t) tests/fuzz/lab.t

check-kernels:
	@scripts/setup all
	@$(MAKE) all tests
	@SUITES="$(other_kernels)" prove --timer --exec '' tests/kernels.t
	@$(if $(filter $(own_suite),$(KERNELS)),$(MAKE) prove TESTS="tests/lint.t $(KERNEL_TESTS)")
	@for suite in $(KERNELS_RUN); do \
		echo "$$suite:" && variables=$$(scripts/kernel $$suite) && \
		eval "$$variables" && \
		LAB_KERNEL=$$KERNEL $(MAKE) prove TESTS="$(KERNEL_TESTS)" || exit 1; \
	done

.PHONY: check-kernels
