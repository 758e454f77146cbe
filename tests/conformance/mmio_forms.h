/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The instructions that mmio.c tries, in 64-, 32- and 16-bit mode:
 * X(name, text, flags that are undefined behind it, what the device must see).
 *
 * The latter is reads and writes in their order, "R-4/3" for one of 3 bytes from
 * 4 before the operand on. An operand is read or written whole, but for pieces:
 * one in each page, and of up to 8 bytes, which is what kvm_run::mmio::data has
 * room for. What is modified is read, then written, and CMPXCHG writes in any case
 * (SDM Vol. 2). An element of a string instruction is read and written before the
 * next; the destination is 64 bytes behind the source.
 */
#ifndef MMIO_FORMS_H
#define MMIO_FORMS_H

#define FORMS64(X)							\
	X(mov_st8, "mov %cl, (%rbx)", 0, "W0/1")			\
	X(mov_st16, "mov %cx, 2(%rbx)", 0, "W2/2")			\
	X(mov_st32, "mov %edx, 4(%rbx)", 0, "W4/4")			\
	X(mov_st64, "mov %rdx, 8(%rbx)", 0, "W8/8")			\
	X(mov_sth, "mov %dh, 1(%rbx)", 0, "W1/1")			\
	X(mov_str9b, "mov %r9b, 1(%rbx)", 0, "W1/1")			\
	X(mov_ld8, "mov (%rbx), %al", 0, "R0/1")			\
	X(mov_ldh, "mov (%rbx), %ah", 0, "R0/1")			\
	X(mov_ld16, "mov 1(%rbx), %ax", 0, "R1/2")			\
	X(mov_ld32, "mov -4(%rbx), %eax", 0, "R-4/4")			\
	X(mov_ld64, "mov (%rbx,%rcx,8), %r9", 0, "R18/8")		\
	X(mov_imm8, "movb $0x5a, (%rbx)", 0, "W0/1")			\
	X(mov_imm16, "movw $0x5aa5, (%rbx)", 0, "W0/2")			\
	X(mov_imm32, "movl $0x12345678, 0x40(%rbx)", 0, "W40/4")	\
	X(mov_imm64, "movq $-2, (%rbx)", 0, "W0/8")			\
	X(movzx8, "movzbl (%rbx), %eax", 0, "R0/1")			\
	X(movzx8_16, "movzbw (%rbx), %ax", 0, "R0/1")			\
	X(movzx16, "movzwq (%rbx), %rax", 0, "R0/2")			\
	X(movsx8, "movsbq (%rbx), %rax", 0, "R0/1")			\
	X(movsx16, "movswl (%rbx), %eax", 0, "R0/2")			\
	X(movsxd, "movslq (%rbx), %rax", 0, "R0/4")			\
	X(movnti32, "movnti %edx, (%rbx)", 0, "W0/4")			\
	X(movnti64, "movnti %rdx, (%rbx)", 0, "W0/8")			\
	X(mov_seg, "mov %ss, (%rbx)", 0, "W0/2")			\
	X(addr32, "mov (%ebx), %eax", 0, "R0/4")			\
	X(add_mr, "add %edx, (%rbx)", 0, "R0/4 W0/4")			\
	X(add_rm, "add (%rbx), %dx", 0, "R0/2")				\
	X(add_imm, "addq $-3, (%rbx)", 0, "R0/8 W0/8")			\
	X(lock_add, "lock add %rdx, (%rbx)", 0, "R0/8 W0/8")		\
	X(adc_mr, "stc; adc %edx, (%rbx)", 0, "R0/4 W0/4")		\
	X(sub_mr, "sub %dl, (%rbx)", 0, "R0/1 W0/1")			\
	X(sub_rm, "sub (%rbx), %rdx", 0, "R0/8")			\
	X(sbb_imm, "stc; sbbl $7, (%rbx)", 0, "R0/4 W0/4")		\
	X(and_mr, "and %rdx, (%rbx)", 0x10, "R0/8 W0/8")		\
	X(and_imm, "andb $0xf0, (%rbx)", 0x10, "R0/1 W0/1")		\
	X(or_mr, "or %edx, (%rbx)", 0x10, "R0/4 W0/4")			\
	X(or_rm, "or (%rbx), %edx", 0x10, "R0/4")			\
	X(xor_mr, "xor %dx, (%rbx)", 0x10, "R0/2 W0/2")			\
	X(xor_imm, "xorl $0x55, (%rbx)", 0x10, "R0/4 W0/4")		\
	X(cmp_mr, "cmp %edx, (%rbx)", 0, "R0/4")			\
	X(cmp_rm, "cmp (%rbx), %edx", 0, "R0/4")			\
	X(cmp_imm, "cmpw $0x1234, (%rbx)", 0, "R0/2")			\
	X(test_mr, "test %edx, (%rbx)", 0x10, "R0/4")			\
	X(test_imm, "testb $0x80, (%rbx)", 0x10, "R0/1")		\
	X(xchg_8, "xchg %dl, (%rbx)", 0, "R0/1 W0/1")			\
	X(xchg_64, "xchg %rdx, (%rbx)", 0, "R0/8 W0/8")			\
	X(cmpxchg_no, "lock cmpxchg %edx, (%rbx)", 0, "R0/4 W0/4")	\
	X(cmpxchg_yes, "mov $0xd1, %al; cmpxchg %dl, (%rbx)", 0, "R0/1 W0/1") \
	X(xadd, "xadd %edx, (%rbx)", 0, "R0/4 W0/4")			\
	X(inc, "incl (%rbx)", 0, "R0/4 W0/4")				\
	X(dec, "decq (%rbx)", 0, "R0/8 W0/8")				\
	X(not, "notb (%rbx)", 0, "R0/1 W0/1")				\
	X(neg, "negl (%rbx)", 0, "R0/4 W0/4")				\
	X(bt, "bt %ecx, (%rbx)", 0x894, "R0/4")				\
	X(bts, "btsl $9, (%rbx)", 0x894, "R0/4 W0/4")			\
	X(btr, "lock btrl $3, (%rbx)", 0x894, "R0/4 W0/4")		\
	X(btc, "btc %ecx, (%rbx)", 0x894, "R0/4 W0/4")			\
	X(movups_ld, "movups 1(%rbx), %xmm1", 0, "R1/8 R9/8")		\
	X(movups_st, "movups %xmm1, 1(%rbx)", 0, "W1/8 W9/8")		\
	X(movupd_ld, "movupd (%rbx), %xmm9", 0, "R0/8 R8/8")		\
	X(movaps_ld, "movaps (%rbx), %xmm2", 0, "R0/8 R8/8")		\
	X(movaps_st, "movaps %xmm2, (%rbx)", 0, "W0/8 W8/8")		\
	X(movdqa_ld, "movdqa (%rbx), %xmm3", 0, "R0/8 R8/8")		\
	X(movdqa_st, "movdqa %xmm3, (%rbx)", 0, "W0/8 W8/8")		\
	X(movdqu_ld, "movdqu 3(%rbx), %xmm4", 0, "R3/8 Rb/8")		\
	X(movdqu_st, "movdqu %xmm4, 3(%rbx)", 0, "W3/8 Wb/8")		\
	X(movntdq, "movntdq %xmm5, (%rbx)", 0, "W0/8 W8/8")		\
	X(movntps, "movntps %xmm6, (%rbx)", 0, "W0/8 W8/8")		\
	X(stosb, "stosb", 0, "W40/1")					\
	X(stosq, "stosq", 0, "W40/8")					\
	X(rep_stosl, "rep stosl", 0, "W40/4 W44/4 W48/4")		\
	X(rep_stosw_down, "std; rep stosw; cld", 0, "W40/2 W3e/2 W3c/2") \
	X(rep_stos_none, "xor %ecx, %ecx; rep stosb; mov (%rbx), %al", 0, \
	  "R0/1")							\
	X(movsl, "movsl", 0, "R0/4 W40/4")				\
	X(rep_movsb, "rep movsb", 0, "R0/1 W40/1 R1/1 W41/1 R2/1 W42/1") \
	X(rep_movsq_down, "std; rep movsq; cld", 0,			\
	  "R0/8 W40/8 R-8/8 W38/8 R-10/8 W30/8")			\
	X(lodsl, "lodsl", 0, "R0/4")					\
	X(rep_lodsb, "rep lodsb", 0, "R0/1 R1/1 R2/1")

