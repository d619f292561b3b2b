/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Question: source text to module, its object and its dumps. */
#include <errno.h>

#include "api/api.h"
#include "base/file.h"
#include "lang/ktype.h"
#include "probe/kinds.h"

static int dump_ast(const struct sonde_question *q, struct strbuf *out)
{
	script_dump_ast(&q->script, out);
	return 0;
}

static int dump_types(const struct sonde_question *q, struct strbuf *out)
{
	script_dump_types(&q->script, out);
	return 0;
}

static int dump_ir(const struct sonde_question *q, struct strbuf *out)
{
	return module_dump(q->module, DUMP_IR, out);
}

static int dump_ir_opt(const struct sonde_question *q, struct strbuf *out)
{
	return module_dump(q->module, DUMP_IR_OPT, out);
}

static int dump_bpf(const struct sonde_question *q, struct strbuf *out)
{
	return module_dump(q->module, DUMP_BPF, out);
}

static int dump_elf(const struct sonde_question *q, struct strbuf *out)
{
	return module_dump(q->module, DUMP_ELF, out);
}

enum stage_made { MADE_PARSED, MADE_CHECKED, MADE_COMPILED };

static const struct stage {
	const char *name;
	enum stage_made made; /* after which step it can be dumped */
	int (*dump)(const struct sonde_question *q, struct strbuf *out);
} stages[] = {
	{ "ast", MADE_PARSED, dump_ast },
	{ "types", MADE_CHECKED, dump_types },
	{ "ir", MADE_COMPILED, dump_ir },
	{ "ir-opt", MADE_COMPILED, dump_ir_opt },
	{ "bpf", MADE_COMPILED, dump_bpf },
	{ "elf", MADE_COMPILED, dump_elf },
};

const char *const *sonde_dump_stages(void)
{
	static const char *const names[] = { "ast", "types", "ir", "ir-opt", "bpf", "elf", NULL };

	_Static_assert(ARRAY_SIZE(names) == ARRAY_SIZE(stages) + 1, "one name per stage");
	return names;
}

static char *stage_text(const struct sonde_question *q, const struct stage *st)
{
	struct strbuf out = STRBUF_INIT;

	if (st->dump(q, &out)) {
		strbuf_free(&out);
		return NULL;
	}
	return strbuf_take(&out);
}

static void stage_tell(const struct sonde_question *q, const struct sonde_compile_options *o, enum stage_made made)
{
	for (size_t i = 0; o->dump && o->dump_stage && i < ARRAY_SIZE(stages); i++) {
		_cleanup_free_ char *text = NULL;

		if (stages[i].made != made || !str_eq(stages[i].name, o->dump_stage))
			continue;
		text = stage_text(q, &stages[i]);
		if (text)
			o->dump(o->dump_ctx, stages[i].name, text);
	}
}

char *sonde_question_dump(const struct sonde_question *q, const char *stage)
{
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++)
		if (str_eq(stages[i].name, stage))
			return stage_text(q, &stages[i]);
	return NULL;
}

/* "--name=value" and "--name" are named parameters, everything else is positional. */
static void params_split(struct sonde_question *q, const struct sonde_compile_options *o)
{
	struct arena *a = q->arena;
	const char **positional = arena_array_of(a, const char *, o->nparams + 1);
	struct check_env *env = &q->env;

	env->named = arena_array_of(a, struct named_param, o->nparams + 1);
	env->params = positional;
	for (size_t i = 0; i < o->nparams; i++) {
		const char *p = o->params[i], *eq;

		if (!str_starts(p, "--") || !p[2]) {
			positional[env->nparams++] = arena_strdup(a, p);
			continue;
		}
		p += 2;
		eq = strchr(p, '=');
		env->named[env->nnamed++] = (struct named_param){
			.name = eq ? arena_strndup(a, p, (size_t)(eq - p)) : arena_strdup(a, p),
			.value = eq ? arena_strdup(a, eq + 1) : NULL,
		};
	}
}

