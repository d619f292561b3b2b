/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pressure_view: every interval, who stalled on what, what it cost, who caused it, and what PSI says beside it. */
#include <limits.h>
#include <stdio.h>
#include <time.h>

#include "base/util.h"
#include "subject/pressure.h"

/* More processes than these in one interval are counted, and said. */
#define MOST_ROWS 1024
#define MOST_GROWERS 4096
#define CGROUP_WIDTH 28

/* What one process stalled on one resource in this interval. */
struct row {
	struct stall sum;
};

/* Somebody who may be the cause, and how much of it: bytes, or nanoseconds of others. */
struct culprit {
	pid_t pid;
	char comm[COMM_BYTES];
	uint64_t cgroup, amount;
};

struct grower {
	pid_t pid;
	uint64_t rss_pages;
	bool seen;
};

struct view {
	struct subject_run *run;
	const struct pressure_settings *set;
	struct stall_source source;
	struct strbuf why[RES_COUNT]; /* it cannot be observed: the reason */
	struct row rows[MOST_ROWS];
	size_t nrows, dropped;
	struct culprit running[64], issuing[64], growing[16];
	size_t nrunning, nissuing, ngrowing;
	struct grower growers[MOST_GROWERS];
	size_t ngrowers;
	bool machine_is_short;
	struct psi psi[RES_COUNT];
	uint64_t shown_ns, shown; /* when last, and how often */
	pid_t oom_killed;
};

/* ---- gathering ---- */

static struct stall *row_of(struct view *v, const struct stall *s)
{
	for (size_t i = 0; i < v->nrows; i++)
		if (v->rows[i].sum.pid == s->pid && v->rows[i].sum.resource == s->resource && v->rows[i].sum.cgroup == s->cgroup)
			return &v->rows[i].sum;
	if (v->nrows == MOST_ROWS) {
		v->dropped++;
		return NULL;
	}
	v->rows[v->nrows].sum = *s;
	v->rows[v->nrows].sum.ns = v->rows[v->nrows].sum.count = v->rows[v->nrows].sum.longest_ns = 0;
	return &v->rows[v->nrows++].sum;
}

static void culprit_add(struct culprit *list, size_t *n, size_t most, pid_t pid, const char *comm, uint64_t cgroup,
			uint64_t amount)
{
	struct culprit *least = list;

	for (size_t i = 0; i < *n; i++) {
		if (list[i].pid == pid) {
			list[i].amount += amount;
			return;
		}
		if (list[i].amount < least->amount)
			least = &list[i];
	}
	if (*n < most)
		least = &list[(*n)++];
	else if (least->amount >= amount)
		return;
	*least = (struct culprit){ .pid = pid, .amount = amount, .cgroup = cgroup };
	snprintf(least->comm, sizeof(least->comm), "%s", comm ? comm : "");
}

static void on_stall(void *ctx, const struct stall *s)
{
	struct view *v = ctx;
	struct stall *row = row_of(v, s);

	if (!row)
		return;
	row->ns += s->ns;
	row->count += s->count;
	if (s->longest_ns > row->longest_ns) {
		row->longest_ns = s->longest_ns;
		row->by = s->by;
		memcpy(row->by_comm, s->by_comm, sizeof(row->by_comm));
	}
	if (s->by)
		culprit_add(v->running, &v->nrunning, ARRAY_SIZE(v->running), s->by, s->by_comm, 0, s->ns);
}

static void on_issued(void *ctx, pid_t pid, const char *comm, uint64_t bytes)
{
	struct view *v = ctx;

	culprit_add(v->issuing, &v->nissuing, ARRAY_SIZE(v->issuing), pid, comm, 0, bytes);
}

static void on_oom_kill(void *ctx, pid_t victim)
{
	((struct view *)ctx)->oom_killed = victim;
}

/* ---- who has grown ---- */

static uint64_t cgroup_of_pid(pid_t pid)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
	char full[PATH_MAX];

	if (!cgroup2_root() || cgroup_of(pid, NULL, &path))
		return 0;
	snprintf(full, sizeof(full), "%s%s", cgroup2_root(), path.s);
	return cgroup_id(full);
}

