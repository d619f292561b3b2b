/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which types names get: literals, arithmetic, growth over all clauses, constants. */
#include "check_fakes.h"

#include <cmocka.h>

struct typing {
	const char *script;
	const char *is; /* "$a=uint8 @x[string[16]]=int64": the names that matter */
};

static const struct typing typings[] = {
	/* literals are as small as they can be */
	{ "begin { $a = 1; $b = -1; $c = 256; $d = 1 << 40; $e = true; $f = \"abc\"; }",
	  "$a=uint8 $b=int8 $c=uint16 $d=uint64 $e=bool $f=string[4]" },
	{ "begin { $a = 2 + 3 * 4; $b = 3 - 5; $c = 7 / 2; $d = ~0; $e = !5; $f = 1 == 1; $g = \"a\" + \"b\"; }",
	  "$a=uint8 $b=int8 $c=uint8 $d=uint64 $e=bool $f=bool $g=string[3]" },
	/* arithmetic is 64 bits wide, a difference is signed, a literal has no sign of its own */
	{ "begin { $a = pid + 1; $b = nsecs - 1; $c = (int32)pid * 2; $d = pid << 2; $e = nsecs / 1000; }",
	  "$a=uint64 $b=int64 $c=int64 $d=uint64 $e=uint64" },
	{ "begin { $a = pid < 5; $b = pid && 1; $c = !pid; $d = ~pid; $e = -pid; }",
	  "$a=bool $b=bool $c=bool $d=uint64 $e=int64" },
	/* names grow */
	{ "begin { $a = 1; $a = 300; $b = 1; $b = -1000; $c = 200; $c = (int8)1; $d = \"a\"; $d = comm; }",
	  "$a=uint16 $b=int16 $c=int16 $d=string[16]" },
	{ "begin { @x = 1; @y[1] = \"a\"; } begin { @x = nsecs; @y[nsecs] = comm; }", "@x=uint64 @y[uint64]=string[16]" },
	{ "begin { @a[1, \"x\"] = 1; } fn:f { @a[nsecs, comm] = 1; }", "@a[(uint64,string[16])]=uint8" },
	{ "begin { @t = nsecs; @t = nsecs - 5; $d = nsecs - 5; @e = $d; @e = nsecs; }", "@t=uint64 @e=uint64" },
	{ "begin { $t = (1, comm); $t = (1000, \"a\"); }", "$t=(uint16,string[16])" },
	/* a type may be learned in a later clause */
	{ "begin { $v = @later; @copy = $v; @sum = @later + 1; } begin { @later = (int16)5; }",
	  "$v=int16 @copy=int16 @sum=int64 @later=int16" },
	/* what only counts itself */
	{ "begin { @i++; @j += 2; @k = @k + 1; --@l; @m[1]++; }",
	  "@i=int64 @j=int64 @k=int64 @l=int64 @m[uint8]=int64" },
	{ "begin { @x++; if (@x == 0) { } $y = 1; $y++; $z = 1; $z--; }", "@x=int64 $y=uint64 $z=int64" },
	{ "begin { @u = nsecs; @u++; @u += 5; }", "@u=uint64" },
	/* aggregations, and reading them */
	{ "begin { @c[comm] = count(); @s = sum(-1); @h = hist(pid); @a = avg(pid); }",
	  "@c[string[16]]=count_t @s=sum_t @h=hist_t @a=uavg_t" },
	{ "begin { @c = count(); $c = @c; $d = @c > 5; $e = @c + 1; @n = 1; @n = @c; @k[@c] = 1; $t = (@c, 1); }",
	  "$c=uint64 $d=bool $e=uint64 @n=uint64 @k[uint64]=uint8 $t=(uint64,uint8)" },
	{ "begin { @s = sum(5); @s = sum(-5); }", "@s=sum_t" },
	/* casts */
	{ "begin { $a = (uint8)pid; $b = (uint8[8])nsecs; $c = (uint64)$b; $d = (int8[])pid; $e = (int32 *)nsecs; "
	  "$f = *$e; $g = $e[1]; $h = (bool)comm; $i = *(int16 **)nsecs; }",
	  "$a=uint8 $b=uint8[8] $c=uint64 $d=int8[4] $f=int32 $g=int32 $h=bool" },
	{ "begin { let $a: uint16 = 5; $a = 300; $a += 1; $a++; let $s: string[8] = \"ab\"; let $t: string = \"abc\"; $t = comm; }",
	  "$a=uint16 $s=string[8] $t=string[16]" },
	{ "begin { $x = nsecs; let $y: typeof($x) = 1; $z = sizeof($x); $w = sizeof(uint32) + sizeof((1, 2)); }",
	  "$y=uint64 $z=uint64 $w=uint8" },
	/* choices and blocks */
	{ "begin { $a = pid ? 1 : 300; $b = pid ? comm : \"x\"; $c = { let $i = nsecs; $i }; $d = if (pid) { 1 } else { -1 }; }",
	  "$a=uint16 $b=string[16] $c=uint64 $d=int8" },
	{ "begin { $a = 1 ? 5 : comm; if comptime (sizeof(uint8) == 1) { $b = 1; } else { $c = nosuch; } }", "$a=uint8 $b=uint8" },
	/* loops */
	{ "begin { for ($i : 0..1000) { $a = $i; } @m[comm] = nsecs; for ($kv : @m) { $k = $kv.0; $v = $kv.1; } }",
	  "$i=uint16 $a=uint16 $kv=(string[16],uint64) $k=string[16] $v=uint64" },
	{ "begin { @c[1] = count(); for ($kv : @c) { $v = $kv.1 + 1; } }", "$kv=(uint8,uint64) $v=uint64" },
	/* members */
	{ "tp:s:wake { $a = args.comm; $b = args->pid; $c = args.addr[1]; $r = (a = 1, b = pid); $d = $r.b; }",
	  "$a=string[16] $b=int32 $c=uint8 $d=uint32" },
};

