/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Views: the table of all ways to show records. A new view is one file here and one line below. */
#include "view/parts.h"

#include <string.h>

#include "base/util.h"

const struct view_def *const views[] = {
	&view_text, &view_json, &view_csv, &view_table, &view_folded, &view_flame, &view_pprof, &view_heat,
	&view_series, &view_hist, &view_tone, NULL
};

const struct view_def *view_find(const char *name)
{
	for (size_t i = 0; views[i]; i++)
		if (str_eq(views[i]->name, name))
			return views[i];
	return NULL;
}

bool path_ends(const char *path, const char *extension)
{
	size_t len = path ? strlen(path) : 0;

	return len > strlen(extension) && str_eq(path + len - strlen(extension), extension);
}

bool view_takes_file(const struct view_def *def, const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(def->extensions) && def->extensions[i]; i++)
		if (path_ends(path, def->extensions[i]))
			return true;
	return false;
}

const struct view_def *view_find_file(const char *path)
{
	for (size_t i = 0; views[i]; i++)
		if (view_takes_file(views[i], path))
			return views[i];
	return NULL;
}

const struct view_def *view_for_program(const struct module *m, const char *path)
{
	for (size_t i = 0; views[i]; i++)
		if (views[i]->suits && view_takes_file(views[i], path) && views[i]->suits(m))
			return views[i];
	return view_find_file(path);
}

bool program_prints(const struct module *m, bool again, bool (*fn)(const struct type *t))
{
	vec_each(site, &m->sites) {
		if (site->shows == SITE_OTHER || (again && site->shows == SITE_SHOWS_ONCE))
			continue;
		if (fn(site->map ? site->map->value : site->payload->fields[0].type))
			return true;
	}
	return false;
}

bool view_is_picture(const struct view_def *def, const char *path)
{
	return def->is_picture || (def->draws_files && view_takes_file(def, path));
}
