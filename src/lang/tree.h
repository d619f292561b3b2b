/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tree: a script as it was written (parser), and, after checking, what it means: every expression has
 * its type, every name what it stands for, every clause its units. All of it lives in one arena.
 */
#ifndef SONDE_LANG_TREE_H
#define SONDE_LANG_TREE_H

#include <stdbool.h>

#include "lang/source.h"
#include "lang/type.h"

struct expr;
struct stmt;
struct attach_point; /* lang/probe.h */
struct func_def;     /* lang/func.h */
struct probe_kind;   /* lang/probe.h */

typedef VEC(struct expr *) expr_vec;
typedef VEC(struct stmt *) stmt_vec;

/* A type as written: `struct foo **`, `uint8[4][2]`, `string[64]`, `typeof(e)`. */
struct type_ref {
	struct span span;
	enum { TREF_NAME, TREF_STRUCT, TREF_UNION, TREF_ENUM, TREF_TYPEOF } kind;
	const char *name;       /* "uint64", "foo"; multi-word C names are joined by one space */
	struct expr *of;        /* typeof(expression) */
	struct type_ref *of_type; /* typeof(type) */
	uint32_t pointers;      /* number of * */
	VEC(int64_t) dims;      /* array dimensions, outermost first; -1 for [] */
	const struct type *type; /* resolved by the checker */
};

/* A scratch variable, one per scope in which it is declared (checker). */
struct var {
	const char *name; /* with its $ */
	struct span span;
	const struct type *type;
	struct type_ref *missing; /* it was declared with this type, which there is none of: an error once it is used */
	bool declared, assigned, used;
	bool by_assignment; /* the clause's own text brought it into being, without `let` */
	uint32_t id; /* unique within its unit; the compiler keys its own tables on it */
};

/* A map: shared by all clauses. */
struct map {
	const char *name; /* with its @; "@" alone is the unnamed one */
	struct span span; /* first use, or its declaration */
	const struct type *key;   /* NULL: a scalar map. Several keys make a TY_TUPLE. */
	const struct type *value; /* TY_NONE until known */
	bool key_known;           /* key (also NULL) has been decided */
	const struct expr *key_from; /* a key as it was written, for titles of columns; NULL: none was */
	const char *decl_kind;    /* "hash", "lruhash", ... from a declaration, or NULL */
	int64_t max_entries;      /* 0: the configured default */
	uint32_t id;              /* index into script.maps */
	bool iterated, is_read, is_written;
};

enum expr_kind {
	EX_INT,      /* num */
	EX_STR,      /* str, str_len (escapes are resolved; may hold NULs) */
	EX_BOOL,     /* num 0 or 1 */
	EX_IDENT,    /* name: builtin, macro, enumerator, or a word such as `perf`; the checker turns a
		      * builtin into EX_CALL without arguments and an enumerator into EX_INT */
	EX_PARAM,    /* $1: num. The checker turns it into EX_INT or EX_STR */
	EX_PARAM_COUNT, /* $# -> EX_INT */
	EX_VAR,      /* name; var */
	EX_MAP,      /* name; map; key in `a` or NULL. Several keys: an EX_TUPLE. @x and @x[k] */
	EX_INDEX,    /* a[b] on arrays, pointers, tuples */
	EX_FIELD,    /* a.name or a->name (arrow); field. Tuple members: name is "0" */
	EX_UNARY,    /* op a */
	EX_INCDEC,   /* op is OP_INC or OP_DEC, is_prefix; a is a variable or map */
	EX_BINARY,   /* a op b */
	EX_TERNARY,  /* a ? b : c */
	EX_CAST,     /* (tref)a */
	EX_SIZEOF,   /* tref or a -> EX_INT */
	EX_OFFSETOF, /* tref or a, then path -> EX_INT */
	EX_CALL,     /* name(args); func, or macro/subprogram. is_bare: written without parentheses */
	EX_TUPLE,    /* args */
	EX_RECORD,   /* args, names */
	EX_BLOCK,    /* body, then the value `a` (NULL: none) */
	EX_IF,       /* if a { b } else { c } with block values */
	EX_COMPTIME, /* comptime a */
};

