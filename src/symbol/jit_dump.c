/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jit_dump: jit-PID.dump, in which compilers at run time (of Java, .NET, WebAssembly, JavaScript) keep the code they
 * have made, with names and lines. Format: "JITDUMP specification" of the kernel's perf tool, version 1. A process
 * says where its file is by mapping the first page of it as code. What is appended while it runs is read when the
 * next address is asked for; the code itself is skipped.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/util.h"
#include "symbol/priv.h"

/* Beyond these a file is not read on: it would take time and memory that nobody has asked for. */
#define MOST_RECORDS (2u << 20)
#define MOST_TEXT ((size_t)64 << 20)
#define MOST_LINES (4u << 20)
#define MOST_READ ((size_t)1 << 30)
#define BLOCK_BYTES ((size_t)64 << 10)
/* What is read of one record of lines. */
#define MOST_RECORD ((size_t)1 << 20)
#define MOST_NAME 4096u

enum { MAGIC = 0x4a695444, RECORD_LOAD = 0, RECORD_MOVE = 1, RECORD_LINES = 2, RECORD_CLOSE = 3 };

struct file_header {
	uint32_t magic, version, bytes, machine, pad, pid;
	uint64_t time, flags;
};

struct record {
	uint32_t id, bytes;
	uint64_t time;
};

/* Followed by the name, then the code. */
struct load_record {
	struct record head;
	uint32_t pid, tid;
	uint64_t vma, addr, size, index;
};

struct move_record {
	struct record head;
	uint32_t pid, tid;
	uint64_t vma, from, to, size, index;
};

struct lines_record {
	struct record head;
	uint64_t addr, n;
};

/* Each is followed by the name of the file. */
struct line_entry {
	uint64_t addr;
	int32_t line, discriminator;
};

struct line {
	uint64_t addr;
	uint32_t file; /* a place in the text of the symbols */
	int32_t line;
	uint32_t order;
};

struct jit_dump {
	int fd;
	off_t read_bytes;
	size_t budget;      /* of bytes that may still be read */
	uint32_t nrecords;
	bool is_over;       /* it is closed or broken */
	struct symtab syms; /* in the order they were written until sorted */
	uint32_t *names;    /* by the index that the file gives: places in the text */
	uint32_t names_cap;
	struct line *lines;
	uint32_t nlines, lines_cap;
	bool sorted;
	uint64_t looked_ns;
};

/* As for a perf map. */
#define MISSING_NS 5000000ULL
#define STALE_NS 100000000ULL

/* ---- records ---- */

static void symbol_add(struct jit_dump *d, uint64_t addr, uint64_t size, const char *name, size_t len)
{
	struct sym *sym = size && d->syms.text.len < MOST_TEXT ? symtab_add(&d->syms, addr, size, name, len) : NULL;

	/* What was compiled later lies there now. */
	if (sym)
		sym->rank = UINT32_MAX - d->nrecords;
	d->sorted = false;
}

/* What code has this index, in case that it moves. */
static void name_keep(struct jit_dump *d, uint64_t index, uint32_t place)
{
	uint32_t cap = d->names_cap ? d->names_cap : 256;
	uint32_t *names;

	if (index >= MOST_RECORDS)
		return;
	while (cap <= index)
		cap *= 2;
	if (cap > d->names_cap) {
		names = realloc(d->names, cap * sizeof(*names));
		if (!names)
			return;
		memset(names + d->names_cap, 0, (cap - d->names_cap) * sizeof(*names));
		d->names = names;
		d->names_cap = cap;
	}
	d->names[index] = place;
}

/* `bytes`: how much of the record has been read. */
static void load_take(struct jit_dump *d, const char *data, size_t bytes)
{
	struct load_record r;
	size_t n = d->syms.n;

	if (bytes <= sizeof(r))
		return;
	memcpy(&r, data, sizeof(r));
	symbol_add(d, r.addr, r.size, data + sizeof(r), strnlen(data + sizeof(r), MIN(bytes - sizeof(r), (size_t)MOST_NAME)));
	if (d->syms.n > n)
		name_keep(d, r.index, d->syms.syms[n].name);
}

