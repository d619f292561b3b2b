/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tool: the header of a tool, and where tools are found. */
#include "cli/tool.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/util.h"
#include "cli/cli.h"

/* ---- header ---- */

static bool is_key_char(char c)
{
	return c >= 'a' && c <= 'z';
}

/* Length of the key that a line begins with ("area: disk"), 0: none. */
static size_t key_length(const char *line, size_t len)
{
	size_t n = 0;

	while (n < len && is_key_char(line[n]))
		n++;
	return n && n < len && line[n] == ':' && (n + 1 == len || line[n + 1] == ' ') ? n : 0;
}

static int line_add(struct tool *t, const char *line, size_t key, size_t len)
{
	struct tool_line *grown = realloc(t->lines, (t->nlines + 1) * sizeof(*grown));
	size_t skip = key + 1 < len ? key + 2 : key + 1;
	struct tool_line *new;

	if (!grown)
		return -ENOMEM;
	t->lines = grown;
	new = &grown[t->nlines];
	new->key = strndup(line, key);
	new->value = strndup(line + skip, len - MIN(skip, len));
	t->nlines++;
	return new->key && new->value ? 0 : -ENOMEM;
}

static int line_continue(struct tool *t, const char *line, size_t len)
{
	struct tool_line *last = &t->lines[t->nlines - 1];
	char *joined;

	while (len && *line == ' ') {
		line++;
		len--;
	}
	if (asprintf(&joined, "%s\n%.*s", last->value, (int)len, line) < 0)
		return -ENOMEM;
	free(last->value);
	last->value = joined;
	return 0;
}

/* "biolatency: how long disks take": what follows the name. */
static int first_line(struct tool *t, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	const char *from = colon ? colon + 1 : line;

	while (from < line + len && *from == ' ')
		from++;
	t->summary = strndup(from, (size_t)(line + len - from));
	return t->summary ? 0 : -ENOMEM;
}

static int text_add(struct strbuf *text, const char *line, size_t len)
{
	if (len || text->len)
		strbuf_addf(text, "%.*s\n", (int)len, line);
	return text->failed ? -ENOMEM : 0;
}

static int header_line(struct tool *t, struct strbuf *text, const char *line, size_t len, bool *in_key)
{
	size_t key = key_length(line, len);

	if (!t->summary)
		return first_line(t, line, len);
	if (key) {
		*in_key = true;
		return line_add(t, line, key, len);
	}
	if (*in_key && len > 1 && line[0] == ' ' && line[1] == ' ')
		return line_continue(t, line, len);
	*in_key = false;
	return text_add(text, line, len);
}

/* The first comment of the source, line by line without its stars. */
static int header_read(struct tool *t)
{
	const char *p = t->source, *end;
	struct strbuf text = STRBUF_INIT;
	bool in_key = false;
	int err = 0;

	if (str_starts(p, "#!"))
		p += strcspn(p, "\n");
	p += strspn(p, " \t\n");
	end = str_starts(p, "/*") ? strstr(p, "*/") : NULL;
	for (p += 2; end && !err && p < end;) {
		size_t len = strcspn(p, "\n");
		const char *line = p + strspn(p, " \t"), *stop = MIN(p + len, end);

		p += len + 1;
		if (line < stop && *line == '*')
			line++;
		if (line < stop && *line == ' ')
			line++;
		while (stop > line && (stop[-1] == ' ' || stop[-1] == '\t'))
			stop--;
		if (stop > line || t->summary)
			err = header_line(t, &text, line, (size_t)(stop - MIN(line, stop)), &in_key);
	}
	while (text.len && text.s[text.len - 1] == '\n')
		text.s[--text.len] = 0;
	t->text = strbuf_take(&text);
	if (!t->summary && !err)
		t->summary = strdup("");
	return err || !t->text || !t->summary ? -ENOMEM : 0;
}

const char *tool_value(const struct tool *t, const char *key, size_t nth)
{
	for (size_t i = 0; i < t->nlines; i++)
		if (str_eq(t->lines[i].key, key) && !nth--)
			return t->lines[i].value;
	return NULL;
}

