/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a record of a VM exit says, in words: decode(exit) for the page's main.js.
 * An exit is an object with the members of struct minivmm_exit, those of 64 bits as
 * BigInt. Sections are of Intel's Software Developer's Manual (SDM), Vol. 3.
 */
"use strict";

const REGISTERS = ["RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
	"R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"];

const VECTORS = ["#DE, divide error", "#DB, debug exception", "NMI", "#BP, breakpoint",
	"#OF, overflow", "#BR, BOUND range exceeded", "#UD, invalid opcode",
	"#NM, device not available", "#DF, double fault", "9", "#TS, invalid TSS",
	"#NP, segment not present", "#SS, stack fault", "#GP, general protection",
	"#PF, page fault", "15", "#MF, x87 error", "#AC, alignment check", "#MC, machine check",
	"#XM, SIMD error", "#VE, virtualization exception", "#CP, control protection"];

const EVENT_TYPES = ["external interrupt", "reserved", "non-maskable interrupt",
	"hardware exception", "software interrupt", "privileged software exception",
	"software exception", "other event"];

const FLAGS = {
	rflags: { 0: "CF", 2: "PF", 4: "AF", 6: "ZF", 7: "SF", 8: "TF", 9: "IF", 10: "DF", 11: "OF",
		14: "NT", 16: "RF", 17: "VM", 18: "AC", 19: "VIF", 20: "VIP", 21: "ID" },
	cr0: { 0: "PE", 1: "MP", 2: "EM", 3: "TS", 4: "ET", 5: "NE", 16: "WP", 18: "AM", 29: "NW",
		30: "CD", 31: "PG" },
	cr4: { 0: "VME", 1: "PVI", 2: "TSD", 3: "DE", 4: "PSE", 5: "PAE", 6: "MCE", 7: "PGE",
		8: "PCE", 9: "OSFXSR", 10: "OSXMMEXCPT", 11: "UMIP", 12: "LA57", 13: "VMXE",
		14: "SMXE", 16: "FSGSBASE", 17: "PCIDE", 18: "OSXSAVE", 20: "SMEP", 21: "SMAP",
		22: "PKE", 23: "CET", 24: "PKS" },
	efer: { 0: "SCE", 8: "LME", 10: "LMA", 11: "NXE" },
};

const MSRS = {
	0x10: "IA32_TIME_STAMP_COUNTER", 0x17: "IA32_PLATFORM_ID", 0x1b: "IA32_APIC_BASE",
	0x34: "MSR_SMI_COUNT", 0x3a: "IA32_FEATURE_CONTROL", 0x3b: "IA32_TSC_ADJUST",
	0x48: "IA32_SPEC_CTRL", 0x49: "IA32_PRED_CMD", 0x79: "IA32_BIOS_UPDT_TRIG",
	0x8b: "IA32_BIOS_SIGN_ID", 0xce: "MSR_PLATFORM_INFO", 0xfe: "IA32_MTRRCAP",
	0x10a: "IA32_ARCH_CAPABILITIES", 0x10b: "IA32_FLUSH_CMD", 0x140: "MISC_FEATURE_ENABLES",
	0x174: "IA32_SYSENTER_CS", 0x175: "IA32_SYSENTER_ESP", 0x176: "IA32_SYSENTER_EIP",
	0x179: "IA32_MCG_CAP", 0x17a: "IA32_MCG_STATUS", 0x186: "IA32_PERFEVTSEL0",
	0x1a0: "IA32_MISC_ENABLE", 0x1d9: "IA32_DEBUGCTL", 0x277: "IA32_PAT",
	0x2ff: "IA32_MTRR_DEF_TYPE", 0x345: "IA32_PERF_CAPABILITIES",
	0x38f: "IA32_PERF_GLOBAL_CTRL", 0x6e0: "IA32_TSC_DEADLINE", 0x802: "IA32_X2APIC_APICID",
	0x808: "IA32_X2APIC_TPR", 0x80b: "IA32_X2APIC_EOI", 0x830: "IA32_X2APIC_ICR",
	0xc0000080: "IA32_EFER", 0xc0000081: "IA32_STAR", 0xc0000082: "IA32_LSTAR",
	0xc0000084: "IA32_FMASK", 0xc0000100: "IA32_FS_BASE", 0xc0000101: "IA32_GS_BASE",
	0xc0000102: "IA32_KERNEL_GS_BASE", 0xc0000103: "IA32_TSC_AUX",
	0x4b564d00: "KVM_WALL_CLOCK_NEW", 0x4b564d01: "KVM_SYSTEM_TIME_NEW",
};

