/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * C that a script imports is compiled by the compiler that the machine has: clang is looked for in PATH and run
 * without a shell. The object comes back through a memory file; nothing is written to disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lang/check_priv.h"

#define COMPILER "clang"
#define MOST_OBJECT_BYTES (32 << 20)
/* As much of what the compiler says is shown. */
#define MOST_SAID_BYTES 2000

#if defined(__x86_64__)
#define TARGET_MACRO "-D__TARGET_ARCH_x86"
#define SYSTEM_HEADERS "/usr/include/x86_64-linux-gnu"
#else
#define TARGET_MACRO "-D__TARGET_ARCH_arm64"
#define SYSTEM_HEADERS "/usr/include/aarch64-linux-gnu"
#endif


typedef VEC(char *) word_vec;

static void word_add(struct checker *c, word_vec *words, const char *word)
{
	vec_push(c->arena, words, word ? arena_strdup(c->arena, word) : NULL);
}

/* Headers of the machine's own kind (asm/types.h) are not where a compiler for BPF looks. */
static word_vec command_words(struct checker *c, const char *path)
{
	static const char *const first[] = { COMPILER, "-target", "bpf", "-O2", "-g", TARGET_MACRO, "-c", "-o", "-" };
	word_vec words = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(first); i++)
		word_add(c, &words, first[i]);
	for (uint32_t i = 0; i < c->env->ninclude_dirs; i++)
		word_add(c, &words, arena_printf(c->arena, "-I%s", c->env->include_dirs[i]));
	word_add(c, &words, "-idirafter");
	word_add(c, &words, SYSTEM_HEADERS);
	word_add(c, &words, path);
	word_add(c, &words, NULL);
	return words;
}

/* 0 when it ran and succeeded; its exit status when it ran; a negative errno when it could not be run. */
static int compiler_run(char *const *words, int object, int said)
{
	posix_spawn_file_actions_t actions;
	int err, status;
	pid_t pid;

	err = -posix_spawn_file_actions_init(&actions);
	if (err)
		return err;
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, object, 1);
	posix_spawn_file_actions_adddup2(&actions, said, 2);
	err = -posix_spawnp(&pid, words[0], &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (err)
		return err;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void failure_tell(struct checker *c, struct span span, const char *path, int err, int said)
{
	char text[MOST_SAID_BYTES + 1];
	ssize_t n = pread(said, text, MOST_SAID_BYTES, 0);

	text[n > 0 ? n : 0] = 0;
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = 0;
	if (err > 0) {
		check_error(c, span, "cannot import %s: %s does not compile it:\n%s", path, COMPILER, text);
	} else if (err == -ENOENT) {
		check_error(c, span, "cannot import %s: a C compiler for BPF is needed, and there is no %s", path, COMPILER);
		diag_hint(c->diags, "install clang, or import the object it made elsewhere (%s -target bpf -O2 -g -c)",
			  COMPILER);
	} else {
		check_error(c, span, "cannot import %s: cannot run %s: %s", path, COMPILER, strerror(-err));
	}
}

static void object_take(struct checker *c, struct span span, const char *path, int fd)
{
	struct stat st;
	void *data;

	if (fstat(fd, &st) || st.st_size <= 0 || st.st_size > MOST_OBJECT_BYTES) {
		check_error(c, span, "cannot import %s: what %s made of it is empty or too large", path, COMPILER);
		return;
	}
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED) {
		check_error(c, span, "cannot import %s: %s", path, strerror(errno));
		return;
	}
	c_object_take(c, span, path, data, (size_t)st.st_size);
	munmap(data, (size_t)st.st_size);
}

void c_source_import(struct checker *c, struct span span, const char *path)
{
	word_vec words = command_words(c, path);
	_cleanup_close_ int object = memfd_create("sonde-compiled", MFD_CLOEXEC);
	_cleanup_close_ int said = memfd_create("sonde-compiler", MFD_CLOEXEC);
	int err = object < 0 || said < 0 ? -errno : compiler_run(words.v, object, said);

	if (err)
		failure_tell(c, span, path, err, said);
	else
		object_take(c, span, path, object);
}