void tool_free(struct tool *t)
{
	for (size_t i = 0; i < t->nlines; i++) {
		free(t->lines[i].key);
		free(t->lines[i].value);
	}
	free(t->lines);
	free(t->name);
	free(t->summary);
	free(t->source);
	free(t->path);
	free(t->text);
	free(t->preset);
	*t = (struct tool){ 0 };
}

/* "alias: ext4dist --fs=ext4": what the name stands for beyond the tool. */
static int preset_find(struct tool *t, const char *name)
{
	const char *alias;

	for (size_t i = 0; (alias = tool_value(t, "alias", i)); i++) {
		size_t len = strcspn(alias, " ");

		if (strlen(name) != len || memcmp(alias, name, len))
			continue;
		t->preset = strdup(alias + len + strspn(alias + len, " "));
		return t->preset ? 0 : -ENOMEM;
	}
	return 0;
}

/* ---- within the program ---- */

static bool word_in(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = words; *p;) {
		size_t n = strcspn(p, " ");

		if (n == len && !memcmp(p, word, n))
			return true;
		p += n + strspn(p + n, " ");
	}
	return false;
}

static const struct embedded_tool *embedded_find(const char *name)
{
	for (const struct embedded_tool *e = embedded_tools; e->name; e++)
		if (str_eq(e->name, name) || word_in(e->aliases, name))
			return e;
	return NULL;
}

static bool dictionary_give(z_stream *z)
{
	_cleanup_free_ unsigned char *common = malloc(embedded_common_bytes);
	uLongf bytes = embedded_common_bytes;

	return common && uncompress(common, &bytes, embedded_common, embedded_common_packed_bytes) == Z_OK &&
	       inflateSetDictionary(z, common, (uInt)bytes) == Z_OK;
}

static char *unpack(const struct embedded_tool *e)
{
	z_stream z = { .next_in = (z_const Bytef *)(uintptr_t)e->data, .avail_in = (uInt)e->packed_bytes };
	char *text = malloc(e->bytes + 1);
	int r;

	if (!text || inflateInit(&z) != Z_OK) {
		free(text);
		return NULL;
	}
	z.next_out = (Bytef *)text;
	z.avail_out = (uInt)e->bytes;
	r = inflate(&z, Z_FINISH);
	if (r == Z_NEED_DICT && dictionary_give(&z))
		r = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	if (r != Z_STREAM_END || z.avail_out) {
		free(text);
		return NULL;
	}
	text[e->bytes] = 0;
	return text;
}

static int no_memory(void)
{
	fail(EXIT_FAILED, NULL, "out of memory");
	return -1;
}

const char *tool_import(void *ctx, const char *path)
{
	static char *texts[32];
	const char *name = strrchr(path, '/');

	(void)ctx;
	if (!str_starts(path, "../lib/"))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(texts) && embedded_libs[i].name; i++) {
		if (!str_eq(embedded_libs[i].name, name + 1))
			continue;
		if (!texts[i])
			texts[i] = unpack(&embedded_libs[i]);
		if (!texts[i])
			no_memory();
		return texts[i];
	}
	return NULL;
}

int tool_params(const struct tool *t, int (*fn)(void *ctx, const char *param, const char *kind, const char *value,
						 const char *description), void *ctx)
{
	struct sonde_compile_options o = SONDE_OPTIONS(struct sonde_compile_options, .name = t->name,
						       .message = message_receive, .import_text = tool_import);

	return sonde_list_params(t->source, &o, fn, ctx);
}

/* ---- in directories ---- */

/* Calls fn for each directory until it returns non-zero. */
static int directories_each(int (*fn)(void *ctx, const char *directory), void *ctx)
{
	const char *path = getenv("SONDE_TOOLS"), *home = getenv("HOME"), *config = getenv("XDG_CONFIG_HOME");
	_cleanup_strbuf_ struct strbuf dir = STRBUF_INIT;
	int r = 0;

	while (!r && path && *path) {
		size_t len = strcspn(path, ":");

		strbuf_reset(&dir);
		strbuf_add(&dir, path, len);
		if (len)
			r = fn(ctx, dir.s);
		path += len + (path[len] == ':');
	}
	strbuf_reset(&dir);
	if (config && *config == '/')
		strbuf_addf(&dir, "%s/sonde/tools", config);
	else if (home && *home == '/')
		strbuf_addf(&dir, "%s/.config/sonde/tools", home);
	if (!r && dir.len)
		r = fn(ctx, dir.s);
	return r ? r : fn(ctx, "/etc/sonde/tools");
}

