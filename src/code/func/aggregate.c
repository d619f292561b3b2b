/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Aggregate: functions whose value a map gathers: @ = count().
 *
 * Each processor has a value of its own, so the updates are plain loads and stores: no other run comes in between,
 * or sums are added up and extremes exchanged atomically where one may (tseries then keeps the later of two at the
 * same moment).
 * So are those of large maps, whose values all processors share.
 * gather() is given the address of this processor's value in *out, and the map's type for it; layouts are those
 * of lang/type.h.
 */
#include <errno.h>
#include <time.h>

#include "code/func/func_priv.h"

#define HIST_MAX_BITS 5
#define LHIST_MAX_BUCKETS 1000

/* ---- checks ---- */

static int agg_check(struct checker *c, struct expr *call, enum type_kind kind, const int64_t param[3])
{
	int r;

	if (call_arg_unknown(call, 0))
		return 0;
	r = check_arg_int(c, call, 0);
	if (r < 0)
		return r;
	call->type = type_agg(c->arena, kind, call_arg(call, 0)->type->is_signed, param);
	return 0;
}

static int count_check(struct checker *c, struct expr *call)
{
	call->type = type_agg(c->arena, TY_COUNT, false, NULL);
	return 0;
}

static int sum_check(struct checker *c, struct expr *call)
{
	return agg_check(c, call, TY_SUM, NULL);
}

static int min_check(struct checker *c, struct expr *call)
{
	return agg_check(c, call, TY_MIN, NULL);
}

static int max_check(struct checker *c, struct expr *call)
{
	return agg_check(c, call, TY_MAX, NULL);
}

static int avg_check(struct checker *c, struct expr *call)
{
	return agg_check(c, call, TY_AVG, NULL);
}

static int stats_check(struct checker *c, struct expr *call)
{
	return agg_check(c, call, TY_STATS, NULL);
}

static int hist_check(struct checker *c, struct expr *call)
{
	int64_t param[3] = { 0 };
	int r;

	if (call->args.n > 1) {
		r = check_arg_literal_int(c, call, 1, &param[0]);
		if (r < 0)
			return r;
		if (param[0] < 0 || param[0] > HIST_MAX_BITS)
			return check_error(c, call_arg(call, 1)->span,
					   "hist() divides each power of two by 2^k with k from 0 to %d, not %lld",
					   HIST_MAX_BITS, (long long)param[0]);
	}
	return agg_check(c, call, TY_HIST, param);
}

static int lhist_check(struct checker *c, struct expr *call)
{
	int64_t param[3];
	uint64_t buckets;

	for (uint32_t i = 0; i < 3; i++) {
		int r = check_arg_literal_int(c, call, i + 1, &param[i]);

		if (r < 0)
			return r;
	}
	if (param[2] <= 0)
		return check_error(c, call_arg(call, 3)->span, "the step of lhist() must be above 0, not %lld",
				   (long long)param[2]);
	if (param[1] <= param[0])
		return check_error(c, span_join(call_arg(call, 1)->span, call_arg(call, 2)->span),
				   "the range of lhist() must end above its beginning: from %lld to %lld is none",
				   (long long)param[0], (long long)param[1]);
	buckets = ((uint64_t)param[1] - (uint64_t)param[0]) / (uint64_t)param[2];
	if (!buckets)
		return check_error(c, call_arg(call, 3)->span, "the step of lhist() is wider than its whole range");
	if (buckets > LHIST_MAX_BUCKETS) {
		check_error(c, call->span, "lhist() of %llu buckets: at most %d are kept",
			    (unsigned long long)buckets, LHIST_MAX_BUCKETS);
		diag_hint(c->diags, "make the step larger or the range narrower");
		return -EINVAL;
	}
	return agg_check(c, call, TY_LHIST, param);
}

/* tseries() has more than the per-CPU maps of the kernel keep beyond this. */
#define TSERIES_MOST_INTERVALS 1000

