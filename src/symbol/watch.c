/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watch: mappings of code, programs that are executed, processes that begin and end, as the kernel tells
 * of them through one software event for each CPU that never fires itself. Without it a process that has
 * ended before its addresses are shown has no names.
 */
#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/util.h"
#include "kernel/kernel.h"
#include "symbol/priv.h"

#define RING_BYTES ((size_t)128 << 10)
/* No more than so many records are put in order at a time, and none is as long. */
#define RECORD_MOST 8192u

/*
 * A process may be so short that only who looks at once still sees its files, or tells the kernel how to unwind its
 * stacks in time. Where very many begin, they are looked at together: waking up for each would cost more than they do.
 */
#define PAUSE_NS 1000000
#define MOST_AT_ONCE 64

struct watch_cpu {
	int fd;
	struct perf_event_mmap_page *page;
};

struct watch_record {
	uint64_t time;
	uint32_t at; /* in `data` */
};

struct watch {
	struct symbols *symbols;
	struct processes *processes;
	int epoll_fd;
	struct watch_cpu *cpus;
	uint32_t ncpus;
	struct strbuf data; /* what has been taken out of the rings */
	struct watch_record *records;
	uint32_t nrecords, cap;
	uint64_t woken_ns;
	uint32_t at_once; /* so many more may be looked at without waiting for others */
};

/* ---- opening ---- */

static int event_open(uint32_t cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TIME, .sample_id_all = 1,
		.mmap = 1, .mmap2 = 1, .comm = 1, .comm_exec = 1, .task = 1,
		.watermark = 1, .wakeup_watermark = 1, /* with every record */
		.use_clockid = 1, .clockid = CLOCK_MONOTONIC,
	};

	return (int)syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static bool cpu_open(struct watch *w, uint32_t cpu)
{
	struct watch_cpu *c = &w->cpus[w->ncpus];
	struct epoll_event ev = { .events = EPOLLIN };
	size_t bytes = RING_BYTES + (size_t)sysconf(_SC_PAGESIZE);
	void *page;

	c->fd = event_open(cpu);
	if (c->fd < 0)
		return errno == ENODEV; /* it is off */
	page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
	if (page == MAP_FAILED || epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, c->fd, &ev)) {
		if (page != MAP_FAILED)
			munmap(page, bytes);
		close(c->fd);
		return false;
	}
	c->page = page;
	w->ncpus++;
	return true;
}

struct watch *watch_open(struct symbols *s)
{
	int n = kernel_ncpus_possible();
	struct watch *w = calloc(1, sizeof(*w));
	bool ok = w && n > 0;

	if (!w)
		return NULL;
	w->symbols = s;
	w->processes = s->processes;
	w->at_once = MOST_AT_ONCE;
	w->data = (struct strbuf)STRBUF_INIT;
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	w->cpus = calloc((size_t)MAX(n, 1), sizeof(*w->cpus));
	for (int cpu = 0; ok && cpu < n; cpu++)
		ok = w->cpus && w->epoll_fd >= 0 && cpu_open(w, (uint32_t)cpu);
	if (ok && w->ncpus)
		return w;
	watch_close(w);
	return NULL;
}

int watch_fd(const struct watch *w)
{
	return w->epoll_fd;
}

void watch_close(struct watch *w)
{
	if (!w)
		return;
	for (uint32_t i = 0; i < w->ncpus; i++) {
		munmap(w->cpus[i].page, RING_BYTES + (size_t)sysconf(_SC_PAGESIZE));
		close(w->cpus[i].fd);
	}
	close_fd(&w->epoll_fd);
	strbuf_free(&w->data);
	free(w->records);
	free(w->cpus);
	free(w);
}

/* ---- out of the rings ---- */

static bool record_note(struct watch *w, uint64_t time, uint32_t at)
{
	if (w->nrecords == w->cap) {
		uint32_t cap = w->cap ? w->cap * 2 : 64;
		struct watch_record *records = realloc(w->records, cap * sizeof(*records));

		if (!records)
			return false;
		w->records = records;
		w->cap = cap;
	}
	w->records[w->nrecords++] = (struct watch_record){ time, at };
	return true;
}

/* The ring goes round within a record, too. */
static void ring_copy(const struct watch_cpu *c, uint64_t from, void *to, size_t n)
{
	const uint8_t *data = (const uint8_t *)c->page + c->page->data_offset;
	size_t at = from & (RING_BYTES - 1), first = MIN(n, RING_BYTES - at);

	memcpy(to, data + at, first);
	memcpy((uint8_t *)to + first, data, n - first);
}

/* Every record ends with its time. */
static void cpu_drain(struct watch *w, struct watch_cpu *c)
{
	uint64_t head = __atomic_load_n(&c->page->data_head, __ATOMIC_ACQUIRE), tail = c->page->data_tail;

	while (tail < head) {
		struct perf_event_header h;
		uint32_t at = (uint32_t)w->data.len;
		uint64_t time;

		ring_copy(c, tail, &h, sizeof(h));
		if (h.size < sizeof(h) + sizeof(time) || h.size > head - tail)
			break;
		ring_copy(c, tail + h.size - sizeof(time), &time, sizeof(time));
		if (h.size <= RECORD_MOST && strbuf_reserve(&w->data, h.size)) {
			ring_copy(c, tail, w->data.s + at, h.size);
			if (record_note(w, time, at))
				w->data.len += h.size;
		}
		tail += h.size;
	}
	__atomic_store_n(&c->page->data_tail, head, __ATOMIC_RELEASE);
}

