# SPDX-License-Identifier: GPL-2.0-or-later
"""`sonde devices` on the kernel at hand: events that are made up by writing to uevent files."""
import signal
import time
import uuid
from pathlib import Path

import pytest

NULL, ZERO = Path("/sys/class/mem/null/uevent"), Path("/sys/class/mem/zero/uevent")


@pytest.fixture(autouse=True)
def can_write():
    try:
        NULL.write_text("change")
    except OSError as e:
        pytest.skip(f"events cannot be made up here: {e}")


def events_while(running, act, *args):
    """What the kernel sent, and the summary."""
    r = running("devices", "-f", "json", *args)
    r.wait_for('"attached"')
    act()
    time.sleep(0.3)
    res = r.finish(signal.SIGINT)
    assert res.status == 130
    lines = res.json()
    return [line["data"] for line in lines if line["type"] == "event" and line["data"]["from"] == "kernel"], lines[-1]["data"]


def make(path, action, **properties):
    """An event with an identity of its own, so that those of others do not matter."""
    name = str(uuid.uuid4())
    path.write_text(" ".join([action, name, *(f"{k}={v}" for k, v in properties.items())]))
    return name


def of(events, name):
    return [e for e in events if e["properties"].get("SYNTH_UUID") == name]


def test_event_with_properties(running):
    names = []
    events, summary = events_while(running, lambda: names.append(make(NULL, "bind", KEY="value1")))
    [e] = of(events, names[0])
    assert (e["action"], e["devpath"], e["subsystem"]) == ("bind", "/devices/virtual/mem/null", "mem")
    assert e["properties"]["SYNTH_ARG_KEY"] == "value1" and e["properties"]["MAJOR"] == "1"
    assert e["seqnum"] > 0 and "after_kernel_ns" not in e
    assert summary["events"] >= 1 and summary["overruns"] == 0


@pytest.mark.parametrize("action", ["add", "remove", "change", "move", "online", "offline", "bind", "unbind"])
def test_actions(running, action):
    names = []
    events, _ = events_while(running, lambda: names.append(make(NULL, action)))
    assert [e["action"] for e in of(events, names[0])] == [action]


@pytest.mark.parametrize("args, taken", [
    (["-a", "bind"], [0]), (["-a", "bind", "-a", "change"], [0, 1]), (["-s", "mem"], [0, 1]), (["-s", "usb"], []),
    (["-s", "m?m", "-a", "*n*"], [0, 1]), (["-P", "MINOR=3"], [0]), (["-P", "MINOR=3", "-P", "SYNTH_ARG_X"], []),
    (["-P", "SYNTH_ARG_X"], [1]), (["-P", "SYNTH_ARG_X=a*"], [1]), (["-P", "SYNTH_ARG_X=b*"], []),
])
def test_filters(running, args, taken):
    names = []

    def act():
        names.extend([make(NULL, "bind"), make(ZERO, "change", X="abc")])

    events, _ = events_while(running, act, *args)
    assert [n for n in names if of(events, n)] == [names[i] for i in taken]


def test_a_thousand_in_order(running):
    names = []
    events, summary = events_while(running, lambda: names.extend(make(NULL, "change") for _ in range(1000)))
    seen = [e["properties"].get("SYNTH_UUID") for e in events]
    assert [n for n in seen if n in set(names)] == names
    assert summary["overruns"] == 0


def test_text(running):
    r = running("devices", "-p", "--from", "kernel")
    time.sleep(0.5)
    make(NULL, "change", KEY="x")
    res = r.finish(signal.SIGINT)
    assert "  kernel  change   mem           /devices/virtual/mem/null\n" in res.out
    assert "    SYNTH_ARG_KEY=x\n" in res.out
    assert " events\n" in res.out.splitlines(keepends=True)[-1]


def test_without_udev(run):
    if Path("/run/udev/control").exists():
        pytest.skip("udev runs here")
    res = run("devices", "--from", "udev")
    assert (res.status, res.out) == (4, "")
    assert "not observable: udev is not running here" in res.err
    res = run("devices", "--duration", "0.1")
    assert res.status == 0 and "only what the kernel sends can be observed" in res.err


@pytest.mark.parametrize("args, said", [
    (["--from", "both", "word"], "does not know what to do with 'word'"), (["--from", "x"], "one of: both kernel udev"),
])
def test_wrong(run, args, said):
    res = run("devices", *args)
    assert res.status == 2 and said in res.err


# ---- a device through rules ----

def test_replay_of_a_device(run, tmp_path):
    (tmp_path / "60-x.rules").write_text('KERNEL=="null", ACTION=="add", ENV{ID_X}="%k", TAG+="t", MODE="0600", SYMLINK+="x$minor"\n'
                                         'TAG=="t", RUN+="/bin/x $attr{dev}"\n')
    res = run("devices", "lint", "--no-context", "--device", "/dev/null", tmp_path / "60-x.rules")
    assert res.status == 0
    add, bind = res.out.split("\n\n")[1:]
    assert add.splitlines() == ["add: 2 rules match", "  property   ID_X=null  (60-x.rules:1)", "  tag        t  (60-x.rules:1)",
                                "  link       x3  (60-x.rules:1)", "  would run  /bin/x 1:3  (60-x.rules:2)",
                                "  node       mode 0600, owner root, group root"]
    assert bind.splitlines() == ["bind: 0 rules match", "  node       mode 0666, owner root, group root"]


def test_event_without_device(run):
    res = run("devices", "lint", "--event", "add")
    assert (res.status, res.err) == (2, "ERROR: --event goes with --device\n")


def test_replay_of_no_device(run, tmp_path):
    (tmp_path / "60-x.rules").write_text('KERNEL=="null", MODE="0600"\n')
    for path, why in (("/no/such", "No such file or directory"), ("/etc/passwd", "No such device"), ("/sys/kernel", "No such device")):
        res = run("devices", "lint", "--no-context", "--device", path, tmp_path / "60-x.rules")
        assert res.status == 1
        assert f"there is no device {path}: {why}" in res.err
