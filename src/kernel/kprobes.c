/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kprobes: does this kernel have them, and in which forms? */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>

#include "base/util.h"
#include "kernel/priv.h"

#define ATTACH_KPROBE_MULTI 42

#define PMU "/sys/bus/event_source/devices/kprobe/"

bool kernel_has_kprobes(struct kernel *k)
{
	(void)k;
	return !access(PMU "type", R_OK);
}

const char *kernel_kprobes_missing(struct kernel *k)
{
	return kernel_symbol_exists(k, "register_kprobe") ? "CONFIG_KPROBE_EVENTS is off" : "CONFIG_KPROBES is off";
}

/* A file that holds a number behind a word. */
static int number_read(const char *path, const char *word, uint32_t *value)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	char *end;
	int err = file_read_at(AT_FDCWD, path, &text, &len);

	if (err)
		return err;
	if (!str_starts(text, word))
		return -EINVAL;
	*value = (uint32_t)strtoul(text + strlen(word), &end, 10);
	return end > text + strlen(word) ? 0 : -EINVAL;
}

int kernel_kprobe_pmu(struct kernel *k, uint32_t *type, uint32_t *return_bit)
{
	int err = number_read(PMU "type", "", type);

	(void)k;
	return err ? err : number_read(PMU "format/retprobe", "config:", return_bit);
}

struct multi_attr {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint32_t multi_flags, count;
	uint64_t symbols, addresses, cookies;
};

static int multi_create(const struct multi_attr *attr)
{
	int link = (int)syscall(SYS_bpf, BPF_LINK_CREATE, attr, sizeof(*attr));

	return link < 0 ? -errno : link;
}

/*
 * The kernel looks at the addresses only when it knows this way to attach: an address of them that cannot be
 * read is then what it complains of.
 */
static bool multi_works(uint32_t attach_type)
{
	const struct bpf_insn insns[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K }, { .code = BPF_JMP | BPF_EXIT } };
	struct bpf_prog_load_opts opts = { .sz = sizeof(opts), .expected_attach_type = attach_type };
	_cleanup_close_ int prog = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "feature", "GPL", insns, ARRAY_SIZE(insns), &opts);
	struct multi_attr attr = { .prog_fd = (uint32_t)prog, .attach_type = attach_type, .count = 1, .addresses = 8 };
	int link;

	if (prog < 0)
		return false;
	link = multi_create(&attr);
	if (link >= 0)
		close(link);
	return link >= 0 || link == -EFAULT;
}

static bool multi_cached(int8_t *known, uint32_t attach_type)
{
	if (!*known)
		*known = multi_works(attach_type) ? 1 : -1;
	return *known > 0;
}

bool kernel_has_kprobe_multi(struct kernel *k)
{
	return !kernel_wishes.no_kprobe_multi && multi_cached(&k->kprobe_multi, ATTACH_KPROBE_MULTI);
}

bool kernel_has_kprobe_session(struct kernel *k)
{
	return !kernel_wishes.no_kprobe_session && multi_cached(&k->kprobe_session, KERNEL_ATTACH_KPROBE_SESSION);
}

int kernel_kprobe_session_link(int prog, const char **names, const unsigned long *addresses,
			       const unsigned long long *cookies, size_t n)
{
	struct multi_attr attr = {
		.prog_fd = (uint32_t)prog, .attach_type = KERNEL_ATTACH_KPROBE_SESSION, .count = (uint32_t)n,
		.symbols = (uintptr_t)names, .addresses = (uintptr_t)addresses, .cookies = (uintptr_t)cookies,
	};

	return multi_create(&attr);
}
