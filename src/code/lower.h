/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lower: typed tree -> IR. lower_expr() and friends are what the emit() of functions is written with.
 *
 * A value (struct val) is either in a register (every type_is_scalar() type) or in memory (strings,
 * tuples, arrays, structs, buffers, aggregations). Memory is local (a slot, a map value, the ring: may be
 * loaded directly) or remote (kernel or user: must be read with a helper first: val_local()).
 */
#ifndef SONDE_CODE_LOWER_H
#define SONDE_CODE_LOWER_H

#include "code/module.h"

struct val {
	enum { VAL_NONE, VAL_REG, VAL_MEM } kind;
	const struct type *type;
	vreg reg;         /* the value, or the address of the memory */
	int32_t off;      /* VAL_MEM: bytes from reg */
	enum addr_space space; /* VAL_MEM: SPACE_NONE local, SPACE_CTX direct loads, else remote */
	bool writable_slot; /* VAL_MEM: a slot of our own that nobody else refers to */
};

struct lower {
	struct arena *arena;
	struct diags *diags;
	const struct script *script;
	const struct check_env *env;
	const struct config *config; /* after the script's config block */
	struct module *module;
	struct object *object;
	struct ir_func *f;     /* being built */
	struct unit *unit;     /* whose body is being lowered */
	struct attach_point *point; /* one of the unit's points (they are alike for this body) */
	struct lower_priv *priv;
};

/* Any expression. 0 or a negative errno after a diagnostic. */
int lower_expr(struct lower *l, struct expr *e, struct val *out);
/* An expression whose type is scalar, into a register. */
int lower_scalar(struct lower *l, struct expr *e, vreg *out);
/* An expression as a condition: branches to then_ or else_. Short-circuits. */
int lower_cond(struct lower *l, struct expr *e, uint32_t then_, uint32_t else_);
/* An expression's value as bytes at `addr + off`, laid out as `as` (its own type, or a wider integer or
 * longer string of the same kind): keys, tuples, payloads. All as->size bytes are written. */
int lower_to_memory(struct lower *l, struct expr *e, const struct type *as, vreg addr, int32_t off);
/* The same for a value already there. */
int val_to_memory(struct lower *l, const struct val *v, const struct type *as, vreg addr, int32_t off);

/* A register value of a scalar type. */
struct val val_of_reg(const struct type *t, vreg r);
struct val val_of_mem(const struct type *t, vreg addr, int32_t off, enum addr_space space);
/* The scalar in memory or register, as a register (loads; through probe_read when it is remote). */
vreg val_scalar(struct lower *l, const struct val *v);
/* Remote memory is read into a slot; local memory stays. Failed reads yield zeros and are counted. */
struct val val_local(struct lower *l, const struct val *v);
/* A fresh slot of `size` bytes as local memory. */
struct val val_slot(struct lower *l, const struct type *t, const char *name);
/* The address of a VAL_MEM as one register (reg + off). */
vreg val_address(struct lower *l, const struct val *v);
/*
 * Memory for the value that the emit() at work is about to make: where whoever asked wants it (the event,
 * the key, the variable), when that is known and large enough, else a fresh slot. Use it instead of
 * val_slot() for results, so that strings are not copied. Ask after lowering the arguments, and only
 * once; all t->size bytes must be written (lower_probe_read_str() does; in an event it may skip the
 * padding).
 */
struct val lower_result(struct lower *l, const struct type *t, const char *name);
/* `r`, which holds a value of type `from`, as a value of scalar type `to`: cut and extended as C does. */
vreg lower_convert(struct lower *l, vreg r, const struct type *from, const struct type *to);

/* Fill n bytes at addr + off with zeros (any n; large n by a helper or loop). */
void lower_zero(struct lower *l, vreg addr, int32_t off, uint32_t n);
/* Copy n bytes between local memories. */
void lower_copy(struct lower *l, vreg dst, int32_t dst_off, vreg src, int32_t src_off, uint32_t n);
/* probe_read of `n` bytes from `from` (kernel or user by `space`) to local memory; on failure the target
 * is zeros and COUNTER_FAULTS goes up. */
void lower_probe_read(struct lower *l, vreg dst, int32_t dst_off, uint32_t n, vreg from, enum addr_space space);
/* Read a string of at most `most` bytes with its NUL; the rest of the `most` bytes is zeros. Returns the
 * vreg of its length with the NUL (0 after a fault, which is counted). */
