// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the interface: valid sequences of calls with single fields off, from
 * several threads on the same VMs and vCPUs, with descriptors closed and
 * passed, memory unmapped and processes forked in between.
 *
 *	fuzz_ioctl DEVICE [seed=N] [calls=N] [threads=N] [log=1] [common=1]
 *
 * The sequence of the main thread depends on the seed alone. Every errno is
 * held against those that the call has, and every so often an undisturbed VM
 * runs a guest of which the result is known. log=1 prints one line for each
 * call; common=1 stays with what KVM and minivmm are to answer in the same way,
 * so that two such logs can be compared (tests/fuzz/same.t).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include "calls.h"
#include "control.h"
#include "tap.h"

#define CONTROL_EVERY	200
#define CALLS_OF_CHILD	6

/* --- Life of VMs and vCPUs --------------------------------------------------------- */

/*
 * HLT wherever a guest goes, so that none runs for ever; and something that
 * exits at the start of most pages, where fill_regs() points RIP.
 */
static void fill_memory(u8 *mem, size_t size)
{
	static const char *const starts[] = {
		"\xe4\x10", "\xe6\x10", "\xf3\x6c", "\xf3\x6e", "\x0f\xa2",
		"\x0f\x32", "\x0f\x30", "\x0f\x20\xc0\x0f\x22\xc0", "\xcc",
		"\xf3\xaa", "\xf3\xa4", "\xff\x07", "\xe7\x10\x01\x07\xed",
	};
	size_t at;

	memset(mem, 0xf4, size);
	for (at = 0; at < size; at += PAGE_SIZE) {
		const char *start = pick(starts);

		memcpy(mem + at, start, strlen(start));
	}
}

static void vm_create(struct vm_slot *vm)
{
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY / 2 };
	int i;

	if (one_in(10)) {
		judge("KVM_CREATE_VM of a wrong type",
		      ioctl(fuzz.sys, KVM_CREATE_VM, 1 + below(1 << 20)), 1L << 32, E(INVAL));
		return;
	}
	vm->mem = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	if (vm->mem == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	fill_memory(vm->mem, MEMORY);
	for (i = 0; i < VCPUS; i++)
		vm->vcpu[i].fd = -1;
	/* EINTR: the MMU notifier takes all locks of the address space. */
	do {
		vm->fd = ioctl(fuzz.sys, KVM_CREATE_VM, 0);
	} while (vm->fd < 0 && errno == EINTR);
	judge("KVM_CREATE_VM", vm->fd, 0, 0);
	region.userspace_addr = (uintptr_t)vm->mem;
	if (!one_in(4))
		judge("the first slot",
		      ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region), 0, 0);
}

static void vcpu_unmap(struct vcpu_slot *v)
{
	if (v->run)
		munmap(v->run, v->run_size);
	v->run = NULL;
}

static void vcpu_map(struct vcpu_slot *v)
{
	size_t size = (one_in(3) ? 1 + below(5) : 3) * PAGE_SIZE;
	off_t offset = one_in(5) ? below(5) * PAGE_SIZE : 0;
	int prot = one_in(5) ? below(8) : PROT_READ | PROT_WRITE;
	bool private = one_in(8);
	u8 *run;

	vcpu_unmap(v);
	run = mmap(NULL, size, prot, private ? MAP_PRIVATE : MAP_SHARED, v->fd, offset);
	judge("mmap of a vCPU", run == MAP_FAILED ? -1 : 0, 0,
	      fuzz.is_minivmm ? 0 : E(INVAL));
	if (run == MAP_FAILED)
		return;
	v->odd = offset || private;
	v->run = run;
	v->run_size = size;
}

static void vcpu_create(struct vm_slot *vm, struct vcpu_slot *v)
{
	static const unsigned long odd[] = { 4095, 4096, 0xffffffff, 1ul << 32, -1ul };
	unsigned long id = one_in(8) ? pick(odd) : below(64);
	int fd = ioctl(vm->fd, KVM_CREATE_VCPU, id);

	/* A number stays taken when its descriptor is closed. */
	judge("KVM_CREATE_VCPU", fd, 0, id >= 4096 ? E(INVAL) : E(EXIST));
	if (fd < 0)
		return;
	v->fd = fd;
	v->run = NULL;
	if (!one_in(6))
		vcpu_map(v);
}

static void close_fd(int *fd)
{
	int old = *fd;

	*fd = -1;
	judge("close", close(old), 0, 0);
}

static void vcpu_close_it(struct vcpu_slot *v)
{
	/* The mapping may stay longer than the descriptor. */
	if (one_in(2))
		vcpu_unmap(v);
	close_fd(&v->fd);
	vcpu_unmap(v);
}

