/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lower, inside: what the files lower*.c share and nobody else needs. */
#ifndef SONDE_CODE_LOWER_PRIV_H
#define SONDE_CODE_LOWER_PRIV_H

#include "code/lower.h"
#include "code/plan.h"

/* A place where the value of the expression being lowered is wanted: see lower_result(). */
struct want {
	vreg addr;
	int32_t off;
	uint32_t bytes;
	bool no_pad; /* what follows the NUL of a string need not be written */
	bool taken;  /* the value is being made here */
	vreg len;    /* set when the value is a string just read: its length with the NUL */
};

/*
 * Where a variable lives: a vreg that is assigned again and again, or a slot. One that the body of a loop
 * shares with what is around it, which is another BPF function then, lives in the frame of the outer one.
 */
enum frame_kind { FRAME_NUMBERS, FRAME_MEMORY, FRAME_CTX /* the context, reached in the same way */ };

struct frame_id {
	enum frame_kind kind;
	uint32_t depth; /* of the function that has it */
};

struct var_home {
	enum { HOME_NONE, HOME_REG, HOME_SLOT, HOME_FRAME } kind;
	vreg reg;
	uint32_t slot;
	struct frame_id frame; /* HOME_FRAME, at `off` */
	int32_t off;
};

/* What the analysis of a unit's loops has found about a variable. */
struct var_fate {
	bool shared; /* by the body of a loop and what is around it */
	bool inner;  /* only known inside the body of a loop */
};

/* A slot for what is needed during one statement only. */
struct temp {
	uint32_t slot, bytes;
};

struct loop {
	uint32_t next, end; /* where continue and break go */
};

/* Something of the functions around a callback that it reaches through the link it is called with. */
struct link_word {
	struct frame_id frame;
	vreg reg;
};

struct lower_frame {
	uint32_t slot; /* plus one */
	uint32_t bytes;
};

/* The kernel follows calls this deep. */
#define MOST_FUNC_DEPTH 8

/* The BPF function being built: a program, the body of a loop called back by the kernel, a subprogram. */
struct lower_fn {
	uint32_t depth;            /* how many functions are around it */
	bool is_callback;
	uint32_t plain_turns;      /* of the loops in BPF around what is being built, multiplied */
	VEC(struct loop) loops;
	VEC(struct temp) temps;    /* the first temps_used are in use */
	uint32_t temps_used;
	const struct guard_words *words; /* of a program: what its guards test, read at its start */
	uint32_t part_end;         /* where `return` goes */
	bool returns;              /* something went there */
	struct want *next_want;    /* for the next lower_expr() */
	struct want *want;         /* of the expression being lowered */
	bool value_shared;         /* by all processors: what is being gathered into */
	uint32_t zero_slot;        /* plus one; the u32 key of maps without a key */
	struct lower_frame frames[2]; /* variables shared with callbacks */
	uint32_t numbers;          /* variables that have got a home in a register or on the stack */
	uint32_t reduce_slot;      /* plus one; what the reading of aggregations is handed */
	uint32_t left_at, first_at, count_at; /* plus one; words of the frame of numbers that all its loops use in turn */
	VEC(struct link_word) links; /* of a callback: what it has asked for so far */
};

/* A function of the script as it was built for the present program. */
struct lowered_sub {
	const struct subprog *sub;
	uint32_t number; /* as IR_CALLFUNC has it */
	bool wants_ctx;
};

/* Where `return` leaves its value while such a function is built: in its frame, so that bodies of loops reach
 * it too. */
struct sub_result {
	const struct type *type; /* NULL: a program is being built */
	struct frame_id frame;
	int32_t off;
};

/* What unwinding has, once it is used. */
struct unwind_callback {
	uint32_t frames; /* at most */
	uint32_t number;
};

struct lower_unwind {
	uint32_t images, nodes, wanted; /* object maps */
	VEC(struct unwind_callback) callbacks;
};

/* The callback that reads this map's value of one CPU. */
struct reducer {
	const struct map *map;
	uint32_t number;
};

