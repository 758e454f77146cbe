// SPDX-License-Identifier: GPL-2.0
/*
 * Every call when memory runs out: its 1st allocation fails, then its 2nd,
 * until none is left that could. Each time the call fails with ENOMEM, or does
 * without; and the same call right after it, with all the memory it wants,
 * works. That nothing leaks and the kernel has no complaint is for others to
 * see (tests/debug/alloc.t).
 *
 * Needs a kernel with CONFIG_FAULT_INJECTION, failslab and fail_page_alloc, and
 * minivmm loaded; "load" as second argument: tries loading it, instead.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include "tap.h"
#include "vm.h"

#define DEBUGFS		"/sys/kernel/debug/"
#define MODULE		"minivmm"

/* Guest-physical addresses from 1 GiB on, a fresh GiB each time */
#define FAR(n)		((u64)(n) << 30)
#define FAR_MAX		100
#define FAR_SIZE	(4ull << 20)

GUEST64(guest_read, "mov (%rdi), %rax; hlt");
GUEST64(guest_write, "movq $1, (%rdi); hlt");
GUEST64(guest_exec, "call *%rdi; hlt");
GUEST64(guest_outs, "mov %rdi, %rsi; mov $16, %ecx; mov $0x10, %dx; rep outsb; hlt");

static const char *device;
static int fail_nth = -1;
static struct vm vm;
static struct vcpu c;
static u64 far;			/* where FAR_SIZE of fresh memory is now */
static void *far_mem;
static int far_used;

static void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		bail("%s: %s", path, strerror(errno));
	close(fd);
}

static long get_number(const char *path)
{
	FILE *f = fopen(path, "r");
	long n;

	if (!f || fscanf(f, "%ld", &n) != 1)
		bail("%s: %s", path, strerror(errno));
	fclose(f);
	return n;
}

/* All allocations of the marked task may fail, and without many words. */
static void set_up_failures(void)
{
	put_file(DEBUGFS "failslab/ignore-gfp-wait", "N");
	put_file(DEBUGFS "failslab/verbose", "0");
	put_file(DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N");
	put_file(DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N");
	put_file(DEBUGFS "fail_page_alloc/min-order", "0");
	put_file(DEBUGFS "fail_page_alloc/verbose", "0");
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0)
		bail("/proc/thread-self/fail-nth: %s", strerror(errno));
}

/* Let the nth allocation from now on fail. */
static void arm(int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", n);

	if (pwrite(fail_nth, text, length, 0) != length)
		bail("fail-nth: %s", strerror(errno));
}

/* Return: did one fail? */
static bool disarm(void)
{
	char text[16] = "";

	if (pread(fail_nth, text, sizeof(text) - 1, 0) <= 0)
		bail("fail-nth: %s", strerror(errno));
	arm(0);
	return atoi(text) == 0;
}

/**
 * struct call - something that allocates
 * @name: what it is
 * @prepare: before each try
 * @call: the call; -1 and errno if it failed
 * @undo: after each try that succeeded, with what @call returned
 * @also: another errno that it may have, 0: none
 */
struct call {
	const char *name;
	void (*prepare)(void);
	long (*call)(void);
	void (*undo)(long ret);
	int also;
};

static void try_from(const struct call *call, int first)
{
	int n, failed = 0, without = 0, wrong = 0;
	bool injected;
	long ret;
	int err;

	for (n = first; n < first + 5000; n++) {
		if (call->prepare)
			call->prepare();
		arm(n);
		ret = call->call();
		err = errno;
		injected = disarm();
		if (ret >= 0) {
			without += injected;
		} else {
			failed++;
			if (!injected || (err != ENOMEM && err != call->also)) {
				diag("allocation %d: %s", n, errno_name(err));
				wrong++;
			}
			ret = call->call();
			if (ret < 0) {
				diag("after allocation %d: %s", n, errno_name(errno));
				wrong++;
			}
		}
		if (ret >= 0 && call->undo)
			call->undo(ret);
		if (!injected)
			break;
	}
	diag("%s: of %d allocations that failed, %d made it fail, %d did not",
	     call->name, failed + without, failed, without);
	ok(!wrong && !injected, "%s without memory", call->name);
}

static void try(const struct call *call)
{
	try_from(call, 1);
}

static void close_it(long fd)
{
	close(fd);
}

/* --- The system's calls ----------------------------------------------------------- */

static long open_device(void)
{
	return open(device, O_RDWR | O_CLOEXEC);
}

static long create_vm(void)
{
	return ioctl(vm.sys, KVM_CREATE_VM, 0);
}

static long get_supported_cpuid(void)
{
	static struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[256];
	} cpuid;

	cpuid.head.nent = ARRAY_SIZE(cpuid.entries);
	return ioctl(vm.sys, KVM_GET_SUPPORTED_CPUID, &cpuid);
}

