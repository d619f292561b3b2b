/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is written becomes the tree it means. Trees are compared in a short form, see show(). */
#include "lang.h"

#include <inttypes.h>

#include "base/util.h"

static void show_body(struct strbuf *out, const stmt_vec *body);

static void show_type(struct strbuf *out, const struct type_ref *r)
{
	static const char *const tags[] = { "", "struct ", "union ", "enum ", "typeof " };

	strbuf_addf(out, "<%s%s", tags[r->kind], r->name ? r->name : "");
	if (r->of_type)
		show_type(out, r->of_type);
	if (r->of)
		strbuf_addstr(out, "expr");
	strbuf_fill(out, '*', r->pointers);
	vec_each(it, &r->dims)
		strbuf_addf(out, "[%" PRId64 "]", *it);
	strbuf_addch(out, '>');
}

/* (op a b), calls and lists likewise. */
static void show(struct strbuf *out, const struct expr *e)
{
	static const char *const words[] = { [EX_INDEX] = "index", [EX_TERNARY] = "?", [EX_CAST] = "cast",
		[EX_SIZEOF] = "sizeof", [EX_OFFSETOF] = "offsetof", [EX_TUPLE] = "tuple", [EX_RECORD] = "record",
		[EX_BLOCK] = "block", [EX_IF] = "if", [EX_COMPTIME] = "comptime" };

	switch (e->kind) {
	case EX_INT: strbuf_addf(out, "%" PRIu64, e->num); return;
	case EX_STR: strbuf_addf(out, "'%s'", e->str); return;
	case EX_BOOL: strbuf_addstr(out, e->num ? "true" : "false"); return;
	case EX_PARAM: strbuf_addf(out, "$%" PRIu64, e->num); return;
	case EX_PARAM_COUNT: strbuf_addstr(out, "$#"); return;
	case EX_IDENT: case EX_VAR: strbuf_addstr(out, e->name); return;
	case EX_MAP:
		strbuf_addstr(out, e->name);
		if (!e->a)
			return;
		strbuf_addch(out, '[');
		show(out, e->a);
		strbuf_addch(out, ']');
		return;
	case EX_CALL: strbuf_addf(out, "(%s", e->name); break;
	case EX_FIELD: strbuf_addf(out, "(%s%s", e->arrow ? "->" : ".", e->name); break;
	case EX_UNARY: case EX_BINARY: strbuf_addf(out, "(%s", op_text(e->op)); break;
	case EX_INCDEC: strbuf_addf(out, "(%s%s", op_text(e->op), e->is_prefix ? "x" : ""); break;
	default: strbuf_addf(out, "(%s", words[e->kind]);
	}
	if (e->tref)
		show_type(out, e->tref);
	show_body(out, &e->body);
	for (int i = 0; i < 3; i++) {
		const struct expr *child = i == 0 ? e->a : i == 1 ? e->b : e->c;

		if (child) {
			strbuf_addch(out, ' ');
			show(out, child);
		}
	}
	for (uint32_t i = 0; i < e->args.n; i++) {
		strbuf_addch(out, ' ');
		if (e->kind == EX_RECORD)
			strbuf_addf(out, "%s=", e->names.v[i]);
		show(out, e->args.v[i]);
	}
	if (e->kind == EX_OFFSETOF)
		vec_each(it, &e->names)
			strbuf_addf(out, " .%s", *it);
	strbuf_addch(out, ')');
}

static void show_part(struct strbuf *out, const char *between, const struct expr *e)
{
	if (!e)
		return;
	strbuf_addstr(out, between);
	show(out, e);
}

