/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of what a program attaches to, and of the kinds of probes there are. */
#include <errno.h>

#include "api/api.h"
#include "probe/kinds.h"

typedef int (*probe_fn)(void *ctx, const char *probe, const char *args);

static int point_list(struct sonde_question *q, struct attach_point *ap, bool verbose, probe_fn fn, void *ctx)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (!verbose)
		return fn(ctx, ap->name, NULL);
	/* A probe whose arguments cannot be found out is shown without them. */
	if (ap->args || (ap->kind->args && !ap->kind->args(&q->probe, ap)))
		args_text(ap->kind, ap->args, q->arena, &text);
	return fn(ctx, ap->name, text.s);
}

static int points_list(struct sonde_question *q, bool verbose, probe_fn fn, void *ctx)
{
	int err = 0;

	vec_each(u, &q->script.units)
		for (uint32_t i = 0; !err && i < (*u)->points.n; i++)
			err = point_list(q, (*u)->points.v[i], verbose, fn, ctx);
	return err;
}

static int points_list_guarded(struct sonde_question *q, bool verbose, probe_fn fn, void *ctx)
{
	if (setjmp(*arena_guard(q->arena)))
		return report_error(&q->relay.reporter, -ENOMEM, NULL, "no memory to list the probes");
	return points_list(q, verbose, fn, ctx);
}

int sonde_list_program(const char *source, const struct sonde_compile_options *o, bool verbose, probe_fn fn, void *ctx)
{
	struct sonde_question *q;
	int err = question_make(source, o, true, &q);

	if (err)
		return err;
	err = points_list_guarded(q, verbose, fn, ctx);
	sonde_question_free(q);
	return err;
}

int sonde_list_kinds(int (*fn)(void *ctx, const char *name, const char *forms, const char *summary), void *ctx)
{
	int err = 0;

	for (size_t i = 0; !err && probe_kinds[i]; i++)
		err = fn(ctx, probe_kinds[i]->name, probe_kinds[i]->forms, probe_kinds[i]->summary);
	return err;
}
