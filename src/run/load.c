/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Load: the module's ELF object into the kernel, by libbpf. What libbpf says is kept aside; when the kernel
 * refuses, one message says what it refused and why.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "base/util.h"
#include "kernel/libbpf_log.h"
#include "run/internal.h"

#define RING_MOST_BYTES ((size_t)16 << 20)
#define RING_LEAST_BYTES ((size_t)64 << 10)
/* Enough when every run of a program that sends events is followed by reading the ring. */
#define RING_SMALL_BYTES ((size_t)1 << 20)
/* Lines of the verifier's log that a message shows. */
#define LOG_LINES 8

static size_t power_of_two_at_least(size_t n, size_t least)
{
	size_t p = least;

	while (p < n)
		p *= 2;
	return p;
}

/* A sixty-fourth of the memory, within limits. */
static size_t ring_default_bytes(void)
{
	struct sysinfo si;
	size_t want = RING_LEAST_BYTES;

	if (sysinfo(&si))
		return RING_LEAST_BYTES;
	while (want < RING_MOST_BYTES && want * 2 <= (uint64_t)si.totalram * si.mem_unit / 64)
		want *= 2;
	return want;
}

static bool span_within(struct span outer, struct span inner)
{
	return outer.file == inner.file && outer.begin <= inner.begin && inner.end <= outer.end;
}

/* Does nothing that the kernel runs by itself send events? A call that is not inside a clause (it came
 * from a macro) may be anywhere. */
static bool only_session_sends(const struct module *m)
{
	const struct script *script = m->script;

	for (uint32_t i = 0; i < m->sites.n; i++) {
		bool found = false;

		for (uint32_t j = 0; j < script->units.n; j++) {
			const struct unit *u = script->units.v[j];

			if (!span_within(u->clause->span, m->sites.v[i].span))
				continue;
			if (probe_run_by_kernel(u->kind))
				return false;
			found = true;
		}
		if (!found)
			return false;
	}
	return true;
}

static size_t ring_bytes(struct session *s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint32_t pages = s->module->config.perf_rb_pages;

	s->ring_is_small = only_session_sends(s->module);
	if (pages)
		return power_of_two_at_least((size_t)pages * page, page);
	if (s->ring_is_small)
		return MIN(RING_SMALL_BYTES, ring_default_bytes());
	return MAX(ring_default_bytes(), page);
}

/* The text of line `n` from the end (0: last), without its newline; NULL: there is none. */
static const char *line_from_end(const char *text, size_t len, size_t n, size_t *line_len)
{
	size_t end = len;

	for (;;) {
		size_t begin;

		while (end && text[end - 1] == '\n')
			end--;
		if (!end)
			return NULL;
		for (begin = end; begin && text[begin - 1] != '\n'; begin--)
			;
		if (!n--) {
			*line_len = end - begin;
			return text + begin;
		}
		end = begin;
	}
}

static bool line_is_statistics(const char *line, size_t len)
{
	static const char *const dull[] = { "processed ", "verification time", "stack depth" };

	for (size_t i = 0; i < ARRAY_SIZE(dull); i++)
		if (len >= strlen(dull[i]) && !strncmp(line, dull[i], strlen(dull[i])))
			return true;
	return false;
}

/* The last lines of the verifier's log, in order, without its statistics. */
static void verifier_tail(const char *log, size_t len, struct strbuf *out)
{
	const char *line;
	size_t n;

	while ((line = line_from_end(log, len, 0, &n)) && line_is_statistics(line, n))
		len = (size_t)(line - log);
	for (size_t i = LOG_LINES; i-- > 0;) {
		line = line_from_end(log, len, i, &n);
		if (!line)
			continue;
		strbuf_addstr(out, "\n  ");
		strbuf_add(out, line, n);
	}
}

/* The place in the script that the log was last at ("; text @ file:line", since 6.8; before only "; text"). */
static void verifier_place(const char *log, size_t len, struct strbuf *out)
{
	const char *line, *at = NULL;
	size_t n;

	for (size_t i = 0; (line = line_from_end(log, len, i, &n)); i++) {
		if (n < 3 || line[0] != ';' || line[1] != ' ')
			continue;
		for (const char *p = line; p + 3 < line + n; p++)
			if (!strncmp(p, " @ ", 3))
				at = p + 3;
		if (at)
			strbuf_add(out, at, (size_t)(line + n - at));
		else
			strbuf_addf(out, "'%.*s'", (int)n - 2, line + 2);
		return;
	}
}

