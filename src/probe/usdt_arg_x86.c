/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Usdt_arg_x86: operands as the GNU assembler writes them for x86-64: $5, %al, 8(%rsp), -4(%rbp,%rax,4),
 * sym+8(%rip).
 */
#include "base/util.h"
#include "probe/usdt_arg.h"

#define IN_VECTOR "it lies in a floating-point or vector register"
#define IN_THREAD "it lies in storage of the thread, which is not known here"

/* Those with names of their own; the offset is that in struct pt_regs. */
static const struct family {
	const char *names[5]; /* of 8, 4, 2, 1 bytes, and the second byte; NULL: none */
	int16_t offset;
} families[] = {
	{ { "rax", "eax", "ax", "al", "ah" }, 80 }, { { "rbx", "ebx", "bx", "bl", "bh" }, 40 },
	{ { "rcx", "ecx", "cx", "cl", "ch" }, 88 }, { { "rdx", "edx", "dx", "dl", "dh" }, 96 },
	{ { "rsi", "esi", "si", "sil" }, 104 }, { { "rdi", "edi", "di", "dil" }, 112 },
	{ { "rbp", "ebp", "bp", "bpl" }, 32 }, { { "rsp", "esp", "sp", "spl" }, 152 },
	{ { "rip", "eip" }, 128 },
};
/* r8 to r15. */
static const int16_t numbered[] = { 72, 64, 56, 48, 24, 16, 8, 0 };

static bool named_reg(const char *name, struct usdt_reg *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(families[i].names); j++) {
			if (!families[i].names[j] || strcmp(families[i].names[j], name))
				continue;
			*out = (struct usdt_reg){ .offset = families[i].offset, .bytes = (uint8_t)(j < 4 ? 8 >> j : 1),
						  .shift = j == 4 ? 8 : 0 };
			return true;
		}
	}
	return false;
}

/* r8, r8d, r8w, r8b. */
static bool numbered_reg(const char *name, struct usdt_reg *out)
{
	char *end;
	unsigned long n;

	if (*name != 'r' || name[1] < '1' || name[1] > '9')
		return false;
	n = strtoul(name + 1, &end, 10);
	if (n < 8 || n > 15 || (*end && end[1]))
		return false;
	*out = (struct usdt_reg){ .offset = numbered[n - 8],
				  .bytes = !*end ? 8 : *end == 'd' ? 4 : *end == 'w' ? 2 : *end == 'b' ? 1 : 0 };
	return out->bytes;
}

static bool other_reg(const char *name, struct usdt_reg *out)
{
	static const char *const vectors[] = { "xmm", "ymm", "zmm", "st", "mm" };

	if (!strcmp(name, "fs") || !strcmp(name, "gs")) {
		*out = (struct usdt_reg){ .problem = IN_THREAD };
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		if (str_starts(name, vectors[i])) {
			*out = (struct usdt_reg){ .problem = IN_VECTOR };
			return true;
		}
	}
	return false;
}

static bool reg_take(struct usdt_cursor *c, struct usdt_reg *out)
{
	char name[8];

	return usdt_take(c, '%') && usdt_word(c, name, sizeof(name)) &&
	       (named_reg(name, out) || numbered_reg(name, out) || other_reg(name, out));
}

static bool register_operand(struct usdt_cursor *c, struct usdt_arg *arg)
{
	struct usdt_reg reg;

	if (!reg_take(c, &reg))
		return false;
	arg->place.problem = reg.problem;
	arg->place.base = reg.offset;
	arg->place.base_bytes = 8;
	arg->place.shift = reg.shift;
	/* What is passed as more than the register holds is extended as the size's sign says. */
	arg->place.bytes = MIN(arg->place.bytes, reg.bytes);
	return true;
}

/* ",%index" and ",scale" of the parentheses. */
static bool index_take(struct usdt_cursor *c, struct reg_place *place)
{
	struct usdt_reg reg;
	int64_t scale = 1;

	if (!reg_take(c, &reg) || reg.problem || reg.bytes < 4)
		return false;
	place->index = reg.offset;
	place->index_bytes = reg.bytes;
	if (usdt_take(c, ',') && !usdt_number(c, &scale))
		return false;
	if (scale != 1 && scale != 2 && scale != 4 && scale != 8)
		return false;
	place->scale = (uint8_t)__builtin_ctzll((uint64_t)scale);
	return true;
}

/* Behind '(': "%base)", "%base,%index,4)", ",%index,4)". */
static bool parentheses(struct usdt_cursor *c, struct usdt_arg *arg)
{
	struct reg_place *place = &arg->place;
	struct usdt_reg reg;

	if (*c->p == '%') {
		if (!reg_take(c, &reg) || reg.problem || reg.bytes < 4)
			return false;
		/* Relative to a symbol, the instruction's address is none to add. */
		arg->pc = arg->symbol && reg.offset == 128;
		place->base = arg->pc ? -1 : reg.offset;
		place->base_bytes = reg.bytes;
	}
	if (usdt_take(c, ',') && !index_take(c, place))
		return false;
	return usdt_take(c, ')');
}

static bool memory_operand(struct usdt_cursor *c, struct usdt_arg *arg)
{
	arg->place.is_memory = true;
	if (*c->p != '(' && !usdt_sum(c, arg))
		return false;
	return !usdt_take(c, '(') || parentheses(c, arg);
}

bool usdt_x86_operand(struct usdt_cursor *c, struct usdt_arg *arg)
{
	bool ok;

	if (usdt_take(c, '$'))
		ok = usdt_sum(c, arg);
	else if (*c->p == '%')
		ok = register_operand(c, arg);
	else
		ok = memory_operand(c, arg);
	/* sym@TPOFF, sym@GOTPCREL: only the linker knew where. */
	if (arg->symbol && strchr(arg->symbol, '@'))
		arg->place.problem = arena_printf(c->arena, "only the linker knew where %s is", arg->symbol);
	return ok;
}
