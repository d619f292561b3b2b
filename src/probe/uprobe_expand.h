/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uprobe_expand: what uprobe and uretprobe have in common: their attach points, their listing, attaching. */
#ifndef SONDE_PROBE_UPROBE_EXPAND_H
#define SONDE_PROBE_UPROBE_EXPAND_H

#include "probe/binary.h"
#include "probe/uprobe_spec.h"

/* attach_point.priv of both kinds; its target is the path, and its number the first of the offsets. */
struct uprobe_point {
	struct attach_point *point;
	struct binary *binary; /* while compiling */
	const char *path;
	uint64_t address;      /* of the first place, in the file's own addresses */
	VEC(uint64_t) offsets; /* in the file: of every function that has the name */
	bool optional;         /* a pattern found it */
};

int uprobe_expand(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec, attach_vec *out);
int uprobe_list(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
		int (*fn)(const char *name, void *ctx), void *ctx);
int uprobe_attach_points(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
			 uint32_t npoints, bool is_return, link_vec *links);

/* kind->symbol. */
int uprobe_symbol(struct probe_env *env, const struct attach_point *ap, struct span span, const char *name,
		  struct probe_symbol *out);
int uretprobe_symbol(struct probe_env *env, const struct attach_point *ap, struct span span, const char *name,
		     struct probe_symbol *out);

/* The functions of a file that the spec names, sorted by name when they are as the linker has them. */
void uprobe_match(struct probe_env *env, const struct uprobe_spec *u, struct binary *b, symbol_vec *found);
/* Call fn for the functions that have a name of C++ or Rust (of `lang`, unless NULL) with `plain` filled in, until
 * it returns false. */
void uprobe_each_plain(struct probe_env *env, struct binary *b, const char *lang,
		       bool (*fn)(struct binary_symbol *f, void *ctx), void *ctx);
/* Does the spec mean a function whose name was written like this? */
bool uprobe_plain_matches(struct arena *a, const struct uprobe_spec *u, const char *plain);

/* Say why a file has no function of this name. -ENOENT. */
int uprobe_missing(struct probe_env *env, const struct uprobe_spec *u, struct binary *b);
/* May a program be attached `offset` bytes behind the beginning of a function (at an address of none: NULL)?
 * 0, or -EINVAL after a diagnostic. */
int uprobe_place_check(struct probe_env *env, const struct uprobe_spec *u, const struct binary *b,
		       const struct binary_symbol *f, uint64_t offset);

#endif
