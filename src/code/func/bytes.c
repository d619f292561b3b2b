/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes: runs of bytes, and the addresses of networks. */
#include <arpa/inet.h>
#include <errno.h>

#include "code/func/func_priv.h"

/* Bytes of memory an argument offers by its type; 0: it is an address. */
static uint32_t own_bytes(const struct type *t)
{
	return type_is_scalar(t) ? 0 : t->kind == TY_BUFFER ? t->size - 4 : t->size;
}

/*
 * The first n bytes of what the argument is or points to, at dst. What is beyond a value's own size
 * becomes zeros.
 */
static int bytes_read(struct lower *l, struct expr *arg, const struct val *dst, uint32_t n)
{
	uint32_t own = own_bytes(arg->type), have = own ? MIN(own, n) : n;
	struct val v = { 0 };
	vreg from;
	int r;

	if (!own) {
		r = lower_scalar(l, arg, &from);
		if (r < 0)
			return r;
		lower_probe_read(l, dst->reg, dst->off, n, from, lower_space(l, arg->type));
		return 0;
	}
	r = lower_expr(l, arg, &v);
	if (r < 0)
		return r;
	if (v.space == SPACE_USER || v.space == SPACE_KERNEL || v.space == SPACE_CTX)
		lower_probe_read(l, dst->reg, dst->off, have, val_address(l, &v),
				 v.space == SPACE_USER ? SPACE_USER : SPACE_KERNEL);
	else
		lower_copy(l, dst->reg, dst->off, v.reg, v.off + (arg->type->kind == TY_BUFFER ? 4 : 0), have);
	if (have < n)
		lower_zero(l, dst->reg, dst->off + (int32_t)have, n - have);
	return 0;
}

/* ---- buf ---- */

static int buf_length(struct checker *c, struct expr *call, uint32_t *most)
{
	const struct expr *arg = call_arg(call, 1);
	int64_t n;

	if (!expr_is_literal(arg))
		return check_arg_int(c, call, 1);
	if (check_arg_literal_int(c, call, 1, &n) < 0)
		return -EINVAL;
	if (n >= 1 && n <= *most) {
		*most = (uint32_t)n;
		return 0;
	}
	check_error(c, arg->span, "a buffer has 1 to %u bytes, not %lld", *most, (long long)n);
	if (n > 0)
		diag_hint(c->diags, "config = { max_strlen=%lld } makes room for it", (long long)n);
	return -EINVAL;
}

static int buf_check(struct checker *c, struct expr *call)
{
	uint32_t most = c->env->config.max_strlen, own;
	const struct type *t;
	int r = 0;

	if (call_arg_unknown(call, 0) || (call->args.n > 1 && call_arg_unknown(call, 1)))
		return 0;
	t = call_arg(call, 0)->type;
	own = own_bytes(t);
	if (!own)
		r = check_arg_address(c, call, 0);
	if (!r && call->args.n > 1)
		r = buf_length(c, call, &most);
	else if (!r && own)
		most = MIN(own, most);
	if (!r)
		call->type = type_buffer(c->arena, most);
	return r;
}

/* A length of the moment: what is beyond it is zeros. */
static int buf_dynamic(struct lower *l, struct expr *call, const struct val *out)
{
	struct expr *arg = call_arg(call, 0);
	uint32_t room = out->type->size - 4, own = own_bytes(arg->type);
	uint32_t cut = ir_block_new(l->f, "cut"), fits = ir_block_new(l->f, "fits");
	vreg len = ir_vreg_new(l->f, "length"), args[3], n;
	enum addr_space space = own ? SPACE_KERNEL : lower_space(l, arg->type);
	struct val v = { 0 };
	int r = own ? lower_expr(l, arg, &v) : lower_scalar(l, arg, &args[2]);

	r = r ? r : lower_scalar(l, call_arg(call, 1), &n);
	if (r)
		return r;
	if (own) {
		v = val_local(l, &v);
		args[2] = val_address(l, &v);
		room = MIN(room, own);
	}
	ir_mov_to(l->f, len, n);
	ir_br_imm(l->f, CC_UGT, len, room, cut, fits);
	ir_block_use(l->f, cut);
	ir_mov_to(l->f, len, ir_const(l->f, room));
	ir_jmp(l->f, fits);
	ir_block_use(l->f, fits);
	lower_zero(l, out->reg, out->off, out->type->size);
	args[0] = ir_bin_imm(l->f, IR_ADD, val_address(l, out), 4);
	args[1] = len;
	n = ir_call(l->f, space == SPACE_USER ? BPF_FUNC_probe_read_user : BPF_FUNC_probe_read_kernel, 3, args);
	lower_count_failure(l, n, COUNTER_FAULTS);
	ir_store(l->f, out->reg, out->off, 4, len);
	return 0;
}

static int buf_emit(struct lower *l, struct expr *call, struct val *out)
{
	struct val data;
	int r;

	*out = val_slot(l, call->type, "buf");
	if (call->args.n > 1 && !expr_is_literal(call_arg(call, 1)))
		return buf_dynamic(l, call, out);
	data = *out;
	data.off += 4;
	r = bytes_read(l, call_arg(call, 0), &data, call->type->size - 4);
	ir_store_imm(l->f, out->reg, out->off, 4, call->type->size - 4);
	return r;
}

/* ---- macaddr ---- */

