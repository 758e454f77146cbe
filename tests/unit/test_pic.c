// SPDX-License-Identifier: GPL-2.0
/*
 * The two 8259As: against what the data sheet says of each command.
 */
// sources: module/irqchip/pic.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/bits.h>
#include <linux/kernel.h>

#include "irqchip/pic.h"

static struct mvm_pic p;

static void out(u16 port, u8 value)
{
	mvm_pic_write(&p, port, value);
}

static u8 in(u16 port)
{
	return mvm_pic_read(&p, port);
}

static u8 irr(u16 chip)
{
	out(chip, 0x0a);
	return in(chip);
}

static u8 isr(u16 chip)
{
	out(chip, 0x0b);
	return in(chip);
}

/* As a PC does it: vectors from 20h and 28h, nothing masked */
static void init(u8 icw4)
{
	mvm_pic_init(&p);
	out(0x20, 0x11);
	out(0x21, 0x20);
	out(0x21, 0x04);
	out(0x21, icw4);
	out(0xa0, 0x11);
	out(0xa1, 0x28);
	out(0xa1, 0x02);
	out(0xa1, icw4);
	p.acked = 0;
	p.raised = false;
}

static int setup(void **state)
{
	init(0x01);
	return 0;
}

static int up(unsigned int line)
{
	return mvm_pic_set_line(&p, line, true);
}

static void pulse(unsigned int line)
{
	mvm_pic_set_line(&p, line, true);
	mvm_pic_set_line(&p, line, false);
}

static void one_line(void **state)
{
	assert_false(p.output);
	assert_int_equal(up(3), 1);
	assert_true(p.output);
	assert_true(p.raised);
	assert_int_equal(irr(0x20), 0x08);
	assert_int_equal(isr(0x20), 0);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x23);
	assert_false(p.output);
	assert_int_equal(irr(0x20), 0);
	assert_int_equal(isr(0x20), 0x08);
	assert_int_equal(p.acked, 0);
	out(0x20, 0x20);
	assert_int_equal(isr(0x20), 0);
	assert_int_equal(p.acked, 0x08);
	/* An edge is one. */
	assert_false(p.output);
	up(3);
	assert_false(p.output);
	mvm_pic_set_line(&p, 3, false);
	assert_int_equal(up(3), 1);
	assert_true(p.output);
	mvm_pic_set_line(&p, 3, false);
	assert_int_equal(up(3), 0);
}

static void spurious(void **state)
{
	assert_int_equal(mvm_pic_acknowledge(&p), 0x27);
	assert_int_equal(isr(0x20), 0);
	/* The slave's: its request has gone, the master's has not. */
	out(0x4d1, 0x08);
	up(11);
	mvm_pic_set_line(&p, 11, false);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x2f);
	assert_int_equal(isr(0x20), 0x04);
	assert_int_equal(isr(0xa0), 0);
}

/* Line 0 of each chip, the best one */
static void line_0(void **state)
{
	up(0);
	assert_true(p.output && p.raised);
	p.raised = false;
	pulse(1);
	assert_true(p.output);
	assert_false(p.raised);
	out(0x20, 0x0c);
	assert_int_equal(in(0x20), 0x80);
	out(0x20, 0x20);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x21);
	out(0x20, 0x20);
	up(8);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x28);
	assert_int_equal(isr(0xa0), 1);
}

static void nesting(void **state)
{
	pulse(4);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x24);
	pulse(6);
	assert_false(p.output);
	pulse(4);
	assert_false(p.output);
	pulse(1);
	assert_true(p.output);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x21);
	assert_int_equal(isr(0x20), 0x12);
	/* The EOI without number ends the best. */
	out(0x20, 0x20);
	assert_int_equal(isr(0x20), 0x10);
	assert_false(p.output);
	out(0x20, 0x20);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x24);
	out(0x20, 0x64);
	assert_int_equal(isr(0x20), 0);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x26);
	/* Ending another changes nothing. */
	out(0x20, 0x61);
	assert_int_equal(isr(0x20), 0x40);
}

static void masks(void **state)
{
	out(0x21, 0x10);
	assert_int_equal(in(0x21), 0x10);
	assert_int_equal(up(4), -1);
	assert_false(p.output);
	assert_int_equal(irr(0x20), 0x10);
	out(0x21, 0);
	assert_true(p.output);
	out(0x21, 0xff);
	assert_false(p.output);
}