static int grower_look(void *ctx, pid_t pid)
{
	struct view *v = ctx;
	struct grower *g = NULL;
	char path[64], text[128], comm[COMM_BYTES];
	uint64_t rss;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	text[0] = 0;
	if (!fgets(text, sizeof(text), f))
		text[0] = 0;
	fclose(f);
	rss = strtoull(text + strcspn(text, " "), NULL, 10);
	for (size_t i = 0; i < v->ngrowers && !g; i++)
		if (v->growers[i].pid == pid)
			g = &v->growers[i];
	if (!g && v->ngrowers == MOST_GROWERS)
		return 0;
	/* Who is new since the last look has grown from nothing. */
	if (!g) {
		g = &v->growers[v->ngrowers++];
		*g = (struct grower){ .pid = pid, .rss_pages = v->shown_ns ? 0 : rss };
	}
	if (rss > g->rss_pages + 64) {
		proc_comm(pid, comm, sizeof(comm));
		culprit_add(v->growing, &v->ngrowing, ARRAY_SIZE(v->growing), pid, comm, cgroup_of_pid(pid),
			    (rss - g->rss_pages) * (uint64_t)sysconf(_SC_PAGESIZE));
	}
	g->rss_pages = rss;
	g->seen = true;
	return 0;
}

static void growers_look(struct view *v)
{
	size_t n = 0;

	v->ngrowing = 0;
	proc_each(grower_look, v);
	for (size_t i = 0; i < v->ngrowers; i++) {
		if (!v->growers[i].seen)
			continue;
		v->growers[n] = v->growers[i];
		v->growers[n++].seen = false;
	}
	v->ngrowers = n;
}

/* The largest of them, first of those in the same cgroup, then, if they count, of the others. */
static const struct culprit *culprit_most(const struct culprit *list, size_t n, uint64_t cgroup, bool others)
{
	const struct culprit *most = NULL;

	for (size_t i = 0; i < n; i++)
		if (list[i].cgroup == cgroup && (!most || list[i].amount > most->amount))
			most = &list[i];
	for (size_t i = 0; others && i < n && !(most && most->cgroup == cgroup); i++)
		if (!most || list[i].amount > most->amount)
			most = &list[i];
	return most;
}

static const struct culprit *culprit_of(const struct view *v, const struct stall *s, struct culprit *room)
{
	switch (s->resource) {
	case RES_MEMORY:
		/* While the machine has memory, it is the cgroup's own limit: what grows elsewhere is not to blame. */
		return culprit_most(v->growing, v->ngrowing, s->cgroup, v->machine_is_short);
	case RES_IO:
		return culprit_most(v->issuing, v->nissuing, 0, true);
	default:
		if (!s->by)
			return NULL;
		*room = (struct culprit){ .pid = s->by, .amount = s->longest_ns };
		memcpy(room->comm, s->by_comm, sizeof(room->comm));
		return room;
	}
}

/* ---- showing ---- */

static int row_order(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->sum.resource != y->sum.resource)
		return x->sum.resource < y->sum.resource ? -1 : 1;
	return x->sum.ns > y->sum.ns ? -1 : x->sum.ns < y->sum.ns;
}

static void psi_share(struct view *v, enum resource res, double seconds, double *some, double *full)
{
	char path[64];
	struct psi before = v->psi[res];

	psi_path(path, sizeof(path), res, NULL);
	psi_read(&v->psi[res], path);
	*some = *full = 0;
	if (!before.known || !v->psi[res].known || seconds <= 0)
		return;
	*some = (double)(v->psi[res].some_us - before.some_us) / seconds / 1e4;
	*full = (double)(v->psi[res].full_us - before.full_us) / seconds / 1e4;
}

