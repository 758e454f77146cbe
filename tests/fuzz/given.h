/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the interface fuzzer's calls are given: structures that are right but for
 * a field, at pointers of every kind.
 */
#ifndef FUZZ_GIVEN_H
#define FUZZ_GIVEN_H

#include "random.h"

#define BUFFER		(16 * PAGE_SIZE)

enum pointer { GOOD, END, READ_ONLY, SHORT, UNMAPPED, NIL, KERNEL, NONCANONICAL, POINTERS };

/**
 * struct buffer - a thread's own
 * @rw: where each structure is made
 * @ro: the same pages, read-only; nothing is behind either
 */
struct buffer {
	u8 *rw, *ro;
};

extern __thread struct buffer buffer;

/* Any of them, and often a good one */
enum pointer some_pointer(void);

/** place() - where the kernel is told that @size bytes are, which are at buffer.rw. */
unsigned long place(enum pointer kind, size_t size);

/*
 * Each puts a structure at buffer.rw, for a call on the descriptor @fd, and
 * returns its size.
 */
size_t fill_regs(int fd);
size_t fill_sregs(int fd);
size_t fill_fpu(int fd);
size_t fill_msrs(int fd);
size_t fill_vmcs(int fd);
size_t fill_stop(int fd);
size_t fill_explanation(int fd);
size_t fill_cpuid(int fd);
size_t fill_sigmask(int fd);
size_t fill_events(int fd);
size_t fill_irq(int fd);
size_t fill_region(int fd);
size_t fill_debugregs(int fd);
size_t fill_xsave(int fd);
size_t fill_xcrs(int fd);
size_t fill_mp_state(int fd);
size_t fill_sregs2(int fd);
size_t fill_translation(int fd);
size_t fill_guest_debug(int fd);
size_t fill_cap(int fd);
size_t fill_attr(int fd);
size_t fill_filter(int fd);
size_t fill_address(int fd);
size_t fill_list(int fd);
size_t fill_ioeventfd(int fd);
size_t fill_line(int fd);
size_t fill_chip(int fd);
size_t fill_irqfd(int fd);
size_t fill_clock(int fd);
size_t fill_zone(int fd);
size_t fill_dirty_log(int fd);
size_t fill_clear_log(int fd);
size_t fill_msi(int fd);

#endif
