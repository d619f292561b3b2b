# SPDX-License-Identifier: GPL-2.0-or-later
"""A load that passes many tracepoints under the name "ways-load": `ways_load.py DIRECTORY`. It begins and ends
with a mark that tracers look for (a system call with an argument nobody else has)."""
import ctypes
import mmap
import os
import signal
import socket
import sys
import threading
import time

LIBC = ctypes.CDLL(None, use_errno=True)
MARK = 4242424


def rename(name):
    LIBC.prctl(15, name.encode(), 0, 0, 0)


def processes(directory):
    """fork, exec, exit, wait"""
    link = f"{directory}/ways-load"
    if not os.path.exists(link):
        os.symlink("/bin/true", link)
    for _ in range(3):
        pid = os.fork()
        if not pid:
            os.execv(link, ["ways-load"])
        os.waitpid(pid, 0)


def switches():
    """Two threads that wake each other, and one that moves from CPU to CPU."""
    a, b = os.pipe(), os.pipe()

    def echo():
        rename("ways-load")
        for _ in range(30):
            os.write(b[1], os.read(a[0], 1))

    t = threading.Thread(target=echo)
    t.start()
    for _ in range(30):
        os.write(a[1], b"x")
        os.read(b[0], 1)
    t.join()
    every = os.sched_getaffinity(0)
    for cpu in sorted(every):
        os.sched_setaffinity(0, {cpu})
        time.sleep(0.002)
    os.sched_setaffinity(0, every)
    os.setpriority(os.PRIO_PROCESS, 0, 5)
    # Two that want one CPU.
    os.sched_setaffinity(0, {min(every)})
    pid = os.fork()
    end = time.monotonic() + 0.03
    while time.monotonic() < end:
        pass
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    os.sched_setaffinity(0, every)


def signals():
    signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.signal(signal.SIGALRM, lambda *_: None)
    for _ in range(3):
        os.kill(os.getpid(), signal.SIGUSR1)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    time.sleep(0.03)


def names():
    rename("ways-other")
    rename("ways-load")
    with open("/proc/self/oom_score_adj", "w") as f:
        f.write("1")


def memory(directory):
    m = mmap.mmap(-1, 1 << 20)
    for i in range(0, 1 << 20, 4096):
        m[i] = 1
    m.close()
    with open(f"{directory}/data", "wb") as f:
        f.write(b"x" * 65536)
        f.flush()
        os.fsync(f.fileno())


def block():
    """Only where the device that keeps nothing has been made for it."""
    if not os.path.exists("/dev/nullb0"):
        return
    fd = os.open("/dev/nullb0", os.O_RDWR | os.O_DIRECT)
    page = mmap.mmap(-1, 65536)
    for n in range(8):
        os.pwrite(fd, page, n * 65536)
    os.preadv(fd, [page], 0)
    os.close(fd)


def network():
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    peer, _ = server.accept()
    for n in (1, 100, 3000):
        client.sendall(b"x" * n)
        peer.recv(n)
    for s in (client, peer, server):
        s.close()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp.sendto(b"hello", udp.getsockname())
    udp.recv(10)
    # Nobody listens there.
    try:
        socket.create_connection(("127.0.0.1", 9))
    except ConnectionRefusedError:
        pass
    udp.sendto(b"hello", ("127.0.0.1", 9))
    udp.close()


def main():
    rename("ways-load")
    LIBC.getpgid(MARK)
    processes(sys.argv[1])
    switches()
    signals()
    names()
    memory(sys.argv[1])
    block()
    network()
    end = time.monotonic() + 0.05
    while time.monotonic() < end: # for interrupts to come in between
        pass
    LIBC.getpgid(MARK)


if __name__ == "__main__":
    main()
