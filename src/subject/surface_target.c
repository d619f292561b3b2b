/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Surface, whose calls: a command, a cgroup, or the cgroup of a container that some runtime knows by this name. */
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/util.h"
#include "subject/json_read.h"
#include "subject/surface.h"

#define LOOK_NS UINT64_C(200000000)
#define DEEPEST 16

/* ---- containers ---- */

/* Where runtimes keep what they know of a container, and which member is its first process. */
static const struct { const char *pattern, *member; } states[] = {
	{ "/run/runc/%s/state.json", "init_process_pid" },
	{ "/run/crun/%s/status", "pid" },
	{ "/run/containerd/runc/*/%s*/state.json", "init_process_pid" },
	{ "/run/docker/runtime-runc/moby/%s*/state.json", "init_process_pid" },
	{ "/run/user/*/crun/%s/status", "pid" },
	{ "/run/user/*/runc/%s/state.json", "init_process_pid" },
};

/* A number in a file of JSON; 0: none. */
static pid_t state_pid(const char *path, const char *member)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct arena *a = arena_new();
	const char *at;
	volatile double pid = 0;

	if (a && !file_read(&text, path) && !setjmp(*arena_guard(a)))
		pid = json_member_number(json_parse(a, text.s, &at, false), member, 0);
	arena_free(a);
	return pid > 0 && pid < 1e9 ? (pid_t)pid : 0;
}

/* The only file that the pattern finds; "" when there is none, and `several` when there are more. */
static pid_t pattern_pid(const char *pattern, const char *member, bool *several)
{
	glob_t g = { 0 };
	pid_t pid = 0;

	if (!glob(pattern, 0, NULL, &g)) {
		*several |= g.gl_pathc > 1;
		pid = state_pid(g.gl_pathv[0], member);
	}
	globfree(&g);
	return pid;
}

static pid_t container_pid(const char *id, bool *several)
{
	pid_t pid = 0;

	for (size_t i = 0; i < ARRAY_SIZE(states) && !pid; i++) {
		_cleanup_strbuf_ struct strbuf pattern = STRBUF_INIT;
		const char *at = strstr(states[i].pattern, "%s");

		strbuf_add(&pattern, states[i].pattern, (size_t)(at - states[i].pattern));
		strbuf_addf(&pattern, "%s%s", id, at + 2);
		if (!pattern.failed)
			pid = pattern_pid(pattern.s, states[i].member, several);
	}
	return pid;
}

/* A cgroup whose own name has the container's in it, as all runtimes do. */
static bool find_named(struct strbuf *path, const char *id, unsigned depth)
{
	DIR *d = opendir(path->s);
	size_t len = path->len;
	const struct dirent *e;
	bool found = false;

	while (d && !found && (e = readdir(d))) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		strbuf_addf(path, "/%s", e->d_name);
		found = strstr(e->d_name, id) ||
			(depth < DEEPEST && find_named(path, id, depth + 1));
		if (!found) {
			path->len = len;
			path->s[len] = 0;
		}
	}
	if (d)
		closedir(d);
	return found;
}

static int container_open(struct target *t, const char *id, const char *root)
{
	struct subject_run *r = t->run;
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
	bool several = false;
	pid_t pid;

	if (strpbrk(id, "/*?[") || strlen(id) < 2)
		return subject_fail(r, SUBJECT_USAGE, NULL, "'%s' is no name of a container", id);
	pid = container_pid(id, &several);
	if (several)
		return subject_fail(r, SUBJECT_FAILED, "give more of its name",
				    "there are several containers '%s...'", id);
	if (pid && !cgroup_of(pid, NULL, &path) && !str_eq(path.s, "/")) {
		strbuf_addf(&t->directory, "%s%s", root, path.s);
		return 0;
	}
	strbuf_addstr(&t->directory, root);
	if (find_named(&t->directory, id, 0))
		return 0;
	return subject_fail(r, SUBJECT_FAILED,
			    "runc list, crun list and docker ps name those that run",
			    pid ? "container %s has no cgroup of its own (version 2)" :
			    "there is no container %s", id);
}

/* ---- opening ---- */

static int cgroup_open(struct target *t, const char *name, const char *root)
{
	if (str_starts(name, root))
		strbuf_addstr(&t->directory, name);
	else
		strbuf_addf(&t->directory, "%s%s%s", root, name[0] == '/' ? "" : "/", name);
	while (t->directory.len > strlen(root) && t->directory.s[t->directory.len - 1] == '/')
		t->directory.s[--t->directory.len] = 0;
	return 0;
}

