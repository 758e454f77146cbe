// SPDX-License-Identifier: GPL-2.0
/*
 * Ctrl-A and a letter are for the launcher, all other keys for the guest.
 */
#include "escape.h"

#define CTRL_A	1

const char escape_help[] =
"Ctrl-A x       ends the guest\n"
"Ctrl-A h       prints this\n"
"Ctrl-A Ctrl-A  sends Ctrl-A to the guest\n";

/**
 * escape_key() - a key was typed
 * @pressed: Ctrl-A came before it; kept from key to key, false at first
 * @key: the key
 *
 * Return: what it means.
 */
enum escape_result escape_key(bool *pressed, __u8 key)
{
	if (!*pressed) {
		*pressed = key == CTRL_A;
		return *pressed ? ESCAPE_NOTHING : ESCAPE_KEY;
	}
	*pressed = false;
	switch (key) {
	case CTRL_A:
		return ESCAPE_KEY;
	case 'x':
	case 'X':
		return ESCAPE_END;
	case 'h':
	case 'H':
	case '?':
		return ESCAPE_HELP;
	default:
		return ESCAPE_NOTHING;
	}
}
