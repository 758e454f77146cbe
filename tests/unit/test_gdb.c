// SPDX-License-Identifier: GPL-2.0
/*
 * gdb's remote protocol, without a guest.
 */
// sources: userspace/run/gdb_packet.c userspace/run/gdb_registers.c userspace/run/gdb_commands.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>
#include "userspace/run/gdb_commands.h"

#define CPUS		3
#define MEMORY		0x1000
#define MEMORY_SIZE	64

static struct gdb_cpu cpus[CPUS];
static __u8 memory[MEMORY_SIZE];
static char points[128];
static char answers[0x10000];	/* each with a | behind it */

static void send_text(void *context, const struct gdb_text *text)
{
	size_t length = strlen(answers);

	assert_true(length + text->length + 2 < sizeof(answers));
	memcpy(answers + length, text->data, text->length);
	strcpy(answers + length + text->length, "|");
}

static int load(void *context, unsigned int vcpu, struct gdb_cpu *cpu)
{
	*cpu = cpus[vcpu];
	return 0;
}

static int store(void *context, unsigned int vcpu, const struct gdb_cpu *cpu)
{
	/* What KVM_SET_SREGS refuses */
	if (cpu->sregs.cr4 == ~0ULL)
		return -EINVAL;
	cpus[vcpu] = *cpu;
	return 0;
}

static int read_memory(void *context, unsigned int vcpu, __u64 address, void *to, size_t size)
{
	if (address < MEMORY || address >= MEMORY + MEMORY_SIZE)
		return -EFAULT;
	if (size > MEMORY + MEMORY_SIZE - address)
		size = MEMORY + MEMORY_SIZE - address;
	memcpy(to, memory + address - MEMORY, size);
	return size;
}

static int write_memory(void *context, unsigned int vcpu, __u64 address, const void *from,
			size_t size)
{
	if (address < MEMORY || address >= MEMORY + MEMORY_SIZE)
		return -EFAULT;
	if (size > MEMORY + MEMORY_SIZE - address)
		size = MEMORY + MEMORY_SIZE - address;
	memcpy(memory + address - MEMORY, from, size);
	return size;
}

static int insert(void *context, unsigned int vcpu, enum gdb_point point, __u64 address,
		  unsigned int size)
{
	snprintf(points, sizeof(points), "insert %u %u %llx %u", vcpu, point, address, size);
	return address ? 0 : -ENOSPC;
}

static int remove_point(void *context, enum gdb_point point, __u64 address, unsigned int size)
{
	snprintf(points, sizeof(points), "remove %u %llx %u", point, address, size);
	return 0;
}

static void describe(void *context, unsigned int vcpu, FILE *out)
{
	fprintf(out, "v%u", vcpu);
}

static void monitor(void *context, unsigned int vcpu, const char *command, FILE *out)
{
	unsigned int i;

	fprintf(out, "%s", command);
	for (i = 0; !strcmp(command, "long") && i < 2000; i++)
		fputc('x', out);
}

static const struct gdb_target target = {
	.load = load, .store = store, .read = read_memory, .write = write_memory,
	.insert = insert, .remove = remove_point, .describe = describe, .monitor = monitor,
};

static struct gdb gdb;

static int begin(void **state)
{
	memset(cpus, 0, sizeof(cpus));
	gdb = (struct gdb) {
		.target = &target, .send = send_text, .cpus = CPUS, .arch = GDB_X86_64,
	};
	return 0;
}

static enum gdb_wish ask_bytes(const char *data, size_t length)
{
	char copy[GDB_PACKET_MAX + 1];

	memcpy(copy, data, length);
	copy[length] = '\0';
	answers[0] = '\0';
	return gdb_command(&gdb, copy, length);
}

static enum gdb_wish ask(const char *data)
{
	return ask_bytes(data, strlen(data));
}

#define answer(question, expected)				\
	do {							\
		assert_int_equal(ask(question), GDB_MORE);	\
		assert_string_equal(answers, expected "|");	\
	} while (0)

static enum gdb_got feed(struct gdb_parser *parser, const char *bytes)
{
	enum gdb_got got = GDB_NOTHING;

	while (*bytes) {
		assert_int_equal(got, GDB_NOTHING);
		got = gdb_parse(parser, *bytes++);
	}
	return got;
}

