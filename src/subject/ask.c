/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ask: a question in the loop of a subject. */
#include "subject/ask.h"

#include <errno.h>
#include <sys/epoll.h>

#include "base/util.h"
#include "subject/loop.h"

struct asking {
	struct asking *next;
	struct subject_run *run;
	struct question q;
	struct sonde_question *question;
	struct sonde_session *session;
	struct loop_watch *watch;
	bool attached, finished;
	uint64_t lost;
};

/* The first error is the reason; what follows comes from it. */
static void on_message(void *ctx, enum sonde_severity severity, const char *text, const char *hint)
{
	struct asking *a = ctx;
	struct subject_run *r = a->run;

	if (!a->q.why || a->attached)
		r->message(r->message_ctx, severity, text, hint);
	else if (severity == SONDE_ERROR && !a->q.why->len)
		strbuf_add(a->q.why, text, strcspn(text, "\n"));
}

/* Of the losses, those after which something may have happened that was not seen. A delete of what is not there is none. */
static bool loses_events(const struct sonde_record *rec)
{
	static const char *const kinds[] = { "\"lost_events\"", "{\"map\":", "{\"missed\":", "{\"corrupt\":" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strstr(sonde_record_json(rec), kinds[i]))
			return true;
	return false;
}

static int on_record(void *ctx, const struct sonde_record *rec)
{
	struct asking *a = ctx;

	if (sonde_record_kind(rec) == SONDE_LOST && loses_events(rec))
		a->lost += sonde_record_number(rec);
	return a->q.record ? a->q.record(a->q.ctx, rec) : 0;
}

uint64_t ask_lost(const struct asking *a)
{
	return a->lost;
}

int ask_finish(struct asking *a)
{
	if (a->finished || !a->attached)
		return 0;
	a->finished = true;
	loop_unwatch(a->run, a->watch);
	sonde_session_stop(a->session, 0);
	return sonde_session_finish(a->session);
}

static int on_ready(void *ctx, uint32_t events)
{
	struct asking *a = ctx;
	int more = sonde_session_poll(a->session, 0);

	(void)events;
	return more > 0 ? 0 : more < 0 ? more : ask_finish(a);
}

static size_t list_len(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

static int compile(struct asking *a)
{
	const struct question *q = &a->q;
	struct sonde_compile_options o = SONDE_OPTIONS(struct sonde_compile_options, .name = q->name,
		.params = q->params, .nparams = list_len(q->params), .config = q->config,
		.nconfig = list_len(q->config), 
		.probe_filter = q->only, .pid = q->pid, .pid_is_child = q->pid_is_child,
		.message = on_message, .message_ctx = a);

	return sonde_compile(q->source, &o, &a->question);
}

static int attach(struct asking *a)
{
	/* Subjects go on reading /proc and may ask again, so nothing is dropped. */
	struct sonde_session_options o = SONDE_OPTIONS(struct sonde_session_options, .record = on_record,
		.record_ctx = a, .message = on_message, .message_ctx = a, .keep_capabilities = true,
		.unwind_pids = &a->q.unwind_pid, .nunwind_pids = a->q.unwind_pid != 0, .detach_behind = true);
	int err = sonde_session_open(a->question, &o, &a->session);

	err = err ? err : sonde_session_attach(a->session);
	if (err)
		return err;
	a->attached = true;
	a->watch = loop_watch(a->run, sonde_session_fd(a->session), EPOLLIN, on_ready, a);
	return a->watch ? 0 : -ENOMEM;
}

static void asking_free(struct asking *a)
{
	if (a->watch)
		loop_unwatch(a->run, a->watch);
	sonde_session_free(a->session);
	sonde_question_free(a->question);
	free(a);
}

int ask(struct subject_run *r, const struct question *q, struct asking **out)
{
	struct asking *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return subject_fail(r, -ENOMEM, NULL, "out of memory");
	*a = (struct asking){ .next = r->askings, .run = r, .q = *q };
	err = compile(a);
	err = err ? err : attach(a);
	if (out)
		*out = err ? NULL : a;
	if (err)
		asking_free(a);
	else
		r->askings = a;
	return err;
}

void asks_finish(struct subject_run *r)
{
	for (struct asking *a = r->askings; a; a = a->next)
		ask_finish(a);
}

void asks_free(struct subject_run *r)
{
	while (r->askings) {
		struct asking *a = r->askings;

		r->askings = a->next;
		asking_free(a);
	}
}

struct looked {
	bool found, refused;
};

static int on_listed_probe(void *ctx, const char *probe, const char *args)
{
	(void)probe, (void)args;
	((struct looked *)ctx)->found = true;
	return 1;
}

/* Functions are listed, with a warning, also where the kernel cannot trace them. */
static void on_listing_message(void *ctx, enum sonde_severity severity, const char *text, const char *hint)
{
	(void)text, (void)hint;
	((struct looked *)ctx)->refused |= severity == SONDE_ERROR || severity == SONDE_WARNING;
}

bool probe_exists(const char *probe)
{
	struct looked l = { 0 };

	sonde_list_probes(probe, false, on_listed_probe, &l, on_listing_message, &l);
	return l.found && !l.refused;
}

/* As sonde_child_start() reads it: every word in '...'. */
static void add_word(struct strbuf *out, const char *word)
{
	strbuf_addstr(out, out->len ? " '" : "'");
	for (; *word; word++) {
		if (*word == '\'')
			strbuf_addstr(out, "'\\''");
		else
			strbuf_addch(out, *word);
	}
	strbuf_addch(out, '\'');
}

struct sonde_child *command_prepare(struct subject_run *r)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
	struct sonde_child *c = NULL;

	for (char **w = r->command; *w; w++)
		add_word(&line, *w);
	if (line.failed) {
		subject_fail(r, 1, NULL, "out of memory");
		return NULL;
	}
	if (sonde_child_start(line.s, r->message, r->message_ctx, &c))
		return NULL;
	if (loop_until_exit(r, sonde_child_pid(c))) {
		sonde_child_end(c, NULL);
		return NULL;
	}
	return c;
}
