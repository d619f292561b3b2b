/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Module: the passes from the typed tree to the ELF object, and what the session must know of it. */
#include "code/module.h"

#include <errno.h>
#include <linux/bpf.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "code/ir_pass.h"
#include "code/lower_priv.h"
#include "kernel/kernel.h"

/* The ring when nothing is configured: this, or less where that is more than 1/128 of the memory. */
#define RING_BYTES ((uint64_t)16 << 20)
/* Where events cannot come faster than they are read; a large ring takes 3 ms to make. */
#define SMALL_RING_BYTES ((uint64_t)1 << 20)
#define LEAST_RING_BYTES ((uint64_t)256 << 10)

/* What dumps are made from. */
struct lowered {
	struct object *object;
	VEC(struct ir_func *) raw, optimised;
};

/* State of one compilation. */
struct compile {
	struct lower lower;
	struct module *module;
	struct object *object;
	struct lowered *lowered;
	const struct reporter *report;
	plan_vec plans;
};

/* ---- passes ---- */

/* Does the session itself run every program, and read what they have sent each time? */
static bool session_runs_all(const struct script *s)
{
	vec_each(unit, &s->units)
		if (probe_run_by_kernel((*unit)->kind))
			return false;
	return true;
}

static uint32_t ring_bytes(const struct config *config, const struct script *s)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * page;
	uint64_t want = config->perf_rb_pages ? config->perf_rb_pages * page : RING_BYTES, bytes = page;

	if (!config->perf_rb_pages)
		want = MAX(MIN(session_runs_all(s) ? SMALL_RING_BYTES : want, memory / 128), LEAST_RING_BYTES);
	/* The kernel wants a power of 2. */
	while (bytes < want && bytes < (uint64_t)1 << 30)
		bytes *= 2;
	return (uint32_t)bytes;
}

static int plan_programs(struct compile *c)
{
	uint32_t most = c->lower.env->config.max_bpf_progs;

	plan_make(c->lower.env->probe, c->lower.arena, c->module->script, &c->plans);
	if (most && c->plans.n > most) {
		diag_error(c->lower.diags, (struct span){ 0 }, "this makes %u BPF programs, and max_bpf_progs is %u", c->plans.n,
			   most);
		diag_hint(c->lower.diags, "config = { max_bpf_progs = %u } allows them", c->plans.n);
		return -EINVAL;
	}
	for (uint32_t i = 0; i < c->plans.n; i++) {
		const struct program_plan *p = c->plans.v[i];
		struct program_desc desc = {
			.name = p->name,
			.section = p->section,
			.kind = p->kind,
			.points = p->points.v,
			.npoints = p->points.n,
			.order = i,
		};

		vec_push(c->lower.arena, &c->module->programs, desc);
	}
	return 0;
}

/* A copy that later passes do not change; instructions and blocks only. */
static struct ir_func *func_copy(struct arena *a, const struct ir_func *f)
{
	struct ir_func *copy = arena_new_of(a, struct ir_func);

	*copy = *f;
	memset(&copy->blocks, 0, sizeof(copy->blocks));
	memset(&copy->vregs, 0, sizeof(copy->vregs));
	memset(&copy->slots, 0, sizeof(copy->slots));
	vec_each(b, &f->blocks) {
		struct ir_block *block = arena_new_of(a, struct ir_block);

		block->label = (*b)->label;
		vec_each(insn, &(*b)->insns)
			vec_push(a, &block->insns, *insn);
		vec_push(a, &copy->blocks, block);
	}
	vec_each(v, &f->vregs)
		vec_push(a, &copy->vregs, *v);
	vec_each(s, &f->slots)
		vec_push(a, &copy->slots, *s);
	return copy;
}

static int lower_programs(struct compile *c)
{
	int first = 0;

	c->lower.priv->nprograms = c->plans.n;
	for (uint32_t i = 0; i < c->plans.n; i++) {
		int err = lower_program(&c->lower, c->plans.v[i], i);

		if (err && !first)
			first = err;
		vec_push(c->lower.arena, &c->lowered->optimised, c->lower.f);
	}
	vec_each(f, &c->lower.priv->funcs)
		vec_push(c->lower.arena, &c->lowered->optimised, *f);
	vec_each(f, &c->lowered->optimised)
		vec_push(c->lower.arena, &c->lowered->raw, func_copy(c->lower.arena, *f));
	return first;
}

/* ---- one stack for a program and what it calls ---- */

/* The kernel counts the stack of a function in units of this. */
#define STACK_UNIT_BYTES 32
#define STACK_BYTES 512

struct emit_func {
	uint32_t depth;    /* the longest way to it from a program, plus one */
	uint32_t below;    /* stack of what it calls */
	bool done;
};

static void find_depths(struct compile *c, struct emit_func *funcs, uint32_t n, uint32_t depth)
{
	if (depth <= funcs[n].depth)
		return;
	funcs[n].depth = depth;
	vec_each(callee, &c->lowered->optimised.v[n]->callees)
		find_depths(c, funcs, *callee, depth + 1);
}

