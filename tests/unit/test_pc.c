// SPDX-License-Identifier: GPL-2.0
/*
 * What the launcher shows a kernel of its machine: ACPI tables, CPUID, the ports
 * of a PC; and the keys that are for the launcher.
 */
// sources: userspace/run/acpi.c userspace/run/cpuid.c userspace/run/platform.c
// sources: userspace/run/cmos.c userspace/run/escape.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "userspace/run/acpi.h"
#include "userspace/run/cpuid.h"
#include "userspace/run/escape.h"
#include "userspace/run/platform.h"

/* --- ACPI: found as an operating system finds it --- */

#define BASE	0xe0000

static __u8 tables[ACPI_SIZE];

static __u64 get(const __u8 *bytes, unsigned int size)
{
	__u64 value = 0;

	while (size--)
		value = value << 8 | bytes[size];
	return value;
}

static __u8 sum(const __u8 *bytes, unsigned int size)
{
	__u8 total = 0;

	while (size--)
		total += *bytes++;
	return total;
}

static const __u8 *table_at(__u64 address, const char *signature)
{
	const __u8 *table = tables + (address - BASE);
	__u64 length;

	assert_in_range(address, BASE, BASE + ACPI_SIZE - 36);
	assert_memory_equal(table, signature, 4);
	length = get(table + 4, 4);
	assert_in_range(length, 36, BASE + ACPI_SIZE - address);
	if (strcmp(signature, "FACS"))
		assert_int_equal(sum(table, length), 0);
	return table;
}

/* What tables of this kind cover, lest one is behind another's back. */
static void mark(__u8 *used, const __u8 *table, unsigned int length)
{
	unsigned int i;

	for (i = 0; i < length; i++)
		assert_int_equal(used[table - tables + i]++, 0);
}

static const __u8 *root(void)
{
	assert_memory_equal(tables, "RSD PTR ", 8);
	assert_int_equal(sum(tables, 20), 0);
	assert_int_equal(sum(tables, 36), 0);
	assert_int_equal(tables[15], 2);
	return table_at(get(tables + 24, 8), "XSDT");
}

static void test_acpi(void **state)
{
	const __u8 *xsdt, *fadt, *madt, *dsdt, *facs;
	__u8 used[ACPI_SIZE] = { 0 };

	acpi_build(tables, BASE, 16);
	xsdt = root();
	assert_int_equal(get(xsdt + 4, 4), 36 + 2 * 8);
	fadt = table_at(get(xsdt + 36, 8), "FACP");
	madt = table_at(get(xsdt + 44, 8), "APIC");
	dsdt = table_at(get(fadt + 40, 4), "DSDT");
	facs = table_at(get(fadt + 36, 4), "FACS");
	assert_int_equal((facs - tables) % 64, 0);
	mark(used, tables, 36);
	mark(used, xsdt, get(xsdt + 4, 4));
	mark(used, fadt, get(fadt + 4, 4));
	mark(used, madt, get(madt + 4, 4));
	mark(used, dsdt, get(dsdt + 4, 4));
	mark(used, facs, get(facs + 4, 4));

	/* The ports are those that platform.c answers. */
	assert_int_equal(get(fadt + 46, 2), 9);
	assert_int_equal(get(fadt + 48, 4), 0);
	assert_int_equal(get(fadt + 56, 4), 0x600);
	assert_int_equal(get(fadt + 64, 4), 0x604);
	assert_int_equal(get(fadt + 76, 4), 0x608);
	assert_int_equal(fadt[88], 4);
	assert_int_equal(fadt[89], 2);
	assert_int_equal(fadt[91], 4);
	assert_int_equal(get(fadt + 116, 4), 0x01000801);
	assert_int_equal(get(fadt + 120, 8), 0xcf9);
	assert_int_equal(fadt[128], 6);
	/* Reset register; 32 bits of timer; no buttons; C1; WBINVD. */
	assert_int_equal(get(fadt + 112, 4), 1 << 10 | 1 << 8 | 1 << 5 | 1 << 4 | 1 << 2 | 1);
}

