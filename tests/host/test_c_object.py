# SPDX-License-Identifier: GPL-2.0-or-later
"""C that is imported: compiled objects, and sources where there is a compiler."""
import shutil
import subprocess

import pytest

CLANG = shutil.which("clang")
needs_clang = pytest.mark.skipif(not CLANG, reason="there is no clang")

NUMBERS = """
unsigned long long table[4] = {1, 10, 100, 1000};
const char name[] = "hello";
int twice(int x) { return 2 * x; }
unsigned long long power(unsigned i) { return i < 4 ? table[i] : 0; }
int letter(int i) { return i >= 0 && i < 5 ? name[i] : -1; }
int fill(int *p) { *p = 77; return 1; }
int first(const char *s) { return s[0]; }
void raise(void) { table[0]++; }
_Bool odd(long x) { return x & 1; }
static __attribute__((noinline)) int inner(int x) { return x * 3 + (int)table[1]; }
int outer(int x) { return inner(x) + twice(x); }
struct two { int a, b; };
int by_value(struct two t) { return t.a + t.b; }
int five(int a, int b, int c, int d, int e) { return a + 10 * b + 100 * c + 1000 * d + 10000 * e; }
struct two *no_pair(void) { return 0; }
char _license[] __attribute__((section("license"), used)) = "%s";
"""

# No headers: what it takes of them is written out.
MAPS = """
struct { int (*type)[2]; int (*max_entries)[4]; int *key; long *value; } store __attribute__((section(".maps"), used));
static void *(*lookup)(void *map, const void *key) = (void *)1;
static long (*update)(void *map, const void *key, const void *value, unsigned long long flags) = (void *)2;
static long (*loop)(unsigned n, void *fn, void *ctx, unsigned long long flags) = (void *)181;
static unsigned long long (*cookie)(void *ctx) = (void *)174;
int keep(int k, long v) { return update(&store, &k, &v, 0); }
long fetch(int k) { long *v = lookup(&store, &k); return v ? *v : -1; }
static long step(unsigned i, void *sum) { *(long *)sum += i; return 0; }
long sum_to(unsigned n) { long s = 0; loop(n, step, &s, 0); return s; }
long has(void *map, unsigned long long key) { return lookup(map, &key) != 0; }
__attribute__((section("tp/no/such"), used)) int own(void *ctx) { return 0; }
char LICENSE[] __attribute__((section("license"), used)) = "Dual BSD/GPL";
"""


def compiled(path, text, *options):
    source = path.with_suffix(".c")
    source.write_text(text)
    subprocess.run([CLANG, "-target", "bpf", "-O2", *(options or ["-g"]), "-c", source, "-o", path], check=True)
    return path


@pytest.fixture
def numbers(tmp_path):
    compiled(tmp_path / "n.bpf.o", NUMBERS % "GPL")
    return 'import "%s/n.bpf.o"; ' % tmp_path


def out_of(run, script, *options):
    res = run("-q", *options, "-e", script)
    assert res.status == 0, res
    return res.out.split()


@needs_clang
def test_numbers(numbers, run):
    got = out_of(run, numbers + """begin {
        print(twice(21)); print(twice(-4)); print(power(2)); print(power(9)); print(letter(1)); print(odd(3));
        print(odd(4)); print(outer(2)); print(five(1, 2, 3, 4, 5)); print(five((int8)-1, 0, 0, 0, 0)); }""")
    assert got == ["42", "-8", "100", "0", "101", "true", "false", "20", "54321", "-1"]


@needs_clang
def test_pointers(numbers, run):
    got = out_of(run, numbers + """begin { $x = (int32)5; print(fill(&$x)); print($x); print(first("abc"));
        $s = "xyz"; print(first($s)); print(no_pair() == 0); }""")
    assert got == ["1", "77", "97", "120", "true"]


@needs_clang
def test_data_of_its_own_lasts(numbers, run):
    assert out_of(run, numbers + "begin { raise(); raise(); } end { raise(); print(power(0)); }") == ["4"]


@needs_clang
def test_in_loops_macros_and_functions(numbers, run):
    got = out_of(run, numbers + """macro four(x) { twice(twice(x)) } fn next(x : int32) : int32 { return twice($x) + 1; }
        begin { $n = 0; for ($i : 0..5) { $n += twice((int32)$i); } print($n); print(four(3)); }""".replace("(x :", "($x :"))
    assert got == ["20", "12"]


