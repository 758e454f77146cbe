// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include "process.h"

/**
 * process_command() - the name of a process
 * @pid: the process
 * @name: filled, "?" if it has gone
 * @size: of @name
 */
void process_command(long pid, char *name, size_t size)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	file = fopen(path, "re");
	if (!file || !fgets(name, size, file))
		snprintf(name, size, "?");
	if (file)
		fclose(file);
	name[strcspn(name, "\n")] = '\0';
}
