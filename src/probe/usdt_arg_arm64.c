/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Usdt_arg_arm64: operands as the compilers write them for 64-bit ARM: 5, x0, w1, sp, [sp, 16], [x0, x1, lsl 3],
 * [x0, w1, sxtw 2].
 */
#include "base/util.h"
#include "probe/usdt_arg.h"

#define SP_OFFSET 248
#define ZERO_OFFSET -1

/* "x7", "w30"; the registers are the first words of the context. */
static bool numbered_reg(const char *name, struct usdt_reg *out)
{
	char *end;
	unsigned long n;

	if ((*name != 'x' && *name != 'w') || name[1] < '0' || name[1] > '9')
		return false;
	n = strtoul(name + 1, &end, 10);
	if (*end || n > 30)
		return false;
	*out = (struct usdt_reg){ .offset = (int16_t)(n * 8), .bytes = *name == 'x' ? 8 : 4 };
	return true;
}

static bool named_reg(const char *name, struct usdt_reg *out)
{
	static const struct {
		const char *name;
		struct usdt_reg reg;
	} regs[] = {
		{ "sp", { .offset = SP_OFFSET, .bytes = 8 } }, { "wsp", { .offset = SP_OFFSET, .bytes = 4 } },
		{ "xzr", { .offset = ZERO_OFFSET, .bytes = 8 } }, { "wzr", { .offset = ZERO_OFFSET, .bytes = 4 } },
		{ "fp", { .offset = 29 * 8, .bytes = 8 } }, { "lr", { .offset = 30 * 8, .bytes = 8 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		if (!strcmp(regs[i].name, name)) {
			*out = regs[i].reg;
			return true;
		}
	}
	return false;
}

/* b0, h0, s0, d0, q0, v0, z0. */
static bool vector_reg(const char *name, struct usdt_reg *out)
{
	if (!strchr("bhsdqvz", *name) || name[1] < '0' || name[1] > '9')
		return false;
	*out = (struct usdt_reg){ .problem = "it lies in a floating-point or vector register", .bytes = 8 };
	return true;
}

static bool reg_take(struct usdt_cursor *c, struct usdt_reg *out)
{
	char name[8];

	return usdt_word(c, name, sizeof(name)) &&
	       (numbered_reg(name, out) || named_reg(name, out) || vector_reg(name, out));
}

static bool number_take(struct usdt_cursor *c, int64_t *n)
{
	usdt_take(c, '#');
	return usdt_number(c, n);
}

/* Behind the index: "lsl 3", "sxtw 2", "uxtw", each perhaps with '#'. */
static bool extend_take(struct usdt_cursor *c, struct reg_place *place)
{
	char word[8];
	int64_t n = 0;

	if (!usdt_word(c, word, sizeof(word)))
		return false;
	if (strcmp(word, "lsl") && strcmp(word, "sxtw") && strcmp(word, "uxtw") && strcmp(word, "sxtx"))
		return false;
	place->index_signed = !strcmp(word, "sxtw");
	usdt_blank(c);
	if (*c->p != ']' && !number_take(c, &n))
		return false;
	place->scale = (uint8_t)n;
	return n >= 0 && n <= 4;
}

/* Behind "[base,". */
static bool offset_take(struct usdt_cursor *c, struct reg_place *place)
{
	struct usdt_reg reg;

	usdt_blank(c);
	if (number_take(c, &place->number))
		return true;
	if (!reg_take(c, &reg) || reg.problem)
		return false;
	place->index = reg.offset;
	place->index_bytes = reg.bytes;
	usdt_blank(c);
	if (!usdt_take(c, ','))
		return true;
	usdt_blank(c);
	return extend_take(c, place);
}

static bool memory_operand(struct usdt_cursor *c, struct usdt_arg *arg)
{
	struct usdt_reg reg;

	usdt_blank(c);
	if (!reg_take(c, &reg) || reg.problem || reg.bytes != 8 || reg.offset == ZERO_OFFSET)
		return false;
	arg->place.is_memory = true;
	arg->place.base = reg.offset;
	arg->place.base_bytes = 8;
	usdt_blank(c);
	if (usdt_take(c, ',') && !offset_take(c, &arg->place))
		return false;
	usdt_blank(c);
	return usdt_take(c, ']');
}

bool usdt_arm64_operand(struct usdt_cursor *c, struct usdt_arg *arg)
{
	struct usdt_reg reg;

	if (usdt_take(c, '['))
		return memory_operand(c, arg);
	if (number_take(c, &arg->place.number))
		return true;
	if (!reg_take(c, &reg))
		return false;
	arg->place.problem = reg.problem;
	arg->place.base = reg.offset;
	arg->place.base_bytes = 8;
	arg->place.bytes = MIN(arg->place.bytes, reg.bytes);
	return true;
}
