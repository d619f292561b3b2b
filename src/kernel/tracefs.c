/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracefs: which tracepoints there are and what they look like. The mounted tracefs is used when there is
 * one; else a detached mount of our own, which exists only as a descriptor and changes nothing for anybody.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <linux/magic.h>
#include <linux/mount.h>

#include "base/util.h"
#include "kernel/priv.h"

#define MOUNT_HINT "run as root, give the program CAP_SYS_ADMIN, or have an administrator mount it: " \
	"mount -t tracefs tracefs /sys/kernel/tracing"

/* ---- finding it ---- */

static int fs_open_mounted(const char *path, long magic)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &fs))
		return -errno;
	/* The empty directory is there also when nothing is mounted on it. */
	if (fs.f_type != magic)
		return -ENODEV;
	return TAKE_FD(fd);
}

static int fs_open_detached(const char *fs_name)
{
	_cleanup_close_ int context = -1;
	long fd;

	context = (int)syscall(SYS_fsopen, fs_name, FSOPEN_CLOEXEC);
	if (context < 0)
		return -errno;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	fd = syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
		     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return fd < 0 ? -errno : (int)fd;
}

int kernel_fs_open(const char *fs_name, const char *mounted_at, long magic)
{
	int fd = fs_open_mounted(mounted_at, magic);

	return fd >= 0 ? fd : fs_open_detached(fs_name);
}

static int tracefs_report(struct kernel *k, int mounted, int detached)
{
	errno = -detached;
	if (mounted == -EACCES)
		return report_error(k->report, mounted,
				    "run as root, or give the program CAP_DAC_READ_SEARCH",
				    "cannot read tracepoints: this user may not open tracefs "
				    "(/sys/kernel/tracing) without CAP_DAC_READ_SEARCH");
	if (detached == -EPERM && capability_in_user_namespace())
		return report_error(k->report, detached, "run it outside of the container's user namespace",
				    "cannot read tracepoints: tracefs is not mounted, and in a user namespace "
				    "CAP_SYS_ADMIN does not allow to mount it");
	if (detached == -EPERM)
		return report_error(k->report, detached, MOUNT_HINT,
				    "cannot read tracepoints: tracefs is not mounted, and mounting it privately "
				    "needs CAP_SYS_ADMIN");
	if (detached == -ENODEV)
		return report_error(k->report, detached, "a kernel with CONFIG_TRACING=y is needed",
				    "cannot read tracepoints: this kernel has no tracefs");
	if (detached == -ENOSYS)
		return report_error(k->report, detached,
				    "mount it: mount -t tracefs tracefs /sys/kernel/tracing",
				    "cannot read tracepoints: tracefs is not mounted, and the fsopen system call "
				    "is not available to mount it privately");
	return report_error(k->report, detached, "mount it: mount -t tracefs tracefs /sys/kernel/tracing",
			    "cannot read tracepoints: tracefs is not mounted and a private mount failed: %m");
}

int kernel_tracefs(struct kernel *k)
{
	int mounted, detached;

	if (k->tracefs)
		return k->tracefs;
	mounted = fs_open_mounted("/sys/kernel/tracing", TRACEFS_MAGIC);
	if (mounted < 0 && mounted != -EACCES)
		mounted = fs_open_mounted("/sys/kernel/debug/tracing", TRACEFS_MAGIC);
	if (mounted >= 0)
		return k->tracefs = mounted;
	detached = fs_open_detached("tracefs");
	if (detached >= 0)
		return k->tracefs = detached;
	return k->tracefs = tracefs_report(k, mounted, detached);
}

int kernel_tracefs_read(struct kernel *k, const char *path, char **text, size_t *len)
{
	int dir = kernel_tracefs(k), err;

	if (dir < 0)
		return dir;
	err = file_read_at(dir, path, text, len);
	if (err && err != -ENOENT) {
		errno = -err;
		return report_error(k->report, err,
				    err == -EACCES ? "run as root, or give the program CAP_DAC_READ_SEARCH" : NULL,
				    "cannot read %s in tracefs: %m", path);
	}
	return err;
}

/* ---- listing ---- */

/* The names of the directories in `path`, NUL-separated. */
static int dir_names(int at, const char *path, struct strbuf *out)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(dir)))
		/* Files and directories mix; their type is known without asking for each. */
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			strbuf_add(out, entry->d_name, strlen(entry->d_name) + 1);
	closedir(dir);
	return out->failed ? -ENOMEM : 0;
}

static int list_read(struct kernel *k, const char *path, struct name_list *list)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	int dir = kernel_tracefs(k), err;

	if (dir < 0)
		return dir;
	err = dir_names(dir, path, &text);
	if (!err)
		err = name_list_take(list, &text);
	if (err && err != -ENOENT) {
		errno = -err;
		return report_error(k->report, err, NULL, "cannot list %s in tracefs: %m", path);
	}
	return err;
}

/* The events of "ftrace" describe records of the tracer itself; no program can be attached to them. */
static void systems_hide_ftrace(struct name_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->names[i], "ftrace"))
			continue;
		memmove(list->names + i, list->names + i + 1, (list->n - i - 1) * sizeof(*list->names));
		list->n--;
		return;
	}
}

