/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Output: text, JSON lines, messages and verdicts of a subject. */
#include <errno.h>
#include <stdarg.h>

#include "base/file.h"
#include "base/util.h"
#include "subject/subject.h"

#define FLUSH_BYTES (64 * 1024)

static void __attribute__((format(printf, 4, 0)))
message_va(struct subject_run *r, enum sonde_severity severity, const char *hint, const char *fmt, va_list ap)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_vaddf(&text, fmt, ap);
	r->message(r->message_ctx, severity, text.failed ? "out of memory" : text.s, hint);
}

int subject_fail(struct subject_run *r, int status, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message_va(r, SONDE_ERROR, hint, fmt, ap);
	va_end(ap);
	return status;
}

void subject_warn(struct subject_run *r, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message_va(r, SONDE_WARNING, hint, fmt, ap);
	va_end(ap);
}

void out_flush(struct subject_run *r)
{
	if (!r->write_err)
		r->write_err = fd_write(r->fd, r->out.s, r->out.len);
	if (r->out.failed && !r->write_err)
		r->write_err = -ENOMEM;
	strbuf_reset(&r->out);
}

void out_text(struct subject_run *r, const char *fmt, ...)
{
	va_list ap;

	if (r->json)
		return;
	va_start(ap, fmt);
	strbuf_vaddf(&r->out, fmt, ap);
	va_end(ap);
	if (r->out.len > FLUSH_BYTES)
		out_flush(r);
}

void out_json(struct subject_run *r, const char *type, struct json *j)
{
	if (r->json) {
		strbuf_addf(&r->out, "{\"type\": \"%s\", \"data\": %s}\n", type, j->b.len ? j->b.s : "null");
		r->out.failed |= j->b.failed;
		if (r->out.len > FLUSH_BYTES)
			out_flush(r);
	}
	json_reset(j);
}

/* ---- verdicts ---- */

static const char *const names[] = {
	[VERDICT_PASS] = "pass", [VERDICT_FAIL] = "fail", [VERDICT_UNSEEN] = "not observable",
};

const char *verdict_name(enum verdict_is is)
{
	return names[is];
}

static void verdict_text(struct subject_run *r, const struct verdict *v)
{
	const char *p = v->details;

	out_text(r, "%-14s  %-22s %s: %s\n", names[v->is], v->item, v->title, v->found);
	while (p && *p) {
		size_t len = strcspn(p, "\n");

		out_text(r, "%s%.*s\n", len ? "                    " : "", (int)len, p);
		p += len + (p[len] == '\n');
	}
	if (v->remedy && v->is == VERDICT_FAIL)
		out_text(r, "                  > %s\n", v->remedy);
}

static void verdict_json(struct subject_run *r, const struct verdict *v)
{
	_cleanup_json_ struct json j = JSON_INIT;

	json_object(&j, NULL);
	json_text(&j, "item", v->item);
	json_text(&j, "title", v->title);
	json_text(&j, "verdict", names[v->is]);
	json_text(&j, "found", v->found);
	if (v->remedy && v->is == VERDICT_FAIL)
		json_text(&j, "remedy", v->remedy);
	if (v->evidence && v->evidence->b.len)
		json_raw(&j, "evidence", v->evidence->b.s);
	json_end(&j);
	out_json(r, "verdict", &j);
}

void verdict(struct subject_run *r, const struct verdict *v)
{
	r->verdicts[v->is]++;
	if (r->json)
		verdict_json(r, v);
	else
		verdict_text(r, v);
	if (v->evidence)
		json_reset(v->evidence);
}

int verdicts_status(const struct subject_run *r)
{
	if (r->verdicts[VERDICT_FAIL])
		return SUBJECT_NOT_FINE;
	return r->verdicts[VERDICT_UNSEEN] || !r->verdicts[VERDICT_PASS] ? SUBJECT_UNSEEN : SUBJECT_FINE;
}
