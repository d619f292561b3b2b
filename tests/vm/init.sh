#!/bin/busybox sh
# The first process of a virtual machine: mounts the host's root with a tmpfs over it, so that the machine
# has every program of the host and can change nothing, and runs inside.py there. MODULES (the directory of
# the kernel's modules on the host), DIRECTORY (tests/vm), REPOSITORY, ROOTFS (9p or virtiofs) and SYSTEMD (not empty: it is the
# first process, and runs the jobs as a service) are in /settings.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys

give_up() {
	echo "init: $*" >/dev/console
	echo b >/proc/sysrq-trigger
	sleep 10
}

# shellcheck source=/dev/null
. /settings
while read -r module; do
	insmod "/modules/$module" || echo "init: no module $module" >/dev/console
done </modules/order

mkdir /host /top /new
case $ROOTFS in
9p) mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=512000 host /host ;;
virtiofs) mount -t virtiofs -o ro host /host ;;
esac || give_up "cannot mount the host's root"
mount -t tmpfs -o size=80% top /top
mkdir /top/upper /top/work
mount -t overlay -o lowerdir=/host,upperdir=/top/upper,workdir=/top/work new /new || give_up "no overlay"

mkdir -p "/new/lib/modules/${MODULES##*/}"
mount --bind "/host$MODULES" "/new/lib/modules/${MODULES##*/}"
for port in /sys/class/virtio-ports/*; do
	[ "$(cat "$port/name")" = results ] && results=/dev/${port##*/}
done
for m in dev proc sys; do
	mount --move /$m /new/$m
done
while read -r kind place; do
	mkdir -p "/new$place"
	mount -t "$kind" "$kind" "/new$place" || echo "init: no $kind" >/dev/console
done <<END
tmpfs /run
tmpfs /tmp
tmpfs /dev/shm
devpts /dev/pts
cgroup2 /sys/fs/cgroup
bpf /sys/fs/bpf
debugfs /sys/kernel/debug
tracefs /sys/kernel/tracing
END
# What the machine has of its own hides the host's: the repository may stand below one of them.
case $REPOSITORY in
/tmp/* | /run/* | /dev/shm/*)
	mkdir -p "/new$REPOSITORY"
	mount --bind "/host$REPOSITORY" "/new$REPOSITORY" || give_up "cannot show $REPOSITORY"
	;;
esac
ln -sf /proc/self/fd /new/dev/fd
ifconfig lo up
cp /jobs.json /new/run/jobs.json

cat >/new/run/first <<END
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
cd "$DIRECTORY"
/usr/bin/python3 -S inside.py /run/jobs.json >"$results"
echo b >/proc/sysrq-trigger
sleep 10
END
if [ "$SYSTEMD" ]; then
	mkdir -p /new/run/systemd/system
	cat >/new/run/systemd/system/jobs.service <<END
[Unit]
DefaultDependencies=no
[Service]
ExecStart=/bin/sh /run/first
OOMScoreAdjust=-1000
END
	exec switch_root /new /lib/systemd/systemd --unit=jobs.service --log-level=warning </new/dev/null >/new/dev/console 2>&1
fi
exec switch_root /new /bin/sh /run/first </new/dev/null >/new/dev/console 2>&1
