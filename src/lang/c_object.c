/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compiled C that a script imports: a BPF object whose global functions it can call. What they take and return
 * stands in the object's BTF; the object itself is linked to the question's own when that is written. The
 * file is treated as hostile.
 */
#include <bpf/btf.h>
#include <gelf.h>
#include <libelf.h>

#include "lang/check_priv.h"
#include "lang/ktype.h"

/* Arguments of a BPF function are handed over in this many registers. */
#define MOST_PARAMS 5
#define MOST_BTF_BYTES (16u << 20)

struct c_reader {
	struct checker *c;
	struct c_object *object;
	Elf *elf;
	struct btf *btf;
};

const struct c_function *c_function_find(const struct checker *c, const char *name)
{
	vec_each(it, &c->script->c_funcs)
		if (str_eq((*it)->name, name))
			return *it;
	return NULL;
}

/* ---- calls ---- */

/* Can a value of this type be handed over? Whole values go by their address. */
static bool argument_fits(const struct type *param, const struct type *arg)
{
	if (arg->kind == TY_NONE)
		return true;
	if (param->kind != TY_POINTER)
		return type_is_int(arg);
	switch (arg->kind) {
	case TY_POINTER: case TY_INT: case TY_STRING: case TY_ARRAY: case TY_STRUCT: case TY_TUPLE: case TY_RECORD:
		return true;
	default:
		return false;
	}
}

static int c_call_check(struct checker *c, struct expr *call)
{
	const struct c_function *f = call->c_func;

	if (f->problem)
		return check_error(c, call->span, "%s() of %s cannot be called: %s", f->name, f->object->path, f->problem);
	for (uint32_t i = 0; i < call->args.n; i++) {
		const struct expr *arg = call->args.v[i];
		int err;

		if (argument_fits(f->params.v[i], arg->type))
			continue;
		err = check_error(c, arg->span, "%s() takes %s as its parameter %s, and this is %s", f->name,
				  tn(c, f->params.v[i]), f->param_names.v[i], tn(c, arg->type));
		diag_hint(c->diags, "%s", f->def->signature);
		return err;
	}
	call->type = f->ret;
	return 0;
}

/* ---- types ---- */

static const struct btf_type *skip_modifiers(const struct btf *btf, uint32_t *id)
{
	const struct btf_type *t = btf__type_by_id(btf, *id);

	for (int i = 0; t && i < 32 && (btf_is_mod(t) || btf_is_typedef(t) || btf_is_type_tag(t)); i++) {
		*id = t->type;
		t = btf__type_by_id(btf, *id);
	}
	return t && (btf_is_mod(t) || btf_is_typedef(t) || btf_is_type_tag(t)) ? NULL : t;
}

static const struct type *type_of(struct c_reader *r, uint32_t id, uint32_t depth);

/* A struct is known by its name: the script or the kernel tells its members. */
static const struct type *target_of(struct c_reader *r, uint32_t id, uint32_t depth)
{
	const struct btf_type *t = skip_modifiers(r->btf, &id);
	const char *name = t ? btf__name_by_offset(r->btf, t->name_off) : NULL;

	if (t && name && *name && (btf_is_composite(t) || btf_is_fwd(t)))
		return ktype_opaque(r->c->arena, name, btf_is_union(t) || (btf_is_fwd(t) && btf_kflag(t)));
	return type_of(r, id, depth + 1) ?: &type_none;
}

/* NULL: the language has no such type, or it does not fit a register. */
static const struct type *type_of(struct c_reader *r, uint32_t id, uint32_t depth)
{
	const struct btf_type *t = skip_modifiers(r->btf, &id);

	if (depth > 8)
		return NULL;
	if (!id)
		return &type_none;
	if (t && btf_is_int(t) && (t->size == 1 || t->size == 2 || t->size == 4 || t->size == 8))
		return btf_int_encoding(t) & BTF_INT_BOOL ? &type_bool :
		       type_integer(t->size, btf_int_encoding(t) & (BTF_INT_SIGNED | BTF_INT_CHAR));
	if (t && btf_is_any_enum(t) && (t->size == 4 || t->size == 8))
		return type_integer(t->size, btf_kflag(t));
	if (t && btf_is_ptr(t))
		return type_pointer(r->c->arena, target_of(r, t->type, depth), SPACE_NONE);
	return NULL;
}

static bool is_composite(const struct c_reader *r, uint32_t id)
{
	const struct btf_type *t = skip_modifiers(r->btf, &id);

	return t && btf_is_composite(t);
}

/* ---- functions ---- */

static void params_read(struct c_reader *r, struct c_function *f, const struct btf_type *proto)
{
	const struct btf_param *p = btf_params(proto);

	for (uint32_t i = 0; i < btf_vlen(proto); i++) {
		const struct type *t = type_of(r, p[i].type, 0);
		const char *name = btf__name_by_offset(r->btf, p[i].name_off);

		if (is_composite(r, p[i].type))
			f->problem = "the kernel lets BPF functions take no struct by value; let it take a pointer, and hand over "
				     "the struct";
		else if (!t || t->kind == TY_NONE)
			f->problem = "only numbers and pointers can be handed over";
		vec_push(r->c->arena, &f->params, t ?: &type_none);
		vec_push(r->c->arena, &f->param_names,
			 name && *name ? arena_strdup(r->c->arena, name) : arena_printf(r->c->arena, "%u", i));
	}
	if (f->params.n > MOST_PARAMS)
		f->problem = "it has more than five parameters";
}

static const char *signature_of(struct checker *c, const struct c_function *f)
{
	const char *text = "";

	for (uint32_t i = 0; i < f->params.n; i++)
		text = arena_printf(c->arena, "%s%s%s %s", text, i ? ", " : "", tn(c, f->params.v[i]),
				    f->param_names.v[i]);
	return arena_printf(c->arena, "%s %s(%s)", f->ret->kind == TY_NONE ? "void" : tn(c, f->ret), f->name, text);
}

