/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lint: the table of checks, and what they share. */
#include "udev/lint.h"

#include "base/util.h"

const struct udev_check udev_checks[] = {
	{ "lost", "what a rule gives a device at \"add\" is lost at an event that comes later",
	  lint_lost },
	{ "late-tag", "a tag comes after the last rule that looks at it", lint_late_tag },
	{ "clears", "\"=\" drops what earlier rules have added", lint_clears },
	{ "gone", "a rule for \"remove\" reads what is not there any more", lint_gone },
	{ "two-parents", "matches of parents can never hold for one and the same",
	  lint_two_parents },
	{ "writes", "\"=\" writes to an attribute where \"==\" was meant", lint_writes },
	{ "shell", "a command needs a shell, and none is started", lint_shell },
	{ NULL, NULL, NULL },
};

struct udev_finding *lint_finding(struct arena *a, struct udev_lint *l, const struct udev_check *c,
				  const struct udev_rule *at,
				  bool *is_new)
{
	struct udev_finding *f;

	vec_each(old, &l->findings)
		if ((*old)->check == c && (*old)->rule == at) {
			if (is_new)
				*is_new = false;
			return *old;
		}
	f = arena_new_of(a, struct udev_finding);
	f->check = c;
	f->rule = at;
	f->severity = UDEV_WARNING;
	vec_push(a, &l->findings, f);
	if (is_new)
		*is_new = true;
	return f;
}

void lint_replay(struct arena *a, struct udev_finding *f, const char *event, const char *text)
{
	struct udev_replay r = { event, text };

	vec_push(a, &f->replays, r);
}

void lint_fix(struct arena *a, struct udev_finding *f, const struct udev_rule *rule,
	      const char *text)
{
	struct udev_fix fix = { rule, text };

	vec_push(a, &f->fixes, fix);
}

const char *lint_device_text(struct arena *a, const struct udev_device *d)
{
	struct strbuf b = STRBUF_INIT;
	const char *text;

	udev_device_text(d, &b);
	text = b.failed ? "?" : arena_strndup(a, b.s, b.len);
	strbuf_free(&b);
	return text;
}

/* The token that stands in the text behind `begin`; NULL: none. */
static const struct udev_token *next_token(const struct udev_rule *rule, uint32_t begin)
{
	const struct udev_token *next = NULL;

	vec_each(t, &rule->tokens)
		if (t->begin >= begin && (!next || t->begin < next->begin))
			next = t;
	return next;
}

const char *lint_without(struct arena *a, const struct udev_rule *rule,
			 bool (*drop)(const struct udev_token *t, void *ctx), void *ctx)
{
	const char *out = NULL;

	for (const struct udev_token *t = next_token(rule, 0); t; t = next_token(rule, t->end)) {
		if (drop(t, ctx))
			continue;
		out = arena_printf(a, "%s%s%.*s", out ? out : "", out ? ", " : "",
				   (int)(t->end - t->begin), rule->text + t->begin);
	}
	return out;
}

const char *lint_with(struct arena *a, const struct udev_rule *rule, const struct udev_token *t,
		      const char *text)
{
	return arena_printf(a, "%.*s%s%s", (int)t->begin, rule->text, text, rule->text + t->end);
}

static const char *fixed_text(const struct udev_finding *f, const struct udev_rule *rule)
{
	vec_each(fix, &f->fixes)
		if (fix->rule == rule)
			return fix->text;
	return rule->text;
}

struct chars {
	char *v;
	uint32_t n, cap;
};

static void add_text(struct arena *a, struct chars *out, const char *text)
{
	for (; *text; text++)
		vec_push(a, out, *text);
	vec_push(a, out, '\n');
}

static void read_fixed(struct arena *a, struct udev_rules *to, const struct udev_file *file,
		       const struct udev_finding *f)
{
	struct chars text = { 0 };

	vec_each(rule, &file->rules)
		add_text(a, &text, fixed_text(f, *rule));
	udev_rules_parse(a, to, file->path, text.v, text.n, file->context);
}

struct udev_rules *lint_fixed_rules(struct arena *a, const struct udev_rules *r,
				    const struct udev_finding *f)
{
	struct udev_rules *to = arena_new_of(a, struct udev_rules);

	vec_each(file, &r->files) {
		if (f->fixes.n && *file == f->fixes.v[0].rule->file)
			read_fixed(a, to, *file, f);
		else
			vec_push(a, &to->files, *file);
	}
	return to;
}

static void judge_file(struct arena *a, struct udev_lint *l, const struct udev_file *file)
{
	for (uint32_t i = 0; i < file->rules.n; i++) {
		l->judged++;
		for (const struct udev_check *c = udev_checks; c->name; c++)
			c->run(a, l, c, file->rules.v[i]);
	}
}

void udev_lint(struct arena *a, const struct udev_rules *r, struct udev_lint *out)
{
	*out = (struct udev_lint){ .rules = r };
	for (uint32_t i = 0; i < r->files.n; i++)
		if (!r->files.v[i]->context)
			judge_file(a, out, r->files.v[i]);
	lint_lost_finish(a, out);
}
