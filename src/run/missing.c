/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a kernel is too old for. When it refuses a program, the helpers that the program calls are tried
 * one by one: a missing one is named, with what needs it and the version that brought it, instead of the
 * verifier's view of the matter.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sys/utsname.h>

#include "base/util.h"
#include "code/ir.h"
#include "run/internal.h"

struct helper_age {
	int helper;
	const char *since;
	const char *user; /* what of the language needs it */
};

static const struct helper_age helper_ages[] = {
	{ BPF_FUNC_get_stack, "4.18", "stacks" },
	{ BPF_FUNC_get_current_cgroup_id, "4.18", "cgroup" },
	{ BPF_FUNC_send_signal, "5.3", "signal()" },
	{ BPF_FUNC_probe_read_user, "5.5", "reading a process's memory" },
	{ BPF_FUNC_probe_read_kernel, "5.5", "reading the kernel's memory" },
	{ BPF_FUNC_probe_read_user_str, "5.5", "strings of a process" },
	{ BPF_FUNC_probe_read_kernel_str, "5.5", "strings of the kernel" },
	{ BPF_FUNC_jiffies64, "5.5", "jiffies" },
	{ BPF_FUNC_send_signal_thread, "5.6", "signal_thread()" },
	{ BPF_FUNC_get_ns_current_pid_tgid, "5.7", "pid and tid in a namespace" },
	{ BPF_FUNC_ktime_get_boot_ns, "5.8", "nsecs" },
	{ BPF_FUNC_ringbuf_output, "5.8", "output" },
	{ BPF_FUNC_ringbuf_reserve, "5.8", "output" },
	{ BPF_FUNC_ringbuf_submit, "5.8", "output" },
	{ BPF_FUNC_ringbuf_query, "5.8", "output" },
	{ BPF_FUNC_for_each_map_elem, "5.13", "a loop over a map" },
	{ BPF_FUNC_get_func_ip, "5.15", "func" },
	{ BPF_FUNC_loop, "5.17", "a loop" },
	{ BPF_FUNC_strncmp, "5.17", "comparing strings" },
	{ BPF_FUNC_map_lookup_percpu_elem, "5.19", "reading the value of an aggregation" },
	{ BPF_FUNC_ktime_get_tai_ns, "6.1", "nsecs(tai)" },
};

/* libbpf cannot try helpers in programs that need a target; a raw tracepoint's are nearly the same. */
static bool helper_missing(const struct bpf_program *prog, int helper)
{
	enum bpf_prog_type type = bpf_program__type(prog);

	if (type == BPF_PROG_TYPE_TRACING)
		type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	return libbpf_probe_bpf_helper(type, (enum bpf_func_id)helper, NULL) == 0;
}

static bool is_helper_call(const struct bpf_insn *i)
{
	return i->code == (BPF_JMP | BPF_CALL) && !i->src_reg;
}

/* The first helper that a program calls and the kernel lacks, or 0. Instructions are few and a failure is
 * rare, so that a helper may be tried more than once. */
static int missing_in(const struct bpf_program *prog)
{
	const struct bpf_insn *insns = bpf_program__insns(prog);
	size_t n = insns ? bpf_program__insn_cnt(prog) : 0;
	int last = 0;

	for (size_t i = 0; i < n; i++) {
		if (!is_helper_call(&insns[i]) || insns[i].imm == last)
			continue;
		last = insns[i].imm;
		if (helper_missing(prog, last))
			return last;
	}
	return 0;
}

static const struct helper_age *helper_age(int helper)
{
	for (size_t i = 0; i < ARRAY_SIZE(helper_ages); i++)
		if (helper_ages[i].helper == helper)
			return &helper_ages[i];
	return NULL;
}

static int report_missing(const struct session *s, const char *point, int helper, int err)
{
	const struct helper_age *age = helper_age(helper);
	const char *name = helper_name(helper);
	_cleanup_strbuf_ struct strbuf what = STRBUF_INIT, hint = STRBUF_INIT;
	struct utsname u;

	if (uname(&u))
		snprintf(u.release, sizeof(u.release), "this one");
	if (name)
		strbuf_addf(&what, "bpf_%s()", name);
	else
		strbuf_addf(&what, "number %d", helper);
	if (age)
		strbuf_addf(&hint, "%s needs it; it came with Linux %s", age->user, age->since);
	return report_error(s->report, err, age ? hint.s : NULL,
			    "the kernel (%s) does not have the helper %s for %s", u.release, what.s, point);
}

int report_missing_helper(const struct session *s, int err)
{
	struct bpf_program *prog;

	if (!s->object)
		return 0;
	bpf_object__for_each_program(prog, s->object) {
		int helper = missing_in(prog);

		if (helper)
			return report_missing(s, program_point(s, bpf_program__name(prog)), helper, err);
	}
	return 0;
}
