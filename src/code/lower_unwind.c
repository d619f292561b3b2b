/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lower, unwinding: a user stack by what files say of their frames (code/unwind.h), for those that keep no
 * frame pointers. The kernel calls the function `unwind_N` once for each frame:
 *
 *   image = unwind_images[process]                      not there: note it as wanted, take frame pointers
 *   state = registers the process entered the kernel with
 *   bpf_loop(N, unwind_N, { image, &state, &frames, process }, 0)
 *
 * The state lies where the verifier knows nothing of it, or no two turns would look alike to it.
 */
#include <linux/bpf.h>
#include <stddef.h>

#include "base/util.h"
#include "code/lower_priv.h"
#include "code/unwind.h"
#include "kernel/kernel.h"

#define MOST_IMAGES 4096
#define MOST_NODES 32768 /* 8 million rules; 64 MiB when all are used */
#define MOST_WANTED 1024

/* What the callback is handed, all words. */
enum { LINK_IMAGE = 0, LINK_STATE = 8, LINK_FRAMES = 16, LINK_PROCESS = 24, LINK_BYTES = 32 };
/* `back` is 1 when ip is an address behind a call, which may be that of another function already. */
enum { STATE_IP = 0, STATE_SP = 8, STATE_BP = 16, STATE_N = 24, STATE_BACK = 32, STATE_BYTES = 40 };
/* The saved registers of a signal, from where the stack pointer is: rbp, rbx, rdx, rax, rcx, rsp, rip. */
enum { SIGNAL_AT = 120, SIGNAL_SP = 40, SIGNAL_IP = 48, SIGNAL_BYTES = 56 };
/* struct pt_regs, which is an interface. */
enum { REGS_BP = 32, REGS_IP = 128, REGS_CS = 136, REGS_SP = 152 };

/* The callback while it is built. */
struct unwinder {
	struct lower *l;
	struct ir_func *f;
	struct lower_unwind *maps;
	uint32_t stop;       /* block */
	vreg link, state, ip, sp, bp, pc;
	vreg words, key;     /* on the stack: what is read, keys */
};

/* ---- maps ---- */

static uint32_t map_add(struct lower *l, const char *name, uint32_t key, uint32_t value, uint32_t entries)
{
	/* What is not used takes no memory. */
	struct object_map map = {
		.name = name, .type = BPF_MAP_TYPE_HASH, .key_bytes = key, .value_bytes = value,
		.max_entries = entries, .flags = BPF_F_NO_PREALLOC,
	};

	vec_push(l->arena, &l->object->maps, map);
	return l->object->maps.n - 1;
}

static struct lower_unwind *maps_make(struct lower *l)
{
	struct lower_unwind *u = l->priv->unwind;

	if (u)
		return u;
	u = l->priv->unwind = arena_new_of(l->arena, struct lower_unwind);
	u->images = map_add(l, UNWIND_MAP_IMAGES, 8, sizeof(struct unwind_image), MOST_IMAGES);
	u->nodes = map_add(l, UNWIND_MAP_NODES, 4, sizeof(struct unwind_node), MOST_NODES);
	u->wanted = map_add(l, UNWIND_MAP_WANTED, 4, 4, MOST_WANTED);
	l->module->unwinds = true;
	return u;
}

static vreg lookup(struct ir_func *f, uint32_t map, vreg key)
{
	vreg args[] = { ir_map(f, map), key };

	return ir_call(f, BPF_FUNC_map_lookup_elem, 2, args);
}

/* ---- the callback ---- */

/* Building continues where `a cc b` does not hold. */
static void stop_if(struct unwinder *u, enum ir_cc cc, vreg a, vreg b)
{
	uint32_t on = ir_block_new(u->f, "on");

	ir_br(u->f, cc, a, b, u->stop, on);
	ir_block_use(u->f, on);
}

static void stop_if_imm(struct unwinder *u, enum ir_cc cc, vreg a, int64_t imm)
{
	uint32_t on = ir_block_new(u->f, "on");

	ir_br_imm(u->f, cc, a, imm, u->stop, on);
	ir_block_use(u->f, on);
}

/* n bytes of the process, into u->words. */
static void words_read(struct unwinder *u, vreg from, uint32_t n)
{
	vreg args[] = { u->words, ir_const(u->f, n), from };

	stop_if_imm(u, CC_NE, ir_call(u->f, BPF_FUNC_probe_read_user, 3, args), 0);
}

