// SPDX-License-Identifier: GPL-2.0
/*
 * A storm: two VMs of two owners on two CPUs, and everything at once that a
 * host does to a guest. storm DEVICE [ROUNDS [SEED]]
 *
 * In each round the module is loaded, two owners start a VM with two vCPUs each:
 * one works on its memory and holds each word against what it wrote, the other
 * leaves its guest all the time. While the owners take pages, slots and CPUs away
 * from them, CPU 1 goes off and on; one owner is killed in the middle of it, the
 * other comes to its end; each says what it saw; the module is unloaded.
 *
 * What happens is the seed's to say; what happens at the same time is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include "tap.h"
#include "vm.h"
#include "worker.h"

#define MODULE		"minivmm"
#define CPU1		"/sys/devices/system/cpu/cpu1/online"
#define PAGES		64
#define HURRIES		40	/* how often pages are taken in a row */
#define STEPS		40	/* of an owner, in each round */
#define OWNERS		2
#define COUNTER		GUEST_DATA

/* Behind the worker's code; with interrupts on: see ioctl_run.c. */
#define AT_LEAVE	0x800
GUEST64(leave, "sti; 1: incq (%r15); out %al, $0x10; jmp 1b");

static const char *device;

/* What owners tell the parent */
static struct {
	int steps;
	int done[9];		/* how often each kind of step */
	char wrong[160];
} *said;			/* [OWNERS] */

static u64 random_state;

/* xorshift64* */
static unsigned int any(unsigned int below)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 0x2545f4914f6cdd1dull >> 33) % below;
}

static void seed(u64 value)
{
	random_state = value * 0x9e3779b97f4a7c15ull + 1;
	any(1);
}

/* --- An owner --------------------------------------------------------------------- */

static struct worker worker;
static struct vcpu first, second;
static struct vm vm;
static void *work;
static int self;

static __printf(1, 2) void wrong(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!said[self].wrong[0])
		vsnprintf(said[self].wrong, sizeof(said[self].wrong), fmt, ap);
	va_end(ap);
}

static bool stopping;

static void *leave_thread(void *arg)
{
	struct vcpu *c = arg;
	int ret;

	while (!__atomic_load_n(&stopping, __ATOMIC_SEQ_CST)) {
		ret = vcpu_run_raw(c);
		if (ret == -EINTR)
			continue;
		if (ret || c->run->exit_reason != KVM_EXIT_IO) {
			wrong("the second vCPU: %s, exit reason %u", errno_name(-ret),
			      c->run->exit_reason);
			break;
		}
	}
	return NULL;
}

static void start_second(void)
{
	struct kvm_sregs sregs = get_sregs(&first);
	struct kvm_regs regs = {
		.rip = GUEST_CODE + AT_LEAVE,
		.rsp = GUEST_STACK,
		.rflags = 2,
		.r15 = COUNTER,
	};

	memcpy(vm.mem + GUEST_CODE + AT_LEAVE, leave, leave_end - leave);
	set_sregs(&second, &sregs);
	set_regs(&second, &regs);
}

/* Either CPU, or both. CPU 1 may be away. */
static void migrate(pthread_t thread)
{
	unsigned int which = 1 + any(3);
	cpu_set_t set;
	int cpu;

	CPU_ZERO(&set);
	for (cpu = 0; cpu < 2; cpu++)
		if (which & (1 << cpu))
			CPU_SET(cpu, &set);
	pthread_setaffinity_np(thread, sizeof(set), &set);
}

/* The worker had to leave its guest, for @why or not at all; it goes on. */
static void let_go_on(const char *why)
{
	if (!worker.done)
		return;
	work_end(&worker);
	if (strcmp(worker.result, why))
		wrong("the worker: %s, not %s", worker.result, why);
	work_again(&worker);
}

static void some_pages(size_t *at, size_t *size)
{
	unsigned int page = any(PAGES);

	*at = page * PAGE_SIZE;
	*size = (1 + any(PAGES - page)) * PAGE_SIZE;
}

static void give_up_pages(void)
{
	size_t at, size;

	some_pages(&at, &size);
	madvise(work + at, size, any(2) ? MADV_DONTNEED : MADV_PAGEOUT);
}

/*
 * No pause between one and the next: the guest faults on one page after the
 * other all the time, and one of these faults is half done when all pages go.
 */
static void give_up_in_a_hurry(void)
{
	int i;

	for (i = 0; i < HURRIES; i++)
		madvise(work, PAGES * PAGE_SIZE, MADV_DONTNEED);
}

static void protect_pages(void)
{
	size_t at, size;

	some_pages(&at, &size);
	mprotect(work + at, size, PROT_READ);
	usleep(any(3000));
	mprotect(work + at, size, PROT_READ | PROT_WRITE);
	let_go_on("EFAULT");
}

