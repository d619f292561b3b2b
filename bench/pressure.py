#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Low-memory killers side by side: a memory hog beside a bystander, in a virtual machine that goes by its own clock
(2 ns an instruction), with and without swap, for sonde and the killers of Debian. Prints a table for docs/pressure.md.

    bench/pressure.py [--runs N] [--others N] [--kernel 6.12] [--only sonde,earlyoom,oomd,none] [--settings "no swap"] [--json FILE]

The packages earlyoom and systemd-oomd are downloaded and unpacked, not installed. systemd-oomd is told which cgroups to look
after as systemd would tell it, with the limits of its defaults.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "vm"))
import kernels  # noqa: E402
import machine  # noqa: E402

SONDE = os.environ.get("SONDE", str(ROOT / "build" / "sonde"))
CACHE = ROOT / ".cache" / "killers"
KILLERS = {"sonde": None, "earlyoom": "usr/bin/earlyoom", "oomd": "lib/systemd/systemd-oomd", "none": None}
PACKAGES = {"earlyoom": "earlyoom", "oomd": "systemd-oomd"}
SETTINGS = [("no swap", 0, 0), ("400 MiB zram", 400, 0), ("cgroup of 256 MiB", 0, 256)]


def fetch(name):
    """The program of a package."""
    path = CACHE / KILLERS[name]
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", PACKAGES[name]], cwd=CACHE, check=True, capture_output=True)
        [deb] = CACHE.glob(f"{PACKAGES[name]}_*.deb")
        subprocess.run(["dpkg", "-x", deb, CACHE], check=True)
    return path


def programs():
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in ("memhog", "bystander"):
        subprocess.run(["cc", "-O2", "-o", CACHE / name, ROOT / "tests" / "pressure" / f"{name}.c"], check=True)
    return CACHE


def measure(kernel, name, swap, limit, runs):
    killer = f"{name}={fetch(name)}" if KILLERS[name] else name
    job = {"command": ["/usr/bin/python3", str(ROOT / "tests" / "pressure" / "inside.py"), killer, str(swap), str(limit), str(runs),
                       str(programs()), SONDE], "env": {}, "timeout": 200 * runs + 100}
    [[out, err, status]] = machine.run_jobs(kernels.get(kernel), [job], machine.CLOCK_OF_ITS_OWN)
    if status:
        return {"runs": [], "said": f"{out[-500:]}{err[-1500:]}"}
    return json.loads(out)


def cells(answer):
    runs = answer["runs"]
    if not runs:
        return ["-"] * 5
    good = [r for r in runs if r["hog"] == "killed" and not r["kernel_kills"]]
    seconds = [r["seconds"] for r in runs]
    late = [r["bystander_worst_us"] / 1000 for r in runs if r["bystander_worst_us"] is not None]
    return [f"{len(good)} of {len(runs)}", str(sum(r["kernel_kills"] for r in runs)),
            str(sum(not r["bystander_alive"] for r in runs)), f"{statistics.median(seconds):.1f} s",
            f"{statistics.median(late):.0f} / {max(late):.0f} ms" if late else "-"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--runs", type=int, default=20, help="of sonde")
    p.add_argument("--others", type=int, default=3, help="runs of each of the others")
    p.add_argument("--kernel", default="6.12")
    p.add_argument("--only", default=",".join(KILLERS))
    p.add_argument("--settings", help="titles of rows, separated by commas; all without it")
    p.add_argument("--json")
    args = p.parse_args()
    everything = {}
    print("| | killer | hog killed, kernel not needed | kernel's kills | bystanders killed | time to the end, median | "
          "bystander late at worst, median / most |\n|---|---|---|---|---|---|---|", flush=True)
    for title, swap, limit in SETTINGS if not args.settings else [s for s in SETTINGS if s[0] in args.settings.split(",")]:
        for name in args.only.split(","):
            answer = measure(args.kernel, name, swap, limit, args.runs if name == "sonde" else args.others)
            everything[f"{title}: {name}"] = answer
            print(f"| {title} | {name} | {' | '.join(cells(answer))} |", flush=True)
            if not answer["runs"]:
                print(answer["said"], file=sys.stderr)
    if args.json:
        Path(args.json).write_text(json.dumps(everything, indent=1))


main()
