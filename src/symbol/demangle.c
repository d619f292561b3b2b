/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbol/demangle.h"

#include <dlfcn.h>
#include <string.h>

#include "base/util.h"

/* What would take long is shown as it is. */
#define MOST_NAME_BYTES 8192

typedef char *(*cxa_demangle_fn)(const char *name, char *buf, size_t *len, int *status);

static cxa_demangle_fn cxa_demangle(void)
{
	static const char *const libraries[] = { "libstdc++.so.6", "libc++abi.so.1" };
	static cxa_demangle_fn fn;
	static bool tried;

	for (size_t i = 0; !tried && !fn && i < ARRAY_SIZE(libraries); i++) {
		void *lib = dlopen(libraries[i], RTLD_LAZY | RTLD_LOCAL);
		void *sym = lib ? dlsym(lib, "__cxa_demangle") : NULL;

		memcpy(&fn, &sym, sizeof(fn));
	}
	tried = true;
	return fn;
}

static bool demangle_cpp(const char *name, struct strbuf *out)
{
	cxa_demangle_fn fn = cxa_demangle();
	_cleanup_free_ char *text = fn ? fn(name, NULL, NULL, NULL) : NULL;

	if (text)
		strbuf_addstr(out, text);
	return text != NULL;
}

bool demangle_is_mangled(const char *name)
{
	return name[0] == '_' && (name[1] == 'Z' || name[1] == 'R' || str_starts(name, "___Z"));
}

bool demangle(const char *name, struct strbuf *out)
{
	if (!demangle_is_mangled(name) || strlen(name) > MOST_NAME_BYTES)
		return false;
	if (name[1] == 'R')
		return demangle_rust_v0(name, out);
	return demangle_rust_legacy(name, out) || demangle_cpp(name, out);
}
