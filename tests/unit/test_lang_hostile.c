/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text that means harm: random bytes, scripts with bytes changed, and nesting without end. Nothing may
 * crash, hang or leak (run under -Dsanitize=true), and what parses must survive copying and dumping.
 */
#include "lang.h"

#include <stdlib.h>

#include "base/util.h"

static const char seed[] =
	"#define X 1\nstruct s { int a; };\nconfig = { max_map_keys = 10 }\nlet @m = hash(5);\n"
	"macro add($a, b) { $a += b; $a }\nfn f($x : int64) : int64 { return $x; }\n"
	"uprobe:/bin/bash:readl*, n=t:\"a\":b /pid == 1 && (@x[tid] / 2) > 3/ {\n"
	"  $x = (struct s *)arg0; @a[comm, 1] = hist($x->a.0[2], 3); @++; // comment\n"
	"  if ($x == 0x1f) { printf(\"%d\\n\\x41\", 1e3); } else if (1ms) { exit() } else { _ = { 1 }; }\n"
	"  for ($kv : @m) { print(($kv.0, (a=1, b=\"c\"))); } for $i : 0..$1 { unroll(2) { break; } }\n"
	"  while ($#) { let $y : uint8[4] = sizeof(typeof($x)) ? offsetof(struct s, a.b) : -~!1; } /* c */\n"
	"}\nEND { clear(@m) }\n";

static uint64_t random_next(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static void ignore_expr(struct expr *e, void *ctx)
{
	(void)e;
	(void)ctx;
}

static void try_bytes(const char *text, size_t len)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	struct parsed p;

	parse_bytes(&p, text, len);
	assert_int_equal(p.err != 0, p.diags.nerrors != 0);
	vec_each(it, &p.diags.list)
		assert_non_null(diag_render(&p.diags, it));
	vec_each(it, &p.script.clauses)
		clause_visit(clause_clone(p.arena, *it), ignore_expr, NULL);
	script_dump_ast(&p.script, &out);
	parsed_end(&p);
}

static void random_bytes(void **state)
{
	static const char frequent[] = "{}()[];:,./\"'$@#=+-*&|!~<>%^? \n01eax_\\";
	uint64_t rng = 1;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		char text[300];
		size_t len = random_next(&rng) % sizeof(text);

		for (size_t i = 0; i < len; i++)
			text[i] = round % 2 ? (char)random_next(&rng) : frequent[random_next(&rng) % (sizeof(frequent) - 1)];
		try_bytes(text, len);
	}
}

static void mutated_scripts(void **state)
{
	uint64_t rng = 2;

	(void)state;
	for (int round = 0; round < 6000; round++) {
		char text[2 * sizeof(seed)];
		size_t len = sizeof(seed) - 1;

		memcpy(text, seed, len);
		for (uint64_t n = 1 + random_next(&rng) % 4; n; n--) {
			size_t at = random_next(&rng) % len, from = random_next(&rng) % len;
			size_t run = 1 + random_next(&rng) % 12;

			run = MIN(run, len - MAX(at, from));
			if (random_next(&rng) % 3 == 0 && len > 100) { /* cut */
				memmove(text + at, text + at + run, len - at - run);
				len -= run;
			} else { /* copy over */
				memmove(text + at, text + from, run);
			}
		}
		try_bytes(text, len);
	}
}

static void every_prefix(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(seed); len++)
		try_bytes(seed, len);
}

static void nesting_is_limited(void **state)
{
	static const char *const openings[] = { "(", "{", "[", "!", "-", "*", "f(", "@a[", "(int8)", "1?", "1?1:",
		"if 1 {", "comptime ", "sizeof(", "sizeof(typeof(", "(typeof(", "(1,", "(a=", "while 1 {", "$x[",
		"{ $x = ", "if 1 { } else ", "1+", "1+(", "$a.", "$a.b.c[1].", "(int8*[2]*)", "for $i : 0..", "x=" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(openings); i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		strbuf_addstr(&text, "BEGIN { $x = 1; $x = ");
		for (int n = 0; n < 20000; n++)
			strbuf_addstr(&text, openings[i]);
		try_bytes(text.s, text.len);
		/* The same as statements, and between clauses. */
		try_bytes(text.s + 21, text.len - 21);
		memcpy(text.s + 8, "            ;", 13);
		try_bytes(text.s, text.len);
	}
}

static void depth_at_the_limit(void **state)
{
	static const struct {
		int n;
		bool fine;
	} cases[] = { { 450, true }, { 550, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		struct parsed p;

		strbuf_addstr(&text, "BEGIN { print(");
		strbuf_fill(&text, '(', (size_t)cases[i].n);
		strbuf_addch(&text, '1');
		strbuf_fill(&text, ')', (size_t)cases[i].n);
		strbuf_addstr(&text, ") }");
		parse_text(&p, text.s);
		assert_int_equal(p.err == 0, cases[i].fine);
		assert_int_equal(p.diags.list.n, cases[i].fine ? 0 : 1);
		parsed_end(&p);
	}
}

static void chains_are_limited(void **state)
{
	(void)state;
	for (int n = 900; n < 1200; n += 200) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		struct parsed p;

		strbuf_addstr(&text, "BEGIN { $x = 1");
		for (int i = 0; i < n; i++)
			strbuf_addstr(&text, " + 1");
		strbuf_addstr(&text, "; }");
		parse_text(&p, text.s);
		assert_int_equal(p.err == 0, n < 1000);
		parsed_end(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_bytes), cmocka_unit_test(mutated_scripts), cmocka_unit_test(every_prefix),
		cmocka_unit_test(nesting_is_limited), cmocka_unit_test(depth_at_the_limit),
		cmocka_unit_test(chains_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
