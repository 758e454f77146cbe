// SPDX-License-Identifier: GPL-2.0
/*
 * The virtual machine: its memory and its vCPU, by the calls of <linux/kvm.h>.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "machine.h"

#define HUGE_PAGE	(2 * MIB)

/*
 * Pages that KVM takes for itself on processors without unrestricted guest. In
 * the hole, where no guest of ours has anything.
 */
#define IDENTITY_MAP	0xfffbc000ULL
#define TSS_PAGES	0xfffbd000ULL

#define CPUID_1_ECX_X2APIC		BIT(21)
#define CPUID_1_ECX_TSC_DEADLINE	BIT(24)
#define CPUID_1_ECX_HYPERVISOR		BIT(31)
#define CPUID_1_EBX_APIC_ID		0xff000000U

/**
 * machine_memory() - guest-physical memory, as we see it
 * @machine: the machine
 * @address: guest-physical
 * @size: bytes that must be there
 *
 * Return: where it is in our own memory, or NULL if it is not all RAM.
 */
__u8 *machine_memory(const struct machine *machine, __u64 address, __u64 size)
{
	if (!layout_is_ram(&machine->layout, address, size))
		return NULL;
	if (address >= LAYOUT_HIGH)
		address -= LAYOUT_HIGH - machine->layout.low;
	return machine->memory + address;
}

/**
 * machine_read() - copy from guest-physical memory
 * @machine: a struct machine
 * @address: guest-physical
 * @to: where to
 * @size: bytes
 *
 * Return: false if it is not all RAM.
 */
bool machine_read(void *machine, __u64 address, void *to, unsigned int size)
{
	const __u8 *from = machine_memory(machine, address, size);

	if (from)
		memcpy(to, from, size);
	return from;
}

/*
 * Not reserved, and not touched before the guest does: 64 GiB for a guest that
 * uses three pages of it cost three pages. Aligned, so that huge pages of ours
 * can be huge pages of the guest.
 */
static int map_memory(struct machine *machine, struct failure *failure)
{
	size_t size = machine->layout.low + machine->layout.high;
	size_t surplus;
	__u8 *memory;

	memory = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return failed(failure, STATUS_SYSTEM,
			      "%zu MiB of memory for the guest: %s (--memory asks for less; ulimit -v is the limit)",
			      size >> 20, strerror(errno));

	surplus = -(unsigned long)memory % HUGE_PAGE;
	if (surplus)
		munmap(memory, surplus);
	memory += surplus;
	munmap(memory + size, HUGE_PAGE - surplus);

	machine->memory = memory;
	machine->memory_size = size;
	return STATUS_OK;
}

static int add_slot(struct machine *machine, unsigned int slot, __u64 address,
		    __u64 size, struct failure *failure)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = address,
		.memory_size = size,
		.userspace_addr = (unsigned long)machine_memory(machine, address, size),
	};

	if (size && ioctl(machine->vm, KVM_SET_USER_MEMORY_REGION, &region))
		return failed(failure, STATUS_SYSTEM,
			      "%llu MiB of guest memory at %#llx: %s", size >> 20,
			      address, strerror(errno));
	return STATUS_OK;
}

static int create_memory(struct machine *machine, struct failure *failure)
{
	int status = map_memory(machine, failure);

	if (!status)
		status = add_slot(machine, 0, 0, machine->layout.low, failure);
	if (!status)
		status = add_slot(machine, 1, LAYOUT_HIGH, machine->layout.high, failure);
	return status;
}

/* The list says what the device can do; -E2BIG is how it says "more room". */
static struct kvm_cpuid2 *supported_cpuid(int device)
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

/*
 * The guest sees what the device offers, except what this machine lacks (an
 * APIC), and the number of the CPU on which the question was asked.
 */
static void edit_cpuid(struct kvm_cpuid_entry2 *entry)
{
	switch (entry->function) {
	case 0x1:
		entry->ebx &= ~CPUID_1_EBX_APIC_ID;
		entry->ecx &= ~(CPUID_1_ECX_X2APIC | CPUID_1_ECX_TSC_DEADLINE);
		entry->ecx |= CPUID_1_ECX_HYPERVISOR;
		break;
	case 0xb:
	case 0x1f:
		entry->edx = 0;
		break;
	}
}

