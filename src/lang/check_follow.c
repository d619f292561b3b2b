/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Follow: probes that are attached to what a function is called with (watchpoint:FUNCTION+arg0:...). The kind says
 * which clause tells the session of each call; it is made here, as if it stood in the script.
 */
#include "lang/check_priv.h"

/* What is wrong with it is shown at the probe that it was made for. */
static void clause_place(struct clause *clause, const struct probe_spec *of)
{
	clause->span = of->span;
	vec_each(spec, &clause->probes) {
		(*spec)->span = of->span;
		vec_each(span, &(*spec)->part_spans)
			*span = of->part_spans.n ? of->part_spans.v[0] : of->span;
	}
}

static int clause_add(struct checker *c, const struct probe_spec *of, const char *text)
{
	struct script part = { .arena = c->arena, .sources = c->script->sources };
	int err = script_parse(&part, source_add(part.sources, "watchpoint", text, strlen(text)), c->diags);

	if (err)
		return err;
	vec_each(clause, &part.clauses) {
		clause_place(*clause, of);
		(*clause)->index = c->script->clauses.n;
		vec_push(c->arena, &c->script->clauses, *clause);
	}
	return 0;
}

int pass_follow(struct checker *c)
{
	uint32_t n = c->script->clauses.n, number = 0;

	for (uint32_t i = 0; i < n; i++)
		vec_each(it, &c->script->clauses.v[i]->probes) {
			const struct probe_kind *k = probe_kind_find(c->env->kinds, (*it)->kind);
			const char *text;
			int err;

			if (!k || !k->follow)
				continue;
			spec_put_params(c, *it);
			text = k->follow(c->env->probe, *it, number + 1);
			if (!text)
				continue;
			(*it)->follower = ++number;
			err = clause_add(c, *it, text);
			if (err)
				return err;
		}
	return 0;
}
