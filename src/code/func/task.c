/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Task: who runs, and on which processor. */
#include <errno.h>
#include <linux/version.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "code/func/func_priv.h"
#include "kernel/kernel.h"
#include "lang/ktype.h"

/* The inode number of the first PID namespace (PROC_PID_INIT_INO in linux/proc_ns.h). */
#define INIT_PID_NS_INO 0xEFFFFFFCu

/* A PID namespace as bpf_get_ns_current_pid_tgid() wants it. */
struct pid_ns {
	uint64_t dev, ino;
};

/* The one in which the question is compiled, if that is not the first one. */
static bool own_pid_ns(struct pid_ns *ns)
{
	struct stat st;

	if (stat("/proc/self/ns/pid", &st) || st.st_ino == INIT_PID_NS_INO)
		return false;
	/* The kernel's own form of a device number, which is not that of stat(). */
	ns->dev = (uint64_t)major(st.st_dev) << 20 | minor(st.st_dev);
	ns->ino = st.st_ino;
	return true;
}

/*
 * Namespaces nest, so numbers differ: by default ids are those of the namespace in which the question is
 * compiled. In the first one, where both agree, the cheaper helper serves.
 */
static int pid_check(struct checker *c, struct expr *call)
{
	static const char *const words[] = { "curr_ns", "init", NULL };
	struct pid_ns *ns = arena_new_of(c->arena, struct pid_ns);
	int word = call_word(c, call, words);

	if (word < 0)
		return word;
	call->data = word != 1 && own_pid_ns(ns) ? ns : NULL;
	return 0;
}

/* struct bpf_pidns_info: u32 pid (a thread), u32 tgid (a process). Zeros when the task is not in it. */
static vreg pid_in_ns(struct lower *l, const struct pid_ns *ns, int32_t off)
{
	vreg slot = ir_slot_addr(l->f, ir_slot_new(l->f, 8, 8, "pidns"));
	vreg args[] = { ir_const(l->f, (int64_t)ns->dev), ir_const(l->f, (int64_t)ns->ino), slot,
			ir_const(l->f, 8) };

	ir_call(l->f, BPF_FUNC_get_ns_current_pid_tgid, 4, args);
	return ir_load(l->f, slot, off, 4, false);
}

vreg emit_process(struct lower *l)
{
	struct pid_ns ns;

	if (own_pid_ns(&ns))
		return pid_in_ns(l, &ns, 4);
	return ir_bin_imm(l->f, IR_SHR, ir_call_pure(l->f, BPF_FUNC_get_current_pid_tgid, 0, NULL), 32);
}

static int pid_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg v;

	if (call->data)
		v = pid_in_ns(l, call->data, 4);
	else
		v = ir_bin_imm(l->f, IR_SHR, ir_call_pure(l->f, BPF_FUNC_get_current_pid_tgid, 0, NULL), 32);
	*out = val_of_reg(call->type, v);
	return 0;
}

static int tid_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg v;

	if (call->data)
		v = pid_in_ns(l, call->data, 0);
	else
		v = ir_ext(l->f, ir_call_pure(l->f, BPF_FUNC_get_current_pid_tgid, 0, NULL), 4, false);
	*out = val_of_reg(call->type, v);
	return 0;
}

static int uid_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg both = ir_call_pure(l->f, BPF_FUNC_get_current_uid_gid, 0, NULL);

	*out = val_of_reg(call->type, ir_ext(l->f, both, 4, false));
	return 0;
}

static int gid_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg both = ir_call_pure(l->f, BPF_FUNC_get_current_uid_gid, 0, NULL);

	*out = val_of_reg(call->type, ir_bin_imm(l->f, IR_SHR, both, 32));
	return 0;
}

static const struct object_kfunc task_from_pid = { "bpf_task_from_pid", "task_struct", { "int" } };
static const struct object_kfunc task_release = { "bpf_task_release", "void", { "task_struct" } };

