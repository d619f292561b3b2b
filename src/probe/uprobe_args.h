/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What debugging information says at an attach point in a program: its target is the file, its number the
 * place in the file. */
#ifndef SONDE_PROBE_UPROBE_ARGS_H
#define SONDE_PROBE_UPROBE_ARGS_H

#include "probe/uprobe_spec.h"

/* args() of uprobe: the parameters of the function. */
int uprobe_args(struct probe_env *env, struct attach_point *ap);
/* args() of uretprobe: `retval` with its type, when that is known. */
int uretprobe_args(struct probe_env *env, struct attach_point *ap);
/* type() of both. */
const struct type *uprobe_type(struct probe_env *env, const struct attach_point *ap, const char *name);

/* A place in a program, by FILE:LINE. */
typedef VEC(uint64_t) place_vec;

/* The addresses (virtual) in the program at `path` where the statement of the spec's FILE:LINE[:COLUMN] begins, one
 * for each copy of it. 0, or a negative errno after a diagnostic. */
int uprobe_line_places(struct probe_env *env, const struct uprobe_spec *u, const char *path, place_vec *out);
/* Those of copies of a function that have been inlined into others; none without debugging information. */
int uprobe_inlined_places(struct probe_env *env, const char *path, const char *function, place_vec *out);

#endif
