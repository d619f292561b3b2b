/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Features of the running kernel, each found by trying it (a map is made, a program loaded, both thrown
 * away), because a version number says little about a kernel that a distribution has patched.
 */
#include <errno.h>
#include <sys/syscall.h>

#include <linux/bpf.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "kernel/priv.h"

/* r0 = 0 */
static struct bpf_insn insn_zero(void)
{
	return (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K };
}

static struct bpf_insn insn_exit(void)
{
	return (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
}

static bool program_loads(enum bpf_prog_type type, const struct bpf_insn *insns, size_t n,
			  const struct bpf_prog_load_opts *opts)
{
	int fd = bpf_prog_load(type, "feature", "GPL", insns, n, opts);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* ---- helpers ---- */

#define HELPER(fn, prog, helper) \
	static bool fn(struct kernel *k) \
	{ \
		(void)k; \
		return libbpf_probe_bpf_helper(prog, helper, NULL) == 1; \
	}

#define TRACING_HELPER(name) HELPER(helper_##name, BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_##name)

TRACING_HELPER(probe_read)
TRACING_HELPER(probe_read_str)
TRACING_HELPER(probe_read_user)
TRACING_HELPER(probe_read_user_str)
TRACING_HELPER(probe_read_kernel)
TRACING_HELPER(probe_read_kernel_str)
TRACING_HELPER(get_current_cgroup_id)
TRACING_HELPER(send_signal)
HELPER(helper_override_return, BPF_PROG_TYPE_KPROBE, BPF_FUNC_override_return)
TRACING_HELPER(ktime_get_boot_ns)
TRACING_HELPER(ktime_get_tai_ns)
HELPER(helper_get_func_ip, BPF_PROG_TYPE_KPROBE, BPF_FUNC_get_func_ip)
HELPER(helper_get_attach_cookie, BPF_PROG_TYPE_KPROBE, BPF_FUNC_get_attach_cookie)
TRACING_HELPER(jiffies64)
TRACING_HELPER(for_each_map_elem)
TRACING_HELPER(get_ns_current_pid_tgid)
TRACING_HELPER(map_lookup_percpu_elem)
TRACING_HELPER(get_current_task_btf)
TRACING_HELPER(task_pt_regs)
TRACING_HELPER(ringbuf_reserve)
TRACING_HELPER(loop)

bool kernel_unwinds(void)
{
	return helper_loop(NULL) && helper_task_pt_regs(NULL);
}

static bool feature_unwind(struct kernel *k)
{
	(void)k;
#ifdef __x86_64__
	return kernel_unwinds();
#else
	return false;
#endif
}

/* ---- features ---- */

/* More than the 4096 instructions of old: the limit is then a million. */
static bool feature_large_programs(struct kernel *k)
{
	enum { COUNT = BPF_MAXINSNS + 2 };
	struct bpf_insn *insns = malloc(COUNT * sizeof(*insns));
	bool works;

	(void)k;
	if (!insns)
		return false;
	for (size_t i = 0; i < COUNT - 1; i++)
		insns[i] = insn_zero();
	insns[COUNT - 1] = insn_exit();
	works = program_loads(BPF_PROG_TYPE_RAW_TRACEPOINT, insns, COUNT, NULL);
	free(insns);
	return works;
}

static bool feature_bounded_loops(struct kernel *k)
{
	const struct bpf_insn insns[] = {
		insn_zero(),
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_JLT | BPF_K, .dst_reg = BPF_REG_0, .off = -2, .imm = 4 },
		insn_exit(),
	};

	(void)k;
	return program_loads(BPF_PROG_TYPE_RAW_TRACEPOINT, insns, ARRAY_SIZE(insns), NULL);
}

/* There may be no module to look at; the files appeared together with the loader's support. */
static bool feature_module_btf(struct kernel *k)
{
	return kernel_has_btf(k) && kernel_version() >= (5u << 16 | 11u << 8);
}

static bool feature_task_from_pid(struct kernel *k)
{
	return kernel_has_btf(k) && kernel_kfunc_exists(k, "bpf_task_from_pid");
}

static bool feature_map_batch(struct kernel *k)
{
	uint32_t key = 0, next = 0, count = 1;
	uint64_t value = 0;
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "feature", sizeof(key), sizeof(value), 1, NULL);
	bool works;

