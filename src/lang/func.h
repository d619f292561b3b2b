/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Func: a function or builtin of the language. One entry of a table in the file of its family
 * (src/code/func/FAMILY.c) says all of it: its name, what it takes, what it checks, what it emits and,
 * for an asynchronous one, what happens when its event arrives. Nothing else knows it by name.
 */
#ifndef SONDE_LANG_FUNC_H
#define SONDE_LANG_FUNC_H

#include "lang/tree.h"

struct checker;  /* lang/check.h */
struct lower;    /* code/lower.h */
struct val;      /* code/lower.h */
struct act;      /* code/site.h */
struct site;     /* code/site.h */

enum func_flag {
	FUNC_BARE = 1,      /* may be written without parentheses: pid */
	FUNC_UNSAFE = 2,    /* needs --unsafe */
	FUNC_ASYNC = 4,     /* sends an event; has act */
	FUNC_AGGREGATE = 8, /* only as the value assigned to a map: @ = count() */
	FUNC_VOID = 16,     /* has no value */
	FUNC_PURE = 32,     /* same arguments, same value within one run of the program: may be reused */
	FUNC_MAP_ARG = 64,  /* its first argument may be a whole map (@x without key) */
	FUNC_CONTEXT = 512, /* what it gives depends on how the program is attached: kstack */
	FUNC_OBJECT = 16384, /* takes an object of the kernel: the verifier must know what the context points to */
	FUNC_KFUNC = 32768, /* with arguments it calls a function of the kernel that not all types of programs may call */
	FUNC_STAYS = 256,   /* asynchronous, but does without the session where that is gone (attach_point.stays) */
	FUNC_OWN_POINT = 1024, /* check() asks the attach point: a body that uses it is made for each of them */
	FUNC_LEAVES = 4096, /* what stands behind it is not reached */
	FUNC_HIDDEN = 2048, /* for clauses that the checker makes: no list shows it */
	FUNC_FAULT = 8192, /* nobody calls it: its event says that something went wrong while a program ran */
	FUNC_LAZY_ARGS = 128, /* check() checks the arguments itself (names that are not values: kstack(perf)) */
};

#define FUNC_ANY_ARGS 255

struct func_def {
	const char *name;
	const char *const *aliases; /* NULL-terminated, or NULL */
	const char *signature;      /* "printf(string format, ...)": shown in errors and help */
	const char *summary;        /* one line, ours, for help and the reference */
	uint8_t min_args, max_args; /* FUNC_ANY_ARGS: no upper limit */
	uint32_t flags;
	/* The type of its value when it never varies; else NULL and check() sets call->type. */
	const struct type *type;
	/*
	 * Arguments are checked (unless FUNC_LAZY_ARGS) and counted before. Sets call->type, may leave
	 * notes in call->data. May be called more than once per call (types of maps settle over several
	 * passes): TY_NONE in an argument means "not known yet", then set call->type to &type_none and
	 * return 0. Returns 0 or the result of check_error(). NULL: nothing to check.
	 */
	int (*check)(struct checker *c, struct expr *call);
	/* Emit code; *out is the value (untouched for FUNC_VOID). Returns 0, or a negative errno after a
	 * diagnostic. */
	int (*emit)(struct lower *l, struct expr *call, struct val *out);
	/* FUNC_AGGREGATE instead: bring this CPU's value, in local memory, up to date. `v` is the first argument. */
	void (*gather)(struct lower *l, const struct expr *call, uint32_t v, const struct val *value);
	/* What gather() makes of a value of zeros, when that is no more than words: 'v' is v, '1' is 1. Or NULL. */
	const char *first;
	/* FUNC_ASYNC: its event has arrived. `data` is the payload as its emit laid it out (site->payload).
	 * Returns 0 or a negative errno after a report. */
	int (*act)(const struct act *act, const struct site *site, const uint8_t *data, uint32_t len);
};

/* A family: its entries, ended by one without a name. */
typedef const struct func_def func_family[];

/* The entry for `name` in a NULL-terminated table of families; NULL when there is none. */
const struct func_def *func_find(const struct func_def *const *families, const char *name);

#endif
