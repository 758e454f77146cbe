/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all fuzzers share: the input as a stream of numbers, and a way to say
 * that something is wrong.
 */
#ifndef PARSERS_INPUT_H
#define PARSERS_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

/* The next @size bytes; zeros where the input ends. */
static inline void take(struct input *in, void *to, size_t size)
{
	size_t n = size < in->size ? size : in->size;

	memset(to, 0, size);
	if (n)
		memcpy(to, in->data, n);
	in->data += n;
	in->size -= n;
}

#define TAKE(in, type) ({ type taken; take(in, &taken, sizeof(taken)); taken; })

/* A finding, as libFuzzer knows it: the program aborts. */
#define must(condition)							\
do {									\
	if (!(condition)) {						\
		fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
		abort();						\
	}								\
} while (0)

#endif