static int tseries_agg_of(struct checker *c, struct expr *call, int64_t *agg)
{
	static const char *const names[] = { "avg", "max", "min", "sum", NULL };
	const char *name;
	int r = check_arg_literal_string(c, call, 3, &name);

	if (r < 0)
		return r;
	for (int i = 0; names[i]; i++) {
		if (str_eq(names[i], name)) {
			*agg = TSERIES_AVG + i;
			return 0;
		}
	}
	check_error(c, call_arg(call, 3)->span, "tseries() gathers the numbers of an interval by avg, max, min or sum, "
		    "not '%s'", name);
	diag_hint_nearest(c->diags, name, names, 4);
	return -EINVAL;
}

static int tseries_check(struct checker *c, struct expr *call)
{
	int64_t param[3] = { 0 };
	int r = check_arg_literal_int(c, call, 1, &param[0]);

	r = r ? r : check_arg_literal_int(c, call, 2, &param[1]);
	if (!r && call->args.n > 3)
		r = tseries_agg_of(c, call, &param[2]);
	if (r < 0)
		return r;
	if (param[0] < 1)
		return check_error(c, call_arg(call, 1)->span, "an interval of tseries() must be longer than 0, not %lld",
				   (long long)param[0]);
	if (param[1] < 1 || param[1] > TSERIES_MOST_INTERVALS)
		return check_error(c, call_arg(call, 2)->span, "tseries() keeps 1 to %d intervals, not %lld",
				   TSERIES_MOST_INTERVALS, (long long)param[1]);
	return agg_check(c, call, TY_TSERIES, param);
}

/* ---- updates ---- */

/* word += by */
static void word_add(struct lower *l, const struct val *value, int32_t off, vreg by)
{
	vreg old;

	if (lower_value_shared(l)) {
		ir_atomic_add(l->f, value->reg, value->off + off, 8, by, false);
		return;
	}
	old = ir_load(l->f, value->reg, value->off + off, 8, false);
	ir_store(l->f, value->reg, value->off + off, 8, ir_bin(l->f, IR_ADD, old, by));
}

/* word += 1 */
static void word_count(struct lower *l, const struct val *value, int32_t off)
{
	word_add(l, value, off, ir_const(l->f, 1));
}

static void count_gather(struct lower *l, const struct expr *call, vreg v, const struct val *out)
{
	(void)call;
	(void)v;
	word_count(l, out, 0);
}

static void sum_gather(struct lower *l, const struct expr *call, vreg v, const struct val *out)
{
	(void)call;
	word_add(l, out, 0, v);
}

/* avg and stats: the sum, then how many. */
static void sum_count_gather(struct lower *l, const struct expr *call, vreg v, const struct val *out)
{
	sum_gather(l, call, v, out);
	word_count(l, out, 8);
}

/* How often another run may come in between before an extreme is given up: each has to do so within two instructions. */
#define MOST_EXCHANGES 4

/*
 * *value = v, which was found to be larger. What an exchange brings back is larger still when another run has put it
 * there meanwhile: then that goes back in the same way.
 */
static void exchange_extreme(struct lower *l, vreg v, const struct val *out, uint32_t done)
{
	vreg best = ir_vreg_new(l->f, "best"), old;

	ir_mov_to(l->f, best, v);
	for (uint32_t i = 0; i < MOST_EXCHANGES; i++) {
		uint32_t again = i + 1 < MOST_EXCHANGES ? ir_block_new(l->f, "again") : done;

		old = ir_atomic_xchg(l->f, out->reg, out->off, 8, best);
		if (again == done) {
			ir_jmp(l->f, done);
			break;
		}
		ir_br(l->f, CC_UGT, old, best, again, done);
		ir_block_use(l->f, again);
		ir_mov_to(l->f, best, old);
	}
}

/* min and max: the larger of two, as type_extreme_code() makes them. */
static void extreme_gather(struct lower *l, const struct expr *call, vreg v, const struct val *out)
{
	uint32_t take = ir_block_new(l->f, "take"), done = ir_block_new(l->f, "done");
	uint64_t code = type_extreme_code(out->type);

	(void)call;
	/* The map says whether its numbers have a sign: a literal among them takes it over. */
	if (code)
		v = ir_bin(l->f, IR_XOR, v, ir_const(l->f, (int64_t)code));
	ir_br(l->f, CC_UGT, v, ir_load(l->f, out->reg, out->off, 8, false), take, done);
	ir_block_use(l->f, take);
	if (lower_preemptible(l)) {
		exchange_extreme(l, v, out, done);
	} else {
		ir_store(l->f, out->reg, out->off, 8, v);
		ir_jmp(l->f, done);
	}
	ir_block_use(l->f, done);
	ir_store_imm(l->f, out->reg, out->off + 8, 8, 1);
}

