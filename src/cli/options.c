/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options: one table from which the command line is read and its help is printed. Letters and meanings
 * are those of the reference, so that people and programs need not learn them again.
 */
#include "cli/cli.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"

enum group { GROUP_ASK, GROUP_SHOW, GROUP_LOOK, GROUP_CHECK, GROUP_COMPAT };

static const char *const group_titles[] = {
	[GROUP_ASK] = "What to ask",
	[GROUP_SHOW] = "What to show, and where",
	[GROUP_LOOK] = "What there is",
	[GROUP_CHECK] = "Looking inside",
	[GROUP_COMPAT] = "Accepted for scripts written for bpftrace, without effect",
};

struct option_def {
	char letter;        /* 0: none */
	const char *name;   /* without --; NULL: none */
	const char *arg;    /* NULL: takes none */
	enum group group;
	const char *help;   /* lines are separated by \n */
	int (*set)(struct options *o, const char *value); /* NULL: ignored */
	size_t flag;        /* when set is set_flag: offset of the bool, plus one */
};

static int set_program(struct options *o, const char *value)
{
	if (o->program)
		message_receive(NULL, SONDE_WARNING, "of several -e only the last counts", NULL);
	o->program = value;
	return 0;
}

static int set_command(struct options *o, const char *value)
{
	o->command = value;
	return 0;
}

/* The kernel gives no number above this (PID_MAX_LIMIT). */
#define PID_MOST 4194304

static int pid_parse(const char *value, pid_t *out)
{
	char *end;
	long pid;

	errno = 0;
	pid = strtol(value, &end, 10);
	if (errno == EINVAL || end == value)
		return fail(EXIT_USAGE, NULL, "Failed to parse pid: invalid integer: %s", value);
	if (*end)
		return fail(EXIT_USAGE, NULL, "Failed to parse pid: invalid trailing bytes: %s", value);
	if (errno || pid <= 0 || pid > PID_MOST)
		return fail(EXIT_USAGE, "a process has a number from 1 to 4194304", "Pid out of range: %s", value);
	*out = (pid_t)pid;
	return 0;
}

static int set_pid(struct options *o, const char *value)
{
	return pid_parse(value, &o->pid);
}

static int set_format(struct options *o, const char *value)
{
	const char *const *names = sonde_view_names();
	_cleanup_strbuf_ struct strbuf hint = STRBUF_INIT;

	strbuf_addstr(&hint, "known views:");
	for (size_t i = 0; names[i]; i++) {
		if (str_eq(names[i], value)) {
			o->format = names[i];
			return 0;
		}
		strbuf_addf(&hint, " %s", names[i]);
	}
	return fail(EXIT_USAGE, hint.s, "Invalid output format \"%s\"", value);
}

static int set_range(struct options *o, const char *value)
{
	o->range = value;
	return 0;
}

static int set_output(struct options *o, const char *value)
{
	o->output = value;
	return 0;
}

static int set_buffering(struct options *o, const char *value)
{
	if (str_eq(value, "full"))
		o->buffering = BUFFER_FULL;
	else if (str_eq(value, "line"))
		o->buffering = BUFFER_LINE;
	else if (str_eq(value, "none"))
		o->buffering = BUFFER_NONE;
	else
		return fail(EXIT_USAGE, "known modes: full line none", "-B: there is no mode '%s'", value);
	return 0;
}

/* Stages by the names that the reference gives them. */
static const struct {
	const char *name, *stage;
} stage_aliases[] = {
	{ "codegen", "ir" }, { "codegen-opt", "ir-opt" }, { "dis", "bpf" }, { "disassemble", "bpf" },
};

static int unknown_stage(const char *name, size_t len)
{
	const char *const *stages = sonde_dump_stages();
	_cleanup_strbuf_ struct strbuf hint = STRBUF_INIT;

	strbuf_addstr(&hint, "known stages:");
	for (size_t i = 0; stages[i]; i++)
		strbuf_addf(&hint, " %s", stages[i]);
	strbuf_addstr(&hint, " libbpf verifier all");
	return fail(EXIT_USAGE, hint.s, "-d: there is no stage '%.*s'", (int)len, name);
}

static bool word_is(const char *word, const char *name, size_t len)
{
	return strlen(word) == len && !memcmp(word, name, len);
}

