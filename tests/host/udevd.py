# SPDX-License-Identifier: GPL-2.0-or-later
"""systemd-udevd within a virtual machine, from Debian's package, which is unpacked and not installed.

    udevd.py SONDE UDEVADM    prints what udev made of some devices, what sonde says it makes of them, and what
                              `sonde devices` saw meanwhile, as JSON
"""
import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

# Most operators and keys, on devices that every machine has. What only later versions of udev know is not among them.
RULES = r'''
KERNEL=="nu*|zero", ENV{T_KERNEL}="$kernel %k [%n]"
KERNEL=="tty[A-Z]0", ENV{T_NUMBER}="%n $number", ENV{T_SET}="1"
KERNEL=="tty[!A-Z]0", ENV{T_WRONG}="1"
KERNEL=="NULL", ENV{T_WRONG}="1"
KERNEL!="null", GOTO="not_null"
ENV{T_LIST}="a"
ENV{T_LIST}+="b"
ENV{T_LIST}+="c $major:$minor"
ENV{T_LIST}=="a b c 1:3", ENV{T_LIST_IS}="1"
ENV{T_EMPTY}!="?*", ENV{T_EMPTY_IS}="1"
ENV{T_GONE}="x"
ENV{T_GONE}=""
ENV{T_ESCAPED}=e"a\x41b"
ENV{T_DOLLAR}="$$x %%y"
SUBSYSTEM=="mem", ENV{DEVNAME}=="/dev/null", ENV{T_NODE}="$devnode $name $root $sys"
TAG+="t_one", TAG+="t_two", TAG+="t_three"
TAG-="t_two"
TAG=="t_one", ENV{T_TAG}="1"
SYMLINK+="t_a t_b"
SYMLINK+="t_c$minor"
SYMLINK=="t_a", ENV{T_LINK}="1"
MODE="0640", GROUP="daemon"
MODE:="0604"
MODE="0777"
OWNER="nobody"
ACTION=="add", ENV{T_ADD}="1", TAG+="t_add", SYMLINK+="t_at_add"
ACTION!="add", IMPORT{db}="T_KEPT"
ACTION=="add", ENV{T_KEPT}="from add"
ACTION=="add|change", ENV{T_ADD_CHANGE}="1"
ATTR{dev}=="1:3", ENV{T_ATTR}="$attr{dev}"
ATTR{none}=="", ENV{T_WRONG}="3"
ATTR{none}!="x", ENV{T_WRONG}="4"
TEST=="dev", ENV{T_TEST}="1"
TEST!="none", ENV{T_NO_TEST}="1"
TEST=="/proc/self", ENV{T_TEST_PATH}="1"
TEST{0001}=="/etc/hostname", ENV{T_TEST_MODE}="1"
PROGRAM!="/bin/false", ENV{T_PROGRAM}="1"
CONST{arch}=="x86-64", ENV{T_ARCH}="1"
ENV{.T_HIDDEN}="1"
ENV{.T_HIDDEN}=="1", ENV{T_HIDDEN}="1"
SUBSYSTEM="mem", ENV{T_WRONG}="5"
ENV{T_WRONG}=="5" ENV{T_WRONG}="6"
RUN+="/bin/true"
GOTO="there"
ENV{T_WRONG}="7"
LABEL="there", ENV{T_THERE}="1"
LABEL="not_null"
SUBSYSTEM=="tty", KERNELS=="serial8250*|00:*|pnp*|*", SUBSYSTEMS=="tty|platform|pnp|serial-base", ENV{T_PARENT}="1"
SUBSYSTEM=="tty", ATTRS{dev}=="?*", KERNELS=="ttyS0", ENV{T_PARENT_SELF}="$attr{dev} %b"
SUBSYSTEM=="tty", ATTRS{dev}=="?*", SUBSYSTEMS=="platform", ENV{T_WRONG}="8"
SUBSYSTEM=="tty", DRIVERS=="?*", ENV{T_DRIVER}="$driver %b"
SUBSYSTEM=="net", ENV{INTERFACE}=="lo", ENV{T_NET}="%k $attr{address} $attr{mtu}", TAG+="t_net"
SUBSYSTEM=="net", ATTR{mtu}=="6*", ENV{T_GLOB}="1"
SUBSYSTEM=="net", ATTR{mtu}=="1|2|65536", ENV{T_ALTERNATIVES}="1"
SUBSYSTEM=="net", ATTR{mtu}=="|x", ENV{T_WRONG}="9"
SUBSYSTEM=="net", ENV{T_NOWHERE}=="|x", ENV{T_EMPTY_ALTERNATIVE}="1"
ENV{T_WRONG}=="7", GOTO="nowhere"
'''
DEVICES = ["/sys/class/mem/null", "/sys/class/tty/ttyS0", "/sys/class/net/lo"]
EVENTS = ["add", "bind", "change", "unbind"]


