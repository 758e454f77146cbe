// SPDX-License-Identifier: GPL-2.0
/*
 * What belongs to the host stays the host's, what belongs to a guest the
 * guest's: FPU, SSE, AVX, debug registers, MSRs, selectors, descriptor table
 * limits, CR4. With one vCPU, and with two on one CPU; where there are two
 * CPUs, with two vCPUs that are moved between them while they run.
 */
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "tap.h"
#include "vm.h"

#define TABLE	0xb100	/* the guest's MSRs: index and value, 16 bytes each */
#define NR_MSRS	10

/*
 * R15 is the guest's seed, R14 the number of rounds, R13 the length of the
 * pause in each, R12 whether there is AVX, R11 the number of MSRs. A round
 * sets every register to something made of the seed, goes out, waits, and
 * looks whether all is as it was. OUT to port 0x11 means: it is not.
 */
GUEST64(wreck,
	"	test %r12, %r12; jz 1f\n"
	"	xor %ecx, %ecx; mov $7, %eax; xor %edx, %edx; xsetbv\n"
	"1:	sti\n"
	"round:	fninit; mov %r15, 0xb000; fildll 0xb000; fildll 0xb000\n"
	"	movl $0x0a7f, 0xb010; fldcw 0xb010\n"
	"	movl $0x3f80, 0xb014; ldmxcsr 0xb014\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	lea \\n(%r15), %rax; movq %rax, %xmm\\n\n"
	"	.endr\n"
	"	test %r12, %r12; jz 2f\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	vinsertf128 $1, %xmm\\n, %ymm\\n, %ymm\\n\n"
	"	.endr\n"
	"2:	mov %r15, %dr0; lea 8(%r15), %rax; mov %rax, %dr1\n"
	"	lea 16(%r15), %rax; mov %rax, %dr2\n"
	"	lea 24(%r15), %rax; mov %rax, %dr3\n"
	"	mov $0x3333055a, %eax; mov %rax, %dr7\n"
	"	mov %r15, %cr2\n"
	"	mov $0xb100, %esi; mov %r11d, %edi\n"
	"3:	mov (%rsi), %ecx; mov 8(%rsi), %eax; mov 12(%rsi), %edx; wrmsr\n"
	"	add $16, %esi; dec %edi; jnz 3b\n"
	"	out %al, $0x10\n"
	"	mov %r13, %rcx\n"
	"4:	loop 4b\n"
	"	mov $1, %bl\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	lea \\n(%r15), %rax; movq %xmm\\n, %rdx\n"
	"	cmp %rax, %rdx; jne 9f\n"
	"	.endr\n"
	"	mov $2, %bl; test %r12, %r12; jz 5f\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	lea \\n(%r15), %rax; vextractf128 $1, %ymm\\n, 0xb020\n"
	"	cmp %rax, 0xb020; jne 9f\n"
	"	.endr\n"
	"5:	mov $3, %bl; stmxcsr 0xb014; cmpl $0x3f80, 0xb014; jne 9f\n"
	"	mov $4, %bl; fnstcw 0xb010; cmpw $0x0a7f, 0xb010; jne 9f\n"
	"	mov $5, %bl; fistpll 0xb008; cmp %r15, 0xb008; jne 9f\n"
	"	fistpll 0xb008; cmp %r15, 0xb008; jne 9f\n"
	"	mov $6, %bl; mov %dr0, %rax; cmp %r15, %rax; jne 9f\n"
	"	mov %dr3, %rax; lea 24(%r15), %rdx; cmp %rdx, %rax; jne 9f\n"
	"	mov %dr7, %rax; cmp $0x3333055a, %eax; jne 9f\n"
	"	mov $7, %bl; mov %cr2, %rax; cmp %r15, %rax; jne 9f\n"
	"	mov $8, %bl; mov $0xb100, %esi; mov %r11d, %edi\n"
	"6:	mov (%rsi), %ecx; rdmsr; cmp 8(%rsi), %eax; jne 9f\n"
	"	cmp 12(%rsi), %edx; jne 9f\n"
	"	add $16, %esi; dec %edi; jnz 6b\n"
	"	dec %r14; jnz round\n"
	"	hlt\n"
	"9:	mov %ebx, %eax; out %al, $0x11\n");

