/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unwind: what the unwinder in the kernel wants to know (code/unwind.h). A process is told of when a stack of it
 * has been asked for the first time, and again when it has mapped other code; the rules of a file once.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>

#include "base/util.h"
#include "code/unwind.h"
#include "run/internal.h"
#include "symbol/eh_frame.h"
#include "symbol/symbol.h"

/* How often the session looks for processes that are wanted; less often when there have been none for a while. */
#define TICK_NS (20 * 1000 * 1000L)
#define TICK_IDLE_NS (100 * 1000 * 1000L)
#define IDLE_TICKS 50
/* As many at a time; the others are still there at the next tick. */
#define MOST_AT_ONCE 64

#define MOST_PROGRAMS 256

/* Fewer stacks than this are not worth a word. */
#define WORTH_TELLING 100
/* So much of a processor's time before anything is attached. */
#define RUNNING_NS 5000000ULL

/* A table whose nodes are in the kernel. */
struct unwind_file {
	const struct unwind_table *table;
	uint32_t root, levels; /* levels 0: there was no room */
};

struct unwind_process {
	uint32_t pid, parts;
};

struct unwind {
	struct session *s;
	struct symbols *symbols;
	int images_fd, nodes_fd, wanted_fd; /* owned by the object */
	uint32_t nnodes, changes, idle;
	bool full;
	uint64_t by_pointers; /* stacks of processes that were not known yet */
	struct unwind_file *files;
	uint32_t nfiles, files_cap;
	struct unwind_process *processes; /* in order of pid */
	uint32_t nprocesses, processes_cap;
	/* Stacks of processes with these programs have been asked for: those of others with the same will be. */
	uint64_t programs[MOST_PROGRAMS];
	uint32_t nprograms;
};

/* The list with room for one more; NULL: there is no memory, and the list is what it was. */
static void *room(void *list, uint32_t n, uint32_t *cap, size_t bytes)
{
	uint32_t more = *cap ? *cap * 2 : 64;
	void *grown;

	if (list && n < *cap)
		return list;
	grown = realloc(list, more * bytes);
	if (grown)
		*cap = more;
	return grown;
}

/* ---- files: a tree, from its leaves on ---- */

/* What one node of the level above has to say of each node of this one. */
struct level {
	struct unwind_row *rows;
	uint32_t n;
};

static void full_tell(struct unwind *u)
{
	if (!u->full)
		report_warning(u->s->report, NULL,
			       "there is no room for all unwind tables: some user stacks end early");
	u->full = true;
}

/* 0: there is no room. */
static uint32_t node_put(struct unwind *u, const struct unwind_row *rows, uint32_t n)
{
	uint32_t id = u->nnodes + 1;
	struct unwind_node node;

	for (uint32_t i = 0; i < UNWIND_NODE_ENTRIES; i++) {
		node.pc[i] = i < n ? rows[i].pc : UINT32_MAX;
		node.to[i] = i < n ? rows[i].rule : 0;
	}
	if (bpf_map_update_elem(u->nodes_fd, &id, &node, BPF_ANY)) {
		full_tell(u);
		return 0;
	}
	u->nnodes = id;
	return id;
}

/* Replaces the rows of a level by those of the one above. */
static bool level_put(struct unwind *u, struct level *level)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < level->n; i += UNWIND_NODE_ENTRIES) {
		uint32_t id = node_put(u, &level->rows[i], MIN(level->n - i, UNWIND_NODE_ENTRIES));

		if (!id)
			return false;
		level->rows[n++] = (struct unwind_row){ level->rows[i].pc, id };
	}
	level->n = n;
	return true;
}

static void file_put(struct unwind *u, struct unwind_file *f)
{
	const struct unwind_table *t = f->table;
	struct level level = { .n = t->n + 1 };
	uint32_t levels = 0;

	level.rows = malloc(level.n * sizeof(*level.rows));
	if (!level.rows)
		return;
	level.rows[0] = (struct unwind_row){ 0, UNWIND_RULE_SPECIAL(UNWIND_GAP) };
	memcpy(&level.rows[1], t->rows, t->n * sizeof(*t->rows));
	do {
		if (levels == UNWIND_MOST_LEVELS || !level_put(u, &level))
			goto out;
		levels++;
	} while (level.n > 1);
	f->root = level.rows[0].rule;
	f->levels = levels;
out:
	free(level.rows);
}

