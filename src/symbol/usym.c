/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Usym: functions of processes: the mapping that holds an address, the file that lies there, its symbols. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/util.h"
#include "symbol/priv.h"

/* The file as the process sees it, which may have a root directory of its own. */
struct code_file *mapping_file(struct symbols *s, const struct process *p, struct mapping *m)
{
	char path[4200];

	if (m->tried)
		return m->file;
	m->tried = true;
	if (str_eq(m->path, "[vdso]"))
		return m->file = code_file_vdso(&s->files);
	if (!m->path || m->path[0] != '/')
		return NULL;
	snprintf(path, sizeof(path), "/proc/%u/root%s", p->pid, m->path);
	m->file = code_file_open(&s->files, path, 0);
	if (!m->file) {
		/* It has been replaced, or the process has a name for it that we have not: the kernel has kept it. */
		snprintf(path, sizeof(path), "/proc/%u/map_files/%llx-%llx", p->pid, (unsigned long long)m->start,
			 (unsigned long long)m->end);
		m->file = code_file_open(&s->files, path, 0);
	}
	return m->file ? m->file : (m->file = code_file_open(&s->files, m->path, m->ino));
}

static bool perf_map_symbol(struct process *p, uint64_t addr, struct symbol *out)
{
	if (!p->perf_map)
		p->perf_map = perf_map_new(p->pid);
	return p->perf_map && perf_map_find(p->perf_map, addr, out);
}

static struct process *process_of(struct symbols *s, uint32_t pid)
{
	if (!pid)
		return NULL;
	if (s->watch)
		watch_read(s->watch);
	if (s->opt.uncached) {
		struct process *p = process_known(s->processes, pid);

		if (!p || !p->ended)
			process_forget(s->processes, pid);
	}
	return process_get(s->processes, pid);
}

uint32_t symbol_user_frames(struct symbols *s, uint32_t pid, uint64_t addr, bool is_return, struct symbol *out,
			    uint32_t max)
{
	struct process *p = process_of(s, pid);
	struct mapping *m = p ? process_mapping(p, addr, true) : NULL;
	struct code_file *f;
	uint32_t n = 0;

	if (!max)
		return 0;
	out[0] = (struct symbol){ 0 };
	if (!m)
		return p && perf_map_symbol(p, addr, out) ? 1 : 0;
	f = mapping_file(s, p, m);
	if (f)
		n = code_file_frames(&s->files, f, addr - m->start + m->offset, is_return, out, max);
	else if (m->is_code)
		n = perf_map_symbol(p, addr, out);
	if (!n)
		out[0] = (struct symbol){ 0 };
	out[n ? n - 1 : 0].module = m->path;
	return n;
}

bool symbol_user(struct symbols *s, uint32_t pid, uint64_t addr, struct symbol *out)
{
	struct symbol frames[16];
	uint32_t n = symbol_user_frames(s, pid, addr, false, frames, ARRAY_SIZE(frames));

	*out = frames[n ? n - 1 : 0];
	return n > 0;
}
