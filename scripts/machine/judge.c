// SPDX-License-Identifier: GPL-2.0
/* Is something wrong with the kernel, by what it says? */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "judge.h"

struct judged judged;

/*
 * Words with which the kernel reports that something is wrong with it. "Call
 * Trace:" is the net under all of them; a backtrace that was asked for with
 * SysRq (NMI backtrace, task list) is no complaint.
 */
static const char *const complaints[] = {
	"BUG: ", "kernel BUG at", "WARNING: CPU:", "WARNING: possible", "WARNING: suspicious",
	"WARNING: inconsistent", "WARNING: bad unlock", "WARNING: held lock",
	"WARNING: lock held", "WARNING: Nested lock", "WARNING: stack", "Oops: ",
	"general protection fault", "unable to handle", "divide error:",
	"invalid opcode: 0000", "double fault", "stack segment: ", "segment not present:",
	"possible circular locking", "possible recursive locking", "suspicious RCU usage",
	"detected stall", "detected expedited stall", "self-detected stall", "rcu: INFO:",
	"soft lockup", "hard LOCKUP", "blocked for more than", "hogged CPU", "refcount_t: ",
	"list_add corruption", "list_del corruption", "slab-out-of-bounds", "use-after-free",
	"UBSAN: ", "KASAN: ", "unchecked MSR access error", "bad page state", "Bad page map",
	"scheduling while atomic", "sleeping function called", "DEBUG_LOCKS_WARN_ON",
	"Kernel panic", "Machine check", "[Hardware Error]", "traps: PANIC", "irq event stamp",
	"nobody cared", "INFO: NMI handler", "Call Trace:",
};

void judge_line(const char *line)
{
	static bool asked_for;

	if (strstr(line, "Kernel panic"))
		judged.dead = true;
	if (strstr(line, "sysrq: "))
		asked_for = true;
	/* What the kernel says of the emulated machine at boot is no failure. */
	if (judged.complaint[0] || (!judged.counting && !judged.dead))
		return;
	for (size_t i = 0; i < sizeof(complaints) / sizeof(*complaints); i++) {
		if (!strstr(line, complaints[i]))
			continue;
		if (asked_for && !strcmp(complaints[i], "Call Trace:"))
			continue;
		snprintf(judged.complaint, sizeof(judged.complaint), "%s", line);
		return;
	}
}

/*
 * The console repeats what /dev/kmsg says, and says what the agent cannot say
 * any more after a panic. Complete lines only.
 */
void judge_console(const char *data, size_t size)
{
	static char line[1024];
	static size_t fill;

	for (size_t i = 0; i < size; i++) {
		if (data[i] != '\n' && fill < sizeof(line) - 1) {
			line[fill++] = data[i];
			continue;
		}
		line[fill] = 0;
		fill = 0;
		judge_line(line);
	}
}