static const struct unwind_file *file_of(struct unwind *u, const struct unwind_table *table)
{
	struct unwind_file *files;

	for (uint32_t i = 0; i < u->nfiles; i++)
		if (u->files[i].table == table)
			return &u->files[i];
	files = room(u->files, u->nfiles, &u->files_cap, sizeof(*u->files));
	if (!files)
		return NULL;
	u->files = files;
	u->files[u->nfiles] = (struct unwind_file){ .table = table };
	file_put(u, &u->files[u->nfiles]);
	return &u->files[u->nfiles++];
}

/* ---- processes ---- */

/* An entry of an image. */
struct entry {
	uint64_t start, bias;
	uint32_t root, levels;
};

struct entries {
	struct entry *v;
	uint32_t n, cap;
};

static void entry_add(struct entries *e, struct entry entry)
{
	struct entry *v = room(e->v, e->n, &e->cap, sizeof(*e->v));

	if (!v)
		return;
	e->v = v;
	v[e->n++] = entry;
}

/* Where no code is a stack has come to its end. */
static struct entry entry_none(uint64_t start)
{
	return (struct entry){ .start = start, .root = UNWIND_RULE_SPECIAL(UNWIND_UNKNOWN) };
}

static void span_add(struct unwind *u, struct entries *e, const struct unwind_span *span)
{
	struct entry entry = { .start = span->start, .bias = span->base, .root = UNWIND_RULE_SPECIAL(UNWIND_GAP) };
	const struct unwind_file *f = span->table ? file_of(u, span->table) : NULL;

	if (f && f->levels) {
		entry.root = f->root;
		entry.levels = f->levels;
	}
	entry_add(e, entry);
}

static void entries_make(struct unwind *u, const struct unwind_span *spans, uint32_t n, struct entries *e)
{
	entry_add(e, entry_none(0));
	for (uint32_t i = 0; i < n; i++) {
		span_add(u, e, &spans[i]);
		if (i + 1 == n || spans[i + 1].start > spans[i].end)
			entry_add(e, entry_none(spans[i].end));
	}
}

static bool part_put(struct unwind *u, uint32_t pid, uint32_t part, const struct entry *v, uint32_t n)
{
	uint64_t key = (uint64_t)part << 32 | pid;
	struct unwind_image image;

	for (uint32_t i = 0; i < UNWIND_IMAGE_ENTRIES; i++) {
		image.start[i] = i < n ? v[i].start : UNWIND_NOWHERE;
		image.bias[i] = i < n ? v[i].bias : 0;
		image.tree[i].root = i < n ? v[i].root : UNWIND_RULE_SPECIAL(UNWIND_UNKNOWN);
		image.tree[i].levels = i < n ? v[i].levels : 0;
	}
	return !bpf_map_update_elem(u->images_fd, &key, &image, BPF_ANY);
}

/* The number of parts, 0 when there was no room for it. */
static uint32_t entries_put(struct unwind *u, uint32_t pid, const struct entries *e)
{
	struct entry index[UNWIND_IMAGE_ENTRIES];
	uint32_t n = 0;

	if (e->n <= UNWIND_IMAGE_ENTRIES)
		return part_put(u, pid, 0, e->v, e->n);
	for (uint32_t i = 0; i < e->n && n < UNWIND_IMAGE_ENTRIES; i += UNWIND_IMAGE_ENTRIES) {
		index[n] = (struct entry){ .start = e->v[i].start, .root = n + 1, .levels = UNWIND_PART };
		if (!part_put(u, pid, ++n, &e->v[i], MIN(e->n - i, UNWIND_IMAGE_ENTRIES)))
			return 0;
	}
	return part_put(u, pid, 0, index, n) ? n + 1 : 0;
}

