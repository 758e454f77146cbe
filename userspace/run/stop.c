// SPDX-License-Identifier: GPL-2.0
/*
 * Signals and the time limit.
 *
 * A signal that asks us to end may arrive at any moment; the one moment that
 * is hard is between the look at stop_asked() and the system call that blocks.
 *
 * KVM_RUN: threads_kick() sets kvm_run's immediate_exit, which KVM_RUN looks at
 * with signals already going to interrupt it. Whatever the moment, it returns
 * -EINTR.
 *
 * write() and poll() have no such flag. The handler therefore starts a timer
 * that goes on ticking: if the signal itself came too early to interrupt the
 * call, a tick will. The time limit is the same timer.
 *
 * The terminal is the console's; it is told from here when the process stops
 * (SIGTSTP), goes on (SIGCONT) or crashes.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "console.h"
#include "stop.h"
#include "threads.h"

#define TICK_NS		(50 * 1000 * 1000)

/* End in order: the guest is left, counters are printed. */
static const int asked_to_end[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU,
	SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT,
};

/* There is nothing left to trust: restore the terminal and die. */
static const int crashes[] = {
	SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGTRAP, SIGXFSZ,
};

static int stop_reason;
static timer_t stop_timer;
static bool sigpipe_was_ignored;

static void tick(void)
{
	static const struct itimerspec soon = {
		.it_value.tv_nsec = TICK_NS,
		.it_interval.tv_nsec = TICK_NS,
	};

	timer_settime(stop_timer, 0, &soon, NULL);
}

static void ask(int reason)
{
	int none = 0;

	/* The first reason stays the reason; later ticks change nothing. */
	__atomic_compare_exchange_n(&stop_reason, &none, reason, false,
				    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	threads_kick();
}

static void on_end(int signal, siginfo_t *info, void *context)
{
	bool is_timer = signal == SIGALRM && info->si_code == SI_TIMER;
	int saved = errno;

	(void)context;
	ask(is_timer ? STOP_TIMEOUT : signal);
	tick();
	errno = saved;
}

static void set_default(int signal)
{
	struct sigaction action = { .sa_handler = SIG_DFL };

	sigaction(signal, &action, NULL);
}

static void set_mask(int how, int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(how, &set, NULL);
}

static void on_crash(int signal, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	console_restore();
	set_default(signal);
	raise(signal);		/* taken when this handler returns */
}

/* Stops here, goes on here when SIGCONT comes, whose handler does the rest. */
static void on_stop(int signal, siginfo_t *info, void *context)
{
	struct sigaction old;
	int saved = errno;

	(void)info;
	(void)context;
	console_restore();
	sigaction(signal, NULL, &old);
	set_default(signal);
	raise(signal);
	set_mask(SIG_UNBLOCK, signal);
	set_mask(SIG_BLOCK, signal);
	sigaction(signal, &old, NULL);
	errno = saved;
}

static void on_continue(int signal, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)signal;
	(void)info;
	(void)context;
	console_continue();
	errno = saved;
}

/* It has done what it was sent for by coming. */
static void on_kick(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	(void)context;
}

/* What our parent chose to ignore (nohup, a shell's "&") stays ignored. */
static void catch(int signal, void (*handler)(int, siginfo_t *, void *))
{
	/* No SA_RESTART: what blocks must come back and look. */
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	struct sigaction old;

	sigaction(signal, NULL, &old);
	if (old.sa_handler == SIG_IGN && signal != SIGALRM && signal != STOP_KICK)
		return;
	sigfillset(&action.sa_mask);
	sigaction(signal, &action, NULL);
	set_mask(SIG_UNBLOCK, signal);
}

static int start_timer(__u64 timeout)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGALRM,
	};
	struct itimerspec limit = {
		.it_value.tv_sec = timeout / 1000,
		.it_value.tv_nsec = timeout % 1000 * 1000000,
		.it_interval.tv_nsec = TICK_NS,
	};

	if (timer_create(CLOCK_MONOTONIC, &event, &stop_timer))
		return -errno;
	return timer_settime(stop_timer, 0, &limit, NULL) ? -errno : 0;
}

/**
 * stop_arm() - from now on, signals and time end the run
 * @timeout: in milliseconds, 0 for none
 *
 * Return: 0 or a negative errno.
 */
int stop_arm(__u64 timeout)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(asked_to_end); i++)
		catch(asked_to_end[i], on_end);
	for (i = 0; i < ARRAY_SIZE(crashes); i++)
		catch(crashes[i], on_crash);
	catch(STOP_KICK, on_kick);
	catch(SIGTSTP, on_stop);
	catch(SIGCONT, on_continue);

	/* write() then says EPIPE, and the terminal can be restored first. */
	sigaction(SIGPIPE, &ignore, &old);
	sigpipe_was_ignored = old.sa_handler == SIG_IGN;

	return start_timer(timeout);
}

/**
 * stop_disarm() - the run is over; signals do again what they do by default
 *
 * Reports may still block on a terminal or a pipe: a second Ctrl-C ends that.
 */
void stop_disarm(void)
{
	size_t i;

	timer_delete(stop_timer);
	for (i = 0; i < ARRAY_SIZE(asked_to_end); i++) {
		struct sigaction old;

		sigaction(asked_to_end[i], NULL, &old);
		if (old.sa_sigaction == on_end)
			set_default(asked_to_end[i]);
	}
	if (!sigpipe_was_ignored)
		set_default(SIGPIPE);
}

/**
 * stop_asked() - has anything asked us to end?
 *
 * Return: the signal, STOP_TIMEOUT for the time limit, STOP_GUEST, 0 if not.
 */
int stop_asked(void)
{
	return __atomic_load_n(&stop_reason, __ATOMIC_RELAXED);
}

/**
 * stop_by_pipe() - nobody reads our output any more
 *
 * Ends the run as SIGPIPE would have, unless that was ignored when we started:
 * then it is a failed write like others, which console.c reports.
 */
void stop_by_pipe(void)
{
	if (!sigpipe_was_ignored)
		ask(SIGPIPE);
}

/**
 * stop_by_guest() - the guest has come to its end
 *
 * Context: any thread.
 */
void stop_by_guest(void)
{
	ask(STOP_GUEST);
	tick();
}

/**
 * stop_mask() - what threads other than our own have blocked
 * @blocked: to be filled
 */
void stop_mask(sigset_t *blocked)
{
	size_t i;

	sigfillset(blocked);
	sigdelset(blocked, STOP_KICK);
	for (i = 0; i < ARRAY_SIZE(crashes); i++)
		sigdelset(blocked, crashes[i]);
}

/**
 * stop_die() - end by a signal, so that the parent sees which one it was
 * @signal: it
 */
__noreturn void stop_die(int signal)
{
	set_default(signal);
	set_mask(SIG_UNBLOCK, signal);
	raise(signal);
	_exit(128 + signal);	/* not reached, unless a debugger says so */
}
