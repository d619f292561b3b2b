/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Check: from the tree as written to the typed tree. script_check() is the list of passes; the rest of
 * this header is what functions (lang/func.h) use in their check().
 */
#ifndef SONDE_LANG_CHECK_H
#define SONDE_LANG_CHECK_H

#include "lang/diag.h"
#include "lang/func.h"
#include "lang/probe.h"
#include "lang/tree.h"

/* Configuration that a script, the environment or the command line can set (see config.c's table). */
struct config {
	uint32_t max_strlen;      /* bytes; 1024 */
	uint32_t max_map_keys;    /* 4096 */
	uint32_t max_probes;      /* 1024 */
	uint32_t max_bpf_progs;   /* 1024 */
	uint32_t on_stack_limit;  /* bytes; 32 */
	uint32_t perf_rb_pages;   /* 0: choose by memory */
	uint32_t max_cat_bytes;   /* 10240 */
	enum { MISSING_ERROR, MISSING_WARN, MISSING_IGNORE } missing_probes;
	bool print_maps_on_exit;
	const char *str_trunc_trailer; /* ".." */
	const char *license;           /* "GPL" */
	const char *stack_mode;        /* "bpftrace" */
	bool cpp_demangle, lazy_symbolication, show_debug_info;
	const char *cache_user_symbols; /* "PER_PID" or as set */
	uint32_t log_size;
	uint64_t locked; /* variables (bits by place in config.c's table) that the script may not change:
			  * the environment or the command line has set them */
};

/* Every variable at its default; then what the environment says (BPFTRACE_X and SONDE_X). 0, or -EINVAL
 * after a report. The texts are copied into `a`. */
void config_defaults(struct config *cfg);
int config_environment(struct config *cfg, struct arena *a, const struct reporter *r);
/* Is it one of the licenses that the kernel takes for compatible with its own? */
bool config_license_known(const char *license);
/* Set one variable from text, as the command line or a caller does; the script cannot override it.
 * The name may be "max_strlen", "MAX_STRLEN", "BPFTRACE_MAX_STRLEN" or "SONDE_MAX_STRLEN". */
int config_set(struct config *cfg, struct arena *a, const char *name, const char *value,
	       const struct reporter *r);
/* The name of variable i, NULL behind the last; and its value as a literal: false for one that has no effect. */
const char *config_name(uint32_t i);
bool config_value(struct checker *c, uint32_t i, struct expr *e);

/* A named parameter: --name=value after `--`. */
struct named_param {
	const char *name, *value; /* value NULL: given without = */
	bool used;
};

/* What the question is checked against. */
struct check_env {
	const struct probe_kind *const *kinds;      /* NULL-terminated */
	const struct func_def *const *families;     /* NULL-terminated */
	struct probe_env *probe;
	const char *const *params;                  /* positional parameters */
	uint32_t nparams;
	struct named_param *named;
	uint32_t nnamed;
	int32_t child_pid;                          /* process started for the question (-c); 0: none */
	bool unsafe;
	bool helper_errors; /* tell where a helper of the kernel failed (-k) */
	bool test_mode, bench_mode;
	bool probes_only;                           /* what the script does is not looked at */
	const char *probe_filter;                   /* extended regular expression, or NULL */
	const char *const *ways;                    /* each: probes separated by blanks (check_way.c) */
	uint32_t nways;
	const char *const *include_dirs;            /* where headers and imported scripts are looked for too */
	uint32_t ninclude_dirs;
	/* The text of a script that is imported by this path and need not be a file, or NULL. May itself be NULL. */
	const char *(*import_text)(void *ctx, const char *path);
	void *import_ctx;
	const char *const *includes;                /* headers included before all others */
	uint32_t nincludes;
	struct config config;                       /* defaults and environment; the script's block adds */
	/* The kernel's type of this name ("struct task_struct", "size_t"), or NULL. May itself be NULL:
	 * then only the script's own declarations are known. */
	const struct type *(*struct_type)(void *ctx, const char *name);
	void *struct_type_ctx;
	/* The kernel's enum that has an enumerator of this name, and its value; NULL: none. May be NULL. */
	const struct type *(*enumerator)(void *ctx, const char *name, int64_t *value);
};

