/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls: numbers and names of this architecture. The table is made from the kernel's headers when
 * sonde is built (syscalls.awk). tracefs names the function in the kernel, which is mostly, but not
 * always, the name in the headers; the exceptions are below, for all architectures alike: a name that one
 * does not have is not found.
 */
#include "base/util.h"
#include "kernel/kernel.h"
#include "kernel/syscall_numbers.h"

struct syscall_row {
	const char *name;
	int number;
};

/* Sorted by name. */
static const struct syscall_row syscalls[] = {
#include "syscall_table.h"
};

/* Name in tracefs, name in the headers. */
static const char *const renamed[][2] = {
	{ "arm64_personality", "personality" },
	{ "fadvise64_64", "fadvise64" },
	{ "newfstat", "fstat" },
	{ "newlstat", "lstat" },
	{ "newstat", "stat" },
	{ "newuname", "uname" },
	{ "sendfile64", "sendfile" },
	{ "sysctl", "_sysctl" },
	{ "umount", "umount2" },
};

static int row_compare(const void *key, const void *row)
{
	return strcmp(key, ((const struct syscall_row *)row)->name);
}

static int number_of(const char *name)
{
	const struct syscall_row *row = bsearch(name, syscalls, ARRAY_SIZE(syscalls), sizeof(syscalls[0]),
						row_compare);

	return row ? row->number : -1;
}

int kernel_syscall_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(renamed); i++)
		if (!strcmp(renamed[i][0], name)) {
			int number = number_of(renamed[i][1]);

			if (number >= 0)
				return number;
		}
	return number_of(name);
}

const char *kernel_syscall_name(int number)
{
	for (size_t i = 0; i < ARRAY_SIZE(syscalls); i++)
		if (syscalls[i].number == number)
			return syscalls[i].name;
	return NULL;
}

/*
 * The kernel marks the task while it serves a 32-bit call: on x86-64 with TS_COMPAT in thread_info.status,
 * on arm64 with TIF_32BIT in thread_info.flags; thread_info is the first member of the task. x86 put
 * syscall_work before status in 5.11.
 */
bool kernel_has_compat_syscalls(uint32_t *offset, uint32_t *mask)
{
#if defined(__x86_64__)
	/* This file is there when the kernel can run 32-bit programs. Without /proc/sys, be careful. */
	if (!access("/proc/sys/abi", F_OK) && access("/proc/sys/abi/vsyscall32", F_OK))
		return false;
	*offset = kernel_version() >= (5u << 16 | 11u << 8) ? 16 : 8;
	*mask = 2;
	return true;
#elif defined(__aarch64__)
	*offset = 0;
	*mask = 1u << 22;
	return true;
#else
	(void)offset;
	(void)mask;
	return false;
#endif
}
