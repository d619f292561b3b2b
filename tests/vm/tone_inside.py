# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs within a virtual machine: two simulated WiFi radios, of which one hears the other; `sonde wifitone` on a
terminal plays what it hears into one end of a simulated sound card, and what comes out of its other end is recorded
while the signal changes.

    tone_inside.py SONDE DIRECTORY-OF-SONDE-PLAY SECONDS LEVEL...

Prints one object of JSON: the recording (base64 of zlib of 16-bit samples), for each read of it when it came and how
many samples there were by then, when each level was set, what signal the kernel then told, and what programs said. All times are CLOCK_MONOTONIC.
"""
import base64
import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path

RATE = 44100
# The default device is the loopback's playback end.
ASOUND = "pcm.!default { type hw card Loopback device 0 subdevice 0 }\n"
# 15.36 ms from one beacon to the next, the shortest that hostapd allows.
HOSTAPD = "interface=wlan0\ndriver=nl80211\nssid=tone\nhw_mode=g\nchannel=1\nbeacon_int=15\n"
SUPPLICANT = 'network={\n\tssid="tone"\n\tkey_mgmt=NONE\n}\n'


def run(*command):
    r = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if r.returncode:
        sys.exit(f"{' '.join(command)}: {r.stdout}{r.stderr}")
    return r.stdout


def wait_for(what, seconds, fn):
    end = time.monotonic() + seconds
    while not fn():
        if time.monotonic() > end:
            sys.exit(f"no {what} within {seconds} s")
        time.sleep(0.1)


class Radios:
    """One is an access point, the other its guest."""

    def __init__(self, work):
        run("modprobe", "mac80211_hwsim", "radios=2")
        self.ends = list(Path("/sys/kernel/debug/ieee80211").glob("*/hwsim/rx_rssi"))
        (work / "hostapd.conf").write_text(HOSTAPD)
        (work / "wpa.conf").write_text(SUPPLICANT)
        self.set(-60)
        with open(work / "hostapd.log", "wb") as log:
            self.ap = subprocess.Popen(["hostapd", work / "hostapd.conf"], stdout=log, stderr=log)
        with open(work / "wpa.log", "wb") as log:
            self.guest = subprocess.Popen(["wpa_supplicant", "-i", "wlan1", "-c", work / "wpa.conf"], stdout=log, stderr=log)
        wait_for("connection", 120, lambda: "Connected" in run("iw", "dev", "wlan1", "link"))

    def set(self, dbm):
        for end in self.ends:
            end.write_text(str(dbm & 0xffffffffffffffff))

    def signal(self):
        """What the kernel says of the connection; the power of the sender has been added to what was set."""
        return int(run("iw", "dev", "wlan1", "link").partition("signal:")[2].split()[0])


class Recording(threading.Thread):
    def __init__(self, work):
        super().__init__(daemon=True)
        self.log = open(work / "arecord.log", "w+b")
        self.p = subprocess.Popen(["arecord", "-q", "-D", "hw:Loopback,1,0", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", str(RATE),
                                   "--period-time=10000", "--buffer-time=2000000"], stdout=subprocess.PIPE, stderr=self.log)
        self.data, self.reads = bytearray(), []

    def run(self):
        while chunk := os.read(self.p.stdout.fileno(), 65536):
            self.data += chunk
            self.reads.append((time.monotonic(), len(self.data) // 2))

    def end(self):
        self.p.send_signal(signal.SIGINT)
        self.p.wait()
        self.join()
        self.log.seek(0)
        return self.log.read().decode()


class Tone:
    """sonde on a terminal of its own, which is read so that it never waits."""

    def __init__(self, sonde, play):
        self.master, slave = pty.openpty()
        self.p = subprocess.Popen([sonde, "wifitone"], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                  env={**os.environ, "PATH": f"{play}:{os.environ['PATH']}", "TERM": "xterm"})
        os.close(slave)
        self.said = b""
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            try:
                self.said += os.read(self.master, 65536)
            except OSError:
                return

    def end(self):
        os.killpg(self.p.pid, signal.SIGINT)
        self.p.wait(60)
        return self.said.decode(errors="replace")


def main():
    sonde, play, seconds, *levels = sys.argv[1:]
    work = Path(tempfile.mkdtemp())
    Path("/etc/asound.conf").write_text(ASOUND)
    run("modprobe", "snd-aloop", "pcm_substreams=1")
    radios = Radios(work)
    recording = Recording(work)
    recording.start()
    tone = Tone(sonde, play)
    wait_for("sound", 120, lambda: b"Hz" in tone.said)
    time.sleep(1)
    steps, heard = [], []
    for level in map(int, levels):
        steps.append((time.monotonic(), level))
        radios.set(level)
        time.sleep(float(seconds))
        heard.append(radios.signal())
    status, said, complaints = tone.p.poll(), tone.end(), recording.end()
    print(json.dumps({"steps": steps, "heard": heard, "reads": recording.reads, "said": said, "complaints": complaints,
                      "ended_early": status is not None, "status": tone.p.returncode,
                      "samples": base64.b64encode(zlib.compress(bytes(recording.data))).decode()}))


main()
