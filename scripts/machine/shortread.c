// SPDX-License-Identifier: GPL-2.0
/*
 * Preloaded into Bochs: no read() gives more than 128 KiB.
 *
 * Bochs 2.7 loads an optramimage with one read() at the place of the image's
 * first byte, but its memory consists of blocks of 128 KiB, placed anywhere on
 * first use. It does loop over short reads, and asks for the place again each
 * time. So short reads, at images that start on a 128 KiB boundary, load right.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#define BLOCK 0x20000

ssize_t read(int fd, void *data, size_t size)
{
	return syscall(SYS_read, fd, data, size < BLOCK ? size : BLOCK);
}