/* Code keeps its name at its new place. */
static void move_take(struct jit_dump *d, const char *data, size_t bytes)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
	struct move_record r;

	if (bytes < sizeof(r))
		return;
	memcpy(&r, data, sizeof(r));
	if (r.index >= d->names_cap || !d->names[r.index])
		return;
	strbuf_addstr(&name, d->syms.text.s + d->names[r.index]);
	if (!name.failed)
		symbol_add(d, r.to, r.size, name.s, name.len);
}

static bool lines_room(struct jit_dump *d)
{
	uint32_t cap = d->lines_cap ? d->lines_cap * 2 : 256;
	struct line *lines;

	if (d->nlines < d->lines_cap)
		return true;
	lines = cap <= MOST_LINES ? realloc(d->lines, cap * sizeof(*lines)) : NULL;
	if (!lines)
		return false;
	d->lines = lines;
	d->lines_cap = cap;
	return true;
}

/* Some writers leave there what is no text. */
static bool is_text(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < 0x20 || (unsigned char)name[i] >= 0x7f)
			return false;
	return len > 0;
}

/* "\xff": the file of the entry before. */
static uint32_t file_of(struct jit_dump *d, const char *name, size_t len, uint32_t before)
{
	if (len == 1 && name[0] == '\xff')
		return before;
	if (before && strlen(d->syms.text.s + before) == len && !memcmp(d->syms.text.s + before, name, len))
		return before;
	return d->syms.text.len < MOST_TEXT && is_text(name, len) ? symtab_text(&d->syms, name, len) : 0;
}

/*
 * The kernel's tool makes an ELF file of the code, whose header is so long. Some writers (V8, LLVM) add that to the
 * addresses of lines already.
 */
#define ELF_HEADER 0x40

static void lines_take(struct jit_dump *d, const char *data, size_t bytes)
{
	const char *at = data + sizeof(struct lines_record), *end = data + bytes;
	struct lines_record r;
	uint64_t shift = 0;
	uint32_t file = 0;

	if (bytes < sizeof(r))
		return;
	memcpy(&r, data, sizeof(r));
	for (uint64_t i = 0; i < r.n && (size_t)(end - at) > sizeof(struct line_entry) && lines_room(d); i++) {
		struct line_entry e;
		size_t len;

		memcpy(&e, at, sizeof(e));
		at += sizeof(e);
		shift = !i && e.addr == r.addr + ELF_HEADER ? ELF_HEADER : shift;
		len = strnlen(at, (size_t)(end - at));
		if (at + len == end)
			break;
		file = file_of(d, at, len, file);
		at += len + 1;
		d->lines[d->nlines] = (struct line){ e.addr - shift, file, e.line, d->nlines };
		d->nlines++;
	}
	d->sorted = false;
}

static void record_take(struct jit_dump *d, uint32_t id, const char *data, size_t bytes)
{
	d->nrecords++;
	switch (id) {
	case RECORD_LOAD: load_take(d, data, bytes); break;
	case RECORD_MOVE: move_take(d, data, bytes); break;
	case RECORD_LINES: lines_take(d, data, bytes); break;
	case RECORD_CLOSE: d->is_over = true; break;
	default: break;
	}
}

/* ---- the file ---- */

static bool header_take(struct jit_dump *d)
{
	struct file_header h;
	ssize_t n = pread(d->fd, &h, sizeof(h), 0);

	if (n != sizeof(h))
		return false; /* not yet */
	/* Of a machine with another order of bytes, or of a version that is not known. */
	d->is_over = h.magic != MAGIC || h.version != 1 || h.bytes < sizeof(h);
	d->read_bytes = h.bytes;
	return !d->is_over;
}

/* How much of a record is needed. */
static size_t wanted_of(const struct record *r)
{
	return MIN((size_t)r->bytes, r->id == RECORD_LINES ? MOST_RECORD : sizeof(struct load_record) + MOST_NAME);
}