static void test_packets(void **state)
{
	static struct gdb_parser parser;
	unsigned int i;

	/* The sum of "OK" is 0x4f + 0x4b = 0x9a. */
	assert_int_equal(feed(&parser, "$OK#9a"), GDB_PACKET);
	assert_string_equal(parser.data, "OK");
	assert_int_equal(feed(&parser, "+$OK#9A"), GDB_PACKET);
	assert_int_equal(feed(&parser, "$OK#9b"), GDB_BROKEN);
	assert_int_equal(feed(&parser, "$OK#9x"), GDB_BROKEN);
	assert_int_equal(feed(&parser, "$OK#x9"), GDB_BROKEN);
	assert_int_equal(feed(&parser, "\003"), GDB_INTERRUPT);
	assert_int_equal(feed(&parser, "-"), GDB_AGAIN);
	assert_int_equal(feed(&parser, "$#00"), GDB_PACKET);
	assert_int_equal(parser.length, 0);
	/* A packet without end, and another one */
	assert_int_equal(feed(&parser, "$abc$OK#9a"), GDB_PACKET);
	assert_string_equal(parser.data, "OK");
	/* "}" and "#" ^ 0x20: 0x7d + 0x03 = 0x80 */
	assert_int_equal(feed(&parser, "$}\003#80"), GDB_PACKET);
	assert_int_equal(parser.length, 1);
	assert_int_equal(parser.data[0], '#');

	/* As long as it may be, and one longer: the sums are 0 and 0x61. */
	for (i = 0; i < 2; i++) {
		unsigned int left = GDB_PACKET_MAX + i;

		gdb_parse(&parser, '$');
		while (left--)
			assert_int_equal(gdb_parse(&parser, 'a'), GDB_NOTHING);
		assert_int_equal(feed(&parser, i ? "#61" : "#00"), i ? GDB_BROKEN : GDB_PACKET);
	}
}

static void test_frames(void **state)
{
	static char frame[GDB_PACKET_MAX + GDB_FRAME + 1];
	static __u8 special[GDB_PACKET_MAX];
	struct gdb_text text = { 0 };

	gdb_put(&text, "%s", "OK");
	frame[gdb_frame(&text, frame)] = '\0';
	assert_string_equal(frame, "$OK#9a");

	text.length = 0;
	assert_int_equal(gdb_put_binary(&text, "a#}$*", 5), 5);
	assert_int_equal(text.length, 9);
	assert_memory_equal(text.data, "a}\003}]}\004}\n", 9);

	/* Each takes two. */
	memset(special, '#', sizeof(special));
	text.length = 0;
	assert_int_equal(gdb_put_binary(&text, special, sizeof(special)), GDB_PACKET_MAX / 2);
	gdb_put(&text, "more");
	assert_true(text.length <= GDB_PACKET_MAX);
}

static void test_registers(void **state)
{
	struct gdb_cpu *cpu = &cpus[1];
	static char all[GDB_PACKET_MAX];

	cpu->regs.rax = 0x1122334455667788;
	cpu->regs.rip = 0x10;
	cpu->sregs.cs.base = 0x7000;
	cpu->fpu.mxcsr = 0x1f80;
	answer("Hg2", "OK");
	/* In gdb's order: rax is 0, rip 16, eflags 17, cs 18. */
	answer("p0", "8877665544332211");
	answer("p10", "1070000000000000");
	answer("P10=2070000000000000", "OK");
	assert_int_equal(cpu->regs.rip, 0x20);
	answer("P0=0100000000000000", "OK");
	assert_int_equal(cpu->regs.rax, 1);
	assert_int_equal(cpus[0].regs.rax, 0);
	answer("P0=01", "E16");
	answer("P0=010000000000000x", "E16");
	answer("P0", "E16");
	answer("P1000=00", "E16");
	answer("p1000", "E16");
	answer("p", "E16");

	/* Real mode: a selector is a base. */
	answer("P12=00120000", "OK");
	assert_int_equal(cpu->sregs.cs.selector, 0x1200);
	assert_int_equal(cpu->sregs.cs.base, 0x12000);
	answer("P12=00001200", "E16");
	cpu->sregs.cr0 = 1;
	answer("Hg1", "OK");
	answer("Hg2", "OK");
	answer("P12=00130000", "E16");
	assert_int_equal(cpu->sregs.cs.selector, 0x1200);
	answer("P12=00120000", "OK");

	/* All of them: back as they came, and not with one digit more or fewer. */
	assert_int_equal(ask("g"), GDB_MORE);
	answers[strlen(answers) - 1] = '\0';
	assert_true(strlen(answers) < sizeof(all) - 2);
	all[0] = 'G';
	strcpy(all + 1, answers);
	answer(all, "OK");
	strcat(all, "0");
	answer(all, "E16");
	answer("G00", "E16");

	gdb.arch = GDB_I386;
	cpu->regs.rax = 0x1122334455667788;
	cpu->regs.rip = 0x10;
	answer("Hg1", "OK");
	answer("Hg2", "OK");
	answer("p0", "88776655");
	/* The upper half stays; eip is 8. */
	answer("P0=01000000", "OK");
	assert_int_equal(cpu->regs.rax, 0x1122334400000001);
	answer("p8", "10200100");
}

