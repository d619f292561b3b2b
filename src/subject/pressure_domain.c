/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pressure_domain: how much memory the machine and the cgroups with a limit have left. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/util.h"
#include "subject/pressure_kill.h"

#define WALK_DEPTH 16
#define NO_LIMIT ((uint64_t)1 << 60)
/* A task in a cgroup that is fuller than this is held back by its limit. */
#define FULL_PERCENT 90

static uint64_t page_bytes(void)
{
	static uint64_t bytes;

	if (!bytes)
		bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	return bytes;
}

/* ---- the machine ---- */

/* The low watermarks of all zones: below them, everybody has to reclaim. */
static void reserve_read(struct domains *all)
{
	uint64_t low = 0, min = 0;

	if (file_read(&all->text, "/proc/zoneinfo"))
		return;
	for (const char *p = all->text.s; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL) {
		uint64_t n;

		if (field_u64(p, "        low ", &n) && !strncmp(p, "        low ", 12))
			low += n;
		if (!strncmp(p, "        min ", 12) && field_u64(p, "        min ", &n))
			min += n;
	}
	all->machine_reserve = low * page_bytes();
	all->machine_min = min * page_bytes();
}

int domains_open(struct subject_run *r, struct domains *all, const char *only)
{
	all->text = (struct strbuf)STRBUF_INIT;
	all->only = only;
	all->meminfo_fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	all->vmstat_fd = open("/proc/vmstat", O_RDONLY | O_CLOEXEC);
	if (all->meminfo_fd < 0 || all->vmstat_fd < 0)
		return subject_fail(r, -errno, "is /proc mounted?", "cannot read /proc/meminfo: %m");
	reserve_read(all);
	all->n = 1;
	return 0;
}

void domains_close(struct domains *all)
{
	close_fd(&all->meminfo_fd);
	close_fd(&all->vmstat_fd);
	strbuf_free(&all->text);
}

static uint64_t kib_of(const char *text, const char *name)
{
	uint64_t kib = 0;

	field_u64(text, name, &kib);
	return kib * 1024;
}

static bool machine_look(struct domains *all, struct domain *d)
{
	const char *t;

	if (file_reread(&all->text, all->meminfo_fd))
		return false;
	t = all->text.s;
	d->limit = kib_of(t, "MemTotal:");
	d->left = kib_of(t, "MemAvailable:");
	d->file = kib_of(t, "Active(file):") + kib_of(t, "Inactive(file):");
	d->anon = kib_of(t, "AnonPages:") + kib_of(t, "Shmem:");
	d->used = d->limit - MIN(d->limit, kib_of(t, "MemFree:"));
	d->swap_total = kib_of(t, "SwapTotal:");
	d->swap_left = kib_of(t, "SwapFree:");
	d->reserve = all->machine_reserve;
	if (!file_reread(&all->text, all->vmstat_fd))
		field_u64(all->text.s, "workingset_refault_file ", &d->refaults);
	return true;
}

uint64_t kernel_kills_count(struct domains *all)
{
	uint64_t n = 0;

	if (!file_reread(&all->text, all->vmstat_fd))
		field_u64(all->text.s, "oom_kill ", &n);
	return n;
}

/* ---- cgroups ---- */

static const char *root_of(bool is_v1)
{
	return is_v1 ? cgroup1_root("memory") : cgroup2_root();
}

void domain_directory(const struct domain *d, char *out, size_t size)
{
	snprintf(out, size, "%s%s", root_of(d->is_v1), d->path);
}

/* "max", or a number that is as good as none, is no limit. */
static uint64_t limit_read(const char *directory, const char *file)
{
	uint64_t n = NO_LIMIT;

	if (file_u64(&n, "%s/%s", directory, file))
		return NO_LIMIT;
	return MIN(n, NO_LIMIT);
}

static uint64_t cgroup_limit(const char *directory, bool is_v1)
{
	if (is_v1)
		return limit_read(directory, "memory.limit_in_bytes");
	return MIN(limit_read(directory, "memory.max"), limit_read(directory, "memory.high"));
}

/* What of its own swap a cgroup may still have; the machine's is the other bound. */
static uint64_t cgroup_swap_left(const struct domain *d, const char *directory, uint64_t machine_left)
{
	uint64_t limit, used = 0;

	if (!d->is_v1) {
		limit = limit_read(directory, "memory.swap.max");
		if (file_u64(&used, "%s/memory.swap.current", directory))
			return 0;
		return MIN(machine_left, limit == NO_LIMIT ? machine_left : limit - MIN(limit, used));
	}
	limit = limit_read(directory, "memory.memsw.limit_in_bytes");
	if (limit == NO_LIMIT)
		return machine_left;
	file_u64(&used, "%s/memory.memsw.usage_in_bytes", directory);
	used -= MIN(used, d->used);
	limit -= MIN(limit, d->limit);
	return MIN(machine_left, limit - MIN(limit, used));
}

