/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Binary: the programs and libraries that probes name, and the functions in them. What a spec names is
 * found as the process of -p would find it, when there is one, in its own root directory.
 */
#ifndef SONDE_PROBE_BINARY_H
#define SONDE_PROBE_BINARY_H

#include "lang/probe.h"
#include "symbol/elf_file.h"

typedef VEC(const char *) path_vec;

/*
 * The paths of the files that part i of the spec names: a path, a pattern of paths, a program found
 * through PATH, a library as the dynamic linker finds it ("libc", "libc.so.6"), "*" for every file that
 * is mapped for execution (by the process of -p, else by any), "" for the program of -p. Each file once,
 * sorted. They can be opened as they are, now and when probes are attached.
 * -ENOENT after a diagnostic when there is none (a pattern: without one); -EINVAL after another mistake.
 */
int binary_paths(struct probe_env *env, const struct probe_spec *spec, uint32_t i, path_vec *out);
/* May part i be left out: is there a process (of -p or -c) that says which program is meant? */
bool binary_is_implied(const struct probe_env *env);

/* A function, by its address in the file. */
struct binary_symbol {
	const char *name;
	const char *plain; /* as its programmer wrote it, once that was asked for (uprobe_each_plain()); or NULL */
	uint64_t addr, size;
	uint8_t type, bind;
};

typedef VEC(struct binary_symbol) symbol_vec;

struct binary {
	const char *path;
	struct elf_file *elf;
	bool listed; /* symbols have been read */
	symbol_vec functions; /* sorted by name, then address; each name and address once */
};

/*
 * The file at a path, opened once for all probes of the question and closed with its arena. NULL after a
 * diagnostic at part i of the spec, unless `quiet` (a file that a pattern found may be a script).
 */
struct binary *binary_open(struct probe_env *env, const struct probe_spec *spec, uint32_t i, const char *path,
			   bool quiet);
/* Fill binary.functions. */
void binary_list(struct probe_env *env, struct binary *b);
/* The functions of exactly this name, in order of their addresses; *n of them. */
const struct binary_symbol *binary_find(struct probe_env *env, struct binary *b, const char *name, size_t *n);
/* The function that holds an address; NULL: none. One whose size is not known holds only its first. */
const struct binary_symbol *binary_at(struct probe_env *env, struct binary *b, uint64_t addr);

/* The program and the libraries that will be mapped when it runs; none that it loads itself. */
void needed_files(struct probe_env *env, const char *program, path_vec *out);

/* A library by the name programs give it ("libc.so.6") or the beginning of that ("libc"), below `root` ("" or
 * /proc/PID/root), in the arena; NULL: there is none. */
const char *library_find(struct arena *a, const char *root, const char *name);
/* The library that has taken over the functions of the one at `path`: since glibc 2.34, libc those of libpthread, libdl,
 * librt, libutil and libanl. In the arena; NULL: it has its own. */
const char *library_heir(struct arena *a, const char *path);

#endif
