/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Surface, recording: one question made of parts, because what a probe of one part learns (who is traced) the others
 * use. A part that this kernel refuses is left out, with the reason.
 */
#include <errno.h>
#include <stdio.h>

#include "base/util.h"
#include "subject/surface.h"

extern const char surface_bt[], surface_cap_tracepoint_bt[], surface_cap_fexit_bt[], surface_cap_kprobe_bt[];

const char *const part_names[] = { "outside", "setup", "work" };

/* ---- rows ---- */

static struct row *row_new(struct surface *s, struct rows *rows)
{
	struct row *v;

	if (rows->n < rows->room)
		return &rows->v[rows->n++];
	v = realloc(rows->v, (rows->room * 2 + 32) * sizeof(*v));
	if (!v) {
		s->failed = true;
		return NULL;
	}
	rows->v = v;
	rows->room = rows->room * 2 + 32;
	return &rows->v[rows->n++];
}

void surface_add(struct surface *s, enum table t, const char *text, enum part part, int64_t a, int64_t b, uint64_t count)
{
	struct rows *rows = &s->table[t];
	struct row *new;

	for (struct row *r = rows->v; r < rows->v + rows->n; r++)
		if (r->part == part && r->a == a && r->b == b && str_eq(r->text, text)) {
			r->count += count;
			return;
		}
	new = row_new(s, rows);
	if (!new)
		return;
	*new = (struct row){ text ? strdup(text) : NULL, part, a, b, count };
	s->failed |= text && !new->text;
}

void surface_free(struct surface *s)
{
	for (size_t t = 0; t < TABLE_COUNT; t++) {
		for (size_t i = 0; i < s->table[t].n; i++)
			free(s->table[t].v[i].text);
		free(s->table[t].v);
	}
	for (size_t i = 0; i < s->nunseen; i++)
		strbuf_free(&s->unseen[i].why);
}

void surface_unseen(struct surface *s, const char *item, struct strbuf *why)
{
	if (s->nunseen < UNSEEN_MOST) {
		s->unseen[s->nunseen].item = item;
		s->unseen[s->nunseen++].why = *why;
		*why = (struct strbuf)STRBUF_INIT;
	}
	strbuf_reset(why);
}

/* ---- maps into rows ---- */

/* A row of a map: which part of its key is what. */
struct map_row {
	const char *map;
	enum table table;
	int part, text, a, b; /* -1: none */
	enum part fixed;      /* when the key does not say the part */
};

static const struct map_row map_rows[] = {
	{ "@work", TABLE_CALLS, -1, 0, -1, -1, PART_WORK },
	{ "@outside", TABLE_CALLS, -1, 0, -1, -1, PART_OUTSIDE },
	{ "@setup", TABLE_SETUP, -1, 2, 0, 1, PART_SETUP },
	{ "@started", TABLE_STARTED, -1, -1, 0, 1, PART_SETUP },
	{ "@arg", TABLE_ARGUMENTS, 0, 1, 2, -1, 0 },
	{ "@socket", TABLE_SOCKETS, 0, -1, 1, 2, 0 },
	{ "@cap", TABLE_CAPABILITIES, 0, -1, 1, 2, 0 },
	{ "@function", TABLE_FUNCTIONS, 0, 1, -1, -1, 0 },
	{ "@compat", TABLE_COMPAT, -1, -1, 0, -1, PART_WORK },
};

/* Part of a key as a number; false and true too. */
static int64_t key_int(const struct sonde_record *rec, size_t row, int part)
{
	int64_t v = 0;

	if (part < 0 || sonde_record_key_part_int(rec, row, (size_t)part, &v))
		return v;
	return str_eq(sonde_record_key_part(rec, row, (size_t)part), "true");
}

static void add_row(struct surface *s, const struct map_row *m, const struct sonde_record *rec, size_t row)
{
	int64_t count = 1;
	enum part part = m->part < 0 ? m->fixed : (enum part)MIN((uint64_t)key_int(rec, row, m->part), PART_WORK);

	sonde_record_value_int(rec, row, &count);
	surface_add(s, m->table, m->text < 0 ? NULL : sonde_record_key_part(rec, row, (size_t)m->text), part, key_int(rec, row, m->a),
		    key_int(rec, row, m->b), (uint64_t)count);
}

