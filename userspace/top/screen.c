// SPDX-License-Identifier: GPL-2.0
/*
 * The live screen: vCPUs above, the VM exits of the one that is selected, or of
 * all, below.
 */
#include <errno.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>
#include "print.h"
#include "screen.h"

/**
 * struct view - what is shown
 * @now: the last sample
 * @order: of the vCPUs
 * @pid: of the selected vCPU, or 0 for all
 * @vm: the same
 * @vcpu: the same
 * @help: show the keys
 * @quit: somebody has seen enough
 */
struct view {
	struct sample now;
	enum order order;
	long pid, vm, vcpu;
	bool help;
	bool quit;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	stopped = signal;
}

static bool is_selected(const struct view *view, const struct line *line)
{
	return line->pid == view->pid && line->vm == view->vm && line->vcpu == view->vcpu;
}

/* The selected line's number from 1, or 0 for all vCPUs */
static size_t selected(const struct view *view)
{
	size_t i;

	for (i = 0; i < view->now.count; i++) {
		if (is_selected(view, &view->now.lines[i]))
			return i + 1;
	}
	return 0;
}

static void select_line(struct view *view, size_t number)
{
	const struct line *line;

	view->pid = 0;
	if (!number || number > view->now.count)
		return;
	line = &view->now.lines[number - 1];
	view->pid = line->pid;
	view->vm = line->vm;
	view->vcpu = line->vcpu;
}

static void show_help(void)
{
	static const char *const text[] = {
		"q           end",
		"up, down    show the VM exits of one vCPU, or of all",
		"s           sort by process, VM exits, time in root mode",
		"h, ?        this; any key to go on",
		"",
		"exits/s     VM exits in a second",
		"guest       share of the time in non-root mode, from VM entry to VM exit",
		"root        in KVM_RUN, not in the guest: the module, interrupts, other tasks",
		"user        in user space: KVM_RUN has returned",
		"halted      asleep in HLT; without a local APIC in the kernel that is \"user\"",
		"each        time in root mode from a VM exit to the next VM entry",
	};
	unsigned int i;

	for (i = 0; i < sizeof(text) / sizeof(*text); i++)
		mvaddnstr(2 + i, 2, text[i], COLS - 2);
}

static void show_line(const struct view *view, int row, const struct line *line)
{
	char share[NR_MODES][8], text[160];
	unsigned int i;

	for (i = 0; i < NR_MODES; i++)
		share_text(&line->delta, i, share[i]);
	snprintf(text, sizeof(text), "%7ld %4ld %4ld  %-16.16s %10.0f %6s %6s %6s %6s", line->pid,
		 line->vm, line->vcpu, line->command, per_second(line->delta.exits, &view->now),
		 share[GUEST], share[ROOT], share[USER], share[HALTED]);
	if (is_selected(view, line))
		attron(A_REVERSE);
	mvaddnstr(row, 0, text, COLS);
	attroff(A_REVERSE);
}

static void show_reasons(const struct view *view, int row)
{
	size_t number = selected(view);
	struct counters total, delta;
	char text[160], share[8], each[16];
	__u64 time;
	unsigned int i;

	if (number)
		delta = view->now.lines[number - 1].delta;
	else
		sample_sum(&view->now, &total, &delta);
	time = counters_time(&delta);
	snprintf(text, sizeof(text), "%-24s %10s %12s %12s", number ? "VM exits of that vCPU" :
		 "VM exits of all vCPUs", "exits/s", "% of time", "each");
	attron(A_BOLD);
	mvaddnstr(row++, 0, text, COLS);
	attroff(A_BOLD);
	for (i = 0; i < delta.nr && delta.reasons[i].count && row < LINES; i++) {
		const struct reason *reason = &delta.reasons[i];

		snprintf(share, sizeof(share), "-");
		if (time)
			snprintf(share, sizeof(share), "%.1f", 100.0 * reason->ns / time);
		snprintf(text, sizeof(text), "%-24s %10.0f %12s %12s", reason->name,
			 per_second(reason->count, &view->now), share,
			 duration_text((double)reason->ns / reason->count, each));
		mvaddnstr(row++, 0, text, COLS);
	}
}