static void check_madt(unsigned int cpus)
{
	const __u8 *madt, *entry;
	unsigned int count = 0, controllers = 0, overrides = 0, end;

	acpi_build(tables, BASE, cpus);
	madt = table_at(get(root() + 44, 8), "APIC");
	assert_int_equal(get(madt + 36, 4), 0xfee00000);
	end = get(madt + 4, 4);
	for (entry = madt + 44; entry < madt + end; entry += entry[1]) {
		switch (entry[0]) {
		case 0:
			assert_int_equal(entry[1], 8);
			assert_int_equal(entry[3], count);
			assert_int_equal(get(entry + 4, 4), 1);
			count++;
			break;
		case 1:
			assert_int_equal(entry[1], 12);
			assert_int_equal(get(entry + 4, 4), 0xfec00000);
			assert_int_equal(get(entry + 8, 4), 0);
			controllers++;
			break;
		case 2:
			assert_int_equal(entry[1], 10);
			assert_int_equal(entry[3], 9);
			assert_int_equal(get(entry + 4, 4), 9);
			assert_int_equal(get(entry + 8, 2), 0xd);
			overrides++;
			break;
		default:
			fail_msg("type %u", entry[0]);
		}
	}
	assert_ptr_equal(entry, madt + end);
	assert_int_equal(count, cpus);
	assert_int_equal(controllers, 1);
	assert_int_equal(overrides, 1);
}

static void test_madt(void **state)
{
	check_madt(1);
	check_madt(2);
	check_madt(16);
}

/* AML by hand: each package's length is that of what is in it. */
static void test_aml(void **state)
{
	const __u8 *fadt, *dsdt, *at, *end;

	acpi_build(tables, BASE, 1);
	fadt = table_at(get(root() + 36, 8), "FACP");
	dsdt = table_at(get(fadt + 40, 4), "DSDT");
	end = dsdt + get(dsdt + 4, 4);
	at = dsdt + 36;
	assert_memory_equal(at, "\x08_S5_\x12", 6);
	at += 6;
	assert_memory_equal(at + 1, "\x04\x0a\x05\x0a\x05\x00\x00", 7);
	at += *at;
	assert_memory_equal(at, "\x5b\x82", 2);
	at += 2;
	assert_ptr_equal(at + *at, end);
	at = memmem(at, end - at, "_CRS", 4);
	assert_non_null(at);
	at += 4;
	assert_int_equal(at[0], 0x11);
	assert_ptr_equal(at + 1 + at[1], end);
	/* The buffer: an I/O range of 8 bytes and the end tag of 2. */
	assert_int_equal(at[2], 0x0a);
	assert_int_equal(at[3], 10);
	assert_int_equal(get(at + 6, 2), 0x505);
	assert_int_equal(get(at + 8, 2), 0x505);
}

/* --- CPUID --- */

static struct kvm_cpuid2 *offered(void)
{
	static const struct kvm_cpuid_entry2 leaves[] = {
		{ .function = 0, .eax = 0x16 },
		{ .function = 1, .ebx = 0x07100800, .ecx = 1 << 21 | 1 << 24, .edx = 1 << 28 | 1 },
		{ .function = 4, .index = 0, .flags = 1, .eax = 0x1c004121 },
		{ .function = 4, .index = 1, .flags = 1, .eax = 0x1c00c163 },
		{ .function = 4, .index = 2, .flags = 1, .eax = 0 },
		{ .function = 0xb, .index = 0, .flags = 1, .edx = 7 },
		{ .function = 0x15, .eax = 2, .ebx = 300 },
		{ .function = 0x16, .eax = 3500 },
		{ .function = 0x40000000, .eax = 0x40000001 },
		{ .function = 0x80000008, .eax = 0x3027 },
	};
	struct kvm_cpuid2 *cpuid = malloc(sizeof(*cpuid) + sizeof(leaves));

	cpuid->nent = ARRAY_SIZE(leaves);
	memcpy(cpuid->entries, leaves, sizeof(leaves));
	return cpuid;
}

static const struct kvm_cpuid_entry2 *leaf(const struct kvm_cpuid2 *cpuid,
					   __u32 function, __u32 index)
{
	const struct kvm_cpuid_entry2 *found = NULL;
	unsigned int i;

	for (i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function != function || cpuid->entries[i].index != index)
			continue;
		assert_null(found);
		found = &cpuid->entries[i];
	}
	return found;
}

