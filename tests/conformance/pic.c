// SPDX-License-Identifier: GPL-2.0
/*
 * PIC, I/O APIC and the lines that lead there: KVM_IRQ_LINE, KVM_GET_IRQCHIP and
 * KVM_SET_IRQCHIP, KVM_SET_GSI_ROUTING, and what a guest sees of it.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include "apic.h"
#include "tap.h"

static const char *device;

/* What the guest does next; HALTED if that is nothing */
static const char *soon(void)
{
	return run_for(&cpu, 150);
}

#define gate(c, v, name, label)	guest_gate(c, v, GUEST_CODE + ((label) - (name)), 0)
#define HALTED			"EINTR INTR"

static const char *get_chip(u32 id, struct kvm_irqchip *chip)
{
	memset(chip, 0, sizeof(*chip));
	chip->chip_id = id;
	return on_vm(KVM_GET_IRQCHIP, (long)chip);
}

static struct kvm_pic_state pic(u32 id)
{
	struct kvm_irqchip chip;

	if (strcmp(get_chip(id, &chip), "0"))
		bail("KVM_GET_IRQCHIP: %s", errno_name(errno));
	return chip.chip.pic;
}

static struct kvm_ioapic_state ioapic(void)
{
	struct kvm_irqchip chip;

	if (strcmp(get_chip(KVM_IRQCHIP_IOAPIC, &chip), "0"))
		bail("KVM_GET_IRQCHIP: %s", errno_name(errno));
	return chip.chip.ioapic;
}

static void set_pic(u32 id, const struct kvm_pic_state *state)
{
	struct kvm_irqchip chip = { .chip_id = id };

	chip.chip.pic = *state;
	if (ioctl(vm.fd, KVM_SET_IRQCHIP, &chip))
		bail("KVM_SET_IRQCHIP: %s", errno_name(errno));
}

static void set_ioapic(const struct kvm_ioapic_state *state)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };

	chip.chip.ioapic = *state;
	if (ioctl(vm.fd, KVM_SET_IRQCHIP, &chip))
		bail("KVM_SET_IRQCHIP: %s", errno_name(errno));
}

static void set_entry(int pin, u64 value)
{
	struct kvm_ioapic_state state = ioapic();

	state.redirtbl[pin].bits = value;
	set_ioapic(&state);
}

static u64 entry(int pin)
{
	return ioapic().redirtbl[pin].bits;
}

/* Both chips with all lines down and masked */
static void quiet(void)
{
	struct kvm_pic_state p = { .imr = 0xff, .irq_base = 0x30, .elcr_mask = 0xf8 };
	struct kvm_ioapic_state state = ioapic();
	struct kvm_irq_level line = { };
	int i;

	for (line.irq = 0; line.irq < 24; line.irq++)
		ioctl(vm.fd, KVM_IRQ_LINE, &line);
	set_pic(KVM_IRQCHIP_PIC_MASTER, &p);
	p.irq_base = 0x38;
	p.elcr_mask = 0xde;
	set_pic(KVM_IRQCHIP_PIC_SLAVE, &p);
	state.irr = 0;
	for (i = 0; i < 24; i++)
		state.redirtbl[i].bits = 0x10000;
	set_ioapic(&state);
}

/* Return: what KVM_IRQ_LINE_STATUS says. */
static int line(u32 gsi, u32 level)
{
	struct kvm_irq_level l = { .irq = gsi, .level = level };

	if (ioctl(vm.fd, KVM_IRQ_LINE_STATUS, &l))
		bail("KVM_IRQ_LINE_STATUS: %s", errno_name(errno));
	return l.status;
}

static void want(int got, int wanted, const char *what)
{
	ok(got == wanted, "%s: %d", what, got);
}