/* buckets[index] += 1 */
static void bucket_count(struct lower *l, const struct val *value, vreg index)
{
	vreg addr = ir_bin(l->f, IR_ADD, value->reg, ir_bin_imm(l->f, IR_SHL, index, 3));
	struct val bucket = val_of_mem(value->type, addr, value->off, SPACE_NONE);

	word_count(l, &bucket, 0);
}

/* if (rest >= 1 << half) { rest >>= half; top += half } */
static void halve(struct lower *l, vreg rest, vreg top, uint32_t half)
{
	uint32_t yes = ir_block_new(l->f, "upper"), next = ir_block_new(l->f, "half");

	ir_br_imm(l->f, CC_UGE, rest, (int64_t)1 << half, yes, next);
	ir_block_use(l->f, yes);
	ir_mov_to(l->f, rest, ir_bin_imm(l->f, IR_SHR, rest, half));
	ir_mov_to(l->f, top, ir_bin_imm(l->f, IR_ADD, top, half));
	ir_jmp(l->f, next);
	ir_block_use(l->f, next);
}

/*
 * base + the position of the highest bit of v, which is neither zero nor negative. The verifier follows
 * the bounds of `rest` through the halves, so that it knows how large the result can be; therefore
 * the number itself is compared every time, not what a shift leaves of it.
 */
static vreg highest_bit(struct lower *l, vreg v, int64_t base)
{
	vreg rest = ir_vreg_new(l->f, "rest"), top = ir_vreg_new(l->f, "top");

	ir_mov_to(l->f, rest, v);
	ir_mov_to(l->f, top, ir_const(l->f, base));
	for (uint32_t half = 32; half > 1; half /= 2)
		halve(l, rest, top, half);
	/* 1, 2 or 3 is left. */
	return ir_bin(l->f, IR_ADD, top, ir_bin_imm(l->f, IR_SHR, rest, 1));
}

/* The bucket of v, at least 2^bits, as hist_bucket() in lang/type.c has it. */
static vreg log_bucket(struct lower *l, vreg v, uint32_t bits)
{
	vreg shift, sub, row;

	if (!bits)
		return highest_bit(l, v, 2);
	shift = highest_bit(l, v, -(int64_t)bits);
	sub = ir_bin_imm(l->f, IR_AND, ir_bin(l->f, IR_SHR, v, shift), ((int64_t)1 << bits) - 1);
	row = ir_bin_imm(l->f, IR_SHL, ir_bin_imm(l->f, IR_ADD, shift, 1), bits);
	return ir_bin_imm(l->f, IR_ADD, ir_bin(l->f, IR_ADD, row, sub), 1);
}

static void hist_gather(struct lower *l, const struct expr *call, vreg v, const struct val *out)
{
	uint32_t bits = (uint32_t)call->type->param[0];
	uint32_t not_negative = ir_block_new(l->f, "not_negative");
	uint32_t small = ir_block_new(l->f, "small"), large = ir_block_new(l->f, "large");
	uint32_t none = ir_block_new(l->f, "none"), done = ir_block_new(l->f, "bucket");
	vreg index = ir_vreg_new(l->f, "bucket");

	ir_mov_to(l->f, index, ir_const(l->f, 0));
	ir_br_imm(l->f, CC_SLT, v, 0, done, not_negative);
	ir_block_use(l->f, not_negative);
	ir_br_imm(l->f, CC_ULT, v, (int64_t)1 << bits, small, large);
	/* Older verifiers do not see that a sum made before the branch, perhaps for another use, is bounded too. */
	ir_block_use(l->f, small);
	if (bits)
		ir_mov_to(l->f, index, ir_bin_imm(l->f, IR_ADD, ir_bin_imm(l->f, IR_AND, v, ((int64_t)1 << bits) - 1), 1));
	else
		ir_mov_to(l->f, index, ir_const(l->f, 1));
	ir_jmp(l->f, done);
	ir_block_use(l->f, large);
	ir_mov_to(l->f, index, log_bucket(l, v, bits));
	if (bits) {
		/* Always so; of a shift by what it has computed itself the verifier sees less. */
		ir_br_imm(l->f, CC_ULT, index, type_buckets(call->type), done, none);
		ir_block_use(l->f, none);
		ir_mov_to(l->f, index, ir_const(l->f, 0));
	}
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	bucket_count(l, out, index);
}

