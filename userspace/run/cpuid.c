// SPDX-License-Identifier: GPL-2.0
/*
 * What a guest's processors tell of themselves: what the device offers, except
 * what belongs to the machine and not to the processor: how many processors
 * there are and which of them this is, its local APIC, the frequency of its
 * time-stamp counter. SDM Vol. 2A, "CPUID" (2024: table 3-17).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "cpuid.h"

#define ECX_X2APIC		BIT(21)
#define ECX_TSC_DEADLINE	BIT(24)
#define ECX_HYPERVISOR		BIT(31)
#define EDX_HTT			BIT(28)

#define LEAF_TOPOLOGY	0xb
#define LEAF_TSC	0x15
#define LEVEL_SMT	1
#define LEVEL_CORE	2

/* What KVM's local APIC timer runs at, and calls the crystal here. */
#define CRYSTAL_KHZ	1000000

/**
 * cpuid_supported() - the leaves that the device offers
 * @device: its descriptor
 *
 * The list says what the device can do; -E2BIG is how it says "more room".
 *
 * Return: the list; free() it. NULL with errno set if it cannot be had.
 */
struct kvm_cpuid2 *cpuid_supported(int device)
{
	struct kvm_cpuid2 *cpuid = NULL;
	unsigned int count;

	for (count = 64; count <= 4096; count *= 2) {
		free(cpuid);
		cpuid = calloc(1, sizeof(*cpuid) + count * sizeof(cpuid->entries[0]));
		if (!cpuid)
			return NULL;
		cpuid->nent = count;
		if (!ioctl(device, KVM_GET_SUPPORTED_CPUID, cpuid))
			return cpuid;
		if (errno != E2BIG)
			break;
	}
	free(cpuid);
	return NULL;
}

/* Bits that number @count things. */
static unsigned int width_of(unsigned int count)
{
	unsigned int width = 0;

	while (1U << width < count)
		width++;
	return width;
}

static struct kvm_cpuid_entry2 *add(struct kvm_cpuid2 *cpuid, __u32 function, __u32 index)
{
	struct kvm_cpuid_entry2 *entry = &cpuid->entries[cpuid->nent++];

	*entry = (struct kvm_cpuid_entry2){
		.function = function,
		.index = index,
		.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
	};
	return entry;
}

/* Cores without hyper-threading, all in one package. */
static void add_topology(struct kvm_cpuid2 *cpuid, const struct cpuid_machine *machine,
			 unsigned int cpu)
{
	struct kvm_cpuid_entry2 *entry;

	entry = add(cpuid, LEAF_TOPOLOGY, 0);
	entry->ebx = 1;
	entry->ecx = 0 | LEVEL_SMT << 8;
	entry->edx = cpu;
	entry = add(cpuid, LEAF_TOPOLOGY, 1);
	entry->eax = width_of(machine->cpus);
	entry->ebx = machine->cpus;
	entry->ecx = 1 | LEVEL_CORE << 8;
	entry->edx = cpu;
	entry = add(cpuid, LEAF_TOPOLOGY, 2);
	entry->ecx = 2;
	entry->edx = cpu;
}

/**
 * cpuid_tsc_ratio() - the counter's frequency as leaf 15H has it
 * @khz: the frequency
 * @denominator: of its ratio to CRYSTAL_KHZ
 * @numerator: the same
 *
 * Exact where that can be; else as near as a numerator allows with which Linux's
 * product with CRYSTAL_KHZ does not overflow 32 bits.
 */
void cpuid_tsc_ratio(__u32 khz, __u32 *denominator, __u32 *numerator)
{
	__u64 best = ~0ULL, wrong, up, down;

	for (down = 1; down <= CRYSTAL_KHZ; down++) {
		up = (down * khz + CRYSTAL_KHZ / 2) / CRYSTAL_KHZ;
		if (up > 0xffffffffULL / CRYSTAL_KHZ)
			break;
		/* |up / down - khz / CRYSTAL_KHZ|, times CRYSTAL_KHZ << 20 */
		wrong = llabs((long long)(up * CRYSTAL_KHZ - down * khz)) * (1ULL << 20) / down;
		if (wrong < best) {
			best = wrong;
			*denominator = down;
			*numerator = up;
		}
		if (!wrong)
			break;
	}
}

static void edit(struct kvm_cpuid_entry2 *entry, const struct cpuid_machine *machine,
		 unsigned int cpu)
{
	unsigned int many = 1U << width_of(machine->cpus);

	switch (entry->function) {
	case 0x1:
		entry->ebx = (entry->ebx & 0xff00ffff) | many << 16;
		entry->ebx = (entry->ebx & 0x00ffffff) | cpu << 24;
		entry->ecx &= ~(ECX_TSC_DEADLINE | (machine->apic ? 0 : ECX_X2APIC));
		entry->ecx |= ECX_HYPERVISOR | (machine->tsc_deadline ? ECX_TSC_DEADLINE : 0);
		entry->edx &= ~EDX_HTT;
		entry->edx |= machine->cpus > 1 ? EDX_HTT : 0;
		break;
	case 0x4:
		/* The last level is for all; how many cores are in a package. */
		if (!(entry->eax & 0x1f))
			break;
		entry->eax &= 0x3fff;
		entry->eax |= (many - 1) << 26;
		if ((entry->eax >> 5 & 7) >= 3)
			entry->eax |= (many - 1) << 14;
		break;
	}
}

/* Leaves that are made anew, if at all. */
static bool is_replaced(const struct kvm_cpuid_entry2 *entry)
{
	return entry->function == LEAF_TOPOLOGY || entry->function == 0x1f ||
	       entry->function == LEAF_TSC || entry->function == 0x16;
}

/**
 * cpuid_build() - what one processor tells
 * @supported: what the device offers
 * @machine: what it is to tell of the machine
 * @cpu: its number, which is its APIC's
 *
 * Return: the list; free() it. NULL if there is no memory.
 */
struct kvm_cpuid2 *cpuid_build(const struct kvm_cpuid2 *supported,
			       const struct cpuid_machine *machine, unsigned int cpu)
{
	unsigned int i, room = supported->nent + CPUID_ADDED;
	struct kvm_cpuid_entry2 *entry, *first = NULL;
	struct kvm_cpuid2 *cpuid;

	cpuid = calloc(1, sizeof(*cpuid) + room * sizeof(cpuid->entries[0]));
	if (!cpuid)
		return NULL;
	for (i = 0; i < supported->nent; i++) {
		if (is_replaced(&supported->entries[i]))
			continue;
		entry = &cpuid->entries[cpuid->nent++];
		*entry = supported->entries[i];
		edit(entry, machine, cpu);
		if (!entry->function)
			first = entry;
	}
	if (first && first->eax >= LEAF_TOPOLOGY)
		add_topology(cpuid, machine, cpu);
	/* What is between the device's last leaf and this one is zero. */
	if (first && machine->tsc_khz) {
		if (first->eax < LEAF_TSC)
			first->eax = LEAF_TSC;
		entry = add(cpuid, LEAF_TSC, 0);
		entry->flags = 0;
		entry->ecx = CRYSTAL_KHZ * 1000;
		cpuid_tsc_ratio(machine->tsc_khz, &entry->eax, &entry->ebx);
	}
	return cpuid;
}

/**
 * cpuid_address_bits() - how wide physical addresses are
 * @cpuid: what the processor tells
 *
 * Return: bits.
 */
unsigned int cpuid_address_bits(const struct kvm_cpuid2 *cpuid)
{
	unsigned int i;

	for (i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == 0x80000008)
			return cpuid->entries[i].eax & 0xff;
	}
	return 36;
}
