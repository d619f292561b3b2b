/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Surface, names: numbers of the kernel's interface (include/uapi/linux) as people know them. */
#include <inttypes.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/socket.h>

#include "base/util.h"
#include "subject/surface.h"

struct number_name {
	uint64_t number;
	const char *name;
};

static void number_text(struct strbuf *out, const struct number_name *names, size_t n,
			int64_t number)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].number == (uint64_t)number) {
			strbuf_addstr(out, names[i].name);
			return;
		}
	strbuf_addf(out, number < 0 || number > 4095 ? "0x%" PRIx64 : "%" PRIu64, (uint64_t)number);
}

void capability_text(struct strbuf *out, int64_t number)
{
	static const char *const names[] = {
		"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID",
		"CAP_KILL", "CAP_SETGID", "CAP_SETUID",
		"CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
		"CAP_NET_ADMIN", "CAP_NET_RAW",
		"CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
		"CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
		"CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
		"CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
		"CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP",
		"CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
		"CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF",
		"CAP_CHECKPOINT_RESTORE",
	};

	if (number >= 0 && number < (int64_t)ARRAY_SIZE(names))
		strbuf_addstr(out, names[number]);
	else
		strbuf_addf(out, "capability %" PRId64, number);
}

void family_text(struct strbuf *out, int64_t number)
{
	static const struct number_name names[] = {
		{ AF_UNIX, "AF_UNIX" }, { AF_INET, "AF_INET" }, { AF_INET6, "AF_INET6" },
			{ AF_NETLINK, "AF_NETLINK" }, { AF_PACKET, "AF_PACKET" },
		{ AF_ALG, "AF_ALG" }, { AF_VSOCK, "AF_VSOCK" }, { AF_BLUETOOTH, "AF_BLUETOOTH" },
			{ AF_CAN, "AF_CAN" }, { AF_TIPC, "AF_TIPC" },
		{ AF_XDP, "AF_XDP" }, { AF_KEY, "AF_KEY" }, { AF_RDS, "AF_RDS" },
			{ AF_X25, "AF_X25" }, { AF_AX25, "AF_AX25" }, { AF_NFC, "AF_NFC" },
		{ AF_QIPCRTR, "AF_QIPCRTR" }, { AF_RXRPC, "AF_RXRPC" }, { AF_SMC, "AF_SMC" },
			{ AF_KCM, "AF_KCM" }, { AF_PPPOX, "AF_PPPOX" },
	};

	number_text(out, names, ARRAY_SIZE(names), number);
}

void socket_type_text(struct strbuf *out, int64_t number)
{
	static const struct number_name names[] = {
		{ SOCK_STREAM, "stream" }, { SOCK_DGRAM, "datagram" }, { SOCK_RAW, "raw" },
			{ SOCK_SEQPACKET, "seqpacket" }, { SOCK_RDM, "rdm" },
	};

	number_text(out, names, ARRAY_SIZE(names), number);
}

/* ---- arguments ---- */

static void bits_text(struct strbuf *out, const struct number_name *names, size_t n, int64_t value)
{
	uint64_t left = (uint64_t)value;
	const char *bar = "";

	for (size_t i = 0; i < n; i++)
		if (names[i].number && (left & names[i].number) == names[i].number) {
			strbuf_addf(out, "%s%s", bar, names[i].name);
			left &= ~names[i].number;
			bar = "|";
		}
	if (left)
		strbuf_addf(out, "%s0x%" PRIx64, bar, left);
	else if (!value)
		strbuf_addstr(out, "0");
}

static void namespaces_text(struct strbuf *out, int64_t value)
{
	static const struct number_name names[] = {
		{ CLONE_NEWNS, "CLONE_NEWNS" }, { CLONE_NEWCGROUP, "CLONE_NEWCGROUP" },
			{ CLONE_NEWUTS, "CLONE_NEWUTS" },
		{ CLONE_NEWIPC, "CLONE_NEWIPC" }, { CLONE_NEWUSER, "CLONE_NEWUSER" },
			{ CLONE_NEWPID, "CLONE_NEWPID" },
		{ CLONE_NEWNET, "CLONE_NEWNET" }, { 0x80, "CLONE_NEWTIME" },
	};

	if (value)
		bits_text(out, names, ARRAY_SIZE(names), value);
	else
		strbuf_addstr(out, "no namespaces");
}

static void protection_text(struct strbuf *out, int64_t value)
{
	static const struct number_name names[] = { { 1, "PROT_READ" }, { 2, "PROT_WRITE" },
		{ 4, "PROT_EXEC" } };

	bits_text(out, names, ARRAY_SIZE(names), value);
}

