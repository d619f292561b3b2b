/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Report: format a message and hand it to its receiver. */
#include "base/report.h"

#include <errno.h>
#include <stdarg.h>

#include "base/strbuf.h"

static void emit(const struct reporter *r, enum severity sev, const char *hint, const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));

static void emit(const struct reporter *r, enum severity sev, const char *hint, const char *fmt, va_list ap)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	int saved = errno;

	if (!r || !r->emit)
		return;
	strbuf_vaddf(&text, fmt, ap);
	r->emit(r->ctx, sev, text.failed ? "out of memory" : text.s, hint);
	errno = saved;
}

int report_error(const struct reporter *r, int err, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(r, SEV_ERROR, hint, fmt, ap);
	va_end(ap);
	return err;
}

void report_warning(const struct reporter *r, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(r, SEV_WARNING, hint, fmt, ap);
	va_end(ap);
}

void report_info(const struct reporter *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(r, SEV_INFO, NULL, fmt, ap);
	va_end(ap);
}

void report_debug(const struct reporter *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(r, SEV_DEBUG, NULL, fmt, ap);
	va_end(ap);
}