static void show_stmt(struct strbuf *out, const struct stmt *s)
{
	static const char *const words[] = { "", "", "let ", "if", "while", "for ", "for ", "unroll", "break",
					     "continue", "return", "block" };

	strbuf_addstr(out, words[s->kind]);
	if (s->kind == ST_ASSIGN && !s->target)
		strbuf_addch(out, '_');
	show_part(out, "", s->target);
	if (s->tref)
		show_type(out, s->tref);
	if (s->kind == ST_ASSIGN)
		strbuf_addf(out, " %s=", op_text(s->op));
	show_part(out, s->kind == ST_EXPR ? "" : " ", s->value);
	show_part(out, " ", s->from);
	show_part(out, "..", s->to);
	show_body(out, &s->body);
	if (s->other.n) {
		strbuf_addstr(out, " else");
		show_body(out, &s->other);
	}
	strbuf_addch(out, ';');
}

static void show_body(struct strbuf *out, const stmt_vec *body)
{
	if (!body->n)
		return;
	strbuf_addch(out, '{');
	vec_each(it, body)
		show_stmt(out, *it);
	strbuf_addch(out, '}');
}

struct pair {
	const char *written, *means;
};

/* `prefix` and `suffix` around each; the body of the first clause is shown. */
static void pairs_check(const struct pair *pairs, size_t n, const char *prefix, const char *suffix)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, shown = STRBUF_INIT;
		struct parsed p;

		strbuf_addf(&text, "%s%s%s", prefix, pairs[i].written, suffix);
		parse_text(&p, text.s);
		if (p.err)
			fail_msg("%s:\n%s", text.s, diag_render(&p.diags, &p.diags.list.v[0]));
		vec_each(it, &p.script.clauses.v[0]->body)
			show_stmt(&shown, *it);
		assert_string_equal(shown.s, pairs[i].means);
		parsed_end(&p);
	}
}

static void expressions(void **state)
{
	static const struct pair pairs[] = {
		{ "1 + 2 * 3 - 4", "(- (+ 1 (* 2 3)) 4);" },
		{ "1 << 2 < 3 == 4 & 5 ^ 6 | 7 && 8 || 9", "(|| (&& (| (^ (& (== (< (<< 1 2) 3) 4) 5) 6) 7) 8) 9);" },
		{ "1 - 2 - 3", "(- (- 1 2) 3);" }, { "a / b % c", "(% (/ a b) c);" },
		{ "-a + !b * ~c", "(+ (- a) (* (! b) (~ c)));" }, { "*$p.x", "(* (.x $p));" },
		{ "&$x", "(& $x);" }, { "+5", "5;" }, { "a ? b : c ? d : e", "(? a b (? c d e));" },
		{ "a ? b ? c : d : e", "(? a (? b c d) e);" }, { "(1 + 2) * 3", "(* (+ 1 2) 3);" },
		{ "$x.0.1->b[2].if", "(.if (index (->b (.1 (.0 $x))) 2));" },
		{ "$x++ + --@y[1]", "(+ (++ $x) (--x @y[1]));" }, { "@", "@;" }, { "@[1, \"a\"]", "@[(tuple 1 'a')];" },
		{ "@x[(1, 2)][3]", "(index @x[(tuple 1 2)] 3);" }, { "f(1, g(), h)", "(f 1 (g) h);" },
		{ "()", "(tuple);" }, { "(1,)", "(tuple 1);" }, { "(1, (2, 3))", "(tuple 1 (tuple 2 3));" },
		{ "(a=1, b=(c=2))", "(record a=1 b=(record c=2));" }, { "(a == 1)", "(== a 1);" },
		{ "$1 + $#", "(+ $1 $#);" }, { "true != false", "(!= true false);" },
		{ "{ $a = 1; $a }", "block{$a = 1;$a;};" }, { "f({ 1 })", "(f (block 1));" },
		{ "comptime f(1) == 2", "(== (comptime (f 1)) 2);" }, { "args.a->b", "(->b (.a args));" },
		{ "typeinfo(int8) == typeinfo($x)", "(== (typeinfo<int8>) (typeinfo $x));" },
	};

	(void)state;
	pairs_check(pairs, ARRAY_SIZE(pairs), "BEGIN { ", " }");
}

