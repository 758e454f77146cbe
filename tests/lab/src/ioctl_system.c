// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of the system and the VM descriptor: good and bad arguments.
 *
 * What each should answer is in Documentation/virt/kvm/api.rst of the Linux
 * sources; where that is silent, /dev/kvm is asked in the same boot.
 */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "tap.h"
#include "vm.h"

static const char *device;
static int sys;

static const char *call(int fd, unsigned long cmd, unsigned long arg)
{
	return errno_text(ioctl(fd, cmd, arg));
}

static void version_and_size(void)
{
	is_hex(ioctl(sys, KVM_GET_API_VERSION, 0), 12, "KVM_GET_API_VERSION");
	is(call(sys, KVM_GET_API_VERSION, 1), "EINVAL",
	   "KVM_GET_API_VERSION with an argument");
	is_hex(ioctl(sys, KVM_GET_VCPU_MMAP_SIZE, 0), 3 * PAGE_SIZE,
	       "KVM_GET_VCPU_MMAP_SIZE");
	is(call(sys, KVM_GET_VCPU_MMAP_SIZE, 1), "EINVAL",
	   "KVM_GET_VCPU_MMAP_SIZE with an argument");
}

static void unknown_on_system(void)
{
	is(call(sys, _IO(KVMIO, 0xfe), 0), "EINVAL",
	   "system: unknown number");
	is(call(sys, _IO('T', 1), 0), "EINVAL", "system: another type");
	is(call(sys, _IOR(KVMIO, 0x00, int), 0), "EINVAL",
	   "system: KVM_GET_API_VERSION with a direction and size");
	is(call(sys, _IOWR(KVMIO, 0x05, char[4]), 0), "EINVAL",
	   "system: KVM_GET_SUPPORTED_CPUID with another size");
	is(call(sys, KVM_RUN, 0), "EINVAL", "system: KVM_RUN");
	is(call(sys, KVM_CREATE_VCPU, 0), "EINVAL",
	   "system: KVM_CREATE_VCPU");
	is(call(sys, KVM_GET_REGS, 0), "EINVAL", "system: KVM_GET_REGS");
}

static void open_flags(void)
{
	int ro = open(device, O_RDONLY | O_CLOEXEC);
	void *p;

	ok(ro >= 0, "open for reading alone");
	is_hex(ioctl(ro, KVM_GET_API_VERSION, 0), 12,
	       "KVM_GET_API_VERSION on it");
	close(ro);
	p = mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, sys, 0);
	is(errno_text(p == MAP_FAILED ? -1 : 0), "ENODEV",
	   "mmap of the system descriptor");
}

static void create_vm(void)
{
	int fd = ioctl(sys, KVM_CREATE_VM, 0);

	is(errno_text(fd), "0", "KVM_CREATE_VM");
	is_hex(fcntl(fd, F_GETFD), FD_CLOEXEC, "a VM is closed on exec");
	is_hex(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR, "a VM's open mode");
	close(fd);
	is(call(sys, KVM_CREATE_VM, 1), "EINVAL", "KVM_CREATE_VM of type 1");
	is(call(sys, KVM_CREATE_VM, 1ul << 32), "EINVAL",
	   "KVM_CREATE_VM of type 1 << 32");
	is(call(sys, KVM_CREATE_VM, -1ul), "EINVAL",
	   "KVM_CREATE_VM of type -1");
}

/* What each answers: ../../conformance/capability.c */
static void extensions(void)
{
	is_hex(ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPU_ID) >=
	       ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS), 1,
	       "there are as many vCPU ids as vCPUs");
	is_hex(ioctl(sys, KVM_CHECK_EXTENSION, 0x7fffffff), 0,
	       "an unknown extension");
	is_hex(ioctl(sys, KVM_CHECK_EXTENSION, -1ul), 0, "extension -1");
	is_hex(ioctl(sys, KVM_CHECK_EXTENSION,
		     KVM_CAP_USER_MEMORY | 1ul << 32), 0,
	       "an extension's number is compared in full");
}

static u32 cpuid_word(const struct kvm_cpuid2 *list, u32 fn, u32 index,
		      int reg, bool *found)
{
	const struct kvm_cpuid_entry2 *e;
	u32 i;

	for (i = 0; i < list->nent; i++) {
		e = &list->entries[i];
		if (e->function == fn && e->index == index) {
			u32 regs[] = { e->eax, e->ebx, e->ecx, e->edx };

			*found = true;
			return regs[reg];
		}
	}
	*found = false;
	return 0;
}

