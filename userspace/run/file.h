/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_FILE_H
#define RUN_FILE_H

#include "status.h"

/**
 * struct file - the content of a file
 * @bytes: it; free() it
 * @size: how many
 */
struct file {
	void *bytes;
	size_t size;
};

int file_read(struct file *file, const char *path, struct failure *failure);

#endif /* RUN_FILE_H */
