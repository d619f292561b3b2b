/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The code of functions, run by the kernel: every script is compiled, passes the verifier and is run by
 * BPF_PROG_TEST_RUN with chosen arguments on CPU 0; then maps and events are compared with what C says.
 */
#include "funcs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

struct run {
	struct question q;
	struct module *m;
	struct bpf_object *obj;
	struct strbuf shown; /* what act() functions did, one line each */
};

static bool can_load;

static int print_nothing(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static char verifier_log[1 << 20];

static void run_begin(struct run *r, const char *text)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_buf = verifier_log, .kernel_log_size = sizeof(verifier_log));
	int err;

	question_begin(&r->q);
	r->shown = (struct strbuf)STRBUF_INIT;
	if (question_check(&r->q, text))
		fail_msg("refused: %s\n%s", text, r->q.said.s);
	err = module_compile(&r->q.script, &r->q.env, &r->q.diags, &r->q.reporter, &r->m);
	diag_flush(&r->q.diags, &r->q.reporter);
	if (err)
		fail_msg("not compiled: %s\n%s", text, r->q.said.s);
	r->obj = bpf_object__open_mem(r->m->elf, r->m->elf_bytes, &opts);
	assert_non_null(r->obj);
	if (bpf_object__load(r->obj))
		fail_msg("not loaded: %s\n%s", text, verifier_log + MAX(strlen(verifier_log), 800) - 800);
}

static void run_end(struct run *r)
{
	bpf_object__close(r->obj);
	module_free(r->m);
	strbuf_free(&r->shown);
	question_end(&r->q);
}

/* Run every program once, with these words as its context. */
static void run_fire(struct run *r, const uint64_t *words, uint32_t n)
{
	uint64_t ctx[12] = { 0 };
	struct bpf_program *prog;

	if (n)
		memcpy(ctx, words, n * sizeof(*words));
	bpf_object__for_each_program(prog, r->obj) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = ctx, .ctx_size_in = sizeof(ctx),
			    .flags = BPF_F_TEST_RUN_ON_CPU);

		assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(prog), &opts), 0);
	}
}

static void run_fire_word(struct run *r, uint64_t word)
{
	run_fire(r, &word, 1);
}

static const struct map_desc *map_of(struct run *r, const char *name)
{
	vec_each(d, &r->m->maps) {
		if (str_eq(d->map->name, name))
			return d;
	}
	fail_msg("no map %s", name);
	return NULL;
}

static int map_fd(struct run *r, const struct map_desc *d)
{
	return bpf_object__find_map_fd_by_name(r->obj, d->object_name);
}

static uint8_t value_bytes[64 * 16384];

/* The value on CPU 0 of a scalar map, or NULL when it was never set. */
static const uint8_t *map_value(struct run *r, const char *name)
{
	const struct map_desc *d = map_of(r, name);
	uint32_t key = 0;
	uint64_t set;

	assert_true(d->form == MAP_SCALAR || d->form == MAP_PERCPU_SCALAR);
	assert_int_equal(bpf_map_lookup_elem(map_fd(r, d), &key, value_bytes), 0);
	memcpy(&set, value_bytes + d->set_offset, 8);
	return set ? value_bytes : NULL;
}

static uint64_t map_word(struct run *r, const char *name, uint32_t i)
{
	const uint8_t *value = map_value(r, name);
	uint32_t size = map_of(r, name)->map->value->size;
	uint64_t word = 0;

	if (!value)
		fail_msg("%s was not set", name);
	memcpy(&word, value + 8 * (size_t)i, MIN(size, 8u));
	return word;
}

/* ---- events ---- */

static int note_record(void *ctx, const struct record *rec)
{
	struct run *r = ctx;

	switch (rec->kind) {
	case REC_VALUE:
		strbuf_addf(&r->shown, "value %s", type_name(r->q.arena, rec->type));
		if (rec->type->kind == TY_STRING)
			strbuf_addf(&r->shown, " %s", (const char *)rec->data);
		else if (type_is_int(rec->type) && rec->type->size == 8)
			strbuf_addf(&r->shown, " %" PRId64, *(const int64_t *)rec->data);
		strbuf_addch(&r->shown, '\n');
		break;
	case REC_PRINTF:
		strbuf_addf(&r->shown, "printf %u of %s\n", rec->format->nargs,
			    rec->type ? type_name(r->q.arena, rec->type) : "nothing");
		break;
	case REC_TIME:
		strbuf_addf(&r->shown, "time %s\n", rec->text);
		break;
	default:
		fail_msg("record of kind %d", rec->kind);
	}
	return 0;
}

