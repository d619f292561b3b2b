/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Name: numbers that the kernel side sends and that read as text: addresses, users, times, cgroups. */
#include "view/parts.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <mntent.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include "base/util.h"
#include "kernel/kernel.h"

#define NS_PER_S 1000000000LL

/* A u32 address family, then up to 16 bytes of address. */
void text_inet(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	char text[INET6_ADDRSTRLEN] = "";
	int family = (int)number_load(data, 4, false);

	(void)v, (void)t;
	if (inet_ntop(family, data + 4, text, sizeof(text)))
		strbuf_addstr(out, text);
	else
		strbuf_addf(out, "(address family %d)", family);
}

void text_username(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	uid_t uid = (uid_t)number_load(data, MIN(t->size, 8U), false);
	struct passwd pw, *found = NULL;
	char buf[4096];

	(void)v;
	if (!getpwuid_r(uid, &pw, buf, sizeof(buf), &found) && found)
		strbuf_addstr(out, found->pw_name);
	else
		strbuf_addu64(out, uid);
}

void text_syscall_name(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	int number = (int)number_load(data, t->size, true);
	const char *name = kernel_syscall_name(number);

	(void)v;
	if (name)
		strbuf_addstr(out, name);
	else
		strbuf_addstr(out, "unknown system call");
}

static void signal_abbrev(struct strbuf *out, int number)
{
	const char *name = sigabbrev_np(number);

	if (name)
		strbuf_addf(out, "SIG%s", name);
	else if (number >= SIGRTMIN && number <= SIGRTMAX)
		strbuf_addf(out, number > SIGRTMIN ? "SIGRTMIN+%d" : "SIGRTMIN", number - SIGRTMIN);
	else
		strbuf_addstr(out, "unknown signal");
}

/* Without a locale, so that the text is the same everywhere: the C library has the words of the reference. */
void text_signal_name(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	int number = (int)number_load(data, t->size, true);
	const char *text = sigdescr_np(number);

	(void)v;
	if (t->param[0])
		signal_abbrev(out, number);
	else if (text)
		strbuf_addstr(out, text);
	else if (number >= 34 && number <= 64)
		strbuf_addf(out, "Real-time signal %d", number - 34);
	else if (!number || number == 32 || number == 33)
		strbuf_addf(out, "Unknown signal %d", number);
	else
		strbuf_addstr(out, "N/A");
}

/* ---- strftime ---- */

static int64_t clock_now_ns(clockid_t id)
{
	struct timespec ts = { 0 };

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/*
 * Real time minus the clock's. Read once: two times that are shown must be as far apart as they are, which
 * they would not be if each were compared with a clock of its own moment.
 */
static int64_t real_offset_ns(clockid_t id)
{
	static int64_t offsets[CLOCK_TAI + 1];

	if (!offsets[id])
		offsets[id] = clock_now_ns(CLOCK_REALTIME) - clock_now_ns(id);
	return offsets[id];
}

/* The format with %f, which strftime() does not know, as the microseconds. */
static void format_microseconds(struct strbuf *out, const char *format, int64_t us)
{
	for (const char *p = format; *p; p++) {
		if (p[0] == '%' && p[1] == 'f') {
			strbuf_addf(out, "%06lld", (long long)us);
			p++;
			continue;
		}
		strbuf_addch(out, *p);
		if (p[0] == '%' && p[1])
			strbuf_addch(out, *++p);
	}
}

/* type->name is the format, param[0] the clock whose nanoseconds these are. */
void text_strftime(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	/* Any number may be taken for a time; the sum of two then wraps. */
	int64_t ns = (int64_t)((uint64_t)number_load(data, 8, false) + (uint64_t)real_offset_ns((clockid_t)t->param[0]));
	int64_t rest = (ns % NS_PER_S + NS_PER_S) % NS_PER_S;
	time_t seconds = (time_t)(ns / NS_PER_S - (ns % NS_PER_S < 0));
	_cleanup_strbuf_ struct strbuf format = STRBUF_INIT;
	char text[4096];
	struct tm tm;

	(void)v;
	format_microseconds(&format, t->name ? t->name : "", rest / 1000);
	if (format.failed || !localtime_r(&seconds, &tm))
		return;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	strbuf_add(out, text, strftime(text, sizeof(text), format.s, &tm));
#pragma GCC diagnostic pop
}

uint64_t clock_of_real(uint64_t real_ns)
{
	return real_ns - (uint64_t)real_offset_ns(CLOCK_MONOTONIC);
}

void clock_text(struct strbuf *out, uint64_t ns)
{
	int64_t wall = (ns ? (int64_t)ns : clock_now_ns(CLOCK_MONOTONIC)) + real_offset_ns(CLOCK_MONOTONIC);
	time_t seconds = (time_t)(wall / NS_PER_S);
	char text[16] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%H:%M:%S", &tm);
	strbuf_addstr(out, text);
}

/* ---- cgroups ---- */

/* The directory of this inode below `dir` (a path in `path`); appends the rest of the path. */
static bool cgroup_search(int dir, uint64_t id, struct strbuf *path, uint32_t depth)
{
	DIR *d = fdopendir(dir);
	bool found = false;
	struct dirent *e;

	if (!d) {
		close(dir);
		return false;
	}
	while (!found && (e = readdir(d))) {
		size_t len = path->len;
		int sub;

		if (e->d_type != DT_DIR || str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
			continue;
		strbuf_addch(path, '/');
		strbuf_addstr(path, e->d_name);
		found = e->d_ino == id;
		if (!found && depth < 64) {
			sub = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
			found = sub >= 0 && cgroup_search(sub, id, path, depth + 1);
		}
		if (!found && !path->failed) {
			path->len = len;
			path->s[len] = 0;
		}
	}
	closedir(d);
	return found;
}

static bool cgroup_below(const char *mount, uint64_t id, struct strbuf *path)
{
	int dir = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (dir < 0)
		return false;
	if (!fstat(dir, &st) && st.st_ino == id) {
		close(dir);
		strbuf_addch(path, '/');
		return true;
	}
	return cgroup_search(dir, id, path, 0);
}

/* "unified" for version 2 wherever it is mounted, else the name of the directory it is mounted on. */
static const char *hierarchy_name(const struct mntent *m)
{
	const char *slash = strrchr(m->mnt_dir, '/');

	return str_eq(m->mnt_type, "cgroup2") ? "unified" : slash ? slash + 1 : m->mnt_dir;
}

/* "unified:/a/b;memory:/c": in each hierarchy that has a cgroup of this id. type->name is the filter. */
void text_cgroup_path(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	uint64_t id = number_load(data, 8, false);
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	size_t start = out->len;
	struct mntent *m;

	(void)v;
	while (mounts && (m = getmntent(mounts))) {
		_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;

		if (!str_eq(m->mnt_type, "cgroup2") && !str_eq(m->mnt_type, "cgroup"))
			continue;
		if ((t->name && !glob_match(t->name, hierarchy_name(m))) || !cgroup_below(m->mnt_dir, id, &path))
			continue;
		strbuf_addf(out, "%s%s:%s", out->len > start ? ";" : "", hierarchy_name(m), path.s);
	}
	if (mounts)
		endmntent(mounts);
}
