// SPDX-License-Identifier: GPL-2.0
/*
 * The thread that brings standard input to a kernel's serial port.
 *
 * A pipe or a file is read no faster than the guest takes it. A terminal is read
 * at once, because of Ctrl-A x; keys that the guest does not take wait, as many
 * as a terminal's own driver would keep.
 *
 * The end of a file is no end of the guest: nothing more is typed, that is all.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "console.h"
#include "escape.h"
#include "guest.h"
#include "report.h"
#include "stop.h"

#define QUEUE		4096
#define FOREGROUND_MS	200

/**
 * struct input - what was read and not yet taken
 * @guest: who takes it
 * @keys: a ring
 * @head: the oldest
 * @used: how many
 * @pressed: Ctrl-A was typed
 * @ended: there is no more
 */
struct input {
	struct guest *guest;
	__u8 keys[QUEUE];
	unsigned int head;
	unsigned int used;
	bool pressed;
	bool ended;
};

static void enqueue(struct input *input, __u8 key)
{
	if (input->used < QUEUE)
		input->keys[(input->head + input->used++) % QUEUE] = key;
}

/* Returns how much more the guest would take. */
static unsigned int deliver(struct input *input)
{
	struct guest *guest = input->guest;
	unsigned int room;

	pthread_mutex_lock(&guest->lock);
	for (room = serial_room(&guest->serial); room && input->used; room--) {
		serial_push(&guest->serial, input->keys[input->head]);
		input->head = (input->head + 1) % QUEUE;
		input->used--;
	}
	pthread_mutex_unlock(&guest->lock);
	return room;
}

static void typed(struct input *input, __u8 key)
{
	switch (escape_key(&input->pressed, key)) {
	case ESCAPE_KEY:
		enqueue(input, key);
		break;
	case ESCAPE_END:
		report_note("ended by Ctrl-A x");
		guest_end(input->guest, STATUS_LEFT);
		break;
	case ESCAPE_HELP:
		fprintf(stderr, "\n%s", escape_help);
		break;
	case ESCAPE_NOTHING:
		break;
	}
}

static void read_some(struct input *input, size_t most)
{
	__u8 keys[256];
	ssize_t got, i;

	got = read(STDIN_FILENO, keys, most < sizeof(keys) ? most : sizeof(keys));
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0)
		input->ended = true;
	for (i = 0; i < got; i++) {
		if (console_is_terminal())
			typed(input, keys[i]);
		else
			enqueue(input, keys[i]);
	}
}

/**
 * input_run() - the thread
 * @guest: a struct guest
 *
 * Return: NULL, when the guest has ended.
 */
void *input_run(void *guest)
{
	struct input input = { .guest = guest };
	unsigned int room;
	eventfd_t count;

	while (!stop_asked()) {
		struct pollfd files[] = {
			{ .fd = input.guest->wake, .events = POLLIN },
			{ .fd = -1, .events = POLLIN },
		};
		bool foreground = console_in_foreground();

		room = deliver(&input);
		if (console_is_terminal())
			room = QUEUE;
		if (room && foreground && !input.ended)
			files[1].fd = STDIN_FILENO;
		if (poll(files, 2, foreground ? -1 : FOREGROUND_MS) <= 0)
			continue;
		if (files[0].revents)
			eventfd_read(input.guest->wake, &count);
		if (files[1].revents)
			read_some(&input, room);
	}
	return NULL;
}
