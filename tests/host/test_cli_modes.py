# SPDX-License-Identifier: GPL-2.0-or-later
"""What else can be done with a program: format, test, measure, list, filter, explain its parameters."""
import json
import os
import re
import signal

import pytest

from conftest import script

TESTS = script("""\
    test:good { printf("not shown\\n"); }
    test:bad { printf("shown\\n\\n"); return 2; }
    test:exits { exit(3); }
    test:complains { errorf("no %d", 7); }
    bench:one { @[nsecs % 64, "k"] = count(); }
    bench:skipped { return 1; }
    interval:s:1 { exit(); }
    """)


# ---- --fmt ----

@pytest.mark.parametrize("text, expected", [
    ("BEGIN{exit()}", "begin {\n\texit();\n}\n"),
    ("i:s:1,t:a:b/pid==1/{}", "i:s:1,\nt:a:b\n/pid == 1/ { }\n"),
    ("k:f /pid/ { @[1,2]++ }", "k:f /pid/ {\n\t@[1, 2]++;\n}\n"),
    ("begin{if(1){exit()}else{print(- -$x)}}", "begin {\n\tif (1) {\n\t\texit();\n\t} else {\n\t\tprint(- -$x);\n\t}\n}\n"),
    ("begin{} end{}", "begin { }\n\nend { }\n"),
    ("begin { if (1) { ; } }", "begin {\n\tif (1) { }\n}\n"),
    ("begin{$a=(int32)-1;let $b:uint8=*(uint8*)$a}",
     "begin {\n\t$a = (int32)-1;\n\tlet $b: uint8 = *(uint8 *)$a;\n}\n"),
    ("macro m($x){$x+1} begin{print(m(1))}", "macro m($x) { $x + 1 }\n\nbegin {\n\tprint(m(1));\n}\n"),
    ("config={max_strlen=64 stack_mode=perf}begin{}", None),
    ("config={max_strlen=64;stack_mode=perf}begin{}",
     "config = {\n\tmax_strlen = 64;\n\tstack_mode = perf;\n}\n\nbegin { }\n"),
    ("let @a=hash(5);#define X 1\nbegin{}", "let @a = hash(5);\n#define X 1\n\nbegin { }\n"),
    ("begin{for($i:0..5){print($i)}while(0){}unroll(3){@++}}",
     "begin {\n\tfor ($i : 0..5) {\n\t\tprint($i);\n\t}\n\twhile (0) { }\n\tunroll (3) {\n\t\t@++;\n\t}\n}\n"),
])
def test_fmt_layout(run, text, expected):
    res = run("--fmt", "-e", text)
    if expected is None:
        assert res.status == 1 and "error" in res.err, res
        return
    assert res.status == 0 and res.out == expected, res
    assert run("--fmt", "-e", res.out).out == res.out


COMMENTS = script("""\
    #!/usr/bin/env sonde
    // 1 before everything

    /* 2
     * several lines */
    begin /* 3 */ { // 4 behind a brace
        // 5 on its own line


        @a = 1; // 6 trailing
        @b = /* 7 inside */ 2;
        if (@a) { /* 8 */ } // 9
        else { @c = 1 } /* 10 */
        printf("%d // no comment\\n", // 11
            3);
        // 12 last
    } // 13 behind the block
    // 14 at the end""")


def test_fmt_keeps_comments_in_order(run):
    res = run("--fmt", "-e", COMMENTS)
    assert res.status == 0, res
    assert [int(n) for n in re.findall(r"(?://|/\*) (\d+)", res.out)] == list(range(1, 15)), res
    assert run("--fmt", "-e", res.out).out == res.out
    assert "\n\t// 5 on its own line\n\n\t@a = 1; // 6 trailing\n" in res.out, res
    assert res.out.startswith("#!/usr/bin/env sonde\n// 1 before"), res


def test_fmt_writes_a_file_and_keeps_its_mode(run, tmp_path):
    f = tmp_path / "q.bt"
    f.write_text("begin{exit()}")
    f.chmod(0o755)
    assert run("--fmt", f, "-o", f).status == 0
    assert f.read_text() == "begin {\n\texit();\n}\n"
    assert f.stat().st_mode & 0o777 == 0o755
    assert os.listdir(tmp_path) == ["q.bt"]


def test_fmt_refuses_what_it_cannot_read(run, tmp_path):
    f = tmp_path / "q.bt"
    f.write_text("begin { print( }")
    res = run("--fmt", f, "-o", f)
    assert res.status == 1 and "q.bt:1:" in res.err and f.read_text() == "begin { print( }", res


# ---- --test, --bench ----

