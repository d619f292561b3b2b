/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Btf_args: see btf_args.h. */
#include "probe/btf_args.h"

#include <bpf/btf.h>

#include "base/util.h"
#include "lang/ktype.h"
#include "probe/tp_args.h"

/* What is neither a number nor a pointer is shown as the word it comes in. */
static const struct type *word_type(struct probe_env *env, const struct btf_file *btf, uint32_t id)
{
	const struct type *known = ktype_of(env->types, btf, id);
	struct type *t;

	if (!type_is_int(known) && known->kind != TY_POINTER)
		known = &type_uint64;
	t = type_clone(env->arena, known);
	if (known->kind == TY_POINTER && known->space == SPACE_NONE)
		t->space = SPACE_KERNEL;
	if (known->kind != TY_ENUM) /* an enum is known by its own name */
		t->name = ktype_text(env->types, btf, id);
	return t;
}

/* A small struct by value takes as many words as it fills. */
static const struct type *by_value(struct probe_env *env, const struct btf_file *btf, uint32_t id)
{
	const struct type *t = ktype_of(env->types, btf, id);

	return t->kind == TY_STRUCT && t->size && t->size <= BTF_STRUCT_MOST_BYTES ? t : NULL;
}

struct field btf_word_field(struct probe_env *env, const struct btf_file *btf, const char *name, uint32_t id,
			    uint32_t offset)
{
	const struct type *whole = by_value(env, btf, id);

	/* Read one by one; as a whole they are the words of the context, one after the other. */
	return (struct field){ .name = name, .type = whole ? whole : word_type(env, btf, id),
			       .access = ACCESS_CTX_WORD, .ctx_offset = offset, .offset = offset };
}

const struct type *btf_args_of(struct probe_env *env, const struct btf_file *btf, const struct btf_type *proto,
			       uint32_t first, bool with_retval)
{
	const struct btf_param *params = btf_params(proto);
	VEC(struct field) fields = { 0 };
	uint32_t at = 0;

	for (uint32_t i = first; i < btf_vlen(proto); i++) {
		const char *name = btf_file_string(btf, params[i].name_off);

		if (!*name)
			name = arena_printf(env->arena, "arg%u", i - first);
		vec_push(env->arena, &fields, btf_word_field(env, btf, name, params[i].type, at));
		at += align_up(MAX(fields.v[fields.n - 1].type->size, 1u), 8);
	}
	if (with_retval && proto->type) {
		vec_push(env->arena, &fields, btf_word_field(env, btf, "retval", proto->type, at));
		at += 8;
	}
	return args_struct(env->arena, fields.v, fields.n, at);
}
