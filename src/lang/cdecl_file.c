/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cdecl, files: #include, and macros of C that are expressions.
 *
 * <linux/...> and other headers of the kernel are not opened: types come from its BTF and constants from a
 * table, so that a script runs the same with headers and without; and so are those of the system's library, for
 * what scripts want of them is in the table, too. But a header that nobody has is a mistake. A "file" beside the script is read
 * as declarations.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "lang/cdecl.h"
#include "lang/header.h"

#define MOST_FILE_BYTES (4 << 20)
#define MOST_INCLUDES 256

int file_text(struct arena *a, const char *path, const char **text, size_t *len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t done = 0;
	char *buf;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EISDIR;
	if (st.st_size > MOST_FILE_BYTES)
		return -EFBIG;
	/* The arena does not return when memory is short, so the file is small and bounded. */
	buf = malloc((size_t)st.st_size + 1);
	if (!buf)
		return -ENOMEM;
	while (done < (size_t)st.st_size) {
		ssize_t n = read(fd, buf + done, (size_t)st.st_size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	*text = arena_strndup(a, buf, done);
	*len = done;
	free(buf);
	return 0;
}

/* In the directories of -I. */
static int include_dir_text(struct c_parser *p, const char *name, const char **path, const char **text, size_t *len)
{
	struct checker *c = p->c;

	for (uint32_t i = 0; i < c->env->ninclude_dirs && name[0] != '/'; i++) {
		*path = arena_printf(c->arena, "%s/%s", c->env->include_dirs[i], name);
		if (!file_text(c->arena, *path, text, len))
			return 0;
	}
	return -ENOENT;
}

/* Would it be found where the kernel's source, a compiler or the system's library keep theirs? */
static bool header_is_known(struct arena *a, const char *name)
{
	static const char *const kernel[] = {
		"linux/", "net/", "uapi/", "asm/", "asm-generic/", "sound/", "scsi/", "drm/", "rdma/", "crypto/", "trace/",
		"video/", "media/", "target/", "xen/", "generated/", "../", "std", "bcc/", "bpf/",
	};
	static const char *const dirs[] = { "/usr/include", "/usr/include/x86_64-linux-gnu",
					    "/usr/include/aarch64-linux-gnu", "/usr/local/include" };

	for (size_t i = 0; i < ARRAY_SIZE(kernel); i++)
		if (str_starts(name, kernel[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (!access(arena_printf(a, "%s/%s", dirs[i], name), F_OK))
			return true;
	/* errno.h, sys/socket.h: a machine without any headers knows their constants. */
	return !strchr(name, '/') || str_starts(name, "sys/") || str_starts(name, "arpa/") || str_starts(name, "netinet/");
}

/* The reference has this said by a compiler, which reads the declarations of the script behind a line of its own. */
static void header_missing(struct c_parser *p, const char *name)
{
	const char *said = "";
	uint32_t line, col;

	if (diag_form_is_reference()) {
		span_locate(p->c->script->sources, c_token_span(p), &line, &col);
		said = arena_printf(p->c->arena, "definitions.h:%u:%u: fatal error: ", line + 1, col);
	}
	c_error(p, "%s'%s' file not found", said, name);
}

/* <name> is read only where -I says so. False: it is not there. */
static bool system_text(struct c_parser *p, const char **path, const char **text, size_t *len)
{
	size_t n = strcspn(p->begin + 1, ">\n");
	const char *name = arena_strndup(p->c->arena, p->begin + 1, n);

	if (p->begin[n + 1] != '>')
		return false;
	if (!include_dir_text(p, name, path, text, len))
		return true;
	if (header_is_known(p->c->arena, name))
		header_note(p->c, name);
	else
		header_missing(p, name);
	return false;
}

/* Beside the file that includes it, in the directories of -I, else from where we stand. */
static int local_text(struct c_parser *p, const char *name, const char **path, const char **text, size_t *len)
{
	struct arena *a = p->c->arena;
	const struct source *from = source_of(p->c->script->sources, p->span);
	const char *slash = from ? strrchr(from->name, '/') : NULL;

	*path = name;
	if (slash && name[0] != '/') {
		*path = arena_printf(a, "%.*s/%s", (int)(slash - from->name), from->name, name);
		if (!file_text(a, *path, text, len))
			return 0;
	}
	if (!include_dir_text(p, name, path, text, len))
		return 0;
	*path = name;
	return file_text(a, name, text, len);
}

/* The declarations of a file, as if they stood here. */
static void text_include(struct c_parser *p, struct c_conditions *cond, const char *path, const char *text, size_t len)
{
	struct checker *c = p->c;
	struct script declared = { .arena = c->arena, .sources = c->script->sources };

	if (++c->priv->includes > MOST_INCLUDES) {
		c_error(p, "files include each other without an end");
		return;
	}
	if (script_parse(&declared, source_add(c->script->sources, path, text, len), c->diags))
		return;
	if (declared.clauses.n || declared.macros.n || declared.subprogs.n || declared.configs.n)
		c_error(p, "%s is no header of C: use import for scripts", path);
	else
		c_texts_read(c, cond, &declared);
}

void c_include(struct c_parser *p, struct c_conditions *cond)
{
	const char *name, *path = NULL, *text = NULL;
	size_t len = 0;
	int err;

	if (c_is(p, '<')) {
		if (system_text(p, &path, &text, &len))
			text_include(p, cond, path, text, len);
		return;
	}
	if (p->tok != C_STR || p->len < 3) {
		c_error(p, "#include needs \"file\" or <header>");
		return;
	}
	name = arena_strndup(p->c->arena, p->begin + 1, p->len - 2);
	err = local_text(p, name, &path, &text, &len);
	if (err)
		c_error(p, "cannot read %s: %s", name, strerror(-err));
	else
		text_include(p, cond, path, text, len);
}

/* Lines that are continued are one. */
static char *one_line(struct arena *a, const char *text)
{
	char *line = arena_strdup(a, text);

	for (char *s = line; *s; s++)
		if (s[0] == '\\' && (s[1] == '\n' || s[1] == '\r'))
			s[0] = ' ';
	return line;
}

struct macro *c_macro_read(struct checker *c, const char *name, const char *params, uint32_t params_len, const char *body)
{
	struct arena *a = c->arena;
	uint32_t ndiags = c->diags->list.n, nerrors = c->diags->nerrors;
	struct script made = { .arena = a, .sources = c->script->sources };
	const char *text = arena_printf(a, "macro %s%.*s { %s\n}", name, (int)params_len, params, one_line(a, body));
	int err = script_parse(&made, source_add(c->script->sources, arena_printf(a, "#define %s", name), text,
						 strlen(text)), c->diags);

	if (!err && made.macros.n == 1 && made.macros.v[0]->body->a)
		return made.macros.v[0];
	c->diags->list.n = ndiags;
	c->diags->nerrors = nerrors;
	return NULL;
}

bool c_macro(struct checker *c, const char *name, const char *params, uint32_t params_len, const char *body)
{
	struct macro *m = c_macro_read(c, name, params, params_len, body);

	if (m)
		vec_push(c->arena, &c->script->macros, m);
	return m;
}
