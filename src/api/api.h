/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Api: what the files behind include/sonde.h share. */
#ifndef SONDE_API_API_H
#define SONDE_API_API_H

#include "base/report.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "code/module.h"
#include "kernel/kernel.h"
#include "lang/check.h"
#include "sonde.h"
#include "symbol/symbol.h"
#include "view/view.h"

/* From the library's reporter to the caller's function. */
struct relay {
	sonde_message_fn fn; /* may be NULL */
	void *ctx;
	struct reporter reporter;
};

void relay_init(struct relay *r, sonde_message_fn fn, void *ctx);

/*
 * A caller's options in the layout of this library: as many bytes as the caller knows of, the rest zero.
 * `o` may be NULL.
 */
void options_copy(void *to, size_t to_bytes, const void *o);

struct sonde_question {
	struct arena *arena;   /* all of it but the module's ELF file and the kernel */
	struct relay relay;    /* of the compile options; of the last session that was opened */
	struct kernel *kernel;
	struct sources sources;
	struct script script;
	struct diags diags;
	struct probe_env probe;
	struct check_env env;
	struct module *module; /* NULL with probes_only */
	bool probes_only;      /* checked only as far as its attach points are known */
	struct symbols *symbols;   /* of all its sessions and views */
	struct resolver resolver;
};

/* sonde_compile(), with probes_only not further than to the attach points in script.units. */
int question_make(const char *source, const struct sonde_compile_options *o, bool probes_only,
		  struct sonde_question **out);
/* The arguments of a probe, a line each: "    int32 pid". */
void args_text(const struct probe_kind *kind, const struct type *args, struct arena *a, struct strbuf *out);
/* "struct NAME", "union NAME", "enum NAME", where NAME may be a pattern: call fn for each type of the kernel
 * that matches; with `verbose`, with its definition in C. *found counts them. */
int types_list(struct kernel *k, const struct reporter *r, const char *pattern, bool verbose,
	       int (*fn)(void *ctx, const char *probe, const char *args), void *ctx, size_t *found);
/* Does the pattern ask for types? */
bool is_type_pattern(const char *pattern);

#endif
