// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors closed in any order, owners that are killed, fork, exec or
 * exit, threads that race: nothing may stay behind, nothing may hang. That
 * the kernel has no complaint is scripts/lab's to see.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "tap.h"
#include "vm.h"

GUEST32(once, "out %al, $0x10; hlt");
GUEST32(outs_forever, "sti; 1: out %al, $0x10; jmp 1b");
/* With interrupts on: see ioctl_run.c. */
GUEST32(forever, "sti; 1: incl 0xb000; jmp 1b");

static const char *device, *module;

static void module_path(char *path, size_t size, const char *what)
{
	snprintf(path, size, "/sys/module/%s/%s", module, what);
}

static int references(void)
{
	char path[64];
	FILE *f;
	int n;

	module_path(path, sizeof(path), "refcnt");
	f = fopen(path, "r");
	if (!f || fscanf(f, "%d", &n) != 1)
		bail("%s: %s", path, strerror(errno));
	fclose(f);
	return n;
}

/*
 * Descriptors are released a moment after the call that closed the last, and
 * what a process that was killed had open a little later.
 */
static void is_unused(const char *name)
{
	int i, n = 0;

	for (i = 0; i < 200; i++) {
		n = references();
		if (!n)
			break;
		usleep(10000);
	}
	is_hex(n, 0, "%s: the module's references", name);
}

static const char *unload(void)
{
	return errno_text(syscall(SYS_delete_module, module, O_NONBLOCK));
}

static void open_all(struct vm *vm, struct vcpu *c)
{
	vm_open(vm, device, 1 << 20);
	vcpu_open(c, vm, 0);
}

static void order(void)
{
	struct kvm_run *run;
	struct vcpu c;
	struct vm vm;

	is_hex(references(), 0, "the module's references at first");
	open_all(&vm, &c);
	is(unload(), "EAGAIN", "unload with all open");
	close(vm.sys);
	guest32(&c, once);
	is(vcpu_run(&c), "OUT port=10 size=1 count=1 data=00",
	   "the system descriptor closed: KVM_RUN");
	is(unload(), "EAGAIN", "unload with a VM and a vCPU");
	close(vm.fd);
	is(vcpu_run(&c), "HLT", "the VM's closed: KVM_RUN");
	guest32(&c, once);
	is(vcpu_run(&c), "OUT port=10 size=1 count=1 data=00",
	   "  registers can be set and it runs");
	is(unload(), "EAGAIN", "unload with a vCPU alone");
	close(c.fd);
	c.run->immediate_exit = 0x5a;
	is_hex(c.run->immediate_exit, 0x5a,
	       "all closed: the mapping is still there");
	is(unload(), "EAGAIN", "unload with a mapping alone");
	munmap(c.run, c.run_size);
	munmap(vm.mem, vm.size);
	is_unused("all closed, from the top");

	open_all(&vm, &c);
	vcpu_close(&c);
	is(unload(), "EAGAIN", "unload with a VM alone");
	vm_close(&vm);
	is_unused("all closed, from the bottom");

	open_all(&vm, &c);
	run = c.run;
	munmap(vm.mem, vm.size);
	close(c.fd);
	close(vm.fd);
	close(vm.sys);
	run->immediate_exit = 1;
	/* The mapping goes with the program's. */
	munmap(run, c.run_size);
	is_unused("memory first");
}

static int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void failures(void)
{
	struct vcpu c;
	struct vm vm;
	int i, before;

	open_all(&vm, &c);
	before = open_files();
	for (i = 0; i < 50; i++) {
		ioctl(vm.fd, KVM_CREATE_VCPU, 0);
		ioctl(vm.fd, KVM_CREATE_VCPU, -1);
		ioctl(vm.sys, KVM_CREATE_VM, 77);
	}
	is_hex(open_files() - before, 0, "descriptors that failed calls leave");
	vcpu_close(&c);
	vm_close(&vm);
	is_unused("after failed calls");
}

static u32 counter(struct vm *vm)
{
	u32 value;

	memcpy(&value, __atomic_load_n(&vm, __ATOMIC_SEQ_CST)->mem + 0xb000, 4);
	return value;
}

static void wait_for_guest(struct vm *vm)
{
	u32 before = counter(vm);

	while (counter(vm) == before)
		usleep(1000);
}

static void *run_thread(void *arg)
{
	return (void *)(long)vcpu_run_raw(arg);
}

static void start(pthread_t *thread, struct vcpu *c)
{
	if (pthread_create(thread, NULL, run_thread, c))
		bail("no thread");
}

/*
 * A child with two vCPUs, one of them in its guest, that comes to its end as
 * @how says. The parent waits for it.
 */
enum end { KILLED, EXITED, EXECED, PARENT_FIRST };

