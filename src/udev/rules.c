/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules: files and directories of rules; lines joined; every GOTO with its LABEL. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/util.h"
#include "udev/token.h"

#define LONGEST_LINE 16384      /* from here on udev ignores it, continued lines taken together */
#define LARGEST_FILE (16u << 20)

const char *udev_rule_place(struct arena *a, const struct udev_rule *rule)
{
	return arena_printf(a, "%s:%u", rule->file->path, rule->line);
}

const struct udev_token *udev_rule_token(const struct udev_rule *rule, enum udev_what what)
{
	vec_each(t, &rule->tokens)
		if (t->what == what)
			return t;
	return NULL;
}

bool udev_rule_is_for(const struct udev_rule *rule, const char *action)
{
	vec_each(t, &rule->tokens)
		if (t->what == UDEV_M_ACTION &&
		    udev_pattern_match(t->value, action, t->nocase) != (t->op == UDEV_MATCH))
			return false;
	return true;
}

static void file_problem(struct arena *a, struct udev_rules *r, struct udev_file *f, uint32_t line,
			 enum udev_severity severity,
			 const char *text, const char *hint)
{
	struct udev_problem p = { .file = f, .line = line, .severity = severity, .text = text,
		.hint = hint };

	vec_push(a, &r->problems, p);
}

/* Labels only serve GOTOs that stand before them in the same file. */
static void resolve_labels(struct arena *a, struct udev_rules *r, struct udev_file *f)
{
	struct strmap next = { 0 }; /* the nearest rule below that has this label */

	for (uint32_t i = f->rules.n; i--;) {
		struct udev_rule *rule = f->rules.v[i];

		if (rule->go) {
			rule->target = strmap_get(&next, rule->go);
			if (!rule->target)
				file_problem(a, r, f, rule->line, UDEV_ERROR,
					     arena_printf(a,
							  "GOTO=\"%.60s\" finds no such LABEL below it in this file: udev ignores it, and "
							     "goes on with the next line",
							     rule->go), NULL);
		}
		if (rule->label)
			strmap_put(a, &next, rule->label, rule);
	}
}

struct reader {
	struct arena *a;
	struct udev_rules *r;
	struct udev_file *f;
	struct strbuf joined;
	uint32_t line, first, indent;
	bool continued, too_long;
};

static void add_rule(struct reader *rd, const char *text)
{
	struct udev_rule *rule = udev_line_parse(rd->a, rd->r, rd->f, text, rd->first, rd->line,
						 rd->indent);

	if (!rule)
		return;
	rule->index = rd->f->rules.n;
	vec_push(rd->a, &rd->f->rules, rule);
}

static void end_line(struct reader *rd)
{
	if (rd->too_long || rd->joined.failed)
		file_problem(rd->a, rd->r, rd->f, rd->first, UDEV_ERROR,
			     arena_printf(rd->a,
					  "a line of %u characters or more, continued ones taken together: udev ignores it",
					  LONGEST_LINE), NULL);
	else if (rd->joined.len)
		add_rule(rd, arena_strdup(rd->a, rd->joined.s));
	strbuf_reset(&rd->joined);
	rd->continued = rd->too_long = false;
}

static void read_line(struct reader *rd, const char *s, size_t len)
{
	size_t blank = 0;
	bool more;

	rd->line++;
	while (blank < len && (s[blank] == ' ' || s[blank] == '\t' || s[blank] == '\r'))
		blank++;
	/* A comment is one even between continued lines. */
	if (blank < len && s[blank] == '#')
		return;
	if (!rd->continued) {
		rd->first = rd->line;
		rd->indent = (uint32_t)blank;
	}
	s += blank;
	len -= blank;
	more = len && s[len - 1] == '\\';
	if (rd->joined.len + len >= LONGEST_LINE)
		rd->too_long = true;
	else
		strbuf_add(&rd->joined, s, len - more);
	rd->continued = more;
	if (!more)
		end_line(rd);
}