static void calls(void)
{
	struct kvm_irq_level l = { .irq = 4, .level = 1 };
	struct kvm_irqchip chip;
	struct vm other;
	struct vcpu c;

	vm_open(&other, device, 2 << 20);
	is(errno_text(ioctl(other.fd, KVM_IRQ_LINE, &l)), "ENXIO", "without: KVM_IRQ_LINE");
	is(errno_text(ioctl(other.fd, KVM_IRQ_LINE_STATUS, &l)), "ENXIO",
	   "  KVM_IRQ_LINE_STATUS");
	memset(&chip, 0, sizeof(chip));
	is(errno_text(ioctl(other.fd, KVM_GET_IRQCHIP, &chip)), "ENXIO", "  KVM_GET_IRQCHIP");
	is(errno_text(ioctl(other.fd, KVM_SET_IRQCHIP, &chip)), "ENXIO", "  KVM_SET_IRQCHIP");
	is(errno_text(ioctl(other.fd, KVM_SET_BOOT_CPU_ID, 1)), "0", "KVM_SET_BOOT_CPU_ID");
	is(errno_text(ioctl(other.fd, KVM_SET_BOOT_CPU_ID, 77777)), "0",
	   "  of what is no vCPU's number");
	is(errno_text(ioctl(other.fd, KVM_SET_BOOT_CPU_ID, 1)), "0", "  again");
	vcpu_open(&c, &other, 0);
	is(errno_text(ioctl(other.fd, KVM_SET_BOOT_CPU_ID, 0)), "EBUSY", "  with a vCPU");
	is_hex(c.sregs0.apic_base, 0xfee00800, "  number 0 is not the boot processor");
	vcpu_close(&c);
	vcpu_open(&c, &other, 1);
	is_hex(c.sregs0.apic_base, 0xfee00900, "  number 1 is");
	vcpu_close(&c);
	vm_close(&other);

	vm_open(&other, device, 2 << 20);
	ioctl(other.fd, KVM_SET_BOOT_CPU_ID, 1);
	is(errno_text(ioctl(other.fd, KVM_CREATE_IRQCHIP, 0)), "0", "with controllers");
	vcpu_open(&c, &other, 0);
	is_hex(mp_state(&c), KVM_MP_STATE_UNINITIALIZED, "  number 0 waits to be started");
	vcpu_close(&c);
	vcpu_open(&c, &other, 1);
	is_hex(mp_state(&c), KVM_MP_STATE_RUNNABLE, "  number 1 does not");
	vcpu_close(&c);
	vm_close(&other);

	vm_open(&vm, device, 2 << 20);
	is(on_vm(KVM_CREATE_IRQCHIP, 0), "0", "KVM_CREATE_IRQCHIP");
	apic_vcpus();
	is(on_vm(KVM_IRQ_LINE, 0), "EFAULT", "KVM_IRQ_LINE of NULL");
	is(on_vm(KVM_IRQ_LINE_STATUS, 0), "EFAULT", "KVM_IRQ_LINE_STATUS of NULL");
	is(on_vm(KVM_GET_IRQCHIP, 0), "EFAULT", "KVM_GET_IRQCHIP of NULL");
	is(on_vm(KVM_SET_IRQCHIP, 0), "EFAULT", "KVM_SET_IRQCHIP of NULL");
	is(get_chip(3, &chip), "EINVAL", "KVM_GET_IRQCHIP of chip 3");
	is(get_chip(~0u, &chip), "EINVAL", "  of chip -1");
	chip.chip_id = 3;
	is(on_vm(KVM_SET_IRQCHIP, (long)&chip), "EINVAL", "KVM_SET_IRQCHIP of chip 3");
}

