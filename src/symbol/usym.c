/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Usym: functions of processes: the mapping that holds an address, the file that lies there, its symbols. */
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/util.h"
#include "symbol/priv.h"

/* What an overlay shows may have another number than what it is made of, which is what the kernel tells. */
static bool is_overlay(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == OVERLAYFS_SUPER_MAGIC;
}

static bool is_file(const char *path, uint64_t ino)
{
	struct stat st;

	return !stat(path, &st) && st.st_ino == ino;
}

bool mapping_path(const struct process *p, const struct mapping *m, unsigned way, char path[MAPPING_PATH])
{
	switch (way) {
	case 0: /* as the process sees it, which may have a root directory of its own */
	case 2:
		snprintf(path, MAPPING_PATH, "/proc/%u/root%s", p->pid, m->path);
		return way ? is_overlay(path) : is_file(path, m->ino);
	case 1: /* it has been replaced, or the process has a name for it that we have not: the kernel has kept it */
		snprintf(path, MAPPING_PATH, "/proc/%u/map_files/%llx-%llx", p->pid, (unsigned long long)m->start,
			 (unsigned long long)m->end);
		return true;
	default: /* the process has ended */
		snprintf(path, MAPPING_PATH, "%s", m->path);
		return is_file(path, m->ino);
	}
}

struct code_file *mapping_file(struct symbols *s, const struct process *p, struct mapping *m)
{
	char path[MAPPING_PATH];

	if (m->tried)
		return m->file;
	m->tried = true;
	if (str_eq(m->path, "[vdso]"))
		return m->file = code_file_vdso(&s->files);
	if (!m->path || m->path[0] != '/')
		return NULL;
	for (unsigned way = 0; !m->file && way < MAPPING_WAYS; way++)
		if (mapping_path(p, m, way, path))
			m->file = code_file_open(&s->files, path);
	return m->file;
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
		return p && jit_find(p, addr, is_return, out) ? 1 : 0;
	f = mapping_file(s, p, m);
	if (f)
		n = code_file_frames(&s->files, f, addr - m->start + m->offset, is_return, out, max);
	if (!n && m->is_code)
		n = jit_find(p, addr, is_return, out);
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
