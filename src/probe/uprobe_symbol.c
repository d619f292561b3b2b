/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Uprobe_symbol: addresses of symbols in a traced program. Where it lies is known only when it runs, unless
 * it is linked to a fixed place; but a probe fires at an address that its file knows, too.
 */
#include <elf.h>
#include <errno.h>

#include "base/util.h"
#include "kernel/kernel.h"
#include "probe/common.h"
#include "probe/uprobe_expand.h"

struct wanted {
	const char *name;
	bool found, is_tls;
	struct elf_symbol best;
};

static bool is_variable(const struct elf_symbol *s)
{
	return s->type == STT_OBJECT;
}

/* Variables before functions, global ones before those of one source. */
static int symbol_take(const struct elf_symbol *sym, void *ctx)
{
	struct wanted *w = ctx;

	if (!sym->defined || strcmp(sym->name, w->name))
		return 0;
	if (sym->type == STT_TLS) {
		w->is_tls = true;
		return 0;
	}
	if (!w->found || (is_variable(sym) && !is_variable(&w->best)) ||
	    (is_variable(sym) == is_variable(&w->best) && w->best.bind == STB_LOCAL && sym->bind != STB_LOCAL))
		w->best = *sym;
	w->found = true;
	return 0;
}

static int symbol_find(struct probe_env *env, const struct attach_point *ap, struct span span, const char *name,
		       struct probe_symbol *out)
{
	const struct uprobe_point *p = ap->priv;
	struct wanted w = { .name = name };

	elf_file_each_symbol(p->binary->elf, symbol_take, &w);
	if (!w.found && w.is_tls)
		return diag_error(env->diags, span, "every thread has a '%s' of its own in %s: it has no address to ask for", name,
				  p->path);
	if (!w.found)
		return -ENOENT;
	*out = (struct probe_symbol){ .addr = w.best.addr, .size = w.best.size, .here = p->address };
	return 0;
}

int uprobe_symbol(struct probe_env *env, const struct attach_point *ap, struct span span, const char *name,
		  struct probe_symbol *out)
{
	const struct uprobe_point *p = ap->priv;
	int err = symbol_find(env, ap, span, name, out);

	if (err || elf_file_is_fixed(p->binary->elf))
		return err;
	if (p->offsets.n > 1)
		return diag_error(env->diags, span, "%s fires in %u functions, so it is not known where the program lies: name one by "
				  "its address", ap->name, p->offsets.n);
	out->from = SYMBOL_FROM_IP;
	return 0;
}

int uretprobe_symbol(struct probe_env *env, const struct attach_point *ap, struct span span, const char *name,
		     struct probe_symbol *out)
{
	int err = uprobe_symbol(env, ap, span, name, out);

	if (err || out->from == SYMBOL_FIXED)
		return err;
	/* The instruction pointer has left the function, perhaps for another file. */
	if (kernel_has_uprobe_multi(env->kernel)) {
		out->from = SYMBOL_FROM_ENTRY;
		return 0;
	}
	diag_error(env->diags, span, "when a function has returned, this kernel does not tell where %s lies", ap->target);
	diag_hint(env->diags, "take the address in a uprobe and keep it in a map");
	return -EINVAL;
}
