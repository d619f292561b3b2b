/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Surface, recording: one question made of parts, because what a probe of one part learns (who is traced) the others
 * use. A part that this kernel refuses is left out, with the reason.
 */
#include <errno.h>
#include <stdio.h>

#include "base/util.h"
#include "subject/surface.h"

extern const char surface_bt[], surface_cap_tracepoint_bt[], surface_cap_fexit_bt[],
	surface_cap_kprobe_bt[];

/* Does the thread make a system call of 32-bit programs, whose numbers are others? */
#if defined(__x86_64__)
static const char compat[] = "macro is_compat() { (curtask.thread_info.status & 2) != 0 }\n";
#else
static const char compat[] = "macro is_compat() { false }\n";
#endif

const char *const part_names[] = { "outside", "setup", "work" };

/* ---- rows ---- */

static size_t row_hash(const struct row *r)
{
	uint64_t h = 14695981039346656037u ^ (uint64_t)r->part;

	for (const char *p = r->text; p && *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	h = (h ^ (uint64_t)r->a) * 1099511628211u;
	h = (h ^ (uint64_t)r->b) * 1099511628211u;
	return (size_t)(h ^ h >> 32);
}

static bool row_eq(const struct row *x, const struct row *y)
{
	return x->part == y->part && x->a == y->a && x->b == y->b && str_eq(x->text, y->text);
}

/* Where this row is, or the free slot where it would be. */
static uint32_t *find_slot(const struct rows *rows, const struct row *r)
{
	size_t at = row_hash(r);

	while (rows->slots[at & (rows->nslots - 1)] &&
	       !row_eq(&rows->v[rows->slots[at & (rows->nslots - 1)] - 1], r))
		at++;
	return &rows->slots[at & (rows->nslots - 1)];
}

/* Room for one more. */
static bool rows_grow(struct rows *rows)
{
	size_t room = rows->room ? rows->room * 2 : 32;
	struct row *v = realloc(rows->v, room * sizeof(*v));
	uint32_t *slots;

	if (!v)
		return false;
	rows->v = v;
	slots = calloc(room * 2, sizeof(*slots));
	if (!slots)
		return false;
	free(rows->slots);
	rows->slots = slots;
	rows->nslots = room * 2;
	rows->room = room;
	for (size_t i = 0; i < rows->n; i++)
		*find_slot(rows, &rows->v[i]) = (uint32_t)i + 1;
	return true;
}

void surface_add(struct surface *s, enum table t, const char *text, enum part part, int64_t a,
		 int64_t b, uint64_t count)
{
	struct rows *rows = &s->table[t];
	struct row want = { .part = part, .a = a, .b = b, .count = count };
	uint32_t *slot;

	if (rows->n == rows->room && !rows_grow(rows)) {
		s->failed = true;
		return;
	}
	want.text = text ? strdup(text) : NULL;
	if (text && !want.text) {
		s->failed = true;
		return;
	}
	slot = find_slot(rows, &want);
	if (*slot) {
		rows->v[*slot - 1].count += count;
		free(want.text);
		return;
	}
	rows->v[rows->n++] = want;
	*slot = (uint32_t)rows->n;
}

void surface_free(struct surface *s)
{
	for (size_t t = 0; t < TABLE_COUNT; t++) {
		for (size_t i = 0; i < s->table[t].n; i++)
			free(s->table[t].v[i].text);
		free(s->table[t].v);
		free(s->table[t].slots);
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

static void add_row(struct surface *s, const struct map_row *m, const struct sonde_record *rec,
		    size_t row)
{
	int64_t count = 1;
	enum part part = m->part < 0 ? m->fixed :
		(enum part)MIN((uint64_t)key_int(rec, row, m->part), PART_WORK);

	sonde_record_value_int(rec, row, &count);
	surface_add(s, m->table, m->text < 0 ? NULL :
		    sonde_record_key_part(rec, row, (size_t)m->text), part, key_int(rec, row, m->a),
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
	surface_add(s, TABLE_FILES, path.s, (enum part)MIN((uint64_t)key_int(rec, row, 0),
							   PART_WORK), key_int(rec, row, 2), 0,
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
static int try_ask(struct surface *s, struct subject_run *r, const struct target *t,
		   const char *text, const char *const *params,
		   struct strbuf *why)
{
	struct question q = { .name = "surface", .source = text, .params = params,
		.record = on_record, .ctx = s, .why = why };

	if (t->child) {
		q.pid = sonde_child_pid(t->child);
		q.pid_is_child = true;
	}
	strbuf_reset(why);
	return ask(r, &q, NULL);
}

/* `text` with the first of the ways by which capabilities can be seen here. */
static bool ask_capabilities(struct surface *s, struct subject_run *r, const struct target *t,
			     const struct strbuf *text,
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

/* Each of the patterns is a probe of its own. */
static void add_functions(struct strbuf *text, const char *patterns)
{
	const char *comma = "\n";

	while (*patterns) {
		size_t n = strcspn(patterns, ", ");

		if (n)
			strbuf_addf(text, "%skprobe:%.*s", comma, (int)n, patterns);
		comma = n ? ",\n" : comma;
		patterns += n + (patterns[n] != 0);
	}
	strbuf_addstr(text, "\n{\n\t$p = @in[curtask.tgid];\n\tif $p != 0 { @function[part($p), func] = count() }\n}\n");
}

/* What is missing is ignored by the question, so it is looked for here. */
static bool has_function(const char *patterns, struct strbuf *why)
{
	while (*patterns) {
		_cleanup_strbuf_ struct strbuf probe = STRBUF_INIT;
		size_t n = strcspn(patterns, ", ");

		strbuf_addf(&probe, "kprobe:%.*s", (int)n, patterns);
		if (n && probe_exists(probe.s))
			return true;
		patterns += n + (patterns[n] != 0);
	}
	strbuf_addstr(why, "this kernel cannot trace functions, or none matches");
	return false;
}

/* Capabilities with functions, without them, or neither: what goes of these. */
static int ask_most(struct surface *s, struct subject_run *r, const struct target *t,
		    const char *functions, const char *const *params)
{
	_cleanup_strbuf_ struct strbuf base = STRBUF_INIT, with = STRBUF_INIT, why = STRBUF_INIT,
		why_not = STRBUF_INIT;

	strbuf_addf(&base, "%s%s", compat, surface_bt);
	strbuf_addstr(&with, base.s);
	if (functions && has_function(functions, &why_not)) {
		add_functions(&with, functions);
		s->has_functions = s->has_capabilities = ask_capabilities(s, r, t, &with, params,
									  &why);
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

/* What the question leaves out where the kernel has no such event. */
static const struct {
	const char *probe, *item; /* item NULL: nothing can be said without it */
} needed_probes[] = {
	{ "tracepoint:raw_syscalls:sys_enter", NULL },
	{ "rawtracepoint:sched_process_fork", NULL },
	{ "tracepoint:sched:sched_process_exec", NULL },
	{ "tracepoint:sched:sched_process_exit", NULL },
	{ "tracepoint:syscalls:sys_enter_socket", "sockets" },
	{ "tracepoint:syscalls:sys_enter_prctl", "arguments" },
	{ "tracepoint:syscalls:sys_exit_openat", "files" },
};

static int note_missing(struct surface *s, struct subject_run *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(needed_probes); i++) {
		_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;

		if (probe_exists(needed_probes[i].probe))
			continue;
		if (!needed_probes[i].item)
			return subject_fail(r, SUBJECT_UNSEEN, NULL,
					    "not observable: this kernel has no %s",
					    needed_probes[i].probe);
		strbuf_addf(&why, "this kernel has no %s", needed_probes[i].probe);
		surface_unseen(s, needed_probes[i].item, &why);
	}
	return 0;
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
	status = note_missing(s, r);
	status = status ? status : ask_most(s, r, t, settings->functions, params);
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
	"clock_gettime", "clock_nanosleep", "close", "epoll_ctl", "epoll_pwait", "exit",
	"exit_group", "futex", "getpid", "gettid",
	"madvise", "mmap", "mprotect", "munmap", "nanosleep", "read", "restart_syscall",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
	"sched_yield", "sigaltstack", "tgkill", "write", NULL,
};

static const char *const calls_anytime[] = {
	"brk", "clone", "clone3", "epoll_create1", "epoll_wait", "eventfd2", "fcntl", "getrandom",
	"mremap", "pipe2", "rseq",
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
		"mount", "umount", "umount2", "pivot_root", "setns", "unshare", "chroot",
		"sethostname", "setdomainname", "move_mount",
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
