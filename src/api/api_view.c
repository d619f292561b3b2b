/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Views, for the caller. */
#include <errno.h>

#include "api/api.h"
#include "api/record.h"
#include "view/pitch.h"

struct sonde_view {
	struct view v;
	struct relay relay;
	bool line_buffered;
};

static int check_range(const struct reporter *r, const char *text)
{
	struct pitch_range range;
	const char *problem;

	if (pitch_range_parse(text, &range, &problem))
		return 0;
	return report_error(r, -EDOM, "for example --range -90:-30,220:1760", "--range %s: %s", text, problem);
}

int sonde_view_open(const char *name, const struct sonde_question *q, const struct sonde_view_options *o,
		    struct sonde_view **out)
{
	const struct view_def *def = view_find(name);
	struct sonde_view_options options;
	struct sonde_view *v;
	int err;

	if (!def)
		return -EINVAL;
	options_copy(&options, sizeof(options), o);
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	relay_init(&v->relay, options.message, options.message_ctx);
	err = check_range(&v->relay.reporter, options.range);
	err = err ? err : view_open(&v->v, def, options.fd);
	if (err) {
		free(v);
		return err;
	}
	v->v.reporter = &v->relay.reporter;
	v->v.title = options.title;
	v->v.range = options.range;
	v->v.file = options.file;
	v->v.module = q ? q->module : NULL;
	v->v.resolver = q ? &q->resolver : NULL;
	v->v.colour = options.colour;
	v->v.quiet_attach = options.quiet;
	v->v.columns_spec = options.columns;
	v->v.only_attach = options.only_attach;
	v->line_buffered = options.line_buffered;
	*out = v;
	return 0;
}

int sonde_view_record(struct sonde_view *v, const struct sonde_record *r)
{
	int err = view_record(&v->v, r->rec);

	return err || !v->line_buffered ? err : view_flush(&v->v);
}

int sonde_view_flush(struct sonde_view *v)
{
	return view_flush(&v->v);
}

int sonde_view_close(struct sonde_view *v)
{
	int err;

	if (!v)
		return 0;
	err = view_close(&v->v);
	free(v);
	return err;
}

const char *const *sonde_view_names(void)
{
	static const char *names[16];

	for (size_t i = 0; views[i] && i + 1 < ARRAY_SIZE(names); i++)
		names[i] = views[i]->name;
	return names;
}

const char *sonde_view_for_file(const char *path)
{
	const struct view_def *def = view_find_file(path);

	return def ? def->name : NULL;
}

bool sonde_view_takes_file(const char *name, const char *path)
{
	const struct view_def *def = view_find(name);

	return def && view_takes_file(def, path);
}

const char *sonde_view_player(const char *name)
{
	const struct view_def *def = view_find(name);

	return def ? def->player : NULL;
}

const char *sonde_view_for_question(const struct sonde_question *q, const char *path)
{
	const struct view_def *def = view_for_program(q->module, path);

	return def ? def->name : NULL;
}

bool sonde_view_is_picture(const char *name, const char *path)
{
	const struct view_def *def = view_find(name);

	return def && view_is_picture(def, path);
}

bool sonde_view_stands(const struct sonde_view *v)
{
	return v->v.def->stands && v->v.def->stands(&v->v);
}

void sonde_view_leave(struct sonde_view *v)
{
	if (v->v.def->leave)
		v->v.def->leave(&v->v);
}

bool sonde_view_takes(const struct sonde_view *v, const struct sonde_record *r)
{
	return !v->v.def->takes || v->v.def->takes(&v->v, r->rec);
}

bool sonde_view_shows_losses(const char *name)
{
	const struct view_def *def = view_find(name);

	return def && def->for_programs;
}

int sonde_list_views(int (*fn)(void *ctx, const char *name, const char *summary), void *ctx)
{
	int r = 0;

	for (size_t i = 0; !r && views[i]; i++)
		r = fn(ctx, views[i]->name, views[i]->summary);
	return r;
}