int kernel_tracepoint_systems(struct kernel *k, const char *const **names, size_t *n)
{
	if (!k->systems_read) {
		int err = list_read(k, "events", &k->systems);

		if (err)
			return err;
		systems_hide_ftrace(&k->systems);
		k->systems_read = true;
	}
	*names = k->systems.names;
	*n = k->systems.n;
	return 0;
}

/* A part of a probe becomes part of a path: it must not lead out of its directory. */
static bool path_part_ok(const char *s)
{
	return *s && *s != '.' && !strchr(s, '/') && strlen(s) < 128;
}

static const struct tp_system *events_find(const struct kernel *k, const char *system)
{
	for (size_t i = 0; i < k->nevents; i++)
		if (!strcmp(k->events[i].name, system))
			return &k->events[i];
	return NULL;
}

static int events_load(struct kernel *k, const char *system)
{
	struct tp_system *grown, *s;
	char path[160];
	int err;

	grown = reallocarray(k->events, k->nevents + 1, sizeof(*grown));
	if (!grown)
		return report_error(k->report, -ENOMEM, NULL, "out of memory");
	k->events = grown;
	s = &grown[k->nevents];
	*s = (struct tp_system){0};
	snprintf(path, sizeof(path), "events/%s", system);
	err = list_read(k, path, &s->events);
	if (err)
		return err;
	s->name = strdup(system);
	if (!s->name) {
		name_list_free(&s->events);
		return report_error(k->report, -ENOMEM, NULL, "out of memory");
	}
	k->nevents++;
	return 0;
}

int kernel_tracepoint_events(struct kernel *k, const char *system, const char *const **names, size_t *n)
{
	const struct tp_system *s = events_find(k, system);

	if (!s) {
		int err = path_part_ok(system) ? events_load(k, system) : -ENOENT;

		if (err)
			return err;
		s = &k->events[k->nevents - 1];
	}
	*names = s->events.names;
	*n = s->events.n;
	return 0;
}

/* ---- one event ---- */

static int event_path(char *path, size_t size, const char *system, const char *event, const char *file)
{
	if (!path_part_ok(system) || !path_part_ok(event) || !strcmp(system, "ftrace"))
		return -ENOENT;
	snprintf(path, size, "events/%s/%s/%s", system, event, file);
	return 0;
}

int kernel_tracepoint_exists(struct kernel *k, const char *system, const char *event)
{
	int dir = kernel_tracefs(k), err;
	char path[320];

	if (dir < 0)
		return dir;
	err = event_path(path, sizeof(path), system, event, "id");
	if (err)
		return err;
	return faccessat(dir, path, F_OK, 0) ? -errno : 0;
}

int kernel_tracepoint_id(struct kernel *k, const char *system, const char *event, uint64_t *id)
{
	_cleanup_free_ char *text = NULL;
	char path[320], *end;
	unsigned long long value;
	size_t len;
	int err = event_path(path, sizeof(path), system, event, "id");

	if (!err)
		err = kernel_tracefs_read(k, path, &text, &len);
	if (err)
		return err;
	value = strtoull(text, &end, 10);
	if (end == text)
		return report_error(k->report, -EINVAL, NULL, "%s in tracefs is not a number", path);
	*id = value;
	return 0;
}

static void dynamic_load(struct kernel *k)
{
	int dir = kernel_tracefs(k), err;
	size_t len;

	if (k->dynamic_read)
		return;
	k->dynamic_read = true;
	err = dir < 0 ? dir : file_read_at(dir, "dynamic_events", &k->dynamic_events, &len);
	/* Without the file there are none: it is as old as every kernel with a ring buffer for programs. */
	k->dynamic_unknown = err && err != -ENOENT;
}

/* A line is "p:SYSTEM/EVENT ...", "r16:...", "s:..." */
bool kernel_tracepoint_is_dynamic(struct kernel *k, const char *system, const char *event)
{
	size_t nsystem = strlen(system), nevent = strlen(event);
	const char *line;

	dynamic_load(k);
	for (line = k->dynamic_events; line; line = strchr(line, '\n')) {
		const char *name = line + strcspn(line, ":\n");

		line = name;
		if (*name++ != ':' || strncmp(name, system, nsystem) || name[nsystem] != '/')
			continue;
		name += nsystem + 1;
		if (!strncmp(name, event, nevent) && (!name[nevent] || strchr(" \t\n", name[nevent])))
			return true;
	}
	return k->dynamic_unknown;
}

int kernel_tracepoint(struct kernel *k, struct arena *a, const char *system, const char *event,
		      struct tp_format *out)
{
	char path[320];
	size_t len;
	int err = event_path(path, sizeof(path), system, event, "format");

	if (err)
		return err;
	/* The text is the kernel object's while it is parsed: the arena may jump when memory runs out. */
	free(k->format_text);
	k->format_text = NULL;
	err = kernel_tracefs_read(k, path, &k->format_text, &len);
	if (err)
		return err;
	err = tp_format_parse(a, k->format_text, len, out);
	if (err)
		return report_error(k->report, err, NULL, "cannot make sense of %s in tracefs", path);
	return 0;
}