static void supported_cpuid_arguments(void)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[300];
	} list = { };
	struct kvm_cpuid2 *edge;
	u32 all;

	is(call(sys, KVM_GET_SUPPORTED_CPUID, 0), "EFAULT",
	   "KVM_GET_SUPPORTED_CPUID to NULL");
	edge = short_pointer(2);
	is(call(sys, KVM_GET_SUPPORTED_CPUID, (uintptr_t)edge), "EFAULT",
	   "KVM_GET_SUPPORTED_CPUID to half a header");
	is(call(sys, KVM_GET_SUPPORTED_CPUID, (uintptr_t)&list), "E2BIG",
	   "KVM_GET_SUPPORTED_CPUID with room for 0");
	list.head.nent = 1;
	is(call(sys, KVM_GET_SUPPORTED_CPUID, (uintptr_t)&list), "E2BIG",
	   "KVM_GET_SUPPORTED_CPUID with room for 1");
	is_hex(list.head.nent, 1, "  which writes no count back");

	list.head.nent = 256;
	is(call(sys, KVM_GET_SUPPORTED_CPUID, (uintptr_t)&list), "0",
	   "KVM_GET_SUPPORTED_CPUID with room for 256");
	all = list.head.nent;
	ok(all > 4 && all < 256, "  writes the count back");
	diag("%u entries", all);
	list.head.nent = all;
	is(call(sys, KVM_GET_SUPPORTED_CPUID, (uintptr_t)&list), "0",
	   "KVM_GET_SUPPORTED_CPUID with room for exactly all");
	list.head.nent = all - 1;
	is(call(sys, KVM_GET_SUPPORTED_CPUID, (uintptr_t)&list), "E2BIG",
	   "KVM_GET_SUPPORTED_CPUID with room for one less");
	list.head.nent = 0xffffffff;
	is(call(sys, KVM_GET_SUPPORTED_CPUID, (uintptr_t)&list), "0",
	   "KVM_GET_SUPPORTED_CPUID with a count of 0xffffffff");
	is_hex(list.head.nent == all, 1, "  writes the same count back");

	edge = short_pointer(sizeof(*edge) + 2 * sizeof(edge->entries[0]));
	edge->nent = 256;
	is(call(sys, KVM_GET_SUPPORTED_CPUID, (uintptr_t)edge), "EFAULT",
	   "KVM_GET_SUPPORTED_CPUID to a short buffer");
}

/* Bits that KVM provides whether or not the CPU has them. */
#define CPUID_1_ECX_EMULATED	0x1200000	/* x2APIC, deadline */
#define CPUID_7_EBX_EMULATED	0x2		/* TSC_ADJUST */
#define CPUID_7_ECX_EMULATED	0x4		/* UMIP */

static void supported_cpuid_content(void)
{
	static const struct {
		const char *name;
		u32 fn;
		int reg;
		u32 emulated;
	} words[] = {
		{ "1.ECX", 1, 2, CPUID_1_ECX_EMULATED },
		{ "1.EDX", 1, 3, 0 },
		{ "7.0.EBX", 7, 1, CPUID_7_EBX_EMULATED },
		{ "7.0.ECX", 7, 2, CPUID_7_ECX_EMULATED },
		{ "0x80000001.ECX", 0x80000001, 2, 0 },
		{ "0x80000001.EDX", 0x80000001, 3, 0 },
		{ "0xd.1.EAX", 0xd, 0, 0 },
	};
	struct vm vm = { .sys = sys };
	struct kvm_cpuid2 *list = supported_cpuid(&vm);
	u32 host[4], got, i, j, index, twice = 0;
	bool found;

	__cpuid(0, host[0], host[1], host[2], host[3]);
	for (i = 1; i < 4; i++)
		is_hex(cpuid_word(list, 0, 0, i, &found), host[i],
		       "the vendor is the CPU's, part %u", i);
	got = cpuid_word(list, 0, 0, 0, &found);
	ok(got >= 7 && got <= 0x1f, "the highest basic leaf is 7 to 0x1f");
	got = cpuid_word(list, 0x80000000, 0, 0, &found);
	ok(got >= 0x80000008, "the highest extended leaf is 0x80000008 or more");

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		index = words[i].fn == 0xd;
		__cpuid_count(words[i].fn, index, host[0], host[1], host[2],
			      host[3]);
		got = cpuid_word(list, words[i].fn, index, words[i].reg,
				 &found);
		got &= ~words[i].emulated;
		is_hex(got & ~host[words[i].reg], 0,
		       "CPUID %s shows nothing that the CPU lacks",
		       words[i].name);
	}
	got = cpuid_word(list, 1, 0, 2, &found);
	is_hex(got >> 31, 0, "the hypervisor bit is left to user space");
	got = cpuid_word(list, 1, 0, 3, &found);
	/* FPU, TSC, MSR, PAE, CX8, SEP, PGE, CMOV, PAT, FXSR, SSE, SSE2 */
	is_hex(got & 0x0701a971, 0x0701a971, "CPUID 1.EDX's basic features");
	got = cpuid_word(list, 0x80000001, 0, 3, &found);
	/* SYSCALL, NX, long mode */
	is_hex(got & 0x20100800, 0x20100800, "SYSCALL, NX and long mode");
	cpuid_word(list, 0xd, 0, 0, &found);
	ok(found, "leaf 0xd is there");
	for (i = 0; i < list->nent; i++)
		if (list->entries[i].function == 0xd &&
		    !(list->entries[i].flags &
		      KVM_CPUID_FLAG_SIGNIFCANT_INDEX))
			break;
	is_hex(i < list->nent, 0, "leaf 0xd's index is significant");
	for (i = 0; i < list->nent; i++)
		for (j = 0; j < i; j++)
			twice += list->entries[i].function ==
				 list->entries[j].function &&
				 list->entries[i].index ==
				 list->entries[j].index;
	is_hex(twice, 0, "no entry is there twice");
	free(list);
}