enum op {
	OP_NONE, OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_MOD, OP_AND, OP_OR, OP_XOR, OP_SHL, OP_SHR,
	OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_LAND, OP_LOR,
	OP_NEG, OP_NOT /* ! */, OP_BITNOT /* ~ */, OP_DEREF /* * */, OP_ADDR /* & */, OP_INC, OP_DEC,
};

/* As written: "+", "<<", ... */
const char *op_text(enum op op);

/* Where a macro was called whose body this is from; outer: that call stands in the body of another. */
struct expanded {
	struct span at;
	const struct expanded *outer;
};

struct expr {
	enum expr_kind kind;
	enum op op;
	bool arrow, is_prefix, is_bare, parenthesised;
	bool negative_ok;         /* EX_INT: the literal is signed (result of folding) */
	struct span span;         /* all of it */
	struct span name_span;    /* the name of a call, field, variable */
	const struct expanded *expanded; /* EX_CALL in the body of a macro, else NULL */
	const struct type *type;  /* after checking; never NULL then */
	uint64_t num;
	const char *name;
	const char *str;
	uint32_t str_len;
	struct expr *a, *b, *c;
	expr_vec args;
	VEC(const char *) names;  /* EX_RECORD field names; EX_OFFSETOF path */
	stmt_vec body;
	struct type_ref *tref;
	/* resolved by the checker */
	struct var *var;
	struct map *map;
	const struct field *field; /* EX_FIELD: the member found (its offset is from `a`'s struct) */
	const struct func_def *func;
	struct subprog *sub;       /* EX_CALL of a function of the script's own; func is its def */
	const struct c_function *c_func; /* EX_CALL of a function of an imported object; func is its def */
	const void *data;          /* what a function's check leaves for its emit (a struct format *, ...) */
};

/* What a person would call this value: `pid`, `comm`, the last member of a path, the name of a variable. NULL:
 * it has no name. Belongs to the tree. */
const char *expr_label(const struct expr *e);

enum stmt_kind {
	ST_EXPR,      /* value */
	ST_ASSIGN,    /* target op= value; op OP_NONE for plain =. Target EX_VAR, EX_MAP, or `_` (NULL) */
	ST_LET,       /* let target(EX_VAR)[: tref] [= value] */
	ST_IF,        /* value, body, other */
	ST_WHILE,     /* value, body */
	ST_FOR_MAP,   /* target(EX_VAR) : value(EX_MAP), body */
	ST_FOR_RANGE, /* target(EX_VAR) : from..to, body */
	ST_UNROLL,    /* value, body */
	ST_BREAK, ST_CONTINUE,
	ST_RETURN,    /* value or NULL */
	ST_BLOCK,     /* body */
};

struct stmt {
	enum stmt_kind kind;
	enum op op;
	struct span span;
	struct expr *target, *value, *from, *to;
	struct type_ref *tref;
	stmt_vec body, other; /* an `else if` is one ST_IF in other */
	const void *data;     /* checker's notes for code/ */
};

/* One attach point as written: kind:part:part, before wildcards. */
struct probe_spec {
	struct span span;
	const char *name;            /* of `name=kind:...`, or NULL */
	const char *kind;            /* first part as written */
	VEC(const char *) parts;     /* the rest; quotes are removed, positional parameters put in */
	VEC(struct span) part_spans;
	VEC(bool) part_quoted;       /* a quoted part is never a pattern */
	uint32_t follower;           /* number of the clause that was made to serve it; 0: none */
};

/* One action block as written. */
struct clause {
	struct span span;
	VEC(struct probe_spec *) probes;
	struct expr *pred; /* or NULL */
	stmt_vec body;
	uint32_t index; /* order in the script */
};

struct config_entry {
	struct span span;
	const char *name;
	struct expr *value; /* EX_INT, EX_STR, EX_BOOL or EX_IDENT */
};

struct map_decl {
	struct span span;
	const char *name, *kind;
	struct expr *max_entries;
};

