/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kfunc: which functions of the kernel BPF programs may call; answered while compiling. */
#include <errno.h>

#include "code/func/func_priv.h"
#include "kernel/kernel.h"

static int kfunc_exist_check(struct checker *c, struct expr *call)
{
	const char *name;
	int r = check_arg_literal_string(c, call, 0, &name);

	if (!r)
		call_become_bool(call, kernel_kfunc_exists(c->env->probe->kernel, name));
	return r;
}

static int kfunc_allowed_check(struct checker *c, struct expr *call)
{
	const char *name;
	int r = check_arg_literal_string(c, call, 0, &name);

	if (!r)
		call_become_bool(call, kernel_kfunc_allowed(c->env->probe->kernel, name, 
							    point_program_type(c->unit->points.v[0])));
	return r;
}

func_family funcs_kfunc = {
	{ "kfunc_exist", .signature = "bool kfunc_exist(string name)",
	  .summary = "whether the kernel has a function of this name; a constant",
	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE, .type = &type_bool, .check = kfunc_exist_check },
	{ "kfunc_allowed", .signature = "bool kfunc_allowed(string name)",
	  .summary = "whether programs of this probe may call the kernel's function of this name; a constant",
	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE | FUNC_KFUNC, .type = &type_bool,
	  .check = kfunc_allowed_check },
	{ 0 },
};
