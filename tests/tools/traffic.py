# SPDX-License-Identifier: GPL-2.0-or-later
"""Traffic for the cases of tools of the network: always the same addresses, ports and sizes.

    python3 traffic.py NAME WHAT ...

NAME is what the thread is called, so that each case finds its own.
All of it stays in a network namespace of its own, so that the ports are free and nothing else is there. In it
127.0.0.1 and ::1 are up; what needs a wire gets a pair of veth to a second namespace (10.66.0.1 here, 10.66.0.2 there).
Servers have port 7001 (UDP 7003), clients 7002 (UDP 7004).
"""
import ctypes
import json
import os
import socket
import struct
import subprocess
import sys
import time

SERVER, CLIENT, UDP_SERVER, UDP_CLIENT = 7001, 7002, 7003, 7004
BOTH = (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")
CLONE_NEWNET = 0x40000000
PR_SET_NAME = 15


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
    """Three connections to port 7009 that nobody accepts: the queue holds 0, 1 and 2 when they come."""
    with socket.create_server(("127.0.0.1", 7009), backlog=5):
        clients = [socket.create_connection(("127.0.0.1", 7009)) for _ in range(3)]
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


def nobody():
    """A server that does not wait accepts, and there is nobody."""
    with listener(*BOTH[0]) as server:
        server.setblocking(False)
        try:
            server.accept()
        except BlockingIOError:
            pass


def names():
    """Two names, of which one is unknown."""
    for name in "localhost", "no.such.name.invalid":
        try:
            socket.getaddrinfo(name, 80)
        except socket.gaierror:
            pass


def bulk():
    """40 connections, with more bytes each, and then what was sent by all and what the namespace has counted."""
    total = 0
    with socket.create_server(("127.0.0.1", SERVER)) as server:
        for n in range(40):
            with socket.create_connection(("127.0.0.1", SERVER)) as there:
                here, _ = server.accept()
                with here:
                    there.sendall(b"q" * (n * 997 + 1))
                    received(here, n * 997 + 1)
                    total += n * 997 + 1
    counted(total=total)


def counted(**more):
    """The numbers that the kernel keeps of TCP in this namespace, as JSON, where the tool writes no output."""
    with open("/proc/thread-self/net/snmp", encoding="ascii") as f:
        names, values = [line.split()[1:] for line in f if line.startswith("Tcp:")]
    print(json.dumps({**dict(zip(names, map(int, values))), **more}), file=sys.stderr)


def unixlate():
    """A message that is read 40 ms later."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        there.send(b"hello")
        time.sleep(0.04)
        here.recv(100)


def scan():
    """A scan by the first wireless device, outside of the namespace: it stays where the module has made it."""
    def attribute(kind, data):
        return struct.pack("HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)

    def ask(s, family, command, data):
        body = struct.pack("BBH", command, 1, 0) + data
        s.send(struct.pack("IHHII", 16 + len(body), family, 5, 1, 0) + body)
        return s.recv(8192)

    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16) as s:
        ip("link", "set", "wlan0", "up")
        answer = ask(s, 16, 3, attribute(2, b"nl80211\0"))
        family = struct.unpack("H", answer[answer.index(struct.pack("HH", 6, 1)) + 4:][:2])[0]
        error, = struct.unpack("i", ask(s, family, 33, attribute(3, struct.pack("I", socket.if_nametoindex("wlan0"))))[16:20])
        assert error == 0 or error > 0, os.strerror(-error)
    time.sleep(10)


def rest():
    """Time for what the kernel does only when all processors have passed a quiet moment."""
    time.sleep(0.3)


def wire():
    """A pair of devices, 10.66.0.1 here and 10.66.0.2 in the namespace of a process that sleeps. Gives that process."""
    there = subprocess.Popen(["unshare", "-n", "sleep", "60"])
    ip("link", "add", "sonde0", "type", "veth", "peer", "name", "sonde1")
    for _ in range(200):
        if os.readlink(f"/proc/{there.pid}/ns/net") != os.readlink("/proc/self/ns/net"):
            break
        time.sleep(0.01)
    ip("link", "set", "sonde1", "netns", str(there.pid))
    enter = ["nsenter", "-t", str(there.pid), "-n"]
    for command in ("ip link set lo up", "ip link set sonde1 up", "ip addr add 10.66.0.2/24 dev sonde1"):
        subprocess.run(enter + command.split(), check=True)
    ip("link", "set", "sonde0", "up")
    ip("addr", "add", "10.66.0.1/24", "dev", "sonde0")
    return there


def queue():
    """A queue of the kind tbf at the wire, through which 8 datagrams of 1000 bytes leave, one every 42 ms: however slowly
    they are sent, the last wait for those before them."""
    there = wire()
    try:
        subprocess.run("tc qdisc add dev sonde0 root tbf rate 200kbit burst 2kb latency 2s".split(), check=True)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for _ in range(8):
                s.sendto(b"q" * 1000, ("10.66.0.2", UDP_SERVER))
        time.sleep(0.6)
    finally:
        there.kill()


def again():
    """A connection to a neighbour whose hardware address is wrong: the first segment is sent again after a second."""
    there = wire()
    try:
        ip("neigh", "replace", "10.66.0.2", "lladdr", "02:00:00:00:00:99", "dev", "sonde0", "nud", "permanent")
        with socket.socket() as s:
            s.bind(("10.66.0.1", CLIENT))
            s.settimeout(1.5)
            try:
                s.connect(("10.66.0.2", SERVER))
            except TimeoutError:
                pass
    finally:
        there.kill()


def checksum(data):
    words = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while words >> 16:
        words = (words & 0xffff) + (words >> 16)
    return ~words & 0xffff


def ping():
    """Echo request number 5 of identifier 4660 to 127.0.0.1, and its answer."""
    head = struct.pack("!BBHHH", 8, 0, 0, 0x1234, 5)
    packet = struct.pack("!BBHHH", 8, 0, checksum(head), 0x1234, 5)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as s:
        s.settimeout(5)
        s.sendto(packet, ("127.0.0.1", 0))
        while s.recv(100)[20] != 0:
            pass


def ping6():
    """The same to ::1, where the kernel makes the sum."""
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as s:
        s.settimeout(5)
        s.sendto(struct.pack("!BBHHH", 128, 0, 0, 0x1234, 6), ("::1", 0))
        while s.recv(100)[0] != 129:
            pass


def marked():
    """Datagrams whose header says CE, and ones that say ECT0."""
    for family, address in BOTH:
        level, option = (socket.IPPROTO_IP, socket.IP_TOS) if family == socket.AF_INET else \
                        (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            for mark in 3, 2:
                s.setsockopt(level, option, mark)
                s.sendto(b"q", (address, UDP_SERVER))


def overflow():
    """Datagrams into the smallest buffer that there is, until it is full, and then one is read."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        here.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        here.bind(("127.0.0.1", UDP_SERVER))
        for _ in range(20):
            there.sendto(b"q" * 1000, ("127.0.0.1", UDP_SERVER))
        assert len(here.recv(2000)) == 1000


if __name__ == "__main__":
    if sys.argv[2:] != ["scan"]:
        namespace()
    ctypes.CDLL(None).prctl(PR_SET_NAME, sys.argv[1].encode(), 0, 0, 0)
    for name in sys.argv[2:]:
        globals()[name]()