static void fresh(void)
{
	static const struct kvm_pic_state none;
	struct kvm_pic_state p = pic(KVM_IRQCHIP_PIC_MASTER);
	struct kvm_ioapic_state io = ioapic();
	int i, bad = 0;

	is_hex(p.elcr_mask, 0xf8, "a new PIC: lines that can be level-triggered");
	p.elcr_mask = 0;
	ok(!memcmp(&p, &none, sizeof(p)), "  all else is 0");
	p = pic(KVM_IRQCHIP_PIC_SLAVE);
	is_hex(p.elcr_mask, 0xde, "  the slave's");
	p.elcr_mask = 0;
	ok(!memcmp(&p, &none, sizeof(p)), "  all else is 0");
	is_hex(io.base_address, 0xfec00000, "a new I/O APIC is at");
	is_hex(io.id | io.ioregsel | io.irr, 0, "  its registers");
	for (i = 0; i < 24; i++)
		bad += io.redirtbl[i].bits != 0x10000;
	ok(!bad, "  all pins are masked");
}

GUEST32(wait, APIC "sti; 1: hlt; jmp 1b");

static void status(void)
{
	quiet();
	want(line(4, 1), -1, "all masked, up");
	want(line(4, 0), 1, "  down");
	want(line(24, 1), -1, "no such line, up");
	want(line(24, 0), -1, "  down");
	want(line(4096, 1), -1, "line 4096");
	want(line(~0u, 1), -1, "line -1");
	set_entry(4, 0x51);
	guest_apic(&cpu, wait);
	want(line(4, 1), 1, "the I/O APIC has it, up");
	want(line(4, 1), 0, "  again");
	want(line(4, 2), 0, "  again, as 2");
	want(line(4, 0), 1, "  down");
	set_entry(4, 0x8051);
	want(line(4, 1), 1, "the same, level-triggered, up");
	want(line(4, 1), -1, "  again");
	want(line(4, 0), 1, "  down");
	set_entry(4, 0x0900000000000051ull);
	want(line(4, 1), 0, "for nobody, up");
	quiet();
}

/* Makes the pair known to the PC's vectors from 30h and 38h. */
#define PIC_INIT(icw4)							\
	"mov $0x11, %al; out %al, $0x20; mov $0x30, %al; out %al, $0x21\n"	\
	"mov $4, %al; out %al, $0x21; mov $" #icw4 ", %al; out %al, $0x21\n"	\
	"mov $0x11, %al; out %al, $0xa0; mov $0x38, %al; out %al, $0xa1\n"	\
	"mov $2, %al; out %al, $0xa1; mov $" #icw4 ", %al; out %al, $0xa1\n"

GUEST32(pic_program, APIC PIC_INIT(1)
	"out %al, $0x10; sti; 1: hlt; jmp 1b\n"
	"pic_30: mov $0x30, %al; jmp 2f\n"
	"pic_35: mov $0x35, %al; jmp 2f\n"
	"pic_37: mov $0x37, %al; out %al, $0x25; iret\n"
	"pic_3c: mov $0x3c, %al; out %al, $0x25; mov $0x20, %al; out %al, $0xa0; jmp 3f\n"
	"2: out %al, $0x25; mov $0x20, %al\n"
	"3: out %al, $0x20; iret\n");
LABEL(pic_30);
LABEL(pic_35);
LABEL(pic_37);
LABEL(pic_3c);

static void start_pic(void)
{
	quiet();
	guest_apic(&cpu, pic_program);
	gate(&cpu, 0x30, pic_program, pic_30);
	gate(&cpu, 0x35, pic_program, pic_35);
	gate(&cpu, 0x37, pic_program, pic_37);
	gate(&cpu, 0x3c, pic_program, pic_3c);
	is(soon(), "OUT port=10 size=1 count=1 data=01", "a guest initialises the PIC");
}