static void unmap_pages(void)
{
	size_t at, size;

	some_pages(&at, &size);
	munmap(work + at, size);
	usleep(any(3000));
	map_pages(work + at, size);
	let_go_on("EFAULT");
}

/*
 * Owner and guest see the same memory: what the guest wrote last, or nothing
 * since the page was given up. The guest is not in there now.
 */
static void compare_views(void)
{
	u64 here, there;
	int i;

	for (i = 0; i < PAGES; i++) {
		here = *(u64 *)(work + i * PAGE_SIZE);
		there = work_last(&worker, i);
		if (here && here != there)
			wrong("page %d: %#llx for the owner, %#llx for the guest", i,
			      (unsigned long long)here, (unsigned long long)there);
	}
}

/*
 * The guest has no other page than the owner: what the owner writes now is what
 * it reads there. A page that was the owner's once would pass as one that holds
 * what the guest wrote.
 */
static void same_memory(void)
{
	static u64 token;
	int i, tries;

	for (tries = 0; tries < 10; tries++) {
		token++;
		for (i = 0; i < PAGES; i++)
			__atomic_store_n((u64 *)(work + i * PAGE_SIZE) + 1, token,
					 __ATOMIC_SEQ_CST);
		work_wait(&worker);
		if (!worker.done)
			break;
		/* mprotect() and munmap(): what they wait for may come late. */
		let_go_on("EFAULT");
	}
	for (i = 0; i < PAGES; i++) {
		if (work_echo(&worker, i) != token)
			wrong("page %d: the guest reads %#llx where the owner wrote %#llx",
			      i, (unsigned long long)work_echo(&worker, i),
			      (unsigned long long)token);
	}
}

/* The slot's memory is the owner's alone now: no word of it changes. */
static void nobody_writes(void)
{
	u64 before[PAGES];
	int i;

	for (i = 0; i < PAGES; i++)
		before[i] = __atomic_load_n((u64 *)(work + i * PAGE_SIZE), __ATOMIC_SEQ_CST);
	for (i = 0; i < 10000 && !worker.done; i++)
		usleep(1000);
	for (i = 0; i < PAGES; i++) {
		if (*(u64 *)(work + i * PAGE_SIZE) != before[i])
			wrong("page %d: the guest writes without a slot", i);
	}
}

/* The guest meets the hole, which is an exit; the memory it gets is fresh. */
static void delete_slot(void)
{
	int write;
	u64 gpa;

	if (vm_slot(&vm, 1, 0, WORK_GPA, 0, NULL))
		wrong("deleting the slot: %s", errno_name(errno));
	nobody_writes();
	if (!worker.done) {
		wrong("the worker runs on without memory");
		return;
	}
	work_end(&worker);
	memset(first.run->mmio.data, 0, sizeof(first.run->mmio.data));
	if (!outside(&first, &gpa, &write) ||
	    gpa - WORK_GPA >= PAGES * PAGE_SIZE)
		wrong("without memory: %s", worker.result);
	compare_views();
	madvise(work, PAGES * PAGE_SIZE, MADV_DONTNEED);
	if (vm_slot(&vm, 1, 0, WORK_GPA, PAGES * PAGE_SIZE, work))
		wrong("making the slot: %s", errno_name(errno));
	work_again(&worker);
}

/* The same memory at another address, which nobody uses. */
static void other_slot(void)
{
	if (vm_slot(&vm, 2, 0, WORK_GPA * 2, PAGES * PAGE_SIZE, work) ||
	    vm_slot(&vm, 2, 0, WORK_GPA * 3, PAGES * PAGE_SIZE, work) ||
	    vm_slot(&vm, 2, 0, WORK_GPA * 3, 0, NULL))
		wrong("another slot: %s", errno_name(errno));
}