static void psi_show(struct view *v, double seconds, struct json *j)
{
	char clock[16];
	time_t now = time(NULL);
	struct tm tm;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &tm));
	out_text(v->run, "%s  PSI", clock);
	json_text(j, "time", clock);
	json_object(j, "psi");
	for (enum resource res = 0; res < RES_COUNT; res++) {
		double some, full;

		psi_share(v, res, seconds, &some, &full);
		if (!v->psi[res].known) {
			out_text(v->run, "  %s not in this kernel", resource_names[res]);
			continue;
		}
		out_text(v->run, "  %s some %.1f%% full %.1f%%", resource_names[res], some, full);
		json_object(j, resource_names[res]);
		json_number(j, "some_percent", some);
		json_number(j, "full_percent", full);
		json_number(j, "some_avg10", v->psi[res].some10);
		json_number(j, "full_avg10", v->psi[res].full10);
		json_end(j);
	}
	json_end(j);
	out_text(v->run, "\n");
}

static void cause_text(const struct stall *s, const struct culprit *c, char *out, size_t size)
{
	if (!c)
		snprintf(out, size, s->resource == RES_MEMORY ? "the limit of its cgroup" : "-");
	else if (s->resource == RES_CPU)
		snprintf(out, size, "%s[%d] ran", c->comm, (int)c->pid);
	else
		snprintf(out, size, "%s[%d] %s%.1f MiB", c->comm, (int)c->pid, s->resource == RES_MEMORY ? "+" : "",
			 (double)c->amount / 0x1p20);
}

static void cause_json(struct json *j, const struct stall *s, const struct culprit *c)
{
	static const char *const amounts[] = { [RES_MEMORY] = "grown_bytes", [RES_CPU] = "delayed_ns", [RES_IO] = "issued_bytes" };

	if (!c)
		return;
	json_object(j, "cause");
	json_i64(j, "pid", c->pid);
	json_text(j, "comm", c->comm);
	json_u64(j, amounts[s->resource], c->amount);
	json_end(j);
}

static void row_show(struct view *v, const struct stall *s, double seconds, struct json *j)
{
	const char *cgroup = cgroup_name(s->cgroup);
	char who[COMM_BYTES + 16], cause[96], path[PATH_MAX];
	struct culprit room;
	const struct culprit *c = culprit_of(v, s, &room);
	size_t len = strlen(cgroup);
	struct psi psi;

	snprintf(who, sizeof(who), "%s[%d]", s->comm, (int)s->pid);
	cause_text(s, c, cause, sizeof(cause));
	psi_path(path, sizeof(path), s->resource, cgroup);
	psi_read(&psi, path);
	out_text(v->run, "%-8s%9.1f ms %6.1f%% %9.1f ms %7llu  %-24s%-*s %6.1f%%  %s\n", resource_names[s->resource],
		 (double)s->ns / 1e6, seconds > 0 ? (double)s->ns / seconds / 1e7 : 0, (double)s->longest_ns / 1e6,
		 (unsigned long long)s->count, who, CGROUP_WIDTH, len > CGROUP_WIDTH ? cgroup + len - CGROUP_WIDTH : cgroup,
		 psi.some10, cause);
	json_object(j, NULL);
	json_text(j, "resource", resource_names[s->resource]);
	json_i64(j, "pid", s->pid);
	json_text(j, "comm", s->comm);
	json_text(j, "cgroup", cgroup);
	json_u64(j, "stalled_ns", s->ns);
	json_u64(j, "longest_ns", s->longest_ns);
	json_u64(j, "stalls", s->count);
	if (psi.known)
		json_number(j, "cgroup_psi_some_avg10", psi.some10);
	cause_json(j, s, c);
	json_end(j);
}

static void rows_show(struct view *v, double seconds, struct json *j)
{
	uint64_t of_resource = 0, left_out = v->dropped;

	qsort(v->rows, v->nrows, sizeof(v->rows[0]), row_order);
	if (v->nrows)
		out_text(v->run, "%-8s%12s %7s %12s %7s  %-24s%-*s %7s  %s\n", "", "STALLED", "SHARE", "LONGEST", "TIMES", "WHO",
			 CGROUP_WIDTH, "CGROUP", "AVG10", "CAUSE");
	json_array(j, "stalls");
	for (size_t i = 0; i < v->nrows; i++) {
		of_resource = i && v->rows[i].sum.resource == v->rows[i - 1].sum.resource ? of_resource + 1 : 0;
		if (of_resource < v->set->top)
			row_show(v, &v->rows[i].sum, seconds, j);
		else
			left_out++;
	}
	json_end(j);
	if (left_out)
		out_text(v->run, "and %llu more (--top)\n", (unsigned long long)left_out);
	json_u64(j, "left_out", left_out);
}

