/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Report: how a message leaves the library. It is made once, where the cause is known, and says what
 * failed, on which object, and (hint) what the person can do. The receiver decides where it is shown.
 */
#ifndef SONDE_BASE_REPORT_H
#define SONDE_BASE_REPORT_H

enum severity { SEV_ERROR, SEV_WARNING, SEV_INFO, SEV_DEBUG };

struct reporter {
	/* `text` has no severity word and no final newline; it may span lines (a diagnostic with its
	 * source line and caret). `hint` may be NULL. */
	void (*emit)(void *ctx, enum severity sev, const char *text, const char *hint);
	void *ctx;
};

/*
 * Emit one message and return `err`, so that a failure is reported and returned in one expression:
 * return report_error(r, -ENOENT, "is tracefs mounted?", "cannot open %s: %m", path);
 * A NULL reporter drops the message. errno is preserved, and is what %m shows.
 */
int report_error(const struct reporter *r, int err, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void report_warning(const struct reporter *r, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void report_info(const struct reporter *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void report_debug(const struct reporter *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