def test_tests_pass_and_fail(run):
    res = run("--test", "-e", TESTS)
    assert res.status == 1, res
    lines = [re.sub(r"\(\d+ [num]?s\)", "(T)", l) for l in res.out.splitlines()]
    assert lines == [
        "[==========] Running 4 tests.",
        "[ RUN      ] good", "[       OK ] good (T)",
        "[ RUN      ] bad", "shown", "[  FAILED  ] bad (T)",
        "[ RUN      ] exits", "[  FAILED  ] exits (T)",
        "[ RUN      ] complains", "stdin:4:18-36: ERROR: no 7", "[  FAILED  ] complains (T)",
        "[==========] 4 tests ran.", "[  PASSED  ] 1 test.", "[  FAILED  ] 3 tests, listed below:",
        "[  FAILED  ] bad", "[  FAILED  ] exits", "[  FAILED  ] complains"], res


def test_tests_as_json(run):
    res = run("--mode", "test", "-f", "json", "-e", TESTS)
    results = {k: v for r in res.json() for k, v in r["data"].items()}
    assert {r["type"] for r in res.json()} == {"test_result"}
    assert [(k, v["passed"], v["output"]) for k, v in results.items()][:2] == [
        ("good", True, "not shown\n"), ("bad", False, "shown\n\n")], res


def test_only_the_tests_that_match(run):
    res = run("--test", "--probe-filter", "^g", "-e", TESTS)
    assert res.status == 0 and "Running 1 tests." in res.out and "bad" not in res.out, res
    res = run("--test", "--probe-filter", "nothing", "-e", TESTS)
    assert res.status == 1 and "the filter 'nothing' matches none" in res.err, res
    res = run("--test", "--probe-filter", "(", "-e", TESTS)
    assert res.status == 1 and "no regular expression" in res.err, res


def test_benchmarks(run):
    res = run("--bench", "-e", TESTS)
    assert res.status == 0, res
    head, rule, one = res.out.splitlines()
    assert head.split() == ["Benchmark", "Time(ns)", "Iterations"] and set(rule) == {"-"}
    name, ns, iterations = one.split()
    assert name == "one" and 0 < int(ns) < 100000 and int(iterations) > 1
    data = run("--bench", "-f", "json", "-e", TESTS).json()
    assert [d["type"] for d in data] == ["benchmark_result"] and set(data[0]["data"]["one"]) == {"average", "iters"}


def test_tests_are_ignored_otherwise(run):
    res = run("-e", TESTS.replace("interval:s:1", "interval:ms:1"))
    assert res.status == 0 and res.out == "Attached 1 probe\n\n\n", res


@pytest.mark.parametrize("args, message", [
    (["-e", "test:a { }"], "use --test to run test probes"),
    (["-e", "bench:a { }"], "use --bench to run benchmark probes"),
    (["--test", "-e", "test:a { } test:a { }"], '"a" was used as the name for more than one test probe'),
    (["--test", "-e", "test { }"], "test needs a name"),
    (["--test", "--bench", "-e", "test:a { }"], "another mode was asked for"),
    (["--mode", "x", "-e", "test:a { }"], "there is no mode 'x'"),
])
def test_mistakes_with_tests(run, args, message):
    res = run(*args)
    assert res.status and message in res.err, res


def test_mode_codegen_only_compiles(run):
    res = run("--mode", "codegen", "-e", "begin { printf(\"x\") }")
    assert res.status == 0 and res.out == "" and res.err == "", res


# ---- self ----

@pytest.mark.parametrize("name", ["SIGUSR1", "SIGUSR2"])
def test_a_signal_to_the_tracer(running, name):
    r = running("-e", 'self:signal:%s { @n++; printf("again\\n"); if (@n == 2) { exit(); } } interval:s:20 { exit(); }' % name)
    r.wait_for("Attached 2 probes")
    r.p.send_signal(getattr(signal, name))
    r.wait_for("again")
    res = r.finish(getattr(signal, name))
    assert res.status == 0 and res.out.endswith("again\nagain\n\n@n: 2\n") or "@n: 2" in res.out, res


def test_signals_that_self_does_not_know(run):
    res = run("-e", "self:signal:SIGUSR3 { }")
    assert res.status == 1 and "did you mean" in res.err, res
    res = run("-e", "self:other { }")
    assert res.status == 1 and "self:signal:SIGUSR1" in res.err, res


# ---- listing ----

