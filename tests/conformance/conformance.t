#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The calls of <linux/kvm.h> by groups: each program on /dev/kvm and on
# /dev/minivmm in one boot. Twice: Linux does not use XSAVE on the first machine
# where Bochs 2.7 emulates it, and does on the second.

. "$(dirname "$0")/../lab/lib.sh"

programs="conf_state conf_msr conf_sync_regs conf_irqchip conf_capability"
# shellcheck disable=SC2086
compare --timeout 300 -- $programs
# shellcheck disable=SC2086
compare --timeout 300 --model corei7_haswell_4770 -- $programs
# IPIs between vCPUs that run at the same time
compare --timeout 300 --cpus 2 -- conf_irqchip
done_testing
