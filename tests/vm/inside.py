# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs within a virtual machine: the jobs of a JSON file one after the other, a line of JSON for each.

Under emulation a fork costs 30 ms and starting Python a second, so this is the one process that runs
them all. A job is {"command": [...], "env": {...}, "timeout": seconds, "cwd": directory or absent}.
"""
import json
import os
import subprocess
import sys


def run(job):
    try:
        # close_fds=False lets subprocess use vfork.
        r = subprocess.run(job["command"], capture_output=True, env=dict(os.environ, **job["env"]),
                           stdin=subprocess.DEVNULL, timeout=job["timeout"], close_fds=False,
                           cwd=job.get("cwd"))
    except OSError as e:
        return ["", f"{job['command'][0]}: {e.strerror}\n", 127]
    except subprocess.TimeoutExpired as e:
        return [(e.stdout or b"").decode(errors="backslashreplace"),
                f"timed out after {job['timeout']} s", 124]
    return [r.stdout.decode(errors="backslashreplace"), r.stderr.decode(errors="backslashreplace"),
            r.returncode]


def main():
    with open(sys.argv[1]) as f:
        jobs = json.load(f)
    # Says that the machine has come so far; if it ends now, a job is to blame.
    sys.stdout.write(json.dumps([-1]) + "\n")
    sys.stdout.flush()
    for number, job in enumerate(jobs):
        # The device takes writes of a page whole; longer ones are put together by the reader.
        sys.stdout.write(json.dumps([number, *run(job)]) + "\n")
        sys.stdout.flush()


main()