def test_list_a_program(run, tmp_path):
    text = "begin { $x = not_checked; } t:sched:sched_switch, i:s:1 { } tracepoint:xdp:mem_* { exit() }"
    expected = "begin\ntracepoint:sched:sched_switch\ninterval:s:1\ntracepoint:xdp:mem_connect\n"
    res = run("-l", "-e", text)
    assert res.status == 0 and res.out.startswith(expected), res
    (tmp_path / "q.bt").write_text(text)
    assert run("-l", tmp_path / "q.bt").out == res.out
    assert run("--list", tmp_path / "q.bt").out == res.out
    res = run("-l", "-e", "t:sched:nothing_like_it { }")
    assert res.status == 1 and "nothing_like_it" in res.err, res


def test_list_arguments_of_a_program(run):
    res = run("-lv", "-e", "tracepoint:sched:sched_wakeup { }")
    assert res.out.startswith("tracepoint:sched:sched_wakeup\n    ") and " pid\n" in res.out, res


def test_list_several_patterns(run):
    res = run("-l", "tracepoint:sched:sched_wakeup,software:cpu*")
    assert res.out.splitlines()[0] == "tracepoint:sched:sched_wakeup" and "software:cpu" in res.out, res


def test_list_types(run):
    assert run("-l", "struct task_struct").out == "struct task_struct\n"
    res = run("-lv", "struct list_head")
    assert res.out == "struct list_head {\n\tstruct list_head *next;\n\tstruct list_head *prev;\n};\n", res
    assert run("-lv", "enum cpu_usage_stat").out.startswith("enum cpu_usage_stat {\n\tCPUTIME_USER = 0,")
    res = run("-l", "struct no_such_thing")
    assert res.status == 1 and "no type matches" in res.err, res


def test_list_a_file_that_is_not_there(run):
    res = run("-l", "no_such_file.bt")
    assert res.status == 1 and "It appears that 'no_such_file.bt' is a filename" in res.err, res


# ---- the rest ----

def test_probe_filter(run):
    res = run("-q", "--probe-filter", "^interval:ms:1$", "-e",
              "begin { print(0) } interval:ms:1 { print(1); exit(); } interval:us:1 { print(2); }")
    assert res.out == "0\n1\n", res


def test_parameters_explain_themselves(run, tmp_path):
    f = tmp_path / "q.bt"
    f.write_text('begin { print((getopt("count", 10, "how many"), getopt("all"), getopt("name", "x"))); }')
    res = run(f, "--", "--help")
    assert res.status == 0 and not res.err, res
    assert res.out.splitlines()[-3:] == ["  --count=NUMBER        how many (default: 10)", "  --all",
                                         "  --name=TEXT           (default: x)"], res
    assert run(f, "--help").out == res.out
    assert run("--help", f).out != res.out
    res = run(f, "--", "--cuont=3")
    assert res.status == 1 and "unexpected program command line options: --cuont" in res.err and "--count:" in res.err, res


def test_notify_when_attached(run):
    res = run("-e", "interval:ms:1 { exit(); }", env={"__BPFTRACE_NOTIFY_PROBES_ATTACHED": "1"})
    assert res.out == "Attached 1 probe\n__BPFTRACE_NOTIFY_PROBES_ATTACHED\n\n\n", res
    res = run("-q", "-e", "begin { print(1); } interval:ms:1 { exit(); }", env={"__BPFTRACE_NOTIFY_PROBES_ATTACHED": "1"})
    assert res.out == "__BPFTRACE_NOTIFY_PROBES_ATTACHED\n1\n", res


def test_options_of_the_reference_are_accepted(run):
    res = run("-q", "--verify-llvm-ir", "--emit-llvm", "x", "--no-feature", "uprobe_multi", "--usdt-file-activation", "-e",
              "begin { print(1) }")
    assert res.out == "1\n" and not res.err, res
    res = run("-v", "--verify-llvm-ir", "-e", "begin { print(1) }")
    assert "--verify-llvm-ir has no effect here" in res.err, res


def test_help_topics(run):
    assert "tracepoint:" in run("help", "probes").out
    assert run("help", "interval").out.startswith("  interval:")
    res = run("help", "intervall")
    assert res.status == 2 and "did you mean 'interval'?" in res.err, res


@pytest.mark.parametrize("settings, shown", [
    ("max_strlen = 8", "/tmp/abc.."), ('max_strlen = 8; str_trunc_trailer = "[cut]"', "/tmp/abc[cut]"),
    ('max_strlen = 8; str_trunc_trailer = ""', "/tmp/abc"), ("max_strlen = 64", "/tmp/abcdefghijkl"),
])
def test_strings_that_are_cut_say_so(run, settings, shown):
    text = "config = { " + settings + " } tracepoint:syscalls:sys_enter_openat /pid == cpid/ " \
           r'{ printf("<%s>\n", str(args.filename)); }'
    res = run("-q", "-e", text, "-c", "cat /tmp/abcdefghijkl")
    assert f"<{shown}>" in res.out.splitlines(), res
