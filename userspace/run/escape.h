/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_ESCAPE_H
#define RUN_ESCAPE_H

#include "base.h"

/**
 * enum escape_result - what a key means
 * @ESCAPE_KEY: it is the guest's
 * @ESCAPE_NOTHING: it is ours, and nothing comes of it
 * @ESCAPE_END: end the guest
 * @ESCAPE_HELP: say which keys there are
 */
enum escape_result {
	ESCAPE_KEY,
	ESCAPE_NOTHING,
	ESCAPE_END,
	ESCAPE_HELP,
};

extern const char escape_help[];

enum escape_result escape_key(bool *pressed, __u8 key);

#endif /* RUN_ESCAPE_H */