struct lower_priv {
	VEC(struct var_home) vars; /* by var.id; of the part being lowered */
	VEC(struct var_fate) fates; /* likewise */
	struct lower_fn fn;
	VEC(struct site *) sites;
	VEC(struct ir_func *) funcs; /* numbers follow those of the programs */
	uint32_t nprograms;
	bool preemptible; /* the program being built, see struct probe_kind */
	VEC(struct lowered_sub) subs; /* of the program being built */
	struct sub_result result;
	VEC(struct reducer) reducers;
	const struct expr *discarded; /* the statement being lowered is this expression */
	struct lower_unwind *unwind;  /* NULL: not used so far */
	uint32_t len_func;            /* plus one; the callback that counts */
	int32_t events_map; /* an object map; -1: not used so far */
	uint32_t ring_bytes;
};

/* ---- lower.c ---- */
void lower_init(struct lower *l, struct arena *arena);
/* As lower_to_memory(); with no_pad, bytes after a string's NUL may stay as they are. *len (may be NULL)
 * is the string's length with NUL when it is known, else 0. */
int lower_into(struct lower *l, struct expr *e, const struct type *as, vreg addr, int32_t off, bool no_pad,
	       vreg *len);
/* Bytes between the members of a tuple become zero, so that equal tuples are equal bytes. */
void lower_tuple_gaps(struct lower *l, const struct type *t, vreg addr, int32_t off);
/* A slot of this many bytes that is the caller's until the statement (or what else resets temps_used) ends. */
uint32_t lower_slot_take(struct lower *l, uint32_t bytes, const char *name);
/* What the checker should have refused has come through. */
int lower_unexpected(struct lower *l, struct span span, const char *what);
/* A number of 1, 2, 4 or 8 bytes in local memory, wherever it lies there; unsigned, or as its type says. */
vreg lower_load(struct lower *l, const struct val *v);
void lower_store(struct lower *l, const struct val *to, vreg r);
/* The type of what an expression yields when it is read: an aggregation yields its number. */
const struct type *lower_read_type(const struct type *t);
uint32_t lower_events_map(struct lower *l);

/* ---- lower_mem.c ---- */
/* The address of a u32 on the stack that holds `value` now. `slot` keeps it for the whole program. */
vreg lower_u32_slot(struct lower *l, uint32_t *slot, uint32_t value);
/* func/fault.c: whose event tells of a helper that failed. */
extern const struct func_def func_fault, func_zero_divisor;
/* The warning that something was divided by zero. */
void lower_tell_zero(struct lower *l);

/* ---- lower_expr.c ---- */
/* a op b for scalars of these types, as a value of type `as`. */
/* Without a test for zero: a / 0 is 0 then, a % 0 is a. */
vreg lower_quotient(struct lower *l, enum op op, vreg a, vreg b, bool is_signed);
int lower_arith(struct lower *l, enum op op, struct span span, vreg a, const struct type *ta, vreg b,
		const struct type *tb, const struct type *as, vreg *out);
bool lower_unsigned_pair(const struct expr *a, const struct expr *b);

/* ---- lower_cast.c ---- */
int lower_cast(struct lower *l, struct expr *e, struct val *out);

/* ---- lower_access.c ---- */
/* An address of ours or of the context as a number that may be computed with. */
vreg lower_address_number(struct lower *l, vreg addr);
int lower_field(struct lower *l, struct expr *e, struct val *out);
/* `args` as a whole into a struct of their type_kept(), member by member: each lies where its kind of probe has it. */
int lower_args_into(struct lower *l, const struct val *from, const struct type *as, vreg addr, int32_t off);
int lower_index(struct lower *l, struct expr *e, struct val *out);
int lower_deref(struct lower *l, struct expr *e, struct val *out);
/* Where the operand of & lies, which is in memory that a pointer leads to. */
int lower_place(struct lower *l, struct expr *e, struct val *out);

/* ---- lower_string.c ---- */
/* Branch on the equality of two values in memory. */
int lower_mem_equal(struct lower *l, struct expr *a, struct expr *b, uint32_t same, uint32_t differ);
/* A literal written at addr + off as a string of `bytes` bytes. */
void lower_literal_into(struct lower *l, const struct expr *e, uint32_t bytes, bool no_pad, vreg addr,
			int32_t off);

/* ---- lower_map.c ---- */
/* Map descriptions and kernel maps for all maps of the script. */
int lower_maps_make(struct lower *l);
/*
 * The address of the value of a keyed element, which is made from `initial` when it is not there; then
 * building goes on in the block `made` (0: as if it had been there). When there was no room that is
 * counted, and it goes on in `next`. Building continues where the value has been found.
 */