static int emit_one(struct compile *c, struct emit_func *funcs, uint32_t n)
{
	struct object_prog *prog = &c->object->progs.v[n];
	struct ir_func *f = c->lowered->optimised.v[n];
	uint32_t share;
	int err;

	if (funcs[n].done)
		return 0;
	if (funcs[n].depth > MOST_FUNC_DEPTH)
		return diag_error(c->lower.diags, f->span, "calls and loops are nested too deeply: the kernel follows %d",
				  MOST_FUNC_DEPTH);
	funcs[n].done = true;
	vec_each(callee, &f->callees) {
		err = emit_one(c, funcs, *callee);
		if (err)
			return err;
		share = align_up(MAX(c->object->progs.v[*callee].code.stack_bytes, 1u), STACK_UNIT_BYTES);
		funcs[n].below = MAX(funcs[n].below, funcs[*callee].below + share);
	}
	/* What callees have left is divided evenly among this one and those above it. */
	share = (STACK_BYTES - MIN(funcs[n].below, STACK_BYTES - 1)) / funcs[n].depth;
	f->stack_most = MAX(share & ~(STACK_UNIT_BYTES - 1), STACK_UNIT_BYTES);
	return ir_compile(f, c->module->config.on_stack_limit, c->lower.diags, &prog->code);
}

/* The kernel lets a program use this many maps, what it calls included. */
#define MOST_MAPS 64

static void maps_note(struct compile *c, uint32_t n, bool *seen, bool *funcs_seen)
{
	struct object_prog *p = &c->object->progs.v[n];
	uint32_t nmaps = c->object->maps.n;

	if (funcs_seen[n])
		return;
	funcs_seen[n] = true;
	vec_each(r, &p->code.relos) {
		if (r->kind == RELO_MAP && r->index < nmaps)
			seen[r->index] = true;
		else if (r->kind == RELO_RODATA || r->kind == RELO_BSS)
			seen[nmaps + (r->kind == RELO_BSS)] = true;
	}
	vec_each(callee, &c->lowered->optimised.v[n]->callees)
		maps_note(c, *callee, seen, funcs_seen);
}

static int maps_check(struct compile *c, uint32_t n)
{
	uint32_t nmaps = c->object->maps.n + 2, used = 0;
	bool *seen = arena_array_of(c->lower.arena, bool, nmaps);

	if (nmaps <= MOST_MAPS)
		return 0;
	maps_note(c, n, seen, arena_array_of(c->lower.arena, bool, c->lowered->optimised.n));
	for (uint32_t i = 0; i < nmaps; i++)
		used += seen[i];
	if (used <= MOST_MAPS)
		return 0;
	diag_error(c->lower.diags, c->lowered->optimised.v[n]->span,
		   "program %s uses %u maps (with those of sonde itself), and the kernel allows a program %d",
		   c->object->progs.v[n].code.name, used, MOST_MAPS);
	diag_hint(c->lower.diags, "use one map with a key more, or divide the action among several probes");
	return -E2BIG;
}

static void map_is(struct compile *c, uint32_t n, uint32_t no_map, uint32_t map)
{
	vec_each(r, &c->object->progs.v[n].code.relos)
		if (r->kind == RELO_MAP && r->index == no_map)
			r->index = map;
}

/* Blocks for tasks that were refused theirs, each behind a word that says whether it is taken. */
static void make_spare_scratch(struct compile *c, uint32_t i)
{
	struct object_map map = {
		.name = arena_printf(c->lower.arena, MODULE_MAP_SPARE "_%u", i),
		.type = BPF_MAP_TYPE_PERCPU_ARRAY,
		.key_bytes = 4,
		.value_bytes = 8 + align_up(c->lowered->optimised.v[i]->scratch_bytes, 8),
		.max_entries = SCRATCH_SPARES,
	};

	map_is(c, i, IR_NO_SPARE_MAP, c->object->maps.n);
	vec_push(c->lower.arena, &c->object->maps, map);
}

/* What cannot share a map with others: more than a per-CPU map can give, and what each task has. */
static void make_own_scratch(struct compile *c, uint32_t i)
{
	const struct ir_func *f = c->lowered->optimised.v[i];
	struct object_map map = {
		.name = arena_printf(c->lower.arena, MODULE_MAP_SCRATCH "_%u", i),
		.type = BPF_MAP_TYPE_ARRAY,
		.key_bytes = 4,
		.value_bytes = align_up(f->scratch_bytes, 8),
		.max_entries = kernel_ncpus_possible(),
	};

	if (f->scratch_by_task) {
		map.type = BPF_MAP_TYPE_TASK_STORAGE;
		map.flags = BPF_F_NO_PREALLOC;
		map.max_entries = 0;
		make_spare_scratch(c, i);
	}
	map_is(c, i, IR_NO_MAP, c->object->maps.n);
	vec_push(c->lower.arena, &c->object->maps, map);
}