static int record_compare(const void *pa, const void *pb)
{
	const struct watch_record *a = pa, *b = pb;

	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

/* ---- what they say ---- */

struct mmap2_record {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t addr, len, pgoff;
	uint32_t maj, min;
	uint64_t ino, ino_generation;
	uint32_t prot, flags;
	char path[];
};

struct comm_record {
	struct perf_event_header header;
	uint32_t pid, tid;
};

struct task_record {
	struct perf_event_header header;
	uint32_t pid, ppid, tid, ptid;
};

/*
 * What will not be found by its path when the process has ended is opened now: files of containers, and
 * those that have been replaced or deleted.
 */
static void file_hold(struct process *p, struct mapping *m, void *ctx)
{
	struct stat st;

	jit_hold(p, m);
	if (m->tried || !m->is_code || !m->path || m->path[0] != '/')
		return;
	if (stat(m->path, &st) || st.st_ino != m->ino)
		mapping_file(ctx, p, m);
}

static void mmap_apply(struct watch *w, const struct mmap2_record *r)
{
	const char *path = r->path;
	struct process *p;
	struct mapping *m;
	size_t most = r->header.size - sizeof(*r);

	if (r->header.size <= sizeof(*r) || strnlen(path, most) == most)
		return;
	if (str_eq(path, "//anon"))
		path = "";
	process_mapped(w->processes, r->pid, r->addr, r->len, r->pgoff, r->ino, path);
	p = process_known(w->processes, r->pid);
	m = p ? process_mapping(p, r->addr, false) : NULL;
	if (m)
		file_hold(p, m, w->symbols);
}

static void record_apply(struct watch *w, const struct perf_event_header *h)
{
	const struct comm_record *comm = (const void *)h;
	const struct task_record *task = (const void *)h;

	switch (h->type) {
	case PERF_RECORD_MMAP2:
		mmap_apply(w, (const void *)h);
		break;
	case PERF_RECORD_COMM:
		if (h->misc & PERF_RECORD_MISC_COMM_EXEC && h->size > sizeof(*comm))
			process_executed(w->processes, comm->pid);
		break;
	case PERF_RECORD_FORK:
		if (h->size > sizeof(*task) && task->pid != task->ppid)
			process_forked(w->processes, task->ppid, task->pid);
		break;
	case PERF_RECORD_EXIT:
		if (h->size > sizeof(*task) && task->pid == task->tid)
			process_ended(w->processes, task->pid);
		break;
	default:
		break;
	}
}

void watch_read(struct watch *w)
{
	for (uint32_t i = 0; i < w->ncpus; i++)
		if (__atomic_load_n(&w->cpus[i].page->data_head, __ATOMIC_ACQUIRE) != w->cpus[i].page->data_tail)
			cpu_drain(w, &w->cpus[i]);
	if (!w->nrecords)
		return;
	if (w->nrecords > 1)
		qsort(w->records, w->nrecords, sizeof(*w->records), record_compare);
	for (uint32_t i = 0; i < w->nrecords; i++)
		record_apply(w, (const void *)(w->data.s + w->records[i].at));
	w->nrecords = 0;
	strbuf_reset(&w->data);
}

/* ---- what there is already ---- */

/* Reading what all processes have mapped takes its time on a large machine. On a busy one others' does not count. */
#define SNAPSHOT_NS 100000000ULL

static uint64_t processor_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Is its root directory another one than ours? */
static bool is_elsewhere(uint32_t pid)
{
	char path[64];
	struct stat own, other;

	snprintf(path, sizeof(path), "/proc/%u/root", pid);
	return !stat("/", &own) && !stat(path, &other) && (own.st_dev != other.st_dev || own.st_ino != other.st_ino);
}

/* A file that has been replaced or deleted, as /proc shows its path; and what code is made at run time. */
static void deleted_hold(struct process *p, struct mapping *m, void *ctx)
{
	static const char mark[] = " (deleted)";
	size_t n = m->path ? strlen(m->path) : 0;

	if (n > sizeof(mark) && str_eq(m->path + n - strlen(mark), mark))
		file_hold(p, m, ctx);
	else
		jit_hold(p, m);
}

static void one_read(struct symbols *s, uint32_t pid)
{
	struct process *p = process_get(s->processes, pid);

	if (p)
		process_each_mapping(p, is_elsewhere(pid) ? file_hold : deleted_hold, s);
}

static void all_read(struct symbols *s)
{
	uint64_t until = processor_ns() + SNAPSHOT_NS;
	DIR *proc = opendir("/proc");
	struct dirent *e;

	while (proc && (e = readdir(proc)) && processor_ns() < until)
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9')
			one_read(s, (uint32_t)strtoul(e->d_name, NULL, 10));
	if (proc)
		closedir(proc);
}

int symbols_watch(struct symbols *s, uint32_t pid)
{
	if (!s->watch)
		s->watch = watch_open(s);
	if (pid)
		one_read(s, pid);
	else
		all_read(s);
	return s->watch ? watch_fd(s->watch) : -1;
}

void symbols_watch_read(struct symbols *s)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	struct watch *w = s->watch;
	uint64_t now = symbol_clock_ns();

	if (!w)
		return;
	w->at_once = (uint32_t)MIN(MOST_AT_ONCE, w->at_once + (now - w->woken_ns) / PAUSE_NS);
	w->woken_ns = now;
	if (w->at_once)
		w->at_once--;
	else
		nanosleep(&pause, NULL);
	watch_read(w);
}
