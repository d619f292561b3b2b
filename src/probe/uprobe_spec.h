/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uprobe_spec: what the parts of a uprobe mean. */
#ifndef SONDE_PROBE_UPROBE_SPEC_H
#define SONDE_PROBE_UPROBE_SPEC_H

#include "lang/probe.h"

#define PART_NONE UINT32_MAX

struct uprobe_spec {
	const struct probe_spec *spec; /* as written, but for `source` */
	uint32_t path_part;   /* PART_NONE: the program of -p */
	uint32_t name_part;
	const char *lang;     /* "cpp": names are those of the source; NULL: as the linker has them */
	const char *name;     /* of the function, without its offset; NULL: an address or a line */
	bool is_pattern;      /* the name is one */
	bool has_offset, has_address;
	uint64_t offset, address;
	/* FILE:LINE[:COLUMN] */
	const char *source;   /* what stands behind the '@', of a path part that is now without it; NULL: none */
	uint32_t line, column;
};

/* 0, or -EINVAL after a diagnostic. */
int uprobe_spec_parse(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
		      struct uprobe_spec *out);
/* "cpp" or "rust" when the text is one of these, else NULL. */
const char *uprobe_language(const char *text);
/* A whole number, decimal or hexadecimal with 0x. */
bool uprobe_number(const char *text, uint64_t *value);

#endif
