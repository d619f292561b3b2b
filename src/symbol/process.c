/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Process: what each process has mapped where, as /proc tells and as the kernel tells while it happens. A
 * process that has ended keeps what was known of it, and so does a program that has executed another one.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "symbol/priv.h"

/* More of what is over is not remembered. */
#define MOST_ENDED 16384
#define MOST_OLDER 16
#define MOST_MAPPINGS 65536
/* For an address that lies nowhere /proc is asked again, but not more often than this. */
#define AGAIN_NS 20000000ULL

struct processes {
	struct process **slots; /* open addressing by pid */
	uint32_t n, nslots;
	uint32_t *ended;        /* a ring of those that have ended, oldest at ended_at */
	uint32_t nended, ended_at;
	uint32_t changes;       /* of all of them */
	uint32_t *changed;      /* those that have mapped other code, until they are taken */
	uint32_t nchanged, changed_cap;
};

/* Nobody takes them: there are no unwind tables to be kept up to date. */
#define MOST_CHANGED 65536

struct processes *processes_new(void)
{
	return calloc(1, sizeof(struct processes));
}

/* ---- images ---- */

static void image_release(struct image *image)
{
	while (image && !--image->users) {
		struct image *older = image->older;

		for (uint32_t i = 0; i < image->n; i++)
			free(image->maps[i].path);
		free(image->maps);
		free(image);
		image = older;
	}
}

static struct image *image_new(void)
{
	struct image *image = calloc(1, sizeof(*image));

	if (image)
		image->users = 1;
	return image;
}

static bool image_room(struct image *image)
{
	uint32_t cap = image->cap ? image->cap * 2 : 8;
	struct mapping *maps;

	if (image->n < image->cap)
		return true;
	maps = image->n < MOST_MAPPINGS ? realloc(image->maps, cap * sizeof(*maps)) : NULL;
	if (!maps)
		return false;
	image->maps = maps;
	image->cap = cap;
	return true;
}

