/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Api: what every part of the public interface needs. */
#include "api/api.h"

const char *sonde_version(void)
{
	return SONDE_VERSION;
}

_Static_assert((int)SONDE_ERROR == SEV_ERROR && (int)SONDE_WARNING == SEV_WARNING && (int)SONDE_INFO == SEV_INFO &&
	       (int)SONDE_DEBUG == SEV_DEBUG, "severities are the same inside and outside");

static void relay_emit(void *ctx, enum severity sev, const char *text, const char *hint)
{
	const struct relay *r = ctx;

	if (r->fn)
		r->fn(r->ctx, (enum sonde_severity)sev, text, hint);
}

void relay_init(struct relay *r, sonde_message_fn fn, void *ctx)
{
	*r = (struct relay){ .fn = fn, .ctx = ctx, .reporter = { .emit = relay_emit, .ctx = r } };
}

void options_copy(void *to, size_t to_bytes, const void *o)
{
	size_t bytes;

	memset(to, 0, to_bytes);
	if (!o)
		return;
	/* Every struct of options begins with its size. */
	memcpy(&bytes, o, sizeof(bytes));
	memcpy(to, o, MIN(bytes, to_bytes));
}
