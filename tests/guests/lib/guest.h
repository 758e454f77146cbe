/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What C guests have: ports, printing, and checks in the format of TAP.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define BIT(n)		(1ULL << (n))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define __aligned(n)	__attribute__((aligned(n)))
#define __packed	__attribute__((packed))

#define PORT_SERIAL	0x3f8
#define PORT_EXIT	0xf4

static inline void outb(u16 port, u8 value)
{
	asm volatile("out %0, %1" : : "a"(value), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 value;

	asm volatile("in %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void outw(u16 port, u16 value)
{
	asm volatile("out %0, %1" : : "a"(value), "Nd"(port));
}

static inline u16 inw(u16 port)
{
	u16 value;

	asm volatile("in %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void outl(u16 port, u32 value)
{
	asm volatile("out %0, %1" : : "a"(value), "Nd"(port));
}

static inline u32 inl(u16 port)
{
	u32 value;

	asm volatile("in %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid get_cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid out;

	asm volatile("cpuid"
		     : "=a"(out.eax), "=b"(out.ebx), "=c"(out.ecx), "=d"(out.edx)
		     : "a"(leaf), "c"(subleaf));
	return out;
}

void print(const char *text);
void print_number(u64 value);
void print_hex(u64 value);

/* Prints "ok - WHAT" or "not ok - WHAT". */
bool ok(bool pass, const char *what);

/* ok(), and on failure the two values. */
bool same(u64 got, u64 expected, const char *what);

/* Prints the plan; returns what main() should: 0 if all went well, else 1. */
int done(void);

#endif /* GUEST_H */