/*
 * Linux switches ERMS off where the firmware left fast strings off, as the
 * lab's does: then guests must not see it either.
 */
static void linux_takes_away(void)
{
	struct vm vm = { .sys = sys };
	struct kvm_cpuid2 *list = supported_cpuid(&vm);
	bool found, in_linux = false;
	char line[8192];
	FILE *f = fopen("/proc/cpuinfo", "r");

	if (!f)
		bail("/proc/cpuinfo: %s", strerror(errno));
	while (fgets(line, sizeof(line), f))
		in_linux |= !strncmp(line, "flags", 5) && strstr(line, " erms ");
	fclose(f);
	is_hex(cpuid_word(list, 7, 0, 1, &found) >> 9 & 1, in_linux,
	       "ERMS is shown if Linux has it");
	free(list);
}

/* The binary statistics describe themselves. */
static void statistics(int fd, const char *name)
{
	struct kvm_stats_header header = { };
	int stats = ioctl(fd, KVM_GET_STATS_FD, 0);

	is(errno_text(stats < 0 ? -1 : 0), "0", "KVM_GET_STATS_FD on %s", name);
	is_hex(pread(stats, &header, sizeof(header), 0), sizeof(header),
	       "  its header can be read");
	ok(header.num_desc >= 1 && header.name_size >= 8 &&
	   header.id_offset >= sizeof(header) &&
	   header.data_offset >= header.desc_offset + header.num_desc *
	   (sizeof(struct kvm_stats_desc) + header.name_size),
	   "  and makes sense");
	close(stats);
}