static int note_map_print(void *ctx, const struct map *map, int64_t top, int64_t div)
{
	struct run *r = ctx;

	strbuf_addf(&r->shown, "print %s %" PRId64 " %" PRId64 "\n", map->name, top, div);
	return 0;
}

static int note_map_print_key(void *ctx, const struct map *map, const uint8_t *key)
{
	struct run *r = ctx;
	uint64_t word = 0;

	memcpy(&word, key, MIN(map->key->size, 8u));
	strbuf_addf(&r->shown, "print %s[%" PRIu64 "]\n", map->name, word);
	return 0;
}

static int note_map_clear(void *ctx, const struct map *map)
{
	struct run *r = ctx;

	strbuf_addf(&r->shown, "clear %s\n", map->name);
	return 0;
}

static int note_map_zero(void *ctx, const struct map *map)
{
	struct run *r = ctx;

	strbuf_addf(&r->shown, "zero %s\n", map->name);
	return 0;
}

static void note_stop(void *ctx, int status)
{
	struct run *r = ctx;

	strbuf_addf(&r->shown, "stop %d\n", status);
}

static int on_event(void *ctx, void *data, size_t size)
{
	struct run *r = ctx;
	const struct event_header *h = data;
	const struct act act = {
		.ctx = r, .report = &r->q.reporter, .record = note_record, .map_print = note_map_print,
		.map_print_key = note_map_print_key, .map_clear = note_map_clear, .map_delete = note_map_clear,
		.map_zero = note_map_zero,
		.stop = note_stop,
	};
	static uint8_t payload[65536];
	const struct site *site;

	assert_true(size >= sizeof(*h) && h->len <= size - sizeof(*h));
	assert_true(h->site < r->m->sites.n);
	site = &r->m->sites.v[h->site];
	/* As the session does: what was not sent of the last string is zeros. */
	memset(payload, 0, sizeof(payload));
	memcpy(payload, h + 1, h->len);
	assert_int_equal(site->func->act(&act, site, payload, MAX(h->len, site->payload ? site->payload->size : 0)), 0);
	return 0;
}

/* Everything that has been sent, as lines. */
static const char *run_shown(struct run *r)
{
	struct ring_buffer *ring;

	assert_true(r->m->uses_ring);
	ring = ring_buffer__new(bpf_object__find_map_fd_by_name(r->obj, MODULE_MAP_EVENTS), on_event, r, NULL);
	assert_non_null(ring);
	assert_true(ring_buffer__consume(ring) >= 0);
	ring_buffer__free(ring);
	return r->shown.s;
}

static void expect_shown(const char *text, const char *shown)
{
	struct run r;

	run_begin(&r, text);
	run_fire(&r, NULL, 0);
	assert_string_equal(run_shown(&r), shown);
	run_end(&r);
}

/* ---- aggregates ---- */

static void test_sums(void **state)
{
	struct run r;

	(void)state;
	run_begin(&r, "words:a { @n = count(); @s = sum((int64)arg0); @u = sum(arg0); @a = avg((int64)arg0); @t = stats(arg0); }");
	run_fire_word(&r, 10);
	run_fire_word(&r, (uint64_t)-3);
	run_fire_word(&r, 5);
	assert_int_equal(map_word(&r, "@n", 0), 3);
	assert_int_equal((int64_t)map_word(&r, "@s", 0), 12);
	assert_int_equal(map_word(&r, "@u", 0), 12);
	assert_int_equal(map_word(&r, "@a", 0), 12);
	assert_int_equal(map_word(&r, "@a", 1), 3);
	assert_int_equal(map_word(&r, "@t", 1), 3);
	run_end(&r);
}