static bool all_keep_pointers(const struct unwind_span *spans, uint32_t n)
{
	bool some = false;

	for (uint32_t i = 0; i < n; i++) {
		if (spans[i].table && !spans[i].table->frame_pointers)
			return false;
		some |= spans[i].table != NULL;
	}
	return some;
}

static uint32_t image_put(struct unwind *u, uint32_t pid)
{
	struct entry by_pointers = { .levels = UNWIND_FRAMES };
	struct unwind_span *spans = NULL;
	struct entries e = { 0 };
	uint32_t n, parts;

	/* Threads of the kernel have no code of their own, and are not to be asked about again. */
	if (symbols_unwind(u->symbols, pid, &spans, &n) || all_keep_pointers(spans, n))
		entry_add(&e, by_pointers);
	else
		entries_make(u, spans, n, &e);
	parts = e.n ? entries_put(u, pid, &e) : 0;
	if (!parts)
		full_tell(u);
	free(e.v);
	free(spans);
	return parts;
}

static void image_remove(struct unwind *u, const struct unwind_process *p)
{
	for (uint32_t part = 0; part < p->parts; part++) {
		uint64_t key = (uint64_t)part << 32 | p->pid;

		bpf_map_delete_elem(u->images_fd, &key);
	}
}

/* Where it is in the list, or would be. */
static uint32_t process_at(const struct unwind *u, uint32_t pid)
{
	uint32_t low = 0, high = u->nprocesses;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (u->processes[mid].pid < pid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void process_tell(struct unwind *u, uint32_t pid)
{
	uint32_t at = process_at(u, pid);
	struct unwind_process *p;

	if (!u->processes || at == u->nprocesses || u->processes[at].pid != pid) {
		p = room(u->processes, u->nprocesses, &u->processes_cap, sizeof(*u->processes));
		if (!p)
			return;
		u->processes = p;
		memmove(&u->processes[at + 1], &u->processes[at], (u->nprocesses - at) * sizeof(*u->processes));
		u->processes[at] = (struct unwind_process){ .pid = pid };
		u->nprocesses++;
	}
	p = &u->processes[at];
	p->parts = MAX(p->parts, image_put(u, pid));
}

static bool is_told(const struct unwind *u, uint32_t pid)
{
	uint32_t at = process_at(u, pid);

	return at < u->nprocesses && u->processes[at].pid == pid;
}

/* Of those that are over. */
static void processes_drop(struct unwind *u)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < u->nprocesses; i++) {
		uint32_t pid = u->processes[i].pid;

		if (pid && !symbols_unwind_changes(u->symbols, pid))
			image_remove(u, &u->processes[i]);
		else
			u->processes[kept++] = u->processes[i];
	}
	u->nprocesses = kept;
}

static bool program_is_wanted(const struct unwind *u, uint64_t program)
{
	for (uint32_t i = 0; program && i < u->nprograms; i++)
		if (u->programs[i] == program)
			return true;
	return false;
}

static void program_want(struct unwind *u, uint32_t pid)
{
	uint64_t program = symbols_unwind_program(u->symbols, pid);

	if (program && u->nprograms < MOST_PROGRAMS && !program_is_wanted(u, program))
		u->programs[u->nprograms++] = program;
}

/*
 * Those that have mapped other code since they were told of, and those that are over. A new one whose program was
 * wanted before is told of when it begins: a short one has ended before it could be asked for. All others of a busy
 * machine (compilers have large tables) would keep it waiting.
 */
static void processes_renew(struct unwind *u)
{
	uint32_t changes = symbols_unwind_changes(u->symbols, 0), pid;

	if (changes == u->changes)
		return;
	u->changes = changes;
	while ((pid = symbols_unwind_changed(u->symbols)))
		if (is_told(u, pid) || program_is_wanted(u, symbols_unwind_program(u->symbols, pid)))
			process_tell(u, pid);
	processes_drop(u);
}

