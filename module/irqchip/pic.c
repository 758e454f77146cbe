// SPDX-License-Identifier: GPL-2.0
/*
 * The registers of the two 8259As. Where the data sheet leaves a choice, this does
 * as KVM does: an edge stays in IRR when its line goes down, initialisation leaves
 * ISR alone, there is no single mode, and ICW1 does not make lines
 * level-triggered, for the ELCR does.
 */
#include <linux/bits.h>
#include <linux/kernel.h>

#include "pic.h"

/* The data sheet's names */
#define ICW1			BIT(4)
#define ICW1_IC4		BIT(0)
#define ICW4_AEOI		BIT(1)
#define ICW4_SFNM		BIT(4)
#define OCW3			BIT(3)
#define OCW3_RIS		BIT(0)
#define OCW3_RR			BIT(1)
#define OCW3_P			BIT(2)
#define OCW3_SMM		BIT(5)
#define OCW3_ESMM		BIT(6)

/* OCW2: R, SL and EOI */
enum ocw2 {
	ROTATE_IN_AEOI_CLEAR, EOI, NO_OPERATION, EOI_OF, ROTATE_IN_AEOI_SET,
	ROTATE_ON_EOI, SET_PRIORITY, ROTATE_ON_EOI_OF,
};

/* What the next byte to the second port is: kvm_pic_state::init_state */
enum { OCW1, ICW2, ICW3, ICW4 };

#define MASTER			0
#define SLAVE			1
#define CASCADE			2	/* the master's line that the slave is on */
#define NONE			8

static bool is_master(const struct mvm_pic *pic, const struct kvm_pic_state *c)
{
	return c == &pic->chip[MASTER];
}

/* How far behind the highest priority is the best of @lines? NONE without any. */
static unsigned int priority(const struct kvm_pic_state *c, u8 lines)
{
	unsigned int n;

	for (n = 0; n < 8; n++)
		if (lines & BIT((c->priority_add + n) & 7))
			break;
	return n;
}

static unsigned int line_at(const struct kvm_pic_state *c, unsigned int priority)
{
	return (c->priority_add + priority) & 7;
}

/*
 * What is in service and keeps others out. In special mask mode a line that is
 * masked does not, and is not what an EOI without number means.
 */
static u8 in_service(const struct kvm_pic_state *c)
{
	return c->special_mask ? c->isr & ~c->imr : c->isr;
}

/* The line that the chip asks for: -1 if none. */
static int request(const struct mvm_pic *pic, const struct kvm_pic_state *c)
{
	unsigned int wants = priority(c, c->irr & ~c->imr);
	u8 blocking = in_service(c);

	/* The slave's may follow each other in special fully nested mode. */
	if (c->special_fully_nested_mode && is_master(pic, c))
		blocking &= ~BIT(CASCADE);
	return wants < priority(c, blocking) ? (int)line_at(c, wants) : -1;
}

static int set_chip_line(struct kvm_pic_state *c, unsigned int line, bool up)
{
	const u8 bit = BIT(line);
	int ret = 1;

	if (!up) {
		if (c->elcr & bit)
			c->irr &= ~bit;
		c->last_irr &= ~bit;
	} else {
		if (c->elcr & bit || !(c->last_irr & bit)) {
			ret = !(c->irr & bit);
			c->irr |= bit;
		}
		c->last_irr |= bit;
	}
	return c->imr & bit ? -1 : ret;
}

/* Something has changed: the slave's INTR, then the master's. */
static void update(struct mvm_pic *pic)
{
	bool output;

	if (request(pic, &pic->chip[SLAVE]) >= 0) {
		set_chip_line(&pic->chip[MASTER], CASCADE, true);
		set_chip_line(&pic->chip[MASTER], CASCADE, false);
	}
	output = request(pic, &pic->chip[MASTER]) >= 0;
	if (output && !pic->output)
		pic->raised = true;
	WRITE_ONCE(pic->output, output);
}

static void end_line(struct mvm_pic *pic, struct kvm_pic_state *c, unsigned int line)
{
	c->isr &= ~BIT(line);
	pic->acked |= BIT(line + (is_master(pic, c) ? 0 : 8));
}

/**
 * mvm_pic_init() - power-on
 * @pic: becomes a pair that nobody has initialised, as KVM's
 */
void mvm_pic_init(struct mvm_pic *pic)
{
	*pic = (struct mvm_pic) { };
	/* Timer, keyboard, cascade; RTC and coprocessor: always edges */
	pic->chip[MASTER].elcr_mask = 0xf8;
	pic->chip[SLAVE].elcr_mask = 0xde;
}

/**
 * mvm_pic_set_line() - a line goes up or down, or stays as it is
 * @pic: the pair
 * @line: 0 to 15
 * @up: up
 *
 * Return: 1; 0 if it waits already; -1 if it is masked.
 */
int mvm_pic_set_line(struct mvm_pic *pic, unsigned int line, bool up)
{
	int ret = set_chip_line(&pic->chip[line >> 3 & 1], line & 7, up);

	update(pic);
	return ret;
}

/* The processor's INTA reaches a chip, whose best request is @line. */
static void acknowledge(struct mvm_pic *pic, struct kvm_pic_state *c, unsigned int line)
{
	c->isr |= BIT(line);
	if (!(c->elcr & BIT(line)))
		c->irr &= ~BIT(line);
	if (!c->auto_eoi)
		return;
	if (c->rotate_on_auto_eoi)
		c->priority_add = (line + 1) & 7;
	end_line(pic, c, line);
}

