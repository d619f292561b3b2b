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
	struct module *module;
	struct symbols *symbols;   /* of all its sessions and views */
	struct resolver resolver;
};

#endif