static int macaddr_check(struct checker *c, struct expr *call)
{
	const struct type *t;

	if (call_arg_unknown(call, 0))
		return 0;
	t = call_arg(call, 0)->type;
	if (type_is_scalar(t))
		return check_arg_address(c, call, 0);
	/* Six chars of a struct are a string. */
	if ((t->kind == TY_ARRAY || t->kind == TY_STRING) && t->size == 6)
		return 0;
	return check_error(c, call_arg(call, 0)->span, "macaddr() takes 6 bytes or a pointer to them, and this is %s",
			   type_name(c->arena, t));
}

static int macaddr_emit(struct lower *l, struct expr *call, struct val *out)
{
	*out = val_slot(l, call->type, "macaddr");
	return bytes_read(l, call_arg(call, 0), out, 6);
}

/* ---- ntop, pton ---- */

/* Bytes of the address by its type, 4 or 16; 0: it cannot be one. */
static uint32_t inet_bytes(const struct type *t)
{
	if (type_is_int(t))
		return 4;
	return (t->kind == TY_ARRAY || t->kind == TY_STRUCT) && (t->size == 4 || t->size == 16) ? t->size : 0;
}

static int ntop_check(struct checker *c, struct expr *call)
{
	struct expr *arg = call_arg(call, call->args.n - 1);
	uint32_t bytes;
	int64_t family;
	int r;

	for (uint32_t i = 0; i < call->args.n; i++)
		if (call_arg_unknown(call, i))
			return 0;
	call->type = &type_inet;
	bytes = inet_bytes(arg->type);
	if (!bytes && arg->type->kind != TY_POINTER)
		return check_error(c, arg->span, "ntop() takes an integer or 4 or 16 bytes, and this is %s",
				   type_name(c->arena, arg->type));
	if (call->args.n == 1)
		return bytes ? 0 : check_error(c, arg->span, "ntop() of a pointer needs the address family before it");
	r = check_arg_int(c, call, 0);
	if (r < 0 || !expr_is_literal(call_arg(call, 0)))
		return r;
	family = (int64_t)call_arg(call, 0)->num;
	if (family != AF_INET && family != AF_INET6)
		return check_error(c, call_arg(call, 0)->span, "ntop() knows the families AF_INET (%d) and AF_INET6 (%d), "
				   "not %lld", AF_INET, AF_INET6, (long long)family);
	if (family == AF_INET6 && bytes == 4)
		return check_error(c, arg->span, "an address of AF_INET6 has 16 bytes, and this has 4");
	return 0;
}

/* The bytes of the address at out + 4. */
static int ntop_address(struct lower *l, struct expr *arg, const struct val *out, uint32_t bytes)
{
	struct val data = *out;
	vreg v;
	int r;

	data.off += 4;
	if (!type_is_int(arg->type))
		return bytes_read(l, arg, &data, bytes);
	r = lower_scalar(l, arg, &v);
	if (!r)
		ir_store(l->f, data.reg, data.off, 4, v);
	return r;
}

static int ntop_emit(struct lower *l, struct expr *call, struct val *out)
{
	struct expr *arg = call_arg(call, call->args.n - 1), *family = call->args.n > 1 ? call_arg(call, 0) : NULL;
	uint32_t bytes = inet_bytes(arg->type);
	vreg v;
	int r;

	if (!bytes)
		bytes = family && expr_is_literal(family) && family->num == AF_INET ? 4 : 16;
	*out = val_slot(l, call->type, "inet");
	lower_zero(l, out->reg, out->off, call->type->size);
	r = ntop_address(l, arg, out, bytes);
	if (r < 0)
		return r;
	if (!family) {
		ir_store_imm(l->f, out->reg, out->off, 4, bytes == 4 ? AF_INET : AF_INET6);
		return 0;
	}
	r = lower_scalar(l, family, &v);
	if (!r)
		ir_store(l->f, out->reg, out->off, 4, v);
	return r;
}

static int pton_check(struct checker *c, struct expr *call)
{
	uint8_t *bytes = arena_alloc(c->arena, 16);
	const char *text;
	int r = check_arg_literal_string(c, call, 0, &text);

	if (r < 0)
		return r;
	if (inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, bytes) != 1)
		return check_error(c, call_arg(call, 0)->span, "'%s' is neither an IPv4 nor an IPv6 address", text);
	call->data = bytes;
	call->type = type_array(c->arena, &type_uint8, strchr(text, ':') ? 16 : 4);
	return 0;
}

static int pton_emit(struct lower *l, struct expr *call, struct val *out)
{
	*out = lower_rodata(l, call->type, call->data, call->type->size);
	return 0;
}

func_family funcs_bytes = {
	{ "buf", .signature = "buffer buf(void *address[, int length])",
	  .summary = "bytes at an address, or of a value; %r, %rx and %rh show them",
	  .min_args = 1, .max_args = 2, .check = buf_check, .emit = buf_emit },
	{ "macaddr", .signature = "macaddr_t macaddr(char[6] address)", .summary = "an Ethernet address",
	  .min_args = 1, .max_args = 1, .type = &type_mac, .check = macaddr_check, .emit = macaddr_emit },
	{ "ntop", .signature = "inet ntop([int family, ]int address) or ntop([int family, ]char[4|16] address)",
	  .summary = "an IPv4 or IPv6 address",
	  .min_args = 1, .max_args = 2, .check = ntop_check, .emit = ntop_emit },
	{ "pton", .signature = "char[4|16] pton(string address)",
	  .summary = "the bytes of an IPv4 or IPv6 address; a constant",
	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE, .check = pton_check, .emit = pton_emit },
	{ 0 },
};
