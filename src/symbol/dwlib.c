/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbol/dwlib.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "base/util.h"

#define LIBRARY "libdw.so.1"
/* More than one answer takes: the lines and the functions of a unit of the largest programs. */
#define ROOM ((size_t)64 << 20)

static const struct {
	const char *name;
	size_t offset;
} functions[] = {
#define DWLIB_ENTRY(name) { "dwarf_" #name, offsetof(struct dwlib, name) },
	DWLIB_FUNCTIONS(DWLIB_ENTRY)
#undef DWLIB_ENTRY
};

/* Kept for as long as the program runs: what it has made is freed by its own code. */
static bool functions_find(struct dwlib *lib, void *handle)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		void *fn = dlsym(handle, functions[i].name);

		if (!fn)
			return false;
		*(void **)((char *)lib + functions[i].offset) = fn;
	}
	return true;
}

const struct dwlib *dwlib_get(const struct reporter *r)
{
	static enum { NEW, THERE, MISSING } state;
	static struct dwlib lib;
	static bool told;

	if (state == NEW) {
		void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

		state = handle && functions_find(&lib, handle) ? THERE : MISSING;
	}
	if (state == MISSING && r && !told) {
		told = true;
		report_error(r, -ELIBACC, "install the package libdw1 (Debian, Ubuntu) or elfutils-libs (Fedora, SUSE)",
			     "debugging information cannot be read: %s is missing or too old", LIBRARY);
	}
	return state == THERE ? &lib : NULL;
}

bool dwlib_may_be_asked(void)
{
	void *room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED)
		return false;
	munmap(room, ROOM);
	return true;
}