/* (v - min) / step + 1 */
static vreg linear_bucket(struct lower *l, vreg v, int64_t min, int64_t step)
{
	vreg n = v;

	if (min)
		n = ir_bin(l->f, IR_SUB, v, ir_const(l->f, min));
	if (step & (step - 1))
		n = ir_bin(l->f, IR_UDIV, n, ir_const(l->f, step));
	else if (step > 1)
		n = ir_bin_imm(l->f, IR_SHR, n, __builtin_ctzll((uint64_t)step));
	return ir_bin_imm(l->f, IR_ADD, n, 1);
}

/*
 * Values from max on have the last bucket. They are found by their bucket, not by comparing them: the
 * verifier does not follow a division, and needs a bound on the index anyway.
 */
static void lhist_gather(struct lower *l, const struct expr *call, vreg v, const struct val *out)
{
	const int64_t *param = call->type->param;
	int64_t last = type_buckets(call->type) - 1;
	uint32_t inside = ir_block_new(l->f, "from_min"), above = ir_block_new(l->f, "from_max");
	uint32_t done = ir_block_new(l->f, "bucket");
	vreg index = ir_vreg_new(l->f, "bucket");

	ir_mov_to(l->f, index, ir_const(l->f, 0));
	ir_br_imm(l->f, CC_SLT, v, param[0], done, inside);
	ir_block_use(l->f, inside);
	ir_mov_to(l->f, index, linear_bucket(l, v, param[0], param[2]));
	ir_br_imm(l->f, CC_ULE, index, last, done, above);
	ir_block_use(l->f, above);
	ir_mov_to(l->f, index, ir_const(l->f, last));
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	bucket_count(l, out, index);
}

/*
 * Real time minus boot time, when the question is compiled: intervals begin at whole ones of the time of day.
 */
static int64_t real_offset_ns(void)
{
	struct timespec real = { 0 }, boot = { 0 };

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return (int64_t)(real.tv_sec - boot.tv_sec) * 1000000000 + real.tv_nsec - boot.tv_nsec;
}

#define SLOT(member) ((int32_t)offsetof(struct tseries_slot, member))

/* The slot was used in an earlier round, or never: this is the first number of its interval. */
static void slot_begin(struct lower *l, vreg slot, int32_t off, vreg interval, vreg v, vreg extra)
{
	ir_store(l->f, slot, off + SLOT(interval), 8, interval);
	ir_store(l->f, slot, off + SLOT(value), 8, v);
	ir_store(l->f, slot, off + SLOT(extra), 8, extra);
}

static void slot_update(struct lower *l, const struct val *slot, vreg v, vreg now, enum tseries_agg agg, uint32_t done)
{
	bool sign = slot->type->is_signed;
	enum ir_cc beats = agg == TSERIES_MIN ? (sign ? CC_SLT : CC_ULT) : (sign ? CC_SGT : CC_UGT);
	int32_t value = slot->off + SLOT(value), extra = slot->off + SLOT(extra);
	uint32_t take;

	switch (agg) {
	case TSERIES_LAST:
		ir_store(l->f, slot->reg, value, 8, v);
		ir_store(l->f, slot->reg, extra, 8, now);
		break;
	case TSERIES_AVG:
	case TSERIES_SUM:
		word_add(l, slot, SLOT(value), v);
		word_count(l, slot, SLOT(extra));
		break;
	case TSERIES_MIN:
	case TSERIES_MAX:
		take = ir_block_new(l->f, "take");
		ir_br(l->f, beats, v, ir_load(l->f, slot->reg, value, 8, false), take, done);
		ir_block_use(l->f, take);
		ir_store(l->f, slot->reg, value, 8, v);
		break;
	}
	ir_jmp(l->f, done);
}