static void test_refused_registers(void **state)
{
	unsigned int cr4, count = gdb_register_count(GDB_X86_64);
	char question[64];

	/* cr4 is the fourth of the last twelve. */
	cr4 = count - 12 + 3;
	snprintf(question, sizeof(question), "P%x=ffffffffffffffff", cr4);
	answer(question, "E16");
	/* What it did not take is not what it has. */
	snprintf(question, sizeof(question), "p%x", cr4);
	answer(question, "0000000000000000");
}

static void test_tags(void **state)
{
	struct gdb_cpu *cpu = &cpus[0];
	__u8 value[GDB_REGISTER_MAX];
	static const __u8 one[10] = { 0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x3f };
	static const __u8 infinity[10] = { 0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x7f };

	/* ST0 to ST2 are registers 5 to 7: one, infinity, zero. 24 and 3 = ftag. */
	cpu->fpu.fsw = 5 << 11;
	cpu->fpu.ftwx = 0xe0;
	memcpy(cpu->fpu.fpr[0], one, 10);
	memcpy(cpu->fpu.fpr[1], infinity, 10);
	assert_int_equal(gdb_register_read(GDB_X86_64, cpu, 34, value), 4);
	/* 01 10 00 11 11 11 11 11 */
	assert_int_equal(value[0] | value[1] << 8, 0x63ff);
	memcpy(value, "\xff\xf3\0\0", 4);
	assert_true(gdb_register_write(GDB_X86_64, cpu, 34, value));
	assert_int_equal(cpu->fpu.ftwx, 0x20);
}

static void test_memory(void **state)
{
	memcpy(memory, "\x01\x23\x45", 3);
	answer("m1000,3", "012345");
	answer("m103e,10", "0000");
	answer("m1040,1", "E0e");
	answer("m0,1", "E0e");
	answer("m1000", "E16");
	answer("mffffffffffffffff,1", "E0e");
	answer("m11111111111111111,1", "E16");
	answer("M1000,2:abcd", "OK");
	assert_memory_equal(memory, "\xab\xcd\x45", 3);
	answer("M1000,2:ab", "E16");
	answer("M1000,1:abcd", "E16");
	answer("M103f,2:abcd", "E0e");
	answer("M1000,ffffffffffffffff:ab", "E16");
	answer("X0,0:", "OK");
	assert_int_equal(ask_bytes("X1000,3:\0:\xff", 11), GDB_MORE);
	assert_string_equal(answers, "OK|");
	assert_memory_equal(memory, "\0:\xff", 3);
	assert_int_equal(ask_bytes("X1000,4:\0:\xff", 11), GDB_MORE);
	assert_string_equal(answers, "E16|");
}

static void test_points(void **state)
{
	answer("Z0,1234,1", "OK");
	assert_string_equal(points, "insert 0 0 1234 1");
	answer("Z2,1238,8", "OK");
	assert_string_equal(points, "insert 0 2 1238 8");
	answer("z4,1238,8", "OK");
	assert_string_equal(points, "remove 4 1238 8");
	answer("Z1,0,1", "E1c");
	answer("Z3,1238,8", "");
	answer("Z5,1238,8", "");
	answer("Z0,1238", "E16");
	answer("Z", "E16");
}

static void test_going_on(void **state)
{
	answer("vCont?", "vCont;c;C;s;S");
	assert_int_equal(ask("vCont;s:2;c"), GDB_GO);
	assert_string_equal(answers, "");
	assert_int_equal(gdb.actions[0], GDB_CONTINUE);
	assert_int_equal(gdb.actions[1], GDB_STEP);
	assert_int_equal(gdb.actions[2], GDB_CONTINUE);
	assert_int_equal(ask("vCont;s:1"), GDB_GO);
	assert_int_equal(gdb.actions[0], GDB_STEP);
	assert_int_equal(gdb.actions[1], GDB_STAY);
	assert_int_equal(ask("vCont;C05:3;s:-1"), GDB_GO);
	assert_int_equal(gdb.actions[0], GDB_STEP);
	assert_int_equal(gdb.actions[2], GDB_CONTINUE);
	answer("vCont", "E16");
	answer("vCont;", "E16");
	answer("vCont;x", "E16");
	answer("vCont;c:4", "E16");
	answer("vCont;cx", "E16");
	answer("vMustReplyEmpty", "");
	assert_int_equal(ask("s"), GDB_GO);
	assert_int_equal(gdb.actions[0], GDB_STEP);
	assert_int_equal(ask("c"), GDB_GO);
	assert_int_equal(gdb.actions[0], GDB_CONTINUE);
	assert_int_equal(ask("D"), GDB_DETACH);
	assert_string_equal(answers, "OK|");
	assert_int_equal(ask("k"), GDB_KILL);
	assert_int_equal(ask("vKill;1"), GDB_KILL);
}

