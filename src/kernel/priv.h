/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this room share: the cache of what the kernel has told, and lists of names. */
#ifndef SONDE_KERNEL_PRIV_H
#define SONDE_KERNEL_PRIV_H

#include <bpf/btf.h>

#include "base/strbuf.h"
#include "kernel/kernel.h"

/* Sorted names in one block of text. Zeroed: empty. */
struct name_list {
	char *text;
	const char **names;
	size_t n;
};

/* Take the NUL-separated names in `text` (emptied) as the list, sorted, each once. 0 or -ENOMEM. */
int name_list_take(struct name_list *list, struct strbuf *text);
void name_list_free(struct name_list *list);

struct tp_system {
	char *name;
	struct name_list events;
};

struct kernel {
	const struct reporter *report;
	int tracefs; /* descriptor, or a negative errno once it has failed and said so; 0: not tried */
	char *format_text; /* of the format being parsed */
	bool systems_read;
	struct name_list systems;
	struct tp_system *events; /* those asked for so far */
	size_t nevents;
	char *dynamic_events; /* the file's text, or NULL */
	bool dynamic_read, dynamic_unknown;
	bool raw_read;
	struct name_list raw;
	bool btf_tried;
	struct btf *btf;
	struct btf *module_btf; /* the last one asked for */
	char *module;
	struct btf_file **btf_files; /* those asked for; vmlinux is the first */
	size_t nbtf_files;
	bool btf_failed;
	int8_t kprobe_multi, kprobe_session; /* 1: there, -1: not; 0: not tried */
	struct functions *functions; /* functions.c; NULL: not read yet */
	int *cpus;
	size_t ncpus;
	int uprobe_multi; /* 1: there, -1: not, 0: not tried */
};

void btf_file_free(struct btf_file *f);

struct functions;
void functions_free(struct functions *f);

/* Call fn with runs of whole lines (text .. end, which is the last newline) until it returns true.
 * 0 or a negative errno; nothing is reported. */
int lines_each(int fd, bool (*fn)(const char *text, const char *end, void *ctx), void *ctx);
/* The same for /proc/kallsyms; a failure is reported. */
int kallsyms_each(struct kernel *k, bool (*fn)(const char *text, const char *end, void *ctx), void *ctx);
/* A directory descriptor of a file system of the kernel: where it is mounted, else a detached mount of our
 * own. Negative errno, nothing is reported. */
int kernel_fs_open(const char *fs_name, const char *mounted_at, long magic);

/* All of a file below the directory `dir` (AT_FDCWD: any), NUL-terminated; free(). Negative errno,
 * nothing is reported. */
int file_read_at(int dir, const char *path, char **text, size_t *len);

/* Is this capability (CAP_*) in the effective set? */
bool capability_held(unsigned cap);
/* Do capabilities count for the whole machine, or only in a user namespace? */
bool capability_in_user_namespace(void);

#endif
