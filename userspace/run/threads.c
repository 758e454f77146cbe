// SPDX-License-Identifier: GPL-2.0
/*
 * The threads beside our own, and how all of them are made to look up.
 *
 * Signals that ask us to end go to our own thread alone. The others have all of
 * them blocked but one, which does nothing but interrupt what they wait for.
 */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include "stop.h"
#include "threads.h"

#define THREADS_MAX	(CPUS_MAX + 1)	/* and the one that reads input */

#define JOIN_NAP_US	1000

static struct machine *our_machine;
static pthread_t our_thread;
static pthread_t threads[THREADS_MAX];
static unsigned int started;

/**
 * threads_init() - our own thread will run the first vCPU of this machine
 * @machine: the machine; it stays until stop_disarm()
 */
void threads_init(struct machine *machine)
{
	our_machine = machine;
	our_thread = pthread_self();
}

/**
 * threads_start() - one thread more
 * @run: what it does
 * @argument: for @run
 *
 * Return: 0 or a negative errno.
 */
int threads_start(void *(*run)(void *argument), void *argument)
{
	sigset_t blocked, old;
	int err;

	stop_mask(&blocked);
	pthread_sigmask(SIG_SETMASK, &blocked, &old);
	err = pthread_create(&threads[started], NULL, run, argument);
	if (!err)
		__atomic_fetch_add(&started, 1, __ATOMIC_RELEASE);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

/**
 * threads_kick() - make every vCPU leave KVM_RUN, and every call that waits end
 *
 * A call that was not yet made when the signal came waits nevertheless, except
 * KVM_RUN: stop.c kicks again and again.
 *
 * Context: any thread, also a signal handler.
 */
void threads_kick(void)
{
	unsigned int i, count = __atomic_load_n(&started, __ATOMIC_ACQUIRE);

	for (i = 0; i < our_machine->cpus; i++)
		__atomic_store_n(&our_machine->vcpus[i].run->immediate_exit, 1,
				 __ATOMIC_RELAXED);
	for (i = 0; i < count; i++)
		pthread_kill(threads[i], STOP_KICK);
	if (!pthread_equal(pthread_self(), our_thread))
		pthread_kill(our_thread, STOP_KICK);
}

/**
 * threads_join() - wait for all threads to end
 *
 * Who is waited for is still kicked; who is gone must not be.
 */
void threads_join(void)
{
	unsigned int last;
	sigset_t all, old;

	sigfillset(&all);
	while (started) {
		last = started - 1;
		/* No handler of ours may kick in between. */
		pthread_sigmask(SIG_SETMASK, &all, &old);
		if (!pthread_tryjoin_np(threads[last], NULL))
			started = last;
		else
			threads_kick();
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		if (started == last + 1)
			usleep(JOIN_NAP_US);
	}
}