static void vm_close_it(struct vm_slot *vm)
{
	bool vm_first = one_in(2), memory_first = one_in(3);
	int i;

	if (vm_first)
		close_fd(&vm->fd);
	if (memory_first)
		munmap(vm->mem, MEMORY);
	for (i = 0; i < VCPUS; i++) {
		if (vm->vcpu[i].fd >= 0)
			vcpu_close_it(&vm->vcpu[i]);
	}
	if (!vm_first)
		close_fd(&vm->fd);
	if (!memory_first)
		munmap(vm->mem, MEMORY);
}

/* --- Memory -------------------------------------------------------------------------- */

static void do_memory(struct vm_slot *vm)
{
	static const int advices[] = {
		MADV_DONTNEED, MADV_FREE, MADV_COLD, MADV_PAGEOUT, MADV_HUGEPAGE,
		MADV_NOHUGEPAGE, MADV_MERGEABLE, MADV_DONTFORK, MADV_DOFORK,
		MADV_WIPEONFORK, MADV_KEEPONFORK,
	};
	size_t pages = MEMORY / PAGE_SIZE, first = below(pages);
	size_t size = (1 + below(pages - first)) * PAGE_SIZE;
	u8 *at = vm->mem + first * PAGE_SIZE;

	switch (below(6)) {
	case 0:
		madvise(at, size, pick(advices));
		break;
	case 1:
		mprotect(at, size, below(8));
		break;
	case 2:
		munmap(at, size);
		break;
	case 3:
		/* Fails if the two overlap. */
		mremap(at, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
		       vm->mem + below(MEMORY - size + 1) / PAGE_SIZE * PAGE_SIZE);
		break;
	default:
		if (mmap(at, size, PROT_READ | PROT_WRITE,
			 MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			bail("mmap: %s", strerror(errno));
		fill_memory(at, size);
	}
}

/* --- Processes ------------------------------------------------------------------------- */

static struct vm_slot *some_vm(void)
{
	return &pick(fuzz.vms);
}

static struct vcpu_slot *some_vcpu(struct vm_slot *vm)
{
	return &pick(vm->vcpu);
}

static int child_status;

/* Another process: nothing on a VM or a vCPU is for it. */
static int child_calls(const int *fds, int n)
{
	static const unsigned int cmds[] = {
		KVM_RUN, KVM_GET_REGS, KVM_SET_REGS, KVM_GET_SREGS, KVM_GET_STATS_FD,
		KVM_CREATE_VCPU, KVM_SET_USER_MEMORY_REGION, KVM_CHECK_EXTENSION, 0xae99,
	};
	u8 buffer[4096] = { 0 };
	int i;

	for (i = 0; i < CALLS_OF_CHILD; i++) {
		int fd = fds[below(n)];

		if (fd >= 0 && (ioctl(fd, pick(cmds), buffer) != -1 || errno != EIO))
			return 1;
	}
	return 0;
}

static void wait_for(pid_t pid, const char *what)
{
	int status;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fuzz.failures++;
		diag("call %lu: %s: the child's status is %#x, expected EIO from all calls",
		     fuzz.calls, what, status);
	}
}

static void do_fork(struct vm_slot *vm, bool take_over)
{
	int fds[2] = { vm->fd, some_vcpu(vm)->fd };
	int go[2] = { -1, -1 };
	char c;
	pid_t pid;

	if (take_over && pipe(go))
		bail("pipe: %s", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		bail("fork: %s", strerror(errno));
	if (!pid) {
		close(go[1]);
		/* The end of the VM comes with the end of this process. */
		if (take_over && read(go[0], &c, 1))
			_exit(2);
		_exit(child_calls(fds, 2));
	}
	if (take_over) {
		close(go[0]);
		vm_close_it(vm);
		close(go[1]);
	}
	wait_for(pid, take_over ? "VM left to a child" : "fork");
}

static void do_exec(struct vm_slot *vm)
{
	struct vcpu_slot *v = some_vcpu(vm);
	char fd_text[16], seed[32];
	int fd;
	pid_t pid;

	fd = fcntl(v->fd >= 0 && one_in(2) ? v->fd : vm->fd, F_DUPFD, 100);
	if (fd < 0)
		bail("dup: %s", strerror(errno));
	snprintf(fd_text, sizeof(fd_text), "%d", fd);
	snprintf(seed, sizeof(seed), "%llu", rnd());
	fflush(stdout);
	pid = fork();
	if (!pid) {
		execl("/proc/self/exe", "fuzz_ioctl", "exec", fd_text, seed, NULL);
		_exit(3);
	}
	close(fd);
	wait_for(pid, "exec");
}

/* Of the same address space: it may. */
static void do_vfork(struct vm_slot *vm)
{
	pid_t pid;

	child_status = 0;
	pid = vfork();
	if (!pid) {
		child_status = ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY);
		_exit(0);
	}
	wait_for(pid, "vfork");
	judge("KVM_CHECK_EXTENSION of a child with our memory", child_status, 1, 0);
}

/* A process that is killed with a guest running */
static void do_kill(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		GUEST16(loop, "sti; 1: jmp 1b");
		struct vcpu c;
		struct vm vm;

		vm_open(&vm, fuzz.device, MEMORY);
		vcpu_open(&c, &vm, 0);
		guest16(&c, loop);
		for (;;)
			vcpu_run_raw(&c);
	}
	usleep(below(2000));
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Through a socket, and closed while under way. Sometimes it stays there. */
static void do_pass(int *fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .header = {
		.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
	} };
	struct iovec byte = { .iov_base = "", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &byte, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	bool lost = one_in(4);
	char c;
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s)) {
		/* The debug kernel is without. */
		return;
	}
	memcpy(CMSG_DATA(&control.header), fd, sizeof(int));
	if (sendmsg(s[0], &message, 0) != 1)
		bail("sendmsg: %s", strerror(errno));
	if (!lost) {
		close(*fd);
		byte.iov_base = &c;
		if (recvmsg(s[1], &message, MSG_CMSG_CLOEXEC) != 1)
			bail("recvmsg: %s", strerror(errno));
		memcpy(fd, CMSG_DATA(&control.header), sizeof(int));
	}
	close(s[0]);
	close(s[1]);
}

