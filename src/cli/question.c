/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Question: from the options to a compiled question: read the program, take the settings from the
 * environment, compile.
 */
#include "cli/cli.h"
#include "cli/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/util.h"

/* A program longer than this is a mistake (a core file, /dev/zero). */
#define MOST_PROGRAM_BYTES (16U << 20)

static int read_fd(int fd, struct strbuf *out)
{
	for (;;) {
		ssize_t n;

		if (!strbuf_reserve(out, 64 * 1024))
			return -ENOMEM;
		n = read(fd, out->s + out->len, 64 * 1024);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		out->len += (size_t)n;
		out->s[out->len] = 0;
		if (out->len > MOST_PROGRAM_BYTES)
			return -EFBIG;
	}
}

static int read_file(const char *path, struct strbuf *out)
{
	bool is_stdin = str_eq(path, "-");
	_cleanup_close_ int fd = -1;

	if (!is_stdin) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
	}
	return read_fd(is_stdin ? STDIN_FILENO : fd, out);
}

/* A word without / and . that is no file was probably meant to be a command. */
static int no_such_program(const char *path, int err)
{
	bool command = !strpbrk(path, "/.");
	const char *line = command ? tool_line(path) : NULL, *near = command ? command_nearest(path) : NULL;
	_cleanup_strbuf_ struct strbuf hint = STRBUF_INIT;

	if (line)
		return fail(EXIT_USAGE, line, "'%s' is no tool of its own: the language says it in a line", path);
	near = near || !command ? near : tool_nearest(path);
	if (near)
		strbuf_addf(&hint, "did you mean 'sonde %s'?", near);
	errno = -err;
	if (err == -ENOENT && !strpbrk(path, "/."))
		return fail(EXIT_USAGE, near ? hint.s : "`sonde help` shows what there is; a program goes after -e",
			    "'%s' is neither a command nor a file", path);
	return fail(EXIT_FAILED, NULL, "failed to open file '%s': %m", path);
}

const char *program_name(const struct options *o)
{
	if (o->title)
		return o->title;
	return o->program || str_eq(o->file, "-") ? "stdin" : o->file;
}

char *program_read(const struct options *o, int *status)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char *copy = NULL;
	int err;

	*status = EXIT_FAILED;
	if (o->program) {
		copy = strdup(o->program);
	} else {
		err = read_file(o->file, &text);
		if (err) {
			*status = no_such_program(o->file, err);
			return NULL;
		}
		if (memchr(text.s, 0, text.len)) {
			*status = fail(EXIT_FAILED, "is it a compiled object?", "%s is no text: it contains a NUL byte", o->file);
			return NULL;
		}
		copy = strbuf_take(&text);
	}
	if (!copy)
		fail(EXIT_FAILED, NULL, "out of memory");
	return copy;
}

/* Settings that SONDE_X or BPFTRACE_X in the environment change. */
static const char *const settings[] = {
	"cache_user_symbols", "cpp_demangle", "lazy_symbolication", "license", "log_size", "max_bpf_progs",
	"max_cat_bytes", "max_map_keys", "max_probes", "max_strlen", "missing_probes", "on_stack_limit",
	"perf_rb_pages", "print_maps_on_exit", "show_debug_info", "stack_mode", "str_trunc_trailer",
};

/* Names of older versions of the reference. */
static const struct {
	const char *old, *name;
} old_settings[] = {
	{ "strlen", "max_strlen" }, { "map_keys_max", "max_map_keys" }, { "cat_bytes_max", "max_cat_bytes" },
};

static const char *setting_env(const char *name)
{
	static const char *const prefixes[] = { "SONDE_", "BPFTRACE_" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		_cleanup_strbuf_ struct strbuf var = STRBUF_INIT;
		const char *value;

		strbuf_addstr(&var, prefixes[i]);
		for (const char *p = name; *p; p++)
			strbuf_addch(&var, *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
		value = getenv(var.s);
		if (value)
			return value;
	}
	return NULL;
}

#define MOST_SETTINGS (ARRAY_SIZE(settings) + ARRAY_SIZE(old_settings))

struct setting_list {
	char *text[MOST_SETTINGS]; /* "name=value" */
	size_t n;
};

static void setting_add(struct setting_list *l, const char *env_name, const char *name)
{
	const char *value = setting_env(env_name);
	struct strbuf b = STRBUF_INIT;

	if (!value)
		return;
	strbuf_addf(&b, "%s=%s", name, value);
	l->text[l->n] = strbuf_take(&b);
	if (l->text[l->n])
		l->n++;
}

static void settings_collect(struct setting_list *l)
{
	l->n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(old_settings); i++)
		setting_add(l, old_settings[i].old, old_settings[i].name);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		setting_add(l, settings[i], settings[i]);
}

static void settings_free(struct setting_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->text[i]);
}

/* Seen with -v only: whoever uses such an option means the reference, and its scripts stay quiet. */
static void report_ignored(const struct options *o)
{
	for (size_t i = 0; o->verbose && i < o->nignored; i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		strbuf_addf(&text, "%s has no effect here and is ignored", o->ignored[i]);
		message_receive(NULL, SONDE_INFO, text.s, NULL);
	}
}

