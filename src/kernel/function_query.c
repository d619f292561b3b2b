/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Function query: which functions match, and why one cannot be traced. */
#include <errno.h>
#include <stdio.h>

#include "base/util.h"
#include "kernel/functions.h"

/* As many matches as this are faster found in order than sorted. */
#define MANY 4096

static struct kernel_function view(const struct functions *f, const struct function *fn)
{
	return (struct kernel_function){
		.name = function_name(f, fn), .module = function_module(f, fn), .address = fn->address,
		.state = fn->state, .number = (uint32_t)(fn - f->list),
	};
}

/* ---- order ---- */

/* The first letters as a number, so that most comparisons need not look further. */
struct sort_key {
	uint64_t letters[2];
	const char *name, *module;
	uint64_t address;
	uint32_t number;
};

static void first_letters(const char *name, uint64_t letters[2])
{
	for (int i = 0; i < 16; i++) {
		letters[i / 8] = letters[i / 8] << 8 | (uint8_t)*name;
		name += *name != 0;
	}
}

static int compare(const void *a, const void *b)
{
	const struct sort_key *x = a, *y = b;
	int r;

	if (x->letters[0] != y->letters[0])
		return x->letters[0] < y->letters[0] ? -1 : 1;
	if (x->letters[1] != y->letters[1])
		return x->letters[1] < y->letters[1] ? -1 : 1;
	r = x->letters[1] & 0xff ? strcmp(x->name + 16, y->name + 16) : 0;
	r = r || x->module == y->module ? r : strcmp(x->module, y->module);
	return r ? r : (x->address > y->address) - (x->address < y->address);
}

/* The numbers of `n` functions in order; NULL: no memory. */
static uint32_t *sort(const struct functions *f, uint32_t *numbers, size_t n)
{
	struct sort_key *keys = reallocarray(NULL, n + 1, sizeof(*keys));

	for (size_t i = 0; keys && i < n; i++) {
		const struct function *fn = &f->list[numbers[i]];
		const char *name = function_name(f, fn);

		keys[i] = (struct sort_key){ { 0 }, name, function_module(f, fn), fn->address, numbers[i] };
		first_letters(name, keys[i].letters);
	}
	if (!keys)
		return NULL;
	qsort(keys, n, sizeof(*keys), compare);
	for (size_t i = 0; i < n; i++)
		numbers[i] = keys[i].number;
	free(keys);
	return numbers;
}

static int sort_all(struct kernel *k, struct functions *f)
{
	uint32_t *all = f->sorted ? NULL : reallocarray(NULL, f->n + 1, sizeof(*all));

	if (f->sorted)
		return 0;
	for (uint32_t i = 0; all && i < f->n; i++)
		all[i] = i;
	f->sorted = all ? sort(f, all, f->n) : NULL;
	if (f->sorted)
		return 0;
	free(all);
	return report_error(k->report, -ENOMEM, NULL, "out of memory");
}

/* ---- by pattern ---- */

/* What a pattern begins with literally: most names are told by that. */
static size_t literal_prefix(const char *pattern)
{
	return strcspn(pattern, "*?[");
}

struct matcher {
	const char *pattern; /* NULL: any */
	size_t literal;
	bool rest_is_any;    /* nothing but one '*' follows */
};

static struct matcher matcher_of(const char *pattern)
{
	struct matcher m = { .pattern = pattern };

	if (pattern && !strcmp(pattern, "*"))
		m.pattern = NULL;
	if (m.pattern) {
		m.literal = literal_prefix(pattern);
		m.rest_is_any = !strcmp(pattern + m.literal, "*");
	}
	return m;
}

static bool matches(const struct matcher *m, const char *s)
{
	if (!m->pattern)
		return true;
	if (strncmp(m->pattern, s, m->literal))
		return false;
	return m->rest_is_any || glob_match(m->pattern + m->literal, s + m->literal);
}

typedef VEC(uint32_t) number_vec;

/* The numbers of those that match, in the list's order or sorted. */
static void matches_find(const struct functions *f, struct arena *a, const char *module, const char *name, number_vec *out)
{
	struct matcher names = matcher_of(name), modules = matcher_of(module);
	bool *module_ok = arena_array_of(a, bool, f->nmodules + 1);

	for (uint32_t i = 0; i < f->nmodules; i++)
		module_ok[i] = matches(&modules, f->text.s + f->module_names[i]);
	for (uint32_t i = 0; i < f->n; i++) {
		uint32_t number = f->sorted ? f->sorted[i] : i;
		const struct function *fn = &f->list[number];

		if (module_ok[fn->module] && matches(&names, function_name(f, fn)))
			vec_push(a, out, number);
	}
}

int kernel_functions(struct kernel *k, struct arena *a, const char *module, const char *name,
		     const struct kernel_function **list, size_t *n)
{
	struct kernel_function *out;
	number_vec found = { 0 };
	struct functions *f;
	int err = functions_get(k, &f);

	if (err)
		return err;
	matches_find(f, a, module, name, &found);
	if (!f->sorted && found.n >= MANY) {
		err = sort_all(k, f);
		if (err)
			return err;
		found.n = 0;
		matches_find(f, a, module, name, &found);
	} else if (!f->sorted && found.n && !sort(f, found.v, found.n)) {
		return report_error(k->report, -ENOMEM, NULL, "out of memory");
	}
	out = arena_array_of(a, struct kernel_function, found.n + 1);
	for (size_t i = 0; i < found.n; i++)
		out[i] = view(f, &f->list[found.v[i]]);
	*list = out;
	*n = found.n;
	return 0;
}

/* ---- types ---- */

