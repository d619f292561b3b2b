/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Diag: what is wrong with a script, and where. A diagnostic is rendered as
 *
 *   q.bt:3:22: error: struct task_struct has no member 'pidd'
 *     3 |     printf("%d", curtask.pidd);
 *       |                          ^~~~
 *   hint: did you mean 'pid'?
 *
 * or in the form of the reference, for programs that read what it says.
 *
 * They are kept in order of the source and handed to the reporter by diag_flush(), so a hint can still
 * be added to the last one. The same message at the same place is kept once (passes run repeatedly).
 */
#ifndef SONDE_LANG_DIAG_H
#define SONDE_LANG_DIAG_H

#include <stdbool.h>

#include "base/report.h"
#include "base/strbuf.h"
#include "lang/source.h"

struct diag {
	enum severity sev;
	struct span span;
	const char *text;
	const char *hint; /* or NULL */
};

struct diags {
	struct arena *arena;
	const struct sources *sources;
	VEC(struct diag) list;
	uint32_t nerrors;
	uint32_t most_errors; /* stop adding after this many; 0: 20 */
	uint32_t ndropped;    /* errors beyond that */
	bool last_dropped;    /* the last one was not added: its hint is not either */
};

/* Always returns -EINVAL, so that a check can `return diag_error(...)`. */
int diag_error(struct diags *d, struct span span, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void diag_warn(struct diags *d, struct span span, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Add a hint to the last diagnostic (replaces none; ignored when the last one was a repetition). */
void diag_hint(struct diags *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "did you mean 'X'?" as the hint, when a name among `names` is near `word`. */
void diag_hint_nearest(struct diags *d, const char *word, const char *const *names, size_t n);
/* "q.bt:3:22-26: ", where a span lies. Nothing for a span that lies nowhere. */
void diag_place_add(struct strbuf *out, const struct sources *sources, struct span span);
/* A newline, the line in which a span begins, and beneath it a mark as long as the span. */
void diag_excerpt_add(struct strbuf *out, const struct sources *sources, struct span span);
/* Do programs read what is said that were written for the reference? */
bool diag_form_is_reference(void);
/* One rendered diagnostic, in the arena of `d`. */
const char *diag_render(const struct diags *d, const struct diag *one);
/* Hand everything to the reporter and forget it (nerrors stays). The text is as above without its hint:
 * the severity word stands behind the place. */
void diag_flush(struct diags *d, const struct reporter *r);

#endif
