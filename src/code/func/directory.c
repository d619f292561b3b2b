/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directory: where in the tree of files the thread that runs stands, put together in the kernel. It knows no name of a
 * directory as a whole, only each one's own and where it hangs; so the text is written from its end.
 */
#include <errno.h>

#include "code/func/func_priv.h"
#include "code/module.h"
#include "kernel/kernel.h"

#define MOST_NAME 255      /* bytes of one directory's name (NAME_MAX) */
#define MOST_STEPS 64      /* directories and mounts, from the innermost; the verifier walks each of them */
#define DEFAULT_STEPS 32

/* Where the members lie that the way goes by. */
struct way {
	uint32_t fs, pwd_dentry, pwd_mount;    /* of the task; of its fs_struct */
	uint32_t parent, name, name_bytes;     /* of a dentry */
	uint32_t mount, root, above, hangs_at; /* of a mount: its vfsmount, the root of that; the mount above, and where */
};

/* ---- check ---- */

struct member {
	const char *of, *name;
	uint32_t *to;
};

static struct way *way_find(struct checker *c, const struct expr *call)
{
	struct kernel *k = c->env->probe->kernel;
	struct way *w = arena_new_of(c->arena, struct way);
	uint32_t pwd, dentry, mnt, qstr, text, len, root;
	const struct member members[] = {
		{ "task_struct", "fs", &w->fs }, { "fs_struct", "pwd", &pwd }, { "path", "dentry", &dentry },
		{ "path", "mnt", &mnt }, { "dentry", "d_parent", &w->parent }, { "dentry", "d_name", &qstr },
		{ "qstr", "name", &text }, { "qstr", "len", &len }, { "mount", "mnt", &w->mount },
		{ "vfsmount", "mnt_root", &root }, { "mount", "mnt_parent", &w->above },
		{ "mount", "mnt_mountpoint", &w->hangs_at },
	};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (!kernel_member_offset(k, members[i].of, members[i].name, members[i].to))
			continue;
		check_error(c, call->span, "%s needs the kernel's types, which this kernel does not tell", call->name);
		return NULL;
	}
	w->pwd_dentry = pwd + dentry;
	w->pwd_mount = pwd + mnt;
	w->name = qstr + text;
	w->name_bytes = qstr + len;
	w->root = w->mount + root;
	return w;
}

static int directory_check(struct checker *c, struct expr *call)
{
	call->type = type_string(c->arena, c->env->config.max_strlen);
	if (!call->data)
		call->data = way_find(c, call);
	return call->data ? 0 : -EINVAL;
}

static int abs_path_check(struct checker *c, struct expr *call)
{
	int r;

	if (call_arg_unknown(call, 0) || (call->args.n > 1 && call_arg_unknown(call, 1)))
		return 0;
	r = text_arg_check(c, call, 0);
	r = r || call->args.n < 2 ? r : check_arg_int(c, call, 1);
	return r < 0 ? r : directory_check(c, call);
}

/* ---- the walk ---- */

struct walk {
	const struct way *way;
	uint32_t room;      /* bytes of text there is room for in front of `end` */
	struct val text;    /* room bytes, its NUL, and what the verifier takes a name to write beyond */
	vreg at;            /* where in it the text begins so far */
	vreg dentry, mount; /* where we stand */
	vreg steps;
};

static vreg read_number(struct lower *l, vreg from, uint32_t off, uint8_t bytes)
{
	struct val word = val_slot(l, type_integer(bytes, false), "member");

	lower_probe_read(l, word.reg, word.off, bytes, ir_bin_imm(l->f, IR_ADD, from, off), SPACE_KERNEL);
	return val_scalar(l, &word);
}

/* At the root of what is mounted: go on where that hangs, or end where nothing is above. */
static void go_up(struct lower *l, const struct walk *w, uint32_t next, uint32_t end)
{
	uint32_t hangs = ir_block_new(l->f, "hangs");
	vreg above = read_number(l, w->mount, w->way->above, 8);

	ir_br(l->f, CC_EQ, above, w->mount, end, hangs);
	ir_block_use(l->f, hangs);
	ir_mov_to(l->f, w->dentry, read_number(l, w->mount, w->way->hangs_at, 8));
	ir_mov_to(l->f, w->mount, above);
	ir_jmp(l->f, next);
}