static void pic_interrupts(void)
{
	struct kvm_pic_state p;

	start_pic();
	p = pic(KVM_IRQCHIP_PIC_MASTER);
	is_hex(p.irq_base, 0x30, "  the master's vectors");
	is_hex(p.imr | p.isr | p.irr | p.auto_eoi | p.init_state, 0, "  nothing else");
	p = pic(KVM_IRQCHIP_PIC_SLAVE);
	is_hex(p.irq_base, 0x38, "  the slave's vectors");
	is(run_for(&cpu, 30), HALTED, "  it halts");
	is_hex(cpu.run->ready_for_interrupt_injection, 1, "  ready for interrupts");
	want(line(5, 1), 1, "line 5 up");
	is(soon(), "OUT port=25 size=1 count=1 data=35", "  interrupts");
	is_hex(pic(KVM_IRQCHIP_PIC_MASTER).isr, 0x20, "  in service");
	is_hex(pic(KVM_IRQCHIP_PIC_MASTER).irr, 0, "  not pending");
	is(run_for(&cpu, 30), HALTED, "  once");
	is_hex(pic(KVM_IRQCHIP_PIC_MASTER).isr, 0, "  then not in service");
	want(line(5, 1), 1, "  up again is no edge");
	is(run_for(&cpu, 30), HALTED, "  nothing happens");
	line(5, 0);
	line(12, 1);
	line(0, 1);
	is(soon(), "OUT port=25 size=1 count=1 data=30", "lines 12 and 0: 0 first");
	is(soon(), "OUT port=25 size=1 count=1 data=3c", "  then the slave's");
	is_hex(pic(KVM_IRQCHIP_PIC_MASTER).isr, 4, "  in service at the master");
	is_hex(pic(KVM_IRQCHIP_PIC_SLAVE).isr, 0x10, "  and at the slave");
	line(5, 1);
	is(soon(), "OUT port=25 size=1 count=1 data=35", "line 5 waits for that");
	is(run_for(&cpu, 30), HALTED, "  then no more");
	line(5, 0);
	line(12, 0);

	/* The local APIC's mask decides whether it hears the PIC. */
	set_lapic(&cpu, 0x350, 0x10700);
	want(line(5, 1), 1, "LINT0 masked: line 5");
	is(run_for(&cpu, 30), HALTED, "  does not wake HLT");
	set_lapic(&cpu, 0x350, 0x700);
	is(soon(), "OUT port=25 size=1 count=1 data=35", "  unmasked it does");
	line(5, 0);
	set_lapic(&cpu, 0x80, 0xf0);
	line(5, 1);
	is(soon(), "OUT port=25 size=1 count=1 data=35",
	   "the task priority means nothing to the PIC");
	line(5, 0);
	run_for(&cpu, 30);
	set_lapic(&cpu, 0xf0, 0xff);
	line(5, 1);
	is(soon(), "OUT port=25 size=1 count=1 data=35",
	   "nor that the APIC is disabled, but LINT0 open");
	line(5, 0);
	run_for(&cpu, 30);
}

static void virtual_wire(void)
{
	struct kvm_sregs s;

	start_pic();
	run_for(&cpu, 30);
	s = get_sregs(&cpu);
	s.apic_base = 0xfee00100;
	set_sregs(&cpu, &s);
	line(5, 1);
	is(soon(), "OUT port=25 size=1 count=1 data=35", "the APIC is off: INTR");
	run_for(&cpu, 30);
	s = get_sregs(&cpu);
	s.apic_base = 0xfee00900;
	set_sregs(&cpu, &s);
	line(5, 0);
}

