#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run random programs: run.py [--sonde PATH] [--seed S] [--count N] [--batch N] [--only N].

Each is compared with an interpreter of the language's rules. Failures are printed and make it end with 1.
--only shows the program of that number and what is expected of it, and runs it alone.
"""
import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from batch import campaign, check, maps_at_end, script  # noqa: E402
from generate import program  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--sonde", default=str(ROOT / "build" / "sonde"))
    p.add_argument("--seed", default=str(int(time.time())))
    p.add_argument("--count", type=int, default=1000)
    p.add_argument("--batch", type=int, default=50)
    p.add_argument("--only", type=int)
    args = p.parse_args()
    sonde = args.sonde.split()
    if args.only is not None:
        made = program(f"{args.seed}-{args.only}", args.only)
        print(script([made[0]]))
        print("".join(made[1].out) + "\n".join(maps_at_end(*made).values()))
        wrong = check(sonde, [made])
        print(*wrong)
        return bool(wrong)
    done = bad = 0
    for n, wrong in campaign(sonde, args.seed, args.count, args.batch):
        done, bad = done + n, bad + len(wrong)
        for w in wrong:
            print(w, flush=True)
    print(f"seed {args.seed}: {done} programs, {bad} differ")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
