/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Demangle: names of C++ and Rust, and what only looks like one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "symbol/demangle.h"

static const struct {
	const char *name, *text; /* NULL: is left alone */
} names[] = {
	{ "main", NULL },
	{ "", NULL },
	{ "_", NULL },
	{ "_Z", NULL },
	{ "_ZN", NULL },
	{ "_Z3addii", "add(int, int)" },
	{ "_ZN5space5Thing6methodEPKc", "space::Thing::method(char const*)" },
	{ "_ZNK5space5Thing3getEv", "space::Thing::get() const" },
	{ "_ZN4core3fmt9Formatter9write_str17h0123456789abcdefE", "core::fmt::Formatter::write_str" },
	{ "_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE",
	  "<Test + 'static as foo::Bar<Test>>::bar" },
	{ "_ZN3foo17h05af221e174051e9E.llvm.123", "foo" },
	{ "_ZN3foo16h05af221e174051eE", "foo::h05af221e174051e" }, /* not a hash: C++ */
	{ "_RNvCskwGfYPst2Cb_3foo16example_function", "foo::example_function" },
	{ "_RNvC6_123foo3bar", "123foo::bar" },
	{ "_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_", "cc::spawn::{closure#0}::{closure#0}" },
	{ "_RINvC7example4calllE", "example::call::<i32>" },
	{ "_RNvMC4testNtB2_3Foo3new", "<test::Foo>::new" },
	{ "_RNvXC4testNtB2_3FooNtB2_3Bar3run", "<test::Foo as test::Bar>::run" },
	{ "_RNCNvC4test4main0", "test::main::{closure#0}" },
	{ "_RNCNvC4test4mains_0", "test::main::{closure#1}" },
	{ "_RINvC1a1fRShTlbEE", "a::f::<&[u8], (i32, bool)>" },
	{ "_RINvC1a1fAlj4_E", "a::f::<[i32; 4]>" },
	{ "_RINvC1a1fFlEbE", "a::f::<fn(i32) -> bool>" },
	{ "_RINvC1a1fDNtC1a3BarEL_E", "a::f::<dyn a::Bar>" },
	{ "_RINvC1a1fKjff_E", "a::f::<255>" },
	/* circles, nothing, and beyond the end */
	{ "_RB_", NULL },
	{ "_RNvB_3foo", NULL },
	{ "_RNvC99999foo3bar", NULL },
	{ "_RINvC1a1f", NULL },
	{ "_RINvC1a1fSSSSSSSS", NULL },
	{ "_R", NULL },
	{ "_R0Nv", NULL },
};

static void names_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
		bool done;

		strbuf_addstr(&out, "x");
		done = demangle(names[i].name, &out);
		if (done != (names[i].text != NULL) || strcmp(out.s + 1, names[i].text ? names[i].text : ""))
			fail_msg("%s: %s", names[i].name, out.s + 1);
	}
}

/* Whatever is cut off or changed, it is read within its bounds. */
static void damaged_names_do_no_harm(void **state)
{
	static const char alphabet[] = "_RNvCIMXYBE0123456789sLKGTSAFDabjz$.";
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
		char *copy = strdup(names[rand_r(&seed) % ARRAY_SIZE(names)].name);
		size_t n = strlen(copy);

		for (int k = rand_r(&seed) % 4; n > 2 && k; k--)
			copy[2 + (size_t)rand_r(&seed) % (n - 2)] = alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)];
		copy[n ? (size_t)rand_r(&seed) % (n + 1) : 0] = 0;
		demangle_rust_v0(copy, &out);
		demangle_rust_legacy(copy, &out);
		assert_true(out.len < 100000);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read),
		cmocka_unit_test(damaged_names_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
