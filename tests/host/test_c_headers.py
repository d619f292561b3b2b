# SPDX-License-Identifier: GPL-2.0-or-later
"""C headers of the machine: read when a name is known to nobody else, and never a reason to fail."""
import time

import pytest

HEADER = r"""
#ifndef _STRANGE_H
#define _STRANGE_H 1
#include "strange_more.h"
#if defined(__GNUC__) && __GNUC__ >= 3
# define STRANGE_NEW 1
#else
# define STRANGE_OLD 1
#endif
#ifdef __cplusplus
extern "C" {
#endif
/* a comment with #define STRANGE_COMMENT 1
 */
#define STRANGE_HEX 0x10UL	// and this
#define STRANGE_SUM (STRANGE_HEX | \
		     STRANGE_MORE)
#define STRANGE_BIT(n) (1U << (n))
#define STRANGE_JOIN(a, b) a ## b
#define STRANGE_CALLED STRANGE_BIT(4)
#define STRANGE_JOINED STRANGE_JOIN(STRANGE_, HEX)
#define STRANGE_CHAR 'A'
#define STRANGE_CAST ((strange_id)-1)
#define STRANGE_SIZE sizeof(struct strange)
#define STRANGE_LOOP STRANGE_POOL
#define STRANGE_POOL STRANGE_LOOP
#define STRANGE_TEXT "words"
typedef unsigned int strange_id;
typedef void (*strange_call)(int);
enum strange_kind { STRANGE_FIRST, STRANGE_SECOND = STRANGE_HEX, STRANGE_THIRD, };
enum { STRANGE_NAMELESS = 1 << 3 };
#define STRANGE_TWICE(x) ((x) + (x))
#define STRANGE_SHORT(x) ((strange_short)(x) + __builtin_bswap16(0x100) * STRANGE_FEW)
#define STRANGE_FEW ((strange_short)-1 > 0 ? 2U : 0x0UL)
#define STRANGE_NEXT(p) (((struct strange *)(p))->next)
#define STRANGE_TASK curtask
#define STRANGE_LIKELY(x) __builtin_expect(!!(x), __builtin_constant_p(x))
#define STRANGE_SELF(x) STRANGE_SELF(x)
#define STRANGE_PING(x) STRANGE_PONG((x) + 1)
#define STRANGE_PONG(x) STRANGE_PING(x)
#define STRANGE_STATEMENT(x) do { x++; } while (0)
#define STRANGE_STRING(x) #x
#define STRANGE_CALLS(x) strange_function(x)
#define STRANGE_EMPTY(x)
typedef unsigned short strange_short;
__extension__ struct strange { strange_id id; char name[STRANGE_HEX]; struct strange *next; } __attribute__((packed));
typedef struct { int x, y; } strange_pair;
static inline int strange_inline(int x) { if (x) { return 1; } return 0; }
extern int strange_function(const char *__restrict format, ...) __attribute__((format(printf, 1, 2)));
_Static_assert(sizeof(int) == 4, "what; a } world");
int %%% nonsense ((( that no compiler takes ;
#endif
"""


@pytest.fixture
def strange(tmp_path):
    (tmp_path / "sys").mkdir()
    (tmp_path / "sys" / "strange.h").write_text(HEADER)
    (tmp_path / "sys" / "strange_more.h").write_text('#include "strange.h"\n#define STRANGE_MORE 3\n')
    return tmp_path


def ask(run, strange, text, include="#include <sys/strange.h>\n"):
    return run("-q", "-e", include + text, env={"CPATH": str(strange)})


@pytest.mark.parametrize("expr, value", [
    ("STRANGE_HEX", "16"), ("STRANGE_SUM", "19"), ("STRANGE_NEW", "1"), ("STRANGE_CALLED", "16"),
    ("STRANGE_JOINED", "16"), ("STRANGE_CHAR", "65"), ("STRANGE_SIZE", "28"), ("STRANGE_MORE", "3"),
    ("STRANGE_FIRST + STRANGE_THIRD", "17"), ("STRANGE_NAMELESS", "8"), ("sizeof(strange_pair)", "8"),
    ("sizeof(struct strange)", "28"), ("offsetof(struct strange, next)", "20"), ("sizeof(strange_id)", "4"),
    ("sizeof(strange_call)", "8"), ("(strange_id)-1", "4294967295"),
    ("((strange_pair *)0)->y + 1", "1"),
])
def test_what_they_say(strange, run, expr, value):
    res = ask(run, strange, "begin { print((uint64)(%s)); }" % expr)
    assert res.status == 0 and res.out.split("\n")[0] == value, res


@pytest.mark.parametrize("name", ["STRANGE_OLD", "STRANGE_COMMENT", "STRANGE_LOOP", "strange_inline", "STRANGE_NEVER"])
def test_what_they_do_not_say(strange, run, name):
    res = ask(run, strange, "begin { print(%s); }" % name)
    assert res.status == 1 and "there is no builtin or constant '%s'" % name in res.err, res
    assert "strange.h" not in res.err, res


