# SPDX-License-Identifier: GPL-2.0-or-later
"""With which rights sonde runs, what it gives up, and what it does with files that are not what they seem."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SONDE = os.environ.get("SONDE", str(ROOT / "build" / "sonde"))
ORDINARY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def run(command, **more):
    r = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, stdin=subprocess.DEVNULL, **more)
    return r.returncode, r.stdout, r.stderr


def copy_with(tmp_path_factory, capabilities):
    """A copy that an ordinary user may run, with these capabilities of its own."""
    d = tmp_path_factory.mktemp("caps")
    for part in (d, *d.parents):
        if str(part).startswith("/tmp/"):
            part.chmod(part.stat().st_mode | 0o055)
    copy = d / "sonde"
    shutil.copy(SONDE, copy)
    copy.chmod(0o755)
    if capabilities:
        r = subprocess.run(["setcap", capabilities, copy], capture_output=True, text=True)
        if r.returncode:
            pytest.skip(f"this file system holds no capabilities: {r.stderr.strip()}")
    return [*ORDINARY, str(copy)]


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    return copy_with(tmp_path_factory, "cap_bpf,cap_perfmon+ep")


@pytest.fixture(scope="module")
def none(tmp_path_factory):
    return copy_with(tmp_path_factory, None)


@pytest.mark.parametrize("script,expected", [
    ("begin { print(uid); @x[1] = 2; }", r"65534\n@x\[1\]: 2\n"),
    ("uprobe:libc:exit /pid == cpid/ { print(comm); exit(); }", r"true\n"),
    ("profile:hz:99 { @ = count(); } interval:ms:100 { exit(); }", r"@: \d+\n"),
    ("iter:task { @ = count(); }", r"@: \d+\n"),
    ("tracepoint:sched:sched_process_exit { @ = count(); } interval:ms:50 { exit(); }", None),
])
def test_two_capabilities_are_enough(two, script, expected):
    """Files of tracefs are another matter, and the message says which right they need."""
    status, out, err = run([*two, "-q", "-c", "/bin/true", "-e", script])
    if expected is None:
        assert status == 0 or (status == 1 and "CAP_DAC_READ_SEARCH" in err)
        return
    assert (status, bool(re.fullmatch(expected, out.strip("\n") + "\n"))) == (0, True), (status, out, err)


def test_none_are_too_few(none):
    status, out, err = run([*none, "-q", "-e", "begin { print(1); }"])
    assert (status, out) == (1, "")
    assert "CAP_BPF" in err and "setcap" in err


def test_without_any_it_still_compiles(none):
    status, out, _ = run([*none, "-d", "bpf", "-e", "begin { print(1); }"])
    assert status == 0 and "exit" in out


def capabilities_of(status_text):
    return {m[1]: int(m[2], 16) for m in re.finditer(r"^Cap(Prm|Eff|Inh):\s*(\w+)$", status_text, re.M)}


@pytest.mark.parametrize("script", ["begin { print(1); } end { }",
                                    "uprobe:libc:malloc { @ = count(); }",
                                    "profile:hz:99 { @ = count(); }"])
def test_rights_are_given_up(script):
    """What runs on after attaching holds none; up to Linux 5.18 CAP_BPF, without which maps cannot be read."""
    p = subprocess.Popen([SONDE, "-B", "line", "-e", script + " interval:s:20 { exit(); }"], stdout=subprocess.PIPE, text=True)
    try:
        assert "Attached" in p.stdout.readline()
        held = capabilities_of(Path(f"/proc/{p.pid}/status").read_text())
    finally:
        p.terminate()
        p.communicate()
    allowed = 1 << 39 if tuple(map(int, os.uname().release.split(".")[:2])) < (5, 19) else 0
    assert all(v & ~allowed == 0 for v in held.values()), held


def test_child_of_an_ordinary_user_has_none(two):
    status, out, _ = run([*two, "-q", "-c", "/bin/cat /proc/self/status", "-e", "begin { }"])
    assert status == 0 and set(capabilities_of(out).values()) == {0}


def test_child_with_rights_of_its_own_has_them(none, tmp_path_factory):
    """A command is held when its program is there, and a program that is held is not given the rights of its file."""
    program = tmp_path_factory.mktemp("rights") / "id"
    for part in program.parents:
        if str(part).startswith("/tmp/"):
            part.chmod(part.stat().st_mode | 0o055)
    shutil.copy("/usr/bin/id", program)
    program.chmod(0o4755)
    rights = "+bpf,+perfmon"
    command = [*none[:-1], f"--inh-caps={rights}", f"--ambient-caps={rights}", none[-1]]
    status, out, err = run([*command, "-q", "-e", "uprobe:libc:exit /pid == cpid/ { print(ustack(1)); }", "-c", f"{program} -u"])
    assert status == 0 and out.splitlines()[0] == "0", (out, err)


def test_no_shell():
    """-c starts a program, not a shell; only system() does, and only with --unsafe."""
    assert run([SONDE, "-q", "-c", "/bin/echo $HOME ; true `id`", "-e", "begin { }"])[1] == "$HOME ; true `id`\n"
    status, out, err = run([SONDE, "-q", "-e", 'begin { system("echo hello"); }'])
    assert (status, out) == (1, "") and "--unsafe" in err
    assert run([SONDE, "-q", "--unsafe", "-e", 'begin { system("echo hello"); }'])[1] == "hello\n"


@pytest.mark.parametrize("script", ['begin { signal("SIGKILL"); }', "begin { override(1); }", 'begin { system("true"); }',
                                    "begin { write_user(uptr((int8 *)1), 5, 4); }"])
def test_what_changes_things_needs_unsafe(script):
    status, _, err = run([SONDE, "-q", "-e", script])
    assert status == 1 and "error" in err, err


# ---- files ----

def test_cat_waits_for_nobody(tmp_path):
    """The name may come from what is traced."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/dev/zero")
    script = "begin { " + " ".join(f'cat("{p}");' for p in (tmp_path / "fifo", tmp_path / "link", tmp_path, "/dev/zero")) + \
        ' cat("/proc/sys/kernel/ostype"); }'
    status, out, err = run([SONDE, "-q", "-e", script])
    assert (status, out) == (0, "Linux\n")
    assert err.count("not a regular file") == 3 and err.count("Is a directory") == 1


