# SPDX-License-Identifier: GPL-2.0-or-later
"""`sonde devices lint`: each kind of finding on a file made for it, hostile files, and the rules of Debian's packages,
which are downloaded once into .cache and not kept with the sources."""
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT

CACHE = Path(os.environ.get("SONDE_RULES", ROOT / ".cache" / "rules"))
SYSTEMD = ["udev", "systemd"]
PACKAGES = """alsa-utils android-sdk-platform-tools-common avrdude bluez bolt brltty dmsetup fuse3 gpsd hdparm ipp-usb libfprint-2-2
libgphoto2-6 libinput-bin libmtp-common libsane1 libwacom-common lvm2 mdadm media-player-info modemmanager network-manager openocd
pulseaudio solaar steam-devices tlp upower usb-modeswitch-data v4l-utils libnfc-bin libu2f-udev qemu-system-common multipath-tools
xserver-xorg-input-wacom joystick rfkill crda iio-sensor-proxy ppp libccid pcscd zfs-zed thunderbolt-tools usbguard sg3-utils-udev
nvme-cli bcache-tools btrfs-progs kpartx open-iscsi""".split()


def lint(run, *args, **kw):
    return run("devices", "lint", "-f", "json", *args, timeout=120, **kw)


def files_of(res):
    return {line["data"]["item"]: line["data"] for line in res.json() if line["type"] == "verdict"}


def judge(run, tmp_path, text, *args, name="60-test.rules"):
    (tmp_path / name).write_text(text)
    res = lint(run, "--no-context", *args, tmp_path / name)
    v = files_of(res)[name]
    assert {"pass": 0, "fail": 3, "not observable": 4}[v["verdict"]] == res.status
    return v


def only(v, check):
    [f] = v["evidence"]["findings"]
    assert f["check"] == check
    return f


def corrected(f):
    return {c["line"]: c["text"] for c in f["corrected"]}


# ---- lost on bind ----

GUARDED = """\
# A comment.
ACTION!="add|change", GOTO="end"
SUBSYSTEM!="usb", GOTO="end"
ATTR{idVendor}=="1234", ATTR{idProduct}=="5678", TAG+="uaccess", SYMLINK+="thing"
ATTR{idVendor}=="1235", ENV{ID_THING}="1", RUN+="/bin/thing --start"
ATTR{idVendor}=="1236", RUN+="/bin/other"
LABEL="end"
"""


def test_guard(run, tmp_path):
    v = judge(run, tmp_path, GUARDED)
    f = only(v, "lost")
    assert v["verdict"] == "fail" and f["severity"] == "error"
    assert f["line"] == 2 and f["lines"] == [4, 5]
    assert "at \"bind\"" in f["text"]
    assert [(r["event"], r["result"]) for r in f["replay"]] == [
        ("add", 'has TAG "uaccess" and SYMLINK "thing"'), ("bind", 'has lost TAG "uaccess" and SYMLINK "thing"')]
    assert corrected(f) == {
        2: 'ACTION=="remove", GOTO="end"',
        5: 'ATTR{idVendor}=="1235", ENV{ID_THING}="1"\nACTION=="add|change", ATTR{idVendor}=="1235", RUN+="/bin/thing --start"',
        6: 'ACTION=="add|change", ATTR{idVendor}=="1236", RUN+="/bin/other"',
    }
    assert f["corrected_result"] == "replayed again: nothing is lost by any of the 2 rules"


def test_corrected_file_passes(run, tmp_path):
    f = only(judge(run, tmp_path, GUARDED), "lost")
    lines = GUARDED.splitlines()
    for number, text in corrected(f).items():
        lines[number - 1] = text
    assert judge(run, tmp_path, "\n".join(lines) + "\n")["verdict"] == "pass"