static const char *const guest_parts[] = {
	"", "XMM", "YMM", "MXCSR", "FCW", "ST", "debug registers", "CR2",
	"MSRs",
};

static bool have_avx;
static bool have_rdtscp;
static bool is_kvm;

/* FXSAVE's image; YMM's upper halves beside it. */
struct fpu {
	_Alignas(64) u8 fx[512];
	u8 upper[16][16];
};

struct job {
	struct vm vm;
	struct vcpu cpu;
	u64 seed;
	int rounds;
	int pause;
	int host_fpu, host_base, host_selector;
	const char *guest;
	u64 gs_base;
	pthread_t thread;
};

/* Making and destroying VMs takes long: all tests share these two. */
static struct job jobs[2];

static void fpu_pattern(struct fpu *f, u64 seed)
{
	u16 fcw = 0x067f;
	u32 mxcsr = 0x5f80;
	size_t i;

	memset(f, 0, sizeof(*f));
	memcpy(f->fx, &fcw, 2);
	f->fx[4] = 0xff;		/* all of ST is used */
	memcpy(f->fx + 24, &mxcsr, 4);
	for (i = 0; i < 8; i++) {
		f->fx[32 + 16 * i + 7] = 0x80;	/* a normal number */
		f->fx[32 + 16 * i + 8] = 0xff;
		f->fx[32 + 16 * i + 9] = 0x3f;
		memcpy(f->fx + 32 + 16 * i, &seed, 4);
	}
	for (i = 0; i < 256; i++)
		f->fx[160 + i] = seed + 3 * i;
	for (i = 0; i < 256; i++)
		f->upper[i / 16][i % 16] = seed + 5 * i;
}