/* One map for all functions, and one each for those that cannot share it. */
static void make_scratch(struct compile *c)
{
	uint32_t n = c->lowered->optimised.n, bytes = 0;
	struct object_map map = { .name = MODULE_MAP_SCRATCH, .key_bytes = 4 };

	for (uint32_t i = 0; i < n; i++) {
		const struct ir_func *f = c->lowered->optimised.v[i];

		if (f->scratch_bytes && (f->scratch_by_cpu || f->scratch_by_task))
			make_own_scratch(c, i);
		else
			bytes = MAX(bytes, f->scratch_bytes);
	}
	if (!bytes)
		return;
	map.type = BPF_MAP_TYPE_PERCPU_ARRAY;
	map.max_entries = n;
	map.value_bytes = align_up(bytes, 8);
	for (uint32_t i = 0; i < n; i++)
		map_is(c, i, IR_NO_MAP, c->object->maps.n);
	vec_push(c->lower.arena, &c->object->maps, map);
}

static int emit_programs(struct compile *c)
{
	uint32_t n = c->lowered->optimised.n;
	struct emit_func *funcs = arena_array_of(c->lower.arena, struct emit_func, n + 1);

	for (uint32_t i = 0; i < n; i++) {
		struct object_prog prog = { .section = i < c->plans.n ? c->plans.v[i]->section : NULL };

		vec_push(c->lower.arena, &c->object->progs, prog);
	}
	for (uint32_t i = 0; i < c->plans.n; i++) {
		int err;

		find_depths(c, funcs, i, 1);
		err = emit_one(c, funcs, i);
		if (err)
			return err;
	}
	make_scratch(c);
	for (uint32_t i = 0; i < c->plans.n; i++)
		if (maps_check(c, i))
			return -E2BIG;
	return 0;
}

static int collect_sites(struct compile *c)
{
	vec_each(s, &c->lower.priv->sites)
		vec_push(c->lower.arena, &c->module->sites, **s);
	return 0;
}

/* What is imported is linked when something of it is called. */
static int link_imports(struct compile *c)
{
	bool called = false;

	vec_each(k, &c->object->kfuncs)
		called |= (*k)->linked != NULL;
	if (!called)
		return 0;
	c->module->imports_c = true;
	vec_each(o, &c->lower.script->c_objects) {
		vec_push(c->lower.arena, &c->object->links, *o);
		if ((*o)->license && !config_license_known((*o)->license))
			c->object->license = (*o)->license; /* the kernel judges the whole by it */
	}
	return 0;
}

static int write_object(struct compile *c)
{
	return object_write(c->object, c->report, &c->module->elf, &c->module->elf_bytes);
}

static int make_maps(struct compile *c)
{
	return lower_maps_make(&c->lower);
}

/* ---- the whole ---- */

static void compile_init(struct compile *c, struct script *script, const struct check_env *env, struct diags *d,
			 const struct reporter *r)
{
	struct arena *a = script->arena;

	c->report = r;
	c->module = arena_new_of(a, struct module);
	c->object = arena_new_of(a, struct object);
	c->lowered = arena_new_of(a, struct lowered);
	c->module->script = script;
	c->module->config = env->config;
	c->module->lowered = c->lowered;
	c->module->bss_bytes = c->object->bss_bytes = COUNTER_OFFSET(COUNTER_MAPS + script->maps.n);
	c->object->arena = a;
	c->object->sources = script->sources;
	c->object->license = env->config.license ? env->config.license : "GPL";
	c->lowered->object = c->object;
	c->lower.diags = d;
	c->lower.script = script;
	c->lower.env = env;
	c->lower.config = &c->module->config;
	c->lower.module = c->module;
	c->lower.object = c->object;
	lower_init(&c->lower, a);
	c->lower.priv->ring_bytes = ring_bytes(&env->config, script);
}

int module_compile(struct script *script, const struct check_env *env, struct diags *d, const struct reporter *r,
		   struct module **out)
{
	static int (*const passes[])(struct compile *c) = {
		make_maps, plan_programs, lower_programs, emit_programs, collect_sites, link_imports,
		write_object,
	};
	struct compile c = { 0 };

	compile_init(&c, script, env, d, r);
	for (size_t i = 0; i < ARRAY_SIZE(passes); i++) {
		int err = passes[i](&c);

		if (err)
			return err;
	}
	*out = c.module;
	return 0;
}

void module_free(struct module *m)
{
	if (!m)
		return;
	free(m->elf);
	m->elf = NULL;
}

/* ---- dumps ---- */

static const char *map_name(void *ctx, uint32_t map)
{
	const struct object *o = ctx;

	return map < o->maps.n ? o->maps.v[map].name : "?";
}

int module_dump(const struct module *m, enum dump_stage stage, struct strbuf *out)
{
	struct lowered *low = m->lowered;

	switch (stage) {
	case DUMP_IR:
		vec_each(f, &low->raw)
			ir_dump(*f, out);
		return 0;
	case DUMP_IR_OPT:
		vec_each(f, &low->optimised)
			ir_dump(*f, out);
		return 0;
	case DUMP_BPF:
		vec_each(p, &low->object->progs) {
			strbuf_addf(out, "%s (%s):\n", p->code.name, p->section ? p->section : "called");
			code_dump(&p->code, map_name, low->object, out);
		}
		return 0;
	case DUMP_ELF:
		return object_dump(m->elf, m->elf_bytes, out);
	}
	return -EINVAL;
}