const char *program_point(const struct session *s, const char *name)
{
	for (uint32_t i = 0; i < s->module->programs.n; i++) {
		const struct program_desc *d = &s->module->programs.v[i];

		if (str_eq(d->name, name))
			return d->npoints ? d->points[0]->name : d->name;
	}
	return "a probe";
}

/* The program a line of libbpf speaks of ("prog 'NAME': ..."); NULL: none of ours. */
static const char *rejected_name(const struct session *s, const char *log)
{
	const char *name = strstr(log, "prog '");
	size_t len = name ? strcspn(name + 6, "'\n") : 0;

	for (uint32_t i = 0; name && i < s->module->programs.n; i++) {
		const char *own = s->module->programs.v[i].name;

		if (strlen(own) == len && !memcmp(own, name + 6, len))
			return own;
	}
	return NULL;
}

static const char *rejected_point(const struct session *s, const char *log)
{
	return program_point(s, rejected_name(s, log));
}

static int report_rejection(const struct session *s, const char *log, const char *begin, const char *end, int err)
{
	_cleanup_strbuf_ struct strbuf tail = STRBUF_INIT, place = STRBUF_INIT;

	begin = strchr(begin, '\n') ? strchr(begin, '\n') + 1 : end;
	verifier_tail(begin, (size_t)(end - begin), &tail);
	verifier_place(begin, (size_t)(end - begin), &place);
	report_debug(s->report, "%.*s", (int)(end - begin), begin);
	return report_error(s->report, err, "this is a bug in sonde, please report it with the script",
			    "the kernel's verifier rejected the program of %s%s%s:%s", rejected_point(s, log),
			    place.len ? " at " : "", place.s, tail.s);
}

static const char *load_hint(int err)
{
	switch (err) {
	case -EPERM:
		return "the kernel's policy (lockdown, seccomp, a container) does not allow this kind of program";
	case -ENOMEM:
	case -E2BIG:
		return "lower max_map_keys, the size of a declared map, or perf_rb_pages";
	default:
		return NULL;
	}
}

/* Is it because of what a program is for? The kind knows. Without the name of the program that was refused, all
 * are asked. */
static int refused_by_kind(struct session *s, const char *log, int err)
{
	const char *name = rejected_name(s, log);

	for (uint32_t i = 0; i < s->module->programs.n; i++) {
		const struct program_desc *d = &s->module->programs.v[i];

		if (d->kind->refused && (!name || str_eq(name, d->name)) &&
		    d->kind->refused(&s->probe, d->points[0], err))
			return err;
	}
	return 0;
}

static int report_load_failure(struct session *s, const struct strbuf *log, int err)
{
	const char *begin = strstr(log->s, "-- BEGIN PROG LOAD LOG --");
	const char *end = begin ? strstr(begin, "-- END PROG LOAD LOG --") : NULL;
	char reason[128];
	const char *line;
	size_t n;

	if (refused_by_kind(s, log->s, err) || (err != -EPERM && report_missing_helper(s, err)))
		return err;
	if (end && err != -EPERM && begin + 32 < end)
		return report_rejection(s, log->s, begin, end, err);
	/* The first line is the cause; what follows is how libbpf took it down. */
	line = log->s;
	n = strcspn(line, "\n");
	if (str_starts(line, "libbpf: ")) {
		line += 8;
		n -= 8;
	}
	/* libbpf blames the limit of locked memory for every refusal. */
	if (err == -EPERM)
		n = 0;
	libbpf_strerror(err, reason, sizeof(reason));
	if (err == -E2BIG)
		snprintf(reason, sizeof(reason), "a map or the ring buffer is too large");
	return report_error(s->report, err, load_hint(err), "cannot load the question into the kernel: %s%s%.*s",
			    reason, n ? ": " : "", (int)n, line);
}