/* KVM_RUN with the FPU's registers loaded before and stored after. */
static long run_with_fpu(int fd, const struct fpu *in, struct fpu *out)
{
	register long ret asm("rax") = SYS_ioctl;
	register long rdi asm("rdi") = fd;
	register long rsi asm("rsi") = KVM_RUN;
	register long rdx asm("rdx");
	register long avx asm("r12") = have_avx;
	register const struct fpu *from asm("r13") = in;
	register struct fpu *to asm("r14") = out;

	asm volatile("fxrstor64 (%%r13)\n"
		     "test %%r12, %%r12; jz 1f\n"
		     ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
		     "vinsertf128 $1, 512+16*\\n(%%r13), %%ymm\\n, %%ymm\\n\n"
		     ".endr\n"
		     "1: xor %%edx, %%edx; syscall\n"
		     "fxsave64 (%%r14)\n"
		     "test %%r12, %%r12; jz 2f\n"
		     ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
		     "vextractf128 $1, %%ymm\\n, 512+16*\\n(%%r14)\n"
		     ".endr\n"
		     "vzeroupper\n"
		     "2: fninit; ldmxcsr %[mxcsr]\n"
		     : "+r"(ret), "=r"(rdx)
		     : "r"(rdi), "r"(rsi), "r"(avx), "r"(from), "r"(to),
		       [mxcsr] "m"(*(const u32[]){ 0x1f80 })
		     : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3",
		       "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
		       "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	return ret;
}

static bool same_fpu(const struct fpu *a, const struct fpu *b)
{
	/* Bytes 28 to 31 are the mask of MXCSR, which only FXSAVE writes. */
	return !memcmp(a->fx, b->fx, 28) &&
	       !memcmp(a->fx + 32, b->fx + 32, 384) &&
	       (!have_avx || !memcmp(a->upper, b->upper, sizeof(a->upper)));
}

static void put_msr(struct vm *vm, int i, u32 index, u64 value)
{
	memcpy(vm->mem + TABLE + 16 * i, &index, 4);
	memcpy(vm->mem + TABLE + 16 * i + 8, &value, 8);
}

static void prepare(struct job *job, u64 seed, int rounds, int pause)
{
	struct vcpu *c = &job->cpu;
	struct vm *vm = c->vm;
	u64 high = 0xffff800000000000 | job->seed << 12;
	struct kvm_sregs s;
	struct kvm_regs r;
	int n = 0;

	job->seed = seed;
	job->rounds = rounds;
	job->pause = pause;
	job->host_fpu = 0;
	job->host_base = 0;
	job->host_selector = 0;
	guest64(c, wreck);
	/* All of the table but TSC_AUX is there on each CPU with VMX. */
	put_msr(vm, n++, 0x174, job->seed & 0xffff);
	put_msr(vm, n++, 0x175, high + 1);
	put_msr(vm, n++, 0x176, high + 2);
	put_msr(vm, n++, 0x277, 0x0007040600070400 | (job->seed & 1));
	put_msr(vm, n++, 0xc0000081, job->seed * 0x100000001);
	put_msr(vm, n++, 0xc0000082, high + 3);
	put_msr(vm, n++, 0xc0000083, high + 4);
	put_msr(vm, n++, 0xc0000084, job->seed & 0xffffff);
	put_msr(vm, n++, 0xc0000102, high + 5);
	put_msr(vm, n++, 0xc0000100, high + 6);
	put_msr(vm, n++, 0xc0000101, high + 7);
	if (have_rdtscp)
		put_msr(vm, n++, 0xc0000103, job->seed & 0xffff);

	s = get_sregs(c);
	/* SYSCALL's MSRs need not be in the CPU for a guest without it. */
	s.efer |= EFER_SCE;
	if (have_avx)
		s.cr4 |= CR4_OSXSAVE;
	set_sregs(c, &s);
	r = get_regs(c);
	r.r11 = n;
	r.r12 = have_avx;
	r.r13 = job->pause;
	r.r14 = job->rounds;
	r.r15 = job->seed;
	set_regs(c, &r);
}

static u64 gs_base(void)
{
	u64 base = 0;

	syscall(SYS_arch_prctl, ARCH_GET_GS, &base);
	return base;
}

static u16 selectors(void)
{
	u16 ds, es, gs;

	asm("mov %%ds, %0" : "=r"(ds));
	asm("mov %%es, %0" : "=r"(es));
	asm("mov %%gs, %0" : "=r"(gs));
	return ds ^ es << 4 ^ gs << 8;
}

static void *work(void *arg)
{
	struct job *job = arg;
	struct kvm_run *run = job->cpu.run;
	struct fpu in, out;
	u16 before;
	int i = 0;

	/* Not what the kernel has there for most: something to be lost. */
	asm volatile("mov %0, %%ds" : : "r"(0x2b));
	asm volatile("mov %0, %%es" : : "r"(0x2b));
	job->gs_base = 0x7000000000 + (job->seed << 12);
	syscall(SYS_arch_prctl, ARCH_SET_GS, job->gs_base);
	before = selectors();
	for (;;) {
		fpu_pattern(&in, job->seed + i++);
		if (run_with_fpu(job->cpu.fd, &in, &out)) {
			job->guest = "KVM_RUN failed";
			break;
		}
		job->host_fpu += !same_fpu(&in, &out);
		job->host_base += gs_base() != job->gs_base;
		job->host_selector += selectors() != before;
		if (run->exit_reason == KVM_EXIT_HLT) {
			job->guest = "all as it was";
			break;
		}
		if (run->exit_reason != KVM_EXIT_IO) {
			job->guest = "the guest did not come to its end";
			break;
		}
		if (run->io.port == 0x11) {
			job->guest = guest_parts[*(u8 *)io_data(&job->cpu)];
			break;
		}
	}
	syscall(SYS_arch_prctl, ARCH_SET_GS, 0);
	return NULL;
}

static void report(struct job *job, const char *name)
{
	is(job->guest, "all as it was", "%s: the guest's registers", name);
	is_hex(job->host_fpu, 0, "%s: the owner's FPU, times lost", name);
	is_hex(job->host_base, 0, "%s: the owner's GS base, times lost", name);
	is_hex(job->host_selector, 0, "%s: the owner's selectors, times lost",
	       name);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bail("sched_setaffinity: %s", strerror(errno));
}

static void unpin(void)
{
	cpu_set_t set;

	memset(&set, 0xff, sizeof(set));
	sched_setaffinity(0, sizeof(set), &set);
}

static void open_job(struct job *job, const char *device)
{
	vm_open(&job->vm, device, 1 << 20);
	vcpu_open(&job->cpu, &job->vm, 0);
}

/* The host's MSRs through the msr driver; -1 without it. */
static int msr_fd = -1;

static u64 host_msr(u32 index)
{
	u64 value = 0;

	if (pread(msr_fd, &value, 8, index) != 8)
		return 0xdeaddeaddeaddead;
	return value;
}

static const struct {
	const char *name;
	u32 index;
} host_msrs[] = {
	{ "SYSENTER_CS", 0x174 }, { "SYSENTER_ESP", 0x175 },
	{ "SYSENTER_EIP", 0x176 }, { "DEBUGCTL", 0x1d9 }, { "PAT", 0x277 },
	{ "EFER", 0xc0000080 }, { "STAR", 0xc0000081 },
	{ "LSTAR", 0xc0000082 }, { "CSTAR", 0xc0000083 },
	{ "FMASK", 0xc0000084 }, { "TSC_AUX", 0xc0000103 },
};

struct table_register {
	u16 limit;
	u64 base;
} __packed;

static struct {
	struct table_register gdt, idt;
	u16 ldt, tr;
} before, after;

static void read_tables(void *to)
{
	struct table_register gdt, idt;
	u16 ldt, tr;

	asm volatile("sgdt %0" : "=m"(gdt));
	asm volatile("sidt %0" : "=m"(idt));
	asm volatile("sldt %0" : "=r"(ldt));
	asm volatile("str %0" : "=r"(tr));
	memcpy(to, &gdt, sizeof(gdt));
	memcpy((char *)to + sizeof(gdt), &idt, sizeof(idt));
	memcpy((char *)to + 2 * sizeof(gdt), &ldt, 2);
	memcpy((char *)to + 2 * sizeof(gdt) + 2, &tr, 2);
}

static sigjmp_buf back;

static void fault(int sig)
{
	siglongjmp(back, sig);
}

static int port_signal(void)
{
	int sig = sigsetjmp(back, 1);

	if (!sig)
		outb(0, 0x80);
	return sig;
}

static int tsc_signal(void)
{
	int sig = sigsetjmp(back, 1);

	if (!sig)
		asm volatile("rdtsc" : : : "eax", "edx");
	return sig;
}

static int watched;

static int watchpoint(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)&watched,
		.bp_len = HW_BREAKPOINT_LEN_4,
		.exclude_kernel = 1,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static void one_vcpu(void)
{
	struct job *job = &jobs[0];

	u64 msrs[ARRAY_SIZE(host_msrs)];
	u64 hits = 0;
	u32 aux;
	size_t i;
	int fd, saved_errno;

	pin(0);
	msr_fd = open("/dev/cpu/0/msr", O_RDONLY | O_CLOEXEC);
	signal(SIGSEGV, fault);
	if (ioperm(0x80, 1, 1))
		bail("ioperm: %s", strerror(errno));
	is_hex(port_signal(), 0, "ioperm: OUT works before");
	fd = watchpoint();
	saved_errno = errno;
	read_tables(&before);
	for (i = 0; i < ARRAY_SIZE(host_msrs); i++)
		msrs[i] = host_msr(host_msrs[i].index);

	/* The guest's watchpoints are on what this program uses. */
	prepare(job, (uintptr_t)&watched & ~7ul, 20, 1000);
	work(job);
	report(job, "one vCPU");
	read_tables(&after);

	is_hex(port_signal(), 0, "ioperm: OUT works after (TR's limit)");
	is_hex(after.gdt.limit == before.gdt.limit &&
	       after.gdt.base == before.gdt.base, 1, "GDTR is as it was");
	is_hex(after.idt.base == before.idt.base, 1, "IDTR's base is as it was");
	ok(after.idt.limit == before.idt.limit || is_kvm,
	   "IDTR's limit is as it was (KVM leaves it at 0xffff)");
	diag("IDTR's limit: %#x, then %#x", before.idt.limit, after.idt.limit);
	is_hex(after.ldt == before.ldt, 1, "LDTR is as it was");
	is_hex(after.tr == before.tr, 1, "TR is as it was");
	for (i = 0; i < ARRAY_SIZE(host_msrs); i++) {
		if (msr_fd < 0) {
			skip("no msr driver", "the host's %s",
			     host_msrs[i].name);
			continue;
		}
		ok(host_msr(host_msrs[i].index) == msrs[i],
		   "the host's %s is as it was", host_msrs[i].name);
	}
	if (have_rdtscp) {
		asm volatile("rdtscp" : "=c"(aux) : : "eax", "edx");
		is_hex(aux & 0xfff, 0, "RDTSCP says which CPU this is");
	}
	if (fd < 0) {
		skip("perf_event_open failed", "the owner's watchpoint");
		diag("%s", strerror(saved_errno));
	} else {
		watched = 1;
		if (read(fd, &hits, 8) != 8)
			bail("read of a perf event: %s", strerror(errno));
		is_hex(hits, 1, "the owner's watchpoint works");
		close(fd);
	}

	/* CR4 is not the same for every task, nor for one task for ever. */
	prepare(job, 1, 1, 1);
	prctl(PR_SET_TSC, PR_TSC_SIGSEGV);
	work(job);
	is_hex(tsc_signal(), SIGSEGV, "CR4.TSD set since the last KVM_RUN");
	prctl(PR_SET_TSC, PR_TSC_ENABLE);
	prepare(job, 1, 1, 1);
	work(job);
	is_hex(tsc_signal(), 0, "CR4.TSD cleared since the last KVM_RUN");
}

/* A GS that comes from an LDT, in a 64-bit program. */
static void ldt(void)
{
	struct job *job = &jobs[0];
	static u32 there = 0x12345678;
	struct user_desc desc = {
		.limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1,
	};
	u16 gs, sldt;
	u32 value;
	int i, bad = 0;

	desc.base_addr = (uintptr_t)&there;
	if (syscall(SYS_modify_ldt, 1, &desc, sizeof(desc)))
		bail("modify_ldt: %s", strerror(errno));
	asm volatile("sldt %0" : "=r"(sldt));
	asm volatile("mov %0, %%gs" : : "r"(7));
	for (i = 0; i < 20; i++) {
		prepare(job, 42, 1, 1);
		while (vcpu_run_raw(&job->cpu) == 0 &&
		       job->cpu.run->exit_reason == KVM_EXIT_IO)
			;
		asm volatile("mov %%gs, %0" : "=r"(gs));
		if (gs != 7) {
			bad++;
			continue;
		}
		asm volatile("mov %%gs:0, %0" : "=r"(value));
		bad += value != there;
		/* The table itself must be there, too. */
		asm volatile("mov %0, %%gs" : : "r"(7));
	}
	is_hex(bad, 0, "LDT: GS selector and base, times lost");
	asm volatile("sldt %0" : "=r"(gs));
	is_hex(gs == sldt && sldt, 1, "LDT: LDTR is as it was");
	asm volatile("mov %0, %%gs" : : "r"(0));
}

static void two_vcpus(bool move)
{
	const char *name = move ? "two vCPUs on two CPUs, moved" :
				  "two vCPUs on one CPU";
	cpu_set_t set;
	int i, k;

	for (i = 0; i < 2; i++) {
		prepare(&jobs[i], 0x1000 * (i + 1) + 0x123450, 40, 20000);
		if (pthread_create(&jobs[i].thread, NULL, work, &jobs[i]))
			bail("no thread");
	}
	for (k = 0; move && k < 60; k++) {
		for (i = 0; i < 2; i++) {
			CPU_ZERO(&set);
			CPU_SET((k + i) % 2, &set);
			pthread_setaffinity_np(jobs[i].thread, sizeof(set),
					       &set);
		}
		usleep(3000);
	}
	for (i = 0; i < 2; i++) {
		pthread_join(jobs[i].thread, NULL);
		report(&jobs[i], name);
	}
}

int main(int argc, char **argv)
{
	u32 a, b, c, d, low;

	if (argc != 2)
		bail("usage: %s DEVICE", argv[0]);
	watchdog(120);
	__cpuid(1, a, b, c, d);
	if (c & bit_OSXSAVE) {
		asm volatile("xgetbv" : "=a"(low), "=d"(d) : "c"(0));
		have_avx = c & bit_AVX && (low & 6) == 6;
	}
	__cpuid(0x80000001, a, b, c, d);
	have_rdtscp = d & (1u << 27);
	diag("AVX %d, RDTSCP %d", have_avx, have_rdtscp);

	is_kvm = !strcmp(argv[1], "/dev/kvm");
	open_job(&jobs[0], argv[1]);
	open_job(&jobs[1], argv[1]);
	one_vcpu();
	ldt();
	if (sysconf(_SC_NPROCESSORS_ONLN) == 1) {
		two_vcpus(false);
	} else {
		unpin();
		two_vcpus(true);
	}
	return done_testing();
}