static long get_msr_index_list(void)
{
	static struct {
		struct kvm_msr_list head;
		u32 indices[256];
	} list;

	list.head.nmsrs = ARRAY_SIZE(list.indices);
	return ioctl(vm.sys, KVM_GET_MSR_INDEX_LIST, &list);
}

static long check_extension(void)
{
	return ioctl(vm.sys, KVM_CHECK_EXTENSION, KVM_CAP_NR_VCPUS);
}

/* --- A VM's calls ----------------------------------------------------------------- */

static int next_id;

/* The number of a vCPU stays taken while its VM lives. */
static long create_vcpu(void)
{
	long ret = ioctl(vm.fd, KVM_CREATE_VCPU, next_id);

	next_id += ret >= 0;
	return ret;
}

static void fresh_vm(void)
{
	vm_open(&vm, device, 1 << 20);
	next_id = 0;
}

static void close_vm_and(long fd)
{
	close(fd);
	vm_close(&vm);
}

static int set_region(u64 gpa, u64 size, void *mem)
{
	struct kvm_userspace_memory_region region = {
		.slot = 1,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)mem,
	};

	return ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, &region);
}

static long create_slot(void)
{
	return set_region(1 << 20, 1 << 16, vm.mem);
}

static long move_slot(void)
{
	return set_region(2 << 20, 1 << 16, vm.mem);
}

static long delete_slot(void)
{
	return set_region(0, 0, NULL);
}

static void have_slot(void)
{
	create_slot();
}

static void no_slot(long ret)
{
	(void)ret;
	delete_slot();
}

static long set_tss_address(void)
{
	return ioctl(vm.fd, KVM_SET_TSS_ADDR, 0xfffbd000);
}

static long set_identity_map(void)
{
	u64 address = 0xfffbc000;

	return ioctl(vm.fd, KVM_SET_IDENTITY_MAP_ADDR, &address);
}

/* --- A vCPU's calls --------------------------------------------------------------- */

static long get_set_regs(void)
{
	struct kvm_regs regs;

	return ioctl(c.fd, KVM_GET_REGS, &regs) ?: ioctl(c.fd, KVM_SET_REGS, &regs);
}

static long get_set_sregs(void)
{
	struct kvm_sregs sregs;

	return ioctl(c.fd, KVM_GET_SREGS, &sregs) ?: ioctl(c.fd, KVM_SET_SREGS, &sregs);
}

static long get_set_fpu(void)
{
	struct kvm_fpu fpu;

	return ioctl(c.fd, KVM_GET_FPU, &fpu) ?: ioctl(c.fd, KVM_SET_FPU, &fpu);
}

static long get_set_msrs(void)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entries[2];
	} msrs = {
		.head.nmsrs = 2,
		.entries = { { .index = 0x10 }, { .index = 0xc0000081 } },
	};

	if (ioctl(c.fd, KVM_GET_MSRS, &msrs) < 0)
		return -1;
	return ioctl(c.fd, KVM_SET_MSRS, &msrs);
}

static struct kvm_cpuid2 *cpuid;

static long get_set_cpuid(void)
{
	cpuid->nent = 256;
	if (get_supported_cpuid() < 0 || ioctl(vm.sys, KVM_GET_SUPPORTED_CPUID, cpuid) ||
	    ioctl(c.fd, KVM_SET_CPUID2, cpuid))
		return -1;
	return ioctl(c.fd, KVM_GET_CPUID2, cpuid);
}