static void child(enum end how)
{
	struct vcpu c, second;
	pthread_t thread;
	struct vm vm;

	open_all(&vm, &c);
	vcpu_open(&second, &vm, 1);
	guest32(&second, once);
	guest32(&c, forever);
	start(&thread, &c);
	wait_for_guest(&vm);
	switch (how) {
	case KILLED:
		kill(getpid(), SIGKILL);
		break;
	case EXITED:
		exit(7);
	case EXECED:
		execl("/proc/self/exe", "life", "--exit", "8", NULL);
		break;
	case PARENT_FIRST:
		/* This child's own child outlives it, with all descriptors. */
		if (!fork()) {
			while (getppid() != 1)
				usleep(1000);
			usleep(20000);
			_exit(ioctl(c.fd, KVM_RUN, 0) == -1 && errno == EIO ?
			      0 : 1);
		}
		exit(9);
	}
	_exit(1);
}

static int end_child(enum end how)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		child(how);
	if (waitpid(pid, &status, 0) != pid)
		bail("waitpid: %s", strerror(errno));
	return status;
}

static void ends(void)
{
	is_hex(end_child(KILLED), SIGKILL, "killed in the guest");
	is_unused("killed");
	is_hex(end_child(EXITED), 7 << 8, "exit with a thread in the guest");
	is_unused("exited");
	is_hex(end_child(EXECED), 8 << 8, "exec with a thread in the guest");
	is_unused("execed");
	is_hex(end_child(PARENT_FIRST), 9 << 8,
	       "exit with a child that has the descriptors");
	is_unused("its child gone, too");
}

/* Descriptors that go through exec come to another address space. */
static void exec_inherits(void)
{
	struct vcpu c;
	struct vm vm;
	char number[12];
	int status;

	open_all(&vm, &c);
	guest32(&c, once);
	fcntl(c.fd, F_SETFD, 0);
	snprintf(number, sizeof(number), "%d", c.fd);
	fflush(stdout);
	if (!fork()) {
		execl("/proc/self/exe", "life", "--run", number, NULL);
		_exit(1);
	}
	wait(&status);
	is_hex(status >> 8, EIO, "KVM_RUN after exec: EIO");
	is(vcpu_run(&c), "OUT port=10 size=1 count=1 data=00",
	   "  the owner's own afterwards");
	vcpu_close(&c);
	vm_close(&vm);
	is_unused("exec");
}

static void nothing(int sig)
{
	(void)sig;
}

static void *get_regs_thread(void *arg)
{
	struct kvm_regs *regs = malloc(sizeof(*regs));
	struct vcpu *c = arg;

	if (ioctl(c->fd, KVM_GET_REGS, regs))
		regs->rip = 0;
	return regs;
}

/* Whoever comes while the vCPU runs waits until it comes back. */
static void race(void)
{
	struct sigaction act = { .sa_handler = nothing };
	pthread_t first, second;
	struct kvm_regs *regs;
	struct vcpu c;
	struct vm vm;
	void *ret;
	int i, bad = 0;

	sigaction(SIGUSR1, &act, NULL);
	open_all(&vm, &c);
	guest32(&c, forever);
	start(&first, &c);
	wait_for_guest(&vm);
	if (pthread_create(&second, NULL, get_regs_thread, &c))
		bail("no thread");
	usleep(20000);
	is_hex(pthread_tryjoin_np(second, (void **)&regs), EBUSY,
	       "KVM_GET_REGS waits for KVM_RUN");
	pthread_kill(first, SIGUSR1);
	pthread_join(first, &ret);
	is_hex(-(long)ret, EINTR, "  which a signal ends");
	pthread_join(second, (void **)&regs);
	ok(regs->rip > GUEST_CODE && regs->rip < GUEST_IDT,
	   "  then it has the registers");
	free(regs);

	/* Two in KVM_RUN: one at a time. */
	start(&first, &c);
	wait_for_guest(&vm);
	start(&second, &c);
	usleep(20000);
	pthread_kill(first, SIGUSR1);
	pthread_join(first, &ret);
	is_hex(-(long)ret, EINTR, "two in KVM_RUN: the first is interrupted");
	wait_for_guest(&vm);
	pthread_kill(second, SIGUSR1);
	pthread_join(second, &ret);
	is_hex(-(long)ret, EINTR, "  the second got its turn");

	/* A thread that ran the vCPU is gone; others take over. */
	guest32(&c, outs_forever);
	for (i = 0; i < 20; i++) {
		start(&first, &c);
		start(&second, &c);
		pthread_join(first, &ret);
		bad += !!ret;
		pthread_join(second, &ret);
		bad += !!ret;
	}
	is_hex(bad, 0, "forty threads, each of them once: failures");
	is_hex(c.run->exit_reason, KVM_EXIT_IO, "  the last exit");

	/* The descriptor is closed under a thread that is in its guest. */
	guest32(&c, forever);
	start(&first, &c);
	wait_for_guest(&vm);
	close(c.fd);
	close(vm.fd);
	wait_for_guest(&vm);
	ok(true, "closed under a running guest, which goes on");
	pthread_kill(first, SIGUSR1);
	pthread_join(first, &ret);
	is_hex(-(long)ret, EINTR, "  until a signal ends it");
	munmap(c.run, c.run_size);
	munmap(vm.mem, vm.size);
	close(vm.sys);
	is_unused("after races");
}

