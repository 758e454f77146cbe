// SPDX-License-Identifier: GPL-2.0
/*
 * The i8254: against what its data sheet says, and where that leaves a choice, KVM.
 */
// sources: module/irqchip/pit.c
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

#include "irqchip/pit.h"

static struct mvm_pit p;
/* When the test began: a host that has been up for 30 years */
#define BEGIN	(30ull * 365 * 86400 * 1000000000)
static u64 now;

static bool out(u16 port, u8 value)
{
	return mvm_pit_write(&p, port, value, now);
}

static u8 in(u16 port)
{
	return mvm_pit_read(&p, port, now);
}

static u16 word(u16 port)
{
	u8 low = in(port);

	return low | in(port) << 8;
}

/* So many clocks after the beginning; the next ns is surely past the edge. */
static void at(u64 clocks)
{
	now = BEGIN + clocks * 1000000000 / 1193182 + 1;
}

/* The control word, then the count at time 0 */
static void program(int i, u8 control, u16 count)
{
	now = BEGIN;
	out(0x43, i << 6 | control);
	out(0x40 + i, count & 0xff);
	out(0x40 + i, count >> 8);
}

/* Of counter 2: its output, as both that show it do */
static int output(void)
{
	bool speaker = mvm_pit_speaker_read(&p, now) & 0x20;

	out(0x43, 0xe8);
	assert_int_equal(in(0x42) >> 7, speaker);
	return speaker;
}

static int setup(void **state)
{
	memset(&p, 0xff, sizeof(p));
	now = BEGIN;
	mvm_pit_init(&p, now);
	return 0;
}

static void power_on(void **state)
{
	struct kvm_pit_state2 s;
	int i;

	memset(&s, 0xff, sizeof(s));
	mvm_pit_get_state(&p, &s);
	for (i = 0; i < 3; i++) {
		assert_int_equal(s.channels[i].count, 0x10000);
		assert_int_equal(s.channels[i].mode, 0xff);
		assert_int_equal(s.channels[i].gate, i < 2);
		assert_int_equal(s.channels[i].rw_mode, 0);
	}
	assert_int_equal(s.flags, 0);
	for (i = 0; i < 9; i++)
		assert_int_equal(s.reserved[i], 0);
	assert_int_equal(p.period, 0);
	assert_int_equal(in(0x43), 0xff);
	/* It has never been told how to be read. */
	out(0x43, 0x00);
	assert_int_equal(p.channel[0].count_latched, 0);
}

/* Low byte, high byte, both */
static void access(void **state)
{
	now = BEGIN;
	out(0x43, 0x90);
	out(0x42, 0x34);
	assert_int_equal(p.channel[2].count, 0x34);
	assert_int_equal(in(0x42), 0x34);
	assert_int_equal(in(0x42), 0x34);
	out(0x43, 0xa0);
	out(0x42, 0x12);
	assert_int_equal(p.channel[2].count, 0x1200);
	assert_int_equal(in(0x42), 0x12);
	out(0x43, 0xb0);
	out(0x42, 0xcd);
	assert_int_equal(p.channel[2].count, 0x1200);
	out(0x42, 0xab);
	assert_int_equal(p.channel[2].count, 0xabcd);
	assert_int_equal(word(0x42), 0xabcd);
	assert_int_equal(word(0x42), 0xabcd);
	/* The control word begins anew. */
	out(0x42, 1);
	in(0x42);
	out(0x43, 0xb0);
	out(0x42, 0x22);
	out(0x42, 0x11);
	assert_int_equal(p.channel[2].count, 0x1122);
	assert_int_equal(word(0x42), 0x1122);
	/* 0 is 10000h. */
	out(0x42, 0);
	out(0x42, 0);
	assert_int_equal(p.channel[2].count, 0x10000);
	at(1);
	assert_int_equal(word(0x42), 0xffff);
}

static void latch(void **state)
{
	program(2, 0x30, 1000);
	at(100);
	out(0x43, 0x80);
	at(300);
	/* A second one does nothing. */
	out(0x43, 0x80);
	at(400);
	assert_int_equal(word(0x42), 900);
	assert_int_equal(word(0x42), 600);
	/* Its two bytes may be far from each other. */
	out(0x43, 0x80);
	assert_int_equal(in(0x42), 600 & 0xff);
	at(900);
	assert_int_equal(in(0x42), 600 >> 8);
	assert_int_equal(word(0x42), 100);
}