static int config_make(struct sonde_question *q, const struct sonde_compile_options *o)
{
	const struct reporter *r = &q->relay.reporter;
	int err;

	config_defaults(&q->env.config);
	err = config_environment(&q->env.config, q->arena, r);
	for (size_t i = 0; !err && i < o->nconfig; i++) {
		const char *text = o->config[i], *eq = strchr(text, '=');

		if (!eq)
			return report_error(r, -EINVAL, "write it as name=value", "the setting '%s' has no value", text);
		err = config_set(&q->env.config, q->arena, arena_strndup(q->arena, text, (size_t)(eq - text)),
				 arena_strdup(q->arena, eq + 1), r);
	}
	return err;
}

static const struct type *struct_type(void *ctx, const char *name)
{
	return ktype_find(ctx, name);
}

static const struct type *enumerator(void *ctx, const char *name, int64_t *value)
{
	return ktype_enumerator(ctx, name, value);
}

static int env_make(struct sonde_question *q, const struct sonde_compile_options *o)
{
	int err = config_make(q, o);

	q->sources.arena = q->arena;
	q->script.arena = q->arena;
	q->script.sources = &q->sources;
	q->diags = (struct diags){ .arena = q->arena, .sources = &q->sources };
	q->probe = (struct probe_env){
		.arena = q->arena,
		.kernel = q->kernel,
		.types = ktypes_new(q->arena, q->kernel),
		.symbols = q->symbols,
		.report = &q->relay.reporter,
		.diags = &q->diags,
		.pid = o->pid,
		.pid_is_child = o->pid_is_child,
		.child_program = o->pid_is_child ? o->child_program : NULL,
		.unsafe = o->unsafe,
		.max_probes = q->env.config.max_probes,
	};
	q->env.kinds = probe_kinds;
	q->env.families = func_families;
	q->env.probe = &q->probe;
	q->env.struct_type = struct_type;
	q->env.enumerator = enumerator;
	q->env.struct_type_ctx = q->probe.types;
	q->env.child_pid = o->pid_is_child ? (int32_t)o->pid : 0;
	q->env.unsafe = o->unsafe;
	q->env.helper_errors = o->helper_errors;
	q->env.test_mode = o->test_mode;
	q->env.bench_mode = o->bench_mode;
	q->env.probe_filter = o->probe_filter;
	q->env.ways = o->ways;
	q->env.nways = (uint32_t)o->nways;
	q->env.include_dirs = o->include_dirs;
	q->env.ninclude_dirs = (uint32_t)o->ninclude_dirs;
	q->env.import_text = o->import_text;
	q->env.import_ctx = o->import_ctx;
	q->env.includes = o->includes;
	q->env.nincludes = (uint32_t)o->nincludes;
	params_split(q, o);
	return err;
}

static int parse(struct sonde_question *q, const char *source, const struct sonde_compile_options *o)
{
	const char *name = o->name ? o->name : "stdin";
	size_t len = strlen(source);

	/* Spans count in 32 bits. */
	if (len > INT32_MAX)
		return report_error(&q->relay.reporter, -E2BIG, NULL, "%s is too large", name);
	return script_parse(&q->script, source_add(&q->sources, name, source, len), &q->diags);
}

/* A named parameter that the script never asks for is a mistake on the command line. */
static int params_check(struct sonde_question *q)
{
	for (uint32_t i = 0; i < q->env.nnamed; i++)
		if (!q->env.named[i].used)
			return report_error(&q->relay.reporter, -EINVAL, NULL, "the script has no parameter --%s",
					    q->env.named[i].name);
	return 0;
}

/* Maps with a part for each processor are read in one go: a wrong number would be read past the end. */
static int processors_check(struct sonde_question *q)
{
	int n = kernel_ncpus_possible();

	if (n > 0)
		return 0;
	return report_error(&q->relay.reporter, n ? n : -EINVAL, NULL, "cannot tell how many processors there may be, from "
			    "/sys/devices/system/cpu/possible: %s", strerror(n ? -n : EINVAL));
}

