/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fentry_module: functions of modules that have the name of one in the kernel itself. The loader looks for a name in
 * the kernel first, so that these are told to it by their number in the module's types: the section has that, and
 * a handler of ours for such sections puts it into what is loaded.
 */
#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "probe/fentry.h"

#define SECTION_MARK ".module"

/* Before the program is loaded; its flags are the descriptor of the module's types, see fentry_module_prepare(). */
static int target_put(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	const char *mark = strstr(bpf_program__section_name(prog), SECTION_MARK), *id = mark ? strrchr(mark, ':') : NULL;

	(void)cookie;
	if (!id)
		return -EINVAL;
	opts->attach_btf_id = (uint32_t)strtoul(id + 1, NULL, 10);
	opts->attach_btf_obj_fd = opts->prog_flags;
	opts->prog_flags = 0;
	return 0;
}

const char *fentry_module_section(struct probe_env *env, const struct probe_kind *kind, const char *module,
				  const char *function, uint32_t id)
{
	static bool handled;
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = target_put);

	if (!handled) {
		libbpf_register_prog_handler("fentry" SECTION_MARK "+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, &opts);
		libbpf_register_prog_handler("fexit" SECTION_MARK "+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, &opts);
		handled = true;
	}
	return arena_printf(env->arena, "%s" SECTION_MARK "/%s:%s:%u", kind->name, module, function, id);
}

bool fentry_module_meant(const struct attach_point *ap)
{
	return strstr(ap->section, SECTION_MARK) != NULL;
}

/* The types that a module has in the kernel: a descriptor, or a negative errno. */
static int types_open(const char *module)
{
	uint32_t id = 0;

	while (!bpf_btf_get_next_id(id, &id)) {
		char name[64] = "";
		struct bpf_btf_info info = { .name = (uintptr_t)name, .name_len = sizeof(name) };
		uint32_t len = sizeof(info);
		int fd = bpf_btf_get_fd_by_id(id);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) && info.kernel_btf && !strcmp(name, module))
			return fd;
		close_fd(&fd);
	}
	return -errno;
}

int fentry_module_prepare(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap,
			  link_vec *links)
{
	struct probe_link open = { .fd = types_open(ap->target) };

	if (open.fd < 0)
		return report_error(env->report, open.fd, NULL, "cannot read the types of the module %s: %s", ap->target,
				    strerror(-open.fd));
	vec_push(env->arena, links, open);
	return bpf_program__set_flags(prog, (uint32_t)open.fd);
}
