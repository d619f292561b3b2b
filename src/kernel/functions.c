/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions: those of the kernel and its modules from /proc/kallsyms, and from tracefs and debugfs which of
 * them can be traced. The kernel takes 40 ms to write its symbols, so they are read once, when a question
 * first needs more than the name of one function, and kept in a compact form.
 */
#include "kernel/functions.h"

#include <errno.h>
#include <fcntl.h>

#include <linux/magic.h>

#include "base/util.h"

/* ftrace's place in a function lies behind a landing pad (endbr, bti) or what else it begins with. */
#define ENTRY_MOST_BYTES 16

void functions_free(struct functions *f)
{
	if (!f)
		return;
	strbuf_free(&f->text);
	name_list_free(&f->modules);
	free(f->module_names);
	free(f->module_typed);
	free(f->sorted);
	free(f->list);
	free(f->slots);
	free(f);
}

const char *function_name(const struct functions *f, const struct function *fn)
{
	return f->text.s + fn->name;
}

const char *function_module(const struct functions *f, const struct function *fn)
{
	return f->text.s + f->module_names[fn->module];
}

/* ---- finding by name ---- */

static uint32_t name_hash(const char *s, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)s[i]) * 16777619u;
	return h ^ h >> 15;
}

static uint32_t *slot_of(const struct functions *f, const char *name, size_t len)
{
	uint32_t at = name_hash(name, len) & f->mask;

	for (;; at = (at + 1) & f->mask) {
		const char *other;

		if (!f->slots[at])
			return &f->slots[at];
		other = function_name(f, &f->list[f->slots[at] - 1]);
		if (!strncmp(other, name, len) && !other[len])
			return &f->slots[at];
	}
}

struct function *functions_first(const struct functions *f, const char *name, size_t len)
{
	uint32_t i = *slot_of(f, name, len);

	return i ? &f->list[i - 1] : NULL;
}

struct function *functions_next(const struct functions *f, const struct function *fn)
{
	return fn->next ? &f->list[fn->next - 1] : NULL;
}

static int index_make(struct functions *f)
{
	size_t size = 1024;

	while (size < f->n * 2)
		size *= 2;
	f->mask = (uint32_t)size - 1;
	f->slots = calloc(size, sizeof(*f->slots));
	if (!f->slots)
		return -ENOMEM;
	/* From the last to the first, so that chains run upwards. */
	for (size_t i = f->n; i-- > 0;) {
		const char *name = function_name(f, &f->list[i]);
		uint32_t *slot = slot_of(f, name, strlen(name));

		f->list[i].next = *slot;
		*slot = (uint32_t)i + 1;
	}
	return 0;
}

/* ---- from /proc/kallsyms ---- */

struct line {
	uint64_t address;
	char type;
	const char *name, *module; /* module NULL: none */
	size_t name_len, module_len;
};

static const char *hex_parse(const char *p, const char *end, uint64_t *value)
{
	uint64_t v = 0;

	for (; p < end; p++) {
		unsigned c = (unsigned char)*p, digit = c - '0';

		if (digit > 9)
			digit = (c | 0x20) - 'a' + 10;
		if (digit > 15 || (c | 0x20) < '0')
			break;
		v = v << 4 | digit;
	}
	*value = v;
	return p;
}

/* "name", "name [module]", "name\t[module]" */
static bool name_parse(const char *p, const char *end, struct line *line)
{
	const char *stop = p;

	while (stop < end && *stop != '\t' && *stop != ' ')
		stop++;
	line->name = p;
	line->name_len = (size_t)(stop - p);
	line->module = NULL;
	line->module_len = 0;
	if (end - stop > 3 && stop[1] == '[' && end[-1] == ']') {
		line->module = stop + 2;
		line->module_len = (size_t)(end - 1 - line->module);
	}
	return line->name_len;
}

static bool symbol_parse(const char *p, const char *end, struct line *line)
{
	p = hex_parse(p, end, &line->address);
	if (end - p < 4 || p[0] != ' ' || p[2] != ' ')
		return false;
	line->type = p[1];
	return name_parse(p + 3, end, line);
}