/* What is usually at a port of a PC */
const PORTS = [[0x20, 0x21, "interrupt controller, master"], [0x40, 0x43, "interval timer"],
	[0x60, 0x60, "keyboard"], [0x61, 0x61, "timer gate and speaker"], [0x64, 0x64, "keyboard"],
	[0x70, 0x71, "real-time clock"], [0x80, 0x80, "POST code; Linux waits with it"],
	[0xa0, 0xa1, "interrupt controller, slave"], [0xcf8, 0xcff, "PCI configuration"],
	[0xf4, 0xf4, "ends the guest"], [0xe9, 0xe9, "debug console"],
	[0x2f8, 0x2ff, "second serial port"], [0x3f8, 0x3ff, "serial port"],
	[0x600, 0x60f, "ACPI"]];

function hex(value) {
	return "0x" + value.toString(16);
}

function bits(value, high, low) {
	return Number(BigInt.asUintN(64, BigInt(value)) >> BigInt(low)) &
		((2 ** (high - low + 1)) - 1);
}

function bit(value, n) {
	return (BigInt(value) >> BigInt(n)) & 1n;
}

/* The names of the bits that are set in @value */
function flags(value, names) {
	const list = [];

	for (let n = 0; n < 64; n++)
		if (bit(value, n))
			list.push(names[n] || "bit " + n);
	return list.join(" ") || "none";
}

/* Those that are not the same */
function changedFlags(before, after, names) {
	const list = [];

	for (let n = 0; n < 64; n++)
		if (bit(before, n) !== bit(after, n))
			list.push((names[n] || "bit " + n) + (bit(after, n) ? " on" : " off"));
	return list.join(", ");
}

function eventWords(info, error, valid) {
	const type = info >>> 8 & 7, vector = info & 0xff;
	let words = EVENT_TYPES[type];

	if (!(info >>> 31))
		return "none";
	if (type === 3 || type === 5 || type === 6)
		words += " " + (VECTORS[vector] || vector);
	else if (type !== 2)
		words += ", vector " + hex(vector);
	if (info >>> 11 & 1)
		words += ", error code " + hex(error >>> 0);
	return words + (valid || "");
}

function portName(port) {
	const found = PORTS.find(([from, to]) => port >= from && port <= to);

	return found ? found[2] : null;
}

function pageWords(e) {
	return "guest-physical address " + hex(e.physical);
}

/*
 * One entry a reason: says(exit) in a sentence or two, fields(exit) as [name, value,
 * words], and the section that defines them.
 */
