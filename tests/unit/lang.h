/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lang: a script parsed for a test, with everything in one arena. */
#ifndef SONDE_TEST_LANG_H
#define SONDE_TEST_LANG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "lang/diag.h"
#include "lang/tree.h"

struct parsed {
	struct arena *arena;
	struct sources sources;
	struct script script;
	struct diags diags;
	int err;
};

static inline void parsed_begin(struct parsed *p)
{
	memset(p, 0, sizeof(*p));
	p->arena = arena_new();
	assert_non_null(p->arena);
	p->sources.arena = p->arena;
	p->script = (struct script){ .arena = p->arena, .sources = &p->sources };
	p->diags = (struct diags){ .arena = p->arena, .sources = &p->sources };
}

static inline void parse_bytes(struct parsed *p, const char *text, size_t len)
{
	parsed_begin(p);
	p->err = script_parse(&p->script, source_add(&p->sources, "t.bt", text, len), &p->diags);
}

static inline void parse_text(struct parsed *p, const char *text)
{
	parse_bytes(p, text, strlen(text));
}

static inline void parsed_end(struct parsed *p)
{
	arena_free(p->arena);
}

#endif
