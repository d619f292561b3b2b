/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz: our reader of BTF. Its file is part of this one, because it reads nothing but the kernel's own folder. */
#include "kernel/btf_file.c" /* NOLINT */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void names_ask(const struct btf_file *f)
{
	uint32_t which;

	for (uint32_t id = 0; id < btf_file_end(f) + 2 && id < 1000; id++) {
		const struct btf_type *t = btf_file_type(f, id);
		const char *name = t ? btf_file_string(f, t->name_off) : "";

		btf_file_find(f, name, ~0U);
		btf_file_find_enumerator(f, name, &which);
	}
	btf_file_string(f, UINT32_MAX);
	btf_file_find(f, "task_struct", ~0U);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char dir_path[] = "/proc/self/fd", name[16];
	int fd = memfd_create("btf", MFD_CLOEXEC), dir = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct btf_file *f = NULL;

	if (fd < 0 || dir < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(name, sizeof(name), "%d", fd);
	if (!file_open(dir, name, NULL, &f)) {
		names_ask(f);
		btf_file_free(f);
	}
	close(dir);
	close(fd);
	return 0;
}
