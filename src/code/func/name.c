/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Name: numbers that become names when they are shown. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>

#include "code/func/func_priv.h"

static int number_check(struct checker *c, struct expr *call)
{
	return check_arg_int(c, call, 0);
}

/* As a number of 32 bits with a sign. */
static int number_emit(struct lower *l, struct expr *call, struct val *out)
{
	struct expr *arg = call_arg(call, 0);
	vreg v;
	int r = lower_scalar(l, arg, &v);

	if (r < 0)
		return r;
	*out = val_of_reg(call->type, lower_convert(l, v, arg->type, &type_int32));
	return 0;
}

static int username_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg both = ir_call_pure(l->f, BPF_FUNC_get_current_uid_gid, 0, NULL);

	*out = val_of_reg(call->type, ir_ext(l->f, both, 4, false));
	return 0;
}

static int cgroup_path_check(struct checker *c, struct expr *call)
{
	const char *filter = NULL;
	int r;

	if (call_arg_unknown(call, 0))
		return 0;
	r = check_arg_int(c, call, 0);
	if (!r && call->args.n > 1)
		r = check_arg_literal_string(c, call, 1, &filter);
	if (!r && (!call->type || call->type->kind == TY_NONE))
		call->type = type_with_text(c->arena, TY_CGROUP_PATH, filter, 0);
	return r;
}

static int cgroup_path_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg v;
	int r = lower_scalar(l, call_arg(call, 0), &v);

	if (r < 0)
		return r;
	lower_keep_capability(l, CAP_DAC_READ_SEARCH);
	*out = val_of_reg(call->type, v);
	return 0;
}

/* The id of a cgroup is the inode number of its directory. */
static int cgroupid_check(struct checker *c, struct expr *call)
{
	const char *path;
	struct stat st;
	int r = check_arg_literal_string(c, call, 0, &path);

	if (r < 0)
		return r;
	if (stat(path, &st)) {
		check_error(c, call_arg(call, 0)->span, "there is no cgroup '%s': %s", path, strerror(errno));
		diag_hint(c->diags, "give the whole path of its directory, below /sys/fs/cgroup");
		return -EINVAL;
	}
	expr_become_int(call, (int64_t)st.st_ino, false);
	return 0;
}

func_family funcs_name = {
	{ "strerror", .signature = "strerror_t strerror(int error)", .summary = "what an errno means",
	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE, .type = &type_strerror,
	  .check = number_check, .emit = number_emit },
	{ "syscall_name", .signature = "syscall_name_t syscall_name(int number)", .summary = "name of a system call",
	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE, .type = &type_syscall_name,
	  .check = number_check, .emit = number_emit },
	{ "signal_name", .signature = "signal_name_t signal_name(int number)", .summary = "what a signal means",
	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE, .type = &type_signal_name,
	  .check = number_check, .emit = number_emit },
	{ "signal_abbrev", .signature = "signal_name_t signal_abbrev(int number)", .summary = "name of a signal: SIGTERM",
	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE, .type = &type_signal_abbrev,
	  .check = number_check, .emit = number_emit },
	{ "username", .signature = "username_t username", .summary = "name of the user whose thread runs",
	  .flags = FUNC_BARE | FUNC_PURE, .type = &type_username, .emit = username_emit },
	{ "cgroup_path", .signature = "cgroup_path_t cgroup_path(int id[, string filter])",
	  .summary = "path of a cgroup in each hierarchy (that matches the filter) which has one of this id",
	  .min_args = 1, .max_args = 2, .flags = FUNC_PURE, .check = cgroup_path_check, .emit = cgroup_path_emit },
	{ "cgroupid", .signature = "uint64 cgroupid(string path)", .summary = "id of the cgroup at a path; a constant",
	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE, .type = &type_uint64, .check = cgroupid_check },
	{ 0 },
};