#define FORMS32(X)							\
	X(mov_ld8, "mov (%ebx), %al", 0, "R0/1")			\
	X(mov_st32, "mov %edx, (%ebx)", 0, "W0/4")			\
	X(sib, "mov 2(%ebx,%ecx,2), %ax", 0, "R8/2")			\
	X(add_mr, "add %dx, (%ebx)", 0, "R0/2 W0/2")			\
	X(xchg, "xchg %dh, (%ebx)", 0, "R0/1 W0/1")			\
	X(movs, "rep movsw", 0, "R0/2 W40/2 R2/2 W42/2 R4/2 W44/2")	\
	X(stos, "rep stosb", 0, "W40/1 W41/1 W42/1")			\
	X(es, "mov %es:(%ebx), %eax", 0, "R0/4")			\
	X(movups, "movups (%ebx), %xmm7", 0, "R0/8 R8/8")

#define FORMS16(X)							\
	X(mov_ld8, "mov (%bx), %al", 0, "R0/1")				\
	X(mov_ld16, "mov 2(%bx), %ax", 0, "R2/2")			\
	X(mov_ld32, "mov (%bx), %eax", 0, "R0/4")			\
	X(mov_st16, "mov %dx, (%bx)", 0, "W0/2")			\
	X(mov_bx_si, "xor %si, %si; mov (%bx,%si), %ax", 0, "R0/2")	\
	X(addr32, "movzwl %bx, %ebx; mov (%ebx), %ax", 0, "R0/2")	\
	X(mov_imm, "movw $0x1234, (%bx)", 0, "W0/2")			\
	X(or_imm, "orb $0x80, (%bx)", 0x10, "R0/1 W0/1")		\
	X(cmp, "cmpb $0xd1, (%bx)", 0, "R0/1")				\
	X(movs, "rep movsb", 0, "R0/1 W40/1 R1/1 W41/1 R2/1 W42/1")	\
	X(stos, "rep stosw", 0, "W40/2 W42/2 W44/2")

#endif /* MMIO_FORMS_H */
