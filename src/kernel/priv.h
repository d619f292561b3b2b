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
	int *cpus;
	size_t ncpus;
};

void btf_file_free(struct btf_file *f);

/* All of a file below the directory `dir` (AT_FDCWD: any), NUL-terminated; free(). Negative errno,
 * nothing is reported. */
int file_read_at(int dir, const char *path, char **text, size_t *len);

/* Is this capability (CAP_*) in the effective set? */
bool capability_held(unsigned cap);
/* Do capabilities count for the whole machine, or only in a user namespace? */
bool capability_in_user_namespace(void);

#endif
