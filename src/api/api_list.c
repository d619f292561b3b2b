/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists: the probes of this kernel, what it and this build can do, the functions of the language. */
#include <errno.h>
#include <bpf/libbpf.h>
#include <sys/utsname.h>

#include "api/api.h"
#include "probe/kinds.h"
#include "lang/ktype.h"
#include "symbol/symbol.h"
#include "symbol/dwlib.h"

struct listing {
	struct arena *arena;     /* of the pattern */
	struct relay relay;
	struct kernel *kernel;
	struct symbols *symbols; /* of programs, for the arguments of their functions */
	int32_t pid;             /* whose programs are meant; 0: any */
	struct probe_env env;
	const struct probe_kind *kind; /* being listed */
	const char *full;        /* a pattern for whole names, or NULL */
	bool verbose;
	int (*fn)(void *ctx, const char *probe, const char *args);
	void *ctx;
	size_t found;
};

static struct probe_spec *spec_make(struct arena *a, const struct probe_kind *kind, const char *rest)
{
	return probe_spec_of_text(a, rest ? arena_printf(a, "%s:%s", kind->name, rest) : kind->name);
}

/* As the kernel declares it, where that is known: "char comm[16]". */
static void arg_text(const struct probe_kind *kind, const struct field *f, struct arena *a, struct strbuf *out)
{
	const struct type *t = f->type;
	bool declared = t->name && t->kind != TY_STRUCT && t->kind != TY_ENUM;
	const char *type = declared ? t->name : type_name(a, t);
	size_t len = strcspn(type, "[");

	/* "__data_loc char[] name" is no array. */
	if (t->kind == TY_POINTER)
		len = strlen(type);
	strbuf_addf(out, "%s    %.*s", out->len ? "\n" : "", (int)len, type);
	/* Pointers of processes are "int* n" in the reference, those of the kernel "int * n". */
	if (t->kind == TY_POINTER && kind->space == SPACE_USER && !out->failed && len > 2 && !strcmp(type + len - 2, " *")) {
		out->len -= 2;
		strbuf_addch(out, '*');
	}
	strbuf_addf(out, " %s%s", f->name, type + len);
}

void args_text(const struct probe_kind *kind, const struct type *args, struct arena *a, struct strbuf *out)
{
	for (uint32_t i = 0; args && i < args->nfields; i++)
		if (args->fields[i].name)
			arg_text(kind, &args->fields[i], a, out);
}

static int args_find(struct listing *l, struct arena *a, const char *name, struct strbuf *out)
{
	struct sources sources = { .arena = a };
	struct diags diags = { .arena = a, .sources = &sources };
	struct probe_env env = l->env;
	attach_vec points = { 0 };
	const char *colon = strchr(name, ':');
	int err;

	if (setjmp(*arena_guard(a)))
		return -ENOMEM;
	env.arena = a;
	env.diags = &diags;
	if (!l->kind->args)
		return 0;
	/* A probe whose arguments cannot be found out is shown without them. */
	err = l->kind->expand(&env, spec_make(a, l->kind, colon ? colon + 1 : NULL), &points);
	if (!err && points.n)
		err = l->kind->args(&env, points.v[0]);
	if (!err && points.n)
		args_text(points.v[0]->kind, points.v[0]->args, a, out);
	return err == -ENOMEM || out->failed ? -ENOMEM : 0;
}

static int probe_listed_verbose(struct listing *l, const char *name)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct arena *a = arena_new();
	int err = a ? args_find(l, a, name, &text) : -ENOMEM;

	arena_free(a);
	return err ? err : l->fn(l->ctx, name, text.s);
}

static int probe_listed(const char *name, void *ctx)
{
	struct listing *l = ctx;

	if (l->full && !glob_match(l->full, name))
		return 0;
	l->found++;
	return l->verbose ? probe_listed_verbose(l, name) : l->fn(l->ctx, name, NULL);
}

static int kind_list(struct listing *l, const struct probe_kind *kind, const char *rest)
{
	if (!kind->list)
		return 0;
	l->kind = kind;
	return kind->list(&l->env, spec_make(l->arena, kind, rest), probe_listed, l);
}

static bool kind_matches(const struct probe_kind *kind, const char *pattern)
{
	if (glob_match(pattern, kind->name))
		return true;
	for (size_t i = 0; kind->aliases && kind->aliases[i]; i++)
		if (glob_match(pattern, kind->aliases[i]))
			return true;
	return false;
}

/*
 * "tracepoint:sched:*" asks the kinds that match its first part. A word that names no kind is looked for
 * in the whole names of all kinds.
 */
static int kinds_list(struct listing *l, const char *pattern)
{
	const char *colon = strchr(pattern, ':');
	const char *word = arena_strndup(l->arena, pattern, colon ? (size_t)(colon - pattern) : strlen(pattern));
	const struct probe_kind *one = probe_kind_find(probe_kinds, word);
	int err = 0;

	l->full = NULL;
	if (is_type_pattern(pattern))
		return types_list(l->kernel, &l->relay.reporter, pattern, l->verbose, l->fn, l->ctx, &l->found);
	if (one)
		return kind_list(l, one, colon ? colon + 1 : NULL);
	if (!colon)
		l->full = glob_is_pattern(pattern) ? pattern : arena_printf(l->arena, "*%s*", pattern);
	for (size_t i = 0; !err && probe_kinds[i]; i++)
		if (!colon || kind_matches(probe_kinds[i], word))
			err = kind_list(l, probe_kinds[i], colon ? colon + 1 : NULL);
	return err;
}

