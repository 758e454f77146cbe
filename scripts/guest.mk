# SPDX-License-Identifier: GPL-2.0
#
# A Linux guest for people: the lab's own kernel and a shell of busybox, which
# `make lab` finds as vmlinuz and initrd; and what is long of the tests of such
# guests. Included by the Makefile.

#: make check-linux    Linux as a guest: 50 boots, features switched off, another kernel

guest_release := $(patsubst /usr/src/linux-headers-%,%,$(lab_headers))
guest_kernel := $(build)/kernel/$(guest_release)/boot/vmlinuz-$(guest_release)
guest_initrd := $(build)/guest/initrd
guest_files := --memory 1024 --file $(guest_kernel):/root/vmlinuz --file $(guest_initrd)

$(guest_initrd): scripts/guest/init
	@mkdir -p $(@D)
	@tree=$$(mktemp -d $(@D)/tree.XXXXXX) && mkdir $$tree/bin && \
		cp "$$(command -v busybox)" $$tree/bin/busybox && \
		install -m 755 $< $$tree/init && \
		(cd $$tree && find . -mindepth 1 | LC_ALL=C sort | \
			cpio -o -H newc -R 0:0 --quiet) >$@ && rm -rf $$tree

# The second half of demo and of lab, when the headers are there.
demo-lab: $(guest_initrd)
	@$(lab) --verbose --file scripts/machine/demo.sh $(guest_files) -- sh demo.sh

lab-shell: $(guest_initrd)
	@$(lab) --shell $(guest_files)

check-linux:
	@scripts/setup all
	@$(MAKE) all
	@$(MAKE) prove TESTS="$(wildcard tests/linux/*.t)"

.PHONY: demo-lab lab-shell check-linux
