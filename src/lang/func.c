/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Func: find a function by name among the families. */
#include "lang/func.h"

#include "base/util.h"

static bool func_answers(const struct func_def *f, const char *name)
{
	if (str_eq(f->name, name))
		return true;
	for (const char *const *a = f->aliases; a && *a; a++) {
		if (str_eq(*a, name))
			return true;
	}
	return false;
}

const struct func_def *func_find(const struct func_def *const *families, const char *name)
{
	for (; families && *families; families++) {
		for (const struct func_def *f = *families; f->name; f++) {
			if (func_answers(f, name))
				return f;
		}
	}
	return NULL;
}
