/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lower, printf() of a program that stays behind: nobody formats what it sends, so the kernel does, into the
 * file that somebody reads (bpf_seq_printf). What it can format is less than what a session can.
 */
#include <errno.h>
#include <linux/bpf.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "code/lower_priv.h"
#include "lang/format.h"

/* Arguments the kernel takes (MAX_BPRINTF_VARARGS). */
#define MOST_ARGS 12

static const char *const conv_texts[] = {
	[CONV_D] = "lld", [CONV_U] = "llu", [CONV_X] = "llx", [CONV_XX] = "llX", [CONV_C] = "c", [CONV_P] = "llx",
};
static const char *const conv_texts_32[] = { [CONV_D] = "d", [CONV_U] = "u", [CONV_X] = "x", [CONV_XX] = "X" };

/* The conversion as the kernel writes it, for an argument of this type; NULL: it cannot. */
static const char *conv_text(const struct format_piece *p, const struct type *t)
{
	bool number = type_is_int(t) || t->kind == TY_POINTER;

	if (p->precision >= 0 || p->width_arg || p->int_bytes == 1 || p->int_bytes == 2 || (p->alt && p->conv != CONV_X))
		return NULL;
	if (p->conv == CONV_S && t->kind == TY_STRING)
		return "s";
	if (p->conv == CONV_S && t->kind == TY_INT)
		return t->is_signed ? "lld" : "llu";
	if (number && p->int_bytes == 4)
		return p->conv < ARRAY_SIZE(conv_texts_32) ? conv_texts_32[p->conv] : NULL;
	return number && p->conv < ARRAY_SIZE(conv_texts) ? conv_texts[p->conv] : NULL;
}

static void piece_text(struct strbuf *out, const struct format_piece *p, const char *conv)
{
	for (uint32_t i = 0; i < p->text_len; i++)
		strbuf_addf(out, p->text[i] == '%' ? "%%%%" : "%c", p->text[i]);
	if (!conv)
		return;
	if (p->conv == CONV_P || p->alt)
		strbuf_addstr(out, "0x");
	strbuf_addch(out, '%');
	for (const char *flag = "-0+ "; *flag; flag++)
		if ((*flag == '-' && p->left) || (*flag == '0' && p->zero) || (*flag == '+' && p->plus) ||
		    (*flag == ' ' && p->space))
			strbuf_addch(out, *flag);
	if (p->width)
		strbuf_addf(out, "%u", p->width);
	strbuf_addstr(out, conv);
}

/* A number goes as it is, a string by its address. */
static int arg_store(struct lower *l, struct expr *e, uint32_t data, uint32_t i)
{
	struct val v = { 0 };
	vreg word;
	int err = lower_expr(l, e, &v);

	if (err)
		return err;
	if (v.kind == VAL_MEM && v.type->kind == TY_STRING) {
		v = val_local(l, &v);
		word = val_address(l, &v);
	} else {
		word = val_scalar(l, &v);
	}
	ir_store(l->f, ir_slot_addr(l->f, data), (int32_t)i * 8, 8, word);
	return 0;
}

static int format_text(struct lower *l, const struct expr *call, struct strbuf *out)
{
	const struct format *f = call->data;

	vec_each(p, &f->pieces) {
		const struct expr *arg = p->conv != CONV_TEXT ? call->args.v[1 + p->arg] : NULL;
		const char *conv = arg ? conv_text(p, arg->type) : NULL;

		if (arg && !conv)
			return diag_error(l->diags, p->span, "the kernel cannot format %s like this for a pinned iterator: it "
					  "knows numbers (%%d %%u %%x %%c %%p) and strings (%%s), with a width",
					  type_name(l->arena, arg->type));
		piece_text(out, p, conv);
	}
	return out->failed ? -ENOMEM : 0;
}

/* The first word of the context is a struct bpf_iter_meta *, which begins with what to write to. */
static vreg seq_file(struct lower *l)
{
	return ir_load(l->f, ir_load(l->f, ir_ctx(l->f), 0, 8, false), 0, 8, false);
}

int lower_seq_printf(struct lower *l, struct expr *call)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	uint32_t n = call->args.n - 1, data = n ? ir_slot_new_on_stack(l->f, n * 8, 8, "args") : 0;
	int err = format_text(l, call, &text);
	vreg args[5];

	if (!err && n > MOST_ARGS)
		err = diag_error(l->diags, call->span, "printf() of a pinned iterator takes at most %d values", MOST_ARGS);
	for (uint32_t i = 0; !err && i < n; i++)
		err = arg_store(l, call->args.v[1 + i], data, i);
	if (err)
		return err;
	args[0] = seq_file(l);
	args[1] = ir_rodata(l->f, object_rodata(l->object, text.s, (uint32_t)text.len + 1, 8));
	args[2] = ir_const(l->f, (int64_t)text.len + 1);
	args[3] = n ? ir_slot_addr(l->f, data) : ir_const(l->f, 0);
	args[4] = ir_const(l->f, n * 8);
	ir_call(l->f, BPF_FUNC_seq_printf, 5, args);
	return 0;
}
