/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Check: the passes from the tree as it was written to the typed tree, in their order.
 */
#include "lang/check_priv.h"

int check_error(struct checker *c, struct span span, const char *fmt, ...)
{
	va_list ap;
	const char *text;

	va_start(ap, fmt);
	text = arena_vprintf(c->arena, fmt, ap);
	va_end(ap);
	return diag_error(c->diags, span, "%s", text);
}

static int check_units(struct checker *c)
{
	check_subprogs(c);
	vec_each(it, &c->script->units) {
		c->unit = *it;
		check_clause(c, (*it)->clause);
	}
	c->unit = NULL;
	return c->diags->nerrors ? -EINVAL : 0;
}

/* Types only ever grow, so few rounds are enough; the limit is for what cannot be thought of. */
#define MOST_ROUNDS 64

int pass_types(struct checker *c)
{
	int err = 0;

	for (uint32_t round = 0; !err && round < MOST_ROUNDS; round++) {
		c->changed = false;
		err = check_units(c);
		if (!c->changed && !maps_settle(c))
			break;
	}
	c->last_pass = true;
	c->changed = true;
	for (uint32_t round = 0; !err && c->changed && round < MOST_ROUNDS; round++) {
		c->changed = false;
		err = check_units(c);
	}
	return err;
}

static int (*const passes[])(struct checker *) = {
	pass_imports,
	pass_config,
	pass_c_texts,
	pass_map_decls,
	pass_macros,
	pass_ways,
	pass_follow,
	pass_probes,
	pass_subprogs,
	pass_types,
	pass_recursion,
	pass_maps,
	pass_named_params,
};

int script_check(struct script *script, struct check_env *env, struct diags *d)
{
	struct check_priv priv = { 0 };
	struct checker c = {
		.arena = script->arena, .script = script, .diags = d, .env = env, .priv = &priv,
	};

	for (size_t i = 0; i < ARRAY_SIZE(passes); i++) {
		int err = passes[i](&c);

		if (err)
			return err;
		if (d->nerrors)
			return -EINVAL;
		if (env->probes_only && passes[i] == pass_probes)
			break;
	}
	return 0;
}