static int object_open(struct session *s)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "sonde",
		    .kernel_log_level = libbpf_telling.verifier ? 2 : 0);
	int err;

	s->object = bpf_object__open_mem(s->module->elf, s->module->elf_bytes, &opts);
	err = (int)libbpf_get_error(s->object);
	if (err)
		s->object = NULL;
	return err;
}

static bool is_bss(const struct bpf_map *map)
{
	const char *name = bpf_map__name(map);
	size_t n = strlen(name);

	return n >= 4 && !strcmp(name + n - 4, ".bss") && bpf_map__value_size(map) >= sizeof(struct control);
}

/* What a program is for, where its section alone does not say it. */
static int programs_prepare(struct session *s)
{
	for (uint32_t i = 0; i < s->module->programs.n; i++) {
		const struct program_desc *d = &s->module->programs.v[i];
		struct bpf_program *prog;
		int err;

		if (!d->kind->prepare && !s->left_out[i])
			continue;
		prog = bpf_object__find_program_by_name(s->object, d->name);
		if (prog && s->left_out[i])
			err = bpf_program__set_autoload(prog, false);
		else
			err = prog ? d->kind->prepare(&s->probe, prog, d->points[0], &s->links) : -ENOENT;
		if (err)
			return err;
	}
	return 0;
}

/* Programs of an object that is imported are not the question's. */
static int programs_of_others(struct session *s)
{
	struct bpf_program *prog;

	if (!s->module->imports_c)
		return 0;
	bpf_object__for_each_program(prog, s->object) {
		bool own = false;
		int err;

		for (uint32_t i = 0; i < s->module->programs.n; i++)
			own |= str_eq(s->module->programs.v[i].name, bpf_program__name(prog));
		err = own ? 0 : bpf_program__set_autoload(prog, false);
		if (err)
			return err;
	}
	return 0;
}

static int object_prepare(struct session *s)
{
	struct bpf_map *map;
	int err = programs_of_others(s);

	if (err)
		return err;
	bpf_object__for_each_map(map, s->object) {
		if (is_bss(map)) {
			/* libbpf asks for this only when it finds a global variable there. */
			err = bpf_map__set_map_flags(map, bpf_map__map_flags(map) | BPF_F_MMAPABLE);
		} else if (s->module->uses_ring && str_eq(bpf_map__name(map), MODULE_MAP_EVENTS)) {
			s->ring_bytes = ring_bytes(s);
			err = s->ring_bytes > UINT32_MAX ? -E2BIG :
			      bpf_map__set_max_entries(map, (uint32_t)s->ring_bytes);
		}
		if (err)
			return err;
	}
	return 0;
}

/* One attempt. *told: a message has been given. */
static int object_try(struct session *s, struct strbuf *log, bool *told)
{
	int err, prepared;

	libbpf_log_keep(log);
	err = object_open(s);
	err = err ? err : object_prepare(s);
	prepared = err ? err : programs_prepare(s);
	err = err || prepared ? err : bpf_object__load(s->object);
	libbpf_log_keep(NULL);
	*told = !err && prepared;
	return err ? err : prepared;
}

static void emit_debug(void *ctx, enum severity sev, const char *text, const char *hint)
{
	const struct reporter *r = ctx;

	(void)sev;
	if (r && r->emit)
		r->emit(r->ctx, SEV_DEBUG, text, hint);
}

/* Is the kernel's reason the place, and not what the program does there? */
static bool refused_for_place(struct session *s, const struct program_desc *d, int err)
{
	const struct reporter quiet = { .emit = emit_debug, .ctx = (void *)(uintptr_t)s->report };
	struct probe_env env = s->probe;

	env.report = &quiet;
	return d->kind->refused && d->kind->refused(&env, d->points[0], err);
}

/* Has the kernel refused a program that may be left out, and not all of its kind? Then it is from now on. */
static bool leave_out_refused(struct session *s, const char *log, int err)
{
	const char *name = err == -EPERM ? NULL : rejected_name(s, log);

	for (uint32_t i = 0; name && i < s->module->programs.n; i++) {
		const struct program_desc *d = &s->module->programs.v[i];

		if (!str_eq(d->name, name) || !d->points[0]->optional || s->left_out[i] || !refused_for_place(s, d, err))
			continue;
		s->left_out[i] = true;
		s->nleft_out++;
		bpf_object__close(TAKE_PTR(s->object));
		return true;
	}
	return false;
}