static void cascade(void **state)
{
	pulse(12);
	assert_true(p.output);
	assert_int_equal(irr(0x20), 0x04);
	assert_int_equal(irr(0xa0), 0x10);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x2c);
	assert_int_equal(isr(0x20), 0x04);
	assert_int_equal(isr(0xa0), 0x10);
	/* A better one of the slave's: the master lets none of the slave's pass. */
	pulse(8);
	assert_false(p.output);
	/* But the lines above the slave do. */
	pulse(1);
	assert_true(p.output);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x21);
	out(0x20, 0x20);
	out(0xa0, 0x20);
	assert_int_equal(p.acked, 0x1002);
	out(0x20, 0x20);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x28);
}

static void special_fully_nested(void **state)
{
	init(0x11);
	pulse(12);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x2c);
	pulse(8);
	assert_true(p.output);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x28);
	assert_int_equal(isr(0xa0), 0x11);
	/* Its own order stays. */
	pulse(13);
	assert_false(p.output);
}

static void level(void **state)
{
	/* Timer, keyboard and cascade, RTC and coprocessor cannot be. */
	out(0x4d0, 0xff);
	out(0x4d1, 0xff);
	assert_int_equal(in(0x4d0), 0xf8);
	assert_int_equal(in(0x4d1), 0xde);
	assert_int_equal(up(5), 1);
	assert_int_equal(up(5), 0);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x25);
	assert_int_equal(irr(0x20), 0x20);
	assert_false(p.output);
	/* It is up: that is the next interrupt. */
	out(0x20, 0x20);
	assert_true(p.output);
	mvm_pic_set_line(&p, 5, false);
	assert_false(p.output);
	assert_int_equal(irr(0x20), 0);
}

static void auto_eoi(void **state)
{
	init(0x03);
	pulse(2 + 8);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x2a);
	assert_int_equal(isr(0x20) | isr(0xa0), 0);
	assert_int_equal(p.acked, 0x0404);
	/* Rotation in this mode */
	out(0x20, 0x80);
	pulse(3);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x23);
	up(3);
	up(4);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x24);
	up(5);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x25);
	out(0x20, 0x00);
	up(7);
	up(6);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x26);
	mvm_pic_set_line(&p, 6, false);
	up(6);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x26);
}

static void rotation(void **state)
{
	pulse(4);
	mvm_pic_acknowledge(&p);
	/* Rotate on EOI: 4 is the lowest, 5 the highest. */
	out(0x20, 0xa0);
	assert_int_equal(isr(0x20), 0);
	up(3);
	up(4);
	up(6);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x26);
	out(0x20, 0x20);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x23);
	/* The same for a given line */
	out(0x20, 0xe3);
	assert_int_equal(isr(0x20), 0);
	assert_int_equal(p.chip[0].priority_add, 4);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x24);
	/* Set priority: no EOI with it; 7 lowest again */
	out(0x20, 0xc7);
	assert_int_equal(isr(0x20), 0x10);
	pulse(0);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x20);
	/* It counts at once. */
	out(0x20, 0x60);
	pulse(2);
	mvm_pic_acknowledge(&p);
	mvm_pic_set_line(&p, 6, false);
	pulse(6);
	assert_false(p.output);
	out(0x20, 0xc5);
	assert_true(p.output);
	assert_int_equal(p.chip[0].priority_add, 6);
	out(0x20, 0xc7);
	out(0x20, 0x62);
	mvm_pic_acknowledge(&p);
	out(0x20, 0x66);
	/* Rotate on EOI with nothing in service; the no-operation */
	out(0x20, 0x60);
	out(0x20, 0x64);
	out(0x20, 0xa0);
	out(0x20, 0x40);
	assert_int_equal(p.chip[0].priority_add, 0);
}

static void special_mask(void **state)
{
	pulse(3);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x23);
	pulse(6);
	assert_false(p.output);
	/* Masked, it blocks the lower ones no more. */
	out(0x21, 0x08);
	assert_false(p.output);
	out(0x20, 0x68);
	assert_true(p.output);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x26);
	/* An EOI without number does not mean it. */
	out(0x20, 0x20);
	assert_int_equal(isr(0x20), 0x08);
	out(0x20, 0x20);
	assert_int_equal(isr(0x20), 0x08);
	/* Without ESMM the bit is not looked at. */
	out(0x20, 0x08);
	pulse(6);
	assert_true(p.output);
	out(0x20, 0x48);
	assert_false(p.output);
}

