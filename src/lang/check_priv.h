/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Check, inside: what the files of the checker share. Nothing outside src/lang/check_*.c (and the few
 * files they are built of: cdecl, config, fold, macro, param) includes this.
 */
#ifndef SONDE_LANG_CHECK_PRIV_H
#define SONDE_LANG_CHECK_PRIV_H

#include <errno.h>
#include <regex.h>

#include "base/strmap.h"
#include "base/util.h"
#include "lang/check.h"

/* Where a map got its key and its value from, for messages. */
struct map_info {
	struct span key_span, value_span;
	bool gathers;    /* assigned an aggregation, whose argument may not have a type yet */
	bool copies_agg; /* assigned from a map that aggregates: only something else can give it a type */
	bool is_assigned; /* with =, not only counted up */
};

/* A constant of C: an enumerator (type is its enum) or a #define of an integer or string. */
struct c_const {
	const char *str; /* or NULL: num */
	uint32_t str_len;
	int64_t num;
	bool is_negative;
	const struct type *type; /* TY_ENUM, or NULL */
};

/* A variable that can be seen. Those of a macro have its number, so that only its own text sees them;
 * EX_VAR.num says which number is meant. */
struct scope_entry {
	struct var *var;
	uint64_t macro; /* 0: not in a macro */
};

struct check_priv {
	VEC(struct scope_entry) scope; /* innermost last */
	VEC(const struct var *) hoisted; /* of the clause being checked: see vars_hoist() */
	VEC(struct span) hoist_warned;   /* where: several units have the same text */
	VEC(struct map_info) maps;  /* by map.id */
	struct strmap map_names;    /* "@x" -> struct map */
	struct strmap macro_names;  /* name -> the first struct macro of that name */
	struct strmap tests;        /* "test:NAME", "bench:NAME" that there are -> struct attach_point */
	bool has_filter;            /* `filter` is compiled */
	bool block_missing;         /* none of the probes of some block exists, and none has to */
	regex_t filter;
	struct strmap cookie_types; /* program types -> may they ask which attach point they run for? */
	const struct probe_kind *left_out; /* a kind that only another mode runs, or NULL */
	struct strmap c_types;      /* "struct foo", "typedef_name" -> struct type */
	struct strmap c_consts;     /* name -> struct c_const */
	const struct expr *agg_ok;  /* the call that stands where an aggregation may */
	uint32_t includes;          /* files read for #include */
	struct headers *headers;    /* of the machine, where one is included (header.h); NULL: none is */
	uint32_t loops;             /* depth of loops around the statement being checked */
	const struct subprog *sub;  /* the function being checked; NULL: a clause */
	uint32_t unreached;         /* inside branches that a constant condition excludes */
	uint32_t meta;              /* inside sizeof, offsetof, typeof: nothing is evaluated */
};

/* ---- passes (check.c lists them in order) ---- */
int pass_imports(struct checker *c);    /* import.c */
int pass_config(struct checker *c);     /* config.c */
int pass_c_texts(struct checker *c);    /* cdecl.c */
int pass_macros(struct checker *c);     /* macro.c */
/* Put what the macro makes of it in place of `e`. 0, or -EINVAL after a diagnostic. */
int macro_apply(struct checker *c, struct expr *e, const struct macro *m);
int pass_ways(struct checker *c);       /* check_way.c */
int pass_follow(struct checker *c);     /* check_follow.c */
int pass_probes(struct checker *c);     /* check_probe.c */
int pass_subprogs(struct checker *c);   /* check_sub.c */
int pass_recursion(struct checker *c);  /* check_sub.c */
int pass_map_decls(struct checker *c);  /* check_map.c */
int pass_types(struct checker *c);      /* check.c */
int pass_maps(struct checker *c);       /* check_map.c */
int pass_named_params(struct checker *c); /* param.c */

/* ---- check_type.c ---- */
/* Is the sign of this integer type only a guess (it comes from a literal, or from a difference of
 * unsigned numbers), so that it adapts to what it is stored with? */
bool type_sign_is_soft(const struct type *t);
/* int64 whose sign is soft: the difference of unsigned numbers. */
extern const struct type type_soft_int64;
/* uint64 whose sign is soft: what is computed from literals alone. */
extern const struct type *const type_soft_uint64;
/* The type a type_ref names, kept in tref->type. 0 or -EINVAL after a diagnostic. */
int check_type_ref(struct checker *c, struct type_ref *tref);
/* Is it a struct that nobody knows? */
bool check_type_missing(struct checker *c, const struct type_ref *tref);
/* Does the name stand for a type (and not for a value)? */
bool type_name_exists(struct checker *c, const char *name);
/* "struct foo" or a typedef by its name, from the script or from the kernel; NULL when unknown. */
const struct type *c_type_find(struct checker *c, const char *name);

/* Does it name an integer, whatever the traced program calls so? */
bool tref_is_integer(const struct type_ref *ref);
/*
 * Make a struct of which only the name is known (what a pointer points to) complete in place, when the
 * script or the kernel know it. Everything that needs its size or its members asks here first.
 */
const struct type *type_known(struct checker *c, const struct type *t);
/* Shown name of a type, in the arena. */
const char *tn(struct checker *c, const struct type *t);
/* Can a map value of this kind be read as an integer? And as which. */
bool type_agg_readable(const struct type *t);
const struct type *type_agg_value(const struct type *t);

/* ---- check_expr.c ---- */
/* check_expr() for a place that needs a value: void calls are refused, readable aggregations become
 * integers (an EX_CAST without tref), unknown types are errors in the last pass. */