static void cgroup_stat(struct domain *d, const char *text)
{
	const char *names[] = { "active_file ", "inactive_file ", "anon ", "workingset_refault_file " };
	const char *names1[] = { "total_active_file ", "total_inactive_file ", "total_rss ", "total_workingset_refault_file " };
	const char **name = d->is_v1 ? names1 : names;
	uint64_t active = 0, inactive = 0;

	field_u64(text, name[0], &active);
	field_u64(text, name[1], &inactive);
	field_u64(text, name[2], &d->anon);
	field_u64(text, name[3], &d->refaults);
	d->file = active + inactive;
}

static bool cgroup_look(struct domains *all, struct domain *d)
{
	char directory[PATH_MAX];

	domain_directory(d, directory, sizeof(directory));
	if (file_u64(&d->used, "%s/%s", directory, d->is_v1 ? "memory.usage_in_bytes" : "memory.current"))
		return false;
	d->limit = cgroup_limit(directory, d->is_v1);
	/* The rest costs more, and matters when it fills. */
	if (d->used > d->limit / 100 * 40 && !file_readf(&all->text, "%s/memory.stat", directory))
		cgroup_stat(d, all->text.s);
	d->left = d->limit - MIN(d->limit, d->used) + d->file;
	d->left = MIN(d->left, d->limit);
	d->swap_left = all->d[0].swap_left ? cgroup_swap_left(d, directory, all->d[0].swap_left) : 0;
	d->swap_total = d->swap_left ? all->d[0].swap_total : 0;
	d->reserve = d->limit / 50;
	return true;
}

/* ---- rates ---- */

bool domain_look(struct domains *all, struct domain *d, uint64_t now)
{
	uint64_t before = d->left + d->swap_left, refaults = d->refaults;
	double seconds = d->looked_ns ? (double)(now - d->looked_ns) / 1e9 : 0, rate;

	if (!(d == &all->d[0] ? machine_look(all, d) : cgroup_look(all, d)))
		return false;
	if (seconds > 0.002) {
		rate = ((double)before - (double)(d->left + d->swap_left)) / seconds;
		/* The faster of now and shortly before: who pauses for a moment goes on. */
		d->fill_rate = MAX(rate, d->fill_rate * (seconds < 0.2 ? 0.7 : 0.2));
		d->thrash_percent = (double)(d->refaults - MIN(d->refaults, refaults)) * (double)page_bytes() * 100 /
				    ((double)d->file + (double)page_bytes()) / MAX(seconds, 0.1);
	}
	d->looked_ns = now;
	return true;
}

/* ---- finding them ---- */

static struct domain *domain_find(struct domains *all, const char *path, bool is_v1)
{
	for (size_t i = 1; i < all->n; i++)
		if (all->d[i].is_v1 == is_v1 && str_eq(all->d[i].path, path))
			return &all->d[i];
	return NULL;
}

static void domain_add(struct domains *all, const char *path, bool is_v1)
{
	struct domain *d = domain_find(all, path, is_v1);

	if (!d && all->n == MOST_DOMAINS) {
		all->too_many = true;
		return;
	}
	if (!d) {
		d = &all->d[all->n++];
		*d = (struct domain){ .is_v1 = is_v1 };
		snprintf(d->path, sizeof(d->path), "%s", path);
	}
	d->seen = true;
}

static void walk(struct domains *all, const char *path, bool is_v1, int depth)
{
	char directory[PATH_MAX], below[sizeof(all->d[0].path)];
	struct dirent *entry;
	DIR *dir;

	snprintf(directory, sizeof(directory), "%s%s", root_of(is_v1), path);
	if (*path && cgroup_limit(directory, is_v1) < NO_LIMIT)
		domain_add(all, path, is_v1);
	dir = depth < WALK_DEPTH ? opendir(directory) : NULL;
	while (dir && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
		    snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) >= (int)sizeof(below))
			continue;
		walk(all, below, is_v1, depth + 1);
	}
	if (dir)
		closedir(dir);
}

void domains_walk(struct domains *all, uint64_t now)
{
	size_t n = 1;

	for (size_t i = 1; i < all->n; i++)
		all->d[i].seen = false;
	if (cgroup1_root("memory"))
		walk(all, all->only ? all->only : "", true, 0);
	else if (cgroup2_root())
		walk(all, all->only ? all->only : "", false, 0);
	for (size_t i = 1; i < all->n; i++) {
		if (!all->d[i].seen)
			continue;
		if (n != i)
			all->d[n] = all->d[i];
		n++;
	}
	all->n = n;
	all->walked_ns = now;
}

struct domain *domain_of(struct domains *all, pid_t pid)
{
	bool is_v1 = cgroup1_root("memory");
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
	char *slash;

	if (cgroup_of(pid, is_v1 ? "memory" : NULL, &path))
		return NULL;
	while (path.len > 1) {
		struct domain *d = domain_find(all, path.s, is_v1);

		if (d && d->used >= d->limit / 100 * FULL_PERCENT)
			return d;
		slash = strrchr(path.s, '/');
		if (!slash || slash == path.s)
			break;
		*slash = 0;
	}
	return all->only ? NULL : &all->d[0];
}
