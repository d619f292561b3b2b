/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lookup: single facts from the kernel's types: where a member lies, and which kernel functions BPF may call. */
#include <errno.h>
#include <linux/bpf.h>

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

static uint32_t prog_type_of(const char *name)
{
	static const struct {
		const char *name;
		uint32_t type;
	} types[] = {
		{ "kprobe", BPF_PROG_TYPE_KPROBE }, { "tracepoint", BPF_PROG_TYPE_TRACEPOINT },
		{ "perf_event", BPF_PROG_TYPE_PERF_EVENT }, { "raw_tracepoint", BPF_PROG_TYPE_RAW_TRACEPOINT },
		{ "tracing", BPF_PROG_TYPE_TRACING },
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_eq(types[i].name, name))
			return types[i].type;
	return 0;
}

/*
 * A program that only makes one call: the verifier says that this type of program may not make it before it
 * looks at the arguments. What it says differs from version to version.
 */
static bool call_allowed(uint32_t type, struct bpf_insn call)
{
	static const char *const refusals[] = { "not allowed", "not supported", "cannot call kernel function",
						"unknown func", "invalid func", "cannot use helper" };
	struct bpf_insn insns[] = {
		call,
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	char log[4096] = "";
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_level = 1, .log_buf = log, .log_size = sizeof(log));
	int fd = bpf_prog_load((enum bpf_prog_type)type, "try", "GPL", insns, ARRAY_SIZE(insns), &opts);

	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (strstr(log, refusals[i]))
			return false;
	return fd >= 0 || *log;
}

bool kernel_helper_allowed(const char *prog_type, int helper)
{
	uint32_t type = prog_type_of(prog_type);
	struct bpf_insn call = { .code = BPF_JMP | BPF_CALL, .imm = helper };

	/* Programs of tracing need more to be loaded: what is wrong is said when that happens. */
	return !type || type == BPF_PROG_TYPE_TRACING || call_allowed(type, call);
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

int kernel_kfunc_params(struct kernel *k, const char *name)
{
	int id = kfunc_id(k, name);
	const struct btf_type *t = id > 0 ? btf_file_type(kernel_types(k, "vmlinux"), (uint32_t)id) : NULL;

	t = t ? btf_file_type(kernel_types(k, "vmlinux"), t->type) : NULL;
	return t && btf_is_func_proto(t) ? (int)btf_vlen(t) : -ENOENT;
}

bool kernel_kfunc_allowed(struct kernel *k, const char *name, const char *prog_type)
{
	struct bpf_insn call = { .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL, .imm = kfunc_id(k, name) };
	uint32_t type = prog_type_of(prog_type);

	return call.imm > 0 && type && call_allowed(type, call);
}