/* Where the name lies in a task. */
struct comm_of {
	uint32_t member;
};

/* The name of another thread: the kernel finds the task by its number. */
static int comm_of_check(struct checker *c, struct expr *call)
{
	struct kernel *k = c->env->probe->kernel;
	struct comm_of *of;
	int r = check_arg_int(c, call, 0);

	if (r < 0 || call->data)
		return r;
	if (!kernel_kfunc_exists(k, task_from_pid.name) ||
	    !kernel_kfunc_allowed(k, task_from_pid.name, point_program_type(c->unit->points.v[0])))
		return check_error(c, call->span, "this kernel does not let %s probes look for another task "
				   "(bpf_task_from_pid)", c->unit->kind->name);
	of = arena_new_of(c->arena, struct comm_of);
	if (kernel_member_offset(k, "task_struct", "comm", &of->member))
		return check_error(c, call->span, "comm() needs the kernel's types, which this kernel does not tell");
	call->data = of;
	return 0;
}

static int comm_check(struct checker *c, struct expr *call)
{
	call->type = type_string(c->arena, 16);
	return call->args.n ? comm_of_check(c, call) : 0;
}

/* "" when there is none of that number. */
static int comm_of_emit(struct lower *l, struct expr *call, struct val *out)
{
	uint32_t found = ir_block_new(l->f, "found"), done = ir_block_new(l->f, "done");
	const struct comm_of *of = call->data;
	vreg task, number;
	int r = lower_scalar(l, call_arg(call, 0), &number);

	if (r < 0)
		return r;
	*out = val_slot(l, call->type, "comm");
	lower_zero(l, out->reg, out->off, call->type->size);
	task = lower_kfunc(l, &task_from_pid, 1, &number);
	ir_br_imm(l->f, CC_NE, task, 0, found, done);
	ir_block_use(l->f, found);
	lower_probe_read_str(l, out->reg, out->off, call->type->size,
			     ir_bin_imm(l->f, IR_ADD, lower_object_address(l, task), of->member), SPACE_KERNEL);
	lower_kfunc(l, &task_release, 1, &task);
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return 0;
}

/* Linux up to 6.4 may leave what follows the NUL as it was: it is cleared here. */
static int comm_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg args[2];

	if (call->args.n)
		return comm_of_emit(l, call, out);
	*out = lower_result(l, call->type, "comm");
	if (kernel_version() < KERNEL_VERSION(6, 5, 0))
		lower_zero(l, out->reg, out->off, call->type->size);
	args[0] = val_address(l, out);
	args[1] = ir_const(l->f, call->type->size);
	ir_call(l->f, BPF_FUNC_get_current_comm, 2, args);
	return 0;
}

/* ---- other tasks ---- */

/* Where the members lie that lead from a task to another. */
struct task_path {
	uint32_t to, member;
};

/* A task may be given; else it is the one that runs. */
static int task_check(struct checker *c, struct expr *call, const char *to, const char *member)
{
	struct kernel *k = c->env->probe->kernel;
	struct task_path *path;

	if (call->args.n) {
		if (call_arg_unknown(call, 0))
			return 0;
		if (check_arg_address(c, call, 0) < 0)
			return -EINVAL;
	}
	if (call->data)
		return 0;
	path = arena_new_of(c->arena, struct task_path);
	if (kernel_member_offset(k, "task_struct", to, &path->to) ||
	    kernel_member_offset(k, "task_struct", member, &path->member))
		return check_error(c, call->span, "%s needs the kernel's types, which this kernel does not tell",
				   call->name);
	call->data = path;
	return 0;
}