static void pic_level(void)
{
	struct kvm_pic_state p;

	start_pic();
	p = pic(KVM_IRQCHIP_PIC_MASTER);
	p.elcr = 0x20;
	set_pic(KVM_IRQCHIP_PIC_MASTER, &p);
	want(line(5, 1), 1, "line 5, level-triggered");
	is(soon(), "OUT port=25 size=1 count=1 data=35", "  interrupts");
	is(soon(), "OUT port=25 size=1 count=1 data=35", "  and again as it is up");
	line(5, 0);
	is(run_for(&cpu, 30), HALTED, "  until it is down");
	want(line(5, 1), 1, "up");
	want(line(5, 1), 0, "  again");
	line(5, 0);
	is(run_for(&cpu, 30), HALTED, "  and down before the guest ran");

	/* What is set is delivered. */
	p = pic(KVM_IRQCHIP_PIC_MASTER);
	p.irr = 1;
	set_pic(KVM_IRQCHIP_PIC_MASTER, &p);
	is(soon(), "OUT port=25 size=1 count=1 data=30", "KVM_SET_IRQCHIP: IRR");
	run_for(&cpu, 30);
	p = pic(KVM_IRQCHIP_PIC_MASTER);
	p.isr = 1;
	set_pic(KVM_IRQCHIP_PIC_MASTER, &p);
	line(5, 1);
	is(run_for(&cpu, 30), HALTED, "  ISR keeps lower ones out");
	line(5, 0);
	memset(&p, 0xff, sizeof(p));
	set_pic(KVM_IRQCHIP_PIC_MASTER, &p);
	p = pic(KVM_IRQCHIP_PIC_MASTER);
	is_hex(p.irr, 0xff, "  all ones are taken");
}

GUEST32(auto_eoi, APIC PIC_INIT(3)
	"out %al, $0x10; sti; hlt; hlt; auto_35: mov $0x35, %al; out %al, $0x25; iret\n");
LABEL(auto_35);

static void automatic(void)
{
	quiet();
	guest_apic(&cpu, auto_eoi);
	gate(&cpu, 0x35, auto_eoi, auto_35);
	soon();
	line(5, 1);
	is(soon(), "OUT port=25 size=1 count=1 data=35", "automatic EOI");
	is_hex(pic(KVM_IRQCHIP_PIC_MASTER).isr, 0, "  nothing is in service");
	line(5, 0);
}

GUEST32(ports,
	"mov $0xa5, %al; out %al, $0x21; xor %eax, %eax; in $0x21, %al; out %eax, $0x10\n"
	"mov $0x0b, %al; out %al, $0x20; in $0x20, %al; out %al, $0x10\n"
	"mov $0x0a, %al; out %al, $0x20; in $0x20, %al; out %al, $0x10\n"
	"mov $0x4d0, %dx; mov $0xff, %al; out %al, %dx; in %dx, %al; out %al, $0x10\n"
	"inc %dx; mov $0xff, %al; out %al, %dx; in %dx, %al; out %al, $0x10\n"
	"mov $-1, %eax; in $0x20, %ax; out %eax, $0x10\n"
	"mov $0, %ax; out %ax, $0x20; mov $-1, %eax; in $0x21, %al; out %al, $0x10\n"
	"in $0x20, %eax; in $0x21, %ax\n"
	"mov $0x21, %dx; mov $0xb000, %edi; mov $3, %ecx; rep insb; mov $0xb001, %esi\n"
	"mov $1, %ecx; movb $0x5a, (%esi); rep outsb; in $0x21, %al; out %al, $0x10\n"
	"insw; out %ax, $0x22\n");

static void guest_ports(void)
{
	struct kvm_pic_state p;

	quiet();
	p = pic(KVM_IRQCHIP_PIC_MASTER);
	p.isr = 0x12;
	p.irr = 0x48;
	set_pic(KVM_IRQCHIP_PIC_MASTER, &p);
	guest32(&cpu, ports);
	is(soon(), "OUT port=10 size=4 count=1 data=a5000000", "the mask");
	is(soon(), "OUT port=10 size=1 count=1 data=12", "ISR");
	is(soon(), "OUT port=10 size=1 count=1 data=48", "IRR");
	is(soon(), "OUT port=10 size=1 count=1 data=f8", "ELCR");
	is(soon(), "OUT port=10 size=1 count=1 data=de", "  the slave's");
	is(soon(), "OUT port=10 size=4 count=1 data=0000ffff", "two bytes are 0");
	is(soon(), "OUT port=10 size=1 count=1 data=a5", "  and are not written");
	is(soon(), "IN port=20 size=4 count=1", "four bytes are user space's");
	is(soon(), "IN port=21 size=2 count=1", "  so are two over the end");
	is(soon(), "OUT port=10 size=1 count=1 data=5a", "INS and OUTS");
	is_hex(vm.mem[0xb000] | vm.mem[0xb002] << 8, 0xa5a5, "  what INS brought");
	is_hex(get_regs(&cpu).rdi, 0xb003, "  EDI");
	is_hex(get_regs(&cpu).rsi, 0xb002, "  ESI");
	is_hex(get_regs(&cpu).rcx, 0, "  ECX");
	is_hex(pic(KVM_IRQCHIP_PIC_MASTER).imr, 0x5a, "  KVM_GET_IRQCHIP");
	is(soon(), "IN port=21 size=2 count=1", "  over the end: user space's");
}

