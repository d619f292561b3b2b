# SPDX-License-Identifier: GPL-2.0-or-later
"""Traffic for the cases of tools of the network: always the same addresses, ports and sizes.

    python3 traffic.py WHAT ...

All of it stays in a network namespace of its own, so that the ports are free and nothing else is there. In it
127.0.0.1 and ::1 are up; what needs a wire gets a pair of veth to a second namespace (10.66.0.1 here, 10.66.0.2 there).
Servers have port 7001 (UDP 7003), clients 7002 (UDP 7004).
"""
import ctypes
import os
import socket
import struct
import subprocess
import sys
import time

SERVER, CLIENT, UDP_SERVER, UDP_CLIENT = 7001, 7002, 7003, 7004
BOTH = (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")
CLONE_NEWNET = 0x40000000


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def namespace():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    ip("link", "set", "lo", "up")


def listener(family, address):
    s = socket.socket(family)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, SERVER))
    s.listen(5)
    return s


def client(family, address):
    s = socket.socket(family)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, CLIENT))
    return s


def received(s, n):
    data = b""
    while len(data) < n:
        part = s.recv(n - len(data))
        assert part, "closed early"
        data += part
    return data


def tcp():
    """A connection each by IPv4 and IPv6: 100 bytes there, 5000 back, closed by the client."""
    for family, address in BOTH:
        with listener(family, address) as server:
            there = client(family, address)
            there.connect((address, SERVER))
            here, _ = server.accept()
            there.sendall(b"q" * 100)
            received(here, 100)
            here.sendall(b"a" * 5000)
            received(there, 5000)
            there.close()
            assert here.recv(1) == b""
            here.close()


def udp():
    """A datagram of 33 bytes there and one of 44 back, by IPv4 and IPv6, between connected sockets."""
    for family, address in BOTH:
        here, there = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_DGRAM)
        here.bind((address, UDP_SERVER))
        there.bind((address, UDP_CLIENT))
        there.connect((address, UDP_SERVER))
        there.send(b"q" * 33)
        data, back = here.recvfrom(100)
        here.sendto(b"a" * 44, back)
        assert len(data) == 33 and len(there.recv(100)) == 44
        there.close()
        here.close()


def late():
    """What was sent is read only 30 ms later."""
    with listener(*BOTH[0]) as server:
        there = client(*BOTH[0])
        there.connect(("127.0.0.1", SERVER))
        here, _ = server.accept()
        there.sendall(b"q" * 100)
        time.sleep(0.03)
        received(here, 100)
        there.close()
        here.close()


def refused():
    """A connection to a port where nobody listens."""
    there = client(*BOTH[0])
    try:
        there.connect(("127.0.0.1", SERVER))
    except ConnectionRefusedError:
        there.close()


def small():
    """Three times two writes of 10 bytes each: the second waits until the first is acknowledged, at the latest after 40 ms."""
    with listener(*BOTH[0]) as server:
        there = client(*BOTH[0])
        there.connect(("127.0.0.1", SERVER))
        here, _ = server.accept()
        for _ in range(12):
            there.sendall(b"q" * 10)
            there.sendall(b"q" * 10)
            received(here, 20)
            here.sendall(b"a")
            received(there, 1)
        there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        there.sendall(b"q")
        received(here, 1)
        there.close()
        here.close()


def waiting():
    """Three connections that nobody accepts: the queue holds 0, 1 and 2 when they come."""
    with listener(*BOTH[0]):
        clients = [socket.create_connection(("127.0.0.1", SERVER)) for _ in range(3)]
        for c in clients:
            c.close()


def unix():
    """A server with the name /tmp/sonde-unix and a client that sends "hello unix"."""
    name = "/tmp/sonde-unix"
    try:
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as there:
            server.bind(name)
            server.listen(3)
            there.connect(name)
            here, _ = server.accept()
            there.sendall(b"hello unix")
            assert here.recv(100) == b"hello unix"
            here.close()
    finally:
        os.unlink(name)


def busy():
    """Binding a port that is taken."""
    with listener(*BOTH[0]), socket.socket() as second:
        try:
            second.bind(("127.0.0.1", SERVER))
        except OSError:
            pass


def pending():
    """A connection by a socket that does not block."""
    with listener(*BOTH[0]) as server, client(*BOTH[0]) as there:
        there.setblocking(False)
        there.connect_ex(("127.0.0.1", SERVER))
        server.accept()[0].close()


def names():
    """Two names, of which one is unknown."""
    for name in "localhost", "no.such.name.invalid":
        try:
            socket.getaddrinfo(name, 80)
        except socket.gaierror:
            pass


def rest():
    """Time for what the kernel does only when all processors have passed a quiet moment."""
    time.sleep(0.3)


if __name__ == "__main__":
    namespace()
    for name in sys.argv[1:]:
        globals()[name]()
