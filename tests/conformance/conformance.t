#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The calls of <linux/kvm.h> by groups: each program on /dev/kvm and on
# /dev/minivmm in one boot. Twice: Linux does not use XSAVE on the first machine
# where Bochs 2.7 emulates it, and does on the second.

. "$(dirname "$0")/../lab/lib.sh"

programs="conf_state conf_msr conf_sync_regs conf_irqchip conf_ipi conf_capability conf_rebuild"
# shellcheck disable=SC2086
compare --timeout 300 -- $programs conf_interrupt conf_guest_debug conf_mmio conf_pic conf_pit \
	conf_clock conf_deadline conf_stats
# shellcheck disable=SC2086
compare --timeout 300 --model corei7_haswell_4770 -- $programs
# IPIs between vCPUs that run at the same time
compare --timeout 300 --cpus 2 -- conf_ipi conf_spin conf_irqfd
# Another thread works on what the guest uses; then also without the EPT's
# accessed and dirty flags, and with them but without the log of the CPU.
compare --timeout 300 --cpus 2 -- conf_dirty_log conf_ioeventfd conf_coalesced
# Bochs 2.7 logs addresses inside of pages: KVM warns of that.
compare --timeout 300 --cpus 2 --append kvm_intel.pml=0 -- conf_pml
compare --timeout 300 --cpus 2 --append "minivmm.eptad=0 kvm_intel.eptad=0" -- \
	conf_dirty_log conf_pml
# KVM does without virtual-interrupt delivery in Bochs 2.7.
compare --timeout 300 --cpus 2 --append minivmm.enable_apicv=1 -- \
	conf_irqchip conf_ipi conf_pic conf_pit conf_irqfd
# What else the CPU has, switched off.
compare --timeout 300 --cpus 2 --append "minivmm.pml=0 kvm_intel.pml=0" \
	--append "minivmm.ple_gap=0 kvm_intel.ple_gap=0 minivmm.flexpriority=0" -- \
	conf_dirty_log conf_pml conf_spin conf_irqchip
done_testing