static int stage_bits(struct options *o, const char *name, size_t len, unsigned *bits)
{
	const char *const *stages = sonde_dump_stages();

	if (word_is("all", name, len)) {
		*bits = ~0U;
		return 0;
	}
	if (word_is("libbpf", name, len)) {
		o->libbpf_log = true;
		return 0;
	}
	if (word_is("verifier", name, len)) {
		o->verifier_log = true;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(stage_aliases); i++) {
		if (word_is(stage_aliases[i].name, name, len)) {
			name = stage_aliases[i].stage;
			len = strlen(name);
			break;
		}
	}
	for (unsigned i = 0; stages[i]; i++) {
		if (word_is(stages[i], name, len)) {
			*bits |= 1U << i;
			return 0;
		}
	}
	return unknown_stage(name, len);
}

static int set_stages(struct options *o, const char *value)
{
	for (const char *p = value;; p++) {
		size_t len = strcspn(p, ",");
		int err = stage_bits(o, p, len, &o->dump_stages);

		if (err)
			return err;
		p += len;
		if (!*p)
			return 0;
	}
}

static int set_verbose(struct options *o, const char *value)
{
	(void)value;
	o->verbose++;
	return 0;
}

static const struct {
	const char *name;
	enum mode mode;
} modes[] = {
	{ "codegen", MODE_COMPILE }, { "test", MODE_TEST }, { "bench", MODE_BENCH }, { "format", MODE_FORMAT },
};

/* `shown` is how it was asked for. */
static int mode_take(struct options *o, enum mode mode, const char *shown)
{
	if (o->mode != MODE_RUN && o->mode != mode)
		return fail(EXIT_USAGE, NULL, "%s: another mode was asked for already", shown);
	o->mode = mode;
	return 0;
}

static int set_mode(struct options *o, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (str_eq(modes[i].name, value))
			return mode_take(o, modes[i].mode, "--mode");
	return fail(EXIT_USAGE, "known modes: codegen test bench format", "--mode: there is no mode '%s'", value);
}

static int set_test(struct options *o, const char *value)
{
	(void)value;
	return mode_take(o, MODE_TEST, "--test");
}

static int set_bench(struct options *o, const char *value)
{
	(void)value;
	return mode_take(o, MODE_BENCH, "--bench");
}

static int set_fmt(struct options *o, const char *value)
{
	(void)value;
	return mode_take(o, MODE_FORMAT, "--fmt");
}

/* "10", "0.5", "200ms", "2m" */
static int set_duration(struct options *o, const char *value)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = { { "", 1e9 }, { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 }, { "m", 60e9 }, { "h", 3600e9 } };
	char *end;
	double n;

	errno = 0;
	n = strtod(value, &end);
	for (size_t i = 0; i < ARRAY_SIZE(units) && end != value && !errno; i++) {
		if (!str_eq(units[i].unit, end) || !(n > 0) || n * units[i].ns >= 9e18)
			continue;
		o->duration_ns = MAX((uint64_t)(n * units[i].ns), 1);
		return 0;
	}
	return fail(EXIT_USAGE, "seconds, or a number with ms, s, m or h: --duration 500ms",
		    "--duration: '%s' is no time", value);
}

static int set_probe_filter(struct options *o, const char *value)
{
	o->probe_filter = value;
	return 0;
}

/* More than these are a mistake. */
static int list_add(const char **list, size_t *n, const char *value, const char *shown)
{
	if (*n == MOST_INCLUDES)
		return fail(EXIT_USAGE, NULL, "%s can be given %d times", shown, MOST_INCLUDES);
	list[(*n)++] = value;
	return 0;
}

static int set_include_dir(struct options *o, const char *value)
{
	return list_add(o->include_dirs, &o->ninclude_dirs, value, "-I");
}

static int set_debuginfo(struct options *o, const char *value)
{
	strbuf_addf(&o->debug_dirs, "%s%s", o->debug_dirs.len ? ":" : "", value);
	return 0;
}

static int set_traceable(struct options *o, const char *value)
{
	o->traceable = value;
	return 0;
}

static int set_without(struct options *o, const char *value)
{
	o->without = value;
	return 0;
}

static int set_emit_elf(struct options *o, const char *value)
{
	o->emit_elf = value;
	return mode_take(o, MODE_COMPILE, "--emit-elf");
}

static int set_dwarf_pid(struct options *o, const char *value)
{
	pid_t pid = 0;
	int err = pid_parse(value, &pid);

	if (err)
		return err;
	if (o->nunwind_pids == MOST_INCLUDES)
		return fail(EXIT_USAGE, NULL, "--dwarf-pid can be given %d times", MOST_INCLUDES);
	o->unwind_pids[o->nunwind_pids++] = pid;
	return 0;
}