static void literals(void **state)
{
	static const struct pair pairs[] = {
		{ "0", "0;" }, { "0x1F", "31;" }, { "0X1f_ff", "8191;" }, { "017", "15;" }, { "1e6", "1000000;" },
		{ "2E3", "2000;" }, { "1_000_000", "1000000;" }, { "123UL", "123;" }, { "1ull", "1;" }, { "5llu", "5;" },
		{ "7ns", "7;" }, { "7us", "7000;" }, { "7ms", "7000000;" }, { "7s", "7000000000;" }, { "1m", "60000000000;" },
		{ "1h", "3600000000000;" }, { "1d", "86400000000000;" }, { "18446744073709551615", "18446744073709551615;" },
		{ "\"a\\n\\t\\\\\\\"\"", "'a\n\t\\\"';" }, { "\"\\x41\\102\\060\"", "'AB0';" }, { "\"// no /* comment\"", "'// no /* comment';" },
		{ "\"\\033[31m\"", "'\033[31m';" },
	};

	(void)state;
	pairs_check(pairs, ARRAY_SIZE(pairs), "BEGIN { ", " }");
}

static void types(void **state)
{
	static const struct pair pairs[] = {
		{ "(uint8)$x", "(cast<uint8> $x);" }, { "(uint8[8])$x", "(cast<uint8[8]> $x);" },
		{ "(int8[])$x", "(cast<int8[-1]> $x);" }, { "(struct foo *)arg0", "(cast<struct foo*> arg0);" },
		{ "(struct foo **)arg0", "(cast<struct foo**> arg0);" }, { "(string[16])$x", "(cast<string[16]> $x);" },
		{ "(unsigned long long *)$x", "(cast<unsigned long long*> $x);" }, { "(const char *)$x", "(cast<char*> $x);" },
		{ "(foo_t)$x.a", "(cast<foo_t> (.a $x));" }, { "(foo *)$x", "(cast<foo*> $x);" },
		{ "(uint64)-1", "(cast<uint64> (- 1));" }, { "(int64)*$p", "(cast<int64> (* $p));" },
		{ "(int8*)&$x", "(cast<int8*> (& $x));" }, { "(uint16)(uint8)5", "(cast<uint16> (cast<uint8> 5));" },
		{ "((struct path *)arg0).dentry", "(.dentry (cast<struct path*> arg0));" },
		{ "(foo) - 1", "(- foo 1);" }, { "(foo[4]) - 1", "(- (index foo 4) 1);" }, { "(foo[4])$x", "(cast<foo[4]> $x);" },
		{ "(a * b)", "(* a b);" }, { "(uint8[4] *)$x", "(cast<typeof <uint8[4]>*> $x);" },
		{ "(enum e)1", "(cast<enum e> 1);" }, { "(typeof($x))1", "(cast<typeof expr> 1);" },
		{ "sizeof(struct foo)", "(sizeof<struct foo>);" }, { "sizeof(uint64)", "(sizeof<uint64>);" },
		{ "sizeof($x)", "(sizeof $x);" }, { "sizeof((1,2))", "(sizeof (tuple 1 2));" },
		{ "sizeof(foo)", "(sizeof foo);" }, { "offsetof(struct foo, a.b.c)", "(offsetof<struct foo> .a .b .c);" },
		{ "offsetof(*$x, a)", "(offsetof (* $x) .a);" }, { "sizeof(unsigned int)", "(sizeof<unsigned int>);" },
	};

	(void)state;
	pairs_check(pairs, ARRAY_SIZE(pairs), "BEGIN { ", " }");
}