/* What the map's word stands for. */
static int64_t map_extreme(struct run *r, const char *name, enum type_kind kind, bool is_signed)
{
	const struct type t = { .kind = kind, .is_signed = is_signed };

	return (int64_t)(map_word(r, name, 0) ^ type_extreme_code(&t));
}

static void test_extremes(void **state)
{
	struct run r;

	(void)state;
	run_begin(&r, "words:a { @i = min((int64)arg0); @a = max((int64)arg0); @ui = min(arg0); @ua = max(arg0); }"
		      "words:a { @l = min(-1); @l = min(5); @m = max(-7); }");
	run_fire_word(&r, 10);
	run_fire_word(&r, (uint64_t)-3);
	run_fire_word(&r, 5);
	assert_int_equal(map_extreme(&r, "@i", TY_MIN, true), -3);
	assert_int_equal(map_extreme(&r, "@a", TY_MAX, true), 10);
	assert_int_equal(map_extreme(&r, "@ui", TY_MIN, false), 5);
	assert_int_equal(map_extreme(&r, "@ua", TY_MAX, false), -3);
	assert_int_equal(map_word(&r, "@i", 1), 1);
	assert_int_equal(map_extreme(&r, "@l", TY_MIN, true), -1);
	assert_int_equal(map_extreme(&r, "@m", TY_MAX, true), -7);
	run_end(&r);
}

/* The bucket that one more value was counted in: the only difference between `before` and now. */
static uint32_t bucket_counted(struct run *r, const char *name, uint64_t *before, uint32_t n)
{
	const uint64_t *now = (const uint64_t *)(const void *)map_value(r, name);
	uint32_t found = UINT32_MAX;

	assert_non_null(now);
	for (uint32_t i = 0; i < n; i++) {
		if (now[i] == before[i])
			continue;
		assert_int_equal(now[i], before[i] + 1);
		assert_int_equal(found, UINT32_MAX);
		found = i;
	}
	memcpy(before, now, n * sizeof(*now));
	return found;
}

static void hist_value(struct run *r, uint64_t *before, uint32_t n, uint64_t v, uint32_t bits)
{
	uint32_t got;

	run_fire_word(r, v);
	got = bucket_counted(r, "@", before, n);
	if (got != hist_bucket((int64_t)v, bits))
		fail_msg("hist(%" PRId64 ", %u) is in bucket %u, not %u", (int64_t)v, bits, got,
			 hist_bucket((int64_t)v, bits));
}

static void test_hist(void **state)
{
	(void)state;
	for (uint32_t bits = 0; bits <= 5; bits++) {
		static uint64_t before[8192];
		struct run r;
		char text[80];
		uint32_t n;

		memset(before, 0, sizeof(before));
		snprintf(text, sizeof(text), "words:a { @ = hist(arg0, %u); }", bits);
		run_begin(&r, text);
		n = type_buckets(map_of(&r, "@")->map->value);
		for (uint64_t v = 0; v < 70; v++)
			hist_value(&r, before, n, v, bits);
		for (uint32_t shift = 6; shift < 64; shift++) {
			hist_value(&r, before, n, (uint64_t)1 << shift, bits);
			hist_value(&r, before, n, ((uint64_t)1 << shift) - 1, bits);
			hist_value(&r, before, n, (uint64_t)0x9E3779B97F4A7C15 >> (63 - shift), bits);
		}
		hist_value(&r, before, n, UINT64_MAX, bits);
		run_end(&r);
	}
}

static void lhist_values(const char *args, int64_t min, int64_t max, int64_t step)
{
	static const int64_t values[] = { INT64_MIN, -1000, -11, -10, -9, -1, 0, 1, 2, 7, 8, 9, 10, 11, 19, 20, 21, 22,
					  23, 24, 99, 100, 101, 1000, INT64_MAX };
	static uint64_t before[2048];
	uint32_t n;
	struct run r;
	char text[80];

	memset(before, 0, sizeof(before));
	snprintf(text, sizeof(text), "words:a { @ = lhist((int64)arg0, %s); }", args);
	run_begin(&r, text);
	n = type_buckets(map_of(&r, "@")->map->value);
	for (uint32_t i = 0; i < ARRAY_SIZE(values); i++) {
		uint64_t above = (uint64_t)values[i] - (uint64_t)min;
		uint64_t want = values[i] < min ? 0 : MIN(above / (uint64_t)step + 1, (uint64_t)n - 1);

		run_fire_word(&r, (uint64_t)values[i]);
		if (bucket_counted(&r, "@", before, n) != want)
			fail_msg("lhist(%" PRId64 ", %s) is not in bucket %" PRIu64, values[i], args, want);
	}
	assert_int_equal(n, (max - min) / step + 2);
	run_end(&r);
}