static void test_cpuid(void **state)
{
	struct cpuid_machine machine = {
		.cpus = 3, .apic = true, .tsc_deadline = true, .tsc_khz = 100000,
	};
	struct kvm_cpuid2 *from = offered(), *cpuid = cpuid_build(from, &machine, 2);

	/* APIC number 2, four numbers taken, hypervisor, x2APIC, deadline timer, HTT. */
	assert_int_equal(leaf(cpuid, 1, 0)->ebx, 0x02040800);
	assert_int_equal(leaf(cpuid, 1, 0)->ecx, 1U << 31 | 1 << 24 | 1 << 21);
	assert_int_equal(leaf(cpuid, 1, 0)->edx, 1 << 28 | 1);
	/* Four cores; the first level is each one's own, the third is for all. */
	assert_int_equal(leaf(cpuid, 4, 0)->eax, 3 << 26 | 0x121);
	assert_int_equal(leaf(cpuid, 4, 1)->eax, 3 << 26 | 3 << 14 | 0x163);
	assert_int_equal(leaf(cpuid, 4, 2)->eax, 0);
	assert_int_equal(leaf(cpuid, 0xb, 0)->eax, 0);
	assert_int_equal(leaf(cpuid, 0xb, 0)->ebx, 1);
	assert_int_equal(leaf(cpuid, 0xb, 0)->ecx, 0x100);
	assert_int_equal(leaf(cpuid, 0xb, 0)->edx, 2);
	assert_int_equal(leaf(cpuid, 0xb, 1)->eax, 2);
	assert_int_equal(leaf(cpuid, 0xb, 1)->ebx, 3);
	assert_int_equal(leaf(cpuid, 0xb, 1)->ecx, 0x201);
	assert_int_equal(leaf(cpuid, 0xb, 1)->edx, 2);
	assert_int_equal(leaf(cpuid, 0xb, 2)->ecx, 2);
	/* 1 GHz times 1 / 10. */
	assert_int_equal(leaf(cpuid, 0x15, 0)->eax, 10);
	assert_int_equal(leaf(cpuid, 0x15, 0)->ebx, 1);
	assert_int_equal(leaf(cpuid, 0x15, 0)->ecx, 1000000000);
	assert_null(leaf(cpuid, 0x16, 0));
	assert_int_equal(leaf(cpuid, 0x40000000, 0)->eax, 0x40000001);
	assert_int_equal(cpuid_address_bits(cpuid), 39);
	free(cpuid);
	free(from);
}

static void test_cpuid_bare(void **state)
{
	struct cpuid_machine machine = { .cpus = 1 };
	struct kvm_cpuid2 *from = offered(), *cpuid;

	/* No APIC, nothing known of the counter, nothing above leaf 4. */
	from->entries[0].eax = 4;
	cpuid = cpuid_build(from, &machine, 0);
	assert_int_equal(leaf(cpuid, 1, 0)->ebx, 0x00010800);
	assert_int_equal(leaf(cpuid, 1, 0)->ecx, 1U << 31);
	assert_int_equal(leaf(cpuid, 1, 0)->edx, 1);
	assert_null(leaf(cpuid, 0xb, 0));
	assert_null(leaf(cpuid, 0x15, 0));
	assert_int_equal(leaf(cpuid, 0, 0)->eax, 4);
	free(cpuid);

	/* A counter that is known is told, though the device has no leaf for it. */
	machine.tsc_khz = 3000000;
	cpuid = cpuid_build(from, &machine, 0);
	assert_int_equal(leaf(cpuid, 0, 0)->eax, 0x15);
	assert_int_equal(leaf(cpuid, 0x15, 0)->eax, 1);
	assert_int_equal(leaf(cpuid, 0x15, 0)->ebx, 3);
	free(cpuid);
	free(from);
}

static void test_tsc_ratio(void **state)
{
	static const __u32 rates[] = {
		1, 999, 100000, 1000000, 2894561, 2400000, 3792876, 5500000,
	};
	__u32 down, up;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rates); i++) {
		double wanted = rates[i], got;

		cpuid_tsc_ratio(rates[i], &down, &up);
		/* Linux multiplies in 32 bits. */
		assert_in_range(1000000ULL * up, 1, 0xffffffff);
		got = 1000000.0 * up / down;
		assert_true(got > wanted * 0.999999 && got < wanted * 1.000001);
	}
}