/* Those whose stacks have been asked for in vain. In the end they are only counted: reading tables takes its time. */
static uint32_t wanted_tell(struct unwind *u, bool in_the_end)
{
	uint32_t pid, times, n;

	for (n = 0; n < MOST_AT_ONCE && !bpf_map_get_next_key(u->wanted_fd, NULL, &pid); n++) {
		if (!in_the_end)
			process_tell(u, pid);
		if (!bpf_map_lookup_elem(u->wanted_fd, &pid, &times))
			u->by_pointers += times;
		program_want(u, pid);
		if (bpf_map_delete_elem(u->wanted_fd, &pid))
			break;
	}
	return n;
}

/* Processor time of this thread: the machine may be busy. */
static uint64_t thread_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* What runs now is what will be seen first; the others are told of when a stack of them is wanted. */
static void running_tell(struct unwind *u)
{
	uint32_t pids[MOST_AT_ONCE], n = symbols_running(pids, MOST_AT_ONCE);
	uint64_t until = thread_ns() + RUNNING_NS;

	for (uint32_t i = 0; i < n && thread_ns() < until; i++)
		process_tell(u, pids[i]);
}

/* ---- the session ---- */

static int map_fd(const struct session *s, const char *name)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(s->object, name);

	return map ? bpf_map__fd(map) : -1;
}

static int tick_set(const struct session *s, long ns)
{
	struct itimerspec spec = { .it_interval.tv_nsec = ns, .it_value.tv_nsec = ns };

	return timerfd_settime(s->unwind_fd, 0, &spec, NULL) ? -errno : 0;
}

int unwind_open(struct session *s)
{
	struct unwind *u;

	if (!s->module->unwinds || !s->opt.symbols)
		return 0;
	s->unwind_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->unwind_fd < 0 || tick_set(s, TICK_NS))
		return report_error(s->report, -errno, NULL, "cannot make a timer: %m");
	u = s->unwind = calloc(1, sizeof(*u));
	if (!u)
		return report_error(s->report, -ENOMEM, NULL, "no memory for the session");
	u->s = s;
	u->symbols = s->opt.symbols;
	u->images_fd = map_fd(s, UNWIND_MAP_IMAGES);
	u->nodes_fd = map_fd(s, UNWIND_MAP_NODES);
	u->wanted_fd = map_fd(s, UNWIND_MAP_WANTED);
	if (s->opt.pid > 0)
		process_tell(u, (uint32_t)s->opt.pid);
	else
		running_tell(u);
	for (size_t i = 0; i < s->opt.nunwind_pids; i++)
		process_tell(u, (uint32_t)s->opt.unwind_pids[i]);
	return 0;
}

void unwind_renew(struct session *s)
{
	if (s->unwind)
		processes_renew(s->unwind);
}

void unwind_look(struct session *s, uint32_t pid)
{
	processes_renew(s->unwind);
	process_tell(s->unwind, pid);
}

void unwind_tick(struct session *s)
{
	struct unwind *u = s->unwind;
	uint64_t expirations;
	uint32_t before = u->idle;

	if (read(s->unwind_fd, &expirations, sizeof(expirations)) < 0)
		return;
	processes_renew(u);
	u->idle = wanted_tell(u, false) ? 0 : MIN(u->idle + 1, IDLE_TICKS + 1u);
	if ((before > IDLE_TICKS) != (u->idle > IDLE_TICKS))
		tick_set(s, u->idle > IDLE_TICKS ? TICK_IDLE_NS : TICK_NS);
}

void unwind_close(struct session *s)
{
	struct unwind *u = s->unwind;

	close_fd(&s->unwind_fd);
	if (!u)
		return;
	wanted_tell(u, true);
	report_debug(s->report, "unwinding: %u processes, %u files, %u nodes", u->nprocesses, u->nfiles, u->nnodes);
	if (u->by_pointers >= WORTH_TELLING)
		report_info(s->report, "%llu user stacks were followed by frame pointers alone, as their processes had just begun",
			    (unsigned long long)u->by_pointers);
	free(u->files);
	free(u->processes);
	free(u);
}
