/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts: what the files of this room share with each other and with nobody else.
 */
#ifndef SONDE_VIEW_PARTS_H
#define SONDE_VIEW_PARTS_H

#include "view/view.h"

extern const struct view_def view_csv, view_flame, view_folded, view_heat, view_hist, view_json, view_pprof, view_series, view_table, view_text, view_tone;

/* ---- number.c ---- */

/* A little-endian integer of `size` bytes (1 to 8), sign-extended to 64 bits when is_signed. */
uint64_t number_load(const uint8_t *data, uint32_t size, bool is_signed);
/* Digits of `v` in `base` (2, 8, 10, 16), written so that they end at `end`; returns their beginning. At
 * most 64 bytes are used. */
char *number_digits(char *end, uint64_t v, unsigned base, bool upper);
void number_hex(struct strbuf *out, uint64_t v);

/* ---- value.c ---- */

/* The bytes of a member of a struct; those of a bit field are taken out into `tmp`. */
const uint8_t *field_bytes(const struct field *f, const uint8_t *data, uint8_t tmp[8]);
/* Bytes of a TY_BUFFER that are there. */
uint32_t buffer_len(const struct type *t, const uint8_t *data);
void buffer_text(struct strbuf *out, const uint8_t *data, uint32_t len, bool keep_ascii);
void buffer_hex(struct strbuf *out, const uint8_t *data, uint32_t len);
/* The name of an enumerator, or NULL. */
const char *enum_name(const struct type *t, int64_t value);
/* A number that a map aggregates (count, sum, min, max, avg). */
struct agg {
	int64_t value; /* the average for avg and stats */
	int64_t count, total; /* avg, stats */
	bool is_signed;
};
bool agg_load(const struct type *t, const uint8_t *data, int64_t div, struct agg *out);
void agg_number(struct strbuf *out, const struct agg *a, int64_t value);

/* ---- name.c, stack.c: numbers that are shown as names ---- */

/* How one kind of value reads as text. */
typedef void value_form(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data);

/* "12:34:56" of a CLOCK_MONOTONIC time; 0: now. */
void clock_text(struct strbuf *out, uint64_t ns);
/* The CLOCK_MONOTONIC time of nanoseconds since 1970. */
uint64_t clock_of_real(uint64_t real_ns);

value_form text_inet, text_username, text_strftime, text_cgroup_path, text_syscall_name, text_signal_name;
value_form text_ksym, text_usym, text_stack;
/* Flags of memory allocation, as words. */
void gfp_text(struct strbuf *out, uint64_t flags);

/* Functions at one address: one, and those that were inlined into it. */
#define MOST_INLINED 16

/* The frames of a stack that are shown: those of the tracing itself are not. */
struct stack_range {
	uint32_t first, end;
	uint32_t pid; /* of a user stack */
	bool user;
};
struct stack_range stack_range_of(const struct view *v, const struct type *t, const uint8_t *data);
const uint8_t *stack_frame(const struct type *t, const uint8_t *data, uint32_t i);
uint64_t stack_address(const struct type *t, const uint8_t *data, uint32_t i);
/* STACK_BUILD_ID: the build id and where in the file; the address alone where the kernel could not find the file out. */
void build_id_text(struct strbuf *out, const uint8_t *frame);
/* As symbol_user_frames(), also for the kernel. */
uint32_t stack_names(const struct view *v, const struct stack_range *range, uint64_t addr, bool is_return,
		     struct symbol syms[MOST_INLINED]);

/* ---- value_json.c ---- */

/* Numbers that a double cannot hold exactly are written as strings, as the reference does: most readers
 * of JSON would round them without a word. */
void json_int(struct strbuf *out, int64_t v);
void json_uint(struct strbuf *out, uint64_t v);
/* A map key as a JSON string: the parts of a tuple joined by a comma without a space. */
void key_json(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data);

/* ---- tests.c ---- */

int test_text(struct view *v, const struct record *rec);
int test_json(struct view *v, const struct record *rec);
int bench_text(struct view *v, const struct record *rec);
int bench_json(struct view *v, const struct record *rec);

/* ---- tseries.c ---- */

/* The latest interval of any of these series; they are shown up to it. */
uint64_t tseries_latest(const struct type *t, const uint8_t *data);
void tseries_text(struct strbuf *out, const struct type *t, const uint8_t *data, uint64_t latest);
/* Its numbers in order, with when their intervals began (ns since 1970). */
void tseries_each(const struct type *t, const uint8_t *data, void (*fn)(void *ctx, uint64_t real_ns, double value), void *ctx);
void tseries_json(struct strbuf *out, const struct type *t, const uint8_t *data);

/* ---- hist.c ---- */

/* A bucket as "[4, 8)"; where it begins, as "4". */
void hist_range_text(struct strbuf *out, const struct type *t, uint32_t i);
void hist_low_text(struct strbuf *out, const struct type *t, uint32_t i);
void hist_text(struct strbuf *out, const struct type *t, const uint8_t *data, int64_t div);
/* Every bucket from the first to the last that counted something; a bound that is NULL is open. Inclusive. */
void hist_each(const struct type *t, const uint8_t *data, int64_t div,
	       void (*fn)(void *ctx, const int64_t *low, const int64_t *high, uint64_t count), void *ctx);
void hist_json(struct strbuf *out, const struct type *t, const uint8_t *data, int64_t div);

#endif