@needs_clang
def test_maps_callbacks_and_programs_of_its_own(tmp_path, run):
    compiled(tmp_path / "m.bpf.o", MAPS)
    compiled(tmp_path / "n.bpf.o", NUMBERS % "GPL")
    got = out_of(run, """import "%s/m.bpf.o"; import "%s/n.bpf.o"; let @m = hash(10);
        begin { print(keep(2, -5)); print(fetch(2)); print(fetch(9)); print(sum_to(10)); print(twice(2));
        @m[7] = 1; print(has(&@m, 7)); print(has(&@m, 8)); clear(@m); exit(); }""" % (tmp_path, tmp_path))
    assert got == ["0", "-5", "-1", "45", "4", "1", "0"]


@needs_clang
def test_built_objects_hold_it(numbers, tmp_path, run):
    res = run("build", "-o", tmp_path / "q.o", "-e", numbers + "begin { print(twice(1)); }")
    assert res.status == 0 and (tmp_path / "q.o").stat().st_size > 1000, res


@needs_clang
def test_source(tmp_path, run):
    (tmp_path / "lib.h").write_text("#define TIMES 3\n")
    (tmp_path / "x.bpf.c").write_text('#include <linux/types.h>\n#include "lib.h"\n__s32 thrice(__s32 x) { return TIMES * x; }\n')
    (tmp_path / "x.bt").write_text('import "x.bpf.c"; begin { print(thrice(5)); }')
    res = run("-q", tmp_path / "x.bt")
    assert res.status == 0 and res.out == "15\n", res
    (tmp_path / "x.bpf.c").write_text("int f( { }\n")
    res = run("-q", tmp_path / "x.bt")
    assert res.status == 1 and "clang does not compile it" in res.err and "x.bpf.c:1:8" in res.err, res


def test_source_without_a_compiler(tmp_path, run):
    (tmp_path / "x.bpf.c").write_text("int f(void) { return 1; }\n")
    res = run("-q", "-e", 'import "%s/x.bpf.c"; begin { }' % tmp_path, env={"PATH": str(tmp_path)})
    assert res.status == 1 and "a C compiler for BPF is needed" in res.err and "install clang" in res.err, res


@needs_clang
@pytest.mark.parametrize("call, said", [
    ("twice()", "twice() takes 1 argument, not 0"),
    ('twice("a")', "twice() takes int32 as its parameter x, and this is string[2]"),
    ("twice(1, 2)", "int32 twice(int32 x)"),
    ("by_value(1)", "the kernel lets BPF functions take no struct by value; let it take a pointer, and hand over the struct"),
    ("inner(1)", "there is no function 'inner'"),
    ("twise(1)", "did you mean 'twice'"),
    ("$x = raise()", "raise()"),
])
def test_wrong_calls(numbers, run, call, said):
    res = run("-e", numbers + "begin { %s; }" % call)
    assert res.status == 1 and said in res.err, res


@needs_clang
def test_wrong_files(tmp_path, run):
    (tmp_path / "a.o").write_text("nothing of the kind")
    res = run("-e", 'import "%s/a.o"; begin { }' % tmp_path)
    assert res.status == 1 and "it is no BPF object" in res.err, res
    compiled(tmp_path / "b.o", "int f(int x) { return x; }", "-g0")
    res = run("-e", 'import "%s/b.o"; begin { }' % tmp_path)
    assert res.status == 1 and "does not tell its types" in res.err, res
    good = compiled(tmp_path / "c.o", NUMBERS % "GPL").read_bytes()
    for i in range(0, len(good), 97):
        (tmp_path / "d.o").write_bytes(good[:i] + bytes([good[i] ^ 0xff]) + good[i + 1:] if i % 2 else good[:i])
        res = run("-q", "-e", 'import "%s/d.o"; begin { print(twice(1)); }' % tmp_path)
        assert res.status in (0, 1) and (res.status == 0 or res.err), (i, res)


@needs_clang
def test_two_of_one_name(tmp_path, run):
    for name in "ab":
        compiled(tmp_path / (name + ".o"), "int f(int x) { return x; }")
    res = run("-e", 'import "%s/a.o"; import "%s/b.o"; begin { f(1); }' % (tmp_path, tmp_path))
    assert res.status == 1 and "cannot link what is imported" in res.err and "f" in res.err, res
