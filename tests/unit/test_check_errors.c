/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the checker says about mistakes: where, in which words, and with which hint. */
#include "check_fakes.h"

#include <cmocka.h>

struct mistake {
	const char *script, *said;
};

static const struct mistake mistakes[] = {
	/* names */
	{ "begin { print(pidd); }",
	  "1:15: error: there is no builtin or constant 'pidd'\n  hint: did you mean 'pid'?\n" },
	{ "begin { prinft(\"x\"); }",
	  "1:9: error: there is no function 'prinft'\n  hint: did you mean 'printf'?\n" },
	{ "begin { @[kstack] = count(); }", "1:11: error: there is no builtin or constant 'kstack'\n" },
	{ "begin { exit; }", "1:9: error: exit is a function\n  hint: call it: void exit([int status])\n" },
	{ "begin { pid(1); }", "1:9: error: pid takes no arguments\n  hint: \"pid\"\n" },
	{ "begin { printf(); }",
	  "1:9: error: printf() takes at least 1 argument, not 0\n  hint: void printf(string format, ...)\n" },
	{ "begin { exit(1, 2); }",
	  "1:9: error: exit() takes at most 1 argument, not 2\n  hint: void exit([int status])\n" },
	{ "begin { @ = sum(); }", "1:13: error: sum() takes 1 argument, not 0\n  hint: sum(int n)\n" },
	{ "begin { count(); }", "1:9: error: count() can only be assigned to a map\n  hint: @ = count(int n)\n" },
	{ "begin { system(\"x\"); }", "1:9: error: system() is unsafe. To use you need the --unsafe flag\n" },
	/* what a kind offers */
	{ "begin { print(args); }", "1:15: error: args is not available in begin probes\n"
	  "  hint: they offer no arguments\n" },
	{ "fn:a { print(args.x); }", "1:14: error: args is not available in fn probes\n"
	  "  hint: they offer arg0 to arg9, retval\n" },
	{ "tp:s:open { print(arg0); }", "1:19: error: arg0 is not available in tp probes\n  hint: they offer args\n" },
	{ "tp:s:open { print(args.filenam); }", "1:24: error: tp:s:open has no argument 'filenam'\n"
	  "  hint: did you mean 'filename'?\n" },
	{ "tp:s:open { print(args.xyz); }", "1:24: error: tp:s:open has no argument 'xyz'\n"
	  "  hint: sonde -lv 'tp:s:open' lists its arguments\n" },
	{ "tp:s:open { $a = args; $a = 1; }", "1:24: error: $a holds struct tp:s:open_args and cannot take uint8\n"
	  "  hint: it got its type at 1:13\n" },
	/* probes */
	{ "tpp:s:open { }", "1:1: error: there is no kind of probe 'tpp'\n  hint: did you mean 'tp'?\n" },
	{ "hardware:cycles:1 { }", "1:1: error: there is no kind of probe 'hardware'\n"
	  "  hint: sonde --help lists the kinds\n" },
	{ "tp:s:open, tp:s:none { }", "1:12: error: Probe has no valid attach points. Nothing matches tp:s:none\n"
	  "0:0: error: Unable to attach probe: tp:s:none. If this is expected, set the 'missing_probes' config variable "
	  "to 'warn'.\n" },
	{ "tp:s:$3 { }", "1:6: error: the parameter $3 is not given\n" },
	{ "config = { max_probes = 2 } tp:s:* { }", "1:29: error: this makes 3 probes, and max_probes is 2\n"
	  "  hint: config = { max_probes = 3 } allows them; attaching many slows the machine down\n" },
	{ "config = { missing_probes = ignore } tp:s:none { }", "0:0: error: Attachment failed for all probes. None of the script's probes "
								"exists\n" },
	/* variables */
	{ "begin { print($x); }", "1:15: error: $x has no value here\n" },
	{ "begin { $count = 1; print($cout); }",
	  "1:27: error: $cout has no value here\n  hint: did you mean '$count'?\n" },
	{ "begin { if (1) { let $q = 1; } print($q); }", "1:38: error: $q has no value here\n"
	  "  hint: it is only known inside the block at 1:22: put 'let $q;' before that block\n" },
	{ "begin { $x = 1; $x = \"a\"; }", "1:17: error: $x holds uint8 and cannot take string[2]\n"
	  "  hint: it got its type at 1:9\n" },
	{ "begin { let $x: uint8 = 5; $x = nsecs; }", "1:28: error: $x holds uint8 and cannot take uint64\n"
	  "  hint: it was declared so at 1:13\n" },
	{ "begin { let $x = 1; let $x = 2; }",
	  "1:25: error: $x is already in use since 1:13, and a name cannot be declared again inside\n" },
	{ "begin { $i = 1; for ($i : 0..3) { } }",
	  "1:22: error: $i is already in use since 1:9, and a name cannot be declared again inside\n" },
	{ "begin { $c = (uint64)1; $d = (int64)-1; $c = $d; }",
	  "1:41: error: $c holds uint64 and cannot take int64\n  hint: it got its type at 1:9\n" },
	{ "begin { let $a; }", "1:13: warning: $a is declared but never assigned\n" },
	/* maps */
	{ "begin { @x = 1; @x[2] = 3; }", "1:20: error: @x is used with a key here, but without one at 1:9\n" },
	{ "begin { if (@x == 0) { } }", "1:13: error: @x is read, but nothing is ever assigned to it\n" },
	{ "begin { @x[2] = 3; @x = 1; }", "1:20: error: @x is used without a key here, but with one at 1:12\n" },
	{ "begin { @x[1] = 1; @x[comm] = 2; }",
	  "1:23: error: Argument mismatch for @x: trying to access with arguments: 'string[16]' when map expects arguments: 'uint8'\n"
	  "  hint: it is keyed so since 1:12\n" },
	{ "begin { @x[1] = 1; @x[1, 2] = 2; }",
	  "1:23: error: Argument mismatch for @x: trying to access with arguments: '(uint8,uint8)' when map expects arguments: 'uint8'\n"
	  "  hint: it is keyed so since 1:12\n" },
	{ "begin { @x = 1; @x = comm; }", "1:17: error: @x holds uint8 since 1:9 and cannot take string[16]\n" },
	{ "begin { @x = count(); } begin { @x = avg(1); }",
	  "1:33: error: @x holds count_t since 1:9 and cannot take uavg_t\n" },
	{ "begin { @x = count(); @x++; }",
	  "1:23: error: @x holds count_t, which only its own function can bring up to date\n" },
	{ "begin { @x = count(); @y = @x; }", "1:28: error: count_t cannot be copied from one map to another\n"
	  "  hint: to keep its present value, cast it: (int64)@x\n" },
	{ "begin { @h = hist(1); $a = @h; }",
	  "1:28: error: @h holds hist_t: it can be printed as a whole, cleared or zeroed, but has no single value\n" },
	{ "begin { clear(@x); }", "1:15: error: nothing is ever assigned to @x\n" },
	{ "begin { @x = 1; for ($k : @x) { } }", "1:27: error: @x has no keys to go over\n" },
	{ "let @a = has(4); begin { @a[1] = 1; }",
	  "1:1: error: there is no kind of map 'has'\n  hint: did you mean 'hash'?\n" },
	{ "let @a = hash(0); begin { @a[1] = 1; }",
	  "1:15: error: the number of entries must be a literal from 1 to 67108864\n" },
	{ "let @a = hash(4); begin { @a[1] = count(); }", "1:1: error: @a is declared as hash, but holds count_t\n"
	  "  hint: what is aggregated is kept per CPU: declare it as percpuhash or percpulruhash\n" },
	{ "let @a = hash(4); begin { }", "1:1: warning: Unused map: @a\n" },
	/* operators */
	{ "begin { print(1 / 0); }", "1:15: error: division by zero\n" },
	{ "begin { $a = 1; $a %= 0; }", "1:17: error: division by zero\n" },
	{ "begin { $a = nsecs << 64; }", "1:23: error: a shift must be by 0 to 63 bits\n" },
	{ "begin { print(comm == 5); }", "1:15: error: string[16] cannot be compared with uint8\n" },
	{ "begin { print(comm + 1); }", "1:15: error: + cannot be applied to string[16] and uint8\n" },
	{ "begin { print(comm < \"x\"); }", "1:15: error: < cannot be applied to string[16] and string[2]\n" },
	{ "begin { print(-comm); }", "1:15: error: - cannot be applied to string[16]\n" },
	{ "begin { print(0xffffffffffffffff + 1); }",
	  "1:15: warning: the result does not fit 64 bits and wraps around\n" },
	{ "begin { $a = exit(); }", "1:14: error: exit() has no value\n" },
	{ "begin { print(pid ? 1 : comm); }", "1:15: error: the branches have different types: uint8 and string[16]\n" },
	{ "begin /comm/ { }", "1:8: error: a predicate must be an integer, a bool or a pointer, and this is string[16]\n"
	  "  hint: compare it: ... != \"\"\n" },
	{ "begin { if (comm) { } }",
	  "1:12: error: a condition must be an integer, a bool or a pointer, and this is string[16]\n"
	  "  hint: compare it: ... != \"\"\n" },
	{ "begin { pid + 1; }", "1:9: warning: the value of this is not used\n" },
	/* access */
	{ "begin { $t = (1, 2); print($t.2); }", "1:31: error: a tuple of 2 has no member .2\n" },
	{ "begin { $t = (1, 2); print($t[pid]); }", "1:31: error: the index of a tuple must be a literal\n" },
	{ "begin { print(nsecs.x); }", "1:15: error: uint64 has no members\n"
	  "  hint: cast it first: ((struct NAME *)...).x\n" },
	{ "tp:s:wake { print(args.addr[4]); }", "1:29: error: the index 4 is out of bounds for array of size 4\n" },
	{ "begin { $x = (struct foo *)pid; }", "1:15: error: there is no type 'struct foo'\n"
	  "  hint: declare it at the top of the script\n" },
	{ "begin { let $x: uint3 = 1; }", "1:17: error: there is no type 'uint3'\n  hint: did you mean 'uint8'?\n" },
	{ "begin { $x = (string[8])pid; }", "1:14: error: uint32 cannot be cast to string[8]\n"
	  "  hint: str() reads the string at an address\n" },
	/* control */
	{ "begin { break; }", "1:9: error: break stands outside of a loop\n" },
	{ "begin { unroll(0) { } }", "1:9: error: unroll minimum value is 1\n" },
	{ "begin { unroll(pid) { } }", "1:15: error: the number of rounds must be a literal\n" },
	{ "begin { return comm; }", "1:16: error: a probe returns an integer, and this is string[16]\n" },
	{ "begin { return; print(1); }", "1:7: warning: Unreachable statement.\n" },
	/* several at once, each in its place */
	{ "begin { print(pidd); print($y); }", "1:15: error: there is no builtin or constant 'pidd'\n"
	  "  hint: did you mean 'pid'?\n1:28: error: $y has no value here\n" },
};

static void test_mistakes(void **unused)
{
	uint32_t wrong = 0;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		struct checked q;

		checked_init(&q);
		checked_run(&q, mistakes[i].script, strlen(mistakes[i].script));
		if (strcmp(q.said.s, mistakes[i].said)) {
			print_message("%s\nis said:\n%sis wanted:\n%s\n", mistakes[i].script, q.said.s, mistakes[i].said);
			wrong++;
		}
		assert_int_equal(q.err, strstr(mistakes[i].said, "error") ? -EINVAL : 0);
		checked_free(&q);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_mistakes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
