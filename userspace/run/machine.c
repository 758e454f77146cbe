// SPDX-License-Identifier: GPL-2.0
/*
 * The virtual machine: its memory and its vCPUs, by the calls of <linux/kvm.h>.
 */
#include <errno.h>
#include <linux/minivmm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "cpuid.h"
#include "machine.h"

#define HUGE_PAGE	(2 * MIB)

/*
 * Pages that KVM takes for itself on processors without unrestricted guest. In
 * the hole, where no guest of ours has anything.
 */
#define IDENTITY_MAP	0xfffbc000ULL
#define TSS_PAGES	0xfffbd000ULL

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

/* The host's frequency is the guest's; a device may not tell it. */
static __u32 tsc_khz(struct machine *machine)
{
	int khz = ioctl(machine->vcpus[0].fd, KVM_GET_TSC_KHZ, 0);

	return khz > 0 ? khz : 0;
}

static int set_cpuid(struct machine *machine, struct failure *failure)
{
	struct kvm_cpuid2 *supported = cpuid_supported(machine->device), *cpuid;
	struct cpuid_machine about = {
		.cpus = machine->cpus,
		.apic = machine->is_pc,
	};
	unsigned int i, width;
	int err = 0;

	if (!supported)
		return failed(failure, STATUS_SYSTEM,
			      "the device's list of CPUID leaves: %s", strerror(errno));
	width = cpuid_address_bits(supported);
	if (machine->is_pc) {
		about.tsc_khz = tsc_khz(machine);
		about.tsc_deadline = ioctl(machine->vm, KVM_CHECK_EXTENSION,
					   KVM_CAP_TSC_DEADLINE_TIMER) > 0;
	}

	for (i = 0; i < machine->cpus && !err; i++) {
		cpuid = cpuid_build(supported, &about, i);
		if (!cpuid)
			err = ENOMEM;
		else if (ioctl(machine->vcpus[i].fd, KVM_SET_CPUID2, cpuid))
			err = errno;
		free(cpuid);
	}
	free(supported);
	if (err)
		return failed(failure, STATUS_SYSTEM, "CPUID of the vCPU: %s", strerror(err));

	if ((layout_top(&machine->layout) - 1) >> width)
		return failed(failure, STATUS_USAGE,
			      "--memory: this processor's physical addresses have %u bits, too few for %llu MiB",
			      width, (__u64)machine->memory_size >> 20);
	return STATUS_OK;
}

static int create_vcpu(struct machine *machine, unsigned int index,
		       struct failure *failure)
{
	struct vcpu *vcpu = &machine->vcpus[index];
	int size;

	vcpu->fd = ioctl(machine->vm, KVM_CREATE_VCPU, index);
	if (vcpu->fd < 0)
		return failed(failure, STATUS_SYSTEM, "no vCPU: %s", strerror(errno));

	size = ioctl(machine->device, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size < (int)sizeof(*vcpu->run))
		return failed(failure, STATUS_SYSTEM, "size of struct kvm_run: %s",
			      size < 0 ? strerror(errno) : "too small");
	vcpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		return failed(failure, STATUS_SYSTEM, "mapping struct kvm_run: %s",
			      strerror(errno));
	vcpu->run_size = size;
	return STATUS_OK;
}

static int create_vcpus(struct machine *machine, struct failure *failure)
{
	unsigned int i;
	int status;

	for (i = 0; i < machine->cpus; i++) {
		status = create_vcpu(machine, i, failure);
		if (status)
			return status;
	}
	return set_cpuid(machine, failure);
}

/* Interrupt controllers and timer, in the kernel; before the first vCPU. */
static int create_controllers(struct machine *machine, const char *device,
			      struct failure *failure)
{
	/* Port 0x61 is the timer's gate, too. */
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	const char *lacks = NULL;

	if (!machine->is_pc)
		return STATUS_OK;
	if (ioctl(machine->vm, KVM_CREATE_IRQCHIP, 0))
		lacks = "interrupt controllers (KVM_CREATE_IRQCHIP)";
	else if (ioctl(machine->vm, KVM_CREATE_PIT2, &pit))
		lacks = "timer (KVM_CREATE_PIT2)";
	if (lacks)
		return failed(failure, STATUS_SYSTEM,
			      "%s gives no %s: %s. Without, no kernel boots; --device names another",
			      device, lacks, strerror(errno));
	return STATUS_OK;
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
	unsigned int i;
	int status;

	*machine = (struct machine){
		.device = -1, .vm = -1, .cpus = options->cpus, .is_pc = options->kernel,
	};
	for (i = 0; i < machine->cpus; i++)
		machine->vcpus[i] = (struct vcpu){
			.machine = machine, .index = i, .fd = -1, .run = MAP_FAILED,
		};
	layout_init(&machine->layout, options->memory, image->mode);

	/* Before anything else: what is wrong with the image needs no device. */
	status = image_fits(image, &machine->layout, failure);
	if (!status)
		status = device_open(options->device, &machine->device, failure);
	if (!status && options->dumps.count &&
	    ioctl(machine->device, MINIVMM_GET_VERSION, 0) < 2)
		status = failed(failure, STATUS_USAGE,
				"--dump-vmcs: %s does not show its VMCSs; /dev/minivmm does",
				options->device);
	if (!status)
		status = device_create_vm(options->device, machine->device,
					  &machine->vm, failure);
	if (!status)
		status = set_reserved_pages(machine, failure);
	if (!status)
		status = create_memory(machine, failure);
	if (!status)
		status = create_controllers(machine, options->device, failure);
	if (!status)
		status = create_vcpus(machine, failure);
	if (!status)
		status = cpu_setup(machine, options, image, failure);
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
	unsigned int i;

	for (i = 0; i < machine->cpus; i++) {
		struct vcpu *vcpu = &machine->vcpus[i];

		if (vcpu->run != MAP_FAILED)
			munmap(vcpu->run, vcpu->run_size);
		if (vcpu->fd >= 0)
			close(vcpu->fd);
	}
	if (machine->vm >= 0)
		close(machine->vm);
	if (machine->device >= 0)
		close(machine->device);
	if (machine->memory)
		munmap(machine->memory, machine->memory_size);
}