const REASONS = {
	0: {
		section: "Information for VM Exits Due to Vectored Events",
		says: e => (e.event >>> 8 & 7) === 2 ?
			"A non-maskable interrupt of the host arrived. It belongs to the host, which served it." :
			"The guest had an exception that the exception bitmap gives to the hypervisor.",
		fields: e => [
			["interruption information", hex(e.event >>> 0), eventWords(e.event, e.event_error)],
			...((e.event & 0xff) === 14 && (e.event >>> 8 & 7) === 3 ?
				[["exit qualification", hex(e.qualification), "the address that faulted"]] : []),
		],
	},
	1: {
		section: "Other Causes of VM Exits",
		says: () => "A device or the timer of the host interrupted. The guest did nothing for it: " +
			"the host's kernel serves its interrupt and the guest goes on where it was.",
		fields: () => [],
	},
	2: {
		section: "Other Causes of VM Exits",
		says: () => "A fault while a double fault was delivered: on a real machine, a reset. " +
			"The guest has usually lost its interrupt table or its stack.",
		fields: () => [],
	},
	7: {
		section: "Interrupt-Window Exiting and Virtual-Interrupt Delivery",
		says: () => "An interrupt waited for the guest to be able to take it, and now it can. " +
			"The hypervisor had asked for this exit.",
		fields: e => [["RFLAGS.IF", bit(e.rflags, 9).toString(), "1: takes interrupts"]],
	},
	8: {
		section: "Other Causes of VM Exits",
		says: () => "An NMI waited for the guest to be able to take it, and now it can.",
		fields: () => [],
	},
	9: {
		section: "Exit Qualification for Task Switches",
		says: () => "The guest tried to switch tasks by hardware, which VT-x leaves to the hypervisor.",
		fields: e => [["TSS selector", hex(bits(e.qualification, 15, 0)),
			["by CALL", "by IRET", "by JMP", "by a task gate in the IDT"][bits(e.qualification, 31, 30)]]],
	},
	10: {
		section: "Instructions That Cause VM Exits Unconditionally",
		says: () => "CPUID always exits: the hypervisor decides what processor the guest sees.",
		fields: e => [
			["EAX, the leaf", hex(bits(e.regs[0], 31, 0))],
			["ECX, the subleaf", hex(bits(e.regs[1], 31, 0)), "not all leaves look at it"],
		],
	},
	12: {
		section: "Instructions That Cause VM Exits Conditionally",
		says: () => "The guest has nothing to do until an interrupt comes. HLT exits, so that the " +
			"processor is free for others.",
		fields: e => [["RFLAGS.IF", bit(e.rflags, 9).toString(),
			bit(e.rflags, 9) ? "an interrupt ends the wait" : "interrupts are off: only an NMI ends the wait"]],
	},
	28: {
		section: "Exit Qualification for Control-Register Accesses",
		says: e => "The guest accessed " + ["CR0", , , "CR3", "CR4", , , , "CR8"][bits(e.qualification, 3, 0)] +
			" in a way that the guest/host masks give to the hypervisor.",
		fields: e => {
			const q = e.qualification, kind = bits(q, 5, 4);
			const list = [["control register", "CR" + bits(q, 3, 0)],
				["access", ["MOV to it", "MOV from it", "CLTS", "LMSW"][kind]]];

			if (kind < 2)
				list.push(["general register", REGISTERS[bits(q, 11, 8)]]);
			if (kind === 3)
				list.push(["source of LMSW", hex(bits(q, 31, 16))]);
			return list;
		},
	},
	29: {
		section: "Exit Qualification for MOV DR",
		says: () => "The guest accessed a debug register.",
		fields: e => [["debug register", "DR" + bits(e.qualification, 2, 0)],
			["access", bit(e.qualification, 4) ? "MOV from it" : "MOV to it"],
			["general register", REGISTERS[bits(e.qualification, 11, 8)]]],
	},
	30: {
		section: "Exit Qualification for I/O Instructions",
		says: e => {
			const to = bit(e.qualification, 3) ? "read from" : "wrote to";
			const name = portName(bits(e.qualification, 31, 16));

			return `The guest ${to} port ${hex(bits(e.qualification, 31, 16))}` +
				(name ? ` (on a PC: ${name}).` : ".");
		},
		fields: e => {
			const q = e.qualification, size = bits(q, 2, 0) + 1;
			const list = [["port", hex(bits(q, 31, 16)),
				bit(q, 6) ? "in the instruction" : "in DX"],
			["size", size + (size === 1 ? " byte" : " bytes")],
			["direction", bit(q, 3) ? "IN" : "OUT"]];

			if (bit(q, 4))
				list.push(["string", bit(q, 5) ? "REP INS or OUTS" : "INS or OUTS"]);
			else if (!bit(q, 3))
				list.push(["data", hex(bits(e.regs[0], 8 * size - 1, 0) >>> 0), "the low part of RAX"]);
			return list;
		},
	},
	31: {
		section: "Instructions That Cause VM Exits Conditionally",
		says: () => "The guest read a model-specific register that the MSR bitmap keeps from it.",
		fields: e => [["ECX, the MSR", hex(bits(e.regs[1], 31, 0) >>> 0),
			MSRS[bits(e.regs[1], 31, 0) >>> 0]]],
	},
	32: {
		section: "Instructions That Cause VM Exits Conditionally",
		says: () => "The guest wrote a model-specific register that the MSR bitmap keeps from it.",
		fields: e => [
			["ECX, the MSR", hex(bits(e.regs[1], 31, 0) >>> 0), MSRS[bits(e.regs[1], 31, 0) >>> 0]],
			["EDX:EAX, the value", hex(BigInt.asUintN(32, e.regs[2]) << 32n | BigInt.asUintN(32, e.regs[0]))]],
	},
	33: {
		section: "VM-Entry Failures During or After Loading Guest State",
		says: () => "The VM entry failed: the guest-state area of the VMCS breaks a rule. " +
			"minivmm-run says which.",
		fields: e => [["exit qualification", hex(e.qualification)]],
	},
	40: {
		section: "Controls for PAUSE-Loop Exiting",
		says: () => "The guest waits in a loop of PAUSEs, probably for another of its processors. " +
			"The hypervisor lets that one run.",
		fields: () => [],
	},
	43: {
		section: "TPR Virtualization",
		says: () => "The guest lowered its task priority below the threshold: an interrupt that " +
			"waited can go in.",
		fields: () => [],
	},
	44: {
		section: "Exit Qualification for APIC-Access VM Exits",
		says: () => "The guest accessed the page of its local APIC.",
		fields: e => [["offset in the page", hex(bits(e.qualification, 11, 0))],
			["access", ["read", "write", "fetch of an instruction", "in event delivery"][bits(e.qualification, 15, 12)]]],
	},
	45: {
		section: "EOI Virtualization",
		says: () => "The guest ended an interrupt whose EOI the hypervisor wants to see.",
		fields: e => [["vector", hex(bits(e.qualification, 7, 0))]],
	},
	48: {
		section: "Exit Qualification for EPT Violations",
		says: e => {
			const what = bit(e.qualification, 1) ? "wrote to" : bit(e.qualification, 2) ?
				"executed code in" : "read from";
			const walk = bit(e.qualification, 7) && !bit(e.qualification, 8);

			return (walk ? "The processor walked the guest's page tables, and they are in" :
				`The guest ${what}`) + " memory where the EPT tables do not allow that. " +
				(e.flags & 1 ? "No memory is there but a device, which is the launcher's." :
				e.next_rip === e.rip ?
				"The hypervisor mapped the page, and the guest tries the instruction again." :
				"The hypervisor executed the instruction itself.");
		},
		fields: e => {
			const q = e.qualification;
			const access = [bit(q, 0) ? "read" : "", bit(q, 1) ? "write" : "",
				bit(q, 2) ? "fetch of an instruction" : ""].filter(Boolean);
			const allowed = [bit(q, 3) ? "read" : "", bit(q, 4) ? "write" : "",
				bit(q, 5) ? "execute" : ""].filter(Boolean);
			const list = [["guest-physical address", hex(e.physical)],
				["access", access.join(", ")],
				["allowed there", allowed.join(", ") || "nothing: no page is mapped"]];

			if (bit(q, 7))
				list.push(["guest-linear address", hex(e.linear), bit(q, 8) ?
					"the access itself" : "in the walk of the guest's page tables"]);
			return list;
		},
	},
	49: {
		section: "EPT Misconfigurations",
		says: () => "An entry of the EPT tables is one that must not be: an error of the hypervisor.",
		fields: e => [["guest-physical address", hex(e.physical)]],
	},
	52: {
		section: "VMX-Preemption Timer",
		says: () => "The time that the hypervisor had given the guest is over.",
		fields: () => [],
	},
	54: {
		section: "Instructions That Cause VM Exits Conditionally",
		says: () => "The guest wants all caches written back and emptied. Its memory is coherent: " +
			"nothing is done.",
		fields: () => [],
	},
	55: {
		section: "Instructions That Cause VM Exits Unconditionally",
		says: () => "The guest chose which parts of the FPU state XSAVE is to handle.",
		fields: e => [["ECX, the register", hex(bits(e.regs[1], 31, 0))],
			["EDX:EAX, the value", hex(BigInt.asUintN(32, e.regs[2]) << 32n | BigInt.asUintN(32, e.regs[0]))]],
	},
	56: {
		section: "APIC-Write VM Exits",
		says: () => "The guest wrote a register of its local APIC, and the write is done; " +
			"what it leads to is the hypervisor's.",
		fields: e => [["offset in the page", hex(bits(e.qualification, 11, 0))]],
	},
	62: {
		section: "Page-Modification Log-Full Event",
		says: () => "The processor has logged as many dirty pages as there is room for.",
		fields: () => [],
	},
};

