/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jit: the names of code that a process has made at run time, wherever its compiler has written them. */
#include <stdlib.h>

#include "base/util.h"
#include "symbol/priv.h"

struct jit {
	struct perf_map *map;
	struct jit_dump *dump;
	uint64_t looked_ns;
};

/* So often a dump is looked for among what is mapped. */
#define LOOK_NS 50000000ULL

/* ".../jit-1234.dump" */
static bool is_dump(const struct mapping *m)
{
	const char *name = m->path && m->is_code ? strrchr(m->path, '/') : NULL;
	size_t digits;

	if (!name || !str_starts(name, "/jit-"))
		return false;
	digits = strspn(name + strlen("/jit-"), "0123456789");
	return digits && str_starts(name + strlen("/jit-") + digits, ".dump");
}

static struct jit *jit_of(struct process *p)
{
	if (!p->jit)
		p->jit = calloc(1, sizeof(*p->jit));
	return p->jit;
}

static void dump_take(struct process *p, struct mapping *m, void *ctx)
{
	struct jit *jit = ctx;
	char path[MAPPING_PATH];

	for (unsigned way = 0; is_dump(m) && !jit->dump && way < MAPPING_WAYS; way++)
		if (mapping_path(p, m, way, path))
			jit->dump = jit_dump_open(path);
}

static bool dump_find(struct process *p, struct jit *jit, uint64_t addr, bool is_return, struct symbol *out)
{
	uint64_t now = symbol_clock_ns();

	if (!jit->dump && now - jit->looked_ns > LOOK_NS) {
		jit->looked_ns = now;
		process_each_mapping(p, dump_take, jit);
	}
	return jit->dump && jit_dump_find(jit->dump, addr, is_return, out);
}

bool jit_find(struct process *p, uint64_t addr, bool is_return, struct symbol *out)
{
	struct jit *jit = jit_of(p);

	if (!jit)
		return false;
	if (!jit->map)
		jit->map = perf_map_new(p->pid);
	return dump_find(p, jit, addr, is_return, out) || (jit->map && perf_map_find(jit->map, addr, out));
}

void jit_hold(struct process *p, struct mapping *m)
{
	bool is_made = m->is_code && (!m->path || str_starts(m->path, "[anon"));
	struct jit *jit = is_made || is_dump(m) ? jit_of(p) : NULL;

	if (!jit)
		return;
	dump_take(p, m, jit);
	if (is_made && !jit->map)
		jit->map = perf_map_new(p->pid);
}

void jit_free(struct jit *jit)
{
	if (!jit)
		return;
	perf_map_free(jit->map);
	jit_dump_free(jit->dump);
	free(jit);
}
