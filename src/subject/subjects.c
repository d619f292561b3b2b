/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subjects: the table, and the life of a run. The names come from the list in meson.build. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/util.h"
#include "subject/ask.h"
#include "subject/loop.h"
#include "subject/options.h"

#define SUBJECT(name) extern const struct subject subject_##name;
#include "subject_list.h"
#undef SUBJECT

const struct subject *const subjects[] = {
#define SUBJECT(name) &subject_##name,
#include "subject_list.h"
#undef SUBJECT
	NULL,
};

/* How many of the words are the name: "devices lint". 0: they are others. */
static int name_words(const char *name, int argc, char **argv)
{
	int n = 0;

	while (*name && n < argc) {
		size_t len = strcspn(name, " ");

		if (strlen(argv[n]) != len || memcmp(argv[n], name, len))
			return 0;
		name += len + strspn(name + len, " ");
		n++;
	}
	return *name ? 0 : n;
}

const struct subject *subject_find(int argc, char **argv, int *words)
{
	const struct subject *found = NULL;

	*words = 0;
	for (size_t i = 0; subjects[i]; i++) {
		int n = name_words(subjects[i]->name, argc, argv);

		if (n > *words) {
			*words = n;
			found = subjects[i];
		}
	}
	return found;
}

static int output_open(struct subject_run *r)
{
	r->fd = STDOUT_FILENO;
	if (!r->output)
		return 0;
	r->fd = open(r->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (r->fd < 0)
		return subject_fail(r, SUBJECT_FAILED, NULL, "cannot open %s for writing: %m", r->output);
	return 0;
}

static int output_close(struct subject_run *r, int status)
{
	const char *name = r->output ? r->output : "standard output";

	out_flush(r);
	if (r->output && close(r->fd) && !r->write_err)
		r->write_err = -errno;
	strbuf_free(&r->out);
	if (!r->write_err)
		return status;
	errno = -r->write_err;
	return subject_fail(r, SUBJECT_FAILED, r->write_err == -EPIPE ? "the program that was reading the output has ended" : NULL,
			    "cannot write to %s: %m", name);
}

static int run_it(struct subject_run *r)
{
	int status = output_open(r);

	if (status)
		return status;
	status = loop_open(r) ? SUBJECT_FAILED : r->subject->run(r);
	/* The answer is there before what is left to do takes its time. */
	status = output_close(r, status);
	asks_free(r);
	loop_close(r);
	return status == SUBJECT_FINE && loop_signal() ? 128 + loop_signal() : status;
}

static int show_help(struct subject_run *r)
{
	r->fd = STDOUT_FILENO;
	subject_help(r->subject, &r->out);
	r->output = NULL;
	return output_close(r, SUBJECT_FINE);
}

int subject_start(const struct subject *s, int argc, char **argv, sonde_message_fn message, void *message_ctx)
{
	struct subject_run r = { .subject = s, .message = message, .message_ctx = message_ctx, .out = STRBUF_INIT };
	int status;

	r.settings = calloc(1, s->settings_size + 1);
	r.words = calloc((size_t)argc + 1, sizeof(*r.words));
	if (!r.settings || !r.words) {
		status = subject_fail(&r, SUBJECT_FAILED, NULL, "out of memory");
	} else {
		if (s->defaults)
			memcpy(r.settings, s->defaults, s->settings_size);
		status = options_take(&r, argc, argv);
		if (!status)
			status = r.help ? show_help(&r) : run_it(&r);
		options_release(&r);
	}
	free(r.settings);
	free(r.words);
	return status;
}
