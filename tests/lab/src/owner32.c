// SPDX-License-Identifier: GPL-2.0
/*
 * A 32-bit owner, with selectors that an ordinary 64-bit program never has:
 * TLS segments in the GDT, then segments in an LDT, in FS, GS, DS and ES. A
 * VM exit loads none of these; whoever forgets them takes down this program
 * and no other.
 *
 * Freestanding (a 32-bit libc is not everywhere): system calls, TAP and all.
 */
#include <asm/ldt.h>
#include <asm/unistd_32.h>
#include <linux/auxvec.h>
#include <linux/fcntl.h>
#include <linux/kvm.h>
#include <linux/mman.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static int failures, count;
static unsigned long vsyscall;

static long sys(long nr, long a, long b, long c, long d, long e, long f)
{
	long args[2] = { f, nr };
	long ret;

	/* EBP, which carries the sixth argument, may be the frame's. */
	asm volatile("push %%ebp; mov (%%eax), %%ebp; mov 4(%%eax), %%eax\n"
		     "int $0x80; pop %%ebp"
		     : "=a"(ret)
		     : "a"(args), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
		     : "memory");
	return ret;
}

#define sys1(nr, a) sys(nr, (long)(a), 0, 0, 0, 0, 0)
#define sys3(nr, a, b, c) sys(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)

/* The way libc takes: SYSENTER, whose MSRs the guest has, too. */
static long sys_fast(long nr)
{
	long ret;

	asm volatile("call *%1" : "=a"(ret) : "m"(vsyscall), "a"(nr)
		     : "memory");
	return ret;
}

static void puts32(const char *text)
{
	long n = 0;

	while (text[n])
		n++;
	sys3(__NR_write, 1, text, n);
}

static void put_number(unsigned int n)
{
	char text[12];
	char *p = text + sizeof(text) - 1;

	*p = 0;
	do {
		*--p = '0' + n % 10;
		n /= 10;
	} while (n);
	puts32(p);
}

static void check(int pass, const char *name)
{
	count++;
	if (!pass) {
		failures++;
		puts32("not ");
	}
	puts32("ok ");
	put_number(count);
	puts32(" - ");
	puts32(name);
	puts32("\n");
}

static void quit(int status)
{
	sys1(__NR_exit_group, status);
	__builtin_unreachable();
}

static long need(long ret, const char *what)
{
	if (ret >= 0 || ret < -4095)
		return ret;
	puts32("Bail out! ");
	puts32(what);
	puts32(": errno ");
	put_number(-ret);
	puts32("\n");
	quit(99);
	return ret;
}

static int vcpu;
static struct kvm_run *run;