static void tseries_gather(struct lower *l, const struct expr *call, vreg v, const struct val *out)
{
	const int64_t *param = call->type->param;
	uint32_t first = ir_block_new(l->f, "first"), again = ir_block_new(l->f, "again");
	uint32_t done = ir_block_new(l->f, "done"), within = ir_block_new(l->f, "within");
	vreg now, interval, index;
	struct val slot = *out;

	now = lower_clock(l, BPF_FUNC_ktime_get_boot_ns);
	if (!lower_clock_is_map(l))
		now = ir_bin(l->f, IR_ADD, now, ir_const(l->f, real_offset_ns()));
	interval = ir_bin(l->f, IR_UDIV, now, ir_const(l->f, param[0]));
	index = ir_bin(l->f, IR_UMOD, interval, ir_const(l->f, param[1]));
	interval = ir_bin_imm(l->f, IR_ADD, interval, 1);
	/* Always: the verifier does not follow a division. */
	ir_br_imm(l->f, CC_ULT, index, param[1], within, done);
	ir_block_use(l->f, within);
	slot.reg = ir_bin(l->f, IR_ADD, out->reg, ir_bin_imm(l->f, IR_MUL, index, sizeof(struct tseries_slot)));
	ir_br(l->f, CC_EQ, ir_load(l->f, slot.reg, slot.off, 8, false), interval, again, first);
	ir_block_use(l->f, first);
	slot_begin(l, slot.reg, slot.off, interval, v, param[2] == TSERIES_LAST ? now : ir_const(l->f, 1));
	ir_jmp(l->f, done);
	ir_block_use(l->f, again);
	slot_update(l, &slot, v, now, (enum tseries_agg)param[2], done);
	ir_block_use(l->f, done);
}

func_family funcs_aggregate = {
	{ "count", .signature = "count_t count()", .summary = "how often it was called",
	  .flags = FUNC_AGGREGATE, .check = count_check, .gather = count_gather, .first = "1" },
	{ "sum", .signature = "sum_t sum(int n)", .summary = "the sum of all n",
	  .min_args = 1, .max_args = 1, .flags = FUNC_AGGREGATE, .check = sum_check, .gather = sum_gather, .first = "v" },
	{ "min", .signature = "min_t min(int n)", .summary = "the smallest n",
	  .min_args = 1, .max_args = 1, .flags = FUNC_AGGREGATE, .check = min_check, .gather = extreme_gather },
	{ "max", .signature = "max_t max(int n)", .summary = "the largest n",
	  .min_args = 1, .max_args = 1, .flags = FUNC_AGGREGATE, .check = max_check, .gather = extreme_gather },
	{ "avg", .signature = "avg_t avg(int n)", .summary = "the mean of all n",
	  .min_args = 1, .max_args = 1, .flags = FUNC_AGGREGATE, .check = avg_check, .gather = sum_count_gather, .first = "v1" },
	{ "stats", .signature = "stats_t stats(int n)", .summary = "how many n there were, their mean and their sum",
	  .min_args = 1, .max_args = 1, .flags = FUNC_AGGREGATE,
	  .check = stats_check, .gather = sum_count_gather, .first = "v1" },
	{ "hist", .signature = "hist_t hist(int n[, int k])",
	  .summary = "histogram by powers of two, each divided into 2^k buckets (k from 0 to 5)",
	  .min_args = 1, .max_args = 2, .flags = FUNC_AGGREGATE, .check = hist_check, .gather = hist_gather },
	{ "lhist", .signature = "lhist_t lhist(int n, int min, int max, int step)",
	  .summary = "histogram with buckets of one width, and one each for what is below and above",
	  .min_args = 4, .max_args = 4, .flags = FUNC_AGGREGATE, .check = lhist_check, .gather = lhist_gather },
	{ "tseries", .signature = "tseries_t tseries(int n, int interval_ns, int intervals[, string avg|max|min|sum])",
	  .summary = "the last n (or what is made of all of them) in each of the latest intervals of time",
	  .min_args = 3, .max_args = 4, .flags = FUNC_AGGREGATE, .check = tseries_check, .gather = tseries_gather },
	{ 0 },
};
