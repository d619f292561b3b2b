/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watch: what the clause calls that follows the argument of a function (see lang/check_follow.c). It has no place in
 * the language.
 */
#include <linux/bpf.h>
#include <signal.h>

#include "code/func/func_priv.h"
#include "code/watched.h"

static int watch_check(struct checker *c, struct expr *call)
{
	if (call_arg(call, 0)->kind != EX_INT || call_arg(call, 2)->kind != EX_INT)
		return check_error(c, call->span, "there is no function '%s'", call->name);
	return check_arg_address(c, call, 1);
}

static uint32_t watched_map(struct lower *l)
{
	struct object_map map = {
		.name = MODULE_MAP_WATCHED, .type = BPF_MAP_TYPE_HASH, .key_bytes = sizeof(struct watched_key),
		.value_bytes = 8, .max_entries = WATCHED_MOST,
	};

	for (uint32_t i = 0; i < l->object->maps.n; i++)
		if (!strcmp(l->object->maps.v[i].name, map.name))
			return i;
	vec_push(l->arena, &l->object->maps, map);
	l->module->follows = true;
	return l->object->maps.n - 1;
}

/* When the address is new: put it into the map, where the session finds it, and stop the process until it has. */
static int watch_emit(struct lower *l, struct expr *call, struct val *out)
{
	bool stop = call_arg(call, 2)->num != 0;
	uint32_t new = ir_block_new(l->f, "new"), done = ir_block_new(l->f, "known");
	uint32_t slot = ir_slot_new(l->f, sizeof(struct watched_key) + 8, 8, "watched");
	vreg address, key, args[4];
	int r = lower_scalar(l, call_arg(call, 1), &address);

	(void)out;
	if (r < 0)
		return r;
	key = ir_slot_addr(l->f, slot);
	ir_store(l->f, key, offsetof(struct watched_key, address), 8, address);
	ir_store_imm(l->f, key, offsetof(struct watched_key, follower), 8, (int64_t)call_arg(call, 0)->num);
	ir_store_imm(l->f, key, sizeof(struct watched_key), 8, stop ? WATCHED_ASKED_STOPPED : WATCHED_ASKED);
	args[0] = ir_map(l->f, watched_map(l));
	args[1] = key;
	args[2] = ir_bin_imm(l->f, IR_ADD, key, sizeof(struct watched_key));
	args[3] = ir_const(l->f, BPF_NOEXIST);
	ir_br_imm(l->f, CC_EQ, ir_call(l->f, BPF_FUNC_map_update_elem, 4, args), 0, new, done);
	ir_block_use(l->f, new);
	args[0] = ir_const(l->f, SIGSTOP);
	if (stop)
		ir_call(l->f, BPF_FUNC_send_signal, 1, args);
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return 0;
}

func_family funcs_watch = {
	{ "__watch", .signature = "void __watch(int follower, void *address, int stop)",
	  .summary = "the address is to be watched", .min_args = 3, .max_args = 3, .flags = FUNC_VOID | FUNC_HIDDEN,
	  .check = watch_check, .emit = watch_emit },
	{ 0 },
};
