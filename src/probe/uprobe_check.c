/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uprobe_check: what is not there and why, and where a program must not be attached. */
#include <elf.h>
#include <errno.h>

#include "base/util.h"
#include "probe/common.h"
#include "probe/insn.h"
#include "probe/uprobe_args.h"
#include "probe/uprobe_expand.h"

/* ---- missing functions ---- */

/* What else the file knows of a name. */
struct mention {
	const char *name;
	bool undefined, variable;
};

static int mention_take(const struct elf_symbol *sym, void *ctx)
{
	struct mention *m = ctx;

	if (strcmp(sym->name, m->name))
		return 0;
	m->undefined |= !sym->defined;
	m->variable |= sym->defined && (sym->type == STT_OBJECT || sym->type == STT_TLS);
	return 0;
}

static int definition_take(const struct elf_symbol *sym, void *ctx)
{
	return sym->defined && !strcmp(sym->name, ctx) && (sym->type == STT_FUNC || sym->type == STT_GNU_IFUNC);
}

/* Which of the libraries that it is linked with has the function; NULL: not known. */
static const char *library_with(struct probe_env *env, struct binary *b, const char *name)
{
	size_t len, strings_len;
	const Elf64_Dyn *dyn = elf_file_section(b->elf, ".dynamic", &len, NULL);
	const char *strings = elf_file_section(b->elf, ".dynstr", &strings_len, NULL);

	for (size_t i = 0; dyn && strings && i < len / sizeof(*dyn) && dyn[i].d_tag != DT_NULL; i++) {
		uint64_t at = dyn[i].d_un.d_val;
		const char *path, *why;
		struct elf_file *elf;
		bool has;

		if (dyn[i].d_tag != DT_NEEDED || at >= strings_len || !memchr(strings + at, 0, strings_len - at))
			continue;
		path = library_find(env->arena, "", strings + at);
		if (!path || elf_file_open(path, &elf, &why))
			continue;
		has = elf_file_each_symbol(elf, definition_take, (void *)(uintptr_t)name);
		elf_file_close(elf);
		if (has)
			return path;
	}
	return NULL;
}

static void missing_elsewhere(struct probe_env *env, const struct uprobe_spec *u, struct binary *b)
{
	const char *library = library_with(env, b, u->name);

	diag_error(env->diags, part_span(u->spec, u->name_part), "'%s' is no function of %s, which takes it from %s",
		   u->name, b->path, library ? library : "a library");
	if (library)
		diag_hint(env->diags, "did you mean '%s:%s:%s'?", u->spec->kind, library, u->name);
}

struct near_names {
	struct arena *arena;
	VEC(const char *) names;
};

/* How often the compiler has put the function into others instead. */
static uint32_t inlined_copies(struct probe_env *env, const struct uprobe_spec *u, const struct binary *b)
{
	place_vec places = { 0 };

	if (u->lang || uprobe_inlined_places(env, b->path, u->name, &places))
		return 0;
	return places.n;
}

static void missing_inlined(struct probe_env *env, const struct uprobe_spec *u, const struct binary *b, uint32_t copies)
{
	diag_error(env->diags, part_span(u->spec, u->name_part),
		   "'%s' is no function of its own in %s: the compiler has put it into others (%u %s)", u->name, b->path,
		   copies, copies == 1 ? "copy" : "copies");
	diag_hint(env->diags, "trace a line of it: %s:%s@FILE:LINE", u->spec->kind, b->path);
}

static bool plain_gather(struct binary_symbol *f, void *ctx)
{
	struct near_names *n = ctx;

	vec_push(n->arena, &n->names, f->plain);
	return true;
}

static const char *near_function(struct probe_env *env, const struct uprobe_spec *u, struct binary *b)
{
	struct near_names n = { .arena = env->arena };

	if (u->lang)
		uprobe_each_plain(env, b, u->lang, plain_gather, &n);
	else
		vec_each(f, &b->functions)
			vec_push(env->arena, &n.names, f->name);
	return nearest_name(u->name, n.names.v, n.names.n);
}