/* A named parameter and the default that a getopt() gave it (NULL: none, a bool). */
struct param_use {
	const char *name;
	const struct expr *def;
	const char *description; /* or NULL */
	struct param_use *next;
};

struct checker {
	struct arena *arena;
	struct script *script;
	struct diags *diags;
	struct check_env *env;
	struct unit *unit;     /* being checked */
	bool last_pass;        /* types no longer change: what is still unknown is an error now */
	bool changed;          /* this pass learned something: go round again */
	struct param_use *params_used; /* getopt() calls so far, newest first */
	struct check_priv *priv;
};

/* The passes: config, C declarations, macros, expansion of probes, types to a fixed point, maps, unused
 * and unsafe. 0, or -EINVAL with diagnostics, or another errno after a report (no tracefs, ...). */
int script_check(struct script *script, struct check_env *env, struct diags *d);

/* ---- for the check() of functions ---- */

/* Check an expression and give it its type. 0 or a negative errno after a diagnostic. */
int check_expr(struct checker *c, struct expr *e);
/* The smallest type that holds the values of both; NULL when there is none. TY_NONE holds nothing. */
const struct type *type_promote(struct arena *a, const struct type *x, const struct type *y);

/* As diag_error(). */
int check_error(struct checker *c, struct span span, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Argument i must be an integer (or bool, enum) / pointer or integer / string. `name` is the function.
 * TY_NONE is accepted while types settle. 0 or -EINVAL. */
int check_arg_int(struct checker *c, const struct expr *call, uint32_t i);
int check_arg_address(struct checker *c, const struct expr *call, uint32_t i);
int check_arg_string(struct checker *c, const struct expr *call, uint32_t i);
/* Argument i must be a literal (after folding): sets *value, or *text. */
int check_arg_literal_int(struct checker *c, const struct expr *call, uint32_t i, int64_t *value);
int check_arg_literal_string(struct checker *c, const struct expr *call, uint32_t i, const char **text);
/* Argument i must be a map as a whole; sets *map. With `keyed`, a scalar map is refused. */
int check_arg_map(struct checker *c, const struct expr *call, uint32_t i, bool keyed, struct map **map);
/* Argument i must be a variable, which the function gives a value of this type (TY_NONE: not known yet). */
int check_arg_out(struct checker *c, const struct expr *call, uint32_t i, const struct type *type);
/* For FUNC_LAZY_ARGS: an argument that names a whole map, as check_arg_map() then wants it. */
int check_arg_whole_map(struct checker *c, struct expr *e);
/* Check an expression whose value is needed. */
int check_arg_value(struct checker *c, struct expr *e);
/* Unify the type of a map's key or value with what is used; grows integers and strings, reports a
 * mismatch at `span`. key NULL: used without a key. 0 or -EINVAL. */
int check_map_key(struct checker *c, struct map *m, const struct type *key, struct span span);
int check_map_value(struct checker *c, struct map *m, const struct type *value, struct span span);
/* Can what is being checked run? Not where a constant condition excludes it. */
bool check_is_reached(const struct checker *c);
/* Is the expression known to be constant (EX_INT, EX_BOOL, EX_STR)? */
bool expr_is_literal(const struct expr *e);
/* Compile argument `first` (a literal) as a format and check the arguments after it; the struct format
 * is left in call->data. For printf and everything that formats as it does. */
int check_format_call(struct checker *c, struct expr *call, uint32_t first);
/* Turn a call into the integer or string constant it always is. */
void expr_become_int(struct expr *e, int64_t value, bool is_signed);
void expr_become_string(struct arena *a, struct expr *e, const char *text, uint32_t len);
/* The integer type of the smallest size that holds value. */
const struct type *type_of_literal(uint64_t num, bool negative_ok);

/* The type of the program that serves it, as the kernel names it. Raw tracepoints serve other kinds too: how a point is
 * attached tells, not its kind. */
const char *point_program_type(const struct attach_point *ap);

#endif
