// SPDX-License-Identifier: GPL-2.0
/* A guest that works on its memory; worker.h says what each call does. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tap.h"
#include "worker.h"

#define CONTROL		(GUEST_DATA + 0x3000)
#define ECHO		(GUEST_DATA + 0x2000)	/* the second word of each page */
#define SHADOW		(GUEST_DATA + 0x4000)	/* what each page should hold */

GUEST64(guest_peek, "mov (%rdi), %rax; hlt");
GUEST64(guest_poke, "mov %rax, (%rdi); hlt");
GUEST64(guest_call, "call *%rdi; hlt");
/* RDI: first page, RCX: how many, RBX: control, R8: shadow, RSI: echo. */
GUEST64(guest_work, "\n"
"1:	xor	%edx, %edx\n"
"	mov	%rdi, %rax\n"
"2:	mov	(%rax), %r9\n"
"	mov	(%r8, %rdx, 8), %r10\n"
"	cmp	%r10, %r9\n"
"	je	3f\n"
"	test	%r9, %r9\n"
"	jz	3f\n"
"	incq	16(%rbx)\n"
"	mov	%rax, 24(%rbx)\n"
"	mov	%r9, 32(%rbx)\n"
"	mov	%r10, 40(%rbx)\n"
"3:	inc	%r9\n"
"	mov	%r9, (%rax)\n"
"	mov	%r9, (%r8, %rdx, 8)\n"
"	mov	8(%rax), %r10\n"
"	mov	%r10, (%rsi, %rdx, 8)\n"
"	add	$4096, %rax\n"
"	inc	%rdx\n"
"	cmp	%rcx, %rdx\n"
"	jb	2b\n"
"	incq	(%rbx)\n"
"	cmpq	$0, 8(%rbx)\n"
"	je	1b\n"
"	hlt\n");

/* One after the other in the page of code. */
#define AT_PEEK		0x000
#define AT_POKE		0x100
#define AT_CALL		0x200
#define AT_WORK		0x300

static void put_code(struct vm *vm, u32 at, const char *code, const char *end)
{
	memcpy(vm->mem + GUEST_CODE + at, code, end - code);
}

void worker_open(struct vm *vm, struct vcpu *c, const char *device)
{
	vm_open(vm, device, 1 << 20);
	vcpu_open(c, vm, 0);
	guest64(c, guest_peek);
	put_code(vm, AT_POKE, guest_poke, guest_poke_end);
	put_code(vm, AT_CALL, guest_call, guest_call_end);
	put_code(vm, AT_WORK, guest_work, guest_work_end);
}

static void at(struct vcpu *c, u32 code, u64 gpa, u64 rax)
{
	struct kvm_regs regs = {
		.rip = GUEST_CODE + code,
		.rsp = GUEST_STACK,
		.rflags = 2,
		.rdi = gpa,
		.rax = rax,
	};

	set_regs(c, &regs);
}

const char *poke(struct vcpu *c, u64 gpa, u64 value)
{
	at(c, AT_POKE, gpa, value);
	return vcpu_run(c);
}

static const char *run_for_value(struct vcpu *c, u64 *value)
{
	const char *text = vcpu_run(c);

	*value = get_regs(c).rax;
	return text;
}

const char *peek(struct vcpu *c, u64 gpa, u64 *value)
{
	at(c, AT_PEEK, gpa, 0);
	return run_for_value(c, value);
}

const char *call(struct vcpu *c, u64 gpa, u64 *value)
{
	at(c, AT_CALL, gpa, 0);
	return run_for_value(c, value);
}

const char *reads(struct vcpu *c, u64 gpa)
{
	static char text[32];
	const char *result;
	u64 value;

	result = peek(c, gpa, &value);
	if (strcmp(result, "HLT"))
		return result;
	snprintf(text, sizeof(text), "%#llx", (unsigned long long)value);
	return text;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	/* EINVAL: that CPU has just gone. */
	if (sched_setaffinity(0, sizeof(set), &set) && errno != EINVAL)
		bail("sched_setaffinity: %s", strerror(errno));
}

static void *work_thread(void *arg)
{
	struct worker *w = arg;

	pin(sysconf(_SC_NPROCESSORS_ONLN) - 1);

	snprintf(w->result, sizeof(w->result), "%s", vcpu_run(w->c));
	w->done = 1;
	return NULL;
}