/* "/NAME" in front of what is there. */
static void name_put(struct lower *l, const struct walk *w, uint32_t next, uint32_t end)
{
	uint32_t known = ir_block_new(l->f, "known"), fits = ir_block_new(l->f, "fits"), cut = ir_block_new(l->f, "cut");
	vreg len = read_number(l, w->dentry, w->way->name_bytes, 4), to, args[3];

	ir_br_imm(l->f, CC_ULE, len, MOST_NAME, known, end);
	ir_block_use(l->f, known);
	/* One name may be the longest there is: so the verifier sees that it fits. */
	ir_br_imm(l->f, CC_UGT, w->at, MOST_NAME + 1, fits, cut);
	ir_block_use(l->f, cut);
	lower_count(l, COUNTER_TRUNCATED);
	ir_jmp(l->f, end);
	ir_block_use(l->f, fits);
	ir_mov_to(l->f, w->at, ir_bin_imm(l->f, IR_SUB, ir_bin(l->f, IR_SUB, w->at, len), 1));
	to = ir_bin(l->f, IR_ADD, val_address(l, &w->text), w->at);
	ir_store_imm(l->f, to, 0, 1, '/');
	args[0] = ir_bin_imm(l->f, IR_ADD, to, 1);
	args[1] = len;
	args[2] = read_number(l, w->dentry, w->way->name, 8);
	lower_count_fault(l, ir_call(l->f, BPF_FUNC_probe_read_kernel, 3, args), BPF_FUNC_probe_read_kernel);
	ir_jmp(l->f, next);
}

static void step(struct lower *l, const struct walk *w, uint32_t end)
{
	uint32_t inside = ir_block_new(l->f, "inside"), up = ir_block_new(l->f, "up"), named = ir_block_new(l->f, "named");
	uint32_t next = ir_block_new(l->f, "next"), go = ir_block_new(l->f, "parent");
	vreg parent, root = read_number(l, w->mount, w->way->root, 8);

	ir_br(l->f, CC_EQ, w->dentry, root, up, inside);
	ir_block_use(l->f, inside);
	parent = read_number(l, w->dentry, w->way->parent, 8);
	ir_br(l->f, CC_EQ, w->dentry, parent, up, named);
	ir_block_use(l->f, up);
	go_up(l, w, next, end);
	ir_block_use(l->f, named);
	name_put(l, w, go, end);
	ir_block_use(l->f, go);
	ir_mov_to(l->f, w->dentry, parent);
	ir_jmp(l->f, next);
	ir_block_use(l->f, next);
}

static vreg variable(struct lower *l, const char *name, vreg value)
{
	vreg v = ir_vreg_new(l->f, name);

	ir_mov_to(l->f, v, value);
	return v;
}

/* The address of the text: "/home/x/", "/". */
static vreg directory(struct lower *l, const struct way *way, vreg steps)
{
	uint32_t head = ir_block_new(l->f, "walk"), more = ir_block_new(l->f, "more"), body = ir_block_new(l->f, "step");
	uint32_t end = ir_block_new(l->f, "top");
	struct walk w = { .way = way, .room = l->config->max_strlen + MOST_NAME + 1 };
	vreg fs, i;

	w.text = val_slot(l, type_string(l->arena, w.room + 1 + MOST_NAME), "directory");
	lower_zero(l, w.text.reg, w.text.off, w.text.type->size);
	ir_store_imm(l->f, w.text.reg, w.text.off + (int32_t)w.room - 1, 1, '/');
	w.at = variable(l, "at", ir_const(l->f, w.room - 1));
	fs = read_number(l, ir_call_pure(l->f, BPF_FUNC_get_current_task, 0, NULL), way->fs, 8);
	w.dentry = variable(l, "dentry", read_number(l, fs, way->pwd_dentry, 8));
	w.mount = variable(l, "mount", ir_bin_imm(l->f, IR_SUB, read_number(l, fs, way->pwd_mount, 8), way->mount));
	i = variable(l, "i", ir_const(l->f, 0));
	ir_jmp(l->f, head);
	ir_block_use(l->f, head);
	ir_br_imm(l->f, CC_ULT, i, MOST_STEPS, more, end);
	ir_block_use(l->f, more);
	ir_br(l->f, CC_ULT, i, steps, body, end);
	ir_block_use(l->f, body);
	step(l, &w, end);
	ir_mov_to(l->f, i, ir_bin_imm(l->f, IR_ADD, i, 1));
	ir_jmp(l->f, head);
	ir_block_use(l->f, end);
	return ir_bin(l->f, IR_ADD, val_address(l, &w.text), w.at);
}

