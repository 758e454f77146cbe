// SPDX-License-Identifier: GPL-2.0
/*
 * Reading a whole file into memory, with a line on the terminal that tells how
 * far it is when that takes long.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "file.h"
#include "layout.h"

/* The first line comes after this time, the next ones as far apart. */
#define PROGRESS_NS	(200 * 1000 * 1000ULL)

/* A FIFO or a terminal says when it is at its end, and not how far that is. */
#define FIRST_ROOM	(64 * KIB)

/**
 * struct progress - the line on the terminal
 * @path: of the file
 * @wanted: standard error is a terminal
 * @shown: there is a line to be wiped off
 * @next: when to say more, in nanoseconds
 */
struct progress {
	const char *path;
	bool wanted;
	bool shown;
	__u64 next;
};

static __u64 now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static void progress_begin(struct progress *progress, const char *path)
{
	*progress = (struct progress){
		.path = path,
		.wanted = isatty(STDERR_FILENO),
	};
	if (progress->wanted)
		progress->next = now() + PROGRESS_NS;
}

static void progress_show(struct progress *progress, size_t done, size_t all)
{
	if (!progress->wanted || now() < progress->next)
		return;
	fprintf(stderr, "\r%s: %zu", progress->path, done >> 20);
	if (all)
		fprintf(stderr, " of %zu", all >> 20);
	fputs(" MiB read", stderr);
	progress->shown = true;
	progress->next = now() + PROGRESS_NS;
}

static void progress_end(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
}

/* A pipe has no size beforehand: read until the end, up to the largest guest. */
static int read_all(struct file *file, FILE *from, size_t all,
		    struct progress *progress, struct failure *failure)
{
	/* One more byte of room than the file has shows its end without growing. */
	size_t room = 0, next = all ? all + 1 : FIRST_ROOM, got;
	void *bytes;

	do {
		if (file->size == room) {
			room = next;
			next = 2 * room;
			bytes = room <= MEMORY_MAX ? realloc(file->bytes, room) : NULL;
			if (!bytes)
				return failed(failure, STATUS_SYSTEM,
					      "too large to be read into memory");
			file->bytes = bytes;
		}
		got = room - file->size < MIB ? room - file->size : MIB;
		got = fread((char *)file->bytes + file->size, 1, got, from);
		file->size += got;
		progress_show(progress, file->size, all);
	} while (got);

	if (ferror(from))
		return failed(failure, STATUS_NO_IMAGE, "%s", strerror(errno));
	return STATUS_OK;
}

/**
 * file_read() - read all of a file
 * @file: to be filled; free() its @bytes, also after a failure
 * @path: where it is
 * @failure: why it cannot be read
 *
 * Return: STATUS_OK, STATUS_NO_IMAGE or STATUS_SYSTEM.
 */
int file_read(struct file *file, const char *path, struct failure *failure)
{
	struct progress progress;
	struct stat stat;
	FILE *from;
	int status;

	*file = (struct file){ 0 };
	failure->about = path;
	from = fopen(path, "rbe");
	if (!from)
		return failed(failure, STATUS_NO_IMAGE, "%s", strerror(errno));

	progress_begin(&progress, path);
	if (fstat(fileno(from), &stat))
		status = failed(failure, STATUS_NO_IMAGE, "%s", strerror(errno));
	else if (S_ISDIR(stat.st_mode))
		status = failed(failure, STATUS_NO_IMAGE, "is a directory");
	else
		status = read_all(file, from, S_ISREG(stat.st_mode) ? stat.st_size : 0,
				  &progress, failure);
	progress_end(&progress);
	fclose(from);
	return status;
}
