/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests: the results of test: and bench: probes, in both views. */
#include <string.h>

#include "base/util.h"
#include "view/parts.h"

/* ---- text ---- */

static void tag_add(struct view *v, const char *tag, bool good)
{
	if (v->colour)
		strbuf_addstr(&v->out, good ? "\033[32m" : "\033[31m");
	strbuf_addf(&v->out, "[%s]", tag);
	if (v->colour)
		strbuf_addstr(&v->out, "\033[0m");
	strbuf_addch(&v->out, ' ');
}

static void tests_count(struct view *v, uint32_t n)
{
	strbuf_addf(&v->out, "%u %s", n, n == 1 ? "test" : "tests");
}

/* "(12 us)" */
static void duration_add(struct strbuf *out, uint64_t ns)
{
	static const struct {
		uint64_t from, scale;
		const char *unit;
	} units[] = { { 1000000000, 1000000000, "s" }, { 1000000, 1000000, "ms" }, { 1000, 1000, "us" }, { 0, 1, "ns" } };
	size_t i = 0;

	while (ns < units[i].from)
		i++;
	strbuf_addf(out, "(%llu %s)\n", (unsigned long long)(ns / units[i].scale), units[i].unit);
}

/* What a test that failed had to say, without empty lines. */
static void output_add(struct strbuf *out, const char *text)
{
	while (text && *text) {
		size_t len = strcspn(text, "\n");

		strbuf_add(out, text, len);
		if (len)
			strbuf_addch(out, '\n');
		text += len + (text[len] == '\n');
	}
}

static void tests_summary(struct view *v, const struct test_report *t)
{
	uint32_t npassed = 0;

	for (uint32_t i = 0; i < t->n; i++)
		npassed += t->passed[i];
	tag_add(v, "==========", true);
	tests_count(v, t->n);
	strbuf_addstr(&v->out, " ran.\n");
	tag_add(v, "  PASSED  ", true);
	tests_count(v, npassed);
	strbuf_addstr(&v->out, ".\n");
	if (npassed == t->n)
		return;
	tag_add(v, "  FAILED  ", false);
	tests_count(v, t->n - npassed);
	strbuf_addstr(&v->out, ", listed below:\n");
	for (uint32_t i = 0; i < t->n; i++) {
		if (t->passed[i])
			continue;
		tag_add(v, "  FAILED  ", false);
		strbuf_addf(&v->out, "%s\n", t->names[i]);
	}
}

int test_text(struct view *v, const struct record *rec)
{
	const struct test_report *t = rec->test;
	bool passed = t->passed[t->index];

	if (!t->index) {
		tag_add(v, "==========", true);
		strbuf_addf(&v->out, "Running %u tests.\n", t->n);
	}
	tag_add(v, " RUN      ", true);
	strbuf_addf(&v->out, "%s\n", t->names[t->index]);
	if (!passed)
		output_add(&v->out, rec->text);
	tag_add(v, passed ? "       OK " : "  FAILED  ", passed);
	strbuf_addf(&v->out, "%s ", t->names[t->index]);
	duration_add(&v->out, t->duration_ns);
	if (t->index + 1 == t->n)
		tests_summary(v, t);
	return 0;
}

#define TIME_WIDTH 15

int bench_text(struct view *v, const struct record *rec)
{
	static const char iterations[] = "Iterations";
	const struct test_report *t = rec->test;
	int width = 40;

	for (uint32_t i = 0; i < t->n; i++)
		width = MAX(width, (int)strlen(t->names[i]));
	width++;
	if (!t->index) {
		strbuf_addf(&v->out, "%-*s%-*s%s\n", width, "Benchmark", TIME_WIDTH, "Time(ns)", iterations);
		strbuf_fill(&v->out, '-', (size_t)width + TIME_WIDTH + sizeof(iterations) - 1);
		strbuf_addch(&v->out, '\n');
	}
	/* Skipped, or failed. */
	if (t->iterations)
		strbuf_addf(&v->out, "%-*s%-*llu%llu\n", width, t->names[t->index], TIME_WIDTH,
			    (unsigned long long)t->duration_ns, (unsigned long long)t->iterations);
	return 0;
}

/* ---- json ---- */

static void result_begin(struct strbuf *out, const char *type, const char *name)
{
	strbuf_addf(out, "{\"type\": \"%s\", \"data\": {", type);
	json_string(out, name, strlen(name));
	strbuf_addstr(out, ": {");
}

int test_json(struct view *v, const struct record *rec)
{
	const struct test_report *t = rec->test;

	result_begin(&v->out, "test_result", t->names[t->index]);
	strbuf_addstr(&v->out, "\"duration\": ");
	json_uint(&v->out, t->duration_ns);
	strbuf_addf(&v->out, ", \"passed\": %s, \"output\": ", t->passed[t->index] ? "true" : "false");
	json_string(&v->out, rec->text ? rec->text : "", rec->text_len);
	strbuf_addstr(&v->out, "}}}\n");
	return 0;
}

int bench_json(struct view *v, const struct record *rec)
{
	const struct test_report *t = rec->test;

	if (!t->iterations)
		return 0;
	result_begin(&v->out, "benchmark_result", t->names[t->index]);
	strbuf_addstr(&v->out, "\"average\": ");
	json_uint(&v->out, t->duration_ns);
	strbuf_addstr(&v->out, ", \"iters\": ");
	json_uint(&v->out, t->iterations);
	strbuf_addstr(&v->out, "}}}\n");
	return 0;
}