static void test_lhist(void **state)
{
	(void)state;
	lhist_values("0, 100, 10", 0, 100, 10);
	lhist_values("-10, 22, 4", -10, 22, 4);
	lhist_values("0, 20, 1", 0, 20, 1);
	lhist_values("-1000, 1000, 3", -1000, 1000, 3);
	lhist_values("0, 10000000000, 1000000000", 0, 10000000000, 1000000000);
}

/* Several in one program: the verifier must not walk all combinations of their branches. */
static void test_many_hists(void **state)
{
	struct run r;

	(void)state;
	run_begin(&r, "words:a { @a = hist(arg0); @b = hist(arg1, 2); @c = hist(arg2); @d = hist(arg3, 5);"
		      " @e = lhist(arg4, 0, 10, 1); @f[pid] = hist(arg0); @g[pid] = hist(arg1, 3); @h = hist(arg2); }");
	run_fire_word(&r, 7);
	assert_int_equal(map_word(&r, "@a", hist_bucket(7, 0)), 1);
	run_end(&r);
}

/* ---- who and when ---- */

static void test_task(void **state)
{
	char name[16];
	FILE *f;
	struct run r;

	(void)state;
	run_begin(&r, "fake:a { @p = pid; @t = tid; @ip = pid(init); @u = uid; @g = gid; @n = comm; @c = cpu; @m = numaid;"
		      " @r = rand; @k = curtask; @cg = cgroup; @nc = ncpus; }");
	run_fire(&r, NULL, 0);
	assert_int_equal(map_word(&r, "@p", 0), getpid());
	assert_int_equal(map_word(&r, "@t", 0), syscall(SYS_gettid));
	assert_int_equal(map_word(&r, "@u", 0), getuid());
	assert_int_equal(map_word(&r, "@g", 0), getgid());
	assert_int_equal(map_word(&r, "@c", 0), 0);
	assert_int_equal(map_word(&r, "@m", 0), 0);
	assert_true(map_word(&r, "@k", 0) >> 48);
	assert_int_equal(map_word(&r, "@nc", 0), kernel_ncpus_possible());
	assert_non_null(map_value(&r, "@ip"));
	assert_non_null(map_value(&r, "@cg"));
	f = fopen("/proc/self/comm", "r");
	assert_non_null(f);
	assert_non_null(fgets(name, sizeof(name), f));
	fclose(f);
	name[strcspn(name, "\n")] = 0;
	assert_string_equal((const char *)map_value(&r, "@n"), name);
	run_end(&r);
}

static uint64_t now_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void assert_near(uint64_t got, uint64_t want)
{
	uint64_t apart = got > want ? got - want : want - got;

	if (apart > 20000000000)
		fail_msg("%" PRIu64 " is not near %" PRIu64, got, want);
}

static void test_clocks(void **state)
{
	struct run r;

	(void)state;
	run_begin(&r, "fake:a { @b = nsecs; @m = nsecs(monotonic); @s = nsecs(sw_tai); @t = nsecs(tai); @e = elapsed; @j = jiffies; }");
	run_fire(&r, NULL, 0);
	assert_near(map_word(&r, "@b", 0), now_ns(CLOCK_BOOTTIME));
	assert_near(map_word(&r, "@m", 0), now_ns(CLOCK_MONOTONIC));
	assert_near(map_word(&r, "@s", 0), now_ns(CLOCK_TAI));
	assert_near(map_word(&r, "@t", 0), now_ns(CLOCK_TAI));
	/* Nobody has noted a start: it is 0. */
	assert_near(map_word(&r, "@e", 0), now_ns(CLOCK_MONOTONIC));
	assert_true(map_word(&r, "@j", 0) > 0);
	run_end(&r);
}