	(void)k;
	if (fd < 0)
		return false;
	works = !bpf_map_update_batch(fd, &key, &value, &count, NULL);
	count = 1;
	works = works && (!bpf_map_lookup_batch(fd, NULL, &next, &key, &value, &count, NULL) || errno == ENOENT);
	close(fd);
	return works;
}

/* A link on a perf event, rather than an ioctl: the kernel detaches when the last descriptor closes. */
static bool feature_perf_links(struct kernel *k)
{
	const struct bpf_insn insns[] = { insn_zero(), insn_exit() };
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = 1000000000,
	};
	_cleanup_close_ int event = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	_cleanup_close_ int prog = bpf_prog_load(BPF_PROG_TYPE_PERF_EVENT, "feature", "GPL", insns,
						 ARRAY_SIZE(insns), NULL);
	_cleanup_close_ int link = -1;

	(void)k;
	if (event < 0 || prog < 0)
		return false;
	link = bpf_link_create(prog, event, BPF_PERF_EVENT, NULL);
	return link >= 0;
}

static bool pmu_exists(const char *path)
{
	return !access(path, R_OK);
}

static bool feature_uprobe_refcount(struct kernel *k)
{
	(void)k;
	return pmu_exists("/sys/bus/event_source/devices/uprobe/format/ref_ctr_offset");
}

static bool feature_tracefs(struct kernel *k)
{
	return kernel_tracefs(k) >= 0;
}

/* ---- maps ---- */

#define MAP(fn, type) \
	static bool fn(struct kernel *k) \
	{ \
		(void)k; \
		return libbpf_probe_bpf_map_type(type, NULL) == 1; \
	}

MAP(map_hash, BPF_MAP_TYPE_HASH)
MAP(map_percpu_hash, BPF_MAP_TYPE_PERCPU_HASH)
MAP(map_array, BPF_MAP_TYPE_ARRAY)
MAP(map_percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY)
MAP(map_lru_hash, BPF_MAP_TYPE_LRU_HASH)
MAP(map_stack_trace, BPF_MAP_TYPE_STACK_TRACE)
MAP(map_perf_event_array, BPF_MAP_TYPE_PERF_EVENT_ARRAY)
MAP(map_ringbuf, BPF_MAP_TYPE_RINGBUF)
MAP(map_task_storage, BPF_MAP_TYPE_TASK_STORAGE)

/* ---- programs ---- */

static bool prog_type(enum bpf_prog_type type)
{
	return libbpf_probe_bpf_prog_type(type, NULL) == 1;
}

/* The program type alone loads on every kernel; whether anything calls it is the event source's matter. */
static bool probe_kprobe(struct kernel *k)
{
	return prog_type(BPF_PROG_TYPE_KPROBE) && kernel_has_kprobes(k);
}

static bool probe_uprobe(struct kernel *k)
{
	(void)k;
	return prog_type(BPF_PROG_TYPE_KPROBE) && pmu_exists("/sys/bus/event_source/devices/uprobe/type");
}

static bool probe_tracepoint(struct kernel *k)
{
	(void)k;
	return prog_type(BPF_PROG_TYPE_TRACEPOINT);
}

static bool probe_raw_tracepoint(struct kernel *k)
{
	(void)k;
	return prog_type(BPF_PROG_TYPE_RAW_TRACEPOINT);
}

static bool probe_perf_event(struct kernel *k)
{
	(void)k;
	return prog_type(BPF_PROG_TYPE_PERF_EVENT);
}