static void read_text(struct reader *rd, const char *text, size_t len)
{
	const char *end = text + len;

	if (memchr(text, 0, len)) {
		file_problem(rd->a, rd->r, rd->f, 1, UDEV_ERROR,
			     "not a file of rules: it holds zero bytes", NULL);
		return;
	}
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));

		read_line(rd, text, (size_t)((nl ? nl : end) - text));
		text = nl ? nl + 1 : end;
	}
	if (rd->continued) {
		file_problem(rd->a, rd->r, rd->f, rd->first, UDEV_ERROR,
			     "the file ends within a continued line, which udev ignores",
			     "take the backslash at its end away");
		return;
	}
}

static void free_buf(void *b)
{
	strbuf_free(b);
}

void udev_rules_parse(struct arena *a, struct udev_rules *r, const char *path, const char *text,
		      size_t len, bool context)
{
	struct reader *rd = arena_new_of(a, struct reader);
	struct udev_file *f = arena_new_of(a, struct udev_file);
	const char *slash = strrchr(path, '/');

	f->path = arena_strdup(a, path);
	f->name = arena_strdup(a, slash ? slash + 1 : path);
	f->context = context;
	*rd = (struct reader){ .a = a, .r = r, .f = f, .joined = STRBUF_INIT };
	arena_own(a, free_buf, &rd->joined);
	vec_push(a, &r->files, f);
	read_text(rd, text, len);
	resolve_labels(a, r, f);
}

static int open_rules(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), err;
	struct stat st;

	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) ? -errno : S_ISDIR(st.st_mode) ? -EISDIR : !S_ISREG(st.st_mode) ?
		-EINVAL :
	      st.st_size > LARGEST_FILE ? -EFBIG : 0;
	if (err) {
		close(fd);
		return err;
	}
	*size = (size_t)st.st_size;
	return fd;
}

int udev_rules_read(struct arena *a, struct udev_rules *r, const char *path, bool context)
{
	size_t size = 0, got = 0;
	int fd = open_rules(path, &size);
	char *text;

	if (fd < 0)
		return fd;
	text = malloc(size + 1);
	while (text && got < size) {
		ssize_t n = read(fd, text + got, size - got);

		if (n <= 0)
			break;
		got += (size_t)n;
	}
	close(fd);
	if (!text)
		return -ENOMEM;
	arena_own(a, free, text);
	udev_rules_parse(a, r, path, text, got, context);
	return 0;
}

static int is_rules(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return e->d_name[0] != '.' && n > 6 && str_eq(e->d_name + n - 6, ".rules");
}

int udev_rules_read_dir(struct arena *a, struct udev_rules *r, const char *path, bool context)
{
	struct dirent **names;
	int n = scandir(path, &names, is_rules, alphasort), err = 0, read = 0;

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		/* The arena's jump would lose the list. */
		arena_own(a, free, names[i]);
		const char *file = arena_printf(a, "%s%s%s", path,
						path[strlen(path) - 1] == '/' ? "" : "/",
							names[i]->d_name);

		err = udev_rules_read(a, r, file, context);
		if (!err)
			read++;
		else
			file_problem(a, r, NULL, 0, UDEV_WARNING,
				     arena_printf(a, "cannot read %s: %s", file, strerror(-err)),
				     NULL);
	}
	free(names);
	return read;
}

static int by_name(const void *x, const void *y)
{
	const struct udev_file *const *a = x, *const *b = y;

	return strcmp((*a)->name, (*b)->name);
}

void udev_rules_sort(struct arena *a, struct udev_rules *r)
{
	struct strmap seen = { 0 };
	uint32_t kept = 0;

	for (uint32_t i = 0; i < r->files.n; i++) {
		struct udev_file *f = r->files.v[i], *first = strmap_get(&seen, f->name);

		if (first && !f->context)
			file_problem(a, r, f, 0, UDEV_NOTE,
				     arena_printf(a,
						  "left out, as udev does it: %s has the same name and comes first", first->path),
				     NULL);
		if (first)
			continue;
		strmap_put(a, &seen, f->name, f);
		r->files.v[kept++] = f;
	}
	r->files.n = kept;
	if (kept)
		qsort(r->files.v, kept, sizeof(*r->files.v), by_name);
}
