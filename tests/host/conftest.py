# SPDX-License-Identifier: GPL-2.0-or-later
"""What the whole-program tests share: sonde itself, and programs whose events are known exactly."""
import json
import os
import signal
import subprocess
import textwrap
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SONDE = os.environ.get("SONDE", str(ROOT / "build" / "sonde"))
# Instrumented code is larger, slower, and brings libraries of its own; nor does it let its memory be locked.
SANITIZED = SONDE.endswith("-san/sonde")

# calls N [FROM TO]: the system call number N times, between two marks of other system calls.
LOAD_C = r"""
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long count;

static void *on_cpu(void *arg)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((long)arg, &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (long i = 0; i < count; i++)
		syscall(SYS_getppid);
	return NULL;
}

int main(int argc, char **argv)
{
	long cpus = argc > 2 ? atol(argv[2]) : 1;
	pthread_t threads[64];

	count = atol(argv[1]);
	if (cpus == 1) {
		for (long i = 0; i < count; i++)
			syscall(SYS_getppid);
		return 0;
	}
	for (long c = 0; c < cpus && c < 64; c++)
		pthread_create(&threads[c], NULL, on_cpu, (void *)c);
	for (long c = 0; c < cpus && c < 64; c++)
		pthread_join(threads[c], NULL);
	return 0;
}
"""


@pytest.fixture(scope="session")
def load(tmp_path_factory):
    """A program that makes an exact number of getppid(2) calls: load COUNT [CPUS]."""
    d = tmp_path_factory.mktemp("load")
    (d / "sondeload.c").write_text(LOAD_C)
    subprocess.run(["gcc", "-O1", "-o", d / "sondeload", d / "sondeload.c", "-lpthread"], check=True)
    return str(d / "sondeload")


class Result:
    def __init__(self, p, out, err):
        self.status, self.out, self.err = p.returncode, out, err

    def json(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def __repr__(self):
        return f"status {self.status}\nstdout:\n{self.out}\nstderr:\n{self.err}"


def sonde(*args, timeout=30, input=None, env=None, **kw):
    p = subprocess.run([SONDE, *map(str, args)], capture_output=True, timeout=timeout, input=input,
                       env=dict(os.environ, **(env or {})),
                       **({} if input is not None else {"stdin": subprocess.DEVNULL}), **kw)
    return Result(p, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace"))


class Running:
    """sonde in the background; ready once it says that its probes are attached."""

    def __init__(self, *args, **kw):
        self.p = subprocess.Popen([SONDE, *map(str, args)], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)
        self.head = b""

    def wait_for(self, text, seconds=20):
        """Read standard output until it holds `text`."""
        os.set_blocking(self.p.stdout.fileno(), False)
        end = time.monotonic() + seconds
        while text.encode() not in self.head:
            chunk = self.p.stdout.read()
            if chunk:
                self.head += chunk
            elif self.p.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"no {text!r} in {self.head!r}; {self.p.stderr.read()!r}")
            else:
                time.sleep(0.005)
        os.set_blocking(self.p.stdout.fileno(), True)

    def finish(self, sig=signal.SIGINT, timeout=30):
        if sig is not None:
            self.p.send_signal(sig)
        out, err = self.p.communicate(timeout=timeout)
        return Result(self.p, (self.head + out).decode(errors="replace"), err.decode(errors="replace"))


@pytest.fixture
def running():
    started = []

    def start(*args, **kw):
        r = Running(*args, **kw)
        started.append(r)
        return r

    yield start
    for r in started:
        if r.p.poll() is None:
            r.p.kill()
            r.p.wait()
        r.p.stdout.close()
        r.p.stderr.close()


@pytest.fixture
def run():
    return sonde


def script(text):
    return textwrap.dedent(text)