static void make_vm(const char *device)
{
	static const unsigned char code[] = {
		0xe6, 0x10,		/* out %al, $0x10 */
		0xeb, 0xfc,		/* jmp to the OUT */
	};
	struct kvm_userspace_memory_region region = {
		.memory_size = 0x10000,
	};
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rip = 0x1000, .rflags = 2 };
	long kvm, vm, size;
	unsigned char *mem;
	unsigned int i;

	kvm = need(sys3(__NR_open, device, O_RDWR, 0), device);
	vm = need(sys3(__NR_ioctl, kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	mem = (void *)need(sys(__NR_mmap2, 0, 0x10000, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), "mmap");
	for (i = 0; i < sizeof(code); i++)
		mem[0x1000 + i] = code[i];
	region.userspace_addr = (unsigned long)mem;
	need(sys3(__NR_ioctl, vm, KVM_SET_USER_MEMORY_REGION, &region),
	     "KVM_SET_USER_MEMORY_REGION");
	vcpu = need(sys3(__NR_ioctl, vm, KVM_CREATE_VCPU, 0),
		    "KVM_CREATE_VCPU");
	size = need(sys3(__NR_ioctl, kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
		    "KVM_GET_VCPU_MMAP_SIZE");
	run = (void *)need(sys(__NR_mmap2, 0, size, PROT_READ | PROT_WRITE,
			       MAP_SHARED, vcpu, 0), "mmap of the vCPU");
	need(sys3(__NR_ioctl, vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	need(sys3(__NR_ioctl, vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	need(sys3(__NR_ioctl, vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

/* The structures are the same for 32-bit programs; one call is not. */
static void signal_mask(void)
{
	struct {
		struct kvm_signal_mask head;
		unsigned char set[8];
	} __packed mask = { .head.len = 8 };

	check(!sys3(__NR_ioctl, vcpu, KVM_SET_SIGNAL_MASK, &mask),
	      "KVM_SET_SIGNAL_MASK of 8 bytes");
	mask.head.len = 4;
	check(sys3(__NR_ioctl, vcpu, KVM_SET_SIGNAL_MASK, &mask) == -22,
	      "KVM_SET_SIGNAL_MASK of 4 bytes: EINVAL");
	check(!sys3(__NR_ioctl, vcpu, KVM_SET_SIGNAL_MASK, 0),
	      "KVM_SET_SIGNAL_MASK of NULL");
}

/* What FS:0, GS:0, DS:0 and ES:0 are with the segments below. */
static unsigned int word[4] = { 0x11111111, 0x22222222, 0x33333333,
				0x44444444 };

static const unsigned int nothing[4], only_fs[4] = { 0x11111111 },
	fs_gs[4] = { 0x11111111, 0x22222222 },
	no_es[4] = { 0x11111111, 0x22222222, 0x33333333 };

struct selectors {
	unsigned short fs, gs, ds, es;
};

struct seen {
	struct selectors selectors;
	unsigned int word[4];
	long ret;
};

/*
 * Loads all four, calls KVM_RUN, stores all four and what is behind them (DS
 * and ES: when they are in the LDT), and only then goes back to flat segments:
 * nothing of the compiler's in between.
 */
static void run_with(const struct selectors *in, struct seen *out)
{
	asm volatile("push %%ebx; push %%esi; push %%edi; push %%ebp\n"
		     "mov %%eax, %%esi; mov %%ecx, %%edi\n"
		     "mov $%c[nr], %%eax; mov %[fd], %%ebx\n"
		     "mov $%c[cmd], %%ecx; xor %%edx, %%edx\n"
		     "movw 0(%%esi), %%fs; movw 2(%%esi), %%gs\n"
		     "movw 6(%%esi), %%es; movw 4(%%esi), %%ds\n"
		     "int $0x80\n"
		     "movw %%fs, %%ss:0(%%edi); movw %%gs, %%ss:2(%%edi)\n"
		     "movw %%ds, %%ss:4(%%edi); movw %%es, %%ss:6(%%edi)\n"
		     "mov %%eax, %%ss:24(%%edi)\n"
		     "xor %%eax, %%eax; xor %%ecx, %%ecx; mov %%ss, %%edx\n"
		     "cmpw $0, %%ss:0(%%edi); je 1f\n"
		     "mov %%fs:0, %%eax; mov %%eax, %%ss:8(%%edi)\n"
		     "1: cmpw $0, %%ss:2(%%edi); je 1f\n"
		     "mov %%gs:0, %%eax; mov %%eax, %%ss:12(%%edi)\n"
		     "1: testw $4, %%ss:4(%%edi); jz 1f\n"
		     "mov %%ds:0, %%eax; mov %%eax, %%ss:16(%%edi)\n"
		     "1: testw $4, %%ss:6(%%edi); jz 1f\n"
		     "mov %%es:0, %%eax; mov %%eax, %%ss:20(%%edi)\n"
		     "1: mov %%edx, %%ds; mov %%edx, %%es\n"
		     "pop %%ebp; pop %%edi; pop %%esi; pop %%ebx"
		     : "+a"(in), "+c"(out)
		     : [nr] "i"(__NR_ioctl), [cmd] "i"(KVM_RUN), [fd] "m"(vcpu)
		     : "edx", "memory", "cc");
}

static void keeps(const char *name, const struct selectors *in,
		  const unsigned int *want)
{
	int i, ret = 0, selectors = 0, bases = 0, exits = 0, calls = 0;
	struct seen seen;
	int pid = sys1(__NR_getpid, 0);

	for (i = 0; i < 20; i++) {
		int k;

		for (k = 0; k < (int)sizeof(seen); k++)
			((char *)&seen)[k] = 0;
		run_with(in, &seen);
		ret += seen.ret != 0;
		exits += run->exit_reason != KVM_EXIT_IO ||
			 run->io.port != 0x10;
		selectors += seen.selectors.fs != in->fs ||
			     seen.selectors.gs != in->gs ||
			     seen.selectors.ds != in->ds ||
			     seen.selectors.es != in->es;
		for (k = 0; k < 4; k++)
			bases += want[k] && seen.word[k] != want[k];
		calls += sys_fast(__NR_getpid) != pid;
	}
	puts32("# ");
	puts32(name);
	puts32("\n");
	check(!ret && !exits, "KVM_RUN");
	check(!selectors, "  selectors are kept");
	check(!bases, "  what they stand for is kept");
	check(!calls, "  SYSENTER is the host's");
}

static unsigned short flat(void)
{
	unsigned short ss;

	asm("mov %%ss, %0" : "=r"(ss));
	return ss;
}

static void tls(void)
{
	struct user_desc desc = {
		.entry_number = -1, .limit = 0xfffff, .seg_32bit = 1,
		.limit_in_pages = 1,
	};
	struct selectors s = { .ds = flat(), .es = flat() };

	desc.base_addr = (unsigned long)&word[0];
	need(sys1(__NR_set_thread_area, &desc), "set_thread_area");
	s.fs = desc.entry_number << 3 | 3;
	desc.entry_number = -1;
	desc.base_addr = (unsigned long)&word[1];
	need(sys1(__NR_set_thread_area, &desc), "set_thread_area");
	s.gs = desc.entry_number << 3 | 3;
	keeps("FS and GS in the GDT", &s, fs_gs);
	s.gs = 0;
	keeps("FS in the GDT, no GS", &s, only_fs);
}

static void ldt(void)
{
	struct user_desc desc = {
		.limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1,
	};
	struct selectors s = { .ds = flat(), .es = flat() };
	unsigned int i;

	for (i = 0; i < 4; i++) {
		desc.entry_number = i;
		desc.base_addr = (unsigned long)&word[i];
		need(sys3(__NR_modify_ldt, 1, &desc, sizeof(desc)),
		     "modify_ldt");
	}
	keeps("an LDT that no selector is in", &s, nothing);
	s.fs = 0 << 3 | 7;
	keeps("FS in the LDT", &s, only_fs);
	s.gs = 1 << 3 | 7;
	keeps("FS and GS in the LDT", &s, fs_gs);
	s.ds = 2 << 3 | 7;
	s.es = 3 << 3 | 7;
	keeps("FS, GS, DS and ES in the LDT", &s, word);
	/* Null in ES is allowed as well, and stays null. */
	s.es = 0;
	keeps("ES null", &s, no_es);
}

void main32(unsigned long *stack);

void main32(unsigned long *stack)
{
	unsigned long argc = stack[0], *aux;
	const char **argv = (const char **)(stack + 1);

	if (argc != 2) {
		puts32("Bail out! usage: owner32 DEVICE\n");
		quit(99);
	}
	for (aux = stack + argc + 2; *aux; aux++)
		;
	for (aux++; aux[0] != AT_NULL; aux += 2)
		if (aux[0] == AT_SYSINFO)
			vsyscall = aux[1];
	if (!vsyscall) {
		puts32("Bail out! no AT_SYSINFO\n");
		quit(99);
	}
	make_vm(argv[1]);
	signal_mask();
	tls();
	ldt();
	puts32("1..");
	put_number(count);
	puts32("\n");
	quit(!!failures);
}

asm(".globl _start\n_start: mov %esp, %eax; and $-16, %esp\n"
	"sub $12, %esp; push %eax; call main32\n");