static int set_include(struct options *o, const char *value)
{
	return list_add(o->includes, &o->nincludes, value, "--include");
}

#define FLAG(member) .flag = offsetof(struct options, member) + 1

static const struct option_def defs[] = {
	{ 'e', NULL, "PROGRAM", GROUP_ASK, "ask this program instead of a file", set_program },
	{ 'c', "cmd", "COMMAND", GROUP_ASK,
	  "run this command when everything is attached;\nthe session ends when it ends", set_command },
	{ 'p', "pid", "PID", GROUP_ASK, "only this process; the session ends when it ends", set_pid },
	{ 0, "duration", "TIME", GROUP_ASK, "end after this many seconds (500ms, 2m), with the results", set_duration },
	{ 0, "unsafe", NULL, GROUP_ASK, "allow functions that change the machine or a process", FLAG(unsafe) },
	{ 'I', NULL, "DIR", GROUP_ASK, "look for headers and imported scripts here too", set_include_dir },
	{ 0, "include", "FILE", GROUP_ASK, "as if the program began with #include <FILE>", set_include },
	{ 0, "debuginfo", "DIR[:DIR]", GROUP_ASK, "look for separate debugging information here first", set_debuginfo },
	{ 0, "dwarf-pid", "PID", GROUP_ASK, "read the unwind tables of this process at the start (as of -p)", set_dwarf_pid },
	{ 0, "traceable-functions", "FILE", GROUP_ASK, "a list of the kernel's functions that can be traced, in place\n"
	  "of the kernel's own", set_traceable },
	{ 0, "no-feature", "LIST", GROUP_ASK, "do without kprobe_multi, kprobe_session or uprobe_multi", set_without },
	{ 0, "probe-filter", "REGEX", GROUP_ASK, "only the probes whose name matches", set_probe_filter },

	{ 'f', "view", "NAME", GROUP_SHOW, "how to show it: text, json, csv, table, flame, heat, ...\n(see `sonde help views`)", set_format },
	{ 'o', "output", "FILE", GROUP_SHOW, "write the output to this file, in the view of its name\n(.csv, .svg, .html, .folded, .pb.gz, .wav); "
	  "messages stay on stderr", set_output },
	{ 0, "range", "LOW:HIGH", GROUP_SHOW, "the numbers that a tone is for; LOW:HIGH,HZ:HZ also says its pitches, and\n"
	  ",linear makes them grow in equal steps of Hz", set_range },
	{ 'B', NULL, "MODE", GROUP_SHOW, "write when the buffer is full, after every line, or at once:\n"
	  "full, line, none", set_buffering },
	{ 'q', "quiet", NULL, GROUP_SHOW, "only the answer: do not say how many probes were attached", FLAG(quiet) },
	{ 'k', "warnings", NULL, GROUP_SHOW, "warn where a read of memory fails, or an entry of a map is not there",
	  FLAG(helper_errors) },
	{ 0, "no-warnings", NULL, GROUP_SHOW, "do not show warnings", FLAG(no_warnings) },

	{ 'l', "list", NULL, GROUP_LOOK, "list the probes that match a pattern, as in -l 'tracepoint:sched:*',\n"
	  "or those of a program; with -v also their arguments", FLAG(list) },
	{ 0, "info", NULL, GROUP_LOOK, "show what this kernel and this build can do", FLAG(info) },
	{ 'h', "help", NULL, GROUP_LOOK, "show this help", FLAG(help) },
	{ 'V', "version", NULL, GROUP_LOOK, "show the version", FLAG(version) },

	{ 'v', "verbose", NULL, GROUP_CHECK, "say more; twice: much more", set_verbose },
	{ 'd', "debug", "STAGE", GROUP_CHECK, "print a stage of the compilation and do not run:\n"
	  "ast, types, ir, ir-opt, bpf, elf, all;\nor run, and print what libbpf or the verifier has to say", set_stages },
	{ 0, "emit-elf", "FILE", GROUP_CHECK, "write the BPF object to a file and do not run", set_emit_elf },
	{ 0, "dry-run", NULL, GROUP_CHECK, "compile, load and attach, then end", FLAG(dry_run) },

	{ 0, "fmt", NULL, GROUP_CHECK, "print the program in its canonical layout; with -o, write it there", set_fmt },
	{ 0, "test", NULL, GROUP_CHECK, "run its test: probes and say which failed", set_test },
	{ 0, "bench", NULL, GROUP_CHECK, "run its bench: probes and say how long each takes", set_bench },
	{ 0, "mode", "MODE", GROUP_CHECK, "one of these: codegen (only compile), test, bench, format", set_mode },
	{ 0, "test-mode", "MODE", GROUP_CHECK, "the same", set_mode },

	{ 'b', "btf", NULL, GROUP_COMPAT, "types are always taken from BTF", NULL },
	{ 0, "usdt-file-activation", NULL, GROUP_COMPAT, "activate semaphores by file", NULL },
	{ 0, "emit-llvm", "FILE", GROUP_COMPAT, "there is no LLVM here (see -d ir)", NULL },
	{ 0, "verify-llvm-ir", NULL, GROUP_COMPAT, "there is no LLVM here", NULL },
};