/**
 * mvm_pic_acknowledge() - the processor acknowledges
 * @pic: the pair
 *
 * Return: the vector; that of line 7 of a chip whose request has gone meanwhile.
 */
u8 mvm_pic_acknowledge(struct mvm_pic *pic)
{
	struct kvm_pic_state *c = &pic->chip[MASTER];
	int line = request(pic, c);

	if (line >= 0)
		acknowledge(pic, c, line);
	if (line == CASCADE) {
		c = &pic->chip[SLAVE];
		line = request(pic, c);
		if (line >= 0)
			acknowledge(pic, c, line);
	}
	update(pic);
	return c->irq_base + (line >= 0 ? line : 7);
}

static void initialise(struct mvm_pic *pic, struct kvm_pic_state *c, u8 icw1)
{
	u8 edges = c->irr & ~c->elcr;
	unsigned int line;

	c->init4 = icw1 & ICW1_IC4;
	c->last_irr = 0;
	c->irr &= c->elcr;
	c->imr = 0;
	c->priority_add = 0;
	c->special_mask = 0;
	c->read_reg_select = 0;
	if (!c->init4) {
		c->special_fully_nested_mode = 0;
		c->auto_eoi = 0;
	}
	c->init_state = ICW2;
	for (line = 0; line < 8; line++)
		if (edges & BIT(line))
			end_line(pic, c, line);
}

static void write_ocw2(struct mvm_pic *pic, struct kvm_pic_state *c, u8 value)
{
	enum ocw2 command = value >> 5;
	unsigned int line = value & 7, best;

	switch (command) {
	case ROTATE_IN_AEOI_CLEAR:
	case ROTATE_IN_AEOI_SET:
		c->rotate_on_auto_eoi = command == ROTATE_IN_AEOI_SET;
		return;
	case EOI:
	case ROTATE_ON_EOI:
		best = priority(c, in_service(c));
		if (best == NONE)
			return;
		line = line_at(c, best);
		break;
	case SET_PRIORITY:
		c->priority_add = (line + 1) & 7;
		update(pic);
		return;
	case EOI_OF:
	case ROTATE_ON_EOI_OF:
		break;
	case NO_OPERATION:
		return;
	}
	if (command == ROTATE_ON_EOI || command == ROTATE_ON_EOI_OF)
		c->priority_add = (line + 1) & 7;
	end_line(pic, c, line);
	update(pic);
}

static void write_ocw3(struct kvm_pic_state *c, u8 value)
{
	if (value & OCW3_P)
		c->poll = 1;
	if (value & OCW3_RR)
		c->read_reg_select = value & OCW3_RIS;
	if (value & OCW3_ESMM)
		c->special_mask = !!(value & OCW3_SMM);
}

static void write_second(struct mvm_pic *pic, struct kvm_pic_state *c, u8 value)
{
	switch (c->init_state) {
	case OCW1:
		pic->unmasked |= (c->imr & ~value) << (is_master(pic, c) ? 0 : 8);
		c->imr = value;
		update(pic);
		break;
	case ICW2:
		c->irq_base = value & 0xf8;
		c->init_state = ICW3;
		break;
	case ICW3:
		/* Who is where in the cascade is wired. */
		c->init_state = c->init4 ? ICW4 : OCW1;
		break;
	case ICW4:
		c->special_fully_nested_mode = !!(value & ICW4_SFNM);
		c->auto_eoi = !!(value & ICW4_AEOI);
		c->init_state = OCW1;
		break;
	}
}

static struct kvm_pic_state *chip_of(struct mvm_pic *pic, u16 port)
{
	bool slave = port >= MVM_PIC_ELCR ? port & 1 : port >= MVM_PIC_SLAVE;

	return &pic->chip[slave ? SLAVE : MASTER];
}

/**
 * mvm_pic_write() - OUT
 * @pic: the pair
 * @port: one of its six
 * @value: what is written
 */
void mvm_pic_write(struct mvm_pic *pic, u16 port, u8 value)
{
	struct kvm_pic_state *c = chip_of(pic, port);

	if (port >= MVM_PIC_ELCR) {
		c->elcr = value & c->elcr_mask;
	} else if (port & 1) {
		write_second(pic, c, value);
	} else if (value & ICW1) {
		initialise(pic, c, value);
		update(pic);
	} else if (value & OCW3) {
		write_ocw3(c, value);
		update(pic);
	} else {
		write_ocw2(pic, c, value);
	}
}

/* The poll command makes the next read an acknowledgment. */
static u8 poll(struct mvm_pic *pic, struct kvm_pic_state *c)
{
	int line = request(pic, c);

	c->poll = 0;
	if (line < 0)
		return 0;
	acknowledge(pic, c, line);
	update(pic);
	return 0x80 | line;
}

/**
 * mvm_pic_read() - IN
 * @pic: the pair
 * @port: one of its six
 *
 * Return: what is read.
 */
u8 mvm_pic_read(struct mvm_pic *pic, u16 port)
{
	struct kvm_pic_state *c = chip_of(pic, port);

	if (port >= MVM_PIC_ELCR)
		return c->elcr;
	if (c->poll)
		return poll(pic, c);
	if (port & 1)
		return c->imr;
	return c->read_reg_select ? c->isr : c->irr;
}

/**
 * mvm_pic_set_state() - KVM_SET_IRQCHIP
 * @pic: the pair
 * @chip: 0 or 1: the slave
 * @state: unchecked: whatever a register holds does no harm
 */
void mvm_pic_set_state(struct mvm_pic *pic, int chip, const struct kvm_pic_state *state)
{
	pic->chip[chip] = *state;
	update(pic);
}