static bool starts(const char *s, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && !memcmp(s, prefix, n);
}

/* Code, and not what the kernel's own tracing and BPF programs add to the list. */
static bool is_function(const struct line *line)
{
	if (!strchr("tTwW", line->type))
		return false;
	return !line->module || (!starts(line->module, line->module_len, "__builtin__") &&
				 !(line->module_len == 3 && starts(line->module, 3, "bpf")));
}

static uint32_t text_add(struct functions *f, const char *s, size_t len)
{
	uint32_t at = (uint32_t)f->text.len;

	strbuf_add(&f->text, s, len);
	strbuf_addch(&f->text, 0);
	return at;
}

/* The number of a module. They come one after the other. */
static int module_number(struct functions *f, const struct line *line, uint16_t *number)
{
	const char *name = line->module ? line->module : "vmlinux";
	size_t len = line->module ? line->module_len : strlen(name);
	uint32_t *grown;

	for (uint32_t i = f->nmodules; i-- > 0;) {
		const char *other = f->text.s + f->module_names[i];

		*number = (uint16_t)i;
		if (!strncmp(other, name, len) && !other[len])
			return 0;
	}
	if (f->nmodules >= UINT16_MAX)
		return -E2BIG;
	grown = reallocarray(f->module_names, f->nmodules + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	f->module_names = grown;
	*number = (uint16_t)f->nmodules;
	f->module_names[f->nmodules++] = text_add(f, name, len);
	return 0;
}

static int function_add(struct functions *f, const struct line *line)
{
	struct function fn = { .address = line->address };
	int err = module_number(f, line, &fn.module);

	if (err)
		return err;
	if (f->n == f->cap) {
		size_t cap = f->cap ? f->cap * 2 : 1 << 16;
		struct function *grown = reallocarray(f->list, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		f->list = grown;
		f->cap = cap;
	}
	fn.name = text_add(f, line->name, line->name_len);
	f->list[f->n++] = fn;
	return f->text.failed ? -ENOMEM : 0;
}

struct reading {
	struct functions *f;
	bool with_address; /* of available_filter_functions_addrs */
	int err;
};

static bool symbols_read(const char *text, const char *end, void *ctx)
{
	struct reading *r = ctx;

	for (const char *p = text, *stop; p < end && !r->err; p = stop + 1) {
		struct line line;

		stop = memchr(p, '\n', (size_t)(end - p));
		stop = stop ? stop : end;
		if (symbol_parse(p, stop, &line) && is_function(&line))
			r->err = function_add(r->f, &line);
	}
	return r->err;
}

/* ---- which of them can be traced ---- */

static bool same_module(const struct functions *f, const struct function *fn, const struct line *line)
{
	const char *module = function_module(f, fn);

	if (!line->module)
		return !strcmp(module, "vmlinux");
	return !strncmp(module, line->module, line->module_len) && !module[line->module_len];
}

/* Several functions may have the name: where the kernel tells no addresses, all of them are taken. */
static void traceable_note(struct functions *f, const struct line *line)
{
	struct function *fn = functions_first(f, line->name, line->name_len);

	for (; fn; fn = functions_next(f, fn)) {
		if (!same_module(f, fn, line))
			continue;
		if (!line->address || !fn->address || line->address - fn->address <= ENTRY_MOST_BYTES)
			fn->state = FUNCTION_TRACEABLE;
	}
}

static bool traceable_read(const char *text, const char *end, void *ctx)
{
	struct reading *r = ctx;

	for (const char *p = text, *stop; p < end; p = stop + 1) {
		struct line line = { 0 };
		const char *name = p;

		stop = memchr(p, '\n', (size_t)(end - p));
		stop = stop ? stop : end;
		if (r->with_address)
			name = hex_parse(p, stop, &line.address) + 1;
		if (name < stop && name_parse(name, stop, &line))
			traceable_note(r->f, &line);
	}
	return false;
}

/* Names that can be told from their form: padding, type hashes, parts that are jumped to. */
static bool name_is_no_entry(const char *name)
{
	const char *dot = strstr(name, ".cold");

	return str_starts(name, "__pfx_") || str_starts(name, "__cfi_") || str_starts(name, "__ftrace_invalid_") ||
	       (dot && (!dot[5] || dot[5] == '.'));
}

static void states_guess(struct functions *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (name_is_no_entry(function_name(f, &f->list[i])))
			f->list[i].state = FUNCTION_NOTRACE;
}

static int traceable_open(struct kernel *k, bool *with_address)
{
	int fd;

	*with_address = false;
	if (kernel_wishes.traceable_functions)
		return open(kernel_wishes.traceable_functions, O_RDONLY | O_CLOEXEC);
	if (k->tracefs <= 0) {
		/* Without it we guess; that is nothing to tell the person of. */
		int dir = kernel_fs_open("tracefs", "/sys/kernel/tracing", TRACEFS_MAGIC);

		if (dir < 0)
			return dir;
		k->tracefs = dir;
	}
	*with_address = true;
	fd = openat(k->tracefs, "available_filter_functions_addrs", O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	*with_address = false;
	return openat(k->tracefs, "available_filter_functions", O_RDONLY | O_CLOEXEC);
}

static void states_read(struct kernel *k, struct functions *f)
{
	struct reading r = { .f = f };
	_cleanup_close_ int fd = traceable_open(k, &r.with_address);

	if (fd < 0) {
		states_guess(f);
		return;
	}
	for (size_t i = 0; i < f->n; i++)
		f->list[i].state = FUNCTION_NOTRACE;
	f->certain = !lines_each(fd, traceable_read, &r);
}

/* "0xffffffff81000000-0xffffffff81000040\tname", "... [module]" */
static bool blacklist_read(const char *text, const char *end, void *ctx)
{
	struct reading *r = ctx;

	for (const char *p = text, *stop; p < end; p = stop + 1) {
		struct line line = { 0 };
		const char *tab;
		struct function *fn;

		stop = memchr(p, '\n', (size_t)(end - p));
		stop = stop ? stop : end;
		tab = memchr(p, '\t', (size_t)(stop - p));
		if (!tab || !name_parse(tab + 1, stop, &line))
			continue;
		fn = functions_first(r->f, line.name, line.name_len);
		for (; fn; fn = functions_next(r->f, fn))
			if (same_module(r->f, fn, &line) && fn->state == FUNCTION_TRACEABLE)
				fn->state = FUNCTION_BLACKLISTED;
	}
	return false;
}

static void blacklist_apply(struct functions *f)
{
	struct reading r = { .f = f };
	_cleanup_close_ int dir = kernel_fs_open("debugfs", "/sys/kernel/debug", DEBUGFS_MAGIC);
	_cleanup_close_ int fd = dir < 0 ? -1 : openat(dir, "kprobes/blacklist", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		lines_each(fd, blacklist_read, &r);
}

/* ---- the whole ---- */

static int modules_list(struct functions *f)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	for (uint32_t i = 0; i < f->nmodules; i++) {
		const char *name = f->text.s + f->module_names[i];

		if (strcmp(name, "vmlinux"))
			strbuf_add(&text, name, strlen(name) + 1);
	}
	if (!text.len)
		return 0;
	return name_list_take(&f->modules, &text);
}

int functions_get(struct kernel *k, struct functions **out)
{
	struct reading r = { 0 };
	int err;

	if (k->functions) {
		*out = k->functions;
		return 0;
	}
	r.f = calloc(1, sizeof(*r.f));
	if (!r.f)
		return report_error(k->report, -ENOMEM, NULL, "out of memory");
	r.f->text = (struct strbuf)STRBUF_INIT;
	err = kallsyms_each(k, symbols_read, &r);
	if (err) {
		functions_free(r.f);
		return err;
	}
	err = r.err ? r.err : index_make(r.f);
	err = err ? err : modules_list(r.f);
	if (err) {
		functions_free(r.f);
		return report_error(k->report, err, NULL, "out of memory");
	}
	states_read(k, r.f);
	blacklist_apply(r.f);
	*out = k->functions = r.f;
	return 0;
}
