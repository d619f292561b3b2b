# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs within a virtual machine: two simulated WiFi radios, of which one hears the other; `sonde wifitone` on a
terminal plays what it hears into one end of a simulated sound card, and what comes out of its other end is recorded
while the signal changes.

    tone_inside.py SONDE DIRECTORY-OF-SONDE-PLAY SECONDS LEVEL...

Prints one object of JSON: the recording (base64 of zlib of 16-bit samples), for each read of it when it came and how
many samples there were by then, when each level was set, what signal the kernel then told, and what programs said. All
times are CLOCK_MONOTONIC.
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

sys.path.append(str(Path(__file__).resolve().parent.parent / "tools"))
import radios  # noqa: E402

RATE = 44100
# The default device is the loopback's playback end.
ASOUND = "pcm.!default { type hw card Loopback device 0 subdevice 0 }\n"


def wait_for(what, seconds, fn):
    end = time.monotonic() + seconds
    while not fn():
        if time.monotonic() > end:
            sys.exit(f"no {what} within {seconds} s")
        time.sleep(0.1)


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
    radios.run("modprobe", "snd-aloop", "pcm_substreams=1")
    radios.begin()
    recording = Recording(work)
    recording.start()
    tone = Tone(sonde, play)
    wait_for("sound", 120, lambda: b"Hz" in tone.said)
    time.sleep(1)
    steps, heard = [], []
    for level in map(int, levels):
        steps.append((time.monotonic(), level))
        radios.change(level)
        time.sleep(float(seconds))
        heard.append(radios.signal())
    status, said, complaints = tone.p.poll(), tone.end(), recording.end()
    print(json.dumps({"steps": steps, "heard": heard, "reads": recording.reads, "said": said, "complaints": complaints,
                      "ended_early": status is not None, "status": tone.p.returncode,
                      "samples": base64.b64encode(zlib.compress(bytes(recording.data))).decode()}))


main()
