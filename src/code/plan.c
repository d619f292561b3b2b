/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plan: units -> programs. Attach points of a unit share one program (kinds attach a program as often as
 * they like); points of a group share one across all units, whose bodies become its parts. Where the kernel
 * can run one program at both ends of functions, the programs of two units become one.
 */
#include "code/plan.h"

#include "base/util.h"

static struct program_plan *program_add(struct arena *a, plan_vec *plans, const struct attach_point *ap,
					const char *section)
{
	struct program_plan *p = arena_new_of(a, struct program_plan);

	p->name = arena_printf(a, "%s_%u", ap->kind->name, plans->n);
	p->section = section;
	p->group = ap->group;
	p->kind = ap->kind;
	vec_push(a, plans, p);
	return p;
}

/* The part of `plan` that runs `unit` behind this guard, made when it is not there. */
static struct part *part_of(struct arena *a, struct program_plan *plan, struct unit *unit,
			    struct attach_point *ap)
{
	struct part new = { .unit = unit, .point = ap, .guard = ap->guard };

	vec_each(p, &plan->parts)
		if (p->unit == unit && p->guard.kind == ap->guard.kind &&
		    p->guard.ctx_offset == ap->guard.ctx_offset && p->guard.offset == ap->guard.offset)
			return p;
	vec_push(a, &plan->parts, new);
	return &plan->parts.v[plan->parts.n - 1];
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void values_sort(struct part *p)
{
	uint32_t n = 0;

	if (!p->values.n)
		return;
	if (p->values.n > 1)
		qsort(p->values.v, p->values.n, sizeof(*p->values.v), compare_u64);
	for (uint32_t i = 1; i < p->values.n; i++)
		if (p->values.v[i] != p->values.v[n])
			p->values.v[++n] = p->values.v[i];
	p->values.n = n + 1;
}

static bool same_section(const struct unit *unit)
{
	const char *first = NULL;

	vec_each(ap, &unit->points) {
		if ((*ap)->group)
			continue;
		if (first && strcmp(first, (*ap)->section))
			return false;
		first = (*ap)->section;
	}
	return true;
}

/* The section that all attach points of one program type can share: without the target. */
static const char *section_prefix(struct arena *a, const char *section)
{
	return arena_strndup(a, section, strcspn(section, "/"));
}

static struct program_plan *program_find(plan_vec *plans, uint32_t from, const char *group, const char *section)
{
	for (uint32_t i = from; i < plans->n; i++) {
		struct program_plan *p = plans->v[i];

		if (group ? str_eq(p->group, group) : !p->group && !strcmp(p->section, section))
			return p;
	}
	return NULL;
}

static void plan_unit(struct arena *a, struct unit *unit, plan_vec *plans)
{
	uint32_t own = plans->n; /* programs from here on are of this unit alone, or of a group */
	bool same = same_section(unit);

	vec_each(it, &unit->points) {
		struct attach_point *ap = *it;
		bool one_each = ap->kind->one_each || ap->uses_btf_ctx;
		bool own_section = ap->group || same || one_each;
		const char *section = own_section ? ap->section : section_prefix(a, ap->section);
		struct program_plan *plan = one_each ? NULL :
			program_find(plans, ap->group ? 0 : own, ap->group, section);
		struct part *part;

		if (!plan)
			plan = program_add(a, plans, ap, section);
		vec_push(a, &plan->points, ap);
		part = part_of(a, plan, unit, ap);
		if (ap->guard.kind != GUARD_NONE)
			vec_push(a, &part->values, ap->guard_value);
	}
}

/* ---- both ends of functions ---- */

/* Parts run at one end only from now on. */
static void parts_bind(struct arena *a, struct program_plan *plan, uint64_t is_return)
{
	vec_each(part, &plan->parts) {
		part->guard = (struct guard){ .kind = GUARD_RETURN_IN };
		vec_push(a, &part->values, is_return);
	}
}

static bool join(struct probe_env *env, struct arena *a, struct program_plan *begin, struct program_plan *end)
{
	if (begin->group || end->group || begin->kind == end->kind ||
	    !begin->kind->join(env, &begin->points, &end->points))
		return false;
	begin->section = begin->points.v[0]->section;
	if (!same_section(begin->parts.v[0].unit))
		begin->section = section_prefix(a, begin->section);
	parts_bind(a, begin, 0);
	parts_bind(a, end, 1);
	vec_each(ap, &end->points)
		vec_push(a, &begin->points, *ap);
	vec_each(part, &end->parts)
		vec_push(a, &begin->parts, *part);
	return true;
}

static void plans_join(struct probe_env *env, struct arena *a, plan_vec *plans)
{
	for (uint32_t i = 0; i < plans->n; i++) {
		struct program_plan *begin = plans->v[i];
		uint32_t end = 0;

		if (!begin->kind->join || begin->parts.n != 1)
			continue;
		while (end < plans->n && !join(env, a, begin, plans->v[end]))
			end++;
		if (end == plans->n)
			continue;
		memmove(&plans->v[end], &plans->v[end + 1], (plans->n - end - 1) * sizeof(*plans->v));
		plans->n--;
		i -= end < i;
	}
}

void plan_make(struct probe_env *env, struct arena *a, const struct script *script, plan_vec *out)
{
	vec_each(unit, &script->units)
		plan_unit(a, *unit, out);
	plans_join(env, a, out);
	vec_each(plan, out)
		vec_each(part, &(*plan)->parts)
			values_sort(part);
}
