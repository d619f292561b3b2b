/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capabilities: what tracing needs, said by name; and giving up the rest. The system calls are made
 * directly: libcap would be a library for two calls. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/capability.h>

#include "base/util.h"
#include "kernel/priv.h"

/* The inode number of the first user namespace is fixed (PROC_USER_INIT_INO). */
#define INITIAL_USER_NAMESPACE 0xEFFFFFFDu

struct capability_sets {
	struct __user_cap_data_struct word[_LINUX_CAPABILITY_U32S_3];
};

static int capabilities_get(struct capability_sets *sets)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &h, sets->word) ? -errno : 0;
}

bool capability_held(unsigned cap)
{
	struct capability_sets sets;

	return !capabilities_get(&sets) && sets.word[cap / 32].effective >> (cap % 32) & 1;
}

bool capability_in_user_namespace(void)
{
	struct stat st;

	return !stat("/proc/self/ns/user", &st) && st.st_ino != INITIAL_USER_NAMESPACE;
}

int kernel_check_capabilities(struct kernel *k)
{
	bool admin = capability_held(CAP_SYS_ADMIN);
	bool bpf = admin || capability_held(CAP_BPF);
	bool perfmon = admin || capability_held(CAP_PERFMON);

	if (bpf && perfmon && !capability_in_user_namespace())
		return 0;
	if (bpf && perfmon)
		return report_error(k->report, -EPERM, "run it outside of the container's user namespace",
				    "tracing needs CAP_BPF and CAP_PERFMON over the whole machine; in a user "
				    "namespace they do not reach that far");
	return report_error(k->report, -EPERM,
			    "run it as root, or give the program what it needs: "
			    "setcap cap_bpf,cap_perfmon,cap_dac_read_search,cap_sys_admin+ep FILE",
			    "tracing needs CAP_BPF and CAP_PERFMON; missing: %s",
			    bpf ? "CAP_PERFMON" : perfmon ? "CAP_BPF" : "CAP_BPF and CAP_PERFMON");
}

int kernel_drop_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct capability_sets sets;
	int err = capabilities_get(&sets);

	if (err)
		return err;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t mask = (uint32_t)(keep >> (32 * i));

		sets.word[i].effective &= mask;
		sets.word[i].permitted &= mask;
		sets.word[i].inheritable &= mask;
	}
	return syscall(SYS_capset, &h, sets.word) ? -errno : 0;
}
