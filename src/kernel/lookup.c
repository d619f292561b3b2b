/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lookup: single facts from the kernel's types: where a member lies, and which kernel functions BPF may call. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <sys/syscall.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "base/util.h"
#include "kernel/priv.h"

/* The offset in bits of a member, also of what unnamed members hold; -1: there is none. */
static int64_t member_bits(const struct btf_file *btf, const struct btf_type *t, const char *name)
{
	const struct btf_member *m = btf_members(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const char *n = btf_file_string(btf, m[i].name_off);
		uint32_t at = btf_member_bit_offset(t, i);
		const struct btf_type *inner;
		int64_t bits;

		if (str_eq(n, name))
			return at;
		inner = btf_file_type(btf, m[i].type);
		if ((n && *n) || !inner || !btf_is_composite(inner))
			continue;
		bits = member_bits(btf, inner, name);
		if (bits >= 0)
			return at + bits;
	}
	return -1;
}

int kernel_member_offset(struct kernel *k, const char *struct_name, const char *member, uint32_t *offset)
{
	const struct btf_file *btf = kernel_types(k, "vmlinux");
	uint32_t id = btf ? btf_file_find(btf, struct_name, 1u << BTF_KIND_STRUCT) : 0;
	int64_t bits = id ? member_bits(btf, btf_file_type(btf, id), member) : -1;

	if (bits < 0 || bits % 8)
		return -ENOENT;
	*offset = (uint32_t)(bits / 8);
	return 0;
}

static int kfunc_id(struct kernel *k, const char *name)
{
	const struct btf_file *btf = kernel_types(k, "vmlinux");

	return btf ? (int)btf_file_find(btf, name, 1u << BTF_KIND_FUNC) : 0;
}

bool kernel_kfunc_exists(struct kernel *k, const char *name)
{
	return kfunc_id(k, name) > 0;
}

static const struct {
	const char *name;
	uint32_t type;
} prog_types[] = {
	{ "kprobe", BPF_PROG_TYPE_KPROBE }, { "tracepoint", BPF_PROG_TYPE_TRACEPOINT },
	{ "perf_event", BPF_PROG_TYPE_PERF_EVENT }, { "raw_tracepoint", BPF_PROG_TYPE_RAW_TRACEPOINT },
	{ "tracing", BPF_PROG_TYPE_TRACING },
};

/* The kernel says of a function that is not for this type of program that calling it is not allowed, before
 * it looks at the arguments. */
bool kernel_kfunc_allowed(struct kernel *k, const char *name, const char *prog_type)
{
	int id = kfunc_id(k, name);
	struct bpf_insn insns[] = {
		{ .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL, .imm = id },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	char log[4096] = "";
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_level = 1, .log_buf = log, .log_size = sizeof(log));
	uint32_t type = 0;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(prog_types); i++)
		if (str_eq(prog_types[i].name, prog_type))
			type = prog_types[i].type;
	if (id <= 0 || !type)
		return false;
	fd = bpf_prog_load((enum bpf_prog_type)type, "kfunc", "GPL", insns, ARRAY_SIZE(insns), &opts);
	if (fd >= 0)
		close(fd);
	return fd >= 0 || (*log && !strstr(log, "not allowed") && !strstr(log, "not supported") &&
			   !strstr(log, "cannot call kernel function"));
}