GUEST32(page, "mov $0xfec00000, %edi\n"
	"movl $1, (%edi); mov 0x10(%edi), %eax; out %eax, $0x10\n"
	"movl $0, (%edi); movl $0x5000000, 0x10(%edi); mov 0x10(%edi), %eax; out %eax, $0x10\n"
	"movl $0x18, (%edi); movl $0x1cf51, 0x10(%edi); mov 0x10(%edi), %eax; out %eax, $0x10\n"
	"movl $0x19, (%edi); movl $0x3000000, 0x10(%edi); mov 0x10(%edi), %eax; out %eax, $0x10\n"
	"movl $0x40, (%edi); mov 0x10(%edi), %eax; out %eax, $0x10\n"
	"mov 0x20(%edi), %eax; out %eax, $0x10\n"
	"movb $1, (%edi); xor %eax, %eax; mov 0x10(%edi), %ax; out %eax, $0x10\n"
	"xor %eax, %eax; mov (%edi), %al; out %eax, $0x10\n"
	"mov 0x100(%edi), %eax; mov %eax, 0xfe(%edi); hlt\n");

static void guest_page(void)
{
	quiet();
	guest32(&cpu, page);
	is(soon(), "OUT port=10 size=4 count=1 data=11001700", "I/O APIC: version");
	is(soon(), "OUT port=10 size=4 count=1 data=00000005", "  ID");
	is(soon(), "OUT port=10 size=4 count=1 data=518f0100", "  pin 4");
	is(soon(), "OUT port=10 size=4 count=1 data=00000003", "  its upper half");
	is(soon(), "OUT port=10 size=4 count=1 data=ffffffff", "  pin 24 is not there");
	is(soon(), "OUT port=10 size=4 count=1 data=00000000", "  no register");
	is(soon(), "OUT port=10 size=4 count=1 data=11000000", "  two bytes");
	is(soon(), "OUT port=10 size=4 count=1 data=01000000", "  one byte");
	is_hex(ioapic().id, 5, "  KVM_GET_IRQCHIP: ID");
	is_hex(entry(4), 0x0300000000018f51, "  pin 4");
	is(soon(), "MMIO read 0xfec00100 size=4", "  behind it: user space's");
	is(soon(), "MMIO write 0xfec000fe size=4", "  over the end, too");
}