/* Note for all functions of a module where its types describe them: once, in one go through the types. */
static void types_note(struct kernel *k, struct functions *f, uint32_t module)
{
	const char *name = f->text.s + f->module_names[module];
	bool is_module = strcmp(name, "vmlinux") != 0;
	const struct btf_file *base = kernel_types(k, "vmlinux"), *btf = is_module ? kernel_types(k, name) : base;

	for (uint32_t id = is_module && base ? btf_file_end(base) : 1; btf && id < btf_file_end(btf); id++) {
		const struct btf_type *t = btf_file_type(btf, id);
		const char *func = btf_is_func(t) ? btf_file_string(btf, t->name_off) : NULL;
		struct function *fn = func ? functions_first(f, func, strlen(func)) : NULL;

		for (; fn; fn = functions_next(f, fn))
			if (fn->module == module && !fn->type)
				fn->type = id;
	}
}

int kernel_function_type(struct kernel *k, const struct kernel_function *fn)
{
	struct functions *f;
	uint32_t module;
	int err = functions_get(k, &f);

	if (err)
		return err;
	module = f->list[fn->number].module;
	if (!f->module_typed)
		f->module_typed = calloc(f->nmodules, sizeof(*f->module_typed));
	if (!f->module_typed)
		return report_error(k->report, -ENOMEM, NULL, "out of memory");
	if (!f->module_typed[module]) {
		f->module_typed[module] = true;
		types_note(k, f, module);
	}
	return (int)f->list[fn->number].type;
}

/* ---- one name ---- */

/* name.isra.0, name.constprop.0, name.part.0: also where the rest of the name goes on like that. */
static const struct function *variant_find(const struct functions *f, const char *module, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < f->n; i++) {
		const char *s = function_name(f, &f->list[i]);

		if (!strncmp(s, name, len) && s[len] == '.' && f->list[i].state == FUNCTION_TRACEABLE &&
		    (!module || !strcmp(module, function_module(f, &f->list[i]))))
			return &f->list[i];
	}
	return NULL;
}

static bool in_types(struct kernel *k, const char *module, const char *name)
{
	const struct btf_file *btf;

	if (!kernel_has_btf(k) || (module && strcmp(module, "vmlinux")))
		return false;
	btf = kernel_types(k, "vmlinux");
	return btf && btf_file_find(btf, name, 1u << BTF_KIND_FUNC);
}

static struct kernel_function absent(struct kernel *k, const struct functions *f, const char *module,
				     const char *name)
{
	const struct function *variant = variant_find(f, module, name);
	struct kernel_function fn = { .name = name, .module = module ? module : "vmlinux" };

	if (variant) {
		fn.state = FUNCTION_CHANGED;
		fn.variant = function_name(f, variant);
		fn.module = function_module(f, variant);
	} else {
		fn.state = in_types(k, module, name) ? FUNCTION_INLINED : FUNCTION_MISSING;
	}
	return fn;
}

int kernel_functions_named(struct kernel *k, struct arena *a, const char *module, const char *name,
			   const struct kernel_function **list, size_t *n)
{
	VEC(struct kernel_function) found = { 0 };
	const struct function *fn;
	struct functions *f;
	int err = functions_get(k, &f);

	if (err)
		return err;
	for (fn = functions_first(f, name, strlen(name)); fn; fn = functions_next(f, fn))
		if (!module || !strcmp(module, function_module(f, fn)))
			vec_push(a, &found, view(f, fn));
	if (!found.n)
		vec_push(a, &found, absent(k, f, module, name));
	*list = found.v;
	*n = found.n;
	return 0;
}

bool kernel_function_likely(struct kernel *k, const char *name)
{
	return !k->functions && in_types(k, NULL, name);
}

const char *kernel_function_nearest(struct kernel *k, const char *module, const char *name)
{
	struct functions *f;
	const char **names, *near;
	size_t n = 0;

	if (functions_get(k, &f))
		return NULL;
	names = calloc(f->n + 1, sizeof(*names));
	if (!names)
		return NULL;
	for (size_t i = 0; i < f->n; i++)
		if (f->list[i].state == FUNCTION_TRACEABLE &&
		    (!module || !strcmp(module, function_module(f, &f->list[i]))))
			names[n++] = function_name(f, &f->list[i]);
	near = nearest_name(name, names, n);
	free(names);
	return near;
}

bool kernel_module_loaded(const char *module)
{
	char path[128];

	if (!strcmp(module, "vmlinux"))
		return true;
	if (!*module || *module == '.' || strchr(module, '/') ||
	    (size_t)snprintf(path, sizeof(path), "/sys/module/%s/initstate", module) >= sizeof(path))
		return false;
	return !access(path, F_OK); /* what is built in has no such file */
}

int kernel_function_modules(struct kernel *k, const char *const **names, size_t *n)
{
	struct functions *f;
	int err = functions_get(k, &f);

	if (err)
		return err;
	*names = f->modules.names;
	*n = f->modules.n;
	return 0;
}

bool kernel_functions_certain(struct kernel *k)
{
	struct functions *f;

	return !functions_get(k, &f) && f->certain;
}

const char *function_state_text(enum function_state state)
{
	static const char *const texts[] = {
		[FUNCTION_TRACEABLE] = "it can be traced",
		[FUNCTION_BLACKLISTED] = "the kernel allows no kprobe there, because tracing itself needs it",
		[FUNCTION_NOTRACE] = "the kernel was built with no place for tracing in it (notrace, or assembler)",
		[FUNCTION_CHANGED] = "the compiler left only a variant of it",
		[FUNCTION_INLINED] = "the compiler has put it into the functions that call it (inlined)",
		[FUNCTION_MISSING] = "there is no such function",
	};

	return (size_t)state < ARRAY_SIZE(texts) ? texts[state] : "";
}
