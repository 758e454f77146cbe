/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUZZ_STREAM_H
#define FUZZ_STREAM_H

#include "random.h"

/**
 * stream_fill() - a random stream of instructions
 * @code: where to
 * @size: bytes to fill, all of them
 * @bits: 16, 32 or 64
 *
 * Some streams are random bytes; most come from a table of the instructions
 * that a hypervisor has to do with, with random prefixes and operands; some
 * repeat one of them without end.
 */
void stream_fill(u8 *code, size_t size, int bits);

#endif