static void ioapic_interrupts(void)
{
	quiet();
	guest_apic(&cpu, wait);
	set_entry(4, 0x51);
	is(run_for(&cpu, 30), HALTED, "a guest waits");
	want(line(4, 1), 1, "edge-triggered, up");
	is(soon(), "OUT port=25 size=1 count=1 data=51", "  interrupts");
	is(run_for(&cpu, 30), HALTED, "  once");
	line(4, 0);
	line(4, 1);
	line(4, 0);
	is(soon(), "OUT port=25 size=1 count=1 data=51", "  and once for each edge");
	is(run_for(&cpu, 30), HALTED, "  no more");

	set_entry(4, 0x8051);
	want(line(4, 1), 1, "level-triggered, up");
	is_hex(entry(4), 0xc051, "  awaits EOI");
	is(soon(), "OUT port=25 size=1 count=1 data=51", "  interrupts");
	is_hex(lapic(&cpu, 0x1a0), 0x20000, "  the local APIC's TMR");
	is(soon(), "OUT port=25 size=1 count=1 data=51", "  and again after the EOI");
	line(4, 0);
	is_hex(entry(4), 0xc051, "  down, but it awaits EOI");
	is(run_for(&cpu, 30), HALTED, "  no more");
	is_hex(entry(4), 0x8051, "  nor does it await EOI");

	set_entry(4, 0x2051);
	want(line(4, 1), 1, "the pin's polarity is ignored");
	is(soon(), "OUT port=25 size=1 count=1 data=51", "  interrupts");
	line(4, 0);
	run_for(&cpu, 30);

	set_entry(4, 0x18051);
	want(line(4, 1), -1, "masked, up");
	is(run_for(&cpu, 30), HALTED, "  nothing");
	set_entry(4, 0x8051);
	is(soon(), "OUT port=25 size=1 count=1 data=51", "  unmasked");
	line(4, 0);
	run_for(&cpu, 30);

	set_entry(4, 0x400);
	line(4, 1);
	is(soon(), "trap 2 at +7", "NMI");
	line(4, 0);
	set_entry(4, 0x700);
	want(line(4, 1), 0, "ExtINT is for nobody");
	is(run_for(&cpu, 30), HALTED, "  nothing");
	line(4, 0);

	/* Logical destinations, and the lowest priority of those */
	set_lapic(&cpu, 0xd0, 1 << 24);
	set_lapic(&second, 0xd0, 2 << 24);
	set_entry(4, 0x0200000000000851);
	want(line(4, 1), 0, "logical: the other, which is disabled");
	is(run_for(&cpu, 30), HALTED, "  nothing");
	line(4, 0);
	set_entry(4, 0x0300000000000851);
	want(line(4, 1), 1, "logical: both");
	is(soon(), "OUT port=25 size=1 count=1 data=51", "  interrupts");
	line(4, 0);
	/* Among several KVM may choose one that is disabled. */
	set_entry(4, 0x0100000000000951);
	want(line(4, 1), 1, "lowest priority");
	is(soon(), "OUT port=25 size=1 count=1 data=51", "  interrupts");
	line(4, 0);
	set_entry(4, 0xff00000000000051);
	want(line(4, 1), 1, "to all");
	is(soon(), "OUT port=25 size=1 count=1 data=51", "  interrupts");
	line(4, 0);
	run_for(&cpu, 30);

	/* INIT starts the other anew, and ends what it waits for. */
	set_mp_state(&second, KVM_MP_STATE_RUNNABLE);
	set_entry(4, 0x0100000000000500);
	want(line(4, 1), 1, "INIT");
	is_hex(mp_state(&second), KVM_MP_STATE_INIT_RECEIVED, "  it has got it");
	line(4, 0);
}

static struct {
	struct kvm_irq_routing head;
	struct kvm_irq_routing_entry e[4097];
} table;

static const char *set_table(u32 nr)
{
	table.head.nr = nr;
	return on_vm(KVM_SET_GSI_ROUTING, (long)&table);
}

static void route_pin(int i, u32 gsi, u32 chip, u32 pin)
{
	table.e[i] = (struct kvm_irq_routing_entry) {
		.gsi = gsi, .type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = chip, .pin = pin },
	};
}

static void route_msi(int i, u32 gsi, u32 address, u32 data)
{
	table.e[i] = (struct kvm_irq_routing_entry) {
		.gsi = gsi, .type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = address, .data = data },
	};
}