static void function_add(struct c_reader *r, const char *name, const struct btf_type *func)
{
	struct checker *c = r->c;
	struct c_function *f = arena_new_of(c->arena, struct c_function);
	const struct btf_type *proto = btf__type_by_id(r->btf, func->type);
	const struct type *ret = proto && btf_is_func_proto(proto) ? type_of(r, proto->type, 0) : NULL;

	if (!proto || !btf_is_func_proto(proto))
		return;
	*f = (struct c_function){ .name = arena_strdup(c->arena, name), .object = r->object, .proto = func->type };
	params_read(r, f, proto);
	if (proto->type && is_composite(r, proto->type))
		f->problem = "BPF functions return one register, and no struct by value; let it fill one that it gets a pointer to";
	else if (!ret)
		f->problem = "only numbers and pointers can be returned";
	f->ret = ret ?: &type_none;
	f->def = arena_new_of(c->arena, struct func_def);
	*f->def = (struct func_def){
		.name = f->name, .signature = signature_of(c, f), .check = c_call_check,
		.min_args = (uint8_t)MIN(f->params.n, FUNC_ANY_ARGS - 1u),
		.max_args = (uint8_t)MIN(f->params.n, FUNC_ANY_ARGS - 1u),
		.flags = f->ret->kind == TY_NONE ? FUNC_VOID : 0,
	};
	vec_push(c->arena, &c->script->c_funcs, f);
}

/* Programs have sections of their own and cannot be called; what they call lies in .text. */
static void symbol_take(struct c_reader *r, const GElf_Sym *sym, const char *name, size_t text)
{
	int32_t id;

	if (!name || !*name || GELF_ST_TYPE(sym->st_info) != STT_FUNC || GELF_ST_BIND(sym->st_info) == STB_LOCAL ||
	    sym->st_shndx != text)
		return;
	id = btf__find_by_name_kind(r->btf, name, BTF_KIND_FUNC);
	if (id > 0)
		function_add(r, name, btf__type_by_id(r->btf, (uint32_t)id));
}

static void functions_read(struct c_reader *r, Elf_Scn *symtab, size_t text)
{
	Elf_Data *d = symtab ? elf_getdata(symtab, NULL) : NULL;
	GElf_Shdr sh;
	GElf_Sym sym;

	if (!d || !gelf_getshdr(symtab, &sh) || !sh.sh_entsize)
		return;
	for (int i = 0; (size_t)i < sh.sh_size / sh.sh_entsize && gelf_getsym(d, i, &sym); i++)
		symbol_take(r, &sym, elf_strptr(r->elf, sh.sh_link, sym.st_name), text);
}

/* ---- the file ---- */

/* Whether the object is one at all: NULL, or what is wrong with it. */
static const char *object_read(struct c_reader *r)
{
	struct c_object *o = r->object;
	Elf_Scn *scn = NULL, *symtab = NULL;
	size_t strings, text = 0;
	GElf_Ehdr eh;
	GElf_Shdr sh;

	r->elf = elf_memory((char *)(uintptr_t)o->elf, o->elf_bytes);
	if (!r->elf || !gelf_getehdr(r->elf, &eh) || eh.e_machine != EM_BPF || eh.e_type != ET_REL ||
	    elf_getshdrstrndx(r->elf, &strings))
		return "it is no BPF object";
	while ((scn = elf_nextscn(r->elf, scn))) {
		const char *name = gelf_getshdr(scn, &sh) ? elf_strptr(r->elf, strings, sh.sh_name) : NULL;
		Elf_Data *d = name && sh.sh_type == SHT_PROGBITS ? elf_getdata(scn, NULL) : NULL;

		if (name && sh.sh_type == SHT_SYMTAB)
			symtab = scn;
		if (!d || !d->d_buf)
			continue;
		if (!strcmp(name, ".text"))
			text = elf_ndxscn(scn);
		else if (!strcmp(name, "license"))
			o->license = arena_strndup(r->c->arena, d->d_buf, strnlen(d->d_buf, d->d_size));
		else if (!strcmp(name, ".BTF") && d->d_size <= MOST_BTF_BYTES) {
			o->btf = memcpy(arena_alloc(r->c->arena, d->d_size), d->d_buf, d->d_size);
			o->btf_bytes = (uint32_t)d->d_size;
		}
	}
	r->btf = o->btf ? btf__new(o->btf, o->btf_bytes) : NULL;
	if (!r->btf)
		return "it does not tell its types (compile it with -g)";
	functions_read(r, symtab, text);
	return NULL;
}

void c_object_take(struct checker *c, struct span span, const char *path, const void *elf, size_t bytes)
{
	struct c_object *o = arena_new_of(c->arena, struct c_object);
	struct c_reader r = { .c = c, .object = o };
	const char *problem;

	*o = (struct c_object){ .path = path, .elf_bytes = bytes,
				.elf = memcpy(arena_alloc(c->arena, bytes + 1), elf, bytes) };
	problem = elf_version(EV_CURRENT) == EV_NONE ? "libelf is too old" : object_read(&r);
	btf__free(r.btf);
	elf_end(r.elf);
	if (problem)
		check_error(c, span, "cannot import %s: %s", path, problem);
	else
		vec_push(c->arena, &c->script->c_objects, o);
}

void c_object_import(struct checker *c, struct span span, const char *path)
{
	const char *data;
	size_t len;
	int err = file_text(c->arena, path, &data, &len);

	if (err)
		check_error(c, span, "cannot read %s: %s", path, strerror(-err));
	else
		c_object_take(c, span, path, data, len);
}