static int compile_steps(struct sonde_question *q, const char *source, const struct sonde_compile_options *o)
{
	int err = processors_check(q);

	err = err ? err : env_make(q, o);
	err = err ? err : parse(q, source, o);
	if (!err)
		stage_tell(q, o, MADE_PARSED);
	err = err ? err : script_check(&q->script, &q->env, &q->diags);
	if (!err)
		stage_tell(q, o, MADE_CHECKED);
	if (q->probes_only)
		return err;
	err = err ? err : params_check(q);
	err = err ? err : module_compile(&q->script, &q->env, &q->diags, &q->relay.reporter, &q->module);
	if (!err)
		stage_tell(q, o, MADE_COMPILED);
	return err;
}

/* When the arena is exhausted, whatever step was at work comes back here. */
static int compile_guarded(struct sonde_question *q, const char *source, const struct sonde_compile_options *o)
{
	int err;

	if (setjmp(*arena_guard(q->arena)))
		return report_error(&q->relay.reporter, -ENOMEM, NULL, "no memory to compile the question");
	err = compile_steps(q, source, o);
	diag_flush(&q->diags, &q->relay.reporter);
	return err;
}

static bool resolve_kernel(void *ctx, uint64_t addr, struct symbol *out)
{
	return symbol_kernel(ctx, addr, out);
}

static bool resolve_user(void *ctx, uint32_t pid, uint64_t addr, struct symbol *out)
{
	return symbol_user(ctx, pid, addr, out);
}

static uint32_t resolve_frames(void *ctx, uint32_t pid, uint64_t addr, bool is_return, struct symbol *out,
			       uint32_t max)
{
	return symbol_user_frames(ctx, pid, addr, is_return, out, max);
}

static struct sonde_question *question_new(const struct sonde_compile_options *o)
{
	struct sonde_question *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	relay_init(&q->relay, o->message, o->message_ctx);
	q->arena = arena_new();
	q->kernel = kernel_new(&q->relay.reporter);
	q->symbols = symbols_new();
	q->resolver = (struct resolver){ .ctx = q->symbols, .ksym = resolve_kernel, .usym = resolve_user,
					  .uframes = resolve_frames };
	if (q->arena && q->kernel && q->symbols)
		return q;
	sonde_question_free(q);
	return NULL;
}

int question_make(const char *source, const struct sonde_compile_options *o, bool probes_only,
		  struct sonde_question **out)
{
	struct sonde_compile_options options;
	struct sonde_question *q;
	struct relay relay;
	int err;

	options_copy(&options, sizeof(options), o);
	relay_init(&relay, options.message, options.message_ctx);
	q = question_new(&options);
	if (!q)
		return report_error(&relay.reporter, -ENOMEM, NULL, "no memory for a question");
	q->probes_only = q->env.probes_only = probes_only;
	err = compile_guarded(q, source, &options);
	if (err) {
		sonde_question_free(q);
		return err;
	}
	*out = q;
	return 0;
}

int sonde_compile(const char *source, const struct sonde_compile_options *o, struct sonde_question **out)
{
	return question_make(source, o, false, out);
}

void sonde_question_free(struct sonde_question *q)
{
	if (!q)
		return;
	if (q->module)
		module_free(q->module);
	if (q->kernel)
		kernel_free(q->kernel);
	symbols_free(q->symbols);
	arena_free(q->arena);
	free(q);
}

const void *sonde_question_object(const struct sonde_question *q, size_t *bytes)
{
	*bytes = q->module->elf_bytes;
	return q->module->elf;
}

size_t sonde_question_probe_count(const struct sonde_question *q)
{
	size_t n = 0;

	vec_each(p, &q->module->programs)
		n += p->npoints;
	return n;
}

int sonde_question_write(const struct sonde_question *q, const char *path)
{
	int err = file_replace(path, q->module->elf, q->module->elf_bytes);

	if (err)
		return report_error(&q->relay.reporter, err, NULL, "cannot write %s: %s", path, strerror(-err));
	return 0;
}