/* Of many vCPUs those around the selected one, in the upper half. */
static void show_vcpus(const struct view *view, double interval)
{
	size_t room = LINES > 9 ? (LINES - 3) / 2 : 2, number = selected(view), first = 0, i;
	const struct sample *now = &view->now;
	struct counters total, delta;
	char text[160];

	sample_sum(now, &total, &delta);
	snprintf(text, sizeof(text),
		 "minivmm-top  %u VM%s, %zu vCPU%s, %.0f exits/s  every %g s, by %s  (h: help)",
		 now->vms, now->vms == 1 ? "" : "s", now->count, now->count == 1 ? "" : "s",
		 per_second(delta.exits, now), interval, order_names[view->order]);
	mvaddnstr(0, 0, text, COLS);
	if (!now->count) {
		mvaddnstr(2, 2, "No VM of minivmm runs: start one, minivmm-run FILE", COLS - 2);
		return;
	}
	snprintf(text, sizeof(text), "%7s %4s %4s  %-16s %10s %6s %6s %6s %6s", "PID", "VM",
		 "VCPU", "COMMAND", "exits/s", "guest", "root", "user", "halted");
	attron(A_BOLD);
	mvaddnstr(1, 0, text, COLS);
	attroff(A_BOLD);
	if (number > room)
		first = number - room;
	for (i = 0; i < room && first + i < now->count; i++)
		show_line(view, 2 + i, &now->lines[first + i]);
	show_reasons(view, 3 + i);
}

static void draw(const struct view *view, double interval)
{
	erase();
	if (view->help)
		show_help();
	else
		show_vcpus(view, interval);
	refresh();
}

static void key(struct view *view, int c)
{
	size_t number = selected(view);

	if (c == ERR || c == KEY_RESIZE)
		return;
	if (view->help && c != 'q') {
		view->help = false;
		return;
	}
	switch (c) {
	case 'q':
		view->quit = true;
		break;
	case 'h':
	case '?':
		view->help = true;
		break;
	case 's':
		view->order = (view->order + 1) % NR_ORDERS;
		sample_sort(&view->now, view->order);
		break;
	case KEY_UP:
		select_line(view, number ? number - 1 : view->now.count);
		break;
	case KEY_DOWN:
		select_line(view, number + 1);
		break;
	}
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Keys, until it is time for the next sample. */
static void wait_for(struct view *view, double until, double interval)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	double left;

	while (!view->quit && !stopped && (left = until - seconds()) > 0) {
		/* Short, for a signal may come just before the call. */
		if (poll(&input, 1, left > 0.2 ? 200 : left * 1000 + 1) > 0 &&
		    input.revents & (POLLHUP | POLLERR | POLLNVAL)) {
			view->quit = true;
			return;
		}
		/* It also tells of a new size. */
		key(view, getch());
		draw(view, interval);
	}
}

static int watch(const char *folder, double interval)
{
	struct view view = { 0 };
	struct sample next;
	double until = seconds();
	int err;

	err = sample_read(folder, &view.now);
	/* The first figures come soon. */
	until += interval < 0.3 ? interval : 0.3;
	while (!err && !view.quit && !stopped) {
		wait_for(&view, until, interval);
		if (view.quit || stopped)
			break;
		err = sample_read(folder, &next);
		sample_compare(&next, &view.now);
		sample_sort(&next, view.order);
		sample_free(&view.now);
		view.now = next;
		draw(&view, interval);
		until = seconds() + interval;
	}
	sample_free(&view.now);
	return err;
}

/**
 * screen_run() - show all on the terminal until somebody has seen enough
 * @folder: minivmm's in debugfs
 * @interval: seconds from one sample to the next
 *
 * Return: 0; a signal's number, the terminal being as it was; -ENOTTY for a terminal that
 * ncurses does not know; another negative errno.
 */
int screen_run(const char *folder, double interval)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action = { .sa_handler = stop };
	SCREEN *screen;
	unsigned int i;
	int err;

	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return -ENOTTY;
	/* After newterm(), which has handlers of its own. */
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
	cbreak();
	noecho();
	nodelay(stdscr, true);
	keypad(stdscr, true);
	curs_set(0);
	err = watch(folder, interval);
	endwin();
	delscreen(screen);
	return err ? err : stopped;
}
