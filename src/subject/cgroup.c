/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cgroup: where the hierarchies are, which cgroup a process is in, and the numbers of cgroups. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "base/util.h"
#include "subject/proc.h"

/* Files of cgroup2 are known by their 64-bit number alone. */
#define CGROUP_HANDLE_TYPE 0xfe

/* The mount point of a line of /proc/self/mounts of this type, and with this among its options. */
static bool mount_matches(char *line, const char *type, const char *option, char *out, size_t size)
{
	char *save = NULL, *at, *is, *options;

	if (!strtok_r(line, " ", &save))
		return false;
	at = strtok_r(NULL, " ", &save);
	is = strtok_r(NULL, " ", &save);
	options = strtok_r(NULL, " ", &save);
	if (!options || !str_eq(is, type))
		return false;
	for (char *o = strtok_r(options, ",", &save); o && option; o = strtok_r(NULL, ",", &save))
		if (str_eq(o, option))
			option = NULL;
	if (option)
		return false;
	snprintf(out, size, "%s", at);
	return true;
}

static bool mount_find(const char *type, const char *option, char *out, size_t size)
{
	_cleanup_strbuf_ struct strbuf mounts = STRBUF_INIT;
	char *save = NULL;

	if (file_read(&mounts, "/proc/self/mounts"))
		return false;
	for (char *line = strtok_r(mounts.s, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (mount_matches(line, type, option, out, size))
			return true;
	return false;
}

const char *cgroup2_root(void)
{
	static char root[PATH_MAX];

	return *root || mount_find("cgroup2", NULL, root, sizeof(root)) ? root : NULL;
}

const char *cgroup1_root(const char *controller)
{
	static char root[PATH_MAX], of[32];

	if (str_eq(of, controller))
		return root;
	if (!mount_find("cgroup", controller, root, sizeof(root)))
		return NULL;
	snprintf(of, sizeof(of), "%s", controller);
	return root;
}

/* "4:memory:/a" or "0::/a" */
static const char *line_path(char *line, const char *controller)
{
	char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL, *save = NULL;

	if (!path)
		return NULL;
	*path++ = 0;
	names++;
	if (!controller)
		return *names ? NULL : path;
	for (char *n = strtok_r(names, ",", &save); n; n = strtok_r(NULL, ",", &save))
		if (str_eq(n, controller))
			return path;
	return NULL;
}

int cgroup_of(pid_t pid, const char *controller, struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	int err = file_readf(&text, "/proc/%d/cgroup", (int)pid);
	char *save = NULL;

	if (err)
		return err;
	for (char *line = strtok_r(text.s, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *path = line_path(line, controller);

		if (!path)
			continue;
		strbuf_reset(out);
		strbuf_addstr(out, path);
		return out->failed ? -ENOMEM : 0;
	}
	return -ENOENT;
}

uint64_t cgroup_id(const char *directory)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} handle = { .h.handle_bytes = sizeof(uint64_t) };
	uint64_t id;
	int mount;

	if (name_to_handle_at(AT_FDCWD, directory, &handle.h, &mount, 0) || handle.h.handle_bytes != sizeof(id))
		return 0;
	memcpy(&id, handle.h.f_handle, sizeof(id));
	return id;
}

int cgroup_path_of(uint64_t id, struct strbuf *out)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + sizeof(uint64_t)];
	} handle = { .h = { .handle_bytes = sizeof(id), .handle_type = CGROUP_HANDLE_TYPE } };
	const char *root = cgroup2_root();
	_cleanup_close_ int root_fd = root ? open(root, O_RDONLY | O_CLOEXEC | O_DIRECTORY) : -1;
	_cleanup_close_ int fd = -1;
	char link[64], path[PATH_MAX];
	ssize_t n;

	if (root_fd < 0)
		return -ENOENT;
	memcpy(handle.h.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(root_fd, &handle.h, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return -errno;
	path[n] = 0;
	if (!str_starts(path, root))
		return -ENOENT;
	strbuf_reset(out);
	strbuf_addstr(out, path[strlen(root)] ? path + strlen(root) : "/");
	return out->failed ? -ENOMEM : 0;
}
