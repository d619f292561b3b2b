/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alike: do two attach points look the same to a body that reads their arguments? */
#include <string.h>

#include "base/util.h"
#include "lang/check_priv.h"

static bool same_places(const struct field *f, const struct field *g)
{
	if (f->nplaces != g->nplaces)
		return false;
	for (uint32_t i = 0; f->places != g->places && i < f->nplaces; i++)
		if (!reg_place_equal(&f->places[i], &g->places[i]))
			return false;
	return true;
}

static bool same_hops(const struct field *f, const struct field *g)
{
	return f->nhops == g->nhops && (!f->nhops || !memcmp(f->hops, g->hops, f->nhops * sizeof(*f->hops)));
}

static bool same_field(const struct field *f, const struct field *g)
{
	if (!str_eq(f->name, g->name) || f->offset != g->offset || f->access != g->access ||
	    f->ctx_offset != g->ctx_offset || f->bias != g->bias || f->bit_offset != g->bit_offset ||
	    f->bit_size != g->bit_size || !same_hops(f, g) || f->stored != g->stored || !same_places(f, g) ||
	    !type_equal(f->type, g->type))
		return false;
	return f->type->kind != TY_POINTER || f->type->space == g->type->space;
}

bool args_alike(const struct type *x, const struct type *y)
{
	if (x == y)
		return true;
	if (!x || !y || x->nfields != y->nfields || x->size != y->size || x->space != y->space)
		return false;
	for (uint32_t i = 0; i < x->nfields; i++)
		if (!same_field(&x->fields[i], &y->fields[i]))
			return false;
	return true;
}

bool argn_alike(const struct type *x, const struct type *y, uint32_t argn)
{
	if (x == y)
		return true;
	if (!x || !y)
		return false;
	for (uint32_t i = 0; argn >> i; i++) {
		const struct field *f = i < x->nfields ? &x->fields[i] : NULL, *g = i < y->nfields ? &y->fields[i] : NULL;

		if (argn >> i & 1 && (f || g) && (!f || !g || !same_field(f, g)))
			return false;
	}
	return true;
}
