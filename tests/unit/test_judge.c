// SPDX-License-Identifier: GPL-2.0
/*
 * What makes a run in the lab fail although COMMAND succeeded: the words of
 * the kernel that scripts/machine/judge.c takes for a complaint. The lines are
 * what Linux 6.1 prints (kernel/panic.c, kernel/locking/lockdep.c, ...).
 */
// sources: scripts/machine/judge.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "scripts/machine/judge.h"

static const char *const bad[] = {
	"BUG: kernel NULL pointer dereference, address: 0000000000000000",
	"BUG: unable to handle page fault for address: ffffc90000000000",
	"general protection fault, probably for non-canonical address 0x1: 0000 [#1] PREEMPT SMP",
	"invalid opcode: 0000 [#1] PREEMPT SMP NOPTI",
	"kernel BUG at module/vm.c:10!",
	"WARNING: CPU: 0 PID: 84 at module/run.c:12 mvm_run+0x1/0x2 [minivmm]",
	"WARNING: possible circular locking dependency detected",
	"WARNING: possible recursive locking detected",
	"WARNING: suspicious RCU usage",
	"WARNING: inconsistent lock state",
	"BUG: sleeping function called from invalid context at mm/slab.h:494",
	"BUG: scheduling while atomic: minivmm-run/84/0x00000002",
	"rcu: INFO: rcu_preempt self-detected stall on CPU",
	"rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
	"watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [minivmm-run:84]",
	"INFO: task minivmm-run:84 blocked for more than 120 seconds.",
	"refcount_t: underflow; use-after-free.",
	"unchecked MSR access error: WRMSR to 0x48 (tried to write 0x1) at rIP: 0xffffffff81000000",
	"Kernel panic - not syncing: Fatal exception",
	"Call Trace:",
};

static const char *const good[] = {
	"minivmm: loading out-of-tree module taints kernel.",
	"minivmm: VT-x in use: kvm_intel is loaded",
	"traps: minivmm-run[84] general protection fault ip:401000 sp:7ffc0000 error:0",
	"minivmm-run[84]: segfault at 0 ip 0000000000401000 sp 00007ffc error 4",
	"NMI backtrace for cpu 0",
	"kvm: module verification failed: signature and/or required key missing",
};

static void reset(void)
{
	memset(&judged, 0, sizeof(judged));
	judged.counting = true;
}

static void test_complaints(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		reset();
		judge_line(bad[i]);
		assert_string_equal(judged.complaint, bad[i]);
	}
}

static void test_no_complaints(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		reset();
		judge_line(good[i]);
		assert_string_equal(judged.complaint, "");
	}
}

static void test_boot_does_not_count(void **state)
{
	(void)state;
	reset();
	judged.counting = false;
	judge_line("WARNING: CPU: 0 PID: 0 at arch/x86/kernel/fpu/xstate.c:606");
	assert_string_equal(judged.complaint, "");
	judge_line("Kernel panic - not syncing: No working init found.");
	assert_true(judged.dead);
	assert_string_equal(judged.complaint,
			    "Kernel panic - not syncing: No working init found.");
}

static void test_first_complaint_stays(void **state)
{
	(void)state;
	reset();
	judge_line(bad[5]);
	judge_line("Call Trace:");
	assert_string_equal(judged.complaint, bad[5]);
}

static void test_console_lines_come_in_pieces(void **state)
{
	(void)state;
	reset();
	judge_console("[ 1.0] BUG: sle", 15);
	assert_string_equal(judged.complaint, "");
	judge_console("eping\nmore", 10);
	assert_string_equal(judged.complaint, "[ 1.0] BUG: sleeping");
}

/* Last: what was asked for stays so for the whole run. */
static void test_backtrace_asked_for(void **state)
{
	(void)state;
	reset();
	judge_line("sysrq: Show backtrace of all active CPUs");
	judge_line("NMI backtrace for cpu 1");
	judge_line("Call Trace:");
	assert_string_equal(judged.complaint, "");
	judge_line("WARNING: CPU: 1 PID: 0 at kernel/smp.c:1");
	assert_string_equal(judged.complaint, "WARNING: CPU: 1 PID: 0 at kernel/smp.c:1");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complaints),
		cmocka_unit_test(test_no_complaints),
		cmocka_unit_test(test_boot_does_not_count),
		cmocka_unit_test(test_first_complaint_stays),
		cmocka_unit_test(test_console_lines_come_in_pieces),
		cmocka_unit_test(test_backtrace_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
