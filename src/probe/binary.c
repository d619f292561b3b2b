/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Binary: files are opened once for a question, and their functions read when asked for. */
#include "probe/binary.h"

#include <elf.h>
#include <errno.h>

#include "base/util.h"
#include "probe/common.h"

/* Those that were asked for; one that cannot be opened is asked for again. */
struct binaries {
	VEC(struct binary *) list;
};

static void elf_end_of(void *elf)
{
	elf_file_close(elf);
}

static struct binary *binary_known(const struct probe_env *env, const char *path)
{
	if (!env->binaries)
		return NULL;
	vec_each(b, &env->binaries->list)
		if (!strcmp((*b)->path, path))
			return *b;
	return NULL;
}

static const char *refusal_hint(int err, const char *why)
{
	if (err == -EACCES || err == -EPERM)
		return "run as root, or give the program CAP_DAC_READ_SEARCH";
	if (err == -ENOENT && str_starts(why, "No such"))
		return "the process may have ended";
	return NULL;
}

static struct binary *refuse(struct probe_env *env, const struct probe_spec *spec, uint32_t i, const char *path,
			     const char *why, const char *hint)
{
	diag_error(env->diags, part_span(spec, i), "cannot trace %s: %s", path, why);
	if (hint)
		diag_hint(env->diags, "%s", hint);
	return NULL;
}

struct binary *binary_open(struct probe_env *env, const struct probe_spec *spec, uint32_t i, const char *path,
			   bool quiet)
{
	struct arena *a = env->arena;
	struct binary *b = binary_known(env, path);
	struct elf_file *elf;
	const char *why;
	int err;

	if (b)
		return b;
	err = elf_file_open(path, &elf, &why);
	if (err == -ENOMEM)
		arena_oom(a);
	if (err)
		return quiet ? NULL : refuse(env, spec, i, path, why, refusal_hint(err, why));
	arena_own(a, elf_end_of, elf);
	if (!elf_file_is_loadable(elf))
		return quiet ? NULL : refuse(env, spec, i, path, "it is neither a program nor a library", NULL);
	if (elf_file_foreign(elf))
		return quiet ? NULL : refuse(env, spec, i, path,
					     arena_printf(a, "it is built for another machine (%s)", elf_file_foreign(elf)),
					     "only programs of this machine's own kind can be traced");
	b = arena_new_of(a, struct binary);
	b->path = arena_strdup(a, path);
	b->elf = elf;
	if (!env->binaries)
		env->binaries = arena_new_of(a, struct binaries);
	vec_push(a, &env->binaries->list, b);
	return b;
}

/* ---- functions ---- */

/* By name; of several at one place the one that says how large it is. */
static int compare_functions(const void *pa, const void *pb)
{
	const struct binary_symbol *a = pa, *b = pb;
	int c = strcmp(a->name, b->name);

	if (c)
		return c;
	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return a->size > b->size ? -1 : a->size < b->size;
}

struct lister {
	struct arena *arena;
	struct binary *binary;
};

static int function_take(const struct elf_symbol *sym, void *ctx)
{
	struct lister *l = ctx;
	struct binary *b = l->binary;
	struct binary_symbol f;
	uint64_t offset;

	if ((sym->type != STT_FUNC && sym->type != STT_GNU_IFUNC) || !sym->defined)
		return 0;
	/* A function outside of what is executable is none (or its address is a lie). */
	if (!elf_file_offset(b->elf, sym->addr, PF_X, &offset))
		return 0;
	f = (struct binary_symbol){
		.name = sym->stays ? sym->name : arena_strdup(l->arena, sym->name), .addr = sym->addr, .size = sym->size,
		.type = sym->type, .bind = sym->bind,
	};
	vec_push(l->arena, &b->functions, f);
	return 0;
}

void binary_list(struct probe_env *env, struct binary *b)
{
	struct lister l = { .arena = env->arena, .binary = b };
	uint32_t n = 0;

	if (b->listed)
		return;
	elf_file_each_symbol(b->elf, function_take, &l);
	b->listed = true;
	if (!b->functions.n)
		return;
	if (b->functions.n > 1)
		qsort(b->functions.v, b->functions.n, sizeof(*b->functions.v), compare_functions);
	for (uint32_t i = 1; i < b->functions.n; i++) {
		const struct binary_symbol *last = &b->functions.v[n], *f = &b->functions.v[i];

		if (f->addr != last->addr || strcmp(f->name, last->name))
			b->functions.v[++n] = *f;
	}
	b->functions.n = n + 1;
}

const struct binary_symbol *binary_find(struct probe_env *env, struct binary *b, const char *name, size_t *n)
{
	uint32_t low = 0, high;

	binary_list(env, b);
	high = b->functions.n;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (strcmp(b->functions.v[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (*n = 0; low + *n < b->functions.n && !strcmp(b->functions.v[low + *n].name, name);)
		++*n;
	return *n ? &b->functions.v[low] : NULL;
}

const struct binary_symbol *binary_at(struct probe_env *env, struct binary *b, uint64_t addr)
{
	const struct binary_symbol *best = NULL;

	binary_list(env, b);
	vec_each(f, &b->functions)
		if (f->addr == addr || (f->addr < addr && addr - f->addr < f->size))
			best = !best || f->addr > best->addr ? f : best;
	return best;
}
