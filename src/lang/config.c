/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Config: the variables that the environment, the command line and a script's config block set. One
 * table says how each is named, what it may be and where it is kept.
 */
#include "lang/check_priv.h"

#include <ctype.h>

enum var_kind { V_UINT, V_BOOL, V_STRING, V_CHOICE, V_MISSING, V_IGNORED };

static const char *const license_choices[] = {
	"Dual MIT/GPL", "Dual BSD/GPL", "Dual MPL/GPL", "GPL and additional rights", "GPL v2", "GPL", NULL,
};
static const char *const stack_choices[] = { "bpftrace", "perf", "raw", "build_id", NULL };
static const char *const cache_choices[] = { "PER_PID", "PER_PROGRAM", "NONE", NULL };
static const char *const missing_choices[] = {
	[MISSING_ERROR] = "error", [MISSING_WARN] = "warn", [MISSING_IGNORE] = "ignore", NULL,
};
static const char *const unstable_choices[] = { "enable", "warn", "error", NULL };

static const struct config_var {
	const char *name;
	enum var_kind kind;
	size_t offset;
	uint64_t min, max;
	const char *const *choices;
} config_vars[] = {
	{ "max_strlen", V_UINT, offsetof(struct config, max_strlen), 1, 1 << 20, NULL },
	{ "max_map_keys", V_UINT, offsetof(struct config, max_map_keys), 1, 1 << 26, NULL },
	{ "max_probes", V_UINT, offsetof(struct config, max_probes), 0, UINT32_MAX, NULL },
	{ "max_bpf_progs", V_UINT, offsetof(struct config, max_bpf_progs), 0, UINT32_MAX, NULL },
	{ "on_stack_limit", V_UINT, offsetof(struct config, on_stack_limit), 0, 512, NULL },
	{ "perf_rb_pages", V_UINT, offsetof(struct config, perf_rb_pages), 0, 1 << 20, NULL },
	{ "max_cat_bytes", V_UINT, offsetof(struct config, max_cat_bytes), 0, 1 << 30, NULL },
	{ "log_size", V_UINT, offsetof(struct config, log_size), 0, UINT32_MAX, NULL },
	{ "missing_probes", V_MISSING, offsetof(struct config, missing_probes), 0, 0, missing_choices },
	{ "print_maps_on_exit", V_BOOL, offsetof(struct config, print_maps_on_exit), 0, 0, NULL },
	{ "cpp_demangle", V_BOOL, offsetof(struct config, cpp_demangle), 0, 0, NULL },
	{ "lazy_symbolication", V_BOOL, offsetof(struct config, lazy_symbolication), 0, 0, NULL },
	{ "show_debug_info", V_BOOL, offsetof(struct config, show_debug_info), 0, 0, NULL },
	{ "str_trunc_trailer", V_STRING, offsetof(struct config, str_trunc_trailer), 0, 0, NULL },
	{ "license", V_CHOICE, offsetof(struct config, license), 0, 0, license_choices },
	{ "stack_mode", V_CHOICE, offsetof(struct config, stack_mode), 0, 0, stack_choices },
	{ "cache_user_symbols", V_CHOICE, offsetof(struct config, cache_user_symbols), 0, 0, cache_choices },
	/* What the reference still calls unstable works here without a warning. */
	{ "unstable_map_decl", V_IGNORED, 0, 0, 0, unstable_choices },
	{ "unstable_tseries", V_IGNORED, 0, 0, 0, unstable_choices },
	{ "unstable_addr", V_IGNORED, 0, 0, 0, unstable_choices },
	{ "unstable_import", V_IGNORED, 0, 0, 0, unstable_choices },
	{ "unstable_macro", V_IGNORED, 0, 0, 0, unstable_choices },
	{ "unstable_typeinfo", V_IGNORED, 0, 0, 0, unstable_choices },
	{ "unstable_dw_ustack", V_IGNORED, 0, 0, 0, unstable_choices },
};

_Static_assert(ARRAY_SIZE(config_vars) <= 64, "config.locked has a bit for each variable");

bool config_license_known(const char *license)
{
	for (size_t i = 0; license_choices[i]; i++)
		if (!strcmp(license_choices[i], license))
			return true;
	return false;
}

