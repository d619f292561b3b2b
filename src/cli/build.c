/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Build: `sonde build FILE -o OUT.bpf.o` writes the compiled question to a file that any libbpf program loads. */
#include "cli/cli.h"

#include "base/util.h"

/* q.bt -> q.bpf.o */
static void default_output(struct strbuf *out, const char *file)
{
	size_t len = strlen(file);

	if (len > 3 && str_eq(file + len - 3, ".bt"))
		len -= 3;
	strbuf_add(out, file, len);
	strbuf_addstr(out, ".bpf.o");
}

static int check_build(const struct options *o)
{
	bool from_file = o->file && !str_eq(o->file, "-");

	if (!o->program && !o->file)
		return fail(EXIT_USAGE, "sonde build FILE -o OUT.bpf.o", "build: there is no program");
	if (!o->output && !from_file)
		return fail(EXIT_USAGE, NULL, "build: say where to write with -o OUT.bpf.o");
	if (o->command || o->list || o->info)
		return fail(EXIT_USAGE, NULL, "build only writes a file; it takes no -c, -l or --info");
	return 0;
}

static int build(const struct options *o)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
	struct sonde_question *q;
	int status = check_build(o);

	if (status)
		return status;
	if (!o->output)
		default_output(&name, o->file);
	q = question_compile(o, NULL, &status);
	if (!q)
		return status;
	if (sonde_question_write(q, o->output ? o->output : name.s))
		status = EXIT_FAILED;
	sonde_question_free(q);
	return status;
}

int cmd_build(int argc, char **argv)
{
	struct options o;
	int status = options_parse(&o, argc, argv);

	if (!status) {
		messages_init(&o);
		status = o.help ? show_help() : build(&o);
	}
	options_free(&o);
	return status;
}
