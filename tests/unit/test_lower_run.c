/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The language, run by the kernel: every script is compiled, passes the verifier, runs once by
 * BPF_PROG_TEST_RUN and leaves in @x what the table says. What is refused must be refused with a message.
 */
#include "funcs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

static bool can_load, small_ring;
static char verifier_log[1 << 20];

static int print_nothing(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

struct run {
	struct question q;
	struct module *m;
	struct bpf_object *obj;
};

static int run_compile(struct run *r, const char *text)
{
	int err;

	question_begin(&r->q);
	r->m = NULL;
	r->obj = NULL;
	if (small_ring)
		r->q.env.config.perf_rb_pages = 1;
	err = question_check(&r->q, text);
	if (!err)
		err = module_compile(&r->q.script, &r->q.env, &r->q.diags, &r->q.reporter, &r->m);
	diag_flush(&r->q.diags, &r->q.reporter);
	return err;
}

static void run_script(struct run *r, const char *text)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_buf = verifier_log, .kernel_log_size = sizeof(verifier_log));
	struct bpf_program *prog;

	if (run_compile(r, text))
		fail_msg("not compiled: %s\n%s", text, r->q.said.s);
	r->obj = bpf_object__open_mem(r->m->elf, r->m->elf_bytes, &opts);
	assert_non_null(r->obj);
	if (bpf_object__load(r->obj))
		fail_msg("not loaded: %s\n%s", text, verifier_log + MAX(strlen(verifier_log), 800) - 800);
	bpf_object__for_each_program(prog, r->obj) {
		uint64_t ctx[12] = { 0 };
		LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = ctx, .ctx_size_in = sizeof(ctx));

		assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(prog), &run), 0);
	}
}

static void run_end(struct run *r)
{
	bpf_object__close(r->obj);
	module_free(r->m);
	question_end(&r->q);
}

static const struct map_desc *map_named(const struct run *r, const char *name)
{
	vec_each(d, &r->m->maps)
		if (!strcmp(d->object_name, name))
			return d;
	fail_msg("there is no map %s", name);
	return NULL;
}

/* The value of the scalar map @x; whether it was set in *set. */
static void read_x(const struct run *r, uint8_t *value, uint64_t *set)
{
	const struct map_desc *d = map_named(r, "AT_x");
	uint8_t bytes[8192];
	uint32_t key = 0;

	assert_int_equal(d->form, MAP_SCALAR);
	assert_int_equal(bpf_map_lookup_elem(bpf_object__find_map_fd_by_name(r->obj, "AT_x"), &key, bytes), 0);
	memcpy(value, bytes, d->value_bytes);
	memcpy(set, bytes + d->set_offset, sizeof(*set));
}

static int64_t number_of(const struct type *t, const uint8_t *bytes)
{
	uint64_t v = 0;
	uint32_t shift = 64 - t->size * 8;

	memcpy(&v, bytes, t->size);
	return t->is_signed ? (int64_t)(v << shift) >> shift : (int64_t)v;
}

/* ---- numbers ---- */

static const struct {
	const char *body;
	int64_t want;
} numbers[] = {
	{ "@x = 1 + 2 * 3", 7 },
	{ "$a = -7; @x = $a / 2", -3 },
	{ "$a = -7; @x = $a % 4", -3 },
	{ "$a = 7; $b = (int64)-2; @x = $a / $b", -3 },
	{ "$a = 7; $b = 0; @x = $a / $b", 1 },
	{ "$a = 7; $b = pid - pid; @x = $a % $b", 1 },
	{ "$a = (uint64)18446744073709551615; @x = $a / 2", 9223372036854775807 },
	{ "$a = (uint8)255; @x = (int8)$a", -1 },
	{ "$a = (int32)-1; @x = (uint64)(uint32)$a", 4294967295 },
	{ "$a = (int8)-1; @x = (uint16)$a", 65535 },
	{ "$a = 1; @x = $a << 40", 1LL << 40 },
	{ "$a = (uint64)1 << 40; @x = $a >> 38", 4 },
	{ "$a = 5; @x = ~$a & 0xff", 250 },
	{ "$a = 12; @x = $a & 10 | 1 ^ 3", (12 & 10) | (1 ^ 3) },
	{ "$a = (int64)-1; @x = $a < 0 ? 1 : 2", 1 },
	{ "$a = (int32)-1; @x = $a < 5 ? 1 : 2", 1 },
	{ "$a = (uint64)18446744073709551615; @x = $a > 5 ? 1 : 2", 1 },
	{ "$a = 3; @x = $a == 3 && $a != 4 || $a > 100 ? 10 : 20", 10 },
	{ "$a = 3; @x = !($a == 3) ? 10 : 20", 20 },
	{ "$a = 0; if ($a && 1 / $a) { @x = 1 } else { @x = 2 }", 2 },
	{ "$a = 5; $a += 2; $a *= 3; $a -= 1; $a /= 2; $a <<= 2; $a |= 1; $a ^= 2; $a %= 30; @x = $a", 13 },
	{ "$a = 5; $b = $a++ + ++$a; @x = $b * 100 + $a", 1207 },
	{ "$a = 5; $b = $a-- - --$a; @x = $b * 100 + $a", 203 },
	{ "let $a; if (pid != 0) { $a = 4 } @x = $a", 4 },
	{ "@x = 3; return; @x = 4", 3 },
};