/*
 * The place of the last of n sorted numbers that is not above `what`, in bytes from the first: its bits are
 * found from the highest on. A number of `size` bytes and `what` differ by less than 2^63.
 */
static vreg search(struct unwinder *u, vreg base, uint32_t n, uint8_t size, vreg what)
{
	vreg at = ir_vreg_new(u->f, "at");

	ir_mov_to(u->f, at, ir_const(u->f, 0));
	for (uint32_t step = n / 2 * size; step >= size; step /= 2) {
		vreg there = ir_load(u->f, ir_bin(u->f, IR_ADD, base, at), (int32_t)step, size, false);
		vreg less = ir_bin_imm(u->f, IR_SUB, ir_bin(u->f, IR_SUB, there, what), 1);

		/* The sign as a number: a mask of it is what newer verifiers follow for both its values. */
		less = ir_bin_imm(u->f, IR_SHL, ir_bin_imm(u->f, IR_SHR, less, 63), __builtin_ctz(step));
		/* Added, because Linux before 6.8 has no bounds for what has been or'ed. */
		ir_mov_to(u->f, at, ir_bin(u->f, IR_ADD, at, less));
	}
	return at;
}

/* Into image and at: the entry that holds the address, which may be in another part of the image. */
static void image_search(struct unwinder *u, vreg image, vreg at)
{
	uint32_t part = ir_block_new(u->f, "part"), found = ir_block_new(u->f, "found");
	vreg tree, key;

	ir_mov_to(u->f, image, ir_load(u->f, u->link, LINK_IMAGE, 8, false));
	ir_mov_to(u->f, at, search(u, image, UNWIND_IMAGE_ENTRIES, 8, u->pc));
	tree = ir_load(u->f, ir_bin(u->f, IR_ADD, image, at), offsetof(struct unwind_image, tree), 8, false);
	ir_br_imm(u->f, CC_EQ, ir_bin_imm(u->f, IR_SHR, tree, 32), UNWIND_PART, part, found);
	ir_block_use(u->f, part);
	key = ir_bin(u->f, IR_OR, ir_bin_imm(u->f, IR_SHL, tree, 32), ir_load(u->f, u->link, LINK_PROCESS, 8, false));
	ir_store(u->f, u->key, 0, 8, key);
	ir_mov_to(u->f, image, lookup(u->f, u->maps->images, u->key));
	stop_if_imm(u, CC_EQ, image, 0);
	ir_mov_to(u->f, at, search(u, image, UNWIND_IMAGE_ENTRIES, 8, u->pc));
	ir_jmp(u->f, found);
	ir_block_use(u->f, found);
}

/* One level down, into `to`. */
static void node_search(struct unwinder *u, vreg to, vreg pc)
{
	vreg node, at;

	ir_store(u->f, u->key, 0, 4, to);
	node = lookup(u->f, u->maps->nodes, u->key);
	stop_if_imm(u, CC_EQ, node, 0);
	at = search(u, node, UNWIND_NODE_ENTRIES, 4, pc);
	ir_mov_to(u->f, to, ir_load(u->f, ir_bin(u->f, IR_ADD, node, at), offsetof(struct unwind_node, to), 4, false));
}

/* The rule at u->pc. */
static vreg rule_find(struct unwinder *u)
{
	uint32_t tree = ir_block_new(u->f, "tree"), have = ir_block_new(u->f, "rule");
	vreg image = ir_vreg_new(u->f, "image"), at = ir_vreg_new(u->f, "entry"), rule = ir_vreg_new(u->f, "rule");
	vreg entry, levels, pc;

	image_search(u, image, at);
	entry = ir_bin(u->f, IR_ADD, image, at);
	pc = ir_bin(u->f, IR_SUB, u->pc, ir_load(u->f, entry, offsetof(struct unwind_image, bias), 8, false));
	levels = ir_load(u->f, entry, offsetof(struct unwind_image, tree[0].levels), 4, false);
	ir_mov_to(u->f, rule, ir_load(u->f, entry, offsetof(struct unwind_image, tree[0].root), 4, false));
	ir_br_imm(u->f, CC_NE, levels, 0, tree, have);
	ir_block_use(u->f, tree);
	for (int64_t level = UNWIND_MOST_LEVELS; level > 1; level--) {
		uint32_t down = ir_block_new(u->f, "down"), next = ir_block_new(u->f, "level");

		ir_br_imm(u->f, CC_UGE, levels, level, down, next);
		ir_block_use(u->f, down);
		node_search(u, rule, pc);
		ir_jmp(u->f, next);
		ir_block_use(u->f, next);
	}
	node_search(u, rule, pc);
	ir_jmp(u->f, have);
	ir_block_use(u->f, have);
	return rule;
}