/* "tracepoint:sched:*,kprobe:tcp_*": one after the other. A comma in quotes or brackets belongs to its
 * pattern. */
static int patterns_list(struct listing *l, const char *patterns)
{
	for (;;) {
		const char *p = patterns;
		bool quoted = false, set = false;
		int err;

		for (; *p && (*p != ',' || quoted || set); p++) {
			quoted ^= *p == '"';
			set = *p == '[' || (set && *p != ']');
		}
		patterns += strspn(patterns, " ");
		err = kinds_list(l, arena_strndup(l->arena, patterns, (size_t)(MAX(p, patterns) - patterns)));
		if (err || !*p)
			return err;
		patterns = p + 1;
	}
}

static int list_guarded(struct listing *l, const char *pattern)
{
	struct sources sources = { .arena = l->arena };
	struct diags diags = { .arena = l->arena, .sources = &sources };
	int err;

	if (setjmp(*arena_guard(l->arena)))
		return report_error(&l->relay.reporter, -ENOMEM, NULL, "no memory to list the probes");
	l->env = (struct probe_env){
		.arena = l->arena, .kernel = l->kernel, .types = ktypes_new(l->arena, l->kernel),
		.symbols = l->symbols, .report = &l->relay.reporter, .diags = &diags, .pid = l->pid,
		.max_probes = UINT32_MAX,
	};
	err = patterns_list(l, pattern ? pattern : "*");
	diag_flush(&diags, &l->relay.reporter);
	if (err == -ENOMEM)
		return report_error(&l->relay.reporter, -ENOMEM, NULL, "no memory to list the probes");
	if (!err && !l->found && pattern)
		return report_error(&l->relay.reporter, -ENOENT, NULL, "no %s matches '%s'",
				    is_type_pattern(pattern) ? "type" : "probe", pattern);
	return err;
}

typedef int (*probe_fn)(void *ctx, const char *probe, const char *args);

int sonde_list_process_probes(int pid, const char *pattern, bool verbose, probe_fn fn, void *ctx,
			      sonde_message_fn message, void *message_ctx)
{
	struct listing l = { .verbose = verbose, .fn = fn, .ctx = ctx, .pid = pid };
	int err;

	relay_init(&l.relay, message, message_ctx);
	l.arena = arena_new();
	l.kernel = kernel_new(&l.relay.reporter);
	l.symbols = symbols_new();
	if (l.arena && l.kernel && l.symbols)
		err = list_guarded(&l, pattern);
	else
		err = report_error(&l.relay.reporter, -ENOMEM, NULL, "no memory to list the probes");
	if (l.kernel)
		kernel_free(l.kernel);
	arena_free(l.arena);
	symbols_free(l.symbols);
	return err;
}

int sonde_list_probes(const char *pattern, bool verbose, probe_fn fn, void *ctx, sonde_message_fn message,
		      void *message_ctx)
{
	return sonde_list_process_probes(0, pattern, verbose, fn, ctx, message, message_ctx);
}

typedef int (*info_fn)(void *ctx, const char *group, const char *name, const char *value);

static int info_system(info_fn fn, void *ctx)
{
	struct utsname u;
	int err;

	if (uname(&u))
		return -errno;
	err = fn(ctx, "System", "OS", u.sysname);
	err = err ? err : fn(ctx, "System", "Kernel", u.release);
	err = err ? err : fn(ctx, "System", "Version", u.version);
	return err ? err : fn(ctx, "System", "Arch", u.machine);
}

static int info_build(info_fn fn, void *ctx)
{
	int err = fn(ctx, "Build", "sonde", SONDE_VERSION);

	err = err ? err : fn(ctx, "Build", "libbpf", libbpf_version_string());
	return err ? err : fn(ctx, "Build", "libdw (DWARF support)", dwlib_get(NULL) ? "yes" : "no");
}

int sonde_info(int (*fn)(void *ctx, const char *group, const char *name, const char *value), void *ctx,
	       sonde_message_fn message, void *message_ctx)
{
	struct relay relay;
	struct kernel *k;
	int err;

	relay_init(&relay, message, message_ctx);
	k = kernel_new(&relay.reporter);
	if (!k)
		return report_error(&relay.reporter, -ENOMEM, NULL, "no memory to ask the kernel");
	err = info_system(fn, ctx);
	err = err ? err : info_build(fn, ctx);
	for (const struct kernel_feature *f = kernel_features; !err && f->name; f++)
		err = fn(ctx, f->group, f->name, f->probe(k) ? "yes" : "no");
	kernel_free(k);
	return err;
}

int sonde_list_functions(int (*fn)(void *ctx, const char *name, const char *signature, const char *summary), void *ctx)
{
	int err = 0;

	for (size_t i = 0; func_families[i]; i++)
		for (const struct func_def *f = func_families[i]; !err && f->name; f++)
			err = f->flags & FUNC_HIDDEN ? 0 : fn(ctx, f->name, f->signature, f->summary);
	return err;
}
