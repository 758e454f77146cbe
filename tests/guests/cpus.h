/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What cpus.c and cpus_start.S agree on.
 */
#ifndef CPUS_H
#define CPUS_H

#define CPUS_MAX	16
#define CPUS_STACK	4096
#define CPUS_STARTUP	0x8000	/* where a startup IPI of this page leads */

/* Selectors. */
#define CPUS_CODE	0x08
#define CPUS_DATA	0x10

#ifndef __ASSEMBLER__
extern const unsigned char ap_begin[], ap_end[];
void ap_main(void);
#endif

#endif /* CPUS_H */
