# SPDX-License-Identifier: GPL-2.0-or-later
"""A virtual machine under QEMU's software emulation, on this machine's own root file system.

run_jobs() boots a kernel, runs commands inside as root and returns what each printed. The root is
read-only with a tmpfs over it: nothing inside can change the host. It works where KVM does not, 8 to 20
times slower than the host, so programs are built outside and no test may assert how long a thing takes.
"""
import json
import lzma
import shlex
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from kernels import Unavailable

HERE = Path(__file__).resolve().parent
QEMU = "qemu-system-x86_64"
VIRTIOFSD = "/usr/lib/qemu/virtiofsd"
MEMORY = 768
# It takes 3 s; another machine at the same time, and whatever else is running, should not matter.
BOOT_SECONDS = 240
# No waiting for hardware and entropy, no defences against attacks nobody makes; a panic ends the machine.
# Programs lie at the same addresses each time (norandmaps), or their code would be translated anew each time.
APPEND = ("console=ttyS0 quiet panic=-1 oops=panic reboot=t mitigations=off nokaslr tsc=reliable "
          "no_timer_check audit=0 cryptomgr.notests=1 rcupdate.rcu_expedited=1 norandmaps")


def cpio_entry(number, name, mode, data=b""):
    """One file of an archive in the form "newc", which the kernel reads as an initramfs."""
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def cpio(directories, files):
    entries = [(d, 0o40755, b"") for d in directories] + [(n, 0o100755, data) for n, data in files.items()]
    archive = b"".join(cpio_entry(i, *e) for i, e in enumerate(entries, 1))
    return archive + cpio_entry(0, "TRAILER!!!", 0)


def root_fs(kernel):
    """Cloud kernels have no 9p; virtiofs needs a process beside QEMU."""
    return "9p" if kernel.module_files(["9pnet_virtio"]) else "virtiofs"


def initramfs(kernel, jobs, systemd):
    fs = root_fs(kernel)
    wanted = ["virtio_pci", "virtio_console", "overlay"]
    wanted += ["virtiofs"] if fs == "virtiofs" else ["9pnet_virtio", "9p"]
    files = {"init": (HERE / "init.sh").read_bytes(), "bin/busybox": Path("/bin/busybox").read_bytes(),
             "jobs.json": json.dumps(jobs).encode()}
    order = []
    for path in kernel.module_files(wanted):
        data = path.read_bytes()
        files[f"modules/{path.name}"] = lzma.decompress(data) if path.suffix == ".xz" else data
        order.append(path.name)
    files["modules/order"] = "".join(f"{n}\n" for n in order).encode()
    settings = {"MODULES": kernel.module_directory, "DIRECTORY": HERE, "REPOSITORY": HERE.parent.parent, "ROOTFS": fs,
                "SYSTEMD": "yes" if systemd else ""}
    files["settings"] = "".join(f"{k}={shlex.quote(str(v))}\n" for k, v in settings.items()).encode()
    return cpio(["bin", "dev", "proc", "sys", "modules"], files)


@contextmanager
def shared_root(kernel, work):
    """QEMU's arguments that give the machine the host's root, read-only."""
    if root_fs(kernel) == "9p":
        yield ["-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap",
               "-device", "virtio-9p-pci,fsdev=host,mount_tag=host"]
        return
    socket = work / "virtiofs"
    with open(work / "virtiofsd.log", "wb") as log:
        daemon = subprocess.Popen([VIRTIOFSD, f"--socket-path={socket}", "-o", "source=/", "-o", "cache=always",
                                   "-o", "sandbox=chroot"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        for _ in range(200):
            if socket.exists() or daemon.poll() is not None:
                break
            time.sleep(0.02)
        yield ["-object", f"memory-backend-memfd,id=memory,size={MEMORY}M,share=on",
               "-machine", "memory-backend=memory", "-chardev", f"socket,id=host,path={socket}",
               "-device", "vhost-user-fs-pci,chardev=host,tag=host"]
    finally:
        daemon.kill()
        daemon.wait()


def size(path):
    return path.stat().st_size if path.exists() else 0


def run_qemu(command, work, patience):
    """What it said. It is ended when no further job ended for so many seconds: however slow the machine is at
    the moment, it gets the time that it needs as long as it moves."""
    with open(work / "qemu", "w+") as log:
        qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        moved, before = time.monotonic(), 0
        try:
            while qemu.poll() is None and time.monotonic() - moved < patience:
                time.sleep(0.05)
                if size(work / "results") != before:
                    moved, before = time.monotonic(), size(work / "results")
            ended = qemu.poll() is not None
        finally:
            qemu.kill()
            qemu.wait()
    said = (work / "qemu").read_text(errors="replace")
    return said if ended else f"{said}the machine stood still for {patience} s\n"


def read_results(path):
    """Whether the machine came as far as running jobs, and [stdout, stderr, status] of those that ended."""
    ready, done = False, []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            number, *answer = json.loads(line)
        except ValueError:
            break
        if number < 0:
            ready = True
        else:
            assert number == len(done)
            done.append(answer)
    return ready, done


def boot(kernel, jobs, extra=(), systemd=False):
    """What read_results() returns, and the console's text."""
    with tempfile.TemporaryDirectory(prefix="sonde-vm-") as tmp:
        work = Path(tmp)
        (work / "initrd").write_bytes(initramfs(kernel, jobs, systemd))
        with shared_root(kernel, work) as root:
            said = run_qemu([
                QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-smp", "1",
                "-m", str(MEMORY), "-machine", "q35,hpet=off", "-accel", "tcg", "-cpu", "max,la57=off",
                "-kernel", str(kernel.image), "-initrd", str(work / "initrd"), "-append", APPEND,
                "-serial", f"file:{work / 'console'}", "-device", "virtio-serial-pci",
                "-chardev", f"file,id=results,path={work / 'results'}",
                "-device", "virtserialport,chardev=results,name=results", *root, *extra],
                work, BOOT_SECONDS + max(j["timeout"] for j in jobs))
        if (work / "console").exists():
            said += (work / "console").read_text(errors="replace")
        return *read_results(work / "results"), said


class NoBoot(Exception):
    """A machine that ran nothing; the text is what it said."""


def check_tools():
    for tool in (QEMU, "/bin/busybox", "depmod", "zstd"):
        if not shutil.which(tool):
            raise Unavailable(f"{tool} is not installed")


# A clock that goes by instructions, of which each takes 2 ns, instead of by the clock on the wall: to who is inside,
# the machine is as fast as it ever is, however slow and busy the host.
CLOCK_OF_ITS_OWN = ("-icount", "shift=1,sleep=on")


def run_jobs(kernel, jobs, extra=(), systemd=False):
    """[stdout, stderr, status] of each job; `extra` are more arguments of QEMU, and with `systemd` the jobs are a service. One that takes the machine down is answered by what the
    console said, and the rest run in a new one. A machine that does not come up gets a second try."""
    check_tools()
    answers = []
    boots_left = 2
    while len(answers) < len(jobs):
        ready, done, said = boot(kernel, jobs[len(answers):], extra, systemd)
        answers += done
        boots_left = 2 if ready else boots_left - 1
        if not boots_left:
            raise NoBoot(f"{kernel.name}: nothing could be run inside\n{said[-3000:]}")
        if ready and len(answers) < len(jobs):
            answers.append(["", f"the machine ended: {said[-3000:]}", 125])
    return answers
