// SPDX-License-Identifier: GPL-2.0
/* KVM_CAP_SYNC_REGS: registers in kvm_run, without a call for them. */
#include <errno.h>
#include <sys/ioctl.h>
#include "tap.h"
#include "vm.h"

static struct vm vm;
static struct vcpu cpu;

GUEST64(count, "1: inc %rbx; mov %ebx, %eax; out %eax, $0x10; jmp 1b");

int main(int argc, char **argv)
{
	struct kvm_sync_regs *s;
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	vm_open(&vm, argc > 1 ? argv[1] : "/dev/kvm", 2 << 20);
	vcpu_open(&cpu, &vm, 0);
	s = &cpu.run->s.regs;
	is_hex(ioctl(vm.sys, KVM_CHECK_EXTENSION, KVM_CAP_SYNC_REGS), 7, "KVM_CAP_SYNC_REGS");

	guest64(&cpu, count);
	cpu.run->kvm_valid_regs = 8;
	is(vcpu_run(&cpu), "EINVAL", "an unknown set in kvm_valid_regs");
	cpu.run->kvm_valid_regs = 0;
	cpu.run->kvm_dirty_regs = 8;
	is(vcpu_run(&cpu), "EINVAL", "an unknown set in kvm_dirty_regs");
	cpu.run->kvm_dirty_regs = 0;

	cpu.run->kvm_valid_regs = 7;
	is(vcpu_run(&cpu), "OUT port=10 size=4 count=1 data=01000000", "KVM_RUN, all valid");
	regs = get_regs(&cpu);
	sregs = get_sregs(&cpu);
	is_hex(memcmp(&regs, &s->regs, sizeof(regs)), 0, "  the registers are there");
	is_hex(memcmp(&sregs, &s->sregs, sizeof(sregs)), 0, "  the special ones too");
	is_hex(s->events.exception.injected | s->events.interrupt.injected, 0, "  and no event");

	s->regs.rbx = 0x41;
	cpu.run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
	is(vcpu_run(&cpu), "OUT port=10 size=4 count=1 data=42000000", "RBX is dirty");
	is_hex(cpu.run->kvm_dirty_regs, 0, "  not any more");
	is_hex(s->regs.rbx, 0x42, "  and told");
	s->regs.rbx = 0x99;
	is(vcpu_run(&cpu), "OUT port=10 size=4 count=1 data=43000000", "RBX is not dirty");

	cpu.run->kvm_valid_regs = 0;
	s->regs.rbx = 0x77;
	is(vcpu_run(&cpu), "OUT port=10 size=4 count=1 data=44000000", "nothing valid");
	is_hex(s->regs.rbx, 0x77, "  nothing is written");

	s->sregs.cr2 = 0xabc000;
	cpu.run->kvm_dirty_regs = KVM_SYNC_X86_SREGS;
	vcpu_run(&cpu);
	is_hex(get_sregs(&cpu).cr2, 0xabc000, "SREGS is dirty");
	s->sregs.cr4 |= 1ull << 40;
	cpu.run->kvm_dirty_regs = KVM_SYNC_X86_SREGS;
	is(vcpu_run(&cpu), "EINVAL", "SREGS with a reserved bit of CR4");
	is_hex(cpu.run->kvm_dirty_regs, KVM_SYNC_X86_SREGS, "  stays dirty");
	s->events.flags = 0x80000000;
	cpu.run->kvm_dirty_regs = KVM_SYNC_X86_EVENTS;
	is(vcpu_run(&cpu), "EINVAL", "events with an unknown flag");
	s->events.flags = 0;
	memset(&s->events, 0, sizeof(s->events));
	s->events.exception.injected = 1;
	s->events.exception.nr = 6;
	cpu.run->kvm_dirty_regs = KVM_SYNC_X86_EVENTS;
	/* The OUT of the last exit is complete before. */
	is(vcpu_run(&cpu), "trap 6 at +7", "an event: #UD is delivered");
	return done_testing();
}