/* Room bytes from where reading has come to; 0 when no more may be read. */
static size_t block_read(struct jit_dump *d, char *block, size_t room)
{
	ssize_t n = room <= d->budget ? pread(d->fd, block, room, d->read_bytes) : 0;

	d->budget -= n > 0 ? (size_t)n : 0;
	return n > 0 ? (size_t)n : 0;
}

/* Takes the whole records that begin in a block. False: there is nothing more to be had now. */
static bool block_take(struct jit_dump *d, char *block, off_t file_bytes)
{
	size_t n = block_read(d, block, BLOCK_BYTES), at = 0;

	while (n - at >= sizeof(struct record) && !d->is_over) {
		struct record r;

		memcpy(&r, block + at, sizeof(r));
		d->is_over = r.bytes < sizeof(r) || d->nrecords >= MOST_RECORDS || d->syms.text.failed;
		if (d->is_over || (off_t)r.bytes > file_bytes - d->read_bytes)
			return false;
		if (at && wanted_of(&r) > n - at)
			return true;
		if (wanted_of(&r) > n)
			n = block_read(d, block, MOST_RECORD);
		if (wanted_of(&r) > n - at)
			return false;
		record_take(d, r.id, block + at, MIN(n - at, (size_t)r.bytes));
		d->read_bytes += r.bytes;
		at = MIN(at + r.bytes, n);
	}
	return at > 0;
}

static void tail_read(struct jit_dump *d)
{
	_cleanup_free_ char *block = malloc(MOST_RECORD);
	struct stat st;

	if (!block || fstat(d->fd, &st) || !S_ISREG(st.st_mode) || (!d->read_bytes && !header_take(d)))
		return;
	while (d->read_bytes < st.st_size && !d->is_over && block_take(d, block, st.st_size))
		;
}

struct jit_dump *jit_dump_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct jit_dump *d = fd >= 0 ? calloc(1, sizeof(*d)) : NULL;

	if (!d) {
		close_fd(&fd);
		return NULL;
	}
	d->fd = fd;
	d->budget = MOST_READ;
	d->syms.text = (struct strbuf)STRBUF_INIT;
	return d;
}

void jit_dump_free(struct jit_dump *d)
{
	if (!d)
		return;
	close_fd(&d->fd);
	symtab_free(&d->syms);
	free(d->lines);
	free(d->names);
	free(d);
}

/* ---- asked for ---- */

static int line_compare(const void *pa, const void *pb)
{
	const struct line *a = pa, *b = pb;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static void dump_update(struct jit_dump *d)
{
	if (!d->is_over)
		tail_read(d);
	if (d->sorted)
		return;
	symtab_sort(&d->syms);
	if (d->nlines)
		qsort(d->lines, d->nlines, sizeof(*d->lines), line_compare);
	d->sorted = true;
}

/* The last line that begins at or before the address, if it is of this function. */
static const struct line *line_find(const struct jit_dump *d, uint64_t addr, uint64_t function)
{
	uint32_t low = 0, high = d->nlines;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (d->lines[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low && d->lines[low - 1].addr >= function && d->lines[low - 1].file ? &d->lines[low - 1] : NULL;
}

bool jit_dump_find(struct jit_dump *d, uint64_t addr, bool is_return, struct symbol *out)
{
	uint64_t now = symbol_clock_ns();
	const struct sym *sym = d->sorted ? symtab_find_latest(&d->syms, addr) : NULL;
	const struct line *line;

	if (now - d->looked_ns > (sym ? STALE_NS : MISSING_NS)) {
		d->looked_ns = now;
		dump_update(d);
		sym = symtab_find_latest(&d->syms, addr);
	}
	if (!sym)
		return false;
	*out = (struct symbol){ .name = d->syms.text.s + sym->name, .offset = addr - sym->addr };
	line = line_find(d, addr - (is_return && addr > sym->addr), sym->addr);
	if (line) {
		out->file = d->syms.text.s + line->file;
		out->line = line->line;
	}
	return true;
}