static long set_signal_mask(void)
{
	struct {
		struct kvm_signal_mask head;
		u8 set[8];
	} mask = { .head.len = sizeof(mask.set) };

	return ioctl(c.fd, KVM_SET_SIGNAL_MASK, &mask) ?:
	       ioctl(c.fd, KVM_SET_SIGNAL_MASK, NULL);
}

static long get_stats(void)
{
	char buf[512];
	long n = -1;
	int fd, err;

	fd = ioctl(c.fd, KVM_GET_STATS_FD, 0);
	if (fd < 0)
		return -1;
	n = read(fd, buf, sizeof(buf));
	err = errno;
	close(fd);
	errno = err;
	return n;
}

static void *mapping;

static long map_vcpu(void)
{
	mapping = mmap(NULL, c.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, c.fd, 0);
	if (mapping == MAP_FAILED)
		return -1;
	/* A fault that finds no memory for a page table is tried again. */
	asm volatile("" : : "r" (*(char *)mapping));
	return 0;
}

static void unmap_vcpu(long ret)
{
	(void)ret;
	munmap(mapping, c.run_size);
}

/* --- KVM_RUN ---------------------------------------------------------------------- */

/* It came to its HLT; I/O on the way there is not our business. */
static long run(void)
{
	do {
		if (ioctl(c.fd, KVM_RUN, 0))
			return -1;
	} while (c.run->exit_reason == KVM_EXIT_IO);
	if (c.run->exit_reason == KVM_EXIT_HLT)
		return 0;
	diag("exit reason %u", c.run->exit_reason);
	errno = EBADMSG;
	return -1;
}

/*
 * Memory that neither the host nor the EPT has tables for. The guest's own
 * tables map the first 100 GiB one to one.
 */