/* All pages are write-protected for the child, and copied when written. */
static void copy_on_write(void)
{
	pid_t pid = fork();

	if (!pid) {
		usleep(any(3000));
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		wrong("fork: %s", errno_name(errno));
}

static void interrupt(pthread_t thread)
{
	int i;

	for (i = 0; i < 5; i++) {
		pthread_kill(thread, SIGUSR1);
		usleep(any(500));
	}
}

static u64 counter(void)
{
	return __atomic_load_n((u64 *)(vm.mem + COUNTER), __ATOMIC_SEQ_CST);
}

static void owner(bool for_ever)
{
	pthread_t thread;
	int step, what;
	u64 before;

	worker_open(&vm, &first, device);
	vcpu_open(&second, &vm, 1);
	work = map_pages(NULL, PAGES * PAGE_SIZE);
	if (vm_slot(&vm, 1, 0, WORK_GPA, PAGES * PAGE_SIZE, work))
		bail("a slot: %s", strerror(errno));
	start_second();
	work_start(&worker, &first, WORK_GPA, PAGES);
	if (pthread_create(&thread, NULL, leave_thread, &second))
		bail("no thread");
	for (step = 0; (step < STEPS || for_ever) && !said[self].wrong[0]; step++) {
		what = any(ARRAY_SIZE(said->done));
		switch (what) {
		case 0:
			give_up_pages();
			break;
		case 1:
			protect_pages();
			break;
		case 2:
			unmap_pages();
			break;
		case 3:
			delete_slot();
			break;
		case 4:
			other_slot();
			break;
		case 5:
			copy_on_write();
			break;
		case 6:
			interrupt(thread);
			break;
		case 7:
			migrate(worker.thread);
			migrate(thread);
			break;
		case 8:
			give_up_in_a_hurry();
			break;
		}
		said[self].done[what]++;
		same_memory();
		before = counter();
		while (counter() == before && !said[self].wrong[0])
			usleep(1000);
		__atomic_fetch_add(&said[self].steps, 1, __ATOMIC_SEQ_CST);
	}
	stopping = true;
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	if (strcmp(work_stop(&worker), "HLT"))
		wrong("the worker's end: %s", worker.result);
	compare_views();
	if (strcmp(work_errors(&worker), "no errors"))
		wrong("the worker: %s", work_errors(&worker));
	vcpu_close(&second);
	vcpu_close(&first);
	vm_close(&vm);
}

/* --- The parent ------------------------------------------------------------------- */

static bool with_module;

static void load(void)
{
	struct utsname name;
	char path[256];
	int fd;

	if (!with_module)
		return;
	uname(&name);
	snprintf(path, sizeof(path), "/lib/modules/%s/extra/" MODULE ".ko", name.release);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
		bail("loading %s: %s", path, strerror(errno));
	close(fd);
}

/* Descriptors of a process are released a little after its end. */
static const char *unload(void)
{
	int i;

	for (i = 0; i < 500 && with_module; i++) {
		if (!syscall(SYS_delete_module, MODULE, O_NONBLOCK))
			break;
		if (errno != EAGAIN && errno != EBUSY)
			break;
		usleep(10000);
		if (i == 499)
			return errno_name(errno);
	}
	return "0";
}

static void set_cpu1(bool on)
{
	const char *path = CPU1;
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, on ? "1" : "0", 1) != 1)
		bail("%s: %s", path, strerror(errno));
	close(fd);
}

static pid_t start(int n, u64 seed_of_it, bool for_ever)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	self = n;
	seed(seed_of_it);
	owner(for_ever);
	exit(0);
}

static void round_of(int n, u64 seed_of_all)
{
	int victim, dies_at, status, i, live = OWNERS, cpu1 = 0;
	pid_t pids[OWNERS], pid;

	memset(said, 0, OWNERS * sizeof(*said));
	load();
	seed(seed_of_all);
	victim = any(OWNERS);
	dies_at = 1 + any(STEPS);
	for (i = 0; i < OWNERS; i++)
		pids[i] = start(i, seed_of_all + i + 1, i == victim);
	while (live) {
		set_cpu1(false);
		usleep(any(20000));
		set_cpu1(true);
		cpu1++;
		usleep(any(50000));
		if (pids[victim] &&
		    __atomic_load_n(&said[victim].steps, __ATOMIC_SEQ_CST) >= dies_at)
			kill(pids[victim], SIGKILL);
		for (i = 0; i < OWNERS; i++) {
			pid = pids[i] ? waitpid(pids[i], &status, WNOHANG) : 0;
			if (!pid)
				continue;
			pids[i] = 0;
			live--;
			if (i == victim)
				is_hex(status, SIGKILL, "round %d: the killed owner's status", n);
			else
				is_hex(status, 0, "round %d: the other's status", n);
			is(said[i].wrong, "", "round %d: what it complained of", n);
		}
	}
	is(unload(), "0", "round %d: unloading the module", n);
	diag("round %d: killed after %d steps; the other did %d; CPU 1 off and on %d times",
	     n, said[victim].steps, said[!victim].steps, cpu1);
}

static void nothing(int sig)
{
	(void)sig;
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = nothing };
	u64 first_seed;
	int n, rounds;

	if (argc < 2)
		bail("usage: %s DEVICE [ROUNDS [SEED]]", argv[0]);
	device = argv[1];
	with_module = !strcmp(device, "/dev/" MODULE);
	rounds = argc > 2 ? atoi(argv[2]) : 1;
	first_seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 1;
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		bail("this machine has one CPU");
	sigaction(SIGUSR1, &act, NULL);
	said = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (said == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	diag("%d rounds from seed %#llx on", rounds, (unsigned long long)first_seed);
	for (n = 0; n < rounds; n++)
		round_of(n + 1, (first_seed + n) * 1000);
	load();
	return done_testing();
}
