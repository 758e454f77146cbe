/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where things are in the lab machine's memory before Linux runs. Shared by
 * the loader (assembly), mkboot (C) and scripts/lab (which reads the values).
 */
#ifndef LAB_LAYOUT_H
#define LAB_LAYOUT_H

#define LAB_STACK	0x7c00		/* the loader's stack, grows down */
#define LAB_E820	0x8000		/* scratch: what INT 15h/E820h answers */
#define LAB_ROM		0xd0000		/* the loader itself, as an option ROM */
#define LAB_ROM_SIZE	2048

/* The block that mkboot writes, loaded at 1 MiB. */
#define LAB_BLOCK	0x100000
#define LAB_BOOT_PARAMS	(LAB_BLOCK + 0x0000)
#define LAB_CMDLINE	(LAB_BLOCK + 0x1000)
#define LAB_CMDLINE_MAX	2048
#define LAB_GDT		(LAB_BLOCK + 0x1800)
#define LAB_GDT_SIZE	40
#define LAB_RESERVED	(LAB_BLOCK + 0x1fe0)	/* one E820 entry to add */
#define LAB_ENTRY	(LAB_BLOCK + 0x1ff8)	/* the kernel's entry point */
#define LAB_PML4	(LAB_BLOCK + 0x2000)
#define LAB_PDPT	(LAB_BLOCK + 0x3000)
#define LAB_PD		(LAB_BLOCK + 0x4000)	/* four of them: 4 GiB mapped 1:1 */
#define LAB_BLOCK_SIZE	0x8000

#define LAB_CS64	0x10		/* __BOOT_CS and __BOOT_DS of the */
#define LAB_DS		0x18		/* Linux boot protocol */
#define LAB_CS32	0x20

#endif