static void state_set(struct unwinder *u, vreg ip, vreg sp, vreg bp, int64_t back)
{
	ir_store(u->f, u->state, STATE_IP, 8, ip);
	ir_store(u->f, u->state, STATE_SP, 8, sp);
	ir_store(u->f, u->state, STATE_BP, 8, bp);
	ir_store_imm(u->f, u->state, STATE_BACK, 8, back);
	ir_ret_imm(u->f, 0);
}

/* The kernel has put the registers where the stack pointer is now. */
static void signal_step(struct unwinder *u)
{
	words_read(u, ir_bin_imm(u->f, IR_ADD, u->sp, SIGNAL_AT), SIGNAL_BYTES);
	state_set(u, ir_load(u->f, u->words, SIGNAL_IP, 8, false), ir_load(u->f, u->words, SIGNAL_SP, 8, false),
		  ir_load(u->f, u->words, 0, 8, false), 0);
}

/*
 * Code of which nothing is said and that has no frame pointer either: where a function ends right behind the call
 * ("add rsp, N; ret"), as those do by which Python names its frames, the way back is in the code. Of that the CFA is
 * made and building continues in `have`.
 */
#define END_BYTES 0xc300c48348LL
#define END_MASK 0xff00ffffffLL
enum { END_SHIFT = 24, END_MOST = 0x7f };

static void end_step(struct unwinder *u, vreg cfa, uint32_t have)
{
	uint32_t there = ir_block_new(u->f, "code"), is_end = ir_block_new(u->f, "end");
	uint32_t other = ir_block_new(u->f, "other");
	vreg args[] = { u->words, ir_const(u->f, 8), u->ip }, code, n;

	ir_br_imm(u->f, CC_EQ, ir_call(u->f, BPF_FUNC_probe_read_user, 3, args), 0, there, other);
	ir_block_use(u->f, there);
	code = ir_load(u->f, u->words, 0, 8, false);
	ir_br(u->f, CC_EQ, ir_bin(u->f, IR_AND, code, ir_const(u->f, END_MASK)), ir_const(u->f, END_BYTES), is_end, other);
	ir_block_use(u->f, is_end);
	n = ir_bin_imm(u->f, IR_AND, ir_bin_imm(u->f, IR_SHR, code, END_SHIFT), END_MOST);
	ir_mov_to(u->f, cfa, ir_bin_imm(u->f, IR_ADD, ir_bin(u->f, IR_ADD, u->sp, n), 8));
	ir_jmp(u->f, have);
	ir_block_use(u->f, other);
}

/* Other code of which nothing is said, such as is made at run time, mostly has frame pointers. */
static void frame_step(struct unwinder *u)
{
	vreg ip;

	stop_if(u, CC_ULT, u->bp, u->sp);
	words_read(u, u->bp, 16);
	ip = ir_load(u->f, u->words, 8, 8, false);
	stop_if_imm(u, CC_EQ, ip, 0);
	state_set(u, ip, ir_bin_imm(u->f, IR_ADD, u->bp, 16), ir_load(u->f, u->words, 0, 8, false), 1);
}

/* Where rbp is saved elsewhere than beside the return address. */
static void saved_read(struct unwinder *u, vreg bp, vreg at, uint32_t done)
{
	words_read(u, at, 8);
	ir_mov_to(u->f, bp, ir_load(u->f, u->words, 0, 8, false));
	ir_jmp(u->f, done);
}