struct param {
	struct span span;
	const char *name; /* "$a", "b" or "@c" */
	struct type_ref *tref; /* subprograms */
};

struct macro {
	struct span span, name_span;
	const char *name;
	struct macro *next_of_name;
	VEC(struct param) params;
	struct expr *body; /* EX_BLOCK */
};

struct subprog {
	struct span span, name_span;
	const char *name;
	VEC(struct param) params;
	struct type_ref *ret;
	stmt_vec body;
	/* after checking */
	struct unit *unit;      /* its variables; belongs to no clause */
	struct func_def *def;   /* what calls of it are checked against */
	VEC(struct var *) args; /* the variables of its parameters */
};

struct import {
	struct span span;
	const char *path;
};

/* A compiled object that is imported: its file as it is, and its types (the contents of .BTF). */
struct c_object {
	const char *path;
	const void *elf, *btf;
	size_t elf_bytes;
	uint32_t btf_bytes;
	const char *license; /* NULL: it names none */
};

/* A function of such an object. */
struct c_function {
	const char *name;
	const struct c_object *object;
	uint32_t proto;         /* the number of its prototype among the object's types */
	const struct type *ret; /* TY_NONE: void */
	VEC(const struct type *) params;
	VEC(const char *) param_names;
	const char *problem;    /* why it cannot be called, or NULL */
	struct func_def *def;   /* what calls of it are checked against */
};

/* C as written at the top: a #directive line, or a struct, union, enum or typedef declaration. The
 * parser keeps its text; meaning comes from lang/cdecl.c. */
struct c_text {
	struct span span;
	bool is_directive;
	bool leaves_out; /* after checking: what stands behind it, up to the next, is left out (#if) */
	const char *text;
};

/*
 * One body checked for one shape of context. A clause whose attach points all offer the same args (or
 * whose body uses none) has one unit; otherwise one per shape, each with a tree of its own.
 */
struct unit {
	struct clause *clause; /* the clone that was checked */
	const struct probe_kind *kind;
	VEC(struct attach_point *) points;
	const struct type *args; /* TY_STRUCT of what `args` offers, or NULL */
	VEC(struct var *) vars;
	uint32_t id;
};

struct script {
	struct arena *arena;
	struct sources *sources;
	/* as written */
	VEC(struct c_text) c_texts;
	VEC(struct config_entry) configs;
	VEC(struct map_decl) map_decls;
	VEC(struct macro *) macros;
	VEC(struct subprog *) subprogs;
	VEC(struct import) imports;
	VEC(struct c_object *) c_objects; /* imported */
	VEC(struct c_function *) c_funcs;
	VEC(struct clause *) clauses;
	const char *shebang; /* or NULL */
	VEC(struct span) comments; /* for the formatter */
	/* after checking */
	VEC(struct map *) maps;
	VEC(struct unit *) units;
};

/* Deep copies (checker: one tree per shape). Resolved members are copied as they are. */
struct expr *expr_clone(struct arena *a, const struct expr *e);
struct stmt *stmt_clone(struct arena *a, const struct stmt *s);
struct clause *clause_clone(struct arena *a, const struct clause *c);

/* Call fn on every expression below (and including) the node, depth first, children before parents. */
typedef void (*expr_visit_fn)(struct expr *e, void *ctx);
void expr_visit(struct expr *e, expr_visit_fn fn, void *ctx);
void stmt_visit(struct stmt *s, expr_visit_fn fn, void *ctx);
void clause_visit(struct clause *c, expr_visit_fn fn, void *ctx);

struct strbuf;
/* Readable dumps, one node per line with its span; with types when they are known. */
void script_dump_ast(const struct script *s, struct strbuf *out);
void script_dump_types(const struct script *s, struct strbuf *out);

struct diags;
/* Parse the source numbered `file` into `script` (which has arena and sources set). 0, or -EINVAL with
 * diagnostics; as much as possible is parsed after an error so that several can be shown at once.
 * Nesting deeper than 500 levels is an error, not a stack overflow. */
int script_parse(struct script *script, uint16_t file, struct diags *d);

#endif