/* The first mapping that ends behind the address. */
static uint32_t mapping_after(const struct image *image, uint64_t addr)
{
	uint32_t low = 0, high = image->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (image->maps[mid].end <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void mapping_remove(struct image *image, uint32_t i)
{
	free(image->maps[i].path);
	memmove(&image->maps[i], &image->maps[i + 1], (image->n - i - 1) * sizeof(*image->maps));
	image->n--;
}

/* What lay there before does so no more, apart from what reaches beyond it. */
static void mapping_cut(struct image *image, uint64_t start, uint64_t end)
{
	uint32_t i = mapping_after(image, start);

	while (i < image->n && image->maps[i].start < end) {
		struct mapping *m = &image->maps[i];

		if (m->start < start && m->end > end && image_room(image)) {
			struct mapping tail = image->maps[i];

			tail.path = tail.path ? strdup(tail.path) : NULL;
			tail.offset += end - tail.start;
			tail.start = end;
			image->maps[i].end = start;
			memmove(&image->maps[i + 2], &image->maps[i + 1], (image->n - i - 1) * sizeof(tail));
			image->maps[i + 1] = tail;
			image->n++;
			return;
		}
		if (m->start < start) {
			m->end = start;
			i++;
		} else if (m->end > end) {
			m->offset += end - m->start;
			m->start = end;
			return;
		} else {
			mapping_remove(image, i);
		}
	}
}

static void mapping_add(struct image *image, const struct mapping *m, const char *path)
{
	uint32_t at;

	if (m->start >= m->end)
		return;
	mapping_cut(image, m->start, m->end);
	if (!image_room(image))
		return;
	at = mapping_after(image, m->start);
	memmove(&image->maps[at + 1], &image->maps[at], (image->n - at) * sizeof(*m));
	image->maps[at] = *m;
	image->maps[at].path = path && *path ? strdup(path) : NULL;
	image->n++;
}

static struct image *image_copy(const struct image *from)
{
	struct image *image = image_new();

	for (uint32_t i = 0; image && i < from->n; i++)
		mapping_add(image, &from->maps[i], from->maps[i].path);
	return image;
}

/* ---- /proc/PID/maps ---- */

/* "start-end perms offset dev inode   path" */
static void line_take(struct image *image, char *line)
{
	unsigned long long start, end, offset, ino;
	struct mapping m;
	char perms[5];
	int at = 0;

	if (sscanf(line, "%llx-%llx %4s %llx %*s %llu %n", &start, &end, perms, &offset, &ino, &at) < 5 || !at)
		return;
	line[strcspn(line, "\n")] = 0;
	/* Code, and the data of files: of both there are symbols. */
	if (perms[2] != 'x' && line[at] != '/')
		return;
	m = (struct mapping){ .start = start, .end = end, .offset = offset, .ino = ino, .is_code = perms[2] == 'x' };
	mapping_add(image, &m, line + at);
}

static struct image *maps_read(uint32_t pid)
{
	char path[64], *line = NULL;
	struct image *image = NULL;
	size_t cap = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return NULL;
	while (getline(&line, &cap, f) > 0) {
		if (!image)
			image = image_new();
		if (!image)
			break;
		line_take(image, line);
	}
	free(line);
	fclose(f);
	return image;
}

/* ---- the table ---- */

static struct process **slot_of(const struct processes *ps, uint32_t pid)
{
	for (uint32_t i = pid * 2654435761u;; i++) {
		struct process **slot = &ps->slots[i & (ps->nslots - 1)];

		if (!*slot || (*slot)->pid == pid)
			return slot;
	}
}

static bool table_room(struct processes *ps)
{
	uint32_t n = ps->nslots, slots = n ? n * 2 : 128;
	struct process **old = ps->slots, **grown;

	if (ps->n * 2 < n)
		return true;
	grown = calloc(slots, sizeof(*grown));
	if (!grown)
		return false;
	ps->slots = grown;
	ps->nslots = slots;
	for (uint32_t i = 0; i < n; i++)
		if (old[i])
			*slot_of(ps, old[i]->pid) = old[i];
	free(old);
	return true;
}

/* What it has mapped is no longer what it was. */
static void process_changed(struct processes *ps, struct process *p)
{
	p->changes = ++ps->changes;
	if (p->is_changed || ps->nchanged == MOST_CHANGED)
		return;
	if (ps->nchanged == ps->changed_cap) {
		uint32_t cap = ps->changed_cap ? ps->changed_cap * 2 : 64;
		uint32_t *changed = realloc(ps->changed, cap * sizeof(*changed));

		if (!changed)
			return;
		ps->changed = changed;
		ps->changed_cap = cap;
	}
	ps->changed[ps->nchanged++] = p->pid;
	p->is_changed = true;
}

uint32_t process_take_changed(struct processes *ps)
{
	while (ps->nchanged) {
		struct process *p = process_known(ps, ps->changed[--ps->nchanged]);

		if (!p || !p->is_changed)
			continue;
		p->is_changed = false;
		if (!p->ended)
			return p->pid;
	}
	return 0;
}

struct process *process_known(struct processes *ps, uint32_t pid)
{
	return ps->nslots ? *slot_of(ps, pid) : NULL;
}

static struct process *process_add(struct processes *ps, uint32_t pid)
{
	struct process *p = process_known(ps, pid);

	if (p)
		return p;
	p = table_room(ps) ? calloc(1, sizeof(*p)) : NULL;
	if (!p)
		return NULL;
	p->pid = pid;
	p->changes = ++ps->changes;
	*slot_of(ps, pid) = p;
	ps->n++;
	return p;
}

static void process_free(struct process *p)
{
	image_release(p->image);
	jit_free(p->jit);
	free(p);
}

void process_forget(struct processes *ps, uint32_t pid)
{
	struct process *p = process_known(ps, pid);
	uint32_t i;

	if (!p)
		return;
	i = (uint32_t)(slot_of(ps, pid) - ps->slots);
	ps->slots[i] = NULL;
	ps->n--;
	process_free(p);
	/* those behind it that had to give way to it */
	for (i = (i + 1) & (ps->nslots - 1); ps->slots[i]; i = (i + 1) & (ps->nslots - 1)) {
		struct process *moved = ps->slots[i];

		ps->slots[i] = NULL;
		*slot_of(ps, moved->pid) = moved;
	}
}

void processes_free(struct processes *ps)
{
	for (uint32_t i = 0; ps && i < ps->nslots; i++)
		if (ps->slots[i])
			process_free(ps->slots[i]);
	if (!ps)
		return;
	free(ps->slots);
	free(ps->ended);
	free(ps->changed);
	free(ps);
}

/* ---- asked for ---- */

/* What /proc says replaces what was known. */
static void image_renew(struct process *p)
{
	struct image *now = maps_read(p->pid);

	p->read_ns = symbol_clock_ns();
	if (!now)
		return; /* it has ended: what is known of it stays */
	p->read = true;
	p->ended = false;
	if (p->image && p->image->users == 1) {
		now->older = p->image->older;
		p->image->older = NULL;
	}
	image_release(p->image);
	p->image = now;
}

struct process *process_get(struct processes *ps, uint32_t pid)
{
	struct process *p = process_known(ps, pid);

	if (p && p->image)
		return p;
	p = process_add(ps, pid);
	if (p && !p->image)
		image_renew(p);
	return p;
}

static struct mapping *image_find(const struct image *image, uint64_t addr)
{
	uint32_t i = image ? mapping_after(image, addr) : 0;

	return image && i < image->n && image->maps[i].start <= addr ? &image->maps[i] : NULL;
}

struct mapping *process_mapping(struct process *p, uint64_t addr, bool again)
{
	struct mapping *m = image_find(p->image, addr);

	/* A stack may well hold what is no address at all. */
	if (!m && again && !p->ended && symbol_clock_ns() - p->read_ns > AGAIN_NS) {
		image_renew(p);
		m = image_find(p->image, addr);
	}
	for (struct image *i = p->image ? p->image->older : NULL; !m && i; i = i->older)
		m = image_find(i, addr);
	return m;
}

void process_each_mapping(struct process *p, void (*fn)(struct process *p, struct mapping *m, void *ctx), void *ctx)
{
	for (uint32_t i = 0; p->image && i < p->image->n; i++)
		fn(p, &p->image->maps[i], ctx);
}

/* ---- told ---- */

/* The image of a process that is about to be changed. */
static struct image *image_own(struct process *p)
{
	if (!p->image) {
		p->image = image_new();
	} else if (p->image->users > 1) {
		struct image *own = image_copy(p->image);

		if (own) {
			p->image->users--;
			p->image = own;
		}
	}
	return p->image && p->image->users == 1 ? p->image : NULL;
}

void process_mapped(struct processes *ps, uint32_t pid, uint64_t start, uint64_t bytes, uint64_t offset, uint64_t ino,
		    const char *path)
{
	struct process *p = process_known(ps, pid);
	struct mapping m = { .start = start, .end = start + bytes, .offset = offset, .ino = ino, .is_code = true };
	struct image *image;

	/* One that was there before us: /proc knows all of it. */
	if (!p)
		p = process_get(ps, pid);
	image = p ? image_own(p) : NULL;
	if (image)
		mapping_add(image, &m, path);
	if (p)
		process_changed(ps, p);
}

void process_executed(struct processes *ps, uint32_t pid)
{
	struct process *p = process_add(ps, pid);
	struct image *image = p ? image_new() : NULL, *last;
	uint32_t kept = 0;

	if (!image)
		return;
	image->older = p->image;
	p->image = image;
	p->ended = false;
	process_changed(ps, p);
	for (last = image; last->older && kept < MOST_OLDER; last = last->older)
		kept++;
	image_release(last->older);
	last->older = NULL;
	jit_free(p->jit);
	p->jit = NULL;
}

void process_forked(struct processes *ps, uint32_t parent, uint32_t child)
{
	struct process *from = process_get(ps, parent), *p;

	/* A number that comes round again. */
	process_forget(ps, child);
	p = from && from->image ? process_add(ps, child) : NULL;
	if (!p)
		return;
	p->image = from->image;
	p->image->users++;
	process_changed(ps, p);
}

void process_ended(struct processes *ps, uint32_t pid)
{
	struct process *p = process_known(ps, pid);

	if (!p || p->ended)
		return;
	p->ended = true;
	ps->changes++;
	if (!ps->ended)
		ps->ended = calloc(MOST_ENDED, sizeof(*ps->ended));
	if (!ps->ended)
		return;
	if (ps->nended == MOST_ENDED) {
		struct process *oldest = process_known(ps, ps->ended[ps->ended_at]);

		if (oldest && oldest->ended)
			process_forget(ps, oldest->pid);
	} else {
		ps->nended++;
	}
	ps->ended[ps->ended_at] = pid;
	ps->ended_at = (ps->ended_at + 1) % MOST_ENDED;
}

uint32_t processes_changes(const struct processes *ps)
{
	return ps->changes;
}
