# SPDX-License-Identifier: GPL-2.0
#
# KVM's own selftests: Documentation/selftests.rst. Included by the Makefile.

#: make check-selftests    KVM's selftests on KVM and on minivmm; DOCUMENT=1
#:                     writes the table

check-selftests:
	@scripts/setup all
	@$(MAKE) all
	@SELFTESTS_DOCUMENT=$(DOCUMENT) prove --timer --exec '' tests/selftests/selftests.t

.PHONY: check-selftests
