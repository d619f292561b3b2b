/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stack: addresses of code as names, alone and as stacks. A stack begins on a line of its own and has one
 * line per frame; how it reads follows from its mode (enum stack_mode).
 */
#include "view/parts.h"

#include <linux/bpf.h>

#include "base/util.h"

static bool kernel_name(const struct view *v, uint64_t addr, struct symbol *out)
{
	*out = (struct symbol){ 0 };
	return v->resolver && v->resolver->ksym && v->resolver->ksym(v->resolver->ctx, addr, out);
}

static bool user_name(const struct view *v, uint32_t pid, uint64_t addr, struct symbol *out)
{
	*out = (struct symbol){ 0 };
	return v->resolver && v->resolver->usym && v->resolver->usym(v->resolver->ctx, pid, addr, out);
}

void text_ksym(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	uint64_t addr = number_load(data, MIN(t->size, 8U), false);
	struct symbol sym;

	if (kernel_name(v, addr, &sym))
		strbuf_addstr(out, sym.name);
	else
		number_hex(out, addr);
}

/* The address, then the process as a u32. */
void text_usym(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	uint64_t addr = number_load(data, 8, false);
	struct symbol sym;

	(void)t;
	if (user_name(v, (uint32_t)number_load(data + 8, 4, false), addr, &sym))
		strbuf_addstr(out, sym.name);
	else
		number_hex(out, addr);
}

static void frame_begin(const struct view *v, struct strbuf *out, const struct type *t, uint64_t addr)
{
	if (t->param[1] == STACK_PERF)
		strbuf_addch(out, '\t');
	else if (t->param[1] == STACK_BPFTRACE)
		strbuf_fill(out, ' ', v->in_key ? 4 : 8);
	if (t->param[1] != STACK_BPFTRACE)
		strbuf_addf(out, "%llx", (unsigned long long)addr);
	if (t->param[1] == STACK_PERF)
		strbuf_addch(out, ' ');
}

/* "[inlined] name@file:line", "name+offset@file:line"; for perf "name (inlined)", "name+offset (module)". */
static void symbol_text(struct strbuf *out, const struct type *t, const struct symbol *sym)
{
	bool perf = t->param[1] == STACK_PERF;

	strbuf_addstr(out, sym->inlined && !perf ? "[inlined] " : "");
	strbuf_addstr(out, sym->name);
	if (!sym->inlined)
		strbuf_addf(out, "+%llu", (unsigned long long)sym->offset);
	if (sym->file && !perf)
		strbuf_addf(out, "@%s:%d", sym->file, sym->line);
	if (perf && sym->inlined)
		strbuf_addstr(out, " (inlined)");
}

uint32_t stack_names(const struct view *v, const struct stack_range *range, uint64_t addr, bool is_return,
		     struct symbol syms[MOST_INLINED])
{
	if (!range->user)
		return kernel_name(v, addr, syms);
	if (!v->resolver || !v->resolver->uframes)
		return 0;
	return v->resolver->uframes(v->resolver->ctx, range->pid, addr, is_return, syms, MOST_INLINED);
}

/* is_return: it is the address behind a call. */
static void frame_text(const struct view *v, struct strbuf *out, const struct type *t, const struct stack_range *range,
		       uint64_t addr, bool is_return)
{
	bool raw = t->param[1] == STACK_RAW;
	struct symbol syms[MOST_INLINED] = { 0 };
	uint32_t n = raw ? 0 : stack_names(v, range, addr, is_return, syms);

	for (uint32_t i = 0; i < MAX(n, 1U); i++) {
		frame_begin(v, out, t, addr);
		if (n)
			symbol_text(out, t, &syms[i]);
		else if (!raw)
			number_hex(out, addr);
		if (t->param[1] == STACK_PERF && range->user && !syms[i].inlined)
			strbuf_addf(out, " (%s)", syms[i].module ? syms[i].module : "[unknown]");
		strbuf_addch(out, '\n');
	}
}

static bool is_wrapper(const struct view *v, uint64_t addr)
{
	static const char *const names[] = { "bpf_prog_", "bpf_trace_run", "__bpf_trace_", "__traceiter_" };
	struct symbol sym;

	if (!kernel_name(v, addr, &sym))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_starts(sym.name, names[i]))
			return true;
	return false;
}

const uint8_t *stack_frame(const struct type *t, const uint8_t *data, uint32_t i)
{
	return data + 8 + (size_t)i * stack_frame_bytes(t->param[1]);
}

/* It comes last in a frame, also in one with a build id. */
uint64_t stack_address(const struct type *t, const uint8_t *data, uint32_t i)
{
	return number_load(stack_frame(t, data, i + 1) - 8, 8, false);
}

void build_id_text(struct strbuf *out, const uint8_t *frame)
{
	uint64_t where = number_load(frame + 24, 8, false);

	if (number_load(frame, 4, false) != BPF_STACK_BUILD_ID_VALID) {
		strbuf_addf(out, "%llx", (unsigned long long)where);
		return;
	}
	for (uint32_t i = 0; i < BPF_BUILD_ID_SIZE; i++)
		strbuf_addf(out, "%02x", frame[4 + i]);
	strbuf_addf(out, " 0x%02llx", (unsigned long long)where);
}

struct stack_range stack_range_of(const struct view *v, const struct type *t, const uint8_t *data)
{
	uint32_t n = (uint32_t)number_load(data, 4, false), pid = (uint32_t)number_load(data + 4, 4, false), i = 0;
	uint32_t room = (t->size - 8) / stack_frame_bytes(t->param[1]);

	n = MIN(n, room);
	if (t->kind == TY_KSTACK && pid)
		while (i < n && i < STACK_WRAPPERS && is_wrapper(v, stack_address(t, data, i)))
			i++;
	return (struct stack_range){ .first = i, .end = MIN(n, i + (uint32_t)t->param[0]),
		.pid = t->kind == TY_USTACK ? pid : 0, .user = t->kind == TY_USTACK };
}

void text_stack(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	struct stack_range range = stack_range_of(v, t, data);

	strbuf_addch(out, '\n');
	for (uint32_t i = range.first; i < range.end; i++) {
		if (t->param[1] != STACK_BUILD_ID) {
			frame_text(v, out, t, &range, stack_address(t, data, i), i > 0);
			continue;
		}
		build_id_text(out, stack_frame(t, data, i));
		strbuf_addch(out, '\n');
	}
}