struct file_search {
	const char *name;
	char *path;
};

static int file_in(void *ctx, const char *directory)
{
	struct file_search *s = ctx;

	if (asprintf(&s->path, "%s/%s.bt", directory, s->name) < 0) {
		s->path = NULL;
		return -1;
	}
	if (!access(s->path, R_OK))
		return 1;
	free(TAKE_PTR(s->path));
	return 0;
}

int tool_find(const char *name, struct tool *out)
{
	const struct embedded_tool *e;
	struct file_search s = { .name = name };
	int status;

	*out = (struct tool){ 0 };
	if (!*name || strchr(name, '/') || name[0] == '.' || name[0] == '-')
		return 0;
	directories_each(file_in, &s);
	e = s.path ? NULL : embedded_find(name);
	if (!s.path && !e)
		return 0;
	out->path = s.path;
	out->name = strdup(e ? e->name : name);
	if (s.path) {
		struct options o = { .file = s.path };

		out->source = program_read(&o, &status);
		if (!out->source) {
			tool_free(out);
			return -1;
		}
	} else {
		out->source = unpack(e);
	}
	if (out->name && out->source && !header_read(out) && !preset_find(out, name))
		return 1;
	tool_free(out);
	return no_memory();
}

/* ---- all ---- */

struct tool_entry {
	char *name, *area, *summary, *aliases;
	bool own; /* a person's own */
};

struct tool_list {
	struct tool_entry *v;
	size_t n;
	bool failed;
};

static bool list_has(const struct tool_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i].name, name))
			return true;
	return false;
}

static void list_add(struct tool_list *l, const char *name, const char *area, const char *summary, const char *aliases)
{
	struct tool_entry *grown;

	if (list_has(l, name))
		return;
	grown = realloc(l->v, (l->n + 1) * sizeof(*grown));
	if (!grown) {
		l->failed = true;
		return;
	}
	l->v = grown;
	l->v[l->n++] = (struct tool_entry){ .name = strdup(name), .area = strdup(area), .summary = strdup(summary),
					    .aliases = strdup(aliases) };
}

static void own_add(struct tool_list *l, const char *name)
{
	struct tool t;

	if (tool_find(name, &t) <= 0)
		return;
	list_add(l, name, tool_value(&t, "area", 0) ? tool_value(&t, "area", 0) : "own", t.summary, "");
	tool_free(&t);
}

static int directory_add(void *ctx, const char *directory)
{
	DIR *d = opendir(directory);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		size_t len = strlen(e->d_name);

		if (len <= 3 || !str_eq(e->d_name + len - 3, ".bt"))
			continue;
		e->d_name[len - 3] = 0;
		own_add(ctx, e->d_name);
	}
	if (d)
		closedir(d);
	return 0;
}

static int entry_compare(const void *a, const void *b)
{
	const struct tool_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int tools_each(int (*fn)(void *ctx, const char *name, const char *area, const char *summary, const char *aliases),
	       void *ctx)
{
	struct tool_list l = { 0 };
	int r = 0;

	directories_each(directory_add, &l);
	for (const struct embedded_tool *e = embedded_tools; e->name; e++)
		list_add(&l, e->name, e->area, e->summary, e->aliases);
	if (l.n)
		qsort(l.v, l.n, sizeof(*l.v), entry_compare);
	for (size_t i = 0; i < l.n; i++) {
		struct tool_entry *e = &l.v[i];

		l.failed |= !e->name || !e->area || !e->summary || !e->aliases;
		if (!r && !l.failed)
			r = fn(ctx, e->name, e->area, e->summary, e->aliases);
		free(e->name);
		free(e->area);
		free(e->summary);
		free(e->aliases);
	}
	free(l.v);
	return l.failed ? no_memory() : r;
}

const char *tool_nearest(const char *name)
{
	const char **names = calloc(nembedded_tools + 1, sizeof(*names));
	const char *near = NULL;

	for (size_t i = 0; names && i < nembedded_tools; i++)
		names[i] = embedded_tools[i].name;
	if (names)
		near = nearest_name(name, names, nembedded_tools);
	free(names);
	return near;
}
