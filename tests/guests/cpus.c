// SPDX-License-Identifier: GPL-2.0
/*
 * cpus: a kernel of 2 to 16 CPUs, which starts them, lets them interrupt each
 * other by every kind of IPI, has timers by PIC, I/O APIC and local APIC, and
 * keeps their TLBs alike. Its command line says how many CPUs there are; with
 * "lazy" behind the number nobody is told of a changed page, and a check fails.
 *
 * Shows: how an operating system brings up CPUs, and a TLB shootdown.
 */
#include "cpus.h"
#include "guest.h"

#define APIC		0xfee00000
#define APIC_ID		0x020
#define APIC_EOI	0x0b0
#define APIC_LDR	0x0d0
#define APIC_DFR	0x0e0
#define APIC_SVR	0x0f0
#define APIC_ICR	0x300
#define APIC_ICR_HIGH	0x310
#define APIC_TIMER	0x320
#define APIC_LINT0	0x350
#define APIC_INITIAL	0x380
#define APIC_CURRENT	0x390
#define APIC_DIVIDE	0x3e0

#define SVR_ENABLE	0x100
#define DIVIDE_BY_16	0x3
#define TIMER_PERIODIC	BIT(17)
#define MASKED		BIT(16)
#define LINT_EXTINT	0x700

/* The command register: SDM Vol. 3, "Interrupt Command Register (ICR)". */
#define ICR_LOWEST	0x00000100
#define ICR_NMI		0x00000400
#define ICR_INIT	0x00000500
#define ICR_STARTUP	0x00000600
#define ICR_LOGICAL	0x00000800
#define ICR_BUSY	0x00001000
#define ICR_ASSERT	0x00004000
#define ICR_SELF	0x00040000
#define ICR_ALL		0x00080000
#define ICR_OTHERS	0x000c0000

#define IOAPIC		0xfec00000
#define IOAPIC_DATA	0xfec00010
#define IOAPIC_PIN(n)	(0x10 + 2 * (n))

#define PIC		0x20
#define PIC2		0xa0
#define PIC_EOI		0x20
#define PIT		0x40
#define PIT_COMMAND	0x43
#define PIT_RATE	0x34	/* channel 0, low and high byte, mode 2 */
#define PIT_HZ		1193182
#define PM_TIMER	0x608
#define PM_HZ		3579545

/* Vectors: the two of the PICs are multiples of 8. */
#define V_NMI		2
#define V_PIC		0x20
#define V_PIC2		0x28
#define V_IOAPIC	0x31
#define V_TIMER		0x41
#define V_RING		0x51
#define V_ONE		0x52
#define V_ORDER		0x61
#define V_INVALIDATE	0x71	/* above V_ORDER, which it interrupts */
#define V_SPURIOUS	0xff

#define PTE_PRESENT	0x1
#define PTE_WRITE	0x2
#define PTE_UNCACHED	0x10
#define PTE_LARGE	0x80
#define CR4_PSE		BIT(4)
#define CR0_PG		BIT(31)

/* An address without memory behind it, for the page that changes. */
#define WINDOW		0x40000000

#define TICKS		5
#define TICK_US		10000
#define RING_ROUNDS	8
#define PATIENCE_S	10

struct frame;

/* cpus_start.S */
const u32 *boot_info = (const u32 *)1;
volatile u32 arrived;
u8 ap_stacks[CPUS_MAX][CPUS_STACK] __aligned(16);

static u32 cpus;
static bool lazy;

static struct gate {
	u16 offset_low, selector, type, offset_high;
} idt[256] __aligned(8);

static u32 directory[1024] __aligned(4096);
static u32 window_table[1024] __aligned(4096);
static u32 pages[2][1024] __aligned(4096);
static volatile u32 *const window = (volatile u32 *)WINDOW;

/* By APIC ID. */
static volatile u32 ids[CPUS_MAX], ticks[CPUS_MAX], rung[CPUS_MAX], ones[CPUS_MAX];
static volatile u32 nmis[CPUS_MAX], before[CPUS_MAX], after[CPUS_MAX];
static volatile u32 up, spurious, pic_ticks, ring_left, answered, watching, told, round_now;
static void (*volatile order)(void);
static u32 timer_count, timer_mode;

