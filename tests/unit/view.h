/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of views share: cmocka, and a view that writes nowhere and keeps what it made. */
#ifndef SONDE_TEST_VIEW_H
#define SONDE_TEST_VIEW_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "view/view.h"

struct fixture {
	struct arena *arena;
	struct module module;
	struct script script;
	struct sources sources;
	struct diags diags;
	struct view v;
};

static inline void fixture_open(struct fixture *f, const char *view)
{
	memset(f, 0, sizeof(*f));
	f->arena = arena_new();
	assert_non_null(f->arena);
	f->sources.arena = f->diags.arena = f->arena;
	f->script.sources = &f->sources;
	f->diags.sources = &f->sources;
	f->module.script = &f->script;
	f->module.config.str_trunc_trailer = "..";
	assert_int_equal(view_open(&f->v, view_find(view), -1), 0);
	f->v.module = &f->module;
}

static inline void fixture_close(struct fixture *f)
{
	view_close(&f->v);
	arena_free(f->arena);
}

/* What the view made since the last call. */
static inline void expect_shown(struct fixture *f, const char *text)
{
	assert_string_equal(f->v.out.s, text);
	strbuf_reset(&f->v.out);
}

static inline void show(struct fixture *f, const struct record *rec, const char *text)
{
	assert_int_equal(view_record(&f->v, rec), 0);
	expect_shown(f, text);
}

#endif