/* Load a tracing program on the function or type of this id, and when `attach`, let the kernel hook it in. */
static bool tracing_id_works(int id, enum bpf_attach_type type, bool attach)
{
	const struct bpf_insn insns[] = { insn_zero(), insn_exit() };
	struct bpf_prog_load_opts opts = { .sz = sizeof(opts), .expected_attach_type = type };
	_cleanup_close_ int prog = -1, link = -1;

	if (id <= 0)
		return false;
	opts.attach_btf_id = (uint32_t)id;
	prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "feature", "GPL", insns, ARRAY_SIZE(insns), &opts);
	if (prog < 0 || !attach)
		return prog >= 0;
	link = bpf_raw_tracepoint_open(NULL, prog);
	return link >= 0;
}

static bool tracing_works(const char *target, enum bpf_attach_type type, bool attach)
{
	return tracing_id_works(libbpf_find_vmlinux_btf_id(target, type), type, attach);
}

#define TRACING(fn, target, type, attach) \
	static bool fn(struct kernel *k) \
	{ \
		return kernel_has_btf(k) && tracing_works(target, type, attach); \
	}

/* Some kernels load fentry programs and refuse to attach them. A function that is never called is used. */
#define QUIET_FUNCTION "bpf_fentry_test1"
TRACING(probe_fentry, QUIET_FUNCTION, BPF_TRACE_FENTRY, true)
TRACING(probe_fexit, QUIET_FUNCTION, BPF_TRACE_FEXIT, true)

TRACING(probe_tp_btf, "sched_switch", BPF_TRACE_RAW_TP, false)
TRACING(probe_iter_task, "task", BPF_TRACE_ITER, false)
TRACING(probe_iter_task_file, "task_file", BPF_TRACE_ITER, false)
TRACING(probe_iter_task_vma, "task_vma", BPF_TRACE_ITER, false)

/* Our own reader of BTF finds one function in a fraction of the time that libbpf needs to read all types. */
bool kernel_has_fentry(struct kernel *k)
{
	static int known = -1;
	const struct btf_file *types;

	if (known < 0) {
		types = kernel_has_btf(k) ? kernel_types(k, "vmlinux") : NULL;
		known = types && tracing_id_works((int)btf_file_find(types, QUIET_FUNCTION, 1U << BTF_KIND_FUNC),
						  BPF_TRACE_FENTRY, true);
	}
	return known;
}

/* bpf_d_path() and bpf_skb_output() are as old as what we run on; the kernel has them for these programs. */
static bool helper_d_path(struct kernel *k)
{
	return kernel_has_fentry(k);
}

static bool helper_skb_output(struct kernel *k)
{
	return probe_tp_btf(k);
}

static bool event_opens(const struct perf_event_attr *attr)
{
	_cleanup_close_ int fd = (int)syscall(SYS_perf_event_open, attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	return fd >= 0;
}

/* Virtual machines often have no counters. */
static bool probe_hardware(struct kernel *k)
{
	const struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE, .size = sizeof(attr), .config = PERF_COUNT_HW_CPU_CYCLES,
		.sample_period = 1000000000, .disabled = 1,
	};

	(void)k;
	return event_opens(&attr);
}

static bool probe_watchpoint(struct kernel *k)
{
	uint64_t word = 0;
	const struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(attr), .bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)&word, .bp_len = HW_BREAKPOINT_LEN_8, .sample_period = 1, .disabled = 1,
	};

	(void)k;
	return event_opens(&attr);
}

/* Every iterator is a function of this name; the simplest stands for the others. */
static bool probe_iter(struct kernel *k)
{
	return probe_iter_task(k);
}