/* The address of the member of the other task. */
static int task_member(struct lower *l, struct expr *call, vreg *out)
{
	const struct task_path *path = call->data;
	struct val word = val_slot(l, &type_uint64, "task");
	vreg task;
	int r = 0;

	if (call->args.n)
		r = lower_scalar(l, call_arg(call, 0), &task);
	else
		task = ir_call_pure(l->f, BPF_FUNC_get_current_task, 0, NULL);
	if (r < 0)
		return r;
	lower_probe_read(l, word.reg, word.off, 8, ir_bin_imm(l->f, IR_ADD, task, path->to), SPACE_KERNEL);
	*out = ir_bin_imm(l->f, IR_ADD, val_scalar(l, &word), path->member);
	return 0;
}

static int ppid_check(struct checker *c, struct expr *call)
{
	return task_check(c, call, "real_parent", "tgid");
}

static int ppid_emit(struct lower *l, struct expr *call, struct val *out)
{
	struct val word;
	vreg from;
	int r = task_member(l, call, &from);

	if (r < 0)
		return r;
	word = val_slot(l, call->type, "ppid");
	lower_probe_read(l, word.reg, word.off, 4, from, SPACE_KERNEL);
	*out = val_of_reg(call->type, val_scalar(l, &word));
	return 0;
}

static int pcomm_check(struct checker *c, struct expr *call)
{
	call->type = type_string(c->arena, 16);
	return task_check(c, call, "real_parent", "comm");
}

static int leader_comm_check(struct checker *c, struct expr *call)
{
	call->type = type_string(c->arena, 16);
	return task_check(c, call, "group_leader", "comm");
}

static int task_comm_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg from;
	int r = task_member(l, call, &from);

	if (r < 0)
		return r;
	*out = lower_result(l, call->type, "comm");
	lower_probe_read_str(l, out->reg, out->off, call->type->size, from, SPACE_KERNEL);
	return 0;
}

static int curtask_check(struct checker *c, struct expr *call)
{
	/* Its members are looked up only when they are asked for. */
	call->type = type_pointer(c->arena, ktype_opaque(c->arena, "task_struct", false), SPACE_KERNEL);
	return 0;
}

static int curtask_emit(struct lower *l, struct expr *call, struct val *out)
{
	*out = val_of_reg(call->type, ir_call_pure(l->f, BPF_FUNC_get_current_task, 0, NULL));
	return 0;
}

static int cgroup_emit(struct lower *l, struct expr *call, struct val *out)
{
	*out = val_of_reg(call->type, ir_call_pure(l->f, BPF_FUNC_get_current_cgroup_id, 0, NULL));
	return 0;
}

static int ncpus_check(struct checker *c, struct expr *call)
{
	(void)c;
	expr_become_int(call, kernel_ncpus_possible(), false);
	return 0;
}

/* Known before the first probe is attached: the command waits for that. */
static int cpid_check(struct checker *c, struct expr *call)
{
	if (!c->env->child_pid && c->last_pass)
		diag_warn(c->diags, call->span, "cpid is 0: no command was started with -c");
	expr_become_int(call, c->env->child_pid, false);
	return 0;
}

static int has_cpid_check(struct checker *c, struct expr *call)
{
	call_become_bool(call, c->env->child_pid != 0);
	return 0;
}

static int cpu_emit(struct lower *l, struct expr *call, struct val *out)
{
	*out = val_of_reg(call->type, ir_call_pure(l->f, BPF_FUNC_get_smp_processor_id, 0, NULL));
	return 0;
}

static int numaid_emit(struct lower *l, struct expr *call, struct val *out)
{
	*out = val_of_reg(call->type, ir_call_pure(l->f, BPF_FUNC_get_numa_node_id, 0, NULL));
	return 0;
}

static int rand_emit(struct lower *l, struct expr *call, struct val *out)
{
	return emit_helper(l, call, BPF_FUNC_get_prandom_u32, out);
}