static void msr_index_list(int vcpu)
{
	/* The state of a 64-bit guest that only MSRs hold. */
	static const struct {
		const char *name;
		u32 index;
	} needed[] = {
		{ "TSC", 0x10 },
		{ "SYSENTER_CS", 0x174 },
		{ "SYSENTER_ESP", 0x175 },
		{ "SYSENTER_EIP", 0x176 },
		{ "PAT", 0x277 },
		{ "STAR", 0xc0000081 },
		{ "LSTAR", 0xc0000082 },
		{ "CSTAR", 0xc0000083 },
		{ "FMASK", 0xc0000084 },
		{ "KERNEL_GS_BASE", 0xc0000102 },
	};
	struct {
		struct kvm_msr_list head;
		u32 indices[1000];
	} list = { };
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msr = { .head.nmsrs = 1 };
	struct kvm_msr_list *edge;
	struct kvm_cpuid2 *cpuid;
	u32 all, i, bad = 0;
	size_t k;

	is(call(sys, KVM_GET_MSR_INDEX_LIST, 0), "EFAULT",
	   "KVM_GET_MSR_INDEX_LIST to NULL");
	is(call(sys, KVM_GET_MSR_INDEX_LIST, (uintptr_t)&list), "E2BIG",
	   "KVM_GET_MSR_INDEX_LIST with room for 0");
	all = list.head.nmsrs;
	ok(all >= ARRAY_SIZE(needed) && all < 1000,
	   "  writes the needed count back");
	diag("%u MSRs", all);
	list.head.nmsrs = all - 1;
	is(call(sys, KVM_GET_MSR_INDEX_LIST, (uintptr_t)&list), "E2BIG",
	   "KVM_GET_MSR_INDEX_LIST with room for one less");
	is_hex(list.head.nmsrs == all, 1, "  writes the same count back");
	list.head.nmsrs = 1000;
	is(call(sys, KVM_GET_MSR_INDEX_LIST, (uintptr_t)&list), "0",
	   "KVM_GET_MSR_INDEX_LIST with room for 1000");
	is_hex(list.head.nmsrs == all, 1, "  writes the count back");
	edge = short_pointer(sizeof(*edge) + 8);
	edge->nmsrs = 1000;
	is(call(sys, KVM_GET_MSR_INDEX_LIST, (uintptr_t)edge), "EFAULT",
	   "KVM_GET_MSR_INDEX_LIST to a short buffer");

	for (k = 0; k < ARRAY_SIZE(needed); k++) {
		for (i = 0; i < all; i++)
			if (list.indices[i] == needed[k].index)
				break;
		ok(i < all, "%s is listed", needed[k].name);
	}
	/* Some MSRs come with a CPUID bit. */
	cpuid = supported_cpuid(&(struct vm){ .sys = sys });
	is(call(vcpu, KVM_SET_CPUID2, (uintptr_t)cpuid), "0",
	   "KVM_SET_CPUID2 of all that is supported");
	free(cpuid);
	for (i = 0; i < all; i++) {
		msr.entry.index = list.indices[i];
		if (ioctl(vcpu, KVM_GET_MSRS, &msr) == 1)
			continue;
		bad++;
		diag("KVM_GET_MSRS does not know %#x", list.indices[i]);
	}
	is_hex(bad, 0, "listed MSRs that KVM_GET_MSRS does not know");
}

static const char *region(int vm, u32 slot, u32 flags, u64 gpa, u64 size,
			  const void *hva)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)hva,
	};

	return call(vm, KVM_SET_USER_MEMORY_REGION, (uintptr_t)&r);
}

