// SPDX-License-Identifier: GPL-2.0
/*
 * The file of --trace, whatever its kind.
 */
#include <errno.h>
#include "trace.h"

/**
 * trace_file_begin() - before the first exit
 * @file: filled, but for what the exits tell
 *
 * Return: 0 or a negative errno.
 */
int trace_file_begin(struct trace_file *file)
{
	file->code = trace_code_new();
	if (!file->code)
		return -ENOMEM;
	return file->format->begin(file);
}

/**
 * trace_file_exit() - one exit
 * @file: the file
 * @vcpu: whose exit it was
 * @e: the exit
 */
void trace_file_exit(struct trace_file *file, unsigned int vcpu, const struct minivmm_exit *e)
{
	struct trace_line *line = &file->lines[vcpu];

	if (!file->base)
		file->base = line->start;
	file->format->exit(file, vcpu, e);
	line->exits++;
	line->last = *e;
}

/**
 * trace_file_end() - after the last exit
 * @file: the file, which is closed
 *
 * Return: 0 or a negative errno, of whatever was written to the file.
 */
int trace_file_end(struct trace_file *file)
{
	int err;

	file->format->end(file);
	trace_code_free(file->code);
	errno = 0;
	err = ferror(file->out) || fflush(file->out) ? -(errno ?: EIO) : 0;
	if (fclose(file->out) && !err)
		err = -errno;
	return err;
}
