/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocations that fail: a call is made again and again, and its 1st allocation
 * fails, then its 2nd, until none is left that could. Each time the call fails
 * with ENOMEM, or does without; and the same call right after it, with all the
 * memory it wants, works. That nothing leaks and the kernel has no complaint is
 * for others to see (tests/debug/alloc.t).
 *
 * Needs a kernel with CONFIG_FAULT_INJECTION, failslab and fail_page_alloc.
 */
#ifndef INJECT_H
#define INJECT_H

#define DEBUGFS		"/sys/kernel/debug/"

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

/** inject_init() - false, and a test skipped: this kernel cannot do it. */
bool inject_init(void);

/** inject_arm() - let this thread's @nth allocation from now on fail. */
void inject_arm(int nth);
/**
 * inject_disarm() - no allocation fails from now on.
 *
 * Return: how many more would have had to come, 0: one failed.
 */
int inject_disarm(void);

/** inject() - a test for @call, whose allocations before the @first succeed. */
void inject_from(const struct call *call, int first);
void inject(const struct call *call);

/** put_file() - write @text to a file; it is a failure if that fails. */
void put_file(const char *path, const char *text);

#endif /* INJECT_H */