vreg lower_probe_read_str(struct lower *l, vreg dst, int32_t dst_off, uint32_t most, vreg from, enum addr_space space);
/* May what this program does with a value of this CPU be interrupted by another program that has the value too? */
bool lower_preemptible(const struct lower *l);
/* Or another processor, because the map that is being gathered into has one value for all of them? */
bool lower_value_shared(const struct lower *l);
/* Add 1 to a counter of the module. */
void lower_count(struct lower *l, uint32_t counter);
/* Count it if `r cc 0`. */
void lower_count_if(struct lower *l, enum ir_cc cc, vreg r, uint32_t counter);
/* If `r` (a helper's result) is negative, count it. */
void lower_count_failure(struct lower *l, vreg r, uint32_t counter);
/* The same for a read of memory: it is a fault, and with -k it is told where. `helper`: BPF_FUNC_probe_read_*. */
void lower_count_fault(struct lower *l, vreg r, int helper);
/* With -k: when `r` compares to 0 as `cc` says, tell that the helper found nothing (its result was `code`). */
void lower_tell_missing(struct lower *l, enum ir_cc cc, vreg r, int64_t code, const char *helper);
/* The value of a member of the context that lies where the registers lead to (ACCESS_PLACE). */
struct val lower_field_place(struct lower *l, const struct field *f);
/*
 * The address of an object of the kernel, or the pointer to it, for a helper that wants to know what it is: a chain
 * of members from the words of the context. Goes to block `none` where a pointer on the way is NULL. 0, or a
 * negative errno after a diagnostic.
 */
int lower_typed_address(struct lower *l, struct expr *e, uint32_t none, vreg *out);
/* Call a function of the kernel; `k` must live as long as the program that is being compiled. */
vreg lower_kfunc(struct lower *l, const struct object_kfunc *k, uint32_t nargs, const vreg *args);
/* The address of the kernel's object as a number that may be computed with and read from. */
vreg lower_object_address(struct lower *l, vreg object);
/* The address space in which a pointer of this type in the present probe points. */
enum addr_space lower_space(struct lower *l, const struct type *t);

/* A literal string or other constant bytes as local memory in .rodata. */
struct val lower_rodata(struct lower *l, const struct type *t, const void *data, uint32_t len);

/* ---- maps ---- */
/* The bytes of key `e` (EX_TUPLE for several) for map `m`, in a slot. */
int lower_map_key(struct lower *l, const struct map *m, struct expr *e, vreg *key);
/* bpf_map_lookup_elem: the value's address, 0 when it is not there. For scalar maps always there. */
vreg lower_map_lookup(struct lower *l, const struct map *m, vreg key);
/* bpf_map_update_elem with flags; a refusal is counted against the map. */
void lower_map_update(struct lower *l, const struct map *m, vreg key, vreg value, uint64_t flags);
vreg lower_map_delete(struct lower *l, const struct map *m, vreg key);
const struct map_desc *lower_map_desc(struct lower *l, const struct map *m);
/* Nanoseconds by a clock of the kernel (BPF_FUNC_ktime_get_*). BPFTRACE_DUMMY_TS_MAP=@name: what that map of the
 * script holds instead, so that a test decides what time it is. */
vreg lower_clock(struct lower *l, int helper);
/* Does a map of the script stand in for the clocks? */
bool lower_clock_is_map(const struct lower *l);

/* Is nothing done with the value of this call? */
bool lower_discards(const struct lower *l, const struct expr *call);
/* How many entries a keyed map has. */
vreg lower_map_len(struct lower *l, const struct map *m);
/* What an aggregation comes to at this moment, over all CPUs. */
int lower_map_reduce(struct lower *l, const struct map *m, struct span span, vreg key, struct val *out);
/* Give a variable a value that it can hold. */
int lower_var_assign(struct lower *l, const struct var *v, const struct val *value);

/* ---- events ---- */
/* A new site for this call. */
struct site *lower_site(struct lower *l, struct expr *call);
/*
 * Send the event of a site with these argument expressions (their types make site->payload). The cheap
 * way is chosen: reserve, write in place and submit when the payload is small and of fixed size; else
 * build in scratch and output as much as is used. A full ring is counted.
 */
int lower_event(struct lower *l, struct site *s, struct expr *const *args, uint32_t nargs);
/* The same with values at hand. */
int lower_event_vals(struct lower *l, struct site *s, const struct val *vals, uint32_t n);

/* A printf() whose program runs without the session: the kernel formats it into the file that is being read. */
int lower_seq_printf(struct lower *l, struct expr *call);

/* Send header and payload that have been put together at `addr` (a slot that begins with room for struct
 * event_header): `bytes` of payload, a register with a bound the verifier can see. site->payload stays NULL. */
void lower_event_output(struct lower *l, const struct site *s, vreg addr, vreg bytes);
/* What the session does for this function needs the capability (CAP_*) while it runs. */
void lower_keep_capability(struct lower *l, uint32_t cap);

/*
 * The stack of the current process by what its files say of their frames: their addresses at `frames`, at most
 * `most`, the innermost first and zeros behind them; how many into n. Then building continues in `done`; in
 * `pointers`, when there are only frame pointers to go by, with nothing written. False, and nothing is built, when
 * this kernel cannot do it.
 */
bool lower_unwind(struct lower *l, vreg pid, const struct val *frames, uint32_t most, vreg n, uint32_t pointers,
		  uint32_t done);

/* What a guard of the present unit compares. */
vreg lower_guard_number(struct lower *l, const struct guard *g);

/* Return from the action block (not from the BPF program, when several share it). */
void lower_return(struct lower *l);

#endif