static bool type_is(struct checked *q, const struct type *t, const char *want, size_t len)
{
	const char *name = type_name(q->arena, t);

	return strlen(name) == len && !memcmp(name, want, len);
}

/* "@x[KEY]=TYPE" */
static bool map_is(struct checked *q, const char *name, size_t len, const char *type, size_t type_len)
{
	size_t base = 0;

	while (base < len && name[base] != '[')
		base++;
	vec_each(it, &q->script.maps) {
		const struct map *m = *it;

		if (strlen(m->name) != base || memcmp(m->name, name, base))
			continue;
		if ((base < len) != (m->key != NULL))
			return false;
		if (m->key && !type_is(q, m->key, name + base + 1, len - base - 2))
			return false;
		return type_is(q, m->value, type, type_len);
	}
	return false;
}

static bool var_is(struct checked *q, const char *name, size_t len, const char *type, size_t type_len)
{
	vec_each(u, &q->script.units) {
		vec_each(it, &(*u)->vars) {
			if (strlen((*it)->name) == len && !memcmp((*it)->name, name, len))
				return type_is(q, (*it)->type, type, type_len);
		}
	}
	return false;
}

static uint32_t typing_check(struct checked *q, const char *is)
{
	uint32_t wrong = 0;

	while (*is) {
		size_t all = strcspn(is, " "), name = (size_t)(strchr(is, '=') - is);
		bool ok = (*is == '@' ? map_is : var_is)(q, is, name, is + name + 1, all - name - 1);

		if (!ok) {
			struct strbuf dump = STRBUF_INIT;

			script_dump_types(&q->script, &dump);
			print_message("%.*s is wanted in\n%s\n%s\n", (int)all, is, dump.s, q->said.s);
			strbuf_free(&dump);
		}
		wrong += !ok;
		is += all;
		is += *is == ' ';
	}
	return wrong;
}

static void test_typings(void **unused)
{
	uint32_t wrong = 0;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(typings); i++) {
		struct checked q;

		checked_init(&q);
		checked_run(&q, typings[i].script, strlen(typings[i].script));
		if (q.err)
			print_message("%s\n%s\n", typings[i].script, q.said.s);
		wrong += q.err ? 1 : typing_check(&q, typings[i].is);
		checked_free(&q);
	}
	assert_int_equal(wrong, 0);
}

/* No expression of a checked script is without a type, and ids of variables are unique in a unit. */
static void typed(struct expr *e, void *ctx)
{
	(void)ctx;
	assert_non_null(e->type);
}

static void test_everything_is_typed(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(typings); i++) {
		struct checked q;

		checked_init(&q);
		checked_run(&q, typings[i].script, strlen(typings[i].script));
		vec_each(u, &q.script.units) {
			clause_visit((*u)->clause, typed, NULL);
			for (uint32_t v = 0; v < (*u)->vars.n; v++)
				assert_int_equal((*u)->vars.v[v]->id, v);
		}
		checked_free(&q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_typings),
		cmocka_unit_test(test_everything_is_typed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