static int option_apply(struct options *o, const struct option_def *d, const char *shown, const char *value)
{
	if (d->flag)
		*((bool *)((char *)o + d->flag - 1)) = true;
	else if (d->set)
		return d->set(o, value);
	else if (o->nignored < ARRAY_SIZE(o->ignored))
		o->ignored[o->nignored++] = shown;
	return 0;
}

static int missing_value(const char *shown, const struct option_def *d)
{
	return fail(EXIT_USAGE, NULL, "%s needs a value: %s %s", shown, shown, d->arg);
}

static int unknown_long(const char *name)
{
	const char *names[ARRAY_SIZE(defs)], *near;
	size_t n = 0;
	_cleanup_strbuf_ struct strbuf hint = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(defs); i++)
		if (defs[i].name)
			names[n++] = defs[i].name;
	near = nearest_name(name, names, n);
	if (near)
		strbuf_addf(&hint, "did you mean '--%s'?", near);
	else
		strbuf_addstr(&hint, "parameters of a program that begin with - go after --");
	fail(EXIT_USAGE, hint.s, "there is no option '--%s'", name);
	return show_usage();
}

/* --name, --name=value or --name value; *used is how many words of argv it took. */
static int parse_long(struct options *o, char **argv, int *used)
{
	const char *word = argv[0] + 2, *eq = strchr(word, '=');
	size_t len = eq ? (size_t)(eq - word) : strlen(word);

	for (size_t i = 0; i < ARRAY_SIZE(defs); i++) {
		const struct option_def *d = &defs[i];

		if (!d->name || strlen(d->name) != len || memcmp(d->name, word, len))
			continue;
		if (!d->arg && eq)
			return fail(EXIT_USAGE, NULL, "--%s takes no value", d->name);
		if (!d->arg || eq)
			return option_apply(o, d, argv[0], eq ? eq + 1 : NULL);
		if (!argv[1])
			return missing_value(argv[0], d);
		*used = 2;
		return option_apply(o, d, argv[0], argv[1]);
	}
	return unknown_long(word);
}

static const struct option_def *find_letter(char letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(defs); i++)
		if (defs[i].letter == letter)
			return &defs[i];
	return NULL;
}

static int no_such_letter(char letter)
{
	fail(EXIT_USAGE, "parameters of a program that begin with - go after --", "there is no option '-%c'", letter);
	return show_usage();
}

/* -q, -lv, -fjson, -f json. */
static int parse_letters(struct options *o, char **argv, int *used)
{
	for (const char *p = argv[0] + 1; *p; p++) {
		const struct option_def *d = find_letter(*p);
		char shown[3] = { '-', *p, 0 };
		int err;

		if (!d)
			return no_such_letter(*p);
		if (d->arg && p[1])
			return option_apply(o, d, argv[0], p + 1);
		if (d->arg && !argv[1])
			return missing_value(shown, d);
		if (d->arg) {
			*used = 2;
			return option_apply(o, d, argv[0], argv[1]);
		}
		err = option_apply(o, d, argv[0], NULL);
		if (err)
			return err;
	}
	return 0;
}

bool option_exists(const char *word)
{
	if (word[1] != '-')
		return find_letter(word[1]);
	for (size_t i = 0; i < ARRAY_SIZE(defs); i++)
		if (defs[i].name && strlen(defs[i].name) == strcspn(word + 2, "=") && str_starts(word + 2, defs[i].name))
			return true;
	return false;
}