static void far_memory(const char *code, const char *end)
{
	struct kvm_regs regs;
	int i;

	far = FAR(1 + far_used++ % FAR_MAX);
	far_mem = mmap(NULL, FAR_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (far_mem == MAP_FAILED || set_region(far, FAR_SIZE, far_mem))
		bail("fresh memory: %s", strerror(errno));
	guest_long(&c, code, end);
	for (i = 1; i <= FAR_MAX; i++)
		((u64 *)(vm.mem + GUEST_PDPT))[i] = FAR(i) | 0x87;
	regs = get_regs(&c);
	regs.rdi = far;
	set_regs(&c, &regs);
}

static void no_far_memory(long ret)
{
	(void)ret;
	set_region(0, 0, NULL);
	munmap(far_mem, FAR_SIZE);
}

static void far_read(void)
{
	far_memory(guest_read, guest_read_end);
}

static void far_write(void)
{
	far_memory(guest_write, guest_write_end);
}

/* What is called there is a RET. */
static void far_exec(void)
{
	far_memory(guest_exec, guest_exec_end);
	memset(far_mem, 0xc3, PAGE_SIZE);
}

static void far_outs(void)
{
	far_memory(guest_outs, guest_outs_end);
}

/* Pages are the host's to take, whatever the guest does with them. */
static void written(void)
{
	far_write();
	if (run())
		bail("a write: %s", strerror(errno));
}

static long take_pages(void)
{
	return madvise(far_mem, FAR_SIZE, MADV_DONTNEED);
}

static long protect_pages(void)
{
	return mprotect(far_mem, PAGE_SIZE, PROT_READ);
}

static void fresh_vcpu(void)
{
	fresh_vm();
	vcpu_open(&c, &vm, 0);
}

static void fresh_guest(void)
{
	fresh_vcpu();
	guest64(&c, guest_write);
}

static void close_all(long ret)
{
	(void)ret;
	vcpu_close(&c);
	vm_close(&vm);
}

static long close_vcpu_and_vm(void)
{
	vcpu_close(&c);
	vm_close(&vm);
	return 0;
}

static const struct call system_calls[] = {
	{ "open", .call = open_device, .undo = close_it },
	{ "KVM_CREATE_VM", .call = create_vm, .undo = close_it },
	{ "KVM_GET_SUPPORTED_CPUID", .call = get_supported_cpuid },
	{ "KVM_GET_MSR_INDEX_LIST", .call = get_msr_index_list },
	{ "KVM_CHECK_EXTENSION", .call = check_extension },
};

/* Each in a VM of its own */
static const struct call life_calls[] = {
	{ "KVM_CREATE_VCPU",
	  .prepare = fresh_vm, .call = create_vcpu, .undo = close_vm_and },
	{ "the first KVM_RUN", .prepare = fresh_guest, .call = run, .undo = close_all },
	{ "close", .prepare = fresh_guest, .call = close_vcpu_and_vm },
};

/* All in one VM */
static const struct call vm_calls[] = {
	{ "a second KVM_CREATE_VCPU", .call = create_vcpu, .undo = close_it },
	{ "KVM_SET_USER_MEMORY_REGION, create", .call = create_slot, .undo = no_slot },
	{ "KVM_SET_USER_MEMORY_REGION, move",
	  .prepare = have_slot, .call = move_slot, .undo = no_slot },
	{ "KVM_SET_USER_MEMORY_REGION, delete", .prepare = have_slot, .call = delete_slot },
	{ "KVM_SET_TSS_ADDR", .call = set_tss_address },
	{ "KVM_GET_REGS and KVM_SET_REGS", .call = get_set_regs },
	{ "KVM_GET_SREGS and KVM_SET_SREGS", .call = get_set_sregs },
	{ "KVM_GET_FPU and KVM_SET_FPU", .call = get_set_fpu },
	{ "KVM_GET_MSRS and KVM_SET_MSRS", .call = get_set_msrs },
	{ "KVM_GET_CPUID2 and KVM_SET_CPUID2", .call = get_set_cpuid },
	{ "KVM_SET_SIGNAL_MASK", .call = set_signal_mask },
	{ "KVM_GET_STATS_FD and read", .call = get_stats },
	{ "mmap of the vCPU", .call = map_vcpu, .undo = unmap_vcpu },
	{ "KVM_RUN, a read", .prepare = far_read, .call = run, .undo = no_far_memory },
	{ "KVM_RUN, a write", .prepare = far_write, .call = run, .undo = no_far_memory },
	{ "KVM_RUN, code", .prepare = far_exec, .call = run, .undo = no_far_memory },
	/* What the kernel copies for a program that faults is EFAULT then. */
	{ "KVM_RUN, REP OUTS",
	  .prepare = far_outs, .call = run, .undo = no_far_memory, .also = EFAULT },
	{ "madvise of guest memory",
	  .prepare = written, .call = take_pages, .undo = no_far_memory },
	{ "mprotect of guest memory",
	  .prepare = written, .call = protect_pages, .undo = no_far_memory },
};

static void try_calls(void)
{
	size_t i;
	int n;

	vm.sys = open_device();
	if (vm.sys < 0)
		bail("%s: %s", device, strerror(errno));
	for (i = 0; i < ARRAY_SIZE(system_calls); i++)
		try(&system_calls[i]);
	close(vm.sys);
	for (i = 0; i < ARRAY_SIZE(life_calls); i++)
		try(&life_calls[i]);

	fresh_vm();
	try(&(struct call){ "KVM_SET_IDENTITY_MAP_ADDR", .call = set_identity_map });
	vcpu_open(&c, &vm, next_id++);
	cpuid = supported_cpuid(&vm);
	for (i = 0; i < ARRAY_SIZE(vm_calls); i++)
		try(&vm_calls[i]);
	/* After all that, a guest runs as if nothing had been. */
	for (n = 0; n < 3; n++) {
		far_write();
		ok(!run() && *(u64 *)far_mem == 1, "a guest writes, run %d", n + 1);
		no_far_memory(0);
	}
	close_all(0);
}

/* --- The module itself ------------------------------------------------------------ */

static int module_file = -1;

static long load(void)
{
	return syscall(SYS_finit_module, module_file, "", 0);
}

/*
 * What the kernel allocates for a module before it calls that: it warns when
 * that fails, which is not our business. It reads the parameters last.
 */
static int allocations_before_init(void)
{
	const int many = 100000;
	char text[16] = "";
	int i, most = 0, n;

	for (i = 0; i < 3; i++) {
		arm(many);
		if (!syscall(SYS_finit_module, module_file, "vpid=2", 0) ||
		    errno != EINVAL)
			bail("a wrong parameter: %s", strerror(errno));
		if (pread(fail_nth, text, sizeof(text) - 1, 0) <= 0)
			bail("fail-nth: %s", strerror(errno));
		arm(0);
		n = many - atoi(text);
		most = n > most ? n : most;
	}
	diag("allocations before the module's own: %d", most);
	return most;
}

static void unload(long ret)
{
	(void)ret;
	if (syscall(SYS_delete_module, MODULE, O_NONBLOCK))
		bail("unloading: %s", strerror(errno));
}

/* The thread that does a CPU's part when it is brought online, or asked to */
static int hotplug_thread(int cpu)
{
	char want[32], path[64], name[32];
	struct dirent *entry;
	DIR *dir = opendir("/proc");
	FILE *f;

	snprintf(want, sizeof(want), "cpuhp/%d", cpu);
	while (dir && (entry = readdir(dir))) {
		if (!atoi(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/comm", atoi(entry->d_name));
		f = fopen(path, "r");
		if (f && fscanf(f, "%31s", name) == 1 && !strcmp(name, want)) {
			fclose(f);
			closedir(dir);
			return atoi(entry->d_name);
		}
		if (f)
			fclose(f);
	}
	bail("no thread %s", want);
}

/*
 * The page for VMXON is allocated by that thread, once after the module was
 * loaded. Let the first page that it wants be refused, then the second …
 */
static void try_vmxon(int cpu)
{
	int skip_pages, failed = 0, wrong = 0;
	char path[64], text[16];
	bool injected;
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%d/make-it-fail", hotplug_thread(cpu));
	put_file(path, "1");
	put_file(DEBUGFS "fail_page_alloc/task-filter", "Y");
	put_file(DEBUGFS "fail_page_alloc/interval", "1");
	for (skip_pages = 0; skip_pages < 100; skip_pages++) {
		if (load())
			bail("loading: %s", strerror(errno));
		vm.sys = open_device();
		/* "space" is used up while it is more than what is wanted. */
		snprintf(text, sizeof(text), "%d", skip_pages ? skip_pages + 1 : 0);
		put_file(DEBUGFS "fail_page_alloc/space", text);
		put_file(DEBUGFS "fail_page_alloc/times", "1");
		put_file(DEBUGFS "fail_page_alloc/probability", "100");
		fd = create_vm();
		err = errno;
		put_file(DEBUGFS "fail_page_alloc/probability", "0");
		injected = get_number(DEBUGFS "fail_page_alloc/times") == 0;
		if (fd < 0) {
			failed++;
			if (!injected || err != ENOMEM) {
				diag("page %d: %s", skip_pages + 1, errno_name(err));
				wrong++;
			}
			fd = create_vm();
			if (fd < 0) {
				diag("after page %d: %s", skip_pages + 1,
				     errno_name(errno));
				wrong++;
			}
		}
		close(fd);
		close(vm.sys);
		unload(0);
		if (!injected)
			break;
	}
	put_file(path, "0");
	ok(failed && !wrong && !injected, "KVM_CREATE_VM without memory on CPU %d", cpu);
}

static void try_loading(void)
{
	struct utsname name;
	char path[256];
	int cpu;

	uname(&name);
	snprintf(path, sizeof(path), "/lib/modules/%s/extra/" MODULE ".ko", name.release);
	module_file = open(path, O_RDONLY | O_CLOEXEC);
	if (module_file < 0)
		bail("%s: %s", path, strerror(errno));
	try_from(&(struct call){ "loading the module", .call = load, .undo = unload },
		 allocations_before_init() + 1);
	for (cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++)
		try_vmxon(cpu);
}

int main(int argc, char **argv)
{
	device = argc > 1 ? argv[1] : "/dev/kvm";
	if (access("/proc/self/fail-nth", F_OK)) {
		skip("this kernel has no fault injection", "calls without memory");
		return done_testing();
	}
	set_up_failures();
	/* The program's own pages are there: a fault of ours tells nothing. */
	mlockall(MCL_CURRENT);
	if (argc > 2 && !strcmp(argv[2], "load"))
		try_loading();
	else
		try_calls();
	return done_testing();
}
