// SPDX-License-Identifier: GPL-2.0
/*
 * ACPI tables: as many as make Linux find its CPUs, the I/O APIC, the way to
 * power off and to reset, and that a panic can be told. ACPI Specification 6.4,
 * chapter 5; the tables are those of revision 4, which has all of it.
 *
 * All of it is at fixed places, one table behind the other.
 */
#include <string.h>
#include "acpi.h"

#define RSDP_AT		0x000
#define XSDT_AT		0x040
#define FACS_AT		0x080		/* wants a multiple of 64 */
#define FADT_AT		0x0c0
#define DSDT_AT		0x200
#define MADT_AT		0x300

#define LOCAL_APIC	0xfee00000
#define IO_APIC		0xfec00000
#define SCI		9

/* Every table but RSDP and FACS begins with this. */
enum {
	LENGTH = 4, REVISION = 8, CHECKSUM = 9, OEM = 10, OEM_TABLE = 16,
	OEM_REVISION = 24, CREATOR = 28, CREATOR_REVISION = 32, HEADER = 36,
};

/* Offsets in the FADT. */
enum {
	FADT_FACS = 36, FADT_DSDT = 40, FADT_SCI = 46, FADT_PM1_EVENT = 56,
	FADT_PM1_CONTROL = 64, FADT_PM_TIMER = 76, FADT_PM1_EVENT_LENGTH = 88,
	FADT_PM1_CONTROL_LENGTH = 89, FADT_PM_TIMER_LENGTH = 91,
	FADT_C2_LATENCY = 96, FADT_C3_LATENCY = 98, FADT_CENTURY = 108,
	FADT_BOOT = 109, FADT_FLAGS = 112, FADT_RESET = 116,
	FADT_RESET_VALUE = 128, FADT_SIZE = 244,
};

/* No VGA. Nor an 8042, so that nobody waits for a keyboard to answer. */
#define BOOT_LEGACY	BIT(0)
#define BOOT_NO_VGA	BIT(2)

#define FLAG_WBINVD	BIT(0)
#define FLAG_C1		BIT(2)
#define FLAG_NO_POWER_BUTTON	BIT(4)
#define FLAG_NO_SLEEP_BUTTON	BIT(5)
#define FLAG_TIMER_32	BIT(8)
#define FLAG_RESET	BIT(10)

/* More than these latencies, in microseconds, mean that there is no such state. */
#define NO_C2		101
#define NO_C3		1001

/*
 *	Name (_S5, Package () { 5, 5, 0, 0 })
 *	Device (\_SB.PEVT) {
 *		Name (_HID, "QEMU0001")
 *		Name (_STA, 0x0f)
 *		Name (_CRS, ResourceTemplate () { IO (Decode16, 0x505, 0x505, 1, 1) })
 *	}
 * What QEMU names "pvpanic": Linux writes to that port when it panics.
 */
static const __u8 aml[] = {
	0x08, '_', 'S', '5', '_', 0x12, 8, 4, 0x0a, ACPI_S5, 0x0a, ACPI_S5, 0x00, 0x00,
	0x5b, 0x82, 52, '\\', 0x2e, '_', 'S', 'B', '_', 'P', 'E', 'V', 'T',
	0x08, '_', 'H', 'I', 'D', 0x0d, 'Q', 'E', 'M', 'U', '0', '0', '0', '1', 0x00,
	0x08, '_', 'S', 'T', 'A', 0x0a, 0x0f,
	0x08, '_', 'C', 'R', 'S', 0x11, 13, 0x0a, 10,
	0x47, 0x01, ACPI_PANIC & 0xff, ACPI_PANIC >> 8, ACPI_PANIC & 0xff, ACPI_PANIC >> 8,
	1, 1, 0x79, 0x00,
};

static void put(__u8 *at, unsigned int size, __u64 value)
{
	for (; size--; value >>= 8)
		*at++ = value;
}

static __u8 checksum(const __u8 *bytes, unsigned int size)
{
	__u8 sum = 0;

	while (size--)
		sum += *bytes++;
	return -sum;
}

static void finish(__u8 *table, const char *signature, unsigned int revision,
		   unsigned int size)
{
	memcpy(table, signature, 4);
	put(table + LENGTH, 4, size);
	table[REVISION] = revision;
	memcpy(table + OEM, "MVMM  ", 6);
	memcpy(table + OEM_TABLE, "MINIVMM ", 8);
	put(table + OEM_REVISION, 4, 1);
	memcpy(table + CREATOR, "MVMM", 4);
	put(table + CREATOR_REVISION, 4, 1);
	table[CHECKSUM] = 0;
	table[CHECKSUM] = checksum(table, size);
}