static void read_back(void **state)
{
	program(1, 0x36, 2000);
	program(2, 0x31, 1000);
	at(100);
	/* Count and status of both; the status comes first. */
	out(0x43, 0xcc);
	at(200);
	assert_int_equal(in(0x42), 0x31);
	assert_int_equal(word(0x42), 900);
	assert_int_equal(word(0x42), 800);
	assert_int_equal(in(0x41), 0xb6);
	assert_int_equal(word(0x41), 1800);
	/* A second status does nothing. */
	out(0x43, 0xe8);
	at(1000);
	out(0x43, 0xe8);
	assert_int_equal(in(0x42), 0x31);
	at(200);
	/* The count alone, and nobody's */
	out(0x43, 0xd8);
	at(300);
	assert_int_equal(word(0x42), 800);
	assert_int_equal(word(0x42), 700);
	out(0x43, 0xc0);
	assert_int_equal(p.channel[2].status_latched | p.channel[2].count_latched, 0);
}

static void mode_0(void **state)
{
	program(2, 0x30, 1000);
	assert_int_equal(word(0x42), 1000);
	assert_int_equal(output(), 0);
	at(999);
	assert_int_equal(word(0x42), 1);
	assert_int_equal(output(), 0);
	at(1000);
	assert_int_equal(word(0x42), 0);
	assert_int_equal(output(), 1);
	at(1001);
	assert_int_equal(word(0x42), 0xffff);
	assert_int_equal(output(), 1);
	at(1000 + 0x10000);
	assert_int_equal(word(0x42), 0);
	assert_int_equal(output(), 1);
}

static void mode_1(void **state)
{
	program(2, 0x32, 1000);
	at(1500);
	assert_int_equal(output(), 1);
	/* The gate triggers. */
	mvm_pit_speaker_write(&p, 1, now);
	assert_int_equal(output(), 0);
	assert_int_equal(word(0x42), 1000);
	at(2499);
	assert_int_equal(output(), 0);
	mvm_pit_speaker_write(&p, 1, now);
	at(2501);
	assert_int_equal(output(), 1);
}

static void mode_2(void **state)
{
	/* Mode 6 is 2. */
	program(2, 0x3c, 1000);
	assert_int_equal(p.channel[2].mode, 2);
	assert_int_equal(output(), 1);
	at(998);
	assert_int_equal(output(), 1);
	assert_int_equal(word(0x42), 2);
	at(999);
	assert_int_equal(output(), 0);
	assert_int_equal(word(0x42), 1);
	at(1000);
	assert_int_equal(output(), 1);
	assert_int_equal(word(0x42), 1000);
	at(1000000001);
	assert_int_equal(word(0x42), 999);
}

static void mode_3(void **state)
{
	program(2, 0x3e, 1000);
	assert_int_equal(p.channel[2].mode, 3);
	at(499);
	assert_int_equal(output(), 1);
	assert_int_equal(word(0x42), 2);
	at(500);
	assert_int_equal(output(), 0);
	assert_int_equal(word(0x42), 1000);
	at(1000);
	assert_int_equal(output(), 1);
	/* An odd count is up one clock longer than down. */
	program(2, 0x36, 5);
	at(2);
	assert_int_equal(output(), 1);
	at(3);
	assert_int_equal(output(), 0);
	at(5);
	assert_int_equal(output(), 1);
}

static void modes_4_and_5(void **state)
{
	u8 mode;

	for (mode = 4; mode <= 5; mode++) {
		program(2, 0x30 | mode << 1, 1000);
		assert_int_equal(output(), 1);
		at(1000);
		assert_int_equal(output(), 0);
		at(1001);
		assert_int_equal(output(), 1);
		assert_int_equal(word(0x42), 0xffff);
	}
}

static void gate(void **state)
{
	u8 mode, again = 0;

	for (mode = 0; mode < 6; mode++) {
		program(2, 0x30 | mode << 1, 1000);
		mvm_pit_speaker_write(&p, 0, now);
		at(100);
		mvm_pit_speaker_write(&p, 1, now);
		if (word(0x42) == 1000)
			again |= BIT(mode);
	}
	assert_int_equal(again, BIT(1) | BIT(2) | BIT(3) | BIT(5));
}

static void speaker(void **state)
{
	program(2, 0x36, 1000);
	now = BEGIN & ~0x3fffull;
	p.channel[2].count_load_time = now;
	assert_int_equal(mvm_pit_speaker_read(&p, now), 0x20);
	mvm_pit_speaker_write(&p, 0xff, now);
	assert_int_equal(mvm_pit_speaker_read(&p, now), 0x23);
	assert_int_equal(p.flags, KVM_PIT_FLAGS_SPEAKER_DATA_ON);
	mvm_pit_speaker_write(&p, 1, now);
	assert_int_equal(mvm_pit_speaker_read(&p, now), 0x21);
	assert_int_equal(p.flags, 0);
	mvm_pit_speaker_write(&p, 2, now);
	assert_int_equal(mvm_pit_speaker_read(&p, now), 0x22);
	now += 0x4000;
	assert_int_equal(mvm_pit_speaker_read(&p, now) & 0x10, 0x10);
}