/* The caller, by the CFA. `saved` words below it lies rbp, or at rbp itself. */
static void call_step(struct unwinder *u, vreg cfa, vreg saved, vreg base)
{
	uint32_t is_saved = ir_block_new(u->f, "saved"), far = ir_block_new(u->f, "far");
	uint32_t own = ir_block_new(u->f, "own"), below = ir_block_new(u->f, "below");
	uint32_t near = ir_block_new(u->f, "near"), done = ir_block_new(u->f, "step");
	vreg ip, bp = ir_vreg_new(u->f, "bp");

	stop_if(u, CC_ULE, cfa, u->sp);
	words_read(u, ir_bin_imm(u->f, IR_SUB, cfa, 16), 16);
	ip = ir_load(u->f, u->words, 8, 8, false);
	stop_if_imm(u, CC_EQ, ip, 0);
	ir_mov_to(u->f, bp, u->bp);
	ir_br_imm(u->f, CC_NE, saved, 0, is_saved, done);
	ir_block_use(u->f, is_saved);
	ir_br_imm(u->f, CC_EQ, base, UNWIND_AT_RBP, own, near);
	ir_block_use(u->f, own);
	saved_read(u, bp, u->bp, done);
	ir_block_use(u->f, near);
	ir_br_imm(u->f, CC_EQ, saved, 2, below, far);
	ir_block_use(u->f, below);
	ir_mov_to(u->f, bp, ir_load(u->f, u->words, 0, 8, false));
	ir_jmp(u->f, done);
	ir_block_use(u->f, far);
	saved_read(u, bp, ir_bin(u->f, IR_SUB, cfa, ir_bin_imm(u->f, IR_SHL, saved, 3)), done);
	ir_block_use(u->f, done);
	state_set(u, ip, cfa, bp, 1);
}

/* Building continues in `yes` when x is n, else right behind. */
static void case_of(struct unwinder *u, vreg x, int64_t n, uint32_t yes)
{
	uint32_t no = ir_block_new(u->f, "no");

	ir_br_imm(u->f, CC_EQ, x, n, yes, no);
	ir_block_use(u->f, no);
}

/* What is special; of stubs the CFA is made and building continues in `have`. */
static void special_step(struct unwinder *u, vreg which, vreg cfa, uint32_t have)
{
	uint32_t signal = ir_block_new(u->f, "signal"), gap = ir_block_new(u->f, "gap");
	uint32_t stub_10 = ir_block_new(u->f, "stub_10"), stub_11 = ir_block_new(u->f, "stub_11");
	struct { uint32_t block; int64_t from; } stubs[] = { { stub_10, 10 }, { stub_11, 11 } };

	case_of(u, which, UNWIND_GAP, gap);
	case_of(u, which, UNWIND_SIGNAL, signal);
	case_of(u, which, UNWIND_STUB_10, stub_10);
	ir_br_imm(u->f, CC_EQ, which, UNWIND_STUB_11, stub_11, u->stop);
	ir_block_use(u->f, gap);
	end_step(u, cfa, have);
	frame_step(u);
	ir_block_use(u->f, signal);
	signal_step(u);
	for (size_t i = 0; i < ARRAY_SIZE(stubs); i++) {
		vreg pushed;

		ir_block_use(u->f, stubs[i].block);
		pushed = ir_setcc_imm(u->f, CC_UGE, ir_bin_imm(u->f, IR_AND, u->ip, 15), stubs[i].from);
		pushed = ir_bin_imm(u->f, IR_SHL, pushed, 3);
		ir_mov_to(u->f, cfa, ir_bin_imm(u->f, IR_ADD, ir_bin(u->f, IR_ADD, u->sp, pushed), 8));
		ir_jmp(u->f, have);
	}
}

/* As the rule says. */
static void rule_step(struct unwinder *u, vreg rule)
{
	uint32_t by_sp = ir_block_new(u->f, "by_sp"), by_bp = ir_block_new(u->f, "by_bp");
	uint32_t at_bp = ir_block_new(u->f, "at_bp"), have = ir_block_new(u->f, "cfa");
	vreg cfa = ir_vreg_new(u->f, "cfa"), base, saved, bytes;

	base = ir_bin_imm(u->f, IR_AND, rule, 3);
	saved = ir_bin_imm(u->f, IR_AND, ir_bin_imm(u->f, IR_SHR, rule, 2), UNWIND_MOST_SAVED);
	bytes = ir_bin_imm(u->f, IR_SHL, ir_bin_imm(u->f, IR_SHR, rule, 8), 3);
	case_of(u, base, UNWIND_RSP, by_sp);
	case_of(u, base, UNWIND_RBP, by_bp);
	case_of(u, base, UNWIND_AT_RBP, at_bp);
	special_step(u, ir_bin_imm(u->f, IR_SHR, rule, 8), cfa, have);
	ir_block_use(u->f, by_sp);
	ir_mov_to(u->f, cfa, ir_bin(u->f, IR_ADD, u->sp, bytes));
	ir_jmp(u->f, have);
	ir_block_use(u->f, by_bp);
	ir_mov_to(u->f, cfa, ir_bin(u->f, IR_ADD, u->bp, bytes));
	ir_jmp(u->f, have);
	ir_block_use(u->f, at_bp);
	words_read(u, ir_bin(u->f, IR_SUB, u->bp, bytes), 8);
	ir_mov_to(u->f, cfa, ir_load(u->f, u->words, 0, 8, false));
	ir_jmp(u->f, have);
	ir_block_use(u->f, have);
	call_step(u, cfa, saved, base);
}

