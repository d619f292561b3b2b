/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernelobj: helpers that take objects of the kernel, which only probes that name their arguments' types have. */
#include <errno.h>

#include "code/func/func_priv.h"

int typed_context_check(struct checker *c, const struct expr *call)
{
	if (c->unit->points.n && c->unit->points.v[0]->uses_btf_ctx)
		return 0;
	check_error(c, call->span, "%s() is not for %s probes", call->name, c->unit->kind->name);
	diag_hint(c->diags, "it needs arguments whose types the kernel knows: fentry, fexit%s and iter have them",
		  call->func->flags & FUNC_OBJECT ? ", rawtracepoint" : "");
	return -EINVAL;
}

static const char *struct_name(const struct type *t)
{
	t = t->kind == TY_POINTER ? t->elem : t;
	return t->kind == TY_STRUCT && t->name ? t->name : "";
}

/* ---- path ---- */

/* Where the kernel allows it: it takes locks (btf_allowlist_d_path in kernel/trace/bpf_trace.c). */
static const char *const path_functions[] = {
	"security_file_permission", "security_inode_getattr", "security_file_open", "security_path_truncate",
	"vfs_truncate", "vfs_fallocate", "dentry_open", "vfs_getattr", "filp_close",
};

static bool path_allowed(const struct attach_point *ap)
{
	if (ap->kind->run == RUN_ITER)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(path_functions); i++)
		if (str_eq(path_functions[i], ap->func))
			return true;
	return false;
}

static int path_place_check(struct checker *c, const struct expr *call)
{
	const char *all = "";

	vec_each(it, &c->unit->points) {
		if (path_allowed(*it))
			continue;
		check_error(c, call->span, "the kernel does not allow path() in %s", (*it)->name);
		for (size_t i = 0; i < ARRAY_SIZE(path_functions); i++)
			all = arena_printf(c->arena, "%s%s%s", all, *all ? ", " : "", path_functions[i]);
		diag_hint(c->diags, "it takes locks, so it is for iter probes and, of all functions, only for %s", all);
		return -EINVAL;
	}
	return 0;
}

static int path_check(struct checker *c, struct expr *call)
{
	const struct expr *arg = call_arg(call, 0);
	int64_t size = c->env->config.max_strlen;
	int r = typed_context_check(c, call);

	r = r ? r : path_place_check(c, call);
	if (r < 0 || call_arg_unknown(call, 0))
		return r;
	if (!str_eq(struct_name(arg->type), "path"))
		return check_error(c, arg->span, "path() takes a struct path or a pointer to one, and this is %s",
				   type_name(c->arena, arg->type));
	if (call->args.n > 1)
		r = check_arg_literal_int(c, call, 1, &size);
	if (!r && (size < 1 || size > c->env->config.max_strlen))
		r = check_error(c, call_arg(call, 1)->span, "a path has 1 to %u bytes, not %lld",
				c->env->config.max_strlen, (long long)size);
	if (!r)
		call->type = type_string(c->arena, (uint32_t)size);
	return r;
}

/* The helper leaves what it does not use of the buffer as it was. */
static int path_emit(struct lower *l, struct expr *call, struct val *out)
{
	uint32_t failed = ir_block_new(l->f, "failed"), done = ir_block_new(l->f, "path");
	vreg args[3], len;
	int r;

	*out = val_slot(l, call->type, "path");
	lower_zero(l, out->reg, out->off, call->type->size);
	r = lower_typed_address(l, call_arg(call, 0), done, &args[0]);
	if (r < 0)
		return r;
	args[1] = val_address(l, out);
	args[2] = ir_const(l->f, call->type->size);
	len = ir_call(l->f, BPF_FUNC_d_path, 3, args);
	ir_br_imm(l->f, CC_SLT, len, 0, failed, done);
	ir_block_use(l->f, failed);
	lower_count_fault(l, len, BPF_FUNC_d_path);
	/* Of a path that is too long it has written a part. */
	lower_zero(l, out->reg, out->off, call->type->size);
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return 0;
}

/* ---- socket_cookie ---- */

/* Each begins with the one before it, in the end with what the helper takes. */
static bool is_socket(const char *name)
{
	static const char *const names[] = { "sock_common", "sock", "inet_sock", "inet_connection_sock", "tcp_sock",
					     "tcp6_sock", "udp_sock", "udp6_sock", "unix_sock", "raw_sock", "raw6_sock" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

/* A member under RCU: the verifier does not take it for an object whose cookie may be made. Of which struct? */
static const char *fleeting_of(const struct expr *e)
{
	static const char *const of[] = { "sk_buff", "request_sock", "request_sock_queue" };

	while (e->kind == EX_CAST)
		e = e->a;
	for (size_t i = 0; e->kind == EX_FIELD && str_eq(e->name, "sk") && i < ARRAY_SIZE(of); i++)
		if (str_eq(struct_name(e->a->type), of[i]))
			return of[i];
	return NULL;
}

static int socket_cookie_check(struct checker *c, struct expr *call)
{
	const char *of;
	const struct expr *arg = call_arg(call, 0);
	int r = typed_context_check(c, call);

	if (r < 0 || call_arg_unknown(call, 0))
		return r;
	if (arg->type->kind != TY_POINTER || !is_socket(struct_name(arg->type)))
		return check_error(c, arg->span, "socket_cookie() takes a pointer to a struct sock, and this is %s",
				   type_name(c->arena, arg->type));
	of = fleeting_of(arg);
	if (of) {
		check_error(c, arg->span, "the kernel does not take the sk of a struct %s for socket_cookie()", of);
		diag_hint(c->diags, "sk.__sk_common.skc_cookie.counter is the cookie, where there is one already");
		return -EINVAL;
	}
	return 0;
}

static int socket_cookie_emit(struct lower *l, struct expr *call, struct val *out)
{
	uint32_t done = ir_block_new(l->f, "cookie");
	vreg cookie = ir_vreg_new(l->f, "cookie"), sk;
	int r;

	ir_mov_to(l->f, cookie, ir_const(l->f, 0));
	r = lower_typed_address(l, call_arg(call, 0), done, &sk);
	if (r < 0)
		return r;
	ir_mov_to(l->f, cookie, ir_call(l->f, BPF_FUNC_get_socket_cookie, 1, &sk));
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	*out = val_of_reg(call->type, cookie);
	return 0;
}

func_family funcs_kernelobj = {
	{ "path", .signature = "string path(struct path *path[, int size])",
	  .summary = "the whole name of a file, of at most size bytes; in iter probes and the functions in which the "
		     "kernel allows it",
	  .min_args = 1, .max_args = 2, .check = path_check, .emit = path_emit },
	{ "socket_cookie", .signature = "uint64 socket_cookie(struct sock *sk)",
	  .summary = "a number of the socket that stays as long as it lives",
	  .min_args = 1, .max_args = 1, .flags = FUNC_OBJECT, .type = &type_uint64, .check = socket_cookie_check, .emit = socket_cookie_emit },
	{ 0 },
};