/* --- Registers and time ------------------------------------------------------ */

static u32 apic_read(u32 offset)
{
	return *(volatile u32 *)(APIC + offset);
}

static void apic_write(u32 offset, u32 value)
{
	*(volatile u32 *)(APIC + offset) = value;
}

static u32 apic_id(void)
{
	return apic_read(APIC_ID) >> 24;
}

static void ioapic_write(u32 index, u32 value)
{
	*(volatile u32 *)IOAPIC = index;
	*(volatile u32 *)IOAPIC_DATA = value;
}

static void add(volatile u32 *to)
{
	__atomic_add_fetch(to, 1, __ATOMIC_SEQ_CST);
}

/* Microseconds since then, for less than 20 minutes. */
static u32 passed_us(u32 since)
{
	return (u32)(inl(PM_TIMER) - since) / 7 * 7000 / (PM_HZ / 1000);
}

#define wait_until(condition)						\
({									\
	u32 began = inl(PM_TIMER);					\
	bool met;							\
	while (!(met = (condition)) &&					\
	       passed_us(began) < PATIENCE_S * 1000000)			\
		asm volatile("pause");					\
	met;								\
})

static void delay_us(u32 us)
{
	u32 began = inl(PM_TIMER);

	while (passed_us(began) < us)
		asm volatile("pause");
}

static void send(u32 to, u32 command)
{
	u32 flags;

	/* A handler of this CPU sends, too: the two halves belong together. */
	asm volatile("pushf\n\tpop %0\n\tcli" : "=r"(flags) : : "memory");
	while (apic_read(APIC_ICR) & ICR_BUSY)
		;
	apic_write(APIC_ICR_HIGH, to << 24);
	apic_write(APIC_ICR, command | ICR_ASSERT);
	asm volatile("push %0\n\tpopf" : : "r"(flags) : "memory", "cc");
}

/* --- What is interrupted ----------------------------------------------------- */

#define HANDLER static __attribute__((interrupt)) void

static void eoi(void)
{
	apic_write(APIC_EOI, 0);
}

HANDLER on_nmi(struct frame *frame)
{
	(void)frame;
	add(&nmis[apic_id()]);
}

HANDLER on_pic(struct frame *frame)
{
	(void)frame;
	pic_ticks++;
	outb(PIC, PIC_EOI);
}

HANDLER on_ioapic(struct frame *frame)
{
	(void)frame;
	add(&ticks[apic_id()]);
	eoi();
}

/* Of a periodic timer, there are no more than TICKS. */
HANDLER on_timer(struct frame *frame)
{
	volatile u32 *mine = &ticks[apic_id()];

	(void)frame;
	if (++*mine == TICKS)
		apic_write(APIC_INITIAL, 0);
	eoi();
}

/* To the next CPU, in a circle. */
HANDLER on_ring(struct frame *frame)
{
	u32 id = apic_id();

	(void)frame;
	rung[id]++;
	eoi();
	if (--ring_left)
		send((id + 1) % cpus, V_RING);
}

HANDLER on_one(struct frame *frame)
{
	(void)frame;
	add(&ones[apic_id()]);
	eoi();
}

HANDLER on_order(struct frame *frame)
{
	(void)frame;
	eoi();
	order();
	add(&answered);
}

static void invalidate(void)
{
	asm volatile("invlpg (%0)" : : "r"(WINDOW) : "memory");
}

HANDLER on_invalidate(struct frame *frame)
{
	(void)frame;
	invalidate();
	add(&told);
	eoi();
}

HANDLER on_spurious(struct frame *frame)
{
	(void)frame;
	add(&spurious);
}

static void gate(unsigned int vector, void (*handler)(struct frame *frame))
{
	idt[vector] = (struct gate){
		(u32)handler, CPUS_CODE, 0x8e00, (u32)handler >> 16,
	};
}

/* --- Each CPU ---------------------------------------------------------------- */

