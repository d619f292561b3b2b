/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of the code generator: run compiled functions in the kernel, and IR in a plain interpreter. */
#ifndef SONDE_TESTS_IR_RUN_H
#define SONDE_TESTS_IR_RUN_H

#include "code/ir.h"

#define RUN_VALUE_BYTES 256 /* of the one entry of map RUN_MAP_RESULT */
#define RUN_CTX_WORDS 12    /* u64 words of the context */

/* What IR_MAP numbers mean to these programs. */
enum { RUN_MAP_RESULT, RUN_MAP_SCRATCH, RUN_MAPS };

struct run {
	int maps[RUN_MAPS];
	char *log; /* of the verifier */
};

/* 0; a negative errno when this process may not load programs. */
int run_open(struct run *r);
void run_close(struct run *r);
/*
 * Load `main` (with subprograms behind it; function number k is progs[k]) as a raw tracepoint program and run it
 * once on `ctx`. The entry of RUN_MAP_RESULT is set from `value` before and read back into it after. 0, or a
 * negative errno: r->log says why.
 */
int run_program(struct run *r, const struct code *progs, uint32_t n, const uint64_t ctx[RUN_CTX_WORDS],
		uint8_t value[RUN_VALUE_BYTES], uint32_t *retval);

/* The same for IR before slots are placed, in C: false when it does not end. */
bool interpret(const struct ir_func *f, const uint64_t ctx[RUN_CTX_WORDS], uint8_t value[RUN_VALUE_BYTES],
	       uint32_t *retval);

#endif