static void test_numbers(void **state)
{
	(void)state;
	if (!can_load)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		char text[512];
		uint8_t value[64];
		uint64_t set;
		struct run r;
		int64_t got;

		snprintf(text, sizeof(text), "fake:a { %s; }", numbers[i].body);
		run_script(&r, text);
		read_x(&r, value, &set);
		got = number_of(map_named(&r, "AT_x")->map->value, value);
		if (got != numbers[i].want || !set)
			fail_msg("%s: %lld, not %lld", numbers[i].body, (long long)got, (long long)numbers[i].want);
		run_end(&r);
	}
}

/* ---- flow, maps, memory: @x is 1 when all is well ---- */

static const char *const holds[] = {
	("$i = 0; $n = 0; while ($i < 10) { $i++; if ($i == 3) { continue } if ($i == 8) { break } $n += $i } "
	 "@x = $n == 25 && $i == 8"),
	"$n = 0; for $i : 0..5 { $n += $i } @x = $n == 10",
	"$n = 0; for $i : 0..5 { if ($i == 1) { continue } if ($i == 4) { break } $n += $i } @x = $n == 5",
	"$n = 0; while ($n < 100) { unroll (4) { $n++; if ($n == 3) { break } } } @x = $n == 3",
	"$s = \"abc\"; @x = $s == \"abc\" && $s != \"abd\" && $s != \"ab\" && $s != \"abcd\"",
	"$s = \"12345678\"; @x = $s == \"12345678\" && $s != \"123456789\" && $s != \"1234567\"",
	"@s = \"long enough to be more than a word\"; @t = @s; @x = @t == @s && @t != comm",
	"$c = comm; @x = $c == comm",
	"@x = (pid == pid ? \"yes\" : \"no\") == \"yes\"",
	"$t = (1, \"ab\", -5); @x = $t.0 == 1 && $t.1 == \"ab\" && $t.2 == -5",
	"$t = (1, 2); $t = ($t.1, $t.0); @x = $t.0 == 2 && $t.1 == 1",
	"@t = (1, \"ab\"); @t = (300, \"abcdef\"); @x = @t == (300, \"abcdef\")",
	"@k[1, \"a\"] = 5; @k[2, \"bcd\"] = 6; @x = @k[1, \"a\"] == 5 && @k[2, \"bcd\"] == 6 && @k[1, \"b\"] == 0",
	"@k[(int64)-1] = 5; @k[3] = 7; @x = @k[-1] == 5",
	"@k[\"a\"]++; @k[\"a\"]++; $o = @k[\"a\"]++; $p = ++@k[\"a\"]; @x = $o == 2 && $p == 4 && @k[\"a\"] == 4",
	"@k[1]--; $o = @k[1]--; @x = $o == -1 && @k[1] == -2",
	"@k[1] += 10; @k[1] -= 3; @k[1] *= 8; @x = @k[1] == 56",
	"@y = 5; @y += 10; @y++; @y /= 4; @x = @y == 4",
	"@v[1] = \"ab\"; @v[2] = \"abcdef\"; @x = @v[1] == \"ab\" && @v[2] == \"abcdef\" && @v[3] == \"\"",
	"@c = count(); @c = count(); @x = @c == 2",
	"@c[\"k\"] = count(); @c[\"k\"] = count(); @x = (int64)@c[\"k\"] == 2 && (int64)@c[\"z\"] == 0",
	"@s = sum(-4); @s = sum(-6); @x = (int64)@s == -10",
	"@a = avg(-3); @a = avg(-6); @x = (int64)@a == -4",
	"@m = min(5); @m = min(-2); @m = min(3); @x = (int64)@m == -2",
	"@m = max(-5); @m = max(-2); @x = (int64)@m == -2 && (int64)@n[1] == 0; @n[2] = max(1)",
	"$a = { let $b = 3; $b + 1 }; @x = $a == 4",
	"$a = if pid == 0 { 5 } else { 6 }; @x = $a == 6",
	"@k[1] = 1; delete(@k, 1); @x = @k[1] == 0 && !has_key(@k, 1)",
	"$s = str(0); @x = $s == \"\"",
};

static void test_holds(void **state)
{
	(void)state;
	if (!can_load)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(holds); i++) {
		char text[1024];
		uint8_t value[64];
		uint64_t set;
		struct run r;

		snprintf(text, sizeof(text), "fake:a { %s; }", holds[i]);
		run_script(&r, text);
		read_x(&r, value, &set);
		if (number_of(map_named(&r, "AT_x")->map->value, value) != 1)
			fail_msg("does not hold: %s", holds[i]);
		run_end(&r);
	}
}