/* --- Ports --- */

static struct platform pc;
static char debugged[8];

static void debug(__u8 byte)
{
	debugged[strlen(debugged)] = byte;
}

static int setup(void **state)
{
	pc = (struct platform){ .debug = debug };
	return 0;
}

static enum platform_result out(unsigned int port, unsigned int size, __u32 value)
{
	__u8 data[4];

	memcpy(data, &value, 4);
	return platform_write(&pc, port, data, size);
}

static __u32 in(unsigned int port, unsigned int size)
{
	__u8 data[4] = { 0 };
	__u32 value;

	assert_int_equal(platform_read(&pc, port, data, size), PLATFORM_DONE);
	memcpy(&value, data, 4);
	return value;
}

static void test_end(void **state)
{
	/* Keyboard controller, port 0x92, ACPI's reset register: reset. */
	assert_int_equal(out(0x64, 1, 0xfe), PLATFORM_RESET);
	assert_int_equal(out(0x64, 1, 0xd1), PLATFORM_DONE);
	assert_int_equal(in(0x64, 1), 0);
	assert_int_equal(out(0x92, 1, 0x03), PLATFORM_RESET);
	assert_int_equal(out(0x92, 1, 0x02), PLATFORM_DONE);
	assert_int_equal(in(0x92, 1), 2);
	assert_int_equal(out(0xcf9, 1, 0x02), PLATFORM_DONE);
	assert_int_equal(out(0xcf9, 1, 0x06), PLATFORM_RESET);
	/* A wide access there is PCI's. */
	assert_int_equal(out(0xcf9, 2, 0x0606), PLATFORM_DONE);
	/* ACPI: only with the type that \_S5 names, and only when told to go. */
	assert_int_equal(in(0x604, 2), 1);
	assert_int_equal(out(0x604, 2, 5 << 10), PLATFORM_DONE);
	assert_int_equal(in(0x604, 2), 5 << 10 | 1);
	assert_int_equal(out(0x604, 2, 1 << 13), PLATFORM_DONE);
	assert_int_equal(out(0x604, 2, 1 << 13 | 5 << 10), PLATFORM_POWER_OFF);
	/* pvpanic: bit 0; it can tell of nothing else. */
	assert_int_equal(in(0x505, 1), 1);
	assert_int_equal(out(0x505, 1, 2), PLATFORM_DONE);
	assert_int_equal(out(0x505, 1, 1), PLATFORM_PANIC);
}

static void test_pm(void **state)
{
	__u32 before, after;

	assert_int_equal(in(0x600, 2), 0);
	out(0x602, 2, 0x120);
	assert_int_equal(in(0x602, 2), 0x120);
	assert_int_equal(in(0x600, 4), 0x120 << 16);
	out(0x600, 4, 0x00210000);
	assert_int_equal(in(0x602, 2), 0x21);

	before = in(0x608, 4);
	do {
		after = in(0x608, 4);
	} while (after == before);
	assert_in_range(after - before, 1, 10 * 3579545);
}

static void test_pci(void **state)
{
	out(0xcf8, 4, 0x80000800);
	assert_int_equal(in(0xcf8, 4), 0x80000800);
	assert_int_equal(in(0xcfb, 1), 0x80);
	assert_int_equal(in(0xcf9, 1), 0x08);
	assert_int_equal(in(0xcfc, 4), 0xffffffff);
	assert_int_equal(in(0xcfe, 2), 0xffff);
	assert_int_equal(in(0xcff, 1), 0xff);
	/* A byte is not an address; Linux asks for the type of the bus so. */
	out(0xcfb, 1, 1);
	assert_int_equal(in(0xcf8, 4), 0x80000800);
	/* Past a register's end nobody drives the lines. */
	assert_int_equal(in(0x64, 2), 0xff00);
	assert_int_equal(in(0xcfa, 4), 0xffff8000);
}

