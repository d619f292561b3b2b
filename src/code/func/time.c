/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time: clocks, and the time of day. */
#include <errno.h>
#include <linux/version.h>
#include <time.h>

#include "base/strbuf.h"
#include "code/func/func_priv.h"
#include "kernel/kernel.h"

#define TIME_FORMAT_DEFAULT "%H:%M:%S\n"
#define TIME_TEXT_MAX 4096

enum clock_word { CLOCK_WORD_BOOT, CLOCK_WORD_MONOTONIC, CLOCK_WORD_TAI, CLOCK_WORD_SW_TAI };

struct clock {
	int helper;
	int64_t add_ns; /* to what the helper yields */
};

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts = { 0 };

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/*
 * TAI minus boot time: a reading of TAI between two of the boot clock, as often as it takes to find a
 * narrow pair; the middle of the narrowest is what it is compared with.
 */
static int64_t tai_offset_ns(void)
{
	int64_t best = INT64_MAX, offset = 0;

	for (int i = 0; i < 8; i++) {
		int64_t before = clock_ns(CLOCK_BOOTTIME);
		int64_t tai = clock_ns(CLOCK_TAI);
		int64_t width = clock_ns(CLOCK_BOOTTIME) - before;

		if (width >= best)
			continue;
		best = width;
		offset = tai - (before + width / 2);
	}
	return offset;
}

static int nsecs_check(struct checker *c, struct expr *call)
{
	static const char *const words[] = { "boot", "monotonic", "tai", "sw_tai", NULL };
	static const int helpers[] = { BPF_FUNC_ktime_get_boot_ns, BPF_FUNC_ktime_get_ns,
				       BPF_FUNC_ktime_get_tai_ns, BPF_FUNC_ktime_get_boot_ns };
	struct clock *clock;
	int word = call_word(c, call, words);

	if (word < 0)
		return word;
	if (word == CLOCK_WORD_TAI && kernel_version() < KERNEL_VERSION(6, 1, 0)) {
		check_error(c, call->span, "nsecs(tai) needs Linux 6.1, which this kernel is older than");
		diag_hint(c->diags, "nsecs(sw_tai) is close to it and works on every kernel");
		return -EINVAL;
	}
	if (call->data) /* an earlier pass has done the rest */
		return 0;
	clock = arena_new_of(c->arena, struct clock);
	clock->helper = helpers[word];
	clock->add_ns = word == CLOCK_WORD_SW_TAI ? tai_offset_ns() : 0;
	call->data = clock;
	return 0;
}

static int nsecs_emit(struct lower *l, struct expr *call, struct val *out)
{
	const struct clock *clock = call->data;
	vreg now = lower_clock(l, clock->helper);

	if (clock->add_ns)
		now = ir_bin(l->f, IR_ADD, now, ir_const(l->f, clock->add_ns));
	*out = val_of_reg(call->type, now);
	return 0;
}

/* The session notes its start by the clock that is read here. */
static int elapsed_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg now = ir_call(l->f, BPF_FUNC_ktime_get_ns, 0, NULL);
	vreg start = ir_load(l->f, ir_bss(l->f, offsetof(struct control, start_ns)), 0, 8, false);

	*out = val_of_reg(call->type, ir_bin(l->f, IR_SUB, now, start));
	return 0;
}

static int jiffies_emit(struct lower *l, struct expr *call, struct val *out)
{
	return emit_helper(l, call, BPF_FUNC_jiffies64, out);
}

static int time_check(struct checker *c, struct expr *call)
{
	const char *text = TIME_FORMAT_DEFAULT;
	int r;

	if (call->args.n) {
		r = check_arg_literal_string(c, call, 0, &text);
		if (r < 0)
			return r;
	}
	call->data = text;
	return 0;
}

static int time_emit(struct lower *l, struct expr *call, struct val *out)
{
	struct site *s = lower_site(l, call);

	(void)out;
	s->text = call->data;
	return lower_event(l, s, NULL, 0);
}

static int time_act(const struct act *act, const struct site *site, const uint8_t *data, uint32_t len)
{
	struct record rec = { .kind = REC_TIME };
	char text[TIME_TEXT_MAX];
	time_t now = time(NULL);
	struct tm tm;

	(void)data;
	(void)len;
	if (!localtime_r(&now, &tm))
		return report_error(act->report, -EOVERFLOW, NULL,
				    "time(): the clock of this machine is out of range");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	rec.text_len = strftime(text, sizeof(text), site->text, &tm);
#pragma GCC diagnostic pop
	/* 0 is also what a format without output yields: then what is in the buffer is undefined. */
	text[rec.text_len] = 0;
	rec.text = text;
	return act->record(act->ctx, &rec);
}

/*
 * The clock whose nanoseconds these are, which only nsecs() itself says: everything else is taken for its
 * default. TAI that was computed from boot time is TAI.
 */
static int clock_of(const struct expr *e)
{
	const struct clock *clock = e->kind == EX_CALL && e->func && str_eq(e->func->name, "nsecs") ? e->data : NULL;

	if (!clock || (clock->helper == BPF_FUNC_ktime_get_boot_ns && !clock->add_ns))
		return CLOCK_BOOTTIME;
	return clock->helper == BPF_FUNC_ktime_get_ns ? CLOCK_MONOTONIC : CLOCK_TAI;
}

static int strftime_check(struct checker *c, struct expr *call)
{
	const struct expr *ns = call_arg(call, 1);
	const char *format;
	int r = check_arg_literal_string(c, call, 0, &format);

	if (r < 0 || call_arg_unknown(call, 1))
		return r;
	r = check_arg_int(c, call, 1);
	if (!r && (!call->type || call->type->kind == TY_NONE))
		call->type = type_with_text(c->arena, TY_STRFTIME, format, clock_of(ns));
	return r;
}

static int strftime_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg ns;
	int r = lower_scalar(l, call_arg(call, 1), &ns);

	if (!r)
		*out = val_of_reg(call->type, ns);
	return r;
}

func_family funcs_time = {
	{ "nsecs", .signature = "uint64 nsecs([boot|monotonic|tai|sw_tai])",
	  .summary = "nanoseconds by a clock: since boot (with or without sleep), or atomic time",
	  .max_args = 1, .flags = FUNC_BARE | FUNC_LAZY_ARGS, .type = &type_uint64,
	  .check = nsecs_check, .emit = nsecs_emit },
	{ "elapsed", .signature = "uint64 elapsed", .summary = "nanoseconds since the question began to run",
	  .flags = FUNC_BARE, .type = &type_uint64, .emit = elapsed_emit },
	{ "jiffies", .signature = "uint64 jiffies", .summary = "timer ticks of the kernel",
	  .flags = FUNC_BARE, .type = &type_uint64, .emit = jiffies_emit },
	{ "time", .signature = "void time([string format])",
	  .summary = "show the time of day, formatted as by strftime(3); \"%H:%M:%S\\n\" without a format",
	  .max_args = 1, .flags = FUNC_ASYNC | FUNC_VOID, .check = time_check, .emit = time_emit, .act = time_act },
	{ "strftime", .signature = "timestamp strftime(string format, int64 ns)",
	  .summary = "nanoseconds since boot as a time of day, formatted as by strftime(3); %f: microseconds",
	  .min_args = 2, .max_args = 2, .check = strftime_check, .emit = strftime_emit },
	{ 0 },
};