def test_rule_with_its_own_action(run, tmp_path):
    f = only(judge(run, tmp_path, 'ACTION=="add", SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", MODE="0666", TAG+="uaccess", RUN+="/bin/x"\n'),
             "lost")
    # Nobody sets another mode at bind, so that one stays.
    assert f["replay"][1]["result"] == 'has MODE="0666", has lost TAG "uaccess"'
    assert corrected(f)[1] == ('ACTION!="remove", SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", MODE="0666", TAG+="uaccess"\n'
                               'ACTION=="add", SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", RUN+="/bin/x"')


def test_mode_is_lost_where_another_rule_sets_it(run, tmp_path):
    rules = 'SUBSYSTEM=="usb", MODE="0664"\nACTION=="add", SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", MODE="0666", GROUP="plugdev"\n'
    f = only(judge(run, tmp_path, rules), "lost")
    assert f["replay"][1]["result"] == 'has GROUP="plugdev", has lost MODE="0664"'


def test_two_actions_in_a_guard(run, tmp_path):
    f = only(judge(run, tmp_path, 'ACTION!="add", ACTION!="bind", GOTO="x"\nSUBSYSTEM=="usb", ENV{ID_X}="1"\nLABEL="x"\n'), "lost")
    assert f["severity"] == "warning" and '"change"' in f["text"]
    assert corrected(f) == {1: 'ACTION=="remove", GOTO="x"'}


def test_jump_to_a_label(run, tmp_path):
    rules = 'ACTION=="add", SUBSYSTEM=="usb", GOTO="here"\nGOTO="end"\nLABEL="here"\nENV{ID_X}="1"\nLABEL="end"\n'
    f = only(judge(run, tmp_path, rules), "lost")
    assert (f["line"], f["lines"]) == (1, [4])
    assert corrected(f) == {1: 'ACTION!="remove", SUBSYSTEM=="usb", GOTO="here"'}


@pytest.mark.parametrize("rule", [
    'ACTION=="remove", GOTO="end"\nSUBSYSTEM=="usb", TAG+="uaccess"\nLABEL="end"',
    'ACTION!="add|change", GOTO="end"\nSUBSYSTEM=="block", ENV{ID_X}="1"\nLABEL="end"',     # no drivers there
    'ACTION=="add|change", KERNEL=="hidraw*", ATTRS{idVendor}=="1234", TAG+="uaccess"',
    'ACTION=="add", SUBSYSTEM=="usb", RUN+="/bin/x"',                                       # an act, no property
    'ACTION=="add", SUBSYSTEM=="usb", ATTR{power/control}="auto"',
    'ACTION=="add", SUBSYSTEM=="usb", ENV{.TEMPORARY}="1"',                                 # never kept
    'ACTION=="add|change", SUBSYSTEM=="usb", ENV{ID_X}="1"\nACTION=="bind|unbind", IMPORT{db}="ID_X"',
    'ACTION=="change", SUBSYSTEM=="usb", ENV{ID_X}="1"',
    'ACTION=="add|change|bind|unbind|move", SUBSYSTEM=="usb", TAG+="uaccess"',
])
def test_no_false_alarm(run, tmp_path, rule):
    v = judge(run, tmp_path, rule + "\n")
    assert (v["verdict"], v["evidence"]["findings"]) == ("pass", [])


def test_net_is_renamed(run, tmp_path):
    f = only(judge(run, tmp_path, 'ACTION=="add|change", SUBSYSTEM=="net", ENV{ID_X}="1"\n'), "lost")
    assert f["severity"] == "error" and '"move"' in f["text"]


def test_unbind_is_a_note(run, tmp_path):
    rule = 'ACTION=="add|change|bind", SUBSYSTEM=="usb", ENV{ID_X}="1"\n'
    assert judge(run, tmp_path, rule)["evidence"]["findings"] == []
    v = judge(run, tmp_path, rule, "--notes")
    assert only(v, "lost")["severity"] == "note" and v["verdict"] == "pass"