static void build_tables(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(directory); i++)
		directory[i] = i << 22 | PTE_PRESENT | PTE_WRITE | PTE_LARGE |
			       (i << 22 >= IOAPIC >> 22 << 22 ? PTE_UNCACHED : 0);
	directory[WINDOW >> 22] = (u32)window_table | PTE_PRESENT | PTE_WRITE;
	for (i = 0; i < ARRAY_SIZE(pages[0]); i++) {
		pages[0][i] = 0xaaaaaaaa;
		pages[1][i] = 0xbbbbbbbb;
	}

	gate(V_NMI, on_nmi);
	gate(V_PIC, on_pic);
	gate(V_IOAPIC, on_ioapic);
	gate(V_TIMER, on_timer);
	gate(V_RING, on_ring);
	gate(V_ONE, on_one);
	gate(V_ORDER, on_order);
	gate(V_INVALIDATE, on_invalidate);
	gate(V_SPURIOUS, on_spurious);
}

static void cpu_init(void)
{
	struct { u16 limit; u32 base; } __packed idtr = { sizeof(idt) - 1, (u32)idt };
	u32 value, id;

	asm volatile("mov %%cr4, %0\n\tor %1, %0\n\tmov %0, %%cr4"
		     : "=&r"(value) : "i"((u32)CR4_PSE));
	asm volatile("mov %0, %%cr3" : : "r"(directory) : "memory");
	asm volatile("mov %%cr0, %0\n\tor %1, %0\n\tmov %0, %%cr0"
		     : "=&r"(value) : "i"((u32)CR0_PG) : "memory");
	asm volatile("lidt %0" : : "m"(idtr));

	id = apic_id();
	apic_write(APIC_SVR, SVR_ENABLE | V_SPURIOUS);
	/* Flat logical addresses are a bit each: the first eight have one. */
	apic_write(APIC_DFR, ~0U);
	apic_write(APIC_LDR, id < 8 ? BIT(24 + id) : 0);
	if (id < CPUS_MAX)
		ids[id] = get_cpuid(1, 0).ebx >> 24;
}

void ap_main(void)
{
	cpu_init();
	add(&up);
	for (;;)
		asm volatile("sti\n\thlt");
}

static void start_cpus(void)
{
	u8 *startup = (u8 *)CPUS_STARTUP;
	const u8 *from;

	for (from = ap_begin; from < ap_end; from++)
		*startup++ = *from;
	/* SDM Vol. 3, "MP Initialization": the waits between are the SDM's. */
	send(0, ICR_OTHERS | ICR_INIT);
	delay_us(10000);
	send(0, ICR_OTHERS | ICR_STARTUP | CPUS_STARTUP >> 12);
	delay_us(200);
	send(0, ICR_OTHERS | ICR_STARTUP | CPUS_STARTUP >> 12);
}

static bool all_answered(void)
{
	return wait_until(answered == cpus - 1);
}

/* The others do it, and this one goes on. */
static void tell_others(void (*what)(void))
{
	order = what;
	answered = 0;
	send(0, ICR_OTHERS | V_ORDER);
}

static u32 sum(const volatile u32 *of)
{
	u32 total = 0;
	unsigned int i;

	for (i = 0; i < cpus; i++)
		total += of[i];
	return total;
}

static void zero(volatile u32 *what)
{
	unsigned int i;

	for (i = 0; i < CPUS_MAX; i++)
		what[i] = 0;
}

static bool each_is(const volatile u32 *of, u32 value)
{
	unsigned int i;

	for (i = 0; i < cpus; i++) {
		if (of[i] != value)
			return false;
	}
	return true;
}

/* --- Checks ------------------------------------------------------------------ */

static void check_cpus(void)
{
	unsigned int i, wrong = 0;

	for (i = 0; i < cpus; i++)
		wrong += ids[i] != i;
	same(wrong, 0, "each CPU has its own APIC ID, and CPUID tells the same");
}

static void pit_start(void)
{
	u32 count = PIT_HZ / (1000000 / TICK_US);

	outb(PIT_COMMAND, PIT_RATE);
	outb(PIT, count);
	outb(PIT, count >> 8);
}