/* What every file has */
static void do_file(int fd)
{
	size_t size = PAGE_SIZE << below(3);
	u8 bytes[64] = { 0 };
	struct stat stat;
	void *p;

	switch (below(8)) {
	case 0:
		judge("read", read(fd, bytes, sizeof(bytes)), 1L << 32, E(INVAL));
		break;
	case 1:
		judge("write", write(fd, bytes, sizeof(bytes)), 1L << 32, E(INVAL));
		break;
	case 2:
		fstat(fd, &stat);
		lseek(fd, edge(), below(3));
		break;
	case 3:
		poll(&(struct pollfd){ .fd = fd, .events = -1 }, 1, 0);
		break;
	case 4:
		p = mmap(NULL, size, below(8), MAP_SHARED, fd, (off_t)(edge() >> 13) << 12);
		if (p != MAP_FAILED) {
			peek(p);
			poke(p, 0);
			munmap(p, size);
		}
		break;
	case 5:
		close(dup(fd));
		break;
	case 6:
		fcntl(fd, F_SETFL, one_in(2) ? O_NONBLOCK | O_ASYNC : 0);
		break;
	default:
		fsync(fd);
		ftruncate(fd, edge()) ? (void)0 : (void)0;
	}
}

static void do_process(struct vm_slot *vm)
{
	struct vcpu_slot *v = some_vcpu(vm);

	switch (below(8)) {
	case 0:
		do_fork(vm, false);
		break;
	case 1:
		do_fork(vm, true);
		break;
	case 2:
		do_exec(vm);
		break;
	case 3:
		do_vfork(vm);
		break;
	case 4:
		do_kill();
		break;
	case 5:
		do_pass(&vm->fd);
		break;
	default:
		if (v->fd >= 0)
			do_pass(&v->fd);
	}
}

/* --- Threads ---------------------------------------------------------------------------- */

static bool stop_threads;

/* Calls that others make on what the main thread has at the moment */
static void *thread(void *seed)
{
	random_state = (uintptr_t)seed;
	noise = true;
	calls_init();
	while (!__atomic_load_n(&stop_threads, __ATOMIC_RELAXED)) {
		struct vm_slot *vm = some_vm();
		struct vcpu_slot v = *some_vcpu(vm);

		if (one_in(8) || vm->fd < 0)
			do_sys();
		else if (one_in(4) || v.fd < 0)
			do_vm(vm);
		else
			do_vcpu(&v);
		/* Descriptors that come and go beside the main thread's own */
		if (one_in(16))
			close(dup(v.fd));
	}
	return NULL;
}

static void on_signal(int signal)
{
	(void)signal;
}

/* Nobody stays in KVM_RUN: each thread that is there gets a signal in its turn. */
static void start_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct itimerval often = {
		.it_interval.tv_usec = 3000, .it_value.tv_usec = 3000,
	};

	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

static void check_control(void)
{
	const char *complaint = control_run();

	if (complaint) {
		fuzz.failures++;
		diag("after call %lu %s", fuzz.calls, complaint);
	}
}

/* --- Main ------------------------------------------------------------------------------------ */