/* What is done with the source and the options: 0 or a negative errno. */
typedef int (*source_fn)(void *ctx, const char *source, const struct sonde_compile_options *c);

static int with_source(const struct options *o, struct sonde_compile_options *c, source_fn fn, void *ctx)
{
	int status;
	_cleanup_free_ char *source = program_read(o, &status);
	struct setting_list list;

	if (!source)
		return status;
	report_ignored(o);
	settings_collect(&list);
	c->size = sizeof(*c);
	c->name = program_name(o);
	c->params = o->params;
	c->nparams = o->nparams;
	c->unsafe = o->unsafe;
	c->test_mode = o->mode == MODE_TEST;
	c->bench_mode = o->mode == MODE_BENCH;
	c->include_dirs = o->include_dirs;
	c->ninclude_dirs = o->ninclude_dirs;
	c->includes = o->includes;
	c->nincludes = o->nincludes;
	c->probe_filter = o->probe_filter;
	c->import_text = o->import_text;
	c->ways = o->ways;
	c->nways = o->nways;
	c->helper_errors = o->helper_errors;
	c->message = message_receive;
	c->config = (const char *const *)list.text;
	c->nconfig = list.n;
	status = fn(ctx, source, c) ? EXIT_FAILED : EXIT_ANSWERED;
	settings_free(&list);
	return status;
}

static int compile_source(void *ctx, const char *source, const struct sonde_compile_options *c)
{
	return sonde_compile(source, c, ctx);
}

static int compile(const struct options *o, struct sonde_compile_options *c, struct sonde_question **q)
{
	return with_source(o, c, compile_source, q);
}

struct program_listing {
	bool verbose;
	int (*fn)(void *ctx, const char *probe, const char *args);
	void *ctx;
};

static int list_source(void *ctx, const char *source, const struct sonde_compile_options *c)
{
	const struct program_listing *l = ctx;

	return sonde_list_program(source, c, l->verbose, l->fn, l->ctx) < 0;
}

int question_list(const struct options *o, int (*fn)(void *ctx, const char *probe, const char *args), void *ctx)
{
	struct sonde_compile_options c = { .pid = o->pid };
	struct program_listing l = { .verbose = o->verbose > 0, .fn = fn, .ctx = ctx };

	return with_source(o, &c, list_source, &l);
}

struct sonde_question *question_compile(const struct options *o, const struct sonde_child *child, int *status)
{
	struct sonde_compile_options c = {
		.pid = child ? sonde_child_pid(child) : o->pid,
		.pid_is_child = child != NULL,
		.child_program = child ? sonde_child_program(child) : NULL,
	};
	struct sonde_question *q = NULL;

	*status = compile(o, &c, &q);
	return *status ? NULL : q;
}

static void add_stage(struct strbuf *out, const char *stage, const char *text, bool titled)
{
	if (titled)
		strbuf_addf(out, "%s---- %s ----\n", out->len ? "\n" : "", stage);
	strbuf_addstr(out, text);
	if (out->len && out->s[out->len - 1] != '\n')
		strbuf_addch(out, '\n');
}

static int dump_several(const struct options *o, const struct sonde_question *q)
{
	const char *const *stages = sonde_dump_stages();
	struct strbuf out = STRBUF_INIT;

	for (unsigned i = 0; stages[i]; i++) {
		_cleanup_free_ char *text = NULL;

		if (!(o->dump_stages >> i & 1))
			continue;
		text = sonde_question_dump(q, stages[i]);
		if (!text) {
			strbuf_free(&out);
			return fail(EXIT_FAILED, NULL, "stage '%s' cannot be shown", stages[i]);
		}
		add_stage(&out, stages[i], text, true);
	}
	return print_and_free(&out);
}

struct one_stage {
	struct strbuf out;
	bool told;
};

static void on_dump(void *ctx, const char *stage, const char *text)
{
	struct one_stage *one = ctx;

	one->told = true;
	add_stage(&one->out, stage, text, false);
}

/* One stage is shown as soon as it is made, and so also when a later one fails. */
int question_dump(const struct options *o)
{
	struct one_stage one = { .out = STRBUF_INIT };
	struct sonde_compile_options c = { .pid = o->pid };
	struct sonde_question *q = NULL;
	bool several = o->dump_stages & (o->dump_stages - 1);
	int status, printed;

	if (!several) {
		c.dump_stage = sonde_dump_stages()[__builtin_ctz(o->dump_stages)];
		c.dump = on_dump;
		c.dump_ctx = &one;
	}
	status = compile(o, &c, &q);
	if (several)
		printed = status ? 0 : dump_several(o, q);
	else
		printed = print_and_free(&one.out);
	if (!status && !several && !one.told)
		printed = fail(EXIT_FAILED, NULL, "stage '%s' cannot be shown", c.dump_stage);
	sonde_question_free(q);
	return status ? status : printed;
}