@pytest.mark.parametrize("expr, value", [
    ("STRANGE_BIT($five)", "32"), ("STRANGE_TWICE(@m)", "14"), ("STRANGE_TWICE(STRANGE_TWICE($five))", "20"),
    ("STRANGE_TWICE($five++)", "11"), ("STRANGE_SHORT(0x10007)", "9"), ("STRANGE_NEXT(0) == 0", "true"),
    ("STRANGE_TASK == curtask", "true"), ("STRANGE_LIKELY($five)", "true"), ("STRANGE_TEXT", "words"),
    ("twice($five)", "10"),
])
def test_macros_that_the_script_uses(strange, run, expr, value):
    res = ask(run, strange, "macro twice(x) { STRANGE_TWICE(x) } config = { print_maps_on_exit = false }\n"
              "begin { @m = 7; $five = 5; print(%s); }" % expr)
    assert res.status == 0 and res.out == value + "\n", res


@pytest.mark.parametrize("expr, message", [
    ("STRANGE_SELF(1)", "the headers' macro STRANGE_SELF is no expression of this language"),
    ("STRANGE_PING(1)", "the headers' macro STRANGE_PING is no expression of this language"),
    ("STRANGE_STATEMENT($x)", "it is: do { x++; } while (0)"), ("STRANGE_STRING(a)", "it is: #x"),
    ("STRANGE_CALLS(1)", "there is no function 'strange_function'"), ("STRANGE_EMPTY(1)", "there is no function 'STRANGE_EMPTY'"),
    ("STRANGE_TWICE(1, 2)", "the headers' macro STRANGE_TWICE takes 1 argument, not 2"),
    ("STRANGE_TWICE()", "the headers' macro STRANGE_TWICE takes 1 argument, not 0"),
    ("STRANGE_TWICE", "there is no builtin or constant 'STRANGE_TWICE'"),
    ("STRANGE_HEX(1)", "there is no function 'STRANGE_HEX'"),
])
def test_macros_that_cannot_be_used(strange, run, expr, message):
    res = ask(run, strange, "begin { $x = 1; print(%s); }" % expr)
    assert res.status == 1 and message in res.err and "verifier" not in res.err, res


def test_macros_of_real_headers(run):
    """Those of linux-libc-dev, which every compiler needs."""
    res = run("-q", "-e", "#include <sys/stat.h>\n#include <sys/wait.h>\n#include <linux/ioprio.h>\n"
              "#include <linux/kdev_t.h>\n#include <asm/ioctl.h>\n"
              "begin { $mode = 040755; $status = 0x300; print((S_ISDIR($mode), S_ISREG($mode))); "
              "print((WIFEXITED($status), WEXITSTATUS($status))); print(IOPRIO_PRIO_CLASS((2 << 13) | 4)); "
              "print((MAJOR(0x801), MINOR(0x801), MKDEV(8, 1))); print(_IOR(1, 2, int)); }")
    assert res.status == 0 and res.out == "(true, false)\n(true, 3)\n2\n(8, 1, 2049)\n2147746050\n", res


def test_conditions_of_the_script(strange, run):
    res = ask(run, strange, "#ifdef STRANGE_NEW\nbegin { print(1); }\n#else\nbegin { print(2); }\n#endif\n"
              "#if STRANGE_HEX == 16\nend { print(3); }\n#endif\n#ifdef STRANGE_OLD\nend { print(4); }\n#endif\n")
    assert res.status == 0 and res.out.split() == ["1", "3"], res


def test_the_script_comes_first(strange, run):
    res = ask(run, strange, "#define STRANGE_HEX 5\nstruct strange { int a; }\n"
              "begin { print((STRANGE_HEX, sizeof(struct strange))); }")
    assert res.status == 0 and res.out == "(5, 4)\n", res


def test_without_the_include_nothing_is_read(strange, run):
    res = ask(run, strange, "begin { print(STRANGE_HEX); }", include="")
    assert res.status == 1 and "STRANGE_HEX" in res.err, res


@pytest.mark.parametrize("text", [
    b"#define", b"#define A(", b"#if", b"#if 1\n#if (((\n", b"#else\n#endif\n#endif\n", b'#include <', b'#include "',
    b"#define F(a,b) F(b,a)F(a,b)\n#define NAMED F(F(1,2),F(3,4))\n", b"struct {", b"enum { A, B", b"typedef", b"'\"\\",
    b"\0\0\0", b"#define D0 (1)\n" + b"".join(b"#define D%d D%d D%d\n" % (i + 1, i, i) for i in range(40)) +
    b"#define NAMED D40\n", b"{" * 100000, b"enum x { A = B, B = A, NAMED = B };",
    b"#define NAMED sizeof(struct odd_s)\nstruct odd_s { struct odd_s a[NAMED]; };",
    b"#if " + b"(" * 5000 + b"1\n#endif\n", b"#define NAMED " + b"-" * 5000 + b"1\n",
    b"typedef struct t NAMED; struct t { NAMED x; };", b'#include "odd.h"\n#include <sys/odd.h>\n',
])
def test_odd_headers_do_no_harm(tmp_path, run, text):
    (tmp_path / "sys").mkdir()
    (tmp_path / "sys" / "odd.h").write_bytes(text)
    began = time.monotonic()
    res = run("-q", "-e", "#include <sys/odd.h>\nbegin { print(NAMED); print(sizeof(struct odd_s)); }",
              env={"CPATH": str(tmp_path)})
    assert res.status == 1 and "stdin:2:" in res.err, res
    assert time.monotonic() - began < 8
