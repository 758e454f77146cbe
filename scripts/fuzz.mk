# SPDX-License-Identifier: GPL-2.0
#
# Fuzzing: Documentation/fuzzing.rst. Included by the Makefile.

#: make fuzz           fuzzes interface, guests and parsers for FUZZ_SECONDS each (600),
#:                     from SEED on (a new one each time)

fuzz:
	@scripts/setup all
	@$(MAKE) all tests
	@FUZZ_SECONDS=$(or $(FUZZ_SECONDS),600) SEED=$(or $(SEED),$(shell date +%s)) \
		prove -v -j $(JOBS) --exec '' tests/fuzz/lab.t tests/fuzz/parsers.t

.PHONY: fuzz