static void test_probe(void **state)
{
	struct run r;
	const uint64_t words[] = { 100, 101, 102, 103, 104, 105, 106, 107, 108, 109 };

	(void)state;
	run_begin(&r, "words:name { @p = probe; @a = arg0; @b = arg9; }");
	run_fire(&r, words, ARRAY_SIZE(words));
	assert_string_equal((const char *)map_value(&r, "@p"), "words:name");
	assert_int_equal(map_word(&r, "@a", 0), 100);
	assert_int_equal(map_word(&r, "@b", 0), 109);
	run_end(&r);
}

/* Points of one clause share their body, but not their names. */
static void test_probe_of_several(void **state)
{
	struct run r;

	(void)state;
	run_begin(&r, "fake:one, fake:another { print(probe); }");
	run_fire(&r, NULL, 0);
	assert_non_null(strstr(run_shown(&r), "fake:one\n"));
	assert_non_null(strstr(r.shown.s, "fake:another\n"));
	run_end(&r);
}

/* ---- strings, numbers ---- */

static void expect_str(const char *expr, const void *addr, uint64_t len, const char *want)
{
	uint64_t words[] = { (uint64_t)(uintptr_t)addr, len };
	const uint8_t *value;
	struct run r;
	char text[120];
	uint32_t size;

	snprintf(text, sizeof(text), "words:a { @ = %s; }", expr);
	run_begin(&r, text);
	/* Rubbish first: what is left of it must be gone. */
	run_fire(&r, (const uint64_t[]){ (uintptr_t)"a text that is longer than all others", 100 }, 2);
	run_fire(&r, words, 2);
	value = map_value(&r, "@");
	size = map_of(&r, "@")->map->value->size;
	assert_string_equal((const char *)value, want);
	for (uint32_t i = (uint32_t)strlen(want); i < size; i++)
		assert_int_equal(value[i], 0);
	run_end(&r);
}

static void test_str(void **state)
{
	(void)state;
	expect_str("str(uptr(arg0))", "hello", 0, "hello");
	expect_str("str(uptr(arg0), 3)", "hello", 0, "he");
	expect_str("str(uptr(arg0), 0)", "hello", 0, "");
	expect_str("str(uptr(arg0), arg1)", "hello", 3, "he");
	expect_str("str(uptr(arg0), arg1)", "hello", 0, "");
	expect_str("str(uptr(arg0), arg1)", "hello", 5000, "hello");
	expect_str("str(uptr(arg0), (int64)arg1)", "hello", (uint64_t)-1, "hello");
	expect_str("str(uptr(arg0))", (const void *)8, 0, "");
	expect_str("str(kptr(arg0))", (const void *)8, 0, "");
	expect_str("str(str(uptr(arg0)), 2)", "hello", 0, "h");
	expect_str("str(\"literal\", arg1)", NULL, 3, "li");
}

static uint64_t counter(struct run *r, uint32_t which)
{
	return object_counter(r->obj, which);
}

static void test_str_counts(void **state)
{
	char text[2000];
	struct run r;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	run_begin(&r, "words:a { @ = str(uptr(arg0)); @a = str(uptr(arg0), 3); }");
	run_fire_word(&r, (uintptr_t)"short");
	assert_int_equal(counter(&r, COUNTER_TRUNCATED), 0);
	assert_int_equal(counter(&r, COUNTER_FAULTS), 0);
	run_fire_word(&r, (uintptr_t)text);
	assert_int_equal(counter(&r, COUNTER_TRUNCATED), 1);
	run_fire_word(&r, 8);
	assert_int_equal(counter(&r, COUNTER_FAULTS), 2);
	run_end(&r);
}

static void test_strlen(void **state)
{
	struct run r;

	(void)state;
	run_begin(&r, "words:a { @a = strlen(uptr(arg0)); @b = strlen(str(uptr(arg0), 4)); @c = strlen(\"four\");"
		      " @d = strlen(uptr(8)); @e = strlen(probe); }");
	run_fire_word(&r, (uintptr_t)"hello");
	assert_int_equal(map_word(&r, "@a", 0), 5);
	assert_int_equal(map_word(&r, "@b", 0), 3);
	assert_int_equal(map_word(&r, "@c", 0), 4);
	assert_int_equal(map_word(&r, "@d", 0), 0);
	assert_int_equal(map_word(&r, "@e", 0), 7);
	run_end(&r);
}

