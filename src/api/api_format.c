/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Format: a program in its canonical layout. Nothing but the text is looked at. */
#include <errno.h>

#include "api/api.h"
#include "lang/fmt.h"

static int format_guarded(struct arena *a, const struct reporter *r, const char *source, const char *name,
			  struct strbuf *out)
{
	struct sources sources = { .arena = a };
	struct diags diags = { .arena = a, .sources = &sources };
	struct script script = { .arena = a, .sources = &sources };
	size_t len = strlen(source);
	uint16_t file;
	int err;

	if (setjmp(*arena_guard(a)))
		return report_error(r, -ENOMEM, NULL, "no memory to format %s", name);
	if (len > INT32_MAX)
		return report_error(r, -E2BIG, NULL, "%s is too large", name);
	file = source_add(&sources, name, source, len);
	err = script_parse(&script, file, &diags);
	if (!err)
		script_format(&script, file, out);
	diag_flush(&diags, r);
	return err;
}

int sonde_format(const char *source, const char *name, char **out, sonde_message_fn message, void *message_ctx)
{
	struct arena *a = arena_new();
	struct strbuf text = STRBUF_INIT;
	struct relay relay;
	char *taken = NULL;
	int err;

	relay_init(&relay, message, message_ctx);
	name = name ? name : "stdin";
	err = a ? format_guarded(a, &relay.reporter, source, name, &text) : -ENOMEM;
	arena_free(a);
	if (!err)
		taken = strbuf_take(&text);
	strbuf_free(&text);
	if (!a || (!err && !taken))
		return report_error(&relay.reporter, -ENOMEM, NULL, "no memory to format %s", name);
	if (!err)
		*out = taken;
	return err;
}