static void prctl_text(struct strbuf *out, int64_t value)
{
	static const struct number_name names[] = {
		{ 1, "PR_SET_PDEATHSIG" }, { 2, "PR_GET_PDEATHSIG" }, { 3, "PR_GET_DUMPABLE" },
			{ 4, "PR_SET_DUMPABLE" }, { 7, "PR_GET_KEEPCAPS" },
		{ 8, "PR_SET_KEEPCAPS" }, { 15, "PR_SET_NAME" }, { 16, "PR_GET_NAME" },
			{ 21, "PR_GET_SECCOMP" }, { 22, "PR_SET_SECCOMP" },
		{ 23, "PR_CAPBSET_READ" }, { 24, "PR_CAPBSET_DROP" }, { 25, "PR_GET_TSC" },
			{ 26, "PR_SET_TSC" }, { 27, "PR_GET_SECUREBITS" },
		{ 28, "PR_SET_SECUREBITS" }, { 29, "PR_SET_TIMERSLACK" }, { 35, "PR_SET_MM" },
			{ 36, "PR_SET_CHILD_SUBREAPER" },
		{ 37, "PR_GET_CHILD_SUBREAPER" }, { 38, "PR_SET_NO_NEW_PRIVS" },
			{ 39, "PR_GET_NO_NEW_PRIVS" }, { 41, "PR_SET_THP_DISABLE" },
		{ 47, "PR_CAP_AMBIENT" }, { 52, "PR_GET_SPECULATION_CTRL" },
			{ 53, "PR_SET_SPECULATION_CTRL" }, { 0x53564d41, "PR_SET_VMA" },
		{ 0x59616d61, "PR_SET_PTRACER" },
	};

	number_text(out, names, ARRAY_SIZE(names), value);
}

static void seccomp_text(struct strbuf *out, int64_t value)
{
	static const struct number_name names[] = {
		{ 0, "SECCOMP_SET_MODE_STRICT" }, { 1, "SECCOMP_SET_MODE_FILTER" },
			{ 2, "SECCOMP_GET_ACTION_AVAIL" },
		{ 3, "SECCOMP_GET_NOTIF_SIZES" },
	};

	number_text(out, names, ARRAY_SIZE(names), value);
}

static void keyctl_text(struct strbuf *out, int64_t value)
{
	static const struct number_name names[] = {
		{ 0, "KEYCTL_GET_KEYRING_ID" }, { 1, "KEYCTL_JOIN_SESSION_KEYRING" },
			{ 2, "KEYCTL_UPDATE" }, { 3, "KEYCTL_REVOKE" },
		{ 5, "KEYCTL_SETPERM" }, { 6, "KEYCTL_DESCRIBE" }, { 8, "KEYCTL_LINK" },
			{ 10, "KEYCTL_SEARCH" }, { 11, "KEYCTL_READ" },
	};

	number_text(out, names, ARRAY_SIZE(names), value);
}

static void ioctl_text(struct strbuf *out, int64_t value)
{
	static const struct number_name names[] = {
		{ 0x5401, "TCGETS" }, { 0x5402, "TCSETS" }, { 0x540e, "TIOCSCTTY" },
			{ 0x540f, "TIOCGPGRP" }, { 0x5410, "TIOCSPGRP" },
		{ 0x5412, "TIOCSTI" }, { 0x5413, "TIOCGWINSZ" }, { 0x5414, "TIOCSWINSZ" },
			{ 0x541b, "FIONREAD" }, { 0x5421, "FIONBIO" },
		{ 0x5422, "TIOCNOTTY" }, { 0x5450, "FIONCLEX" }, { 0x5451, "FIOCLEX" },
			{ 0x40049409, "FICLONE" }, { 0x8912, "SIOCGIFCONF" },
		{ 0x8913, "SIOCGIFFLAGS" }, { 0x8914, "SIOCSIFFLAGS" }, { 0x8915, "SIOCGIFADDR" },
			{ 0x8927, "SIOCGIFHWADDR" },
	};

	number_text(out, names, ARRAY_SIZE(names), value);
}

static const struct {
	const char *call;
	void (*text)(struct strbuf *out, int64_t value);
} arguments[] = {
	{ "clone", namespaces_text }, { "clone3", namespaces_text }, { "unshare", namespaces_text },
		{ "setns", namespaces_text },
	{ "mmap", protection_text }, { "mprotect", protection_text }, { "prctl", prctl_text },
		{ "seccomp", seccomp_text },
	{ "keyctl", keyctl_text }, { "ioctl", ioctl_text },
};

void argument_text(struct strbuf *out, const char *call, int64_t value)
{
	for (size_t i = 0; i < ARRAY_SIZE(arguments); i++)
		if (str_eq(arguments[i].call, call)) {
			arguments[i].text(out, value);
			return;
		}
	number_text(out, NULL, 0, value);
}

/* ---- functions ---- */