static void test_bswap(void **state)
{
	struct run r;

	(void)state;
	run_begin(&r, "words:a { @a = bswap((uint16)arg0); @b = bswap((uint32)arg0); @c = bswap(arg0); @d = bswap((int8)arg0); }");
	run_fire_word(&r, 0x01020304050607f8);
	assert_int_equal(map_word(&r, "@a", 0), 0xf807);
	assert_int_equal(map_word(&r, "@b", 0), 0xf8070605);
	assert_true(map_word(&r, "@c", 0) == 0xf807060504030201);
	assert_int_equal(map_word(&r, "@d", 0), 0xf8);
	run_end(&r);
}

/* ---- maps ---- */

static void test_delete(void **state)
{
	struct run r;

	(void)state;
	run_begin(&r, "words:a { @m[arg0] = 1; @a = has_key(@m, arg0); @b = has_key(@m, 99); @c = delete(@m, arg0);"
		      " @d = delete(@m, arg0); @e = has_key(@m, arg0); @m[arg0] = 2; delete(@m[arg0]); @f = has_key(@m, arg0); }");
	run_fire_word(&r, 5);
	assert_int_equal(map_word(&r, "@a", 0), 1);
	assert_int_equal(map_word(&r, "@b", 0), 0);
	assert_int_equal(map_word(&r, "@c", 0), 1);
	assert_int_equal(map_word(&r, "@d", 0), 0);
	assert_int_equal(map_word(&r, "@e", 0), 0);
	assert_int_equal(map_word(&r, "@f", 0), 0);
	run_end(&r);
}

static void test_delete_scalar(void **state)
{
	struct run r;

	(void)state;
	run_begin(&r, "fake:a { @s = 5; @t = 6; delete(@s); @x = @s; }");
	run_fire(&r, NULL, 0);
	assert_null(map_value(&r, "@s"));
	assert_int_equal(map_word(&r, "@t", 0), 6);
	assert_int_equal(map_word(&r, "@x", 0), 0);
	run_end(&r);
}

static void test_composite_keys(void **state)
{
	struct run r;

	(void)state;
	run_begin(&r, "words:a { @m[arg0, comm] = 7; @a = has_key(@m, (arg0, comm)); @b = has_key(@m, (1, \"other\"));"
		      " @c = delete(@m, (arg0, comm)); @h[arg0, \"x\"] = hist(3); @d = has_key(@h, (arg0, \"x\")); }");
	run_fire_word(&r, 5);
	assert_int_equal(map_word(&r, "@a", 0), 1);
	assert_int_equal(map_word(&r, "@b", 0), 0);
	assert_int_equal(map_word(&r, "@c", 0), 1);
	assert_int_equal(map_word(&r, "@d", 0), 1);
	run_end(&r);
}

/* ---- events ---- */

static void test_events(void **state)
{
	(void)state;
	expect_shown("fake:a { @x[1] = 1; print(@x); print(@x, 5); print(@x, 5, 2); clear(@x); zero(@x); }",
		     "print @x 0 0\nprint @x 5 0\nprint @x 5 2\nclear @x\nzero @x\n");
	expect_shown("fake:a { @h[3] = hist(1); print(@h[3]); }", "print @h[3]\n");
	expect_shown("fake:a { @c = count(); delete(@c); }", "clear @c\n");
	expect_shown("fake:a { @c[3] = count(); @c[3] = count(); print(@c[3]); }", "value uint64 2\n");
	expect_shown("fake:a { print(\"text\"); print((int64)-5); }", "value string[5] text\nvalue int64 -5\n");
	expect_shown("fake:a { time(\"now%%\"); time(\"\"); }", "time now%\ntime \n");
}

static void test_exit(void **state)
{
	(void)state;
	expect_shown("fake:a { exit(); print(1); }", "stop 0\n");
	expect_shown("fake:a { exit(3); }", "stop 3\n");
	expect_shown("fake:a { exit(-1); }", "stop -1\n");
	expect_shown("words:a { if (arg0 == 0) { exit(arg0 + 7); } print(1); }", "stop 7\n");
}