/* Keep the frame that has been found; what there is room for is enough. */
static void frame_keep(struct unwinder *u, uint32_t most)
{
	vreg n = ir_load(u->f, u->state, STATE_N, 8, false), at;

	stop_if_imm(u, CC_UGE, n, most);
	u->ip = ir_load(u->f, u->state, STATE_IP, 8, false);
	at = ir_bin(u->f, IR_ADD, ir_load(u->f, u->link, LINK_FRAMES, 8, false), ir_bin_imm(u->f, IR_SHL, n, 3));
	ir_store(u->f, at, 0, 8, u->ip);
	n = ir_bin_imm(u->f, IR_ADD, n, 1);
	ir_store(u->f, u->state, STATE_N, 8, n);
	stop_if_imm(u, CC_UGE, n, most);
}

/* callback(index, link): 0 go on, 1 stop */
static void callback_build(struct unwinder *u, uint32_t most)
{
	struct ir_func *f = u->f;

	u->stop = ir_block_new(f, "stop");
	u->link = ir_arg(f, 1);
	u->state = ir_load(f, u->link, LINK_STATE, 8, false);
	u->words = ir_slot_addr(f, ir_slot_new_on_stack(f, SIGNAL_BYTES, 8, "words"));
	u->key = ir_slot_addr(f, ir_slot_new_on_stack(f, 8, 8, "key"));
	frame_keep(u, most);
	u->sp = ir_load(f, u->state, STATE_SP, 8, false);
	u->bp = ir_load(f, u->state, STATE_BP, 8, false);
	u->pc = ir_bin(f, IR_SUB, u->ip, ir_load(f, u->state, STATE_BACK, 8, false));
	rule_step(u, rule_find(u));
	ir_block_use(f, u->stop);
	ir_ret_imm(f, 1);
}

static uint32_t callback_of(struct lower *l, struct lower_unwind *maps, uint32_t most)
{
	struct lower_priv *p = l->priv;
	struct unwind_callback new = { .frames = most, .number = p->nprograms + p->funcs.n };
	struct unwinder u = { .l = l, .maps = maps };

	vec_each(c, &maps->callbacks)
		if (c->frames == most)
			return c->number;
	u.f = ir_func_new(l->arena, arena_printf(l->arena, "unwind_%u", most));
	u.f->is_subprog = true;
	u.f->nargs = 2;
	u.f->span = l->f->span;
	callback_build(&u, most);
	vec_push(l->arena, &p->funcs, u.f);
	vec_push(l->arena, &maps->callbacks, new);
	return new.number;
}

/* ---- where the stack is wanted ---- */

/* Tell the session that the process is not known. */
static void wanted_note(struct lower *l, const struct lower_unwind *maps, vreg pid)
{
	uint32_t again = ir_block_new(l->f, "again"), first = ir_block_new(l->f, "first");
	uint32_t on = ir_block_new(l->f, "noted");
	vreg words = ir_slot_addr(l->f, ir_slot_new_on_stack(l->f, 8, 8, "wanted")), there, args[4];

	ir_store(l->f, words, 0, 4, pid);
	there = lookup(l->f, maps->wanted, words);
	ir_br_imm(l->f, CC_NE, there, 0, again, first);
	ir_block_use(l->f, again);
	ir_atomic_add(l->f, there, 0, 4, ir_const(l->f, 1), false);
	ir_jmp(l->f, on);
	ir_block_use(l->f, first);
	ir_store_imm(l->f, words, 4, 4, 1);
	args[0] = ir_map(l->f, maps->wanted);
	args[1] = words;
	args[2] = ir_bin_imm(l->f, IR_ADD, words, 4);
	args[3] = ir_const(l->f, BPF_ANY);
	ir_call(l->f, BPF_FUNC_map_update_elem, 4, args);
	ir_jmp(l->f, on);
	ir_block_use(l->f, on);
}