static void step(void)
{
	struct vm_slot *vm = some_vm();
	struct vcpu_slot *v = some_vcpu(vm);
	unsigned int n = below(100);

	if (n < 6) {
		do_sys();
		return;
	}
	if (vm->fd < 0) {
		vm_create(vm);
		return;
	}
	if (n < 20) {
		do_vm(vm);
	} else if (n < 26) {
		do_memory(vm);
	} else if (n < 28) {
		if (!fuzz.common)
			do_file(v->fd >= 0 && one_in(2) ? v->fd : vm->fd);
	} else if (n < 30) {
		if (one_in(3))
			do_process(vm);
	} else if (n < 31) {
		vm_close_it(vm);
	} else if (v->fd < 0) {
		vcpu_create(vm, v);
	} else if (n < 33) {
		vcpu_close_it(v);
	} else if (n < 36) {
		vcpu_map(v);
	} else {
		do_vcpu(v);
	}
}

static void count_descriptors(const char *when, int *n)
{
	int fd, count = 0;

	for (fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	if (*n < 0)
		*n = count;
	else
		ok(*n == count, "%s: as many descriptors as before", when);
}

static u64 option(char **argv, const char *name, u64 value)
{
	size_t n = strlen(name);

	for (; *argv; argv++) {
		if (!strncmp(*argv, name, n) && (*argv)[n] == '=')
			value = strtoull(*argv + n + 1, NULL, 0);
	}
	return value;
}

static void setup(void)
{
	u8 bytes[256];
	int i;

	fuzz.bytes = memfd_create("bytes", MFD_CLOEXEC);
	for (i = 0; i < 256; i++)
		bytes[i] = i;
	if (fuzz.bytes < 0 || write(fuzz.bytes, bytes, sizeof(bytes)) != sizeof(bytes))
		bail("memfd: %s", strerror(errno));
	for (i = 0; i < VMS; i++)
		fuzz.vms[i].fd = -1;
	control_open(fuzz.device);
	fuzz.supported = supported_cpuid(&control_vm);
	fuzz.sys = control_vm.sys;
	calls_init();
}

int main(int argc, char **argv)
{
	u64 seed, nr_calls, nr_threads;
	int descriptors = -1;
	pthread_t threads[8];
	unsigned int i;

	if (argc == 4 && !strcmp(argv[1], "exec")) {
		int fd = atoi(argv[2]);

		random_state = strtoull(argv[3], NULL, 0);
		return child_calls(&fd, 1);
	}
	if (argc < 2)
		bail("usage: fuzz_ioctl DEVICE [seed=N] [calls=N] [threads=N] [log=1] [common=1]");
	fuzz.device = argv[1];
	fuzz.is_minivmm = strstr(fuzz.device, "minivmm");
	seed = option(argv, "seed", 1);
	nr_calls = option(argv, "calls", 2000);
	nr_threads = option(argv, "threads", 2);
	fuzz.logging = option(argv, "log", 0);
	fuzz.common = option(argv, "common", 0);
	diag("fuzz_ioctl %s seed=%llu calls=%llu threads=%llu", fuzz.device, seed, nr_calls,
	     nr_threads);
	random_state = seed;
	setup();
	/* When a signal comes differs from run to run. */
	if (!fuzz.common)
		start_signals();
	count_descriptors("", &descriptors);

	for (i = 0; i < nr_threads && i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, thread, (void *)(uintptr_t)rnd());
	for (fuzz.calls = 0; fuzz.calls < nr_calls; fuzz.calls++) {
		/* The next step is the same whatever this one draws. */
		random_state = seed * 0x2545f4914f6cdd1d + fuzz.calls * 0x9fb21c651e98df25;
		step();
		if (fuzz.calls % CONTROL_EVERY == 0)
			check_control();
		if (nr_threads && one_in(32))
			pthread_kill(threads[below(i)], SIGUSR1);
	}
	stop_threads = true;
	while (i--)
		pthread_join(threads[i], NULL);
	for (i = 0; i < VMS; i++) {
		if (fuzz.vms[i].fd >= 0)
			vm_close_it(&fuzz.vms[i]);
	}
	check_control();
	ok(!fuzz.failures, "seed %llu: every answer is one that the call has, guests ran right",
	   seed);
	count_descriptors("at the end", &descriptors);
	diag("%lu calls in all; %lu were good", fuzz.all_calls, fuzz.seen[0]);
	for (i = 1; i < 64; i++) {
		if (fuzz.seen[i])
			diag("%8lu %s", fuzz.seen[i], errno_name(i));
	}
	for (i = 0; i < ARRAY_SIZE(fuzz.exits); i++) {
		if (fuzz.exits[i])
			diag("%8lu exits with reason %u", fuzz.exits[i], i);
	}
	return done_testing();
}