static void missing_here(struct probe_env *env, const struct uprobe_spec *u, struct binary *b)
{
	bool stripped = !elf_file_has_symtab(b->elf);
	const char *near = near_function(env, u, b);
	uint32_t copies = inlined_copies(env, u, b);

	if (copies) {
		missing_inlined(env, u, b, copies);
		return;
	}
	diag_error(env->diags, part_span(u->spec, u->name_part), "Could not resolve symbol: %s:%s", b->path, u->name);
	if (near)
		diag_hint(env->diags, "no function '%s' in %s; did you mean '%s'?", u->name, b->path, near);
	else if (stripped)
		diag_hint(env->diags, "%s is stripped, only the names that it exports are known: install its debug symbols, or "
			  "give the function's address: %s:%s:0xADDRESS", b->path, u->spec->kind, b->path);
	else
		diag_hint(env->diags, "no function '%s' in %s: sonde -l '%s:%s:%s%s*' lists its functions", u->name, b->path,
			  u->spec->kind, b->path, u->lang ? u->lang : "", u->lang ? ":" : "");
}

int uprobe_missing(struct probe_env *env, const struct uprobe_spec *u, struct binary *b)
{
	struct mention m = { .name = u->name };

	elf_file_each_symbol(b->elf, mention_take, &m);
	if (m.undefined)
		missing_elsewhere(env, u, b);
	else if (m.variable)
		diag_error(env->diags, part_span(u->spec, u->name_part), "'%s' is a variable of %s, not a function", u->name,
			   b->path);
	else
		missing_here(env, u, b);
	return -ENOENT;
}

/* ---- places ---- */

/* Functions are decoded from their beginning, so far at most. */
#define DECODE_MOST_BYTES (1u << 20)

/* As insn_begins_at(), in a function of the file. */
static int instruction_begins(struct probe_env *env, const struct binary *b, const struct binary_symbol *f,
			      uint64_t offset)
{
	size_t len = (size_t)offset + INSN_MOST_BYTES;
	uint64_t at;
	uint8_t *code;

	if (offset > DECODE_MOST_BYTES || !elf_file_offset(b->elf, f->addr, PF_X, &at))
		return -1;
	code = arena_alloc(env->arena, len);
	/* The file may end behind the function. */
	while (len > offset && !elf_file_read(b->elf, at, code, len))
		len--;
	return len > offset ? insn_begins_at(code, len, (size_t)offset) : -1;
}

static int unsafe_place(struct probe_env *env, const struct uprobe_spec *u, const char *text)
{
	int err = diag_error(env->diags, part_span(u->spec, u->name_part), "%s", text);

	diag_hint(env->diags, "to attach there all the same, run with --unsafe: if no instruction begins there, "
		  "the traced program crashes");
	return err;
}

int uprobe_place_check(struct probe_env *env, const struct uprobe_spec *u, const struct binary *b,
		       const struct binary_symbol *f, uint64_t offset)
{
	struct span span = part_span(u->spec, u->name_part);
	uint64_t addr = f ? f->addr + offset : offset, at;

	if (f && f->size && offset >= f->size)
		return diag_error(env->diags, span, "Offset outside the function bounds ('%s' size is %llu)", f->name,
				  (unsigned long long)f->size);
	if (!elf_file_offset(b->elf, addr, PF_X, &at))
		return diag_error(env->diags, span, "Could not resolve address: %s:0x%llx. No code is there", b->path,
				  (unsigned long long)addr);
	if (env->unsafe || (f && !offset))
		return 0;
	if (!f)
		return unsafe_place(env, u, arena_printf(env->arena, "no function of %s is known to be at 0x%llx", b->path,
							 (unsigned long long)addr));
	if (!f->size)
		return unsafe_place(env, u, arena_printf(env->arena, "Could not determine boundary for %s (symbol has size 0).\n"
						       "Use --unsafe to force attachment. WARNING: This option could lead to data "
						       "corruption in the target process.", f->name));
	switch (instruction_begins(env, b, f, offset)) {
	case 1:
		return 0;
	case 0:
		return unsafe_place(env, u, arena_printf(env->arena, "%s+%llu lies within an instruction", f->name,
							 (unsigned long long)offset));
	default:
		return unsafe_place(env, u, arena_printf(env->arena, "the code of '%s' cannot be read as far as +%llu",
							 f->name, (unsigned long long)offset));
	}
}