void config_defaults(struct config *cfg)
{
	*cfg = (struct config){
		.max_strlen = 1024,
		.max_map_keys = 4096,
		.max_probes = 1024,
		.max_bpf_progs = 1024,
		.on_stack_limit = 32,
		.max_cat_bytes = 10240,
		.missing_probes = MISSING_ERROR,
		.print_maps_on_exit = true,
		.str_trunc_trailer = "..",
		.license = "GPL",
		.stack_mode = "bpftrace",
		.cpp_demangle = true,
		.show_debug_info = true,
		.cache_user_symbols = "PER_PID",
		.log_size = 1000000,
	};
}

/* "max_strlen" of "BPFTRACE_MAX_STRLEN", "SONDE_max_strlen", "MAX_STRLEN". */
static const char *plain_name(struct arena *a, const char *name)
{
	static const char *const prefixes[] = { "BPFTRACE_", "SONDE_" };
	char *plain;

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (str_starts(name, prefixes[i])) {
			name += strlen(prefixes[i]);
			break;
		}
	}
	plain = arena_strdup(a, name);
	for (char *p = plain; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return plain;
}

static const struct config_var *var_by_name(struct arena *a, const char *name)
{
	const char *plain = plain_name(a, name);

	for (size_t i = 0; i < ARRAY_SIZE(config_vars); i++) {
		if (str_eq(config_vars[i].name, plain))
			return &config_vars[i];
	}
	return NULL;
}

/* The choice that `text` names (any case), or -1. */
static int choice_of(const char *const *choices, const char *text)
{
	for (int i = 0; choices[i]; i++) {
		if (!strcasecmp(choices[i], text))
			return i;
	}
	return -1;
}

static bool bool_of(const char *text, bool *out)
{
	static const char *const yes[] = { "true", "1", NULL }, *const no[] = { "false", "0", NULL };

	*out = choice_of(yes, text) >= 0;
	return *out || choice_of(no, text) >= 0;
}

static bool uint_of(const char *text, uint64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*out = strtoull(text, &end, 0);
	return !errno && !*end;
}

/* "a number from 1 to 64": what the variable takes. */
static const char *choices_text(struct arena *a, const char *const *choices)
{
	const char *text = "";

	for (int i = 0; choices && choices[i]; i++)
		text = arena_printf(a, "%s%s%s", text, i ? ", " : "", choices[i]);
	return text;
}

static const char *var_takes(struct arena *a, const struct config_var *v)
{
	if (v->kind == V_UINT)
		return arena_printf(a, "a number from %llu to %llu", (unsigned long long)v->min,
				    (unsigned long long)v->max);
	if (v->kind == V_BOOL)
		return "true or false";
	return v->choices ? arena_printf(a, "one of %s", choices_text(a, v->choices)) : "";
}

/* False: the text is not what the variable takes. */
static bool var_set(struct config *cfg, struct arena *a, const struct config_var *v, const char *text)
{
	void *place = (char *)cfg + v->offset;
	uint64_t n;
	bool b;
	int i;

	switch (v->kind) {
	case V_UINT:
		if (!uint_of(text, &n) || n < v->min || n > v->max)
			return false;
		*(uint32_t *)place = (uint32_t)n;
		return true;
	case V_BOOL:
		if (!bool_of(text, &b))
			return false;
		*(bool *)place = b;
		return true;
	case V_STRING:
		*(const char **)place = arena_strdup(a, text);
		return true;
	case V_IGNORED: /* older scripts say 1 or true */
		return choice_of(v->choices, text) >= 0 || bool_of(text, &b);
	default:
		i = choice_of(v->choices, text);
		if (i < 0)
			return false;
		if (v->kind == V_CHOICE)
			*(const char **)place = v->choices[i];
		else if (v->kind == V_MISSING)
			cfg->missing_probes = i;
		return true;
	}
}

static uint64_t var_bit(const struct config_var *v)
{
	return (uint64_t)1 << (v - config_vars);
}

static const char *const *var_names(struct arena *a)
{
	const char **names = arena_array_of(a, const char *, ARRAY_SIZE(config_vars));

	for (size_t i = 0; i < ARRAY_SIZE(config_vars); i++)
		names[i] = config_vars[i].name;
	return names;
}