/* What the caller's timer is to do */
static void counter_0(void **state)
{
	static const struct {
		u8 mode;
		bool runs, periodic;
	} modes[] = {
		{ 0, true, false }, { 1, true, false }, { 2, true, true },
		{ 3, true, true }, { 4, true, false }, { 5, false, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		now = BEGIN;
		assert_false(out(0x43, 0x30 | modes[i].mode << 1));
		assert_false(out(0x40, 11932 & 0xff));
		at(7);
		assert_true(out(0x40, 11932 >> 8));
		assert_int_equal(p.start, now);
		/* 11932 * 838.09511... ns */
		assert_int_equal(p.period, modes[i].runs ? 10000150 : 0);
		assert_int_equal(p.periodic, modes[i].periodic);
	}
	program(0, 0x34, 0);
	assert_int_equal(p.period, 54925401);
	at(65536 / 2);
	assert_int_equal(word(0x40), 0x8000);
	at(65536 * 1000ull + 1);
	assert_in_range(word(0x40), 0xfffe, 0xffff);

	/* The count is that of the timer, whose period is whole ns. */
	now = BEGIN + 1000000 * p.period;
	assert_int_equal(word(0x40), 0);

	/* It cannot tick too often; once is allowed at any time. */
	program(0, 0x34, 1);
	assert_int_equal(p.period, 200000);
	program(0, 0x36, 1);
	assert_int_equal(p.period, 200000);
	program(0, 0x30, 1);
	assert_int_equal(p.period, 838);
	at(2);
	assert_int_equal(word(0x40), 0xffff);
	/* No other counter's count is one of its. */
	now = BEGIN;
	out(0x43, 0x54);
	assert_false(out(0x41, 5));
	assert_int_equal(p.period, 838);
}

static void state(void **unused)
{
	struct kvm_pit_state2 s, t;
	int i;

	program(0, 0x34, 11932);
	program(2, 0x36, 1000);
	mvm_pit_get_state(&p, &s);
	mvm_pit_init(&p, now);
	at(100);
	mvm_pit_set_state(&p, &s, now);
	assert_int_equal(p.period, 10000150);
	assert_int_equal(p.start, now);
	assert_true(p.periodic);
	assert_int_equal(p.channel[2].count_load_time, now);
	mvm_pit_get_state(&p, &t);
	for (i = 0; i < 3; i++)
		s.channels[i].count_load_time = t.channels[i].count_load_time;
	assert_memory_equal(&s, &t, sizeof(s));

	s.flags = KVM_PIT_FLAGS_HPET_LEGACY;
	mvm_pit_set_state(&p, &s, now);
	assert_int_equal(p.period, 0);
	program(0, 0x34, 11932);
	assert_int_equal(p.period, 0);
	assert_int_equal(p.channel[0].count, 11932);
	s.flags = 0;
	mvm_pit_set_state(&p, &s, now);
	assert_int_equal(p.period, 10000150);

	/* A state that no timer can have */
	memset(&s, 0, sizeof(s));
	mvm_pit_set_state(&p, &s, now);
	assert_int_equal(p.channel[0].count, 0x10000);
	srand(1);
	for (i = 0; i < 100000; i++) {
		size_t n;

		for (n = 0; n < sizeof(s); n++)
			((u8 *)&s)[n] = rand() % 4 ? rand() % 8 : rand();
		mvm_pit_set_state(&p, &s, now);
		now += (u64)rand() << rand() % 20;
		for (n = 0; n < 20; n++) {
			out(0x40 + rand() % 4, rand());
			in(0x40 + rand() % 4);
			mvm_pit_speaker_write(&p, rand(), now);
			mvm_pit_speaker_read(&p, now);
		}
		for (n = 0; n < 3; n++)
			assert_int_not_equal(p.channel[n].count, 0);
		if (p.period && p.periodic)
			assert_true(p.period >= 200000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(power_on, setup),
		cmocka_unit_test_setup(access, setup),
		cmocka_unit_test_setup(latch, setup),
		cmocka_unit_test_setup(read_back, setup),
		cmocka_unit_test_setup(mode_0, setup),
		cmocka_unit_test_setup(mode_1, setup),
		cmocka_unit_test_setup(mode_2, setup),
		cmocka_unit_test_setup(mode_3, setup),
		cmocka_unit_test_setup(modes_4_and_5, setup),
		cmocka_unit_test_setup(gate, setup),
		cmocka_unit_test_setup(speaker, setup),
		cmocka_unit_test_setup(counter_0, setup),
		cmocka_unit_test_setup(state, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