const char *function_subsystem(const char *name)
{
	static const struct { const char *prefix, *subsystem; } names[] = {
		{ "tcp_", "network: TCP" }, { "__tcp_", "network: TCP" }, { "udp", "network: UDP" },
			{ "ip6_", "network: IPv6" },
		{ "ipv6_", "network: IPv6" }, { "ip_", "network: IP" }, { "__ip_", "network: IP" },
			{ "inet", "network: IP" },
		{ "icmp", "network: IP" }, { "arp_", "network: IP" }, { "neigh_", "network: IP" },
			{ "nf_", "network: filter" },
		{ "ipt_", "network: filter" }, { "nft_", "network: filter" },
			{ "unix_", "network: local sockets" },
		{ "netlink_", "network: netlink" }, { "rtnl", "network: netlink" },
			{ "sock_", "network: sockets" },
		{ "__sock_", "network: sockets" }, { "__sys_", "system calls" },
			{ "skb_", "network: packets" }, { "__skb_", "network: packets" },
		{ "dev_", "network: devices" }, { "netif_", "network: devices" },
			{ "napi_", "network: devices" },
		{ "vfs_", "files: VFS" }, { "path_", "files: VFS" }, { "link_path_", "files: VFS" },
			{ "d_", "files: VFS" }, { "lookup_", "files: VFS" },
		{ "do_filp_", "files: VFS" }, { "dentry_", "files: VFS" },
			{ "inode_", "files: VFS" }, { "generic_file_", "files: VFS" },
		{ "ext4_", "files: ext4" }, { "jbd2_", "files: ext4" }, { "xfs_", "files: XFS" },
			{ "btrfs_", "files: Btrfs" }, { "ovl_", "files: overlay" },
		{ "proc_", "files: proc" }, { "kernfs_", "files: sysfs and cgroups" },
			{ "sysfs_", "files: sysfs and cgroups" },
		{ "shmem_", "files: tmpfs" }, { "fuse_", "files: FUSE" }, { "nfs", "files: NFS" },
			{ "seq_", "files: proc" }, { "pipe_", "files: pipes" },
		{ "ep_", "files: epoll" }, { "io_", "io_uring" }, { "__io_", "io_uring" },
			{ "mnt_", "mounts" }, { "attach_recursive_mnt", "mounts" },
		{ "filemap_", "memory: page cache" }, { "folio_", "memory: page cache" },
			{ "page_cache_", "memory: page cache" },
		{ "mmap_", "memory" }, { "vm_", "memory" }, { "vma_", "memory" },
			{ "__vma_", "memory" }, { "mm_", "memory" }, { "handle_mm_", "memory" },
		{ "alloc_pages", "memory: allocator" }, { "__alloc_", "memory: allocator" },
			{ "kmem_", "memory: allocator" }, { "kmalloc", "memory: allocator" },
		{ "__kmalloc", "memory: allocator" }, { "kfree", "memory: allocator" },
			{ "slab_", "memory: allocator" }, { "swap_", "memory: swap" },
		{ "sched_", "scheduler" }, { "__sched", "scheduler" }, { "schedule", "scheduler" },
			{ "wake_up", "scheduler" }, { "try_to_wake", "scheduler" },
		{ "futex_", "futex" }, { "do_futex", "futex" }, { "hrtimer_", "timers" },
			{ "timer_", "timers" }, { "ktime_", "timers" },
		{ "signal_", "signals" }, { "do_signal", "signals" }, { "send_signal", "signals" },
			{ "blk_", "block devices" }, { "bio_", "block devices" },
		{ "submit_bio", "block devices" }, { "scsi_", "block devices: SCSI" },
			{ "nvme_", "block devices: NVMe" }, { "virtio_", "virtio" },
		{ "tty_", "terminals" }, { "n_tty_", "terminals" }, { "pty_", "terminals" },
			{ "security_", "security modules" },
		{ "apparmor_", "security modules" }, { "selinux_", "security modules" },
			{ "cap_", "security modules" }, { "bpf_", "BPF" },
		{ "perf_", "performance events" }, { "ftrace_", "tracing" },
			{ "trace_", "tracing" }, { "key_", "keys" }, { "crypto_", "cryptography" },
		{ "cgroup_", "cgroups" }, { "css_", "cgroups" }, { "mem_cgroup_", "cgroups" },
			{ "copy_", "processes" }, { "do_exit", "processes" },
		{ "exec_", "processes" }, { "begin_new_exec", "processes" },
			{ "load_elf", "processes" }, { "__x64_sys_", "system calls" },
		{ "__arm64_sys_", "system calls" }, { "ksys_", "system calls" },
			{ "do_sys_", "system calls" }, { "msg", "System V IPC" },
		{ "shm_", "System V IPC" }, { "sem_", "System V IPC" },
			{ "mq_", "POSIX message queues" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_starts(name, names[i].prefix))
			return names[i].subsystem;
	return "others";
}
