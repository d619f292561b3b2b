/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Usdt_type: arg0, arg1, ... of a marker as members of a struct, each with the places where it lies. The sites
 * of a marker may have them in different places: then each site has a number, by which the program chooses.
 */
#include "base/util.h"
#include "probe/common.h"
#include "probe/tp_args.h"
#include "probe/usdt.h"
#include "probe/usdt_arg.h"

#if defined(__aarch64__)
#define PC_OFFSET 256
#else
#define PC_OFFSET 128
#endif

/* One way in which sites have their arguments. */
struct way {
	struct usdt_arg args[USDT_ARGS_MOST];
	uint32_t n;
};

struct ways {
	struct way *v;
	uint32_t n;
	bool relative; /* the text of the note does not say all */
};

/* The address of the symbol, added; relative to the instruction where the file may be loaded anywhere. */
static void symbol_resolve(struct arena *a, const struct usdt_file *f, const struct usdt_site *site,
			   struct usdt_arg *arg)
{
	struct reg_place *p = &arg->place;
	uint64_t address;

	if (!usdt_file_symbol(f, arg->symbol, &address)) {
		p->problem = arena_printf(a, "the file does not say where its symbol %s is (it may be stripped)",
					  arg->symbol);
		return;
	}
	if (!f->is_fixed) {
		/* Two registers are all there is room for: no compiler makes more. */
		if (p->base >= 0) {
			p->problem = "its place is relative to the program in a way that is not known";
			return;
		}
		p->base = PC_OFFSET;
		p->base_bytes = 8;
		address -= site->address;
	}
	p->number = (int64_t)((uint64_t)p->number + address);
}

static bool same_way(const struct way *x, const struct way *y)
{
	if (x->n != y->n)
		return false;
	for (uint32_t i = 0; i < x->n; i++)
		if (!reg_place_equal(&x->args[i].place, &y->args[i].place))
			return false;
	return true;
}

static uint32_t way_of(struct arena *a, const struct usdt_point *p, const struct usdt_site *site, struct ways *ways)
{
	struct way *w = &ways->v[ways->n];

	w->n = usdt_args_parse(a, USDT_NATIVE, site->args, w->args);
	for (uint32_t i = 0; i < w->n; i++) {
		if (!w->args[i].symbol || w->args[i].place.problem)
			continue;
		ways->relative = true;
		symbol_resolve(a, p->file, site, &w->args[i]);
	}
	for (uint32_t i = 0; i < ways->n; i++)
		if (same_way(&ways->v[i], w))
			return i;
	return ways->n++;
}

/* ---- types ---- */

static const struct usdt_arg *arg_of(const struct way *w, uint32_t i)
{
	return i < w->n ? &w->args[i] : NULL;
}

/* One that holds the values of all places. */
static const struct type *arg_type(struct arena *a, const struct ways *ways, uint32_t i)
{
	uint32_t widest[2] = { 0 }, bytes; /* unsigned and signed */
	const char *name = NULL;
	struct type *t;

	for (uint32_t w = 0; w < ways->n; w++) {
		const struct usdt_arg *arg = arg_of(&ways->v[w], i);

		if (arg && arg->type_name)
			name = arg->type_name;
		if (arg && !arg->place.problem)
			widest[arg->place.is_signed] = MAX(widest[arg->place.is_signed], arg->place.bytes);
	}
	if (!widest[0] && !widest[1]) {
		t = type_clone(a, &type_uint64);
		t->name = name;
		return t;
	}
	bytes = MAX(widest[0], widest[1]);
	if (widest[1] && widest[0] >= widest[1])
		bytes = MIN(widest[0] * 2, 8u);
	return type_integer(bytes, widest[1]);
}

static struct field field_make(struct arena *a, const struct ways *ways, uint32_t i)
{
	struct reg_place *places = arena_array_of(a, struct reg_place, ways->n);
	bool same = true;

	for (uint32_t w = 0; w < ways->n; w++) {
		const struct usdt_arg *arg = arg_of(&ways->v[w], i);

		places[w] = arg ? arg->place : (struct reg_place){ .problem = "there are fewer arguments" };
		same = same && reg_place_equal(&places[0], &places[w]);
	}
	return (struct field){
		.name = arena_printf(a, "arg%u", i), .type = arg_type(a, ways, i), .offset = i * 8,
		.access = ACCESS_PLACE, .places = places, .nplaces = same ? 1 : ways->n,
	};
}

static const struct type *args_make(struct arena *a, const struct ways *ways)
{
	struct field *fields = arena_array_of(a, struct field, USDT_ARGS_MOST);
	uint32_t n = 0;

	for (uint32_t w = 0; w < ways->n; w++)
		n = MAX(n, ways->v[w].n);
	for (uint32_t i = 0; i < n; i++)
		fields[i] = field_make(a, ways, i);
	return args_struct(a, fields, n, n * 8);
}

static bool same_texts(const struct usdt_point *p)
{
	for (size_t i = 1; i < p->nsites; i++)
		if (strcmp(p->sites[0].args, p->sites[i].args))
			return false;
	return true;
}

int usdt_args_fill(struct probe_env *env, struct attach_point *ap)
{
	struct usdt_point *p = ap->priv;
	struct arena *a = env->arena;
	bool same = same_texts(p);
	struct ways ways = { 0 };

	if (same)
		ap->args = strmap_get(&p->shared->types, p->sites[0].args);
	if (ap->args)
		return 0;
	ways.v = arena_array_of(a, struct way, p->nsites);
	p->places = arena_array_of(a, uint32_t, p->nsites);
	for (size_t i = 0; i < p->nsites; i++)
		p->places[i] = way_of(a, p, &p->sites[i], &ways);
	ap->args = args_make(a, &ways);
	if (same && !ways.relative)
		strmap_put(a, &p->shared->types, p->sites[0].args, (void *)(uintptr_t)ap->args);
	return 0;
}
