// SPDX-License-Identifier: GPL-2.0
/* The lab's judge of what the kernel says on its console. */
// sources: scripts/machine/judge.c
#include <stdbool.h>
#include "input.h"
#include "scripts/machine/judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };

	memset(&judged, 0, sizeof(judged));
	judged.counting = TAKE(&in, uint8_t) & 1;
	judge_console((const char *)in.data, in.size);
	/* What it remembers of an unfinished line does not stay for the next. */
	judge_console("\n", 1);
	must(memchr(judged.complaint, 0, sizeof(judged.complaint)));
	return 0;
}
