/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Func_priv: what the families of functions share among themselves. How to add one: families.c. */
#ifndef SONDE_CODE_FUNC_PRIV_H
#define SONDE_CODE_FUNC_PRIV_H

#include <linux/bpf.h>

#include "base/util.h"
#include "code/lower.h"
#include "code/site.h"
#include "kernel/registers.h"
#include "lang/check.h"
#include "lang/func.h"

/* One per family, in the order in which help lists them. */
extern func_family funcs_output, funcs_aggregate, funcs_map, funcs_task, funcs_time, funcs_probe,
	funcs_string, funcs_address, funcs_type, funcs_param, funcs_watch, funcs_message, funcs_outside, funcs_stack, funcs_name,
	funcs_search, funcs_bytes, funcs_control, funcs_register, funcs_kfunc,
	funcs_kernelobj, funcs_packet, funcs_directory;

static inline struct expr *call_arg(const struct expr *call, uint32_t i)
{
	return call->args.v[i];
}

/* Is the type of argument i still to be found out? Then the call's is, too. */
bool call_arg_unknown(struct expr *call, uint32_t i);
/* Turn a call into the constant true or false. */
void call_become_bool(struct expr *call, bool value);
/* Check a lone argument that is a word (curr_ns, monotonic), not a value: its index among the
 * NULL-terminated `words`, 0 when there is no argument, or -EINVAL after a diagnostic. */
int call_word(struct checker *c, const struct expr *call, const char *const *words);

/* d = helper(), of the call's type. */
int emit_helper(struct lower *l, const struct expr *call, int helper, struct val *out);

/* Is the context of such probes the registers of the processor? Then one of them: */
bool kind_has_registers(const struct probe_kind *kind);
vreg emit_register(struct lower *l, const struct cpu_register *reg);

/* The number of the current process in the namespace in which the question is compiled: that of its directory in /proc. */
vreg emit_process(struct lower *l);

/* The verifier must know what the pointer points to: a call that is for fentry, fexit and their like only. */
int typed_context_check(struct checker *c, const struct expr *call);

/* Argument i is text: a string, characters of C, or where some lie. */
int text_arg_check(struct checker *c, const struct expr *call, uint32_t i);
/* The bytes it has at most, with its NUL. */
uint32_t text_capacity(struct lower *l, const struct type *t);
/* The text in memory of our own. A pointer's is read. */
int text_local(struct lower *l, struct expr *e, struct val *out);

/* Argument i of an event as a number; what its payload type says decides width and sign. */
int64_t payload_int(const struct site *site, const uint8_t *data, uint32_t i);
const uint8_t *payload_bytes(const struct site *site, const uint8_t *data, uint32_t i);

#endif