static int set_cpuid(struct machine *machine, struct failure *failure)
{
	struct kvm_cpuid2 *cpuid = supported_cpuid(machine->device);
	unsigned int i, width = 36;
	int err;

	if (!cpuid)
		return failed(failure, STATUS_SYSTEM,
			      "the device's list of CPUID leaves: %s", strerror(errno));

	for (i = 0; i < cpuid->nent; i++) {
		edit_cpuid(&cpuid->entries[i]);
		if (cpuid->entries[i].function == 0x80000008)
			width = cpuid->entries[i].eax & 0xff;
	}
	err = ioctl(machine->vcpu, KVM_SET_CPUID2, cpuid) ? errno : 0;
	free(cpuid);
	if (err)
		return failed(failure, STATUS_SYSTEM, "CPUID of the vCPU: %s", strerror(err));

	if ((layout_top(&machine->layout) - 1) >> width)
		return failed(failure, STATUS_USAGE,
			      "--memory: this processor's physical addresses have %u bits, too few for %llu MiB",
			      width, (__u64)machine->memory_size >> 20);
	return STATUS_OK;
}

static int create_vcpu(struct machine *machine, struct failure *failure)
{
	int size;

	machine->vcpu = ioctl(machine->vm, KVM_CREATE_VCPU, 0);
	if (machine->vcpu < 0)
		return failed(failure, STATUS_SYSTEM, "no vCPU: %s", strerror(errno));

	size = ioctl(machine->device, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size < (int)sizeof(*machine->run))
		return failed(failure, STATUS_SYSTEM, "size of struct kvm_run: %s",
			      size < 0 ? strerror(errno) : "too small");
	machine->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			    machine->vcpu, 0);
	if (machine->run == MAP_FAILED)
		return failed(failure, STATUS_SYSTEM, "mapping struct kvm_run: %s",
			      strerror(errno));
	machine->run_size = size;
	return set_cpuid(machine, failure);
}

static int set_reserved_pages(struct machine *machine, struct failure *failure)
{
	__u64 identity_map = IDENTITY_MAP;

	if (ioctl(machine->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) ||
	    ioctl(machine->vm, KVM_SET_TSS_ADDR, TSS_PAGES))
		return failed(failure, STATUS_SYSTEM,
			      "pages for processors without unrestricted guest: %s",
			      strerror(errno));
	return STATUS_OK;
}

static void load_image(struct machine *machine, const struct image *image)
{
	unsigned int i;

	for (i = 0; i < image->count; i++) {
		const struct segment *segment = &image->segments[i];

		/* What is past @filled is zero already: nobody was here before. */
		memcpy(machine_memory(machine, segment->address, segment->size),
		       segment->data, segment->filled);
	}
}

/**
 * machine_create() - make the machine, ready for its first KVM_RUN
 * @machine: to be filled; machine_destroy() it, also after a failure
 * @options: device, size of memory
 * @image: what to run
 * @failure: what went wrong
 *
 * Return: STATUS_OK or why not.
 */
int machine_create(struct machine *machine, const struct options *options,
		   const struct image *image, struct failure *failure)
{
	int status;

	*machine = (struct machine){
		.device = -1, .vm = -1, .vcpu = -1, .run = MAP_FAILED,
	};
	layout_init(&machine->layout, options->memory, image->mode);

	/* Before anything else: what is wrong with the image needs no device. */
	status = image_fits(image, &machine->layout, failure);
	if (!status)
		status = device_open(options->device, &machine->device, failure);
	if (!status)
		status = device_create_vm(options->device, machine->device,
					  &machine->vm, failure);
	if (!status)
		status = set_reserved_pages(machine, failure);
	if (!status)
		status = create_memory(machine, failure);
	if (!status)
		status = create_vcpu(machine, failure);
	if (!status)
		status = cpu_setup(machine, image, failure);
	if (!status)
		load_image(machine, image);
	return status;
}

/**
 * machine_destroy() - give everything back
 * @machine: the machine
 */
void machine_destroy(struct machine *machine)
{
	if (machine->run != MAP_FAILED)
		munmap(machine->run, machine->run_size);
	if (machine->vcpu >= 0)
		close(machine->vcpu);
	if (machine->vm >= 0)
		close(machine->vm);
	if (machine->device >= 0)
		close(machine->device);
	if (machine->memory)
		munmap(machine->memory, machine->memory_size);
}
