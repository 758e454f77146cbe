// SPDX-License-Identifier: GPL-2.0
/* Is something wrong with the kernel, by what it says? */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "judge.h"

struct judged judged;

/*
 * Words with which Linux reports that something is wrong with it. Faults of
 * programs ("traps: prog[7] general protection fault ip:...") are not among
 * them: it is die() that counts its reports, " [#1]". "Call Trace:" is the net
 * under all; a backtrace that was asked for with SysRq is no complaint.
 */
static const char *const complaints[] = {
	"lab: the agent lost",
	/* die(), page faults, BUG(), panic() */
	" [#", "BUG: ", "kernel BUG at", "Oops", "Kernel panic", "traps: PANIC",
	/* WARN() and what has its own words */
	"WARNING: CPU:", "WARNING: stack", "refcount_t: ", "list_add corruption",
	"list_del corruption", "unchecked MSR access error", "scheduling while atomic",
	"sleeping function called", "Bad page map", "irq event stamp", "nobody cared",
	"UBSAN: ", "KASAN: ", "KCSAN: ", "usercopy: ", "suspected memory leaks",
	/* lockdep; in 6.1 each of its reports begins "WARNING: " */
	"WARNING: possible", "WARNING: inconsistent", "WARNING: bad unlock",
	"WARNING: suspicious", "WARNING: held lock", "WARNING: lock held",
	"WARNING: Nested lock", "possible circular locking", "possible recursive locking",
	"suspicious RCU usage", "DEBUG_LOCKS_WARN_ON", "Invalid wait context",
	/* hung: RCU, the watchdogs, khungtaskd, a long NMI handler */
	"detected stall", "detected expedited stall", "self-detected stall", "soft lockup",
	"hard LOCKUP", "blocked for more than", "hogged CPU", "INFO: NMI handler",
	"kthread starved",
	/* the machine itself */
	"Machine check", "[Hardware Error]",
	"Call Trace:",
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
