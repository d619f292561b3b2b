#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Two WiFi radios that the kernel simulates, an access point and its guest. `radios.py begin` makes and connects them,
`radios.py set DBM` changes how strong what they send arrives, to which the kernel adds the power of the sender (20 dBm)."""
import subprocess
import sys
import time
from pathlib import Path

WORK = Path("/run/radios")
# 15.36 ms from one beacon to the next, the shortest that hostapd allows.
HOSTAPD = "interface=wlan0\ndriver=nl80211\nssid=tone\nhw_mode=g\nchannel=1\nbeacon_int=15\n"
SUPPLICANT = 'network={\n\tssid="tone"\n\tkey_mgmt=NONE\n}\n'


def run(*command):
    r = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if r.returncode:
        sys.exit(f"{' '.join(command)}: {r.stdout}{r.stderr}")
    return r.stdout


def change(dbm):
    ends = list(Path("/sys/kernel/debug/ieee80211").glob("*/hwsim/rx_rssi"))
    if not ends:
        sys.exit("there are no simulated radios")
    for end in ends:
        end.write_text(str(dbm & 0xffffffffffffffff))


def signal():
    """What the kernel says of the connection; None: there is none."""
    found = run("iw", "dev", "wlan1", "link").partition("signal:")[2].split()
    return int(found[0]) if found else None


def begin():
    WORK.mkdir(exist_ok=True)
    (WORK / "hostapd.conf").write_text(HOSTAPD)
    (WORK / "wpa.conf").write_text(SUPPLICANT)
    if not Path("/sys/class/net/wlan1").exists():
        if Path("/sys/module/mac80211_hwsim").exists():
            run("rmmod", "mac80211_hwsim")  # another case had one radio
        run("modprobe", "mac80211_hwsim", "radios=2")
        change(-60)
        run("hostapd", "-B", "-f", str(WORK / "hostapd.log"), str(WORK / "hostapd.conf"))
        run("wpa_supplicant", "-B", "-f", str(WORK / "wpa.log"), "-i", "wlan1", "-c", str(WORK / "wpa.conf"))
    end = time.monotonic() + 120
    while signal() is None:
        if time.monotonic() > end:
            sys.exit((WORK / "hostapd.log").read_text() + (WORK / "wpa.log").read_text())
        time.sleep(0.1)


if __name__ == "__main__":
    begin() if sys.argv[1] == "begin" else change(int(sys.argv[2]))
