/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripts that were damaged at random places never crash the checker, whatever it says about them. */
#include "check_fakes.h"

#include <cmocka.h>

static const char *const seeds[] = {
	"begin { $a = 1; $b = -1000; $a = $b; @x[comm, $a] = count(); if ($a > 5 && comm == \"x\") { @y++; } else { exit(); } }",
	"tp:s:* /pid > 5/ { @s[probe] = sum(nsecs - 5); $t = (1, comm, (2, 3)); print($t.2.1); @y = 1; print(($t[1], @y)); }",
	"tp:s:wake* { @h = hist(args.pid); printf(\"%d %s %-10x\\n\", args.pid, args.comm, args->ptr); print(args.addr[2]); }",
	"#define N 5\n#ifdef N\nstruct foo { int a[N]; char n[16]; struct foo *next; u64 b:3, c:5; union { int x; long y; }; };\n"
	"#else\nenum e { A, B = 1 << 3 };\n#endif\ntypedef struct { int z; } zt;\n"
	"fn:x { $f = (struct foo *)arg0; print($f.next->a[1]); print(sizeof(struct foo) + offsetof(struct foo, n)); }",
	"macro add(x, $v, @m) { $v += x; @m = $v; let $l = x * 2; $l } begin { $q = 1; print(add(5, $q, @z)); @z = 2; }",
	"config = { max_strlen = 64; missing_probes = warn } let @m = lruhash(10 * 2); "
	"begin { for ($i : 0..10) { @m[$i] = $i; } for ($kv : @m) { print($kv.1); while ($kv.0 < 5) { break; } } unroll(3) { @u += 2; } }",
	"begin { let $x: uint8 = 5; let $s: string[16] = \"abc\"; $y = $x ? { let $z = 1; $z } : -1; $w = (uint8[4])0x01020304; "
	"print((uint32)$w == 5 ? $s : str($1)); print(*(int64 *)$1); _ = has_key(@m, 1); @m[1] = 1 << 3 | ~2 ^ 5 % 3; }",
	"begin { $r = (a = 1, b = (c = comm,)); print($r.b.c); @c = avg(5); $d = @c + 1; if comptime (sizeof($r) > 4) { print(1); } "
	"return (int64)@c > 3 ? 1 : 0; }",
};

/* Pieces of the language, to be put where they do not belong. */
static const char *const pieces[] = {
	"(", ")", "{", "}", "[", "]", ";", "@x", "$a", "comm", "count()", "args", ".0", "->x", "1", "-1", "\"s\"", "=",
	"+=", "++", "/", "*", "&", "? 1 : 2", "struct foo", "(int64 *)", "sizeof(", "let ", "for ", "if ", "while ", ", ",
	"0xffffffffffffffff", "hist(1)", "exit()", "typeof($a)", "comptime ", "#define", "\n", "break;", "return ", "$1",
	"string[8]", "uint8[", "macro ", "print(@x)", "\0", "5e18",
};

static uint32_t state = 12345;

static uint32_t random_below(uint32_t n)
{
	state = state * 1664525 + 1013904223;
	return n ? (state >> 8) % n : 0;
}

static void mutate(struct strbuf *b)
{
	char old[2048];
	size_t len = MIN(b->len, sizeof(old)), at = random_below((uint32_t)len + 1), gap = random_below(8);
	const char *piece = pieces[random_below(ARRAY_SIZE(pieces))], *other = seeds[random_below(ARRAY_SIZE(seeds))];

	memcpy(old, b->s, len);
	strbuf_reset(b);
	strbuf_add(b, old, at);
	switch (random_below(4)) {
	case 0: /* leave something out */
		gap = MIN(gap + 1, len - at);
		break;
	case 1: /* put something in */
		strbuf_addstr(b, piece);
		gap = 0;
		break;
	case 2: /* put something in the place of something */
		strbuf_addstr(b, piece);
		gap = MIN(gap, len - at);
		break;
	default: /* a part of another script */
		at = MIN(at, len);
		strbuf_add(b, other + strlen(other) / 2, MIN(strlen(other) / 2, (size_t)random_below(40)));
		gap = 0;
	}
	strbuf_add(b, old + at + gap, len - at - gap);
}

static void check_one(const struct strbuf *text)
{
	static const char *const params[] = { "42", "x y" };
	struct strbuf dump = STRBUF_INIT;
	struct checked q;

	checked_init(&q);
	q.env.params = params;
	q.env.nparams = 2;
	checked_run(&q, text->s, text->len);
	assert_true(!q.err || q.diags.nerrors);
	if (!q.err)
		script_dump_types(&q.script, &dump);
	strbuf_free(&dump);
	checked_free(&q);
}

static void test_mutations(void **unused)
{
	(void)unused;
	for (uint32_t round = 0; round < 12000; round++) {
		struct strbuf b = STRBUF_INIT;

		strbuf_addstr(&b, seeds[round % ARRAY_SIZE(seeds)]);
		for (uint32_t n = 1 + random_below(4); n; n--)
			mutate(&b);
		check_one(&b);
		strbuf_free(&b);
	}
}

static void test_seeds_are_good(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(seeds); i++) {
		static const char *const params[] = { "42", "x y" };
		struct checked q;

		checked_init(&q);
		q.env.params = params;
		q.env.nparams = 2;
		checked_run(&q, seeds[i], strlen(seeds[i]));
		if (q.diags.nerrors)
			print_message("%s\n", q.said.s);
		assert_int_equal(q.err, 0);
		checked_free(&q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seeds_are_good),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