/* Not early by more than a count; late only as far as a busy host explains. */
static void check_time(u32 us, const char *what)
{
	u32 wanted = TICKS * TICK_US;

	if (!ok(us >= wanted - wanted / 100 && us < 4 * wanted, what)) {
		print("#   microseconds: ");
		print_number(us);
		print("\n");
	}
}

static void check_pic(void)
{
	u32 began, us;

	/* Initialisation: edges, a slave at line 2, vectors, 8086; only IRQ 0. */
	outb(PIC, 0x11);
	outb(PIC + 1, V_PIC);
	outb(PIC + 1, 0x04);
	outb(PIC + 1, 0x01);
	outb(PIC2, 0x11);
	outb(PIC2 + 1, V_PIC2);
	outb(PIC2 + 1, 0x02);
	outb(PIC2 + 1, 0x01);
	outb(PIC2 + 1, 0xff);
	outb(PIC + 1, 0xfe);
	apic_write(APIC_LINT0, LINT_EXTINT);

	began = inl(PM_TIMER);
	pit_start();
	ok(wait_until(pic_ticks >= TICKS), "PIT by the PIC: it ticks");
	us = passed_us(began);
	check_time(us, "PIT by the PIC: so fast as it should");
	outb(PIC + 1, 0xff);
	apic_write(APIC_LINT0, LINT_EXTINT | MASKED);
}

static void check_ioapic(void)
{
	u32 began, us, last = cpus - 1;

	zero(ticks);
	/* Pin 0, edges, to the last CPU, by its physical ID. */
	ioapic_write(IOAPIC_PIN(0) + 1, last << 24);
	ioapic_write(IOAPIC_PIN(0), V_IOAPIC);
	began = inl(PM_TIMER);
	pit_start();
	ok(wait_until(ticks[last] >= TICKS), "PIT by the I/O APIC: it ticks");
	us = passed_us(began);
	check_time(us, "PIT by the I/O APIC: so fast as it should");
	ioapic_write(IOAPIC_PIN(0), V_IOAPIC | MASKED);
	delay_us(TICK_US);
	same(sum(ticks), ticks[last], "PIT by the I/O APIC: on the CPU that was named");
	began = ticks[last];
	delay_us(2 * TICK_US);
	same(ticks[last], began, "PIT by the I/O APIC: masked, it does not tick");
}

static void timer_start(void)
{
	apic_write(APIC_DIVIDE, DIVIDE_BY_16);
	apic_write(APIC_TIMER, V_TIMER | timer_mode);
	apic_write(APIC_INITIAL, timer_count);
}

static void check_timer(void)
{
	u32 began, us;

	/* How fast it is: nobody says. */
	apic_write(APIC_DIVIDE, DIVIDE_BY_16);
	apic_write(APIC_TIMER, V_TIMER | MASKED);
	began = inl(PM_TIMER);
	apic_write(APIC_INITIAL, ~0U);
	delay_us(TICK_US);
	timer_count = ~apic_read(APIC_CURRENT);
	us = passed_us(began);
	timer_count = timer_count / us * TICK_US;
	ok(timer_count, "local APIC timer: it counts");

	zero(ticks);
	timer_mode = TIMER_PERIODIC;
	began = inl(PM_TIMER);
	tell_others(timer_start);
	timer_start();
	ok(wait_until(sum(ticks) >= TICKS * cpus), "local APIC timer: it ticks on each CPU");
	us = passed_us(began);
	check_time(us, "local APIC timer: so fast as it should");
	all_answered();

	zero(ticks);
	timer_mode = 0;
	timer_count *= TICKS;
	began = inl(PM_TIMER);
	tell_others(timer_start);
	timer_start();
	ok(wait_until(sum(ticks) == cpus), "local APIC timer: one shot on each CPU");
	us = passed_us(began);
	check_time(us, "local APIC timer: one shot is not early");
	all_answered();
	delay_us(2 * TICK_US);
	ok(each_is(ticks, 1), "local APIC timer: and no other");
}

static void nothing(void)
{
}