static bool machine_is_short(void)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	uint64_t all = 0, left = 0;

	return file_read(&text, "/proc/meminfo") || !field_u64(text.s, "MemTotal:", &all) ||
	       !field_u64(text.s, "MemAvailable:", &left) || left < all / 10;
}

/* What cannot be observed is said every time, with the reason: no row would look like no stall. */
static void unseen_show(struct view *v, struct json *j)
{
	json_object(j, "not_observable");
	for (enum resource res = 0; res < RES_COUNT; res++) {
		if (!v->why[res].len)
			continue;
		out_text(v->run, "%-8snot observable: %s\n", resource_names[res], v->why[res].s);
		json_text(j, resource_names[res], v->why[res].s);
	}
	json_end(j);
}

static int show(void *ctx, uint32_t events)
{
	struct view *v = ctx;
	_cleanup_json_ struct json j = JSON_INIT;
	uint64_t now = now_ns();
	double seconds = v->shown_ns ? (double)(now - v->shown_ns) / 1e9 : 0;

	(void)events;
	growers_look(v);
	v->machine_is_short = machine_is_short();
	if (!v->run->json && isatty(v->run->fd))
		out_text(v->run, "\033[H\033[J");
	json_object(&j, NULL);
	psi_show(v, seconds, &j);
	rows_show(v, seconds, &j);
	unseen_show(v, &j);
	if (v->oom_killed) {
		out_text(v->run, "the kernel has killed process %d for want of memory\n", (int)v->oom_killed);
		json_i64(&j, "oom_killed", v->oom_killed);
	}
	json_end(&j);
	out_json(v->run, "pressure", &j);
	v->nrows = v->dropped = v->nrunning = v->nissuing = 0;
	v->oom_killed = 0;
	v->shown_ns = now;
	v->shown++;
	return 0;
}

/* ---- names of cgroups ---- */

const char *cgroup_name(uint64_t id)
{
	static struct {
		uint64_t id;
		char *path;
	} known[256];
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
	size_t at = id % ARRAY_SIZE(known);

	if (known[at].path && known[at].id == id)
		return known[at].path;
	if (cgroup_path_of(id, &path))
		return "?";
	free(known[at].path);
	known[at].id = id;
	known[at].path = strbuf_take(&path);
	return known[at].path ? known[at].path : "?";
}

static int start(struct view *v)
{
	size_t seen = 0;

	for (enum resource res = 0; res < RES_COUNT; res++) {
		char path[64];

		psi_path(path, sizeof(path), res, NULL);
		psi_read(&v->psi[res], path);
		v->why[res] = (struct strbuf)STRBUF_INIT;
		if (!stalls_ask(v->run, res, &v->source, &v->why[res]))
			seen++;
		else if (!v->why[res].len)
			strbuf_addstr(&v->why[res], "the kernel refused the question");
	}
	if (!seen)
		return subject_fail(v->run, -1, NULL, "no stall can be observed: %s", v->why[RES_MEMORY].s);
	growers_look(v);
	v->shown_ns = now_ns();
	return loop_every(v->run, v->set->interval_ns, show, v) ? 0 : -1;
}

int view_run(struct subject_run *r)
{
	struct view *v = calloc(1, sizeof(*v));
	int err;

	if (!v)
		return subject_fail(r, SUBJECT_FAILED, NULL, "out of memory");
	v->run = r;
	v->set = r->settings;
	v->source = (struct stall_source){ .ctx = v, .stall = on_stall, .oom_kill = on_oom_kill, .issued = on_issued };
	err = start(v);
	err = err ? err : loop_run(r);
	/* What has come since the last interval ended, unless that was just now. */
	if (!err && (!v->shown || now_ns() - v->shown_ns > v->set->interval_ns / 10))
		show(v, 0);
	for (enum resource res = 0; res < RES_COUNT; res++)
		strbuf_free(&v->why[res]);
	free(v);
	return err ? SUBJECT_FAILED : SUBJECT_FINE;
}