const OTHER = {
	section: "Instructions That Cause VM Exits Conditionally",
	says: () => "",
	fields: e => [["exit qualification", hex(e.qualification)]],
};

function modeOf(e) {
	if (!(bit(e.cr0, 0)))
		return "real mode";
	const code = e.flags & 2 ? "64-bit" : e.flags & 4 ? "32-bit" : "16-bit";

	return `${code} code, CPL ${e.cpl}, ` + (bit(e.cr0, 31) ? "paging on" : "paging off");
}

/* What the way to the VM entry changed: [name, value, words] */
function changesOf(e) {
	const list = [];
	let n = 0;

	if (e.rip !== e.next_rip)
		list.push(["RIP", hex(e.next_rip), e.next_rip - e.rip === BigInt(e.length) ?
			"behind the instruction" : ""]);
	for (let i = 0; i < 16; i++) {
		if (!(e.changed >> i & 1))
			continue;
		list.push([REGISTERS[i], n < e.value.length ? hex(e.value[n]) : "changed"]);
		n++;
	}
	for (const [name, names] of [["rflags", FLAGS.rflags], ["cr0", FLAGS.cr0],
		["cr4", FLAGS.cr4], ["efer", FLAGS.efer]]) {
		const after = e["next_" + name];

		if (e[name] !== after)
			list.push([name.toUpperCase(), hex(after), changedFlags(e[name], after, names)]);
	}
	if (e.cr3 !== e.next_cr3)
		list.push(["CR3", hex(e.next_cr3)]);
	return list;
}

/* Everything that the page says of an exit */
function decode(e) {
	const basic = e.reason & 0xffff, known = REASONS[basic] || OTHER;
	const failed = e.reason >>> 31;
	const fields = [["exit reason", String(basic)], ...known.fields(e)];

	if (!failed && e.vectoring >>> 31)
		fields.push(["IDT-vectoring information", hex(e.vectoring >>> 0),
			eventWords(e.vectoring, e.vectoring_error, ": was being delivered")]);
	if (!failed)
		fields.push(["instruction length", e.length + (e.length === 1 ? " byte" : " bytes")]);
	fields.push(["the guest was in", modeOf(e)]);
	return {
		says: (failed ? "The VM entry failed. " : "") + known.says(e),
		fields: fields.filter(f => f[0] !== "instruction length" || e.length),
		changes: changesOf(e),
		inject: e.entry_tsc && e.inject >>> 31 ? eventWords(e.inject, e.inject_error) : null,
		section: failed ? REASONS[33].section : known.section,
	};
}
