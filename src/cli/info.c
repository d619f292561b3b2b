/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Info: --info shows what this kernel and this build can do. */
#include "cli/cli.h"

#include "base/util.h"

struct info {
	struct strbuf out;
	struct strbuf group; /* of the last line */
};

static int on_info(void *ctx, const char *group, const char *name, const char *value)
{
	struct info *i = ctx;

	if (!str_eq(i->group.s, group)) {
		strbuf_addf(&i->out, "%s%s\n", i->out.len ? "\n" : "", group);
		strbuf_reset(&i->group);
		strbuf_addstr(&i->group, group);
	}
	strbuf_addf(&i->out, "  %s: %s\n", name, value);
	return 0;
}

int show_info(void)
{
	struct info i = { .out = STRBUF_INIT, .group = STRBUF_INIT };
	int err = sonde_info(on_info, &i, message_receive, NULL), status;

	strbuf_free(&i.group);
	status = print_and_free(&i.out);
	return err < 0 ? EXIT_FAILED : status;
}
