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


def traced():
    """A child that is stopped and looked into: who does so waits until it no longer runs."""
    pid = os.fork()
    if not pid:
        time.sleep(5)
        os._exit(0)
    if not LIBC.ptrace(16, pid, 0, 0):  # PTRACE_ATTACH
        os.waitpid(pid, 0)
        LIBC.ptrace(3, pid, 0, 0)  # PTRACE_PEEKUSER
        LIBC.ptrace(17, pid, 0, 0)  # PTRACE_DETACH
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def barriers():
    """Interrupts from one CPU to those on which our other threads run."""
    end = time.monotonic() + 0.2

    def burn():
        rename("ways-load")
        while time.monotonic() < end:
            pass

    threads = [threading.Thread(target=burn) for _ in os.sched_getaffinity(0)]
    for t in threads:
        t.start()
    LIBC.syscall(324, 16, 0)  # membarrier: register for the expedited form
    while time.monotonic() < end:
        LIBC.syscall(324, 8, 0)
        time.sleep(0.01)
    for t in threads:
        t.join()


class Iocb(ctypes.Structure):
    _fields_ = [("data", ctypes.c_uint64), ("key", ctypes.c_uint32), ("rw_flags", ctypes.c_uint32),
                ("opcode", ctypes.c_uint16), ("reqprio", ctypes.c_int16), ("fd", ctypes.c_uint32),
                ("buf", ctypes.c_uint64), ("nbytes", ctypes.c_uint64), ("offset", ctypes.c_int64),
                ("reserved", ctypes.c_uint64), ("flags", ctypes.c_uint32), ("resfd", ctypes.c_uint32)]


def write_together(fd, page, batches):
    """Asynchronous writes of 4 KiB at these numbers, one system call for each batch."""
    buffer, context = ctypes.addressof(ctypes.c_char.from_buffer(page)), ctypes.c_uint64()
    if LIBC.syscall(206, 64, ctypes.byref(context)):  # io_setup
        return
    kept = []
    for batch in batches:
        iocbs = [Iocb(opcode=1, fd=fd, buf=buffer, nbytes=4096, offset=n * 4096) for n in batch]
        kept.append(iocbs)
        pointers = (ctypes.c_void_p * len(iocbs))(*map(ctypes.addressof, iocbs))
        LIBC.syscall(209, context, ctypes.c_long(len(iocbs)), pointers)  # io_submit
    LIBC.syscall(207, context)  # io_destroy waits for them


def block():
    """Only where the devices that keep nothing, or keep it in memory, have been made for it."""
    page = mmap.mmap(-1, 65536)
    for device in ("/dev/nullb0", "/dev/ram0"):
        if not os.path.exists(device):
            continue
        fd = os.open(device, os.O_RDWR | os.O_DIRECT)
        for n in range(8):
            os.pwrite(fd, page, n * 65536)
        os.preadv(fd, [page], 0)
        # Neighbours behind and before each other, and one that closes the gap between two that wait.
        write_together(fd, page, [[10, 11, 12, 13], [23, 22, 21, 20], [30], [40], [42], [44], [41], [43]])
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
    # Closed with something that was not read.
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    peer, _ = server.accept()
    client.sendall(b"x" * 100)
    time.sleep(0.01)
    for s in (peer, client, server):
        s.close()
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
    traced()
    barriers()
    memory(sys.argv[1])
    block()
    network()
    end = time.monotonic() + 0.05
    while time.monotonic() < end: # for interrupts to come in between
        pass
    LIBC.getpgid(MARK)


if __name__ == "__main__":
    main()