int config_set(struct config *cfg, struct arena *a, const char *name, const char *value,
	       const struct reporter *r)
{
	const struct config_var *v = var_by_name(a, name);

	if (!v) {
		const char *near = nearest_name(plain_name(a, name), var_names(a), ARRAY_SIZE(config_vars));

		return report_error(r, -EINVAL, near ? arena_printf(a, "did you mean '%s'?", near) : NULL,
				    "Unrecognized config variable: %s", name);
	}
	if (!var_set(cfg, a, v, value))
		return report_error(r, -EINVAL, NULL, "%s takes %s, not '%s'", name, var_takes(a, v), value);
	cfg->locked |= var_bit(v);
	return 0;
}

int config_environment(struct config *cfg, struct arena *a, const struct reporter *r)
{
	static const char *const prefixes[] = { "BPFTRACE_", "SONDE_" };

	for (size_t i = 0; i < ARRAY_SIZE(config_vars); i++) {
		for (size_t p = 0; p < ARRAY_SIZE(prefixes); p++) {
			char *name = arena_printf(a, "%s%s", prefixes[p], config_vars[i].name);
			const char *value;
			int err;

			for (char *s = name; *s; s++)
				*s = (char)toupper((unsigned char)*s);
			value = getenv(name);
			err = value ? config_set(cfg, a, name, value, r) : 0;
			if (err)
				return err;
		}
	}
	return 0;
}

/* ---- the script's block ---- */

/* The value as text, whichever way it is written: 64, "perf", perf, true. NULL: no such thing. */
static const char *entry_text(struct checker *c, const struct expr *e)
{
	switch (e->kind) {
	case EX_INT:
		return arena_printf(c->arena, "%llu", (unsigned long long)e->num);
	case EX_BOOL:
		return e->num ? "true" : "false";
	case EX_STR:
		return e->str;
	case EX_IDENT:
		return e->name;
	default:
		return NULL;
	}
}

static struct span name_span(const struct config_entry *entry)
{
	struct span span = entry->span;

	span.end = span.begin + (uint32_t)strlen(entry->name);
	return span;
}

/* What the environment may say and a script may not. */
static bool is_env_only(const char *name)
{
	static const char *const names[] = { "debug_output", "btf", "kernel_source", "kernel_build", "vmlinux", "color" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static void entry_apply(struct checker *c, const struct config_entry *entry)
{
	const struct config_var *v = var_by_name(c->arena, entry->name);
	const char *text = entry->value ? entry_text(c, entry->value) : NULL;
	struct config scratch = c->env->config;

	if (!v && is_env_only(entry->name)) {
		check_error(c, name_span(entry), "%s can only be set as an environment variable", entry->name);
		return;
	}
	if (!v) {
		check_error(c, name_span(entry), "Unrecognized config variable: %s", entry->name);
		diag_hint_nearest(c->diags, plain_name(c->arena, entry->name), var_names(c->arena),
				  ARRAY_SIZE(config_vars));
		return;
	}
	if (text && v->choices == license_choices && !config_license_known(text)) {
		check_error(c, entry->value->span, "Invalid value for license. Found: %s. Valid values: %s.", text,
			    choices_text(c->arena, v->choices));
		return;
	}
	if (!text || !var_set(&scratch, c->arena, v, text)) {
		check_error(c, entry->value ? entry->value->span : entry->span, "%s takes %s", entry->name,
			    var_takes(c->arena, v));
		return;
	}
	/* the environment and the command line have the last word */
	if (!(c->env->config.locked & var_bit(v)))
		c->env->config = scratch;
}

const char *config_name(uint32_t i)
{
	return i < ARRAY_SIZE(config_vars) ? config_vars[i].name : NULL;
}

bool config_value(struct checker *c, uint32_t i, struct expr *e)
{
	const struct config_var *v = &config_vars[i];
	const void *place = (const char *)&c->env->config + v->offset;
	const char *text;

	switch (v->kind) {
	case V_UINT:
		expr_become_int(e, *(const uint32_t *)place, false);
		return true;
	case V_BOOL:
		e->kind = EX_BOOL;
		e->num = *(const bool *)place;
		e->type = &type_bool;
		return true;
	case V_IGNORED:
		return false;
	case V_MISSING:
		text = v->choices[c->env->config.missing_probes];
		break;
	default:
		text = *(const char *const *)place;
	}
	expr_become_string(c->arena, e, text, (uint32_t)strlen(text));
	return true;
}

int pass_config(struct checker *c)
{
	vec_each(it, &c->script->configs)
		entry_apply(c, it);
	return 0;
}