@pytest.mark.parametrize("script", ["uprobe:{}:main {{ }}", "usdt:{}:a:b {{ }}", "uprobe:{}:0x10 {{ }}"])
def test_programs_are_regular_files(tmp_path, script):
    os.mkfifo(tmp_path / "fifo")
    for path in tmp_path / "fifo", "/dev/zero", "/proc/self/mem", "/dev/null":
        status, _, err = run([SONDE, "-q", "-e", script.format(path) + " interval:ms:10 { exit(); }"])
        assert status == 1 and "error" in err.lower(), (path, err)


def test_build_replaces_as_a_whole(tmp_path):
    """Through a symbolic link what it points to; a file that somebody reads stays whole; nothing is left beside it."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("before")
    link.symlink_to(target)
    with target.open() as reader:
        assert run([SONDE, "build", "-e", "begin { exit(); }", "-o", str(link)])[0] == 0
        assert reader.read() == "before"
    assert link.is_symlink() and target.read_bytes()[:4] == b"\x7fELF"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "target"]
    assert run([SONDE, "build", "-e", "begin { print($x); }", "-o", str(target)])[0] == 1
    assert target.read_bytes()[:4] == b"\x7fELF"


@pytest.mark.parametrize("command", [["-q", "-e", "begin { print(1); }"], ["build", "-e", "begin { print(1); }"],
                                     ["-q", "-f", "flame", "-e", "begin { @[kstack] = count(); }"]])
def test_output_that_cannot_be_written(tmp_path, command):
    for path in tmp_path / "none" / "file", tmp_path:
        status, _, err = run([SONDE, *command, "-o", str(path)])
        assert status == 1 and str(path) in err, err
    assert list(tmp_path.iterdir()) == []


def test_full_disk():
    status, _, err = run([SONDE, "-q", "-o", "/dev/full", "-e", "begin { print(1); }"])
    assert status == 1 and "/dev/full" in err


def test_closed_output():
    status, _, err = run(["sh", "-c", f'{SONDE} -q -e "begin {{ print(1); }}" >&-'])
    assert status in (0, 1) and "sonde" not in err.split("\n")[-1]


def test_names_from_the_traced_do_not_steer(tmp_path):
    """What is not text for a terminal is not let through in tables; in texts it is as the reference has it."""
    name = tmp_path / "a\x1b[2Jb"
    shutil.copy("/bin/true", name)
    status, out, _ = run([SONDE, "-q", "-f", "table", "-c", str(name).replace(" ", "\\ "), "-e",
                          "uprobe:libc:exit /pid == cpid/ { @[comm] = count(); exit(); }"])
    assert status == 0 and "\x1b" not in out
