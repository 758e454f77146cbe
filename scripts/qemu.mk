# SPDX-License-Identifier: GPL-2.0
#
# Debian's QEMU: Documentation/clients.rst. Included by the Makefile.

#: make check-qemu     Debian's QEMU boots Linux, on KVM and on minivmm

check-qemu:
	@scripts/setup qemu
	@$(MAKE) all
	@prove --timer --exec '' tests/qemu/qemu.t

.PHONY: check-qemu
