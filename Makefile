# SPDX-License-Identifier: GPL-2.0
#
# minivmm: everything is built below build/; `make help` lists what there is.

prefix	?= /usr/local
DESTDIR	?=
HOST	?=
VERSION	:= 0.1
JOBS	?= $(shell nproc)

top	:= $(CURDIR)
build	:= $(top)/build
lab	:= scripts/lab

# The lab's kernel: the newest cloud headers, whose image scripts/lab boots.
lab_headers := $(shell ls -d /usr/src/linux-headers-*-cloud-amd64 2>/dev/null | sort -V | tail -1)
host_headers := /lib/modules/$(shell uname -r)/build
# What is installed or runs on this very machine is built for its own kernel.
ifneq ($(HOST)$(filter install,$(MAKECMDGOALS)),)
KDIR	?= $(host_headers)
else
KDIR	?= $(lab_headers)
endif

# The names are resolved when a recipe runs, for `make setup` may come first.
utsrelease = $(KDIR)/include/generated/utsrelease.h
release	= $(or $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(utsrelease) 2>/dev/null),unknown)
moddir	= $(build)/module-$(release)
ko	= $(moddir)/minivmm.ko

ifeq ($(prefix),/usr)
udevdir	?= /usr/lib/udev/rules.d
else
udevdir	?= /etc/udev/rules.d
endif

MAKEFLAGS += --no-print-directory

all: module userspace guests

help:
	@sed -n 's/^#: //p' $(MAKEFILE_LIST)

#: make                the module, user space and the guests
#: make demo           three guests and Linux on an emulated Intel machine with VT-x
#: make check          all tests, natively and in the lab
#: make check-all      these, and all that the debug kernel, other kernels and the
#:                     fuzzers have: hours
#: make bench          path lengths beside KVM's, both in one boot: Documentation/bench.rst
#: make lab            a root shell on the emulated machine; Linux as a guest is
#:                     minivmm-run --kernel vmlinuz --initrd initrd --append console=ttyS0
#: make lab-debug      the same under Bochs's debugger, which stops on VM exit
#: make install        module, programs, header, man pages, udev rule (DESTDIR, prefix)
#: make setup          only installs the Debian packages that the above need
#: make module, userspace, guests, tests     the parts
#: make clean          removes what was built; downloads stay (distclean: all)
#:
#: KDIR=DIR    kernel to build the module for. The default is the newest
#:             /usr/src/linux-headers-*-cloud-amd64, which the lab boots, and
#:             this machine's own kernel for install and with HOST=1.
#: HOST=1      `sudo make demo HOST=1` uses this machine's VT-x, not the lab
#: BOCHS=PATH  another Bochs than Debian's (Documentation/lab.rst: a faster one)
#: V=1         shows the commands

# A folder of symbolic links, one for each kernel: the sources stay clean.
module:
	@test -e "$(utsrelease)" || { \
		echo "KDIR='$(KDIR)': no kernel headers there. For the lab: make setup;" \
			"for this machine: apt install linux-headers-$$(uname -r);" \
			"or KDIR= names others" >&2; exit 1; }
	@mkdir -p $(moddir)
	@flock $(build)/.module.lock sh -c '\
		cd $(moddir) && find . -type l -delete && \
		cp -rs $(top)/Kbuild $(top)/module $(top)/uapi . && \
		$(MAKE) -C $(KDIR) M=$(moddir) modules $(if $(V),V=1)'

userspace guests tests-lab tests-fuzz unit:
	@if [ -e $(dir_$@)/Makefile ]; then \
		$(MAKE) -C $(dir_$@) BUILD=$(build) VERSION=$(VERSION); fi

dir_userspace	:= userspace
dir_guests	:= tests/guests
dir_tests-lab	:= tests/lab
dir_tests-fuzz	:= tests/fuzz
dir_unit	:= tests/unit

tests: tests-lab tests-fuzz unit

setup:
	@scripts/setup all

# The packages first: only another make finds the headers that they bring.
demo:
	@scripts/setup $(if $(HOST),build,demo)
	@$(MAKE) all
	@$(MAKE) $(if $(HOST),demo-host,demo-lab)

demo-host:
	@sh scripts/machine/demo.sh --host $(ko) $(build)

check:
	@scripts/setup all
	@$(MAKE) all tests
	$(call beside_debug_kernel,$(MAKE) prove)
	@$(MAKE) check-debug-short

# Each option of these is the long one; it takes hours.
check-all: check
	@$(MAKE) check-linux
	@BIG=1 $(MAKE) prove TESTS=tests/lab/trace.t
	@$(MAKE) check-debug ROUNDS=50
	@$(MAKE) check-kernels KERNELS="bookworm trixie sid"
	@$(MAKE) fuzz-entry MUTATIONS=200000
	@$(MAKE) fuzz FUZZ_SECONDS=1800

# For one test: make prove TESTS=tests/lab/memory.t. Two run at a time, so the ones
# that take long are not the last.
TESTS	?= $(patsubst tests/unit/%.c,build/unit/%,$(wildcard tests/unit/test_*.c)) \
	$(wildcard tests/*.t tests/conformance/*.t tests/selftests/*.t tests/lab/*.t tests/fuzz/*.t)
prove:
	@CMOCKA_MESSAGE_OUTPUT=TAP prove -j $(JOBS) --timer --exec '' $(TESTS)

bench:
	@scripts/setup demo
	@$(MAKE) all tests-lab
	@tests/bench/bench.sh --document Documentation/bench.rst

lab:
	@scripts/setup demo
	@$(MAKE) all
	@$(MAKE) lab-shell

lab-debug:
	@scripts/setup demo
	@$(MAKE) all
	@$(lab) --debug

install: all
	$(MAKE) -C $(KDIR) M=$(moddir) modules_install CONFIG_MODULE_SIG_ALL= \
		INSTALL_MOD_PATH=$(DESTDIR) INSTALL_MOD_DIR=extra
	@# The index of one module alone would replace that of all.
	if [ -e $(DESTDIR)/lib/modules/$(release)/modules.order ]; then \
		depmod $(if $(DESTDIR),-b $(DESTDIR)) $(release); fi
	install -d $(DESTDIR)$(prefix)/bin $(DESTDIR)$(prefix)/include/linux $(DESTDIR)$(udevdir)
	install -m 755 $(build)/bin/* $(DESTDIR)$(prefix)/bin/
	install -m 644 uapi/linux/minivmm.h $(DESTDIR)$(prefix)/include/linux/
	for page in Documentation/man/*.[1-9]; do \
		install -D -m 644 $$page \
			$(DESTDIR)$(prefix)/share/man/man$${page##*.}/$${page##*/} || exit 1; \
	done
	install -m 644 scripts/60-minivmm.rules $(DESTDIR)$(udevdir)/

clean:
	rm -rf build/module-* build/bin build/guests build/tests build/unit build/userspace build/lab build/guest

distclean:
	rm -rf build

include scripts/debug.mk
include scripts/kernels.mk
include scripts/entry.mk
include scripts/fuzz.mk
include scripts/selftests.mk
include scripts/qemu.mk
include scripts/guest.mk

.PHONY: all help module userspace guests tests tests-lab tests-fuzz unit setup demo demo-host check check-all \
	prove bench lab lab-debug install clean distclean