static void test_others(void **state)
{
	__u8 data[4] = { 1, 2, 3, 4 };

	assert_int_equal(out(0xe9, 1, 'D'), PLATFORM_DONE);
	assert_string_equal(debugged, "D");
	assert_int_equal(in(0xe9, 1), 0xe9);
	assert_int_equal(out(0x80, 1, 0), PLATFORM_DONE);
	assert_int_equal(platform_read(&pc, 0x81, data, 1), PLATFORM_NOBODY);
	assert_int_equal(data[0], 1);
	assert_int_equal(out(0x2f8, 1, 0), PLATFORM_NOBODY);
	assert_int_equal(out(0x604 + 2, 1, 0), PLATFORM_NOBODY);
}

static void test_clock(void **state)
{
	/* Saturday, 31 December 2033, 23:59:58 */
	static const struct tm now = {
		.tm_sec = 58, .tm_min = 59, .tm_hour = 23, .tm_mday = 31, .tm_mon = 11,
		.tm_year = 133, .tm_wday = 6,
	};
	static const struct {
		__u8 index, value;
	} registers[] = {
		{ 0, 0x58 }, { 2, 0x59 }, { 4, 0x23 }, { 6, 7 }, { 7, 0x31 }, { 8, 0x12 },
		{ 9, 0x33 }, { 0x32, 0x20 }, { 10, 0x26 }, { 11, 0x02 }, { 12, 0 }, { 13, 0x80 },
	};
	struct tm early = { .tm_year = 99, .tm_mon = 0, .tm_mday = 1, .tm_wday = 0 };
	struct cmos cmos = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(registers); i++) {
		cmos.index = registers[i].index;
		cmos_write(&cmos, 0x99);
		assert_int_equal(cmos_read(&cmos, &now), registers[i].value);
	}
	cmos.index = 0x32;
	assert_int_equal(cmos_read(&cmos, &early), 0x19);
	cmos.index = 8;
	assert_int_equal(cmos_read(&cmos, &early), 1);
	cmos.index = 6;
	assert_int_equal(cmos_read(&cmos, &early), 1);

	/* Memory is beside it; the index has 7 bits. */
	out(0x70, 1, 0x80 | 0x7f);
	out(0x71, 1, 0x42);
	out(0x70, 1, 0x10);
	assert_int_equal(in(0x71, 1), 0);
	out(0x70, 2, 0x4311);
	assert_int_equal(in(0x71, 1), 0x43);
	out(0x70, 1, 0x7f);
	assert_int_equal(in(0x71, 1), 0x42);
}

/* --- Keys --- */

static void test_escape(void **state)
{
	bool pressed = false;
	unsigned int key;

	for (key = 0; key < 256; key++) {
		if (key != 1)
			assert_int_equal(escape_key(&pressed, key), ESCAPE_KEY);
		assert_false(pressed);
	}
	assert_int_equal(escape_key(&pressed, 1), ESCAPE_NOTHING);
	assert_int_equal(escape_key(&pressed, 'h'), ESCAPE_HELP);
	assert_int_equal(escape_key(&pressed, 'h'), ESCAPE_KEY);
	escape_key(&pressed, 1);
	assert_int_equal(escape_key(&pressed, 1), ESCAPE_KEY);
	assert_int_equal(escape_key(&pressed, 'x'), ESCAPE_KEY);
	escape_key(&pressed, 1);
	assert_int_equal(escape_key(&pressed, 'q'), ESCAPE_NOTHING);
	assert_int_equal(escape_key(&pressed, 'x'), ESCAPE_KEY);
	escape_key(&pressed, 1);
	assert_int_equal(escape_key(&pressed, 'x'), ESCAPE_END);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acpi), cmocka_unit_test(test_madt),
		cmocka_unit_test(test_aml), cmocka_unit_test(test_cpuid),
		cmocka_unit_test(test_cpuid_bare), cmocka_unit_test(test_tsc_ratio),
		cmocka_unit_test_setup(test_end, setup), cmocka_unit_test_setup(test_pm, setup),
		cmocka_unit_test_setup(test_pci, setup), cmocka_unit_test_setup(test_others, setup),
		cmocka_unit_test_setup(test_clock, setup), cmocka_unit_test(test_escape),
	};

	return cmocka_run_group_tests_name("pc", tests, NULL, NULL);
}