static void statements(void **state)
{
	static const struct pair pairs[] = {
		{ "$x = 1; @a[1] += 2; $x <<= 3; @ |= 4;", "$x = 1;@a[1] += 2;$x <<= 3;@ |= 4;" },
		{ "_ = f()", "_ = (f);" }, { "let $x; let $y = 1; let $z : uint8[4] = 2", "let $x;let $y 1;let $z<uint8[4]> 2;" },
		{ "if (1) { a } else if (2) { b } else { c } d", "if 1{a;} else{if 2{b;} else{c;};};d;" },
		{ "if 1 { a }; b", "if 1{a;};b;" }, { "while (1) { break; continue } return; ", "while 1{break;continue;};return;" },
		{ "return 5", "return 5;" }, { "for ($kv : @a) { $kv.0 }", "for $kv @a{(.0 $kv);};" },
		{ "for ($i : 0..10) { }", "for $i 0..10;" }, { "for $i : $a..ncpus { f($i) }", "for $i $a..ncpus{(f $i);};" },
		{ "unroll(3) { a } unroll ($1) { b }", "unroll 3{a;};unroll $1{b;};" }, { "{ a; { b } }", "block{a;block{b;};};" },
		{ ";;a;;", "a;" }, { "$x = if (1) { 2 } else { 3 };", "$x = (if 1 (block 2) (block 3));" },
		{ "$x = { let $y = 1; $y }; b", "$x = (block{let $y 1;} $y);b;" },
		{ "$x = 1 // c\n /* d */ ; b", "$x = 1;b;" },
	};

	(void)state;
	pairs_check(pairs, ARRAY_SIZE(pairs), "BEGIN { ", " }");
}

