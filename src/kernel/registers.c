/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers: see registers.h. */
#include "kernel/registers.h"

#include "base/util.h"

const struct cpu_register cpu_registers[] = {
#if defined(__x86_64__)
	{ "r15", 0 }, { "r14", 8 }, { "r13", 16 }, { "r12", 24 }, { "bp", 32 }, { "bx", 40 }, { "r11", 48 },
	{ "r10", 56 }, { "r9", 64 }, { "r8", 72 }, { "ax", 80 }, { "cx", 88 }, { "dx", 96 }, { "si", 104 },
	{ "di", 112 }, { "orig_ax", 120 }, { "ip", 128 }, { "cs", 136 }, { "flags", 144 }, { "sp", 152 },
	{ "ss", 160 },
#elif defined(__aarch64__)
	{ "r0", 0 }, { "r1", 8 }, { "r2", 16 }, { "r3", 24 }, { "r4", 32 }, { "r5", 40 }, { "r6", 48 },
	{ "r7", 56 }, { "r8", 64 }, { "r9", 72 }, { "r10", 80 }, { "r11", 88 }, { "r12", 96 }, { "r13", 104 },
	{ "r14", 112 }, { "r15", 120 }, { "r16", 128 }, { "r17", 136 }, { "r18", 144 }, { "r19", 152 },
	{ "r20", 160 }, { "r21", 168 }, { "r22", 176 }, { "r23", 184 }, { "r24", 192 }, { "r25", 200 },
	{ "r26", 208 }, { "r27", 216 }, { "r28", 224 }, { "r29", 232 }, { "r30", 240 }, { "sp", 248 },
	{ "pc", 256 }, { "pstate", 264 },
#endif
	{ NULL, 0 },
};

const struct cpu_calls cpu_calls = {
#if defined(__x86_64__)
	.args = { "di", "si", "dx", "cx", "r8", "r9" },
	.retval = "ax",
	.stack = "sp",
	.ip = "ip",
	.stack_args = 8, /* behind the return address */
#elif defined(__aarch64__)
	.args = { "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7" },
	.retval = "r0",
	.stack = "sp",
	.ip = "pc",
#else
	.retval = "",
	.stack = "",
	.ip = "",
#endif
};

const struct cpu_register *cpu_register_find(const char *name)
{
	for (const struct cpu_register *r = cpu_registers; r->name; r++)
		if (str_eq(r->name, name))
			return r;
	return NULL;
}

const struct cpu_register *cpu_register_arg(uint32_t i, uint32_t *on_stack)
{
	uint32_t n = 0;

	while (n < ARRAY_SIZE(cpu_calls.args) && cpu_calls.args[n])
		n++;
	if (i < n)
		return cpu_register_find(cpu_calls.args[i]);
	*on_stack = i - n;
	return NULL;
}