int check_value(struct checker *c, struct expr *e);
/* check_value() for a condition: an integer, bool or pointer. `what`: "a condition", "a predicate". */
int check_condition(struct checker *c, struct expr *e, const char *what);
/* Is the expression a call (or a choice of calls) that has no value? */
const struct func_def *expr_void_call(const struct expr *e);
/* The type of an integer operation on x and y. */
const struct type *type_of_arithmetic(enum op op, const struct type *x, const struct type *y);
bool op_is_compare(enum op op);

/* ---- check_access.c: fields, elements, casts, sizes ---- */
/* The type of what is found in memory of this space. */
const struct type *type_in_space(struct checker *c, const struct type *t, enum addr_space space);
int check_field(struct checker *c, struct expr *e);
int check_index(struct checker *c, struct expr *e);
int check_cast(struct checker *c, struct expr *e);
int check_sizeof(struct checker *c, struct expr *e);
int check_offsetof(struct checker *c, struct expr *e);
int check_typeinfo(struct checker *c, struct expr *e);
int check_container_of(struct checker *c, struct expr *e);

/* ---- fold.c ---- */
/* Replace operations on literals by their result. 0, or -EINVAL after a diagnostic (division by zero). */
int fold_unary(struct checker *c, struct expr *e);
int fold_binary(struct checker *c, struct expr *e);
/* The truth of a literal. */
bool literal_is_true(const struct expr *e);
/* `e` becomes what `with` is; its span and parentheses stay. */
void expr_replace(struct expr *e, const struct expr *with);

/* ---- check_call.c ---- */
int check_call(struct checker *c, struct expr *e);
int check_ident(struct checker *c, struct expr *e);

/* ---- check_var.c ---- */
uint32_t scope_enter(struct checker *c);
void scope_leave(struct checker *c, uint32_t mark);
int check_var(struct checker *c, struct expr *e);
/* Declare in front of the clause what it uses outside the blocks in which it was assigned. */
void vars_hoist(struct checker *c, struct clause *clause);
/* The variable an assignment goes to; declared in the innermost scope when it is new. */
struct var *var_assigned(struct checker *c, struct expr *target);
/* A new variable in the innermost scope; an error when the name can be seen already. Sets target->var. */
int var_declare(struct checker *c, struct expr *target);
/* May a value of this type be kept in a variable or map at all? `what`: its name. */
int check_storable(struct checker *c, const struct type *type, const char *what, struct span span);
/* Did a type change in a way that others may depend on? */
bool type_changed(const struct type *old, const struct type *now);
/* Let the variable hold a value of this type too. */
int var_store(struct checker *c, struct var *v, const struct type *type, struct span span);

/* ---- check_stmt.c ---- */
int check_clause(struct checker *c, struct clause *clause);
int check_body(struct checker *c, stmt_vec *body);

/* Statements in a scope of their own. */
int check_scope(struct checker *c, stmt_vec *body);

/* ---- check_sub.c ---- */
/* All functions of the script, as check_clause(). */
void check_subprogs(struct checker *c);
struct subprog *subprog_find(const struct checker *c, const char *name);

/* ---- c_object.c, c_compile.c: what is imported from C ---- */
void c_object_import(struct checker *c, struct span span, const char *path);
void c_object_take(struct checker *c, struct span span, const char *path, const void *elf, size_t bytes);
void c_source_import(struct checker *c, struct span span, const char *path);
const struct c_function *c_function_find(const struct checker *c, const char *name);
int check_sub_return(struct checker *c, struct stmt *s);

/* ---- check_map.c ---- */
int check_map(struct checker *c, struct expr *e);
struct map_info *map_info(struct checker *c, const struct map *m);
/* The key of a map expression, without reading the map. Sets e->map. */
int check_map_place(struct checker *c, struct expr *e);
/* The map as a whole: neither scalar nor keyed use. */
int check_map_whole(struct checker *c, struct expr *e);
/* A name for messages: "@x is keyed by int64 since 3:5". */
const char *span_text(struct checker *c, struct span span);
/* Nothing more is learned: maps that are only made from themselves (@x++, @x = @x + 1) become int64.
 * True: something changed. */
bool maps_settle(struct checker *c);

/* ---- cdecl_file.c ---- */
/* A small file as text in the arena, NUL-terminated. 0 or a negative errno; nothing is reported. */
int file_text(struct arena *a, const char *path, const char **text, size_t *len);

/* ---- param.c ---- */
/* $N and $# become literals. */
int check_param(struct checker *c, struct expr *e);
/* The text of parameter n (from 1); NULL when it was not given. */
const char *param_text(const struct checker *c, uint64_t n);
/* An integer that came from a parameter becomes its text. False: it did not. */
bool param_to_string(struct checker *c, struct expr *e);
/* What is left out by `if comptime` reads its parameters all the same: they are not unexpected. */
void params_mark_expr(struct checker *c, struct expr *e);
void params_mark_stmts(struct checker *c, const stmt_vec *body);

/* ---- check_point.c ---- */
/* Can one body find out for which of the two it runs? */
bool points_told_apart(struct checker *c, const struct attach_point *x, const struct attach_point *y);
/* Give the points of a unit the numbers by which it is told. */
void points_number(struct checker *c, struct unit *u);

/* ---- check_probe.c ---- */

/* Puts the parameters of the command line into a probe's name. */
void spec_put_params(struct checker *c, struct probe_spec *spec);
/* Is `name` (arg0, retval, args, func) offered by the kind of the present unit? An error otherwise. */
int check_offered(struct checker *c, const char *name, struct span span);

/* ---- check_alike.c ---- */
/* Are the args of two attach points read in the same way? */
bool args_alike(const struct type *x, const struct type *y);
/* Only those of arg0, arg1, ... (1 << number) that the body reads. */
bool argn_alike(const struct type *x, const struct type *y, uint32_t argn);

#endif
