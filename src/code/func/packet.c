/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packet: skboutput() hands a packet, as it lies in the kernel's buffers, to the session, which writes it to a
 * capture file. The kernel's helper can copy packets into a perf buffer only, so they come their own way.
 */
#include <errno.h>
#include <linux/bpf.h>

#include "code/func/func_priv.h"
#include "lang/ktype.h"

/* The helper's flags have 20 bits for the length. */
#define MOST_BYTES 0xfffff

static bool is_packet(const struct type *t)
{
	return t->kind == TY_POINTER && t->elem->kind == TY_STRUCT && t->elem->name && str_eq(t->elem->name, "sk_buff");
}

/* What emit() needs to know. */
struct packet_data {
	const char *path;
	uint32_t len_offset; /* of the packet's length in struct sk_buff */
};

static const struct packet_data *packet_data(struct checker *c, const char *path)
{
	const struct type *t = c->env->struct_type ? c->env->struct_type(c->env->struct_type_ctx, "struct sk_buff") : NULL;
	const struct field *len = t ? type_field(t, "len") : NULL;
	struct packet_data *d = arena_new_of(c->arena, struct packet_data);

	if (!len || len->type->size != 4)
		return NULL;
	d->path = path;
	d->len_offset = len->offset;
	return d;
}

static int skboutput_check(struct checker *c, struct expr *call)
{
	const struct expr *skb = call_arg(call, 1);
	const char *path;
	int r = typed_context_check(c, call);

	r = r ? r : check_arg_literal_string(c, call, 0, &path);
	if (r || call_arg_unknown(call, 1))
		return r;
	if (!*path || strlen(path) >= 4096)
		return check_error(c, call_arg(call, 0)->span, "skboutput() needs the name of a file to write to");
	if (!is_packet(skb->type))
		return check_error(c, skb->span, "skboutput() takes a pointer to a struct sk_buff, and this is %s",
				   type_name(c->arena, skb->type));
	call->data = packet_data(c, path);
	if (!call->data)
		return check_error(c, skb->span, "the kernel's types do not describe struct sk_buff");
	r = check_arg_int(c, call, 2);
	return r ? r : check_arg_int(c, call, 3);
}

static uint32_t packets_map(struct lower *l)
{
	struct object_map map = { .name = MODULE_MAP_PACKETS, .type = BPF_MAP_TYPE_PERF_EVENT_ARRAY, .key_bytes = 4,
				  .value_bytes = 4 };

	for (uint32_t i = 0; i < l->object->maps.n; i++)
		if (str_eq(l->object->maps.v[i].name, map.name))
			return i;
	vec_push(l->arena, &l->object->maps, map);
	return l->object->maps.n - 1;
}

/* What is asked for, but no more than the packet has: the helper gives nothing at all then. */
static vreg bytes_of(struct lower *l, uint32_t len_offset, vreg skb, vreg wanted)
{
	uint32_t cut = ir_block_new(l->f, "cut"), done = ir_block_new(l->f, "length");
	vreg have = ir_load(l->f, skb, (int32_t)len_offset, 4, false), bytes = ir_vreg_new(l->f, "bytes");

	ir_mov_to(l->f, bytes, wanted);
	ir_br(l->f, CC_UGT, bytes, have, cut, done);
	ir_block_use(l->f, cut);
	ir_mov_to(l->f, bytes, have);
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return ir_bin_imm(l->f, IR_AND, bytes, MOST_BYTES);
}

static vreg header_of(struct lower *l, struct expr *call, const char *path, vreg offset, vreg bytes)
{
	struct site *site = lower_site(l, call);
	vreg header = ir_slot_addr(l->f, ir_slot_new(l->f, sizeof(struct packet_header), 8, "packet"));

	site->text = path;
	ir_store_imm(l->f, header, (int32_t)offsetof(struct packet_header, site), 4, site->id);
	ir_store(l->f, header, (int32_t)offsetof(struct packet_header, offset), 4, offset);
	ir_store(l->f, header, (int32_t)offsetof(struct packet_header, bytes), 4, bytes);
	ir_store_imm(l->f, header, (int32_t)offsetof(struct packet_header, pad), 4, 0);
	ir_store(l->f, header, (int32_t)offsetof(struct packet_header, time_ns), 8,
		 ir_call(l->f, BPF_FUNC_ktime_get_ns, 0, NULL));
	return header;
}

static int skboutput_emit(struct lower *l, struct expr *call, struct val *out)
{
	const struct packet_data *d = call->data;
	uint32_t none = ir_block_new(l->f, "no_packet"), lost = ir_block_new(l->f, "lost");
	vreg wanted, offset, skb, flags, args[5], result = ir_vreg_new(l->f, "result");
	int r = lower_scalar(l, call_arg(call, 2), &wanted);

	r = r ? r : lower_scalar(l, call_arg(call, 3), &offset);
	if (r)
		return r;
	ir_mov_to(l->f, result, ir_const(l->f, -EFAULT));
	r = lower_typed_address(l, call_arg(call, 1), none, &skb);
	if (r)
		return r;
	flags = bytes_of(l, d->len_offset, skb, ir_bin(l->f, IR_ADD, wanted, offset));
	args[2] = ir_bin_imm(l->f, IR_OR, ir_bin_imm(l->f, IR_SHL, flags, 32), (int64_t)BPF_F_CURRENT_CPU);
	args[0] = skb;
	args[1] = ir_map(l->f, packets_map(l));
	args[3] = header_of(l, call, d->path, offset, flags);
	args[4] = ir_const(l->f, sizeof(struct packet_header));
	ir_mov_to(l->f, result, ir_call(l->f, BPF_FUNC_skb_output, 5, args));
	ir_br_imm(l->f, CC_NE, result, 0, lost, none);
	ir_block_use(l->f, lost);
	lower_count(l, COUNTER_LOST);
	ir_jmp(l->f, none);
	ir_block_use(l->f, none);
	*out = val_of_reg(&type_int64, result);
	return 0;
}

func_family funcs_packet = {
	{ "skboutput", .signature = "int64 skboutput(string file, struct sk_buff *skb, int length, int offset)",
	  .summary = "write a packet to a capture file (pcap), from offset on and of at most length bytes; 0 when it was "
		     "handed on",
	  .min_args = 4, .max_args = 4, .flags = FUNC_OBJECT, .type = &type_int64, .check = skboutput_check, .emit = skboutput_emit },
	{ 0 },
};
