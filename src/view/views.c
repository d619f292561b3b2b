/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Views: the table of all ways to show records. A new view is one file here and one line below. */
#include "view/parts.h"

#include <string.h>

#include "base/util.h"

const struct view_def *const views[] = { &view_text, &view_json, &view_csv, &view_table, NULL };

const struct view_def *view_find(const char *name)
{
	for (size_t i = 0; views[i]; i++)
		if (str_eq(views[i]->name, name))
			return views[i];
	return NULL;
}

const struct view_def *view_find_file(const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; views[i]; i++) {
		const char *extension = views[i]->extension;

		if (extension && len > strlen(extension) && str_eq(path + len - strlen(extension), extension))
			return views[i];
	}
	return NULL;
}