static void test_printf(void **state)
{
	struct run r;

	(void)state;
	run_begin(&r, "words:a { printf(\"hi\\n\"); printf(\"%d %s\\n\", arg0, comm); }");
	run_fire_word(&r, 5);
	assert_string_equal(run_shown(&r), "printf 0 of nothing\nprintf 2 of (uint64,string[16])\n");
	run_end(&r);
}

/* What passes the checker passes the verifier. */
static void test_odd_scripts(void **state)
{
	(void)state;
	for (const char *const *body = odd_scripts; *body; body++) {
		LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_buf = verifier_log,
			    .kernel_log_size = sizeof(verifier_log));
		struct bpf_object *obj;
		struct module *m = NULL;
		struct question q;

		question_begin(&q);
		q.env.params = odd_params;
		q.env.nparams = ARRAY_SIZE(odd_params);
		if (!question_check(&q, *body) &&
		    !module_compile(&q.script, &q.env, &q.diags, &q.reporter, &m)) {
			obj = bpf_object__open_mem(m->elf, m->elf_bytes, &opts);
			assert_non_null(obj);
			if (bpf_object__load(obj))
				fail_msg("not loaded: %s\n%s", *body, verifier_log + MAX(strlen(verifier_log), 800) - 800);
			bpf_object__close(obj);
			module_free(m);
		}
		question_end(&q);
	}
}

/* Without the right to load programs there is nothing to test here. */
static int setup(void **state)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	const struct bpf_insn insns[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K }, { .code = BPF_JMP | BPF_EXIT } };
	cpu_set_t cpus;
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "probe", "GPL", insns, 2, &opts);

	(void)state;
	can_load = fd >= 0;
	if (fd >= 0)
		close(fd);
	libbpf_set_print(print_nothing);
	/* On any other CPU the program would run in an interrupt of whoever CPU 0 belongs to. */
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus);
}

#define RUN_TEST(name) \
	static void name##_if_allowed(void **state) \
	{ \
		if (!can_load) { \
			print_message("BPF programs cannot be loaded here\n"); \
			skip(); \
		} \
		name(state); \
	}

RUN_TEST(test_sums)
RUN_TEST(test_extremes)
RUN_TEST(test_hist)
RUN_TEST(test_lhist)
RUN_TEST(test_many_hists)
RUN_TEST(test_task)
RUN_TEST(test_clocks)
RUN_TEST(test_probe)
RUN_TEST(test_probe_of_several)
RUN_TEST(test_str)
RUN_TEST(test_str_counts)
RUN_TEST(test_strlen)
RUN_TEST(test_bswap)
RUN_TEST(test_delete)
RUN_TEST(test_delete_scalar)
RUN_TEST(test_composite_keys)
RUN_TEST(test_events)
RUN_TEST(test_exit)
RUN_TEST(test_printf)
RUN_TEST(test_odd_scripts)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums_if_allowed),
		cmocka_unit_test(test_extremes_if_allowed),
		cmocka_unit_test(test_hist_if_allowed),
		cmocka_unit_test(test_lhist_if_allowed),
		cmocka_unit_test(test_many_hists_if_allowed),
		cmocka_unit_test(test_task_if_allowed),
		cmocka_unit_test(test_clocks_if_allowed),
		cmocka_unit_test(test_probe_if_allowed),
		cmocka_unit_test(test_probe_of_several_if_allowed),
		cmocka_unit_test(test_str_if_allowed),
		cmocka_unit_test(test_str_counts_if_allowed),
		cmocka_unit_test(test_strlen_if_allowed),
		cmocka_unit_test(test_bswap_if_allowed),
		cmocka_unit_test(test_delete_if_allowed),
		cmocka_unit_test(test_delete_scalar_if_allowed),
		cmocka_unit_test(test_composite_keys_if_allowed),
		cmocka_unit_test(test_events_if_allowed),
		cmocka_unit_test(test_exit_if_allowed),
		cmocka_unit_test(test_printf_if_allowed),
		cmocka_unit_test(test_odd_scripts_if_allowed),
	};

	return cmocka_run_group_tests_name("funcs_run", tests, setup, NULL);
}