/* The registers with which the current task has entered the kernel; in `none` when it is one of the kernel's own. */
static void state_begin(struct lower *l, vreg state, uint32_t none)
{
	uint32_t user = ir_block_new(l->f, "user");
	vreg task = ir_call(l->f, BPF_FUNC_get_current_task_btf, 0, NULL);
	vreg regs = ir_call(l->f, BPF_FUNC_task_pt_regs, 1, &task);

	ir_br_imm(l->f, CC_SET, ir_load(l->f, regs, REGS_CS, 8, false), 3, user, none);
	ir_block_use(l->f, user);
	ir_store(l->f, state, STATE_IP, 8, ir_load(l->f, regs, REGS_IP, 8, false));
	ir_store(l->f, state, STATE_SP, 8, ir_load(l->f, regs, REGS_SP, 8, false));
	ir_store(l->f, state, STATE_BP, 8, ir_load(l->f, regs, REGS_BP, 8, false));
	ir_store_imm(l->f, state, STATE_N, 8, 0);
	ir_store_imm(l->f, state, STATE_BACK, 8, 0);
}

static vreg state_slot(struct lower *l)
{
	uint32_t slot = ir_slot_new(l->f, STATE_BYTES, 8, "unwind");

	l->f->slots.v[slot].off_stack = true;
	return ir_slot_addr(l->f, slot);
}

static void walk(struct lower *l, struct lower_unwind *maps, vreg image, vreg pid, vreg frames, uint32_t most,
		 vreg state)
{
	vreg link = ir_slot_addr(l->f, ir_slot_new_on_stack(l->f, LINK_BYTES, 8, "link"));
	vreg args[] = { ir_const(l->f, most), ir_func_addr(l->f, callback_of(l, maps, most)), link, ir_const(l->f, 0) };

	ir_store(l->f, link, LINK_IMAGE, 8, image);
	ir_store(l->f, link, LINK_STATE, 8, state);
	ir_store(l->f, link, LINK_FRAMES, 8, frames);
	ir_store(l->f, link, LINK_PROCESS, 8, pid);
	ir_call(l->f, BPF_FUNC_loop, 4, args);
}

bool lower_unwind(struct lower *l, vreg pid, const struct val *frames, uint32_t most, vreg n, uint32_t pointers,
		  uint32_t done)
{
	uint32_t known = ir_block_new(l->f, "known"), not = ir_block_new(l->f, "unknown");
	uint32_t go = ir_block_new(l->f, "unwind");
	struct lower_unwind *maps;
	vreg key, image, state;

	if (!UNWIND_HERE || !kernel_unwinds())
		return false;
	maps = maps_make(l);
	ir_mov_to(l->f, n, ir_const(l->f, 0));
	key = ir_slot_addr(l->f, ir_slot_new_on_stack(l->f, 8, 8, "process"));
	ir_store(l->f, key, 0, 8, pid);
	image = lookup(l->f, maps->images, key);
	ir_br_imm(l->f, CC_NE, image, 0, known, not);
	ir_block_use(l->f, not);
	wanted_note(l, maps, pid);
	ir_jmp(l->f, pointers);
	ir_block_use(l->f, known);
	ir_br_imm(l->f, CC_EQ, ir_load(l->f, image, offsetof(struct unwind_image, tree[0].levels), 4, false),
		  UNWIND_FRAMES, pointers, go);
	ir_block_use(l->f, go);
	lower_zero(l, frames->reg, frames->off, most * 8);
	state = state_slot(l);
	state_begin(l, state, done);
	walk(l, maps, image, pid, val_address(l, frames), most, state);
	ir_mov_to(l->f, n, ir_load(l->f, state, STATE_N, 8, false));
	/* One frame alone: the process may just have executed another program, which is not known yet. */
	ir_br_imm(l->f, CC_UGT, n, 1, done, pointers);
	return true;
}
