/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plan: which BPF programs a question needs, and what each of them runs for which attach points. */
#ifndef SONDE_CODE_PLAN_H
#define SONDE_CODE_PLAN_H

#include "lang/check.h"

/* A unit's body within a program, run when the guard holds. */
struct part {
	struct unit *unit;
	struct attach_point *point; /* one of those it runs for */
	struct guard guard;
	VEC(uint64_t) values;       /* sorted, each once */
};

struct program_plan {
	const char *name, *section;
	const char *group; /* of its attach points; NULL: not shared between units */
	const struct probe_kind *kind;
	attach_vec points;
	VEC(struct part) parts; /* in order of the script */
};

typedef VEC(struct program_plan *) plan_vec;

/* Units -> programs, in order of the script. */
void plan_make(struct probe_env *env, struct arena *a, const struct script *script, plan_vec *out);

#endif