static void refused_routes(void)
{
	int i;

	is(on_vm(KVM_SET_GSI_ROUTING, 0), "EFAULT", "KVM_SET_GSI_ROUTING of NULL");
	is(set_table(4097), "EINVAL", "  4097 routes");
	table.head.flags = 1;
	is(set_table(0), "EINVAL", "  flags");
	table.head.flags = 0;
	route_pin(0, 4095, KVM_IRQCHIP_IOAPIC, 23);
	is(set_table(1), "0", "  the last line, and the last pin");
	route_pin(0, 4096, KVM_IRQCHIP_IOAPIC, 23);
	is(set_table(1), "EINVAL", "  a line too high");
	route_pin(0, 0, KVM_IRQCHIP_IOAPIC, 24);
	is(set_table(1), "EINVAL", "  a pin too high");
	route_pin(0, 0, KVM_IRQCHIP_PIC_SLAVE, 8);
	is(set_table(1), "EINVAL", "  the PIC's");
	route_pin(0, 0, 3, 0);
	is(set_table(1), "EINVAL", "  no such chip");
	route_pin(0, 0, 0, 0);
	table.e[0].flags = 1;
	is(set_table(1), "EINVAL", "  flags of a pin");
	route_msi(0, 0, 0xfee00000, 0x51);
	table.e[0].flags = 2;
	is(set_table(1), "EINVAL", "  flags of a message");
	table.e[0].type = 99;
	is(set_table(1), "EINVAL", "  no such type");
	route_pin(0, 7, KVM_IRQCHIP_IOAPIC, 0);
	route_pin(1, 7, KVM_IRQCHIP_IOAPIC, 1);
	is(set_table(2), "EINVAL", "  two pins of one chip");
	route_msi(1, 7, 0xfee00000, 0x51);
	is(set_table(2), "EINVAL", "  a pin and a message");
	route_msi(0, 7, 0xfee00000, 0x51);
	is(set_table(2), "EINVAL", "  two messages");
	route_pin(0, 7, KVM_IRQCHIP_PIC_MASTER, 0);
	route_pin(1, 7, KVM_IRQCHIP_PIC_SLAVE, 0);
	route_pin(2, 7, KVM_IRQCHIP_IOAPIC, 0);
	is(set_table(3), "0", "  a pin of each chip");
	for (i = 0; i < 4096; i++)
		route_msi(i, i, 0xfee00000, 0x51);
	is(set_table(4096), "0", "  4096 messages");
}

static void routes(void)
{
	quiet();
	guest_apic(&cpu, wait);
	is(run_for(&cpu, 30), HALTED, "a guest waits");
	refused_routes();
	want(line(4095, 1), 1, "a message's line, up");
	is(soon(), "OUT port=25 size=1 count=1 data=51", "  interrupts");
	want(line(4095, 1), 1, "  again");
	is(soon(), "OUT port=25 size=1 count=1 data=51", "  interrupts again");
	want(line(4095, 0), -1, "  down is nothing");
	route_pin(0, 100, KVM_IRQCHIP_IOAPIC, 4);
	route_pin(1, 101, KVM_IRQCHIP_IOAPIC, 4);
	is(set_table(2), "0", "two lines to one pin");
	want(line(4, 1), -1, "  what was there before is gone");
	set_entry(4, 0x8051);
	want(line(100, 1), 1, "  one up");
	want(line(101, 1), -1, "  the other, too");
	is(soon(), "OUT port=25 size=1 count=1 data=51", "  interrupts");
	line(100, 0);
	/* One source of KVM's, and it has let go of the pin. */
	is(run_for(&cpu, 30), HALTED, "  one down is down");
	is(set_table(0), "0", "no routes");
	want(line(100, 1), -1, "  lead nowhere");
}

int main(int argc, char **argv)
{
	device = argc > 1 ? argv[1] : "/dev/kvm";
	apic_init();
	calls();
	fresh();
	status();
	pic_interrupts();
	virtual_wire();
	pic_level();
	automatic();
	guest_ports();
	guest_page();
	ioapic_interrupts();
	routes();
	return done_testing();
}