static void memory_regions(int vm)
{
	int slots = ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS);
	char *p = mmap(NULL, 32 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		bail("mmap: %s", strerror(errno));

	is(call(vm, KVM_SET_USER_MEMORY_REGION, 0), "EFAULT",
	   "region: NULL");
	is(region(vm, 0, 4, 0, PAGE_SIZE, p), "EINVAL", "region: flag 4");
	is(region(vm, 0, 1u << 31, 0, PAGE_SIZE, p), "EINVAL",
	   "region: flag 1 << 31");
	is(region(vm, 0, 0, 0, PAGE_SIZE + 1, p), "EINVAL",
	   "region: size not of whole pages");
	is(region(vm, 0, 0, 1, PAGE_SIZE, p), "EINVAL",
	   "region: guest address inside a page");
	is(region(vm, 0, 0, 0, PAGE_SIZE, p + 1), "EINVAL",
	   "region: user address inside a page");
	is(region(vm, 0, 0, -2ull * PAGE_SIZE, 4 * PAGE_SIZE, p), "EINVAL",
	   "region: guest address wraps");
	is(region(vm, 0, 0, 0, -2ull * PAGE_SIZE, p), "EINVAL",
	   "region: size wraps the user address");
	is(region(vm, 0, 0, 0, PAGE_SIZE, (void *)-PAGE_SIZE), "EINVAL",
	   "region: a kernel address");
	is(region(vm, slots, 0, 0, PAGE_SIZE, p), "EINVAL",
	   "region: the first slot that is not there");
	is(region(vm, 0xffffffff, 0, 0, PAGE_SIZE, p), "EINVAL",
	   "region: slot 0xffffffff");
	is(region(vm, 2 << 16, 0, 0, PAGE_SIZE, p), "EINVAL",
	   "region: address space 2");
	is(region(vm, 0, 0, 0, 0, NULL), "EINVAL",
	   "region: delete what is not there");

	is(region(vm, 0, 0, 0, 4 * PAGE_SIZE, p), "0", "region: four pages");
	is(region(vm, 0, 0, 0, 4 * PAGE_SIZE, p), "0", "region: the same again");
	is(region(vm, 0, 0, 0, 5 * PAGE_SIZE, p), "EINVAL", "region: resize");
	is(region(vm, 0, 0, 0, 4 * PAGE_SIZE, p + PAGE_SIZE), "EINVAL",
	   "region: other user address");
	is(region(vm, 0, KVM_MEM_READONLY, 0, 4 * PAGE_SIZE, p), "EINVAL",
	   "region: made read-only later");
	is(region(vm, 1, 0, 3 * PAGE_SIZE, PAGE_SIZE, p), "EEXIST",
	   "region: overlap of the last page");
	is(region(vm, 1, 0, 0, 16 * PAGE_SIZE, p), "EEXIST",
	   "region: overlap around all");
	is(region(vm, 1, 0, 4 * PAGE_SIZE, PAGE_SIZE, p), "0",
	   "region: adjacent, memory shared with slot 0");
	is(region(vm, 1, 0, 3 * PAGE_SIZE, PAGE_SIZE, p), "EEXIST",
	   "region: moved onto another");
	is(region(vm, 0, 0, 2 * PAGE_SIZE, 4 * PAGE_SIZE, p), "EEXIST",
	   "region: moved partly onto another");
	is(region(vm, 1, 0, 8 * PAGE_SIZE, PAGE_SIZE, p), "0", "region: moved away");
	is(region(vm, 0, 0, 2 * PAGE_SIZE, 4 * PAGE_SIZE, p), "0",
	   "region: moved onto itself");
	is(region(vm, slots - 1, KVM_MEM_READONLY, 16 * PAGE_SIZE, PAGE_SIZE, p), "0",
	   "region: the last slot, read-only");
	is(region(vm, 3, 0, 1ull << 35, PAGE_SIZE, p), "0",
	   "region: at 32 GiB");
	is(region(vm, 4, 0, 32 * PAGE_SIZE, PAGE_SIZE, (void *)PAGE_SIZE), "0",
	   "region: over a user address where nothing is yet");
	is(region(vm, 0, 0, 0, 0, NULL), "0", "region: delete");
	is(region(vm, 0, 0, 0, 0, NULL), "EINVAL", "region: delete again");
	is(region(vm, 0, 0, 0, 5 * PAGE_SIZE, p), "0",
	   "region: deleted and made again with another size");
	munmap(p, 32 * PAGE_SIZE);
	is(region(vm, 5, 0, 64 * PAGE_SIZE, 0, NULL), "EINVAL",
	   "region: size 0 in a new slot");
}

static void addresses(int vm)
{
	u64 address = 0xfeffc000;

	is(call(vm, KVM_SET_TSS_ADDR, 0xfffbd000), "0", "KVM_SET_TSS_ADDR");
	is(call(vm, KVM_SET_TSS_ADDR, 0xffffd000), "0",
	   "KVM_SET_TSS_ADDR: three pages below 4 GiB");
	is(call(vm, KVM_SET_TSS_ADDR, 0xffffd001), "EINVAL",
	   "KVM_SET_TSS_ADDR: one byte more");
	is(call(vm, KVM_SET_TSS_ADDR, 1ul << 32), "EINVAL",
	   "KVM_SET_TSS_ADDR: at 4 GiB");
	is(call(vm, KVM_SET_IDENTITY_MAP_ADDR, 0), "EFAULT",
	   "KVM_SET_IDENTITY_MAP_ADDR: NULL");
	is(call(vm, KVM_SET_IDENTITY_MAP_ADDR, (uintptr_t)&address), "0",
	   "KVM_SET_IDENTITY_MAP_ADDR");
	address = 0;
	is(call(vm, KVM_SET_IDENTITY_MAP_ADDR, (uintptr_t)&address), "0",
	   "KVM_SET_IDENTITY_MAP_ADDR: 0 (the default again)");
}