def start(udevadm):
    # What the package would install is not there; udev only reads what the test says.
    Path("/run/udev/rules.d").mkdir(parents=True, exist_ok=True)
    Path("/run/udev/rules.d/60-sonde.rules").write_text(RULES)
    for d in ("/usr/lib/udev/rules.d", "/lib/udev/rules.d", "/etc/udev/rules.d"):
        for name in {f.name for f in Path(d).glob("*.rules")}:
            with contextlib.suppress(FileExistsError):  # one of them is a link to the other
                (Path("/run/udev/rules.d") / name).symlink_to("/dev/null")
    daemon = Path("/run/systemd-udevd")
    daemon.symlink_to(udevadm)
    p = subprocess.Popen([str(daemon)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open("/run/udevd.log", "w"))
    for _ in range(600):
        if os.path.exists("/run/udev/control"):
            return p
        time.sleep(0.1)
    raise SystemExit(Path("/run/udevd.log").read_text())


def udev_says(udevadm, device):
    """Its database and node."""
    text = subprocess.run([udevadm, "info", device], capture_output=True, text=True, check=True).stdout
    said = {"properties": {}, "links": [], "tags": [], "all_tags": []}
    for line in text.splitlines():
        kind, _, value = line.partition(": ")
        if kind == "E":
            name, _, v = value.partition("=")
            if name.startswith("T_"):
                said["properties"][name] = v
            elif name in ("TAGS", "CURRENT_TAGS"):
                said["all_tags" if name == "TAGS" else "tags"] = sorted(filter(None, v.split(":")))
        elif kind == "S":
            said["links"].append(value)
    said["links"].sort()
    if node := text.partition("N: ")[2].partition("\n")[0]:
        st = os.stat(f"/dev/{node}")
        said["node"] = [f"{st.st_mode & 0o777:04o}", st.st_uid, st.st_gid]
    return said


def sonde_says(sonde, device):
    args = [a for e in EVENTS for a in ("--event", e)]
    out = subprocess.run([sonde, "devices", "lint", "-f", "json", "--no-context", "--device", device, *args,
                          "/run/udev/rules.d/60-sonde.rules"], capture_output=True, text=True, timeout=300)
    return [json.loads(line)["data"] for line in out.stdout.splitlines()], out.stderr


def main(sonde, udevadm):
    p = start(udevadm)
    watch = subprocess.Popen([sonde, "devices", "-f", "json"], stdout=open("/run/events", "w"), stderr=subprocess.PIPE, text=True)
    time.sleep(3)
    said = {}
    for device in DEVICES:
        said[device] = []
        for event in EVENTS:
            Path(device, "uevent").write_text(event)
            subprocess.run([udevadm, "settle", "-t", "60"], check=True)
            said[device].append(udev_says(udevadm, device))
    time.sleep(1)
    watch.terminate()
    watch.wait(60)
    p.terminate()
    p.wait(60)
    print(json.dumps({"udev": said, "sonde": {d: sonde_says(sonde, d) for d in DEVICES},
                      "events": [json.loads(line) for line in Path("/run/events").read_text().splitlines()],
                      "watch": watch.stderr.read(), "log": Path("/run/udevd.log").read_text()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