static void test_stops(void **state)
{
	gdb.stopped = 1;
	gdb.stop = (struct gdb_stop) { .signal = GDB_SIGTRAP };
	answer("?", "T05thread:2;");
	answer("qC", "QC2");
	gdb.stop = (struct gdb_stop) { GDB_SIGTRAP, true, GDB_SOFTWARE, 0x10 };
	answer("?", "T05thread:2;swbreak:;");
	gdb.stop.point = GDB_HARDWARE;
	answer("?", "T05thread:2;hwbreak:;");
	gdb.stop.point = GDB_WRITE;
	answer("?", "T05thread:2;watch:10;");
	gdb.stop.point = GDB_ACCESS;
	answer("?", "T05thread:2;awatch:10;");
}

static void test_threads(void **state)
{
	answer("qfThreadInfo", "m1,2,3");
	answer("qsThreadInfo", "l");
	answer("T3", "OK");
	answer("T4", "E03");
	answer("T", "E03");
	answer("Hg4", "E16");
	answer("H", "E16");
	answer("Hc-1", "OK");
	answer("Hg0", "OK");
	answer("qThreadExtraInfo,3", "7632");
	answer("qThreadExtraInfo,4", "E16");
}

static void test_queries(void **state)
{
	unsigned int i;

	answer("qAttached", "1");
	answer("qNonsense", "");
	answer("QNonsense", "");
	assert_false(gdb.no_acks);
	answer("QStartNoAckMode", "OK");
	assert_true(gdb.no_acks);
	answer("!", "");
	answer("", "");
	assert_int_equal(ask("qSupported:xmlRegisters=i386"), GDB_MORE);
	assert_non_null(strstr(answers, "PacketSize=1000;"));
	/* "hi"; then 2004 characters in two packets */
	answer("qRcmd,6869", "O6869|OK");
	answer("qRcmd,6", "E16");
	answer("qRcmd,xx", "E16");
	assert_int_equal(ask("qRcmd,6c6f6e67"), GDB_MORE);
	for (i = 0; strchr(answers, 'O') && i < 10; i++)
		*strchr(answers, 'O') = '-';
	assert_int_equal(i, 3);
}

static void test_description(void **state)
{
	static char all[0x10000];
	char question[80];
	size_t length = 0;

	cpus[0].sregs.cr0 = 1;
	cpus[0].sregs.cs.db = 1;
	do {
		snprintf(question, sizeof(question), "qXfer:features:read:target.xml:%zx,100",
			 length);
		assert_int_equal(ask(question), GDB_MORE);
		assert_true(answers[0] == 'm' || answers[0] == 'l');
		answers[strlen(answers) - 1] = '\0';
		strcpy(all + length, answers + 1);
		length += strlen(answers + 1);
		assert_true(length < sizeof(all) - 0x200);
	} while (answers[0] == 'm');
	assert_non_null(strstr(all, "<architecture>i386</architecture>"));
	assert_non_null(strstr(all, "<reg name=\"eip\" bitsize=\"32\" type=\"code_ptr\"/>"));
	assert_string_equal(all + length - 10, "</target>\n");
	assert_int_equal(gdb.arch, GDB_I386);
	answer("qXfer:features:read:target.xml:fffff,100", "l");
	answer("qXfer:features:read:target.xml:0", "E16");

	cpus[0].sregs.cs.db = 0;
	assert_int_equal(gdb_arch_of(&cpus[0]), GDB_I8086);
	cpus[0].sregs.efer = 0x500;
	assert_int_equal(gdb_arch_of(&cpus[0]), GDB_X86_64);
	cpus[0].sregs = (struct kvm_sregs) { .cs.db = 1 };
	assert_int_equal(gdb_arch_of(&cpus[0]), GDB_I8086);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_frames),
		cmocka_unit_test_setup(test_registers, begin),
		cmocka_unit_test_setup(test_refused_registers, begin),
		cmocka_unit_test_setup(test_tags, begin),
		cmocka_unit_test_setup(test_memory, begin),
		cmocka_unit_test_setup(test_points, begin),
		cmocka_unit_test_setup(test_going_on, begin),
		cmocka_unit_test_setup(test_stops, begin),
		cmocka_unit_test_setup(test_threads, begin),
		cmocka_unit_test_setup(test_queries, begin),
		cmocka_unit_test_setup(test_description, begin),
	};

	return cmocka_run_group_tests_name("gdb", tests, NULL, NULL);
}