int option_words(char **argv)
{
	const char *word = argv[0];
	const char *name = word + 2;

	if (word[1] == '-') {
		for (size_t i = 0; i < ARRAY_SIZE(defs); i++)
			if (defs[i].name && str_eq(defs[i].name, name))
				return defs[i].arg && argv[1] ? 2 : 1;
		return 1;
	}
	for (const char *p = word + 1; *p; p++) {
		const struct option_def *d = find_letter(*p);

		if (!d)
			return 1;
		if (d->arg)
			return !p[1] && argv[1] ? 2 : 1;
	}
	return 1;
}

/* The first word is the file (or, with -l, the pattern), unless the program came with -e. */
static void place_words(struct options *o)
{
	const char **first = o->list && !o->program ? &o->pattern : &o->file;

	if (o->program || !o->nparams)
		return;
	*first = o->params[0];
	o->nparams--;
	memmove(o->params, o->params + 1, o->nparams * sizeof(*o->params));
}

/* --help after the program, or among its parameters, asks what those are. */
static void place_help(struct options *o, bool after_word)
{
	if (!o->program && !o->file)
		return;
	o->program_help = o->help && after_word;
	for (size_t i = 0; i < o->nparams; i++)
		o->program_help |= str_eq(o->params[i], "--help");
}

/* Without a view by name, the file says which. */
static void place_view(struct options *o)
{
	if (!o->format && o->output) {
		o->format = sonde_view_for_file(o->output);
		o->view_by_file = o->format;
	}
	o->view_asked = o->format;
	if (!o->format)
		o->format = "text";
}

static int check_options(const struct options *o)
{
	if (o->command && o->pid)
		return fail(EXIT_USAGE, NULL, "-c and -p exclude each other");
	if (o->list && !o->program && o->nparams)
		return fail(EXIT_USAGE, "put the pattern in quotes, so that the shell leaves it alone",
			    "-l takes one pattern; '%s' is left over", o->params[0]);
	return 0;
}

int options_parse(struct options *o, int argc, char **argv)
{
	int err = 0, used;
	bool help_after_word = false;

	*o = (struct options){ 0 };
	o->params = calloc((size_t)argc + 1, sizeof(*o->params));
	if (!o->params)
		return fail(EXIT_FAILED, NULL, "out of memory");
	for (int i = 1; i < argc && !err; i += used) {
		used = 1;
		if (str_eq(argv[i], "--")) {
			while (++i < argc)
				o->params[o->nparams++] = argv[i];
			break;
		}
		if (argv[i][0] != '-' || !argv[i][1])
			o->params[o->nparams++] = argv[i];
		else if (argv[i][1] == '-')
			err = parse_long(o, argv + i, &used);
		else
			err = parse_letters(o, argv + i, &used);
		help_after_word |= o->nparams && str_eq(argv[i], "--help");
	}
	if (!err) {
		place_view(o);
		place_words(o);
		place_help(o, help_after_word);
		err = check_options(o);
	}
	return err;
}

void options_free(struct options *o)
{
	free(o->params);
	o->params = NULL;
	strbuf_free(&o->debug_dirs);
}

#define HELP_COLUMN 24

static void option_print(struct strbuf *out, const struct option_def *d)
{
	size_t start = out->len, column;

	strbuf_addstr(out, "  ");
	if (d->letter)
		strbuf_addf(out, "-%c%s", d->letter, d->name ? ", " : "");
	if (d->name)
		strbuf_addf(out, "--%s", d->name);
	if (d->arg)
		strbuf_addf(out, " %s", d->arg);
	column = out->len - start;
	if (column + 2 > HELP_COLUMN) {
		strbuf_addch(out, '\n');
		column = 0;
	}
	strbuf_fill(out, ' ', HELP_COLUMN - column);
	for (const char *p = d->help; *p; p++) {
		strbuf_addch(out, *p);
		if (*p == '\n')
			strbuf_fill(out, ' ', HELP_COLUMN);
	}
	strbuf_addch(out, '\n');
}

void options_print(struct strbuf *out)
{
	for (unsigned g = 0; g < ARRAY_SIZE(group_titles); g++) {
		strbuf_addf(out, "\n%s:\n", group_titles[g]);
		for (size_t i = 0; i < ARRAY_SIZE(defs); i++)
			if (defs[i].group == g)
				option_print(out, &defs[i]);
	}
}

int options_each(int (*fn)(void *ctx, char letter, const char *name, const char *arg, const char *help), void *ctx)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(defs) && !r; i++)
		if (defs[i].group != GROUP_COMPAT)
			r = fn(ctx, defs[i].letter, defs[i].name, defs[i].arg, defs[i].help);
	return r;
}