void work_again(struct worker *w)
{
	int ret;

	w->done = 0;
	w->control->stop = 0;
	pin(0);
	ret = pthread_create(&w->thread, NULL, work_thread, w);
	if (ret)
		bail("pthread_create: %s", strerror(ret));
}

void work_start(struct worker *w, struct vcpu *c, u64 gpa, int pages)
{
	struct kvm_regs regs = {
		.rip = GUEST_CODE + AT_WORK,
		/*
		 * Bochs 2.7 does not notice the host's interrupts while a
		 * guest runs that was entered with its own disabled.
		 */
		.rflags = FLAG_IF | 2,
		.rdi = gpa,
		.rcx = pages,
		.rbx = CONTROL,
		.r8 = SHADOW,
		.rsi = ECHO,
	};

	if (pages > WORK_MAX_PAGES)
		bail("the worker knows %d pages at most", WORK_MAX_PAGES);
	w->c = c;
	w->control = (void *)(c->vm->mem + CONTROL);
	memset(c->vm->mem + CONTROL, 0, sizeof(struct control));
	memset(c->vm->mem + SHADOW, 0, pages * sizeof(u64));
	set_regs(c, &regs);
	work_again(w);
}

void work_wait(struct worker *w)
{
	/* The round that is under way has seen some pages before now. */
	u64 rounds = w->control->rounds + 2;

	while (w->control->rounds < rounds && !w->done)
		usleep(1000);
}

const char *work_end(struct worker *w)
{
	pthread_join(w->thread, NULL);
	return w->result;
}

const char *work_stop(struct worker *w)
{
	w->control->stop = 1;
	return work_end(w);
}

u64 work_last(struct worker *w, int page)
{
	return ((u64 *)(w->c->vm->mem + SHADOW))[page];
}

u64 work_echo(struct worker *w, int page)
{
	return ((u64 *)(w->c->vm->mem + ECHO))[page];
}

const char *work_errors(struct worker *w)
{
	struct control *control = w->control;
	static char text[160];

	if (!control->errors)
		return "no errors";
	snprintf(text, sizeof(text),
		 "%llu errors, last at %#llx: read %#llx, wrote %#llx",
		 (unsigned long long)control->errors,
		 (unsigned long long)control->error_gpa,
		 (unsigned long long)control->error_value,
		 (unsigned long long)control->error_expected);
	return text;
}

int vm_slot(struct vm *vm, u32 slot, u32 flags, u64 gpa, u64 size,
	    const void *mem)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot, .flags = flags, .guest_phys_addr = gpa,
		.memory_size = size, .userspace_addr = (uintptr_t)mem,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

void *map_pages(void *where, size_t size)
{
	void *mem = mmap(where, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			 (where ? MAP_FIXED : 0), -1, 0);

	if (mem == MAP_FAILED)
		bail("mmap of %zu bytes: %s", size, strerror(errno));
	return mem;
}

long long vcpu_stat(struct vcpu *c, const char *name)
{
	static char file[65536];
	struct kvm_stats_header *header = (void *)file;
	struct kvm_stats_desc *desc;
	long long value = -1;
	size_t size;
	ssize_t n;
	u32 i;
	int fd;

	fd = ioctl(c->fd, KVM_GET_STATS_FD, NULL);
	if (fd < 0)
		return -1;
	n = pread(fd, file, sizeof(file), 0);
	close(fd);
	if (n < (ssize_t)sizeof(*header))
		return -1;

	size = sizeof(*desc) + header->name_size;
	for (i = 0; i < header->num_desc; i++) {
		desc = (void *)(file + header->desc_offset + i * size);
		if (!strcmp(desc->name, name))
			memcpy(&value, file + header->data_offset + desc->offset,
			       sizeof(value));
	}
	return value;
}

long long faults(struct vcpu *c)
{
	long long n = vcpu_stat(c, "exit_ept_violation");

	return n >= 0 ? n : vcpu_stat(c, "pf_taken");
}

bool outside(struct vcpu *c, u64 *gpa, int *write)
{
	struct kvm_run *run = c->run;

	if (run->exit_reason != KVM_EXIT_MMIO)
		return false;
	*gpa = run->mmio.phys_addr;
	*write = run->mmio.is_write;
	run->immediate_exit = 1;
	vcpu_run_raw(c);
	run->immediate_exit = 0;
	return true;
}

bool no_memory(struct vcpu *c, u64 gpa, bool write)
{
	u64 where;
	int how;

	return outside(c, &where, &how) && where == gpa && how == write;
}