/* Waiting for a vCPU's turn must not keep a process alive. */
static void killed_while_waiting(void)
{
	int status, i;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		pthread_t threads[3];
		struct vcpu c;
		struct vm vm;

		open_all(&vm, &c);
		guest32(&c, forever);
		for (i = 0; i < 3; i++)
			start(&threads[i], &c);
		wait_for_guest(&vm);
		usleep(20000);
		kill(getpid(), SIGKILL);
	}
	waitpid(pid, &status, 0);
	is_hex(status, SIGKILL, "killed with threads that wait for their turn");
	is_unused("killed while waiting");
}

static void many(void)
{
	static struct vcpu cpus[8][2];
	static struct vm vms[8];
	int i, k, bad = 0;

	for (i = 0; i < 8; i++) {
		vm_open(&vms[i], device, 1 << 20);
		for (k = 0; k < 2; k++)
			vcpu_open(&cpus[i][k], &vms[i], k);
	}
	for (i = 0; i < 8; i++)
		for (k = 0; k < 2; k++) {
			guest32(&cpus[i][k], once);
			bad += vcpu_run_raw(&cpus[i][k]) != 0;
			bad += cpus[i][k].run->exit_reason != KVM_EXIT_IO;
		}
	is_hex(bad, 0, "eight VMs with two vCPUs each: failures");
	for (i = 0; i < 8; i++) {
		k = (i * 3) % 8;
		if (k & 1)
			close(vms[k].fd);
		vcpu_close(&cpus[k][1]);
		vcpu_close(&cpus[k][0]);
		if (!(k & 1))
			close(vms[k].fd);
		munmap(vms[k].mem, vms[k].size);
		close(vms[k].sys);
	}
	is_unused("eight VMs gone");
}

static long number_in(const char *file, const char *what)
{
	char line[128];
	long sum = 0;
	FILE *f = fopen(file, "r");

	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, what, strlen(what)))
			sum += atol(strpbrk(line, " \t"));
	fclose(f);
	return sum;
}

/*
 * MemFree does not count what CPUs keep for themselves, and one page in two
 * that leaks comes from there. These count every page.
 */
static long pages_in_use(void)
{
	return number_in("/proc/vmstat", "pgalloc_") -
	       number_in("/proc/vmstat", "pgfree ");
}

static void cycle(int times)
{
	struct vcpu c;
	struct vm vm;

	while (times--) {
		open_all(&vm, &c);
		guest64(&c, once);
		if (vcpu_run_raw(&c) || c.run->exit_reason != KVM_EXIT_IO)
			bail("a guest did not run");
		vcpu_close(&c);
		vm_close(&vm);
	}
}

/*
 * A VM that leaves one page behind shows here; less than that shows when the
 * module goes and its slab caches are not empty.
 */
static void leaks(void)
{
	const int times = !strcmp(module, "minivmm") ? 200 : 20;
	const bool debug = !access("/sys/kernel/debug/kmemleak", F_OK);
	long pages_before, slab_before, lost, slab;

	cycle(20);
	is_unused("before counting");
	pages_before = pages_in_use();
	slab_before = number_in("/proc/meminfo", "SUnreclaim:");
	cycle(times);
	is_unused("after counting");
	usleep(100000);
	lost = pages_in_use() - pages_before;
	slab = number_in("/proc/meminfo", "SUnreclaim:") - slab_before;
	if (debug) {
		/* What KASAN lets go meanwhile was freed long before. */
		skip("KASAN holds back what is freed; kmemleak looks at the end",
		     "VMs made and destroyed lose less than a page each");
	} else {
		ok(lost < times / 2, "VMs made and destroyed lose less than a page each");
		ok(slab < times * 2, "  and less than 2 KiB of slab");
	}
	diag("%d VMs, %ld pages lost, %ld kB of SUnreclaim", times, lost, slab);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--exit"))
		return atoi(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "--run"))
		return ioctl(atoi(argv[2]), KVM_RUN, 0) ? errno : 0;
	if (argc != 2)
		bail("usage: %s DEVICE", argv[0]);
	device = argv[1];
	module = !strcmp(device, "/dev/kvm") ? "kvm_intel" : "minivmm";
	watchdog(120);

	order();
	failures();
	ends();
	exec_inherits();
	race();
	killed_while_waiting();
	many();
	leaks();
	return done_testing();
}