static void check_ipis(void)
{
	u32 flat = cpus < 8 ? cpus : 8, i;

	tell_others(nothing);
	ok(all_answered(), "IPI to all others: they answer");

	ring_left = RING_ROUNDS * cpus;
	send(1, V_RING);
	ok(wait_until(!ring_left), "IPIs in a circle: it closes");
	ok(each_is(rung, RING_ROUNDS), "IPIs in a circle: each CPU had as many");

	send(0, ICR_ALL | V_ONE);
	ok(wait_until(sum(ones) == cpus) && each_is(ones, 1), "IPI to all, this one too");
	zero(ones);
	send(0, ICR_SELF | V_ONE);
	ok(wait_until(ones[0] == 1) && sum(ones) == 1, "IPI to this one");
	zero(ones);
	send(BIT(flat) - 1, ICR_LOGICAL | V_ONE);
	ok(wait_until(sum(ones) == flat), "IPI by logical addresses: who is named");
	zero(ones);
	for (i = 1; i <= RING_ROUNDS; i++) {
		send(BIT(flat) - 1, ICR_LOGICAL | ICR_LOWEST | V_ONE);
		if (!wait_until(sum(ones) == i))
			break;
	}
	same(sum(ones), RING_ROUNDS, "IPI of lowest priority: one takes each");

	send(cpus - 1, ICR_NMI);
	ok(wait_until(nmis[cpus - 1] == 1) && sum(nmis) == 1, "NMI by IPI");
}

/* --- TLB shootdown ----------------------------------------------------------- */

static void map(unsigned int page)
{
	*(volatile u32 *)window_table = (u32)pages[page] | PTE_PRESENT | PTE_WRITE;
	invalidate();
}

static bool shoot(void)
{
	told = 0;
	send(0, ICR_OTHERS | V_INVALIDATE);
	return wait_until(told == cpus - 1);
}

/* Looks at the page before and after, and makes no VM exit of its own between. */
static void watch(void)
{
	u32 id = apic_id(), round = round_now;

	asm volatile("sti");
	before[id] = *window;
	add(&watching);
	while (round_now == round)
		;
	after[id] = *window;
}

/*
 * In the lab it is enough that the IPI comes: its VM exit drops the TLB. On a
 * processor that keeps it by VPID, the INVLPG must do it.
 */
static void check_shootdown(void)
{
	u32 rounds = 64 / cpus, old = 0, new = 0, i, round;
	bool acknowledged = true;

	for (round = 0; round < rounds; round++) {
		map(round & 1);
		acknowledged &= shoot();
		watching = 0;
		tell_others(watch);
		if (!wait_until(watching == cpus - 1))
			break;
		map(~round & 1);
		if (!lazy)
			acknowledged &= shoot();
		round_now++;
		if (!all_answered())
			break;
		for (i = 1; i < cpus; i++) {
			old += before[i] == pages[round & 1][0];
			new += after[i] == pages[~round & 1][0];
		}
	}
	ok(acknowledged, "TLB shootdown: each CPU says that it was told");
	same(old, rounds * (cpus - 1), "TLB shootdown: all saw the page of before");
	same(new, rounds * (cpus - 1), "TLB shootdown: all see the page of now");
}

int main(void)
{
	const char *words = (const char *)boot_info[4];

	while (*words >= '0' && *words <= '9')
		cpus = 10 * cpus + *words++ - '0';
	lazy = *words == ' ' && words[1] == 'l';
	if (cpus < 2 || cpus > CPUS_MAX) {
		print("--append: 2 to 16, how many CPUs there are\n");
		return 2;
	}

	build_tables();
	cpu_init();
	outb(PIC + 1, 0xff);
	outb(PIC2 + 1, 0xff);
	asm volatile("sti");
	start_cpus();
	if (!ok(wait_until(up == cpus - 1), "all CPUs start"))
		return done();
	delay_us(TICK_US);
	same(up, cpus - 1, "and none that is not there");
	check_cpus();
	check_pic();
	check_ioapic();
	check_timer();
	check_ipis();
	check_shootdown();
	same(spurious, 0, "no interrupt was spurious");
	return done();
}