static int create_vcpus(int vm)
{
	int ids = ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPU_ID);
	u64 address = 0xfeffc000;
	int vcpu, fd;

	is(call(vm, KVM_CREATE_VCPU, ids), "EINVAL",
	   "KVM_CREATE_VCPU: the first id that is not there");
	is(call(vm, KVM_CREATE_VCPU, 0xffffffff), "EINVAL",
	   "KVM_CREATE_VCPU: 0xffffffff");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	is(errno_text(vcpu), "0", "KVM_CREATE_VCPU: 0");
	is_hex(fcntl(vcpu, F_GETFD), FD_CLOEXEC, "a vCPU is closed on exec");
	is_hex(fcntl(vcpu, F_GETFL) & O_ACCMODE, O_RDWR,
	       "a vCPU's open mode");
	is(call(vm, KVM_CREATE_VCPU, 0), "EEXIST", "KVM_CREATE_VCPU: 0 again");
	fd = ioctl(vm, KVM_CREATE_VCPU, ids - 1);
	is(errno_text(fd), "0", "KVM_CREATE_VCPU: the last id");
	close(fd);
	is(call(vm, KVM_CREATE_VCPU, ids - 1), "EEXIST",
	   "KVM_CREATE_VCPU: the last id, whose descriptor is closed");
	is(call(vm, KVM_SET_IDENTITY_MAP_ADDR, (uintptr_t)&address), "EINVAL",
	   "KVM_SET_IDENTITY_MAP_ADDR with a vCPU");
	is(call(vm, KVM_SET_IDENTITY_MAP_ADDR, 0), "EINVAL",
	   "KVM_SET_IDENTITY_MAP_ADDR with a vCPU and NULL");
	is(call(vm, KVM_SET_TSS_ADDR, 0xfffbd000), "0",
	   "KVM_SET_TSS_ADDR with a vCPU");
	return vcpu;
}

static void unknown_on_vm(int vm)
{
	void *p;

	is(call(vm, _IO(KVMIO, 0xfe), 0), "ENOTTY", "VM: unknown number");
	is(call(vm, _IO('T', 1), 0), "ENOTTY", "VM: another type");
	is(call(vm, _IOW(KVMIO, 0x46, char[16]), 0), "ENOTTY",
	   "VM: KVM_SET_USER_MEMORY_REGION with another size");
	is(call(vm, _IOR(KVMIO, 0x41, int), 0), "ENOTTY",
	   "VM: KVM_CREATE_VCPU with a direction and size");
	is(call(vm, KVM_GET_API_VERSION, 0), "ENOTTY",
	   "VM: KVM_GET_API_VERSION");
	is(call(vm, KVM_CREATE_VM, 0), "ENOTTY", "VM: KVM_CREATE_VM");
	is(call(vm, KVM_RUN, 0), "ENOTTY", "VM: KVM_RUN");
	is(call(vm, KVM_GET_REGS, 0), "ENOTTY", "VM: KVM_GET_REGS");
	p = mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, vm, 0);
	is(errno_text(p == MAP_FAILED ? -1 : 0), "ENODEV",
	   "mmap of the VM descriptor");
}

/* A VM belongs to the address space that made it. */
static void in_a_child(int vm, int vcpu)
{
	struct kvm_regs regs;
	char seen[3][32];
	int pipes[2], fd;

	if (pipe(pipes))
		bail("pipe: %s", strerror(errno));
	if (!fork()) {
		strcpy(seen[0], call(vm, KVM_CREATE_VCPU, 1));
		strcpy(seen[1], call(vcpu, KVM_GET_REGS, (uintptr_t)&regs));
		fd = ioctl(sys, KVM_CREATE_VM, 0);
		strcpy(seen[2], errno_text(fd));
		if (write(pipes[1], seen, sizeof(seen)) != sizeof(seen))
			_exit(1);
		_exit(0);
	}
	close(pipes[1]);
	if (read(pipes[0], seen, sizeof(seen)) != sizeof(seen))
		bail("the child died");
	wait(NULL);
	close(pipes[0]);
	is(seen[0], "EIO", "child: KVM_CREATE_VCPU on the parent's VM");
	is(seen[1], "EIO", "child: KVM_GET_REGS on the parent's vCPU");
	is(seen[2], "0", "child: KVM_CREATE_VM");
}

int main(int argc, char **argv)
{
	int vm, vcpu;

	if (argc != 2)
		bail("usage: %s DEVICE", argv[0]);
	device = argv[1];
	watchdog(60);
	sys = open(device, O_RDWR | O_CLOEXEC);
	if (sys < 0)
		bail("%s: %s", device, strerror(errno));

	version_and_size();
	unknown_on_system();
	open_flags();
	create_vm();
	supported_cpuid_arguments();
	supported_cpuid_content();
	linux_takes_away();

	vm = ioctl(sys, KVM_CREATE_VM, 0);
	if (vm < 0)
		bail("KVM_CREATE_VM: %s", strerror(errno));
	extensions();
	memory_regions(vm);
	addresses(vm);
	vcpu = create_vcpus(vm);
	unknown_on_vm(vm);
	msr_index_list(vcpu);
	statistics(vm, "a VM");
	statistics(vcpu, "a vCPU");
	in_a_child(vm, vcpu);
	return done_testing();
}
