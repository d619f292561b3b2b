/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Usdt_arg: what a marker's note says of its arguments: "-4@%eax 8@16(%rsp) 1@$5", each with its size (a minus
 * for signed), and the operand that the assembler saw.
 */
#ifndef SONDE_PROBE_USDT_ARG_H
#define SONDE_PROBE_USDT_ARG_H

#include "base/arena.h"
#include "lang/type.h"

/* As many as the macros of <sys/sdt.h> can pass. */
#define USDT_ARGS_MOST 12

struct usdt_arg {
	const char *text;        /* all of it, as the note has it */
	const char *type_name;   /* of one that cannot be read for its type: "double"; else NULL */
	struct reg_place place;
	/* The address of this symbol belongs to the place's number; NULL: none. With `pc` the place is
	 * relative to the instruction, wherever the file is loaded. */
	const char *symbol;
	bool pc;
};

/* Which processor's operands. */
enum usdt_machine { USDT_X86_64, USDT_ARM64 };
#if defined(__aarch64__)
#define USDT_NATIVE USDT_ARM64
#else
#define USDT_NATIVE USDT_X86_64
#endif

/* All arguments (the first USDT_ARGS_MOST). One that cannot be understood or read has place.problem. */
uint32_t usdt_args_parse(struct arena *a, enum usdt_machine machine, const char *text,
			 struct usdt_arg out[USDT_ARGS_MOST]);

/* ---- between the parser and the machines ---- */

struct usdt_cursor {
	struct arena *arena;
	const char *p;
};

/* A register by its name, as `place` takes it; bytes it has, its place in the context, bits to drop. */
struct usdt_reg {
	int16_t offset;
	uint8_t bytes, shift;
	const char *problem;
};

/* A number (C's forms), which may be negative; false leaves the cursor. */
bool usdt_number(struct usdt_cursor *c, int64_t *number);
/* [+-]number and symbol, summed up: "8", "-4+sym", "sym+8". False: neither, or two symbols. */
bool usdt_sum(struct usdt_cursor *c, struct usdt_arg *arg);
/* Take the character if it is next. */
bool usdt_take(struct usdt_cursor *c, char ch);
void usdt_blank(struct usdt_cursor *c);
/* The letters and digits at the cursor as a word of less than `size` bytes. */
bool usdt_word(struct usdt_cursor *c, char *word, size_t size);

/* The operand at the cursor, which ends behind it. False: not understood. */
bool usdt_x86_operand(struct usdt_cursor *c, struct usdt_arg *arg);
bool usdt_arm64_operand(struct usdt_cursor *c, struct usdt_arg *arg);

#endif