vreg lower_map_find_or_make(struct lower *l, const struct map *m, vreg key, vreg initial, uint32_t made,
			    uint32_t next);
/* The address of a scalar map's value, marked as set; `next` is for the verifier, who doubts it exists. */
vreg lower_map_present(struct lower *l, const struct map *m, vreg key, uint32_t next);
/* Zeros of the size of a value. */
vreg lower_map_zeros(struct lower *l, const struct map *m);
int lower_map_read(struct lower *l, struct expr *e, struct val *out);
/* @m[k] op= value */
int lower_map_assign(struct lower *l, struct stmt *s);
/* @m[k]++ and its like; out NULL: nobody wants the value. */
int lower_map_incdec(struct lower *l, struct expr *e, struct val *out);

/* ---- lower_agg.c ---- */
/* @m[k] = count() and its like. */
int lower_aggregate(struct lower *l, struct stmt *s);

/* ---- lower_stmt.c ---- */
int lower_stmts(struct lower *l, const stmt_vec *body);
/* Does any expression below `e` use the variable? */
bool expr_uses_var(struct expr *e, const struct var *v);

/* ---- lower_var.c ---- */
/* Homes for the variables of a unit, before its body is lowered: they last until its end. The first nparams
 * are parameters. */
void lower_vars_make(struct lower *l, const struct unit *unit, uint32_t nparams, struct expr *pred,
		     const stmt_vec *body);
/* A variable of a scalar type. */
vreg lower_var_read(struct lower *l, const struct var *v);
void lower_var_write(struct lower *l, const struct var *v, vreg r);
/* A variable of another type, as memory. */
struct val lower_var_memory(struct lower *l, const struct var *v);
/* Room in a frame of the function being built; the offset. */
int32_t lower_frame_take(struct lower *l, enum frame_kind kind, uint32_t bytes);
/* The address of a frame of this function or one around it. */
vreg lower_frame(struct lower *l, struct frame_id frame);
/* The same value, of which the verifier knows nothing any more. */
vreg lower_unknown(struct lower *l, vreg r);
/* A word of a frame, of which the verifier shall know nothing. */
void lower_frame_store(struct lower *l, struct frame_id frame, int32_t off, vreg r);

/* ---- lower_loop.c ---- */
/* Within a callback: the address of something of the functions around it. */
vreg lower_link(struct lower *l, struct frame_id frame);
int lower_while(struct lower *l, struct stmt *s);
int lower_unroll(struct lower *l, struct stmt *s);
/* Is this so much code that its body becomes a callback? */
bool lower_unroll_is_called(const struct stmt *s);
int lower_for_range(struct lower *l, struct stmt *s);
int lower_for_map(struct lower *l, struct stmt *s);

/* ---- lower_sub.c ---- */
int lower_sub_call(struct lower *l, struct expr *e, struct val *out);
/* ---- lower_c.c ---- */
int lower_c_call(struct lower *l, struct expr *e, struct val *out);
/* `return value` in a function of the script. */
int lower_sub_return(struct lower *l, struct expr *value);

/* ---- lower_guard.c ---- */
/* What guards test, as it is read at the start of the program. */
struct guard_word {
	struct guard guard;
	vreg value;
};
struct guard_words {
	VEC(struct guard_word) list;
};
void lower_guards_read(struct lower *l, const struct program_plan *plan, struct guard_words *words);
/* Building continues where the guard holds (the number; lower_guard_task() is the rest); else `no`. */
void lower_guard_test(struct lower *l, const struct part *part, const struct guard_words *words, uint32_t no);
/* ... and where the current task is not in a mode that gives the number another meaning. */
void lower_guard_task(struct lower *l, const struct part *part, uint32_t no);
/* How many of the first of these parts exclude each other and are worth a search; 1: none. */
uint32_t lower_guard_exclusive(struct lower *l, const struct part *parts, uint32_t n);
/* Branch to the block in bodies[] of the part whose value it is. */
void lower_guard_search(struct lower *l, const struct part *parts, uint32_t n, const struct guard_words *words,
			const uint32_t *bodies, uint32_t no);

/* ---- lower_program.c ---- */
/* One BPF program as planned, into l->f. */
int lower_program(struct lower *l, const struct program_plan *plan, uint32_t index);

#endif