func_family funcs_task = {
	{ "pid", .signature = "uint32 pid([curr_ns|init])",
	  .summary = "id of the process that runs, in our PID namespace or in the first one",
	  .max_args = 1, .flags = FUNC_BARE | FUNC_PURE | FUNC_LAZY_ARGS, .type = &type_uint32,
	  .check = pid_check, .emit = pid_emit },
	{ "tid", .signature = "uint32 tid([curr_ns|init])",
	  .summary = "id of the thread that runs, in our PID namespace or in the first one",
	  .max_args = 1, .flags = FUNC_BARE | FUNC_PURE | FUNC_LAZY_ARGS, .type = &type_uint32,
	  .check = pid_check, .emit = tid_emit },
	{ "uid", .signature = "uint64 uid",
	  .summary = "user id of the thread that runs, in the first user namespace",
	  .flags = FUNC_BARE | FUNC_PURE, .type = &type_uint64, .emit = uid_emit },
	{ "gid", .signature = "uint64 gid",
	  .summary = "group id of the thread that runs, in the first user namespace",
	  .flags = FUNC_BARE | FUNC_PURE, .type = &type_uint64, .emit = gid_emit },
	{ "comm", .signature = "string[16] comm([int tid])",
	  .summary = "name of the thread that runs, or of the one with this id in the first PID namespace",
	  .max_args = 1, .flags = FUNC_BARE | FUNC_PURE | FUNC_KFUNC, .check = comm_check, .emit = comm_emit },
	{ "pcomm", .signature = "string[16] pcomm([struct task_struct *task])",
	  .summary = "name of the parent process of a task, without one of the process that runs",
	  .max_args = 1, .flags = FUNC_BARE, .check = pcomm_check, .emit = task_comm_emit },
	{ "leader_comm", .signature = "string[16] leader_comm([struct task_struct *task])",
	  .summary = "name of the process of a task, which is that of its first thread; without one of the process that runs",
	  .max_args = 1, .flags = FUNC_BARE, .check = leader_comm_check, .emit = task_comm_emit },
	{ "ppid", .signature = "uint32 ppid([struct task_struct *task])",
	  .summary = "id of the parent process of a task, without one of the process that runs",
	  .max_args = 1, .flags = FUNC_BARE, .type = &type_uint32, .check = ppid_check, .emit = ppid_emit },
	{ "curtask", .signature = "struct task_struct *curtask",
	  .summary = "address of the task_struct of the thread that runs",
	  .flags = FUNC_BARE | FUNC_PURE, .check = curtask_check, .emit = curtask_emit },
	{ "cgroup", .signature = "uint64 cgroup",
	  .summary = "id of the cgroup (version 2) of the process that runs",
	  .flags = FUNC_BARE | FUNC_PURE, .type = &type_uint64, .emit = cgroup_emit },
	{ "cpu", .signature = "uint32 cpu", .summary = "number of the processor on which the probe fires",
	  .flags = FUNC_BARE | FUNC_PURE, .type = &type_uint32, .emit = cpu_emit },
	{ "cpid", .signature = "uint32 cpid", .summary = "id of the process started with -c; 0 without",
	  .flags = FUNC_BARE | FUNC_PURE, .type = &type_uint32, .check = cpid_check },
	{ "has_cpid", .signature = "bool has_cpid", .summary = "was a process started with -c?",
	  .flags = FUNC_BARE | FUNC_PURE, .type = &type_bool, .check = has_cpid_check },
	{ "ncpus", .signature = "uint64 ncpus", .summary = "how many processors the machine can have; a constant",
	  .flags = FUNC_BARE | FUNC_PURE, .type = &type_uint64, .check = ncpus_check },
	{ "numaid", .signature = "uint32 numaid", .summary = "number of the NUMA node on which the probe fires",
	  .flags = FUNC_BARE | FUNC_PURE, .type = &type_uint32, .emit = numaid_emit },
	{ "rand", .signature = "uint32 rand", .summary = "a pseudo-random number",
	  .flags = FUNC_BARE, .type = &type_uint32, .emit = rand_emit },
	{ 0 },
};