/* ---- maps that are full, addresses that cannot be read ---- */

static uint64_t counter_of(const struct run *r, uint32_t counter)
{
	return object_counter(r->obj, counter);
}

static void test_refused_updates_are_counted(void **state)
{
	static const struct {
		const char *text;
		uint64_t want;
	} cases[] = {
		{ "let @k = hash(2); fake:a { for $i : 0..5 { @k[$i] = 1 } }", 3 },
		{ "let @k = hash(2); fake:a { for $i : 0..5 { @k[$i]++ } }", 3 },
		{ "let @k = percpuhash(2); fake:a { for $i : 0..5 { @k[$i] = count() } }", 3 },
	};

	(void)state;
	if (!can_load)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run r;

		run_script(&r, cases[i].text);
		assert_int_equal(counter_of(&r, COUNTER_MAPS + map_named(&r, "AT_k")->map->id), cases[i].want);
		run_end(&r);
	}
}

static void test_faults_are_counted(void **state)
{
	struct run r;

	(void)state;
	if (!can_load)
		skip();
	run_script(&r, "fake:a { @a = *(uint32 *)8; @s = str(16); @x = 1; }");
	assert_int_equal(counter_of(&r, COUNTER_FAULTS), 2);
	run_end(&r);
}

/* ---- events ---- */

struct seen {
	char bytes[4096];
	size_t n;
	struct event_header header;
	uint32_t count;
};

static int see(void *ctx, void *data, size_t n)
{
	struct seen *s = ctx;

	memcpy(&s->header, data, sizeof(s->header));
	s->n = MIN(n, sizeof(s->bytes));
	memcpy(s->bytes, data, s->n);
	s->count++;
	return 0;
}

static void take_events(const struct run *r, struct seen *s)
{
	struct ring_buffer *ring;

	memset(s, 0, sizeof(*s));
	ring = ring_buffer__new(bpf_object__find_map_fd_by_name(r->obj, "events"), see, s, NULL);
	assert_non_null(ring);
	assert_true(ring_buffer__consume(ring) >= 0);
	ring_buffer__free(ring);
}

/* A string at the end takes as much of the ring as it is long; its address is that of its own text. */
static void test_events_are_as_long_as_their_strings(void **state)
{
	static const char text[] = "a text of this program";
	char script[256];
	struct seen seen;
	struct run r;

	(void)state;
	if (!can_load)
		skip();
	snprintf(script, sizeof(script), "fake:a { printf(\"%%d %%s\", 5, str(uptr(%llu))); }",
		 (unsigned long long)(uintptr_t)text);
	run_script(&r, script);
	take_events(&r, &seen);
	assert_int_equal(seen.count, 1);
	assert_true(seen.n < 64);
	assert_string_equal(seen.bytes + sizeof(seen.header) + r.m->sites.v[0].payload->fields[1].offset, text);
	assert_int_equal(seen.header.len, r.m->sites.v[0].payload->fields[1].offset + sizeof(text));
	run_end(&r);
}

/* Arguments that change something do so once each time, also when the ring is full; what did not get
 * into the ring is counted. */
static void test_full_ring(void **state)
{
	struct seen seen;
	struct run r;
	uint8_t value[64];
	uint64_t set;

	(void)state;
	if (!can_load)
		skip();
	small_ring = true;
	run_script(&r, "fake:a { for $i : 0..300 { printf(\"%s %d\", \"some text that takes room\", @x++) } }");
	small_ring = false;
	take_events(&r, &seen);
	read_x(&r, value, &set);
	assert_int_equal(number_of(map_named(&r, "AT_x")->map->value, value), 300);
	assert_true(seen.count > 10);
	assert_true(counter_of(&r, COUNTER_LOST) > 10);
	assert_int_equal(seen.count + counter_of(&r, COUNTER_LOST), 300);
	run_end(&r);
}

/* ---- what is refused ---- */

static void test_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "fake:a { for $i : 0..8388609 { print($i) } }", "at most 8388608" },
		{ "fn f($a : int64): int64 { return -f($a); } fake:a { print(1); }", "recursion" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run r;

		if (!run_compile(&r, cases[i].text))
			fail_msg("not refused: %s", cases[i].text);
		if (!strstr(r.q.said.s, cases[i].message))
			fail_msg("%s: %s", cases[i].text, r.q.said.s);
		run_end(&r);
	}
}

static int setup(void **state)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "try", 4, 4, 1, &opts);

	(void)state;
	libbpf_set_print(print_nothing);
	can_load = fd >= 0;
	if (fd >= 0)
		close(fd);
	else
		print_message("skipped: running programs needs CAP_BPF and CAP_PERFMON\n");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_holds),
		cmocka_unit_test(test_refused_updates_are_counted),
		cmocka_unit_test(test_faults_are_counted),
		cmocka_unit_test(test_events_are_as_long_as_their_strings),
		cmocka_unit_test(test_full_ring),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