static int directory_look(struct target *t, const char *root)
{
	const char *below = t->directory.s + strlen(root);

	t->cgroup = t->directory.failed ? 0 : cgroup_id(t->directory.s);
	if (!t->cgroup)
		return subject_fail(t->run, SUBJECT_FAILED,
				    "cgroups of version 2 are meant, as they are called in /sys/fs/cgroup",
				    "there is no cgroup %s", t->directory.s);
	for (; *below; below++)
		t->depth += below[0] == '/' && below[1] && below[1] != '/';
	return 0;
}

static int command_open(struct target *t)
{
	t->child = command_prepare(t->run);
	if (!t->child)
		return SUBJECT_FAILED;
	for (char **w = t->run->command; *w; w++)
		strbuf_addf(&t->name, "%s%s", t->name.len ? " " : "", *w);
	return 0;
}

int target_open(struct target *t, struct subject_run *r)
{
	const struct surface_settings *s = r->settings;
	const char *root = cgroup2_root();
	int given = !!s->cgroup + !!s->container + !!r->command, status;

	*t = (struct target){ .name = STRBUF_INIT, .directory = STRBUF_INIT, .run = r };
	if (given != 1)
		return subject_fail(r, SUBJECT_USAGE,
				    "--cgroup PATH, --container ID, or -- COMMAND",
				    given ? "only one can be looked at" :
				    "what is to be looked at?");
	if (r->command)
		return command_open(t);
	if (!root)
		return subject_fail(r, SUBJECT_UNSEEN, "mount -t cgroup2 none /sys/fs/cgroup",
				    "not observable: cgroups of version 2 are not mounted here, and nothing else tells whose call it is");
	status = s->cgroup ? cgroup_open(t, s->cgroup, root) :
		container_open(t, s->container, root);
	status = status ? status : directory_look(t, root);
	strbuf_addf(&t->name, "%s %s", s->cgroup ? "cgroup" : "container",
		    s->cgroup ? s->cgroup : s->container);
	return status;
}

void target_close(struct target *t)
{
	sonde_child_end(t->child, NULL);
	t->child = NULL;
	strbuf_free(&t->name);
	strbuf_free(&t->directory);
}

void target_params(const struct target *t, struct strbuf text[3], const char *list[8])
{
	struct stat st = { 0 };
	size_t n = 0;

	stat("/proc/self/ns/mnt", &st);
	strbuf_addf(&text[0], "--target=%llu", (unsigned long long)t->cgroup);
	strbuf_addf(&text[1], "--depth=%llu", (unsigned long long)t->depth);
	strbuf_addf(&text[2], "--mnt=%lu", (unsigned long)st.st_ino);
	for (int i = 0; i < 3; i++)
		list[n++] = text[i].s;
	list[n] = NULL;
}

/* ---- the end of it ---- */

static bool is_populated(const struct target *t)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	uint64_t populated = 1;

	if (file_readf(&text, "%s/cgroup.events", t->directory.s))
		return !access(t->directory.s, F_OK);
	field_u64(text.s, "populated", &populated);
	return populated;
}

static int look_again(void *ctx, uint32_t events)
{
	struct target *t = ctx;

	(void)events;
	if (is_populated(t))
		return 0;
	t->gone = true;
	return LOOP_END;
}

/* From here on nothing is missed. */
static void announce(struct target *t)
{
	_cleanup_json_ struct json j = JSON_INIT;

	out_text(t->run, "Looking at %s; Ctrl-C ends it.\n\n", t->name.s);
	json_object(&j, NULL);
	json_text(&j, "target", t->name.s);
	json_end(&j);
	out_json(t->run, "attached", &j);
}

int target_start(struct target *t)
{
	int err;

	if (!t->child || t->run->json)
		announce(t);
	if (!t->child) {
		/* Somebody may be about to start something there. */
		if (((const struct surface_settings *)t->run->settings)->container ||
		    is_populated(t))
			return loop_every(t->run, LOOK_NS, look_again, t) ? 0 : SUBJECT_FAILED;
		return 0;
	}
	err = sonde_child_continue(t->child);
	return err ? subject_fail(t->run, SUBJECT_FAILED, NULL, "cannot run %s: %s",
				  t->run->command[0], strerror(-err)) : 0;
}