def test_context_decides(run, tmp_path):
    """What a rule of another file gives again is not lost."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "99-other.rules").write_text('SUBSYSTEM=="usb", TAG+="uaccess"\n')
    (tmp_path / "60-test.rules").write_text('ACTION=="add", SUBSYSTEM=="usb", TAG+="uaccess"\n')
    alone = files_of(lint(run, "--no-context", tmp_path / "60-test.rules"))
    within = files_of(lint(run, "-c", tmp_path / "d", tmp_path / "60-test.rules"))
    assert alone["60-test.rules"]["verdict"] == "fail"
    assert within["60-test.rules"]["verdict"] == "pass" and list(within) == ["60-test.rules"]


# ---- the other traps ----

def test_late_tag(run, tmp_path):
    (tmp_path / "73-seat-late.rules").write_text('TAG=="uaccess", ENV{MAJOR}!="", RUN{builtin}+="uaccess"\n')
    (tmp_path / "99-mine.rules").write_text('SUBSYSTEM=="tty", TAG+="uaccess"\n')
    f = only(files_of(lint(run, "--no-context", tmp_path))["99-mine.rules"], "late-tag")
    assert "after 73-seat-late.rules" in f["text"] and "70-mine.rules" in f["advice"]
    assert "has not matched" in f["replay"][0]["result"]


@pytest.mark.parametrize("key", ["RUN", "SYMLINK", "TAG"])
def test_clears(run, tmp_path, key):
    f = only(judge(run, tmp_path, f'SUBSYSTEM=="tty", {key}="x"\n'), "clears")
    assert corrected(f) == {1: f'SUBSYSTEM=="tty", {key}+="x"'}
    assert f["replay"][0]["result"].endswith("is gone")


def test_attributes_at_remove(run, tmp_path):
    f = only(judge(run, tmp_path, 'ACTION=="remove", SUBSYSTEM=="usb", ATTR{idVendor}=="1234", RUN+="/bin/x"\n'), "gone")
    assert corrected(f) == {1: 'ACTION=="remove", SUBSYSTEM=="usb", ENV{ID_VENDOR_ID}=="1234", RUN+="/bin/x"'}


def test_two_parents(run, tmp_path):
    f = only(judge(run, tmp_path, 'KERNEL=="ttyUSB*", ATTRS{idVendor}=="1234", ATTRS{bInterfaceNumber}=="01", SYMLINK+="modem"\n'),
             "two-parents")
    assert corrected(f)[1].splitlines() == [
        'SUBSYSTEMS=="usb", ATTRS{bInterfaceNumber}=="?*", ENV{.bInterfaceNumber}="$attr{bInterfaceNumber}"',
        'KERNEL=="ttyUSB*", ATTRS{idVendor}=="1234", ENV{.bInterfaceNumber}=="01", SYMLINK+="modem"']
    assert judge(run, tmp_path, corrected(f)[1] + "\n")["verdict"] == "pass"


def test_writes(run, tmp_path):
    f = only(judge(run, tmp_path, 'SUBSYSTEM=="usb", ATTR{idVendor}="1234", MODE="0666"\n'), "writes")
    assert corrected(f) == {1: 'SUBSYSTEM=="usb", ATTR{idVendor}=="1234", MODE="0666"'}


@pytest.mark.parametrize("command, finds", [
    ("echo 1 > /sys/x", True), ("/bin/a && /bin/b", True), ("/bin/sh -c 'echo 1 > /sys/x'", False), ("/bin/a b", False),
])
def test_shell(run, tmp_path, command, finds):
    v = judge(run, tmp_path, f'SUBSYSTEM=="tty", RUN+="{command}"\n')
    assert bool(v["evidence"]["findings"]) == finds
    if finds:
        assert "/bin/sh -c" in corrected(only(v, "shell"))[1]


# ---- what cannot be read ----

@pytest.mark.parametrize("line, said, fix", [
    ('SUBSYTEM=="usb"', "there is no key 'SUBSYTEM'", 'SUBSYSTEM=="usb"'),
    ('SUBSYSTEM="usb", MODE="0666"', "SUBSYSTEM has no operator =", 'SUBSYSTEM=="usb", MODE="0666"'),
    ('MODE=="0666"', "MODE has no operator ==", 'MODE="0666"'),
    ('SYSFS{idVendor}=="1234", MODE="0666"', "udev has no key SYSFS any more", 'ATTRS{idVendor}=="1234", MODE="0666"'),
    ('KERNEL=="x, MODE="0666"', "", None),
    ('KERNEL=="x', "the quotes are not closed", None),
    ('KERNEL', "is no key with an operator and a value", None),
    ('KERNEL==x', "KERNEL needs a value in double quotes", None),
    ('ATTR=="1"', "ATTR needs a name in braces", None),
    ('ATTR{x=="1"', "the brace is not closed", None),
    ('KERNEL{x}=="1"', "KERNEL takes no name in braces", None),
    ('KERNEL<"1"', "", None),
    ('IMPORT{builtin}="usbid"', "there is no builtin 'usbid'; did you mean 'usb_id'?", None),
    ('IMPORT{magic}="x"', "there is no way to import 'magic'", None),
    ('ENV{MAJOR}="1"', "the kernel says what MAJOR is", None),
    ('MODE="rw"', "'rw' is not an octal mode", None),
    ('ENV{X}="$attr"', "attr needs a name in braces", None),
    ('SYMLINK+="a%q"', "'%q' is no substitution", None),
    ('OPTIONS+="last_rule"', "there is no option 'last_rule'", None),
    ('MODE=i"0666"', 'i"..." only goes with', None),
    ('GOTO="nowhere"', "finds no such LABEL", None),
    ('SUBSYSTEM=="usb", MODE="0666" \\', "ends within a continued line", None),
    ("x" * 20000, "16384 characters or more", None),
    ("\0", "it holds zero bytes", None),
], ids=lambda value: value[:30] if isinstance(value, str) else None)
def test_syntax(run, tmp_path, line, said, fix):
    v = judge(run, tmp_path, line if line.endswith("\\") else line + "\n")
    assert v["verdict"] == "fail"
    f = v["evidence"]["findings"][0]
    assert f["check"] == "syntax" and said in f["text"] and f["line"] == 1
    assert f.get("corrected") == fix


def test_place_in_text(run, tmp_path):
    (tmp_path / "60-x.rules").write_text('KERNEL=="a"\n  KERNEL=="b", SUBSYTEM=="usb"\n')
    out = run("devices", "lint", "--no-context", tmp_path / "60-x.rules").out
    assert "line 2, column 16: error: there is no key 'SUBSYTEM'" in out
    assert "      2 | KERNEL==\"b\", SUBSYTEM==\"usb\"\n" in out
    assert out.endswith("1 files with 1 rules, 0 of them replayed: 1 errors, 0 warnings (--notes shows what does no harm on most machines)\n")


@pytest.mark.parametrize("text", [
    "*" * 3000 + "\n",
    'KERNEL=="' + "*a" * 4000 + '"\n',
    "\n".join(f'SUBSYSTEM!="s{i}", GOTO="l{i}"\nKERNEL=="x", TAG+="y"\nLABEL="l{i}"' for i in range(500)) + "\n",
    'ACTION=="add", ' + ", ".join(f'ATTRS{{a{i}}}=="{i}"' for i in range(600)) + ', TAG+="x"\n',
    'ACTION=="add", KERNEL=="' + "|".join("[!a-z]*" for i in range(1000)) + '", TAG+="x"\n',
    'GOTO="a"\nLABEL="a", GOTO="a"\nLABEL="a"\n' * 300,
], ids=["letters", "stars", "jumps", "attributes", "sets", "labels"])
def test_hostile(run, tmp_path, text):
    (tmp_path / "60-x.rules").write_text(text)
    assert lint(run, "--no-context", tmp_path / "60-x.rules").status in (0, 3, 4)


def test_what_cannot_be_opened(run, tmp_path):
    res = lint(run, tmp_path / "none.rules")
    assert (res.status, res.out) == (1, "")
    assert f"cannot read {tmp_path}/none.rules: No such file or directory" in res.err
    (tmp_path / "d").mkdir()
    assert "there are no files of rules here" in lint(run, "--no-context", tmp_path / "d").err
    os.mkfifo(tmp_path / "d" / "60-fifo.rules")
    (tmp_path / "d" / "61-x.rules").write_text('KERNEL=="a", MODE="0600"\n')
    res = lint(run, "--no-context", tmp_path / "d")
    assert res.status == 4 and "cannot read" in files_of(res)["read"]["found"]


# ---- Debian's packages ----

def unpack(package):
    """Where its files are, or None: it cannot be had."""
    where = CACHE / package
    if where.exists():
        return where
    CACHE.mkdir(parents=True, exist_ok=True)
    got = subprocess.run(["apt-get", "download", "-qq", package], cwd=CACHE, capture_output=True, timeout=300)
    debs = list(CACHE.glob(f"{package}_*.deb"))
    if got.returncode or not debs:
        return None
    subprocess.run(["dpkg", "-x", debs[0], CACHE / f".{package}"], check=True)
    for path in [d for d in (CACHE / f".{package}").rglob("rules.d") if d.parent.name == "udev"]:
        (where / "rules.d").mkdir(parents=True, exist_ok=True)
        shutil.copytree(path, where / "rules.d", dirs_exist_ok=True)
    where.mkdir(exist_ok=True)
    shutil.rmtree(CACHE / f".{package}")
    debs[0].unlink()
    return where


def rules_of(packages):
    found = {p: unpack(p) for p in packages}
    return {p: d / "rules.d" for p, d in found.items() if d and (d / "rules.d").exists()}


@pytest.fixture(scope="session")
def debian():
    if not shutil.which("apt-get"):
        pytest.skip("no apt-get")
    have = rules_of(SYSTEMD), rules_of(PACKAGES)
    if len(have[0]) < len(SYSTEMD) or len(have[1]) < 30:
        pytest.skip("Debian's packages cannot be downloaded")
    return have


def test_rules_of_systemd(run, debian):
    """The only finding is a real one, which later versions have corrected: the links of PTP clocks."""
    systemd, _ = debian
    res = lint(run, "--no-context", *systemd.values())
    found = {(name, f["check"], tuple(f["lines"])): f for name, v in files_of(res).items() for f in v["evidence"]["findings"]}
    for (name, check, _), f in found.items():
        assert (name, check) == ("50-udev-default.rules", "lost"), f
        assert f["severity"] == "warning" and "ptp" in f["replay"][0]["result"]
    assert len(found) <= 1
    assert not [u for v in files_of(res).values() for u in v["evidence"]["unproven"]]


def test_rules_of_packages(run, debian):
    systemd, packages = debian
    context = [a for d in systemd.values() for a in ("-c", d)]
    res = lint(run, *context, *packages.values())
    files = files_of(res)
    findings = {name: [f for f in v["evidence"]["findings"] if f["check"] == "lost"] for name, v in files.items()}
    # Every loss was seen in a replay, and so was that the corrected lines lose nothing.
    for name, fs in findings.items():
        for f in fs:
            assert len(f["replay"]) == 2 and "has lost" in f["replay"][1]["result"], name
            assert f["corrected"] and f["corrected_result"].startswith("replayed again: nothing is lost"), name
    known = {"60-openocd.rules": '"bind"', "60-avrdude.rules": '"bind"', "40-usb-media-players.rules": '"bind"',
             "77-mm-qdl-device-blacklist.rules": '"bind"', "60-libgphoto2-6.rules": '"change"', "60-solaar.rules": '"change"'}
    for name, event in known.items():
        if name in files:
            assert [f for f in findings[name] if f'lost at {event}' in f["text"]], name
    # On purpose: what they do at "add" needs to be done once.
    for name in ("40-usb_modeswitch.rules", "85-hdparm.rules", "90-alsa-restore.rules", "85-tlp.rules"):
        if name in files:
            assert not findings[name], name
    unproven = sum(len(v["evidence"]["unproven"]) for v in files.values())
    rules = sum(int(v["found"].split()[0]) for v in files.values())
    assert unproven <= rules // 100