/* A number among the names of /proc is some process, whichever it was this time. */
static void add_name(struct strbuf *path, const char *name)
{
	if (!name || !*name || str_eq(name, "/"))
		return;
	strbuf_addch(path, '/');
	strbuf_addstr(path, name[strspn(name, "0123456789")] ? name : "PID");
}

static void add_file(struct surface *s, const struct sonde_record *rec, size_t row)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
	bool proc = key_int(rec, row, 1);
	int64_t count = 1;

	strbuf_addstr(&path, proc ? "/proc" : "/sys");
	for (size_t i = 3; i < 8; i++) {
		const char *name = sonde_record_key_part(rec, row, i);

		/* Only numbers of processes are names that change. */
		if (proc)
			add_name(&path, name);
		else if (name && *name && !str_eq(name, "/"))
			strbuf_addf(&path, "/%s", name);
	}
	sonde_record_value_int(rec, row, &count);
	surface_add(s, TABLE_FILES, path.s, (enum part)MIN((uint64_t)key_int(rec, row, 0), PART_WORK), key_int(rec, row, 2), 0,
		    (uint64_t)count);
}

static int on_record(void *ctx, const struct sonde_record *rec)
{
	struct surface *s = ctx;
	const char *map = sonde_record_kind(rec) == SONDE_MAP ? sonde_record_map(rec) : "";
	size_t rows = *map ? sonde_record_number(rec) : 0;

	if (sonde_record_kind(rec) == SONDE_LOST)
		s->lost += sonde_record_number(rec);
	for (size_t row = 0; row < rows; row++) {
		if (str_eq(map, "@file"))
			add_file(s, rec, row);
		for (size_t i = 0; i < ARRAY_SIZE(map_rows); i++)
			if (str_eq(map_rows[i].map, map))
				add_row(s, &map_rows[i], rec, row);
	}
	return 0;
}

/* ---- the question ---- */

/* How capabilities can be seen, the best way first. */
static const struct {
	const char *probe, *text;
} cap_ways[] = {
	{ "tracepoint:capability:cap_capable", surface_cap_tracepoint_bt },
	{ "fexit:cap_capable", surface_cap_fexit_bt },
	{ "kretprobe:cap_capable", surface_cap_kprobe_bt },
};

/* Begins to ask for what `text` says. -1: it cannot, and `why` says why. */
static int try_ask(struct surface *s, struct subject_run *r, const struct target *t, const char *text, const char *const *params,
		   struct strbuf *why)
{
	struct question q = { .name = "surface", .source = text, .params = params, .record = on_record, .ctx = s, .why = why };

	if (t->child) {
		q.pid = sonde_child_pid(t->child);
		q.pid_is_child = true;
	}
	strbuf_reset(why);
	return ask(r, &q, NULL);
}

/* `text` with the first of the ways by which capabilities can be seen here. */
static bool ask_capabilities(struct surface *s, struct subject_run *r, const struct target *t, const struct strbuf *text,
			     const char *const *params, struct strbuf *why)
{
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(cap_ways); i++) {
		_cleanup_strbuf_ struct strbuf whole = STRBUF_INIT;

		if (!probe_exists(cap_ways[i].probe))
			continue;
		any = true;
		strbuf_addf(&whole, "%s%s", text->s, cap_ways[i].text);
		if (!whole.failed && !try_ask(s, r, t, whole.s, params, why))
			return true;
	}
	if (!any)
		strbuf_addstr(why, "this kernel has neither the tracepoint capability:cap_capable nor probes of functions");
	return false;
}

static void add_functions(struct strbuf *text, const char *pattern)
{
	strbuf_addf(text, "\nkprobe:%s\n{\n\t$p = @in[curtask.tgid];\n\tif $p != 0 { @function[part($p), func] = count() }\n}\n", pattern);
}