static void build_fadt(__u8 *fadt, __u64 address)
{
	put(fadt + FADT_FACS, 4, address + FACS_AT);
	put(fadt + FADT_DSDT, 4, address + DSDT_AT);
	put(fadt + FADT_SCI, 2, SCI);
	put(fadt + FADT_PM1_EVENT, 4, ACPI_PM1_EVENT);
	put(fadt + FADT_PM1_CONTROL, 4, ACPI_PM1_CONTROL);
	put(fadt + FADT_PM_TIMER, 4, ACPI_PM_TIMER);
	fadt[FADT_PM1_EVENT_LENGTH] = 4;
	fadt[FADT_PM1_CONTROL_LENGTH] = 2;
	fadt[FADT_PM_TIMER_LENGTH] = 4;
	put(fadt + FADT_C2_LATENCY, 2, NO_C2);
	put(fadt + FADT_C3_LATENCY, 2, NO_C3);
	fadt[FADT_CENTURY] = 0x32;
	put(fadt + FADT_BOOT, 2, BOOT_LEGACY | BOOT_NO_VGA);
	put(fadt + FADT_FLAGS, 4, FLAG_WBINVD | FLAG_C1 | FLAG_NO_POWER_BUTTON |
	    FLAG_NO_SLEEP_BUTTON | FLAG_TIMER_32 | FLAG_RESET);
	/* A generic address: I/O space, 8 bits, from bit 0 on, in bytes. */
	put(fadt + FADT_RESET, 4, 1 | 8 << 8 | 1 << 24);
	put(fadt + FADT_RESET + 4, 8, ACPI_RESET);
	fadt[FADT_RESET_VALUE] = ACPI_RESET_VALUE;
	finish(fadt, "FACP", 4, FADT_SIZE);
}

static void build_madt(__u8 *madt, unsigned int cpus)
{
	__u8 *at = madt + HEADER;
	unsigned int i;

	put(at, 4, LOCAL_APIC);
	put(at + 4, 4, 1);		/* there is a pair of 8259A, too */
	at += 8;
	for (i = 0; i < cpus; i++, at += 8) {
		at[0] = 0;		/* local APIC */
		at[1] = 8;
		at[2] = i;		/* the processor's number, and the APIC's */
		at[3] = i;
		put(at + 4, 4, 1);	/* enabled */
	}
	at[0] = 1;			/* I/O APIC */
	at[1] = 12;
	put(at + 4, 4, IO_APIC);
	at += 12;
	at[0] = 2;			/* the SCI: level-triggered, active high */
	at[1] = 10;
	at[3] = SCI;
	put(at + 4, 4, SCI);
	put(at + 8, 2, 0x0d);
	at += 10;
	finish(madt, "APIC", 3, at - madt);
}

/**
 * acpi_build() - make all tables
 * @tables: ACPI_SIZE bytes to be filled; the RSDP is the first
 * @address: where the guest will see them, below 4 GiB, on a multiple of 64
 * @cpus: how many; their APICs are numbered from 0 on
 */
void acpi_build(__u8 *tables, __u64 address, unsigned int cpus)
{
	__u8 *rsdp = tables + RSDP_AT, *xsdt = tables + XSDT_AT;
	__u8 *facs = tables + FACS_AT, *dsdt = tables + DSDT_AT;

	memset(tables, 0, ACPI_SIZE);

	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + 9, "MVMM  ", 6);
	rsdp[15] = 2;
	put(rsdp + 20, 4, 36);
	put(rsdp + 24, 8, address + XSDT_AT);
	rsdp[8] = checksum(rsdp, 20);
	rsdp[32] = checksum(rsdp, 36);

	put(xsdt + HEADER, 8, address + FADT_AT);
	put(xsdt + HEADER + 8, 8, address + MADT_AT);
	finish(xsdt, "XSDT", 1, HEADER + 16);

	memcpy(facs, "FACS", 4);
	put(facs + LENGTH, 4, 64);
	facs[32] = 1;			/* version */

	memcpy(dsdt + HEADER, aml, sizeof(aml));
	finish(dsdt, "DSDT", 2, HEADER + sizeof(aml));
	build_fadt(tables + FADT_AT, address);
	build_madt(tables + MADT_AT, cpus);
}