static void predicates(void **state)
{
	static const struct {
		const char *script, *means;
	} cases[] = {
		{ "kprobe:f /pid == 1/ { }", "(== pid 1)" }, { "kprobe:f/pid/{ }", "pid" },
		{ "kprobe:f / a / b / { }", "(/ a b)" }, { "kprobe:f /(a / b) / c/ // c\n { }", "(/ (/ a b) c)" },
		{ "kprobe:f\n/@x[tid]/\n{ }", "@x[tid]" }, { "kprobe:f /{ a / { b } }/ { }", "(block (/ a (block b)))" },
		{ "kprobe:f /1 ? 2 : 3/ { }", "(? 1 2 3)" }, { "software:faults: /1/ { }", "1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;
		struct parsed p;

		parse_text(&p, cases[i].script);
		if (p.err)
			fail_msg("%s", diag_render(&p.diags, &p.diags.list.v[0]));
		show(&shown, p.script.clauses.v[0]->pred);
		assert_string_equal(shown.s, cases[i].means);
		parsed_end(&p);
	}
}

static void probes(void **state)
{
	/* Parts with '|' between them, quoted ones in brackets, probes with blanks. */
	static const struct pair pairs[] = {
		{ "BEGIN", "BEGIN" }, { "kprobe:f,kretprobe:g , END", "kprobe|f kretprobe|g END" },
		{ "tracepoint:a:b_*", "tracepoint|a|b_*" }, { "uprobe:/bin/bash:readline", "uprobe|/bin/bash|readline" },
		{ "uprobe:./a.out:main+0x10", "uprobe|./a.out|main+0x10" }, { "uprobe:lib/x.so.6:f", "uprobe|lib/x.so.6|f" },
		{ "uprobe:/usr/*/x:f", "uprobe|/usr/*/x|f" }, { "uprobe:/a:\"f(int, char)\"", "uprobe|/a|<f(int, char)>" },
		{ "uprobe:\"/a b\":f", "uprobe|</a b>|f" }, { "uprobe:/a\\ b:f", "uprobe|/a b|f" },
		{ "iter:task:/sys/fs/bpf/x", "iter|task|/sys/fs/bpf/x" }, { "interval:s:$1", "interval|s|$1" },
		{ "interval:1s", "interval|1s" }, { "h:cache-misses:1e6", "h|cache-misses|1e6" },
		{ "usdt::x:y", "usdt||x|y" }, { "software:faults:", "software|faults|" }, { "n=kprobe:f", "n=kprobe|f" },
		{ "kprobe : f", "kprobe|f" }, { "kprobe:[ab]?c", "kprobe|[ab]?c" }, { "watchpoint:0x10:8:rw", "watchpoint|0x10|8|rw" },
		{ "self:signal:SIGUSR1", "self|signal|SIGUSR1" }, { "kprobe:f/* c */", "kprobe|f" }, { "test:okay", "test|okay" },
		{ "config:x", "config|x" }, { "*:f", "*|f" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, shown = STRBUF_INIT;
		struct parsed p;

		strbuf_addf(&text, "%s { }", pairs[i].written);
		parse_text(&p, text.s);
		if (p.err)
			fail_msg("%s", diag_render(&p.diags, &p.diags.list.v[0]));
		vec_each(it, &p.script.clauses.v[0]->probes) {
			const struct probe_spec *s = *it;

			strbuf_addf(&shown, "%s%s%s%s", shown.len ? " " : "", s->name ? s->name : "", s->name ? "=" : "", s->kind);
			for (uint32_t j = 0; j < s->parts.n; j++)
				strbuf_addf(&shown, s->part_quoted.v[j] ? "|<%s>" : "|%s", s->parts.v[j]);
		}
		assert_string_equal(shown.s, pairs[i].means);
		parsed_end(&p);
	}
}

static const char preamble[] =
	"#!/usr/bin/env sonde\n"
	"#include <linux/x.h>\n"
	"#define A \\\n  1\n"
	"struct foo { int x; struct { char y[4]; } z; }\n"
	"struct bar { /* } */ int x; } __attribute__((packed));\n"
	"union u { int a; };\n"
	"enum e { A, B }\n"
	"typedef struct { int q; } foo_t;\n"
	"config = { a=1; b=word\n c=\"x\"; d=true }\n"
	"import \"lib.bt\";\n"
	"let @m = lruhash(10 * 2);\n"
	"macro one() { 1 }\n"
	"macro add($a, b, @c) { @c += b; $a + b }\n"
	"fn f($x : struct foo *, $y : uint8[4]) : int64 { return 1; }\n"
	"// comment\n"
	"BEGIN { one } /* last */ END { }\n";

static void what_stands_between_clauses(void **state)
{
	struct parsed p;
	const struct script *s;

	(void)state;
	parse_text(&p, preamble);
	if (p.err)
		fail_msg("%s", diag_render(&p.diags, &p.diags.list.v[0]));
	s = &p.script;
	assert_string_equal(s->shebang, "#!/usr/bin/env sonde");
	assert_int_equal(s->c_texts.n, 7);
	assert_true(s->c_texts.v[1].is_directive);
	assert_string_equal(s->c_texts.v[1].text, "#define A \\\n  1");
	assert_string_equal(s->c_texts.v[2].text, "struct foo { int x; struct { char y[4]; } z; }");
	assert_string_equal(s->c_texts.v[3].text, "struct bar { /* } */ int x; } __attribute__((packed));");
	assert_string_equal(s->c_texts.v[6].text, "typedef struct { int q; } foo_t;");
	assert_int_equal(s->configs.n, 4);
	assert_int_equal(s->configs.v[1].value->kind, EX_IDENT);
	assert_int_equal(s->configs.v[3].value->kind, EX_BOOL);
	assert_string_equal(s->imports.v[0].path, "lib.bt");
	assert_string_equal(s->map_decls.v[0].kind, "lruhash");
	assert_int_equal(s->macros.n, 2);
	assert_non_null(s->macros.v[0]->body->a);
	assert_string_equal(s->macros.v[1]->params.v[2].name, "@c");
	assert_int_equal(s->macros.v[1]->body->body.n, 1);
	assert_string_equal(s->subprogs.v[0]->params.v[1].name, "$y");
	assert_int_equal(s->clauses.n, 2);
	assert_int_equal(s->comments.n, 3);
	parsed_end(&p);
}

/* Every node's span lies within its parent's and spells it. */
static void spans(void **state)
{
	struct parsed p;
	const char *text = "kprobe:f /pid == (1 + 2)/ { $x = @a[1, 2].b[3]++; }";

	(void)state;
	parse_text(&p, "BEGIN { $abc = (1 + 2) * f(3).g; if (1) { } }");
	assert_int_equal(p.script.clauses.v[0]->body.v[0]->span.begin, 8);
	assert_int_equal(p.script.clauses.v[0]->body.v[0]->span.end, 31);
	assert_int_equal(p.script.clauses.v[0]->body.v[0]->value->a->span.begin, 15);
	assert_int_equal(p.script.clauses.v[0]->body.v[0]->value->b->name_span.begin, 30);
	assert_int_equal(p.script.clauses.v[0]->body.v[1]->span.end, 43);
	assert_int_equal(p.script.clauses.v[0]->span.end, 45);
	parsed_end(&p);
	parse_text(&p, text);
	assert_int_equal(p.err != 0, 1); /* ++ needs a variable */
	assert_int_equal(p.diags.list.v[0].span.begin, 33);
	assert_int_equal(p.diags.list.v[0].span.end, 46);
	parsed_end(&p);
}

static void count_exprs(struct expr *e, void *ctx)
{
	(void)e;
	++*(int *)ctx;
}

static void copies_are_deep_and_equal(void **state)
{
	_cleanup_strbuf_ struct strbuf before = STRBUF_INIT, after = STRBUF_INIT;
	struct parsed p;
	struct clause *c, *copy;
	int n = 0, m = 0;

	(void)state;
	parse_text(&p, "kprobe:f /pid/ { $x = { let $y : typeof(@z) = 1; $y ? (1, @a[2]) : (b=3) }; "
		   "for ($i : 0..sizeof(typeof($x))) { f($i) } if (1) { 2 } else { 3 } }");
	assert_int_equal(p.err, 0);
	c = p.script.clauses.v[0];
	copy = clause_clone(p.arena, c);
	show_body(&before, &c->body);
	show_body(&after, &copy->body);
	assert_string_equal(before.s, after.s);
	clause_visit(c, count_exprs, &n);
	clause_visit(copy, count_exprs, &m);
	assert_int_equal(n, m);
	assert_int_equal(n, 23);
	copy->body.v[0]->value->a->a->name = "$changed";
	strbuf_reset(&after);
	show_body(&after, &c->body);
	assert_string_equal(before.s, after.s);
	parsed_end(&p);
}

static void dumps(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	struct parsed p;

	(void)state;
	parse_text(&p, "tracepoint:a:\"b\" /pid == 1/ {\n  @x[comm] = -5;\n}");
	script_dump_ast(&p.script, &out);
	assert_string_equal(out.s,
			    "clause 0  <1:1-3:1>\n"
			    "  probe \"tracepoint\" \"a\" quoted \"b\"  <1:1-16>\n"
			    "  predicate: binary ==  <1:19-26>\n"
			    "    name pid  <1:19-21>\n"
			    "    int 1  <1:26-26>\n"
			    "  do\n"
			    "    assign =  <2:3-15>\n"
			    "      to: map @x  <2:3-10>\n"
			    "        key: name comm  <2:6-9>\n"
			    "      unary -  <2:14-15>\n"
			    "        int 5  <2:15-15>\n");
	strbuf_reset(&out);
	parsed_end(&p);
	parse_text(&p, preamble);
	script_dump_ast(&p.script, &out);
	assert_non_null(strstr(out.s, "function f($x : struct foo *, $y : uint8[4]) : int64"));
	parsed_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expressions), cmocka_unit_test(literals), cmocka_unit_test(types),
		cmocka_unit_test(statements), cmocka_unit_test(predicates), cmocka_unit_test(probes),
		cmocka_unit_test(what_stands_between_clauses), cmocka_unit_test(spans),
		cmocka_unit_test(copies_are_deep_and_equal), cmocka_unit_test(dumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