static int object_load(struct session *s)
{
	struct strbuf log = STRBUF_INIT;
	bool told;
	int err;

	s->left_out = calloc(s->module->programs.n + 1, sizeof(*s->left_out));
	if (!s->left_out)
		return report_error(s->report, -ENOMEM, NULL, "no memory for the session");
	do {
		strbuf_reset(&log);
		err = object_try(s, &log, &told);
	} while (err && !told && leave_out_refused(s, log.s, err));
	if (err && !told)
		report_load_failure(s, &log, err);
	strbuf_free(&log);
	return err;
}

static int missing(const struct session *s, const char *what, const char *name)
{
	return report_error(s->report, -ENOENT, "this is a bug in sonde", "the object has no %s '%s'", what, name);
}

static int programs_find(struct session *s)
{
	s->programs = calloc(s->module->programs.n + 1, sizeof(*s->programs));
	if (!s->programs)
		return report_error(s->report, -ENOMEM, NULL, "no memory for the session");
	for (uint32_t i = 0; i < s->module->programs.n; i++) {
		const char *name = s->module->programs.v[i].name;

		s->programs[i] = bpf_object__find_program_by_name(s->object, name);
		if (!s->programs[i])
			return missing(s, "program", name);
	}
	return 0;
}

/* Values are read into buffers of the kernel's sizes: they must be able to hold what the module expects. */
static bool map_fits(const struct map_desc *d, const struct bpf_map *map)
{
	bool is_scalar = d->form == MAP_SCALAR || d->form == MAP_PERCPU_SCALAR;
	uint32_t need = is_scalar ? d->set_offset + (uint32_t)sizeof(uint64_t) : d->value_bytes;

	return bpf_map__value_size(map) >= need && bpf_map__value_size(map) >= d->value_bytes &&
	       (is_scalar || bpf_map__key_size(map) == d->key_bytes);
}

static int maps_find(struct session *s)
{
	s->maps = calloc(s->module->maps.n + 1, sizeof(*s->maps));
	if (!s->maps)
		return report_error(s->report, -ENOMEM, NULL, "no memory for the session");
	for (uint32_t i = 0; i < s->module->maps.n; i++) {
		const struct map_desc *d = &s->module->maps.v[i];
		const struct bpf_map *map = bpf_object__find_map_by_name(s->object, d->object_name);

		if (!map || !map_fits(d, map))
			return missing(s, "map", d->object_name);
		s->maps[i] = (struct map_handle){
			.fd = bpf_map__fd(map),
			.max_entries = bpf_map__max_entries(map),
			.value_bytes = bpf_map__value_size(map),
			.grows = bpf_map__map_flags(map) & BPF_F_NO_PREALLOC,
		};
	}
	return 0;
}

/* .bss is an array map that can be mapped: struct control, then the counters. */
static int control_map(struct session *s)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, s->object) {
		void *p;

		if (!is_bss(map))
			continue;
		p = mmap(NULL, s->module->bss_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
		if (p == MAP_FAILED)
			return report_error(s->report, -errno, NULL, "cannot map the question's data: %m");
		s->control = p;
		return 0;
	}
	return missing(s, "section", ".bss");
}

static int ring_find(struct session *s)
{
	const struct bpf_map *events = bpf_object__find_map_by_name(s->object, MODULE_MAP_EVENTS);
	int err;

	if (!s->ring_bytes || !events)
		return 0;
	err = ring_open(&s->ring, bpf_map__fd(events), s->ring_bytes);
	if (err)
		return report_error(s->report, err, NULL, "cannot map the ring buffer: %s", strerror(-err));
	return 0;
}

int session_load(struct session *s)
{
	int err = object_load(s);

	err = err ? err : programs_find(s);
	err = err ? err : maps_find(s);
	err = err ? err : control_map(s);
	return err ? err : ring_find(s);
}

void session_unload(struct session *s)
{
	ring_close(&s->ring);
	if (s->control)
		munmap(s->control, s->module->bss_bytes);
	free(s->programs);
	free(s->left_out);
	free(s->maps);
	bpf_object__close(s->object);
}