const struct kernel_feature kernel_features[] = {
	{ "Kernel helpers", "probe_read", helper_probe_read },
	{ "Kernel helpers", "probe_read_str", helper_probe_read_str },
	{ "Kernel helpers", "probe_read_user", helper_probe_read_user },
	{ "Kernel helpers", "probe_read_user_str", helper_probe_read_user_str },
	{ "Kernel helpers", "probe_read_kernel", helper_probe_read_kernel },
	{ "Kernel helpers", "probe_read_kernel_str", helper_probe_read_kernel_str },
	{ "Kernel helpers", "get_current_cgroup_id", helper_get_current_cgroup_id },
	{ "Kernel helpers", "send_signal", helper_send_signal },
	{ "Kernel helpers", "override_return", helper_override_return },
	{ "Kernel helpers", "get_boot_ns", helper_ktime_get_boot_ns },
	{ "Kernel helpers", "get_tai_ns", helper_ktime_get_tai_ns },
	{ "Kernel helpers", "get_func_ip", helper_get_func_ip },
	{ "Kernel helpers", "get_attach_cookie", helper_get_attach_cookie },
	{ "Kernel helpers", "jiffies64", helper_jiffies64 },
	{ "Kernel helpers", "for_each_map_elem", helper_for_each_map_elem },
	{ "Kernel helpers", "get_ns_current_pid_tgid", helper_get_ns_current_pid_tgid },
	{ "Kernel helpers", "map_lookup_percpu_elem", helper_map_lookup_percpu_elem },
	{ "Kernel helpers", "get_current_task_btf", helper_get_current_task_btf },
	{ "Kernel helpers", "task_pt_regs", helper_task_pt_regs },
	{ "Kernel helpers", "ringbuf_reserve", helper_ringbuf_reserve },
	{ "Kernel helpers", "loop", helper_loop },
	{ "Kernel helpers", "dpath", helper_d_path },
	{ "Kernel helpers", "skboutput", helper_skb_output },
	{ "Kernel features", "large programs", feature_large_programs },
	{ "Kernel features", "bounded loops", feature_bounded_loops },
	{ "Kernel features", "btf", kernel_has_btf },
	{ "Kernel features", "module btf", feature_module_btf },
	{ "Kernel features", "bpf_task_from_pid", feature_task_from_pid },
	{ "Kernel features", "map batch", feature_map_batch },
	{ "Kernel features", "perf event links", feature_perf_links },
	{ "Kernel features", "uprobe refcount", feature_uprobe_refcount },
	{ "Kernel features", "user stacks by unwind tables", feature_unwind },
	{ "Kernel features", "tracefs", feature_tracefs },
	{ "Map types", "hash", map_hash },
	{ "Map types", "percpu hash", map_percpu_hash },
	{ "Map types", "lru hash", map_lru_hash },
	{ "Map types", "array", map_array },
	{ "Map types", "percpu array", map_percpu_array },
	{ "Map types", "stack_trace", map_stack_trace },
	{ "Map types", "perf_event_array", map_perf_event_array },
	{ "Map types", "ringbuf", map_ringbuf },
	{ "Map types", "task storage", map_task_storage },
	{ "Probe types", "kprobe", probe_kprobe },
	{ "Probe types", "kprobe_multi", kernel_has_kprobe_multi },
	{ "Probe types", "kprobe_session", kernel_has_kprobe_session },
	{ "Probe types", "uprobe", probe_uprobe },
	{ "Probe types", "uprobe_multi", kernel_has_uprobe_multi },
	{ "Probe types", "tracepoint", probe_tracepoint },
	{ "Probe types", "rawtracepoint", probe_raw_tracepoint },
	{ "Probe types", "perf_event", probe_perf_event },
	{ "Probe types", "hardware", probe_hardware },
	{ "Probe types", "watchpoint", probe_watchpoint },
	{ "Probe types", "fentry", probe_fentry },
	{ "Probe types", "fexit", probe_fexit },
	{ "Probe types", "tp_btf", probe_tp_btf },
	{ "Probe types", "iter", probe_iter },
	{ "Probe types", "iter:task", probe_iter_task },
	{ "Probe types", "iter:task_file", probe_iter_task_file },
	{ "Probe types", "iter:task_vma", probe_iter_task_vma },
	{ NULL, NULL, NULL },
};