/* Capabilities with functions, without them, or neither: what goes of these. */
static int ask_most(struct surface *s, struct subject_run *r, const struct target *t, const char *functions, const char *const *params)
{
	_cleanup_strbuf_ struct strbuf base = STRBUF_INIT, with = STRBUF_INIT, why = STRBUF_INIT, why_not = STRBUF_INIT;

	strbuf_addstr(&base, surface_bt);
	strbuf_addstr(&with, surface_bt);
	if (functions) {
		add_functions(&with, functions);
		s->has_functions = s->has_capabilities = ask_capabilities(s, r, t, &with, params, &why);
		s->has_functions = s->has_functions || !try_ask(s, r, t, with.s, params, &why_not);
	}
	if (!s->has_functions) {
		if (functions)
			surface_unseen(s, "functions", &why_not);
		s->has_capabilities = ask_capabilities(s, r, t, &base, params, &why);
	}
	if (!s->has_capabilities)
		surface_unseen(s, "capabilities", &why);
	if (s->has_functions || s->has_capabilities)
		return 0;
	if (!try_ask(s, r, t, base.s, params, &why))
		return 0;
	return subject_fail(r, SUBJECT_UNSEEN, NULL, "not observable: system calls: %s", why.s);
}

static void note_functions(struct surface *s, const struct surface_settings *settings)
{
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;

	if (settings->functions)
		return;
	strbuf_addstr(&why, "not asked for: --functions PATTERN");
	surface_unseen(s, "functions", &why);
}

int surface_record(struct surface *s, struct subject_run *r, struct target *t)
{
	const struct surface_settings *settings = r->settings;
	struct strbuf text[3] = { STRBUF_INIT, STRBUF_INIT, STRBUF_INIT };
	const char *params[8];
	int status;

	target_params(t, text, params);
	status = ask_most(s, r, t, settings->functions, params);
	for (int i = 0; i < 3; i++)
		strbuf_free(&text[i]);
	note_functions(s, settings);
	status = status ? status : target_start(t);
	if (!status && loop_run(r))
		status = SUBJECT_FAILED;
	if (!status && s->failed)
		status = subject_fail(r, SUBJECT_FAILED, NULL, "out of memory");
	return status;
}

/* ---- what a profile needs ---- */

/* Threads, memory, waiting and signals: what Go and others do whenever they see fit. */
const char *const calls_always[] = {
	"clock_gettime", "clock_nanosleep", "close", "epoll_ctl", "epoll_pwait", "exit", "exit_group", "futex", "getpid", "gettid",
	"madvise", "mmap", "mprotect", "munmap", "nanosleep", "read", "restart_syscall", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
	"sched_yield", "sigaltstack", "tgkill", "write", NULL,
};

static const char *const calls_anytime[] = {
	"brk", "clone", "clone3", "epoll_create1", "epoll_wait", "eventfd2", "fcntl", "getrandom", "mremap", "pipe2", "rseq",
	"sched_getaffinity", "set_robust_list", "arch_prctl",
};

bool call_is_anytime(const char *name)
{
	for (const char *const *c = calls_always; *c; c++)
		if (str_eq(*c, name))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(calls_anytime); i++)
		if (str_eq(calls_anytime[i], name))
			return true;
	return false;
}

/* With these a runtime builds the container; a profile comes behind the last of them. */
static bool call_builds(const char *name)
{
	static const char *const names[] = {
		"mount", "umount", "umount2", "pivot_root", "setns", "unshare", "chroot", "sethostname", "setdomainname", "move_mount",
		"open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

bool surface_is_contained(const struct surface *s)
{
	if (s->table[TABLE_SETUP].n)
		return true;
	for (size_t i = 0; i < s->table[TABLE_CALLS].n; i++)
		if (s->table[TABLE_CALLS].v[i].part == PART_WORK)
			return true;
	return false;
}

bool surface_is_needed(const struct surface *s, const struct row *r)
{
	const struct rows *started = &s->table[TABLE_STARTED];

	if (r->part != PART_SETUP)
		return r->part == (surface_is_contained(s) ? PART_WORK : PART_OUTSIDE);
	for (size_t i = 0; i < started->n; i++)
		if (started->v[i].a == r->a) {
			if (started->v[i].b == r->b && !call_builds(r->text))
				return true;
			return call_is_anytime(r->text);
		}
	return false;
}
