/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subject: how the command line reaches the subjects, and what it says of them. */
#include "subject/subject.h"

#include "base/util.h"
#include "cli/cli.h"

bool subject_try(int argc, char **argv, int *status)
{
	int words;
	const struct subject *s = subject_find(argc, argv, &words);

	if (!s)
		return false;
	*status = subject_start(s, argc - words, argv + words, message_receive, NULL);
	return true;
}

void subjects_print(struct strbuf *out)
{
	for (size_t i = 0; subjects[i]; i++)
		strbuf_addf(out, "  sonde %s [OPTIONS]%s%s\n                        %s\n", subjects[i]->name,
			    subjects[i]->args ? " " : "", subjects[i]->args ? subjects[i]->args : "", subjects[i]->summary);
}

bool subject_help_try(int argc, char **argv, int *status)
{
	bool manual = argc > 1 && str_eq(argv[0], "--manual");
	struct strbuf out = STRBUF_INIT;
	int words;
	const struct subject *s = subject_find(argc - manual, argv + manual, &words);

	if (!s)
		return false;
	if (manual)
		subject_manual(s, &out);
	else
		subject_help(s, &out);
	*status = print_and_free(&out);
	return true;
}

static void offer_options(const struct subject_option *o, void (*offer)(void *ctx, const char *text, const char *meaning),
			  void *ctx)
{
	for (; o && o->name; o++) {
		_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
		char letter[3] = { '-', o->letter, 0 };

		if (o->letter)
			offer(ctx, letter, o->help);
		strbuf_addf(&name, "--%s", o->name);
		offer(ctx, name.s, o->help);
	}
}

/* The option that `word` is, if it takes one of a few values. */
static const struct subject_option *option_with_choices(const struct subject_option *o, const char *word)
{
	for (; o && o->name; o++)
		if (o->choices && word[0] == '-' &&
		    ((word[1] == '-' && str_eq(word + 2, o->name)) || (o->letter && word[1] == o->letter && !word[2])))
			return o;
	return NULL;
}

static void offer_choices(const char *p, void (*offer)(void *ctx, const char *text, const char *meaning), void *ctx)
{
	while (*p) {
		_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
		size_t len = strcspn(p, " ");

		strbuf_add(&word, p, len);
		offer(ctx, word.s, NULL);
		p += len + strspn(p + len, " ");
	}
}

void subjects_complete_name(void (*offer)(void *ctx, const char *text, const char *meaning), void *ctx)
{
	for (size_t i = 0; subjects[i]; i++)
		if (!strchr(subjects[i]->name, ' '))
			offer(ctx, subjects[i]->name, subjects[i]->summary);
}

/* The second words of subjects whose first this is. */
static void offer_second(const char *first, void (*offer)(void *ctx, const char *text, const char *meaning), void *ctx)
{
	size_t len = strlen(first);

	for (size_t i = 0; subjects[i]; i++)
		if (str_starts(subjects[i]->name, first) && subjects[i]->name[len] == ' ')
			offer(ctx, subjects[i]->name + len + 1, subjects[i]->summary);
}

bool subject_complete(int argc, char **argv, void (*offer)(void *ctx, const char *text, const char *meaning), void *ctx)
{
	const char *word = argv[argc - 1], *before = argv[argc - 2];
	const struct subject_option *o;
	int words;
	const struct subject *s = subject_find(argc - 1, argv, &words);

	if (!s)
		return false;
	o = option_with_choices(s->options, before);
	o = o ? o : option_with_choices(subject_common, before);
	if (o) {
		offer_choices(o->choices, offer, ctx);
	} else if (*word == '-') {
		offer_options(s->options, offer, ctx);
		offer_options(subject_common, offer, ctx);
	} else if (argc == 2) {
		offer_second(argv[0], offer, ctx);
	}
	return true;
}
