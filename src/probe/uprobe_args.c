/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uprobe, debugging information: the arguments and types of programs, and their lines of source. */
#include "probe/uprobe_args.h"

#include <elf.h>
#include <errno.h>

#include "base/util.h"
#include "probe/common.h"
#include "symbol/dwarf.h"
#include "symbol/elf_file.h"
#include "symbol/symbol.h"

#define INSTALL_HINT "build it with -g, or install the package with its debug symbols"

/* NULL: there is none. */
static struct dwarf_file *dwarf_of(struct probe_env *env, const struct reporter *r, const char *path,
				   struct elf_file **elf)
{
	struct dwarf_file *d = NULL;

	return env->symbols && !symbols_program(env->symbols, path, r, &d, elf) ? d : NULL;
}

static struct dwarf_file *point_dwarf(struct probe_env *env, const struct reporter *r, const struct attach_point *ap,
				      uint64_t *vaddr)
{
	struct elf_file *elf = NULL;
	struct dwarf_file *d = dwarf_of(env, r, ap->target, &elf);

	return d && elf_file_vaddr(elf, ap->number, PF_X, vaddr) ? d : NULL;
}

int uprobe_args(struct probe_env *env, struct attach_point *ap)
{
	struct dwarf_file *d;
	uint64_t vaddr;

	if (ap->args)
		return 0;
	d = point_dwarf(env, env->report, ap, &vaddr);
	if (!d) {
		diag_error(env->diags, ap->spec->span, "args is not known: %s has no debugging information", ap->target);
		diag_hint(env->diags, "use arg0, arg1, ..., or " INSTALL_HINT);
		return -EINVAL;
	}
	ap->args = dwarf_args(d, vaddr);
	if (ap->args)
		return 0;
	diag_error(env->diags, ap->spec->span, "args is not known: the debugging information of %s does not describe %s",
		   ap->target, ap->name);
	diag_hint(env->diags, "use arg0, arg1, ...");
	return -EINVAL;
}

int uretprobe_args(struct probe_env *env, struct attach_point *ap)
{
	struct dwarf_file *d;
	uint64_t vaddr;

	if (ap->args)
		return 0;
	/* Without it, retval is a number. */
	d = point_dwarf(env, NULL, ap, &vaddr);
	ap->args = d ? dwarf_return(d, vaddr) : NULL;
	return 0;
}

const struct type *uprobe_type(struct probe_env *env, const struct attach_point *ap, const char *name)
{
	struct dwarf_file *d = dwarf_of(env, NULL, ap->target, NULL);

	return d ? dwarf_type_find(d, name) : NULL;
}

static void places_take(struct probe_env *env, const uint64_t *addrs, uint32_t n, place_vec *out)
{
	for (uint32_t i = 0; i < n; i++)
		vec_push(env->arena, out, addrs[i]);
}

/* Compilers have a column for each statement, and for some of the expressions within. */
static int column_unknown(struct probe_env *env, const struct uprobe_spec *u, const char *path, const struct dwarf_line *l)
{
	const char *columns = "";

	for (uint32_t i = 0; i < l->ncolumns; i++)
		columns = arena_printf(env->arena, "%s%s%d", columns, !i ? "" : i + 1 == l->ncolumns ? " and " : ", ",
				       l->columns[i]);
	diag_error(env->diags, part_span(u->spec, u->name_part + 1), "column %u of line %u of %s has no code of its own in %s",
		   u->column, u->line, l->file, path);
	diag_hint(env->diags, l->ncolumns == 1 ? "%s is the one that has" : "those that have are %s", columns);
	return -EINVAL;
}

static int line_unknown(struct probe_env *env, const struct uprobe_spec *u, const char *path, int err,
			const struct dwarf_line *l)
{
	struct span span = part_span(u->spec, u->name_part);

	if (err == -ENOMEM)
		arena_oom(env->arena);
	if (err == -ENOTUNIQ)
		return diag_error(env->diags, span, "'%s' may be %s or %s: write more of its path", u->source, l->file, l->other);
	if (!l->file)
		return diag_error(env->diags, span, "the debugging information of %s has no source file '%s'", path, u->source);
	if (l->ncolumns)
		return column_unknown(env, u, path, l);
	diag_error(env->diags, span, "line %u of %s has no code in %s", u->line, l->file, path);
	if (l->near)
		diag_hint(env->diags, "the nearest line that has is %d", l->near);
	return -EINVAL;
}

int uprobe_line_places(struct probe_env *env, const struct uprobe_spec *u, const char *path, place_vec *out)
{
	struct dwarf_file *d = dwarf_of(env, env->report, path, NULL);
	struct dwarf_line found;
	int err;

	if (!d) {
		diag_error(env->diags, part_span(u->spec, u->name_part),
			   "%s has no debugging information, which lines of source need", path);
		diag_hint(env->diags, INSTALL_HINT);
		return -EINVAL;
	}
	err = dwarf_line_find(d, u->source, (int)u->line, (int)u->column, &found);
	if (err)
		return line_unknown(env, u, path, err, &found);
	places_take(env, found.addrs, found.n, out);
	free(found.addrs);
	return 0;
}

int uprobe_inlined_places(struct probe_env *env, const char *path, const char *function, place_vec *out)
{
	struct dwarf_file *d = dwarf_of(env, NULL, path, NULL);
	uint64_t *addrs = NULL;
	uint32_t n = 0;

	if (!d)
		return 0;
	if (dwarf_inlined_copies(d, function, &addrs, &n))
		arena_oom(env->arena);
	places_take(env, addrs, n, out);
	free(addrs);
	return 0;
}
