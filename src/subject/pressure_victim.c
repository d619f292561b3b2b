/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pressure_victim: who is killed, by each policy, and who never is. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/util.h"
#include "subject/pressure_kill.h"

#define ADJ_NEVER (-1000)
/* Up to this, lmkd's choice among equals is the largest. */
#define WALK_DEPTH 16

/* ---- processes ---- */

static ssize_t read_small(pid_t pid, const char *file, char *out, size_t size)
{
	char path[64];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, out, size - 1);
	out[n < 0 ? 0 : n] = 0;
	return n;
}

bool process_look(pid_t pid, struct victim *out)
{
	char text[4096];
	uint64_t rss = 0, swap = 0;

	if (read_small(pid, "status", text, sizeof(text)) <= 0)
		return false;
	/* Kernel threads and those that are already gone have no memory. */
	if (!field_u64(text, "VmRSS:", &rss))
		return false;
	field_u64(text, "VmSwap:", &swap);
	field_text(text, "Name:", out->comm, sizeof(out->comm));
	out->pid = pid;
	out->bytes = (rss + swap) * 1024;
	if (read_small(pid, "oom_score_adj", text, sizeof(text)) <= 0)
		return false;
	out->adj = (int)strtol(text, NULL, 10);
	return true;
}

static bool path_within(const char *path, const char *above)
{
	size_t len = strlen(above);

	while (len && above[len - 1] == '/')
		len--;
	return !strncmp(path, above, len) && (!path[len] || path[len] == '/');
}

static bool in_protected_cgroup(pid_t pid, const char *protect)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;

	if (!cgroup_of(pid, NULL, &path) && path_within(path.s, protect))
		return true;
	return !cgroup_of(pid, "memory", &path) && path_within(path.s, protect);
}

bool victim_protected(const struct chooser *c, pid_t pid, const char *comm)
{
	if (pid == 1 || pid == getpid())
		return true;
	for (size_t i = 0; i < c->protect->n; i++) {
		const char *p = c->protect->v[i];

		if (*p == '/' ? in_protected_cgroup(pid, p) : glob_match(p, comm) || strtol(p, NULL, 10) == pid)
			return true;
	}
	return false;
}

int cgroup_each(const char *directory, struct strbuf *text, int (*fn)(void *ctx, pid_t pid), void *ctx)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;
	int res = 0;

	if (!file_readf(text, "%s/cgroup.procs", directory))
		for (char *p = text->s, *end; !res && *p; p = end + (*end == '\n')) {
			res = fn(ctx, (pid_t)strtol(p, &end, 10));
			if (end == p)
				break;
		}
	dir = opendir(directory);
	while (dir && !res && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
		    snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) < (int)sizeof(path))
			res = cgroup_each(path, text, fn, ctx);
	if (dir)
		closedir(dir);
	return res;
}

struct choice {
	const struct chooser *c;
	struct victim best;
	size_t considered, spared;
};

static bool is_better(const struct choice *choice, const struct victim *v)
{
	const struct victim *best = &choice->best;

	if (!best->pid)
		return true;
	if (choice->c->policy == POLICY_LMKD && v->adj != best->adj)
		return v->adj > best->adj;
	return v->bytes > best->bytes;
}

static int process_consider(void *ctx, pid_t pid)
{
	struct choice *choice = ctx;
	const struct chooser *c = choice->c;
	struct victim v = { 0 };

	if (pid == c->dying || !process_look(pid, &v))
		return 0;
	choice->considered++;
	if (v.adj == ADJ_NEVER || (c->policy == POLICY_LMKD && v.adj < c->least_adj)) {
		choice->spared++;
		return 0;
	}
	if (!is_better(choice, &v))
		return 0;
	if (victim_protected(c, pid, v.comm))
		choice->spared++;
	else
		choice->best = v;
	return 0;
}

static bool choose_process(const struct chooser *c, struct victim *out)
{
	struct choice choice = { .c = c };
	char directory[PATH_MAX];

	if (*c->domain->path) {
		domain_directory(c->domain, directory, sizeof(directory));
		cgroup_each(directory, c->text, process_consider, &choice);
	} else {
		proc_each(process_consider, &choice);
	}
	*out = choice.best;
	out->considered = choice.considered;
	out->spared = choice.spared;
	out->start_ticks = out->pid ? proc_start_ticks(out->pid) : 0;
	return out->start_ticks != 0;
}

/* ---- cgroups ---- */

struct group_choice {
	const struct chooser *c;
	char best[256];
	uint64_t bytes;
	size_t considered, spared;
	bool has_processes, is_protected;
};

static int group_look(void *ctx, pid_t pid)
{
	struct group_choice *g = ctx;
	struct victim v = { 0 };

	if (!process_look(pid, &v))
		return 0;
	g->has_processes |= pid != g->c->dying;
	/* One that must stay protects the group that it is in. */
	g->is_protected |= v.adj == ADJ_NEVER || victim_protected(g->c, pid, v.comm);
	return 0;
}

/* Only groups that hold processes themselves: one above would take a whole session with it. */
static void group_consider(struct group_choice *g, const char *directory)
{
	uint64_t bytes = 0, swap = 0;

	if (file_u64(&bytes, "%s/memory.current", directory) && file_u64(&bytes, "%s/memory.usage_in_bytes", directory))
		return;
	if (!file_u64(&swap, "%s/memory.swap.current", directory))
		bytes += swap;
	if (bytes <= g->bytes)
		return;
	g->has_processes = g->is_protected = false;
	if (file_readf(g->c->text, "%s/cgroup.procs", directory) || !g->c->text->len)
		return;
	cgroup_each(directory, g->c->text, group_look, g);
	if (!g->has_processes)
		return;
	g->considered++;
	if (g->is_protected) {
		g->spared++;
		return;
	}
	g->bytes = bytes;
	snprintf(g->best, sizeof(g->best), "%s", directory);
}

static void groups_walk(struct group_choice *g, const char *directory, bool is_root, int depth)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	if (!is_root)
		group_consider(g, directory);
	dir = depth < WALK_DEPTH ? opendir(directory) : NULL;
	while (dir && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
		    snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) < (int)sizeof(path))
			groups_walk(g, path, false, depth + 1);
	if (dir)
		closedir(dir);
}

static int largest_member(void *ctx, pid_t pid)
{
	struct victim *best = ctx, v = { 0 };

	if (process_look(pid, &v) && v.bytes >= best->bytes)
		*best = v;
	return 0;
}

static bool choose_group(const struct chooser *c, struct victim *out)
{
	const char *root = cgroup1_root("memory") ? cgroup1_root("memory") : cgroup2_root();
	struct group_choice g = { .c = c };
	char directory[PATH_MAX];

	if (!root)
		return false;
	snprintf(directory, sizeof(directory), "%s%s", root, c->domain->path);
	groups_walk(&g, directory, !*c->domain->path, 0);
	if (!*g.best)
		return false;
	cgroup_each(g.best, c->text, largest_member, out);
	if (!out->pid)
		return false;
	out->start_ticks = proc_start_ticks(out->pid);
	out->bytes = g.bytes;
	out->considered = g.considered;
	out->spared = g.spared;
	snprintf(out->cgroup, sizeof(out->cgroup), "%s", g.best);
	return out->start_ticks != 0;
}

bool victim_choose(const struct chooser *c, struct victim *out)
{
	*out = (struct victim){ 0 };
	if (c->policy == POLICY_CGROUP && choose_group(c, out))
		return true;
	/* What is in no group of its own is killed alone. */
	*out = (struct victim){ 0 };
	return choose_process(c, out);
}
