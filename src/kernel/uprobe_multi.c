/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Uprobe_multi: one link for many places in one file (Linux 6.6). Spoken to directly: the kernel headers
 * and libbpf that a program is built with may be older than it.
 */
#include <errno.h>
#include <sys/syscall.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>

#include "base/util.h"
#include "kernel/priv.h"

#define MULTI_RETURN 1u /* BPF_F_UPROBE_MULTI_RETURN */

/* The part of union bpf_attr that BPF_LINK_CREATE reads for this type of link. */
struct link_create {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t path, offsets, ref_ctr_offsets, cookies;
	uint32_t count, multi_flags, pid, padding;
};

int kernel_uprobe_multi_link(int prog_fd, const struct uprobe_places *p)
{
	struct link_create attr = {
		.prog_fd = (uint32_t)prog_fd, .attach_type = BPF_ATTACH_UPROBE_MULTI,
		.path = (uintptr_t)p->path, .offsets = (uintptr_t)p->offsets,
		.ref_ctr_offsets = (uintptr_t)p->ref_ctr_offsets, .cookies = (uintptr_t)p->cookies,
		.count = p->n, .multi_flags = p->is_return ? MULTI_RETURN : 0,
		.pid = (uint32_t)MAX(p->pid, 0),
	};
	long fd = syscall(__NR_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : (int)fd;
}

/* What is no regular file is refused in a way of its own by a kernel that has understood the rest. */
static bool multi_works(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K }, { .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = (enum bpf_attach_type)BPF_ATTACH_UPROBE_MULTI);
	_cleanup_close_ int prog = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "feature", "GPL", insns, ARRAY_SIZE(insns), &opts);
	_cleanup_close_ int link = -1;
	const uint64_t offset = 0;

	if (prog < 0)
		return false;
	link = kernel_uprobe_multi_link(prog, &(struct uprobe_places){ .path = "/", .offsets = &offset, .n = 1 });
	return link == -EBADF;
}

bool kernel_has_uprobe_multi(struct kernel *k)
{
	if (kernel_wishes.no_uprobe_multi)
		return false;
	if (!k->uprobe_multi)
		k->uprobe_multi = multi_works() ? 1 : -1;
	return k->uprobe_multi > 0;
}
