/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers: where the processor's registers lie in the context of kprobes, uprobes and perf events (struct
 * pt_regs, or user_pt_regs), and which of them hold the arguments of a C function. One table for each
 * architecture.
 */
#ifndef SONDE_KERNEL_REGISTERS_H
#define SONDE_KERNEL_REGISTERS_H

#include <stdint.h>

struct cpu_register {
	const char *name;
	uint32_t offset;
};

extern const struct cpu_register cpu_registers[]; /* ended by a NULL name; none on an unknown machine */
/* NULL: this machine has no such register. */
const struct cpu_register *cpu_register_find(const char *name);

/* How C functions are called. */
struct cpu_calls {
	const char *args[8];      /* registers of the first arguments; NULL: no more */
	const char *retval;
	const char *stack, *ip;   /* the stack pointer, the instruction pointer */
	uint32_t stack_args;      /* on entry, further arguments lie this far beyond it, 8 bytes each */
};
extern const struct cpu_calls cpu_calls;

/* The register of argument i (from 0); NULL: it is on the stack, as number *on_stack there. */
const struct cpu_register *cpu_register_arg(uint32_t i, uint32_t *on_stack);

#endif