/* ---- emit ---- */

static int cwd_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg from = directory(l, call->data, ir_const(l->f, DEFAULT_STEPS));

	*out = lower_result(l, call->type, "cwd");
	lower_probe_read_str(l, out->reg, out->off, call->type->size, from, SPACE_KERNEL);
	return 0;
}

/* Puts what the text is relative to into `out`; its length. */
static int directory_put(struct lower *l, struct expr *call, const struct val *text, const struct val *out, vreg *len)
{
	uint32_t relative = ir_block_new(l->f, "relative"), done = ir_block_new(l->f, "absolute");
	vreg args[3], steps = ir_const(l->f, DEFAULT_STEPS), first = ir_load(l->f, text->reg, text->off, 1, false);
	int r = call->args.n > 1 ? lower_scalar(l, call_arg(call, 1), &steps) : 0;

	if (r)
		return r;
	*len = variable(l, "length", ir_const(l->f, 0));
	ir_br_imm(l->f, CC_EQ, first, '/', done, relative);
	ir_block_use(l->f, relative);
	args[2] = directory(l, call->data, steps);
	args[0] = val_address(l, out);
	args[1] = ir_const(l->f, call->type->size);
	ir_mov_to(l->f, *len, ir_bin_imm(l->f, IR_SUB, ir_call(l->f, BPF_FUNC_probe_read_kernel_str, 3, args), 1));
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return 0;
}

/* As str_concat() does it: with room for both at their longest, of which the value is the beginning. */
static int abs_path_emit(struct lower *l, struct expr *call, struct val *out)
{
	uint32_t most = text_capacity(l, call_arg(call, 0)->type), size = call->type->size;
	uint32_t fits = ir_block_new(l->f, "fits"), done = ir_block_new(l->f, "whole");
	vreg args[3], len;
	struct val text;
	int r = text_local(l, call_arg(call, 0), &text);

	if (r)
		return r;
	*out = val_slot(l, type_string(l->arena, size + most), "abs_path");
	lower_zero(l, out->reg, out->off, out->type->size);
	out->type = call->type;
	r = directory_put(l, call, &text, out, &len);
	if (r)
		return r;
	ir_br_imm(l->f, CC_ULT, len, size, fits, done);
	ir_block_use(l->f, fits);
	args[0] = ir_bin(l->f, IR_ADD, val_address(l, out), len);
	args[1] = ir_const(l->f, most);
	args[2] = val_address(l, &text);
	ir_call(l->f, BPF_FUNC_probe_read_kernel_str, 3, args);
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	ir_store_imm(l->f, out->reg, out->off + (int32_t)size - 1, 1, 0);
	return 0;
}

func_family funcs_directory = {
	{ "cwd", .signature = "string cwd", .summary = "the directory in which the thread that runs stands, with a / at its end",
	  .flags = FUNC_BARE, .check = directory_check, .emit = cwd_emit },
	{ "abs_path", .signature = "string abs_path(string path[, int steps])",
	  .summary = "the path as seen from the root: behind cwd unless it begins with /; of at most so many directories (32)",
	  .min_args = 1, .max_args = 2, .check = abs_path_check, .emit = abs_path_emit },
	{ 0 },
};