static void polling(void **state)
{
	out(0x20, 0x0c);
	assert_int_equal(in(0x20), 0);
	pulse(5);
	/* One read; at either port, and what was selected is read again after it. */
	out(0x20, 0x0b);
	out(0x20, 0x0c);
	assert_int_equal(in(0x21), 0x85);
	assert_int_equal(in(0x20), 0x20);
	assert_false(p.output);
	pulse(14);
	out(0xa0, 0x0c);
	assert_int_equal(in(0xa0), 0x86);
	assert_int_equal(isr(0xa0), 0x40);
}

static void initialisation(void **state)
{
	out(0x21, 0xaa);
	out(0x20, 0xc2);
	out(0x20, 0x68);
	out(0x20, 0x0b);
	out(0x4d0, 0x20);
	up(5);
	pulse(6);
	/* Without ICW4: its functions are 0. */
	p.chip[0].auto_eoi = 1;
	p.chip[0].special_fully_nested_mode = 1;
	out(0x20, 0x10);
	/* The level stays, the edge does not. */
	assert_int_equal(in(0x20), 0x20);
	assert_int_equal(p.acked, 0x40);
	assert_int_equal(p.chip[0].priority_add, 0);
	assert_int_equal(p.chip[0].special_mask, 0);
	assert_int_equal(p.chip[0].auto_eoi, 0);
	assert_int_equal(p.chip[0].special_fully_nested_mode, 0);
	out(0x21, 0x47);
	/* A line that is still up is an edge anew. */
	mvm_pic_set_line(&p, 5, false);
	up(6);
	assert_int_equal(in(0x20), 0x40);
	assert_true(p.output);
	out(0x20, 0x10);
	assert_false(p.output);
	assert_int_equal(up(6), 1);
	out(0x20, 0x10);
	up(5);
	out(0x21, 0x47);
	out(0x21, 0xff);
	/* The vector's lower bits are the line's; no mask was written yet. */
	assert_int_equal(in(0x21), 0);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x45);
	out(0x21, 0xf0);
	assert_int_equal(in(0x21), 0xf0);
	/* With ICW4: one byte more. */
	out(0xa0, 0x11);
	out(0xa1, 0x70);
	out(0xa1, 0x02);
	out(0xa1, 0x03);
	assert_int_equal(in(0xa1), 0);
	assert_int_equal(p.chip[1].auto_eoi, 1);
	out(0xa1, 0x0f);
	assert_int_equal(in(0xa1), 0x0f);
}

/* Whatever is set does no harm, and what waits there is delivered. */
static void set_state(void **state)
{
	struct kvm_pic_state s;
	unsigned int i;
	u16 port;

	for (i = 0; i < 256; i++) {
		memset(&s, i, sizeof(s));
		mvm_pic_set_state(&p, 0, &s);
		mvm_pic_set_state(&p, 1, &s);
		for (port = 0; port < 6; port++) {
			static const u16 ports[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1 };

			in(ports[port]);
			out(ports[port], i * 7);
			mvm_pic_acknowledge(&p);
			pulse(i & 15);
		}
	}
	setup(NULL);
	s = p.chip[0];
	s.irr = 0x40;
	mvm_pic_set_state(&p, 0, &s);
	assert_true(p.output && p.raised);
	assert_int_equal(mvm_pic_acknowledge(&p), 0x26);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_line, setup),
		cmocka_unit_test_setup(spurious, setup),
		cmocka_unit_test_setup(line_0, setup),
		cmocka_unit_test_setup(nesting, setup),
		cmocka_unit_test_setup(masks, setup),
		cmocka_unit_test_setup(cascade, setup),
		cmocka_unit_test_setup(special_fully_nested, setup),
		cmocka_unit_test_setup(level, setup),
		cmocka_unit_test_setup(auto_eoi, setup),
		cmocka_unit_test_setup(rotation, setup),
		cmocka_unit_test_setup(special_mask, setup),
		cmocka_unit_test_setup(polling, setup),
		cmocka_unit_test_setup(initialisation, setup),
		cmocka_unit_test_setup(set_state, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
