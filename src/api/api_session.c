/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Session: a run of a question, its records for the caller, and the child of -c. */
#include <errno.h>

#include "api/api.h"
#include "api/record.h"
#include "run/command.h"
#include "run/session.h"

struct sonde_session {
	struct session *run;
	struct relay relay;
	sonde_record_fn record;
	void *record_ctx;
	struct sonde_record shown; /* the record at hand, with what was made of it */
	struct sonde_question *question;
	pid_t pid;
	bool watches;              /* addresses of processes are shown: see symbols_watch() */
	bool capturing;            /* what a test has to say is put aside, in `captured` */
	struct strbuf captured;
};

/* What a test has to say comes with its result, that of a benchmark not at all. */
static int test_relay(struct sonde_session *s, const struct record *rec)
{
	struct record done = *rec;

	s->capturing = rec->test->begins;
	if (rec->test->begins) {
		strbuf_reset(&s->captured);
		return 0;
	}
	done.text = s->captured.s;
	done.text_len = s->captured.len;
	record_set(&s->shown, &done);
	return s->record ? s->record(s->record_ctx, &s->shown) : 0;
}

static int record_relay(void *ctx, const struct record *rec)
{
	struct sonde_session *s = ctx;

	if (rec->kind == REC_TEST || rec->kind == REC_BENCH)
		return test_relay(s, rec);
	record_set(&s->shown, rec);
	if (s->capturing) {
		strbuf_addstr(&s->captured, sonde_record_text(&s->shown));
		return 0;
	}
	return s->record ? s->record(s->record_ctx, &s->shown) : 0;
}

static int format_relay(void *ctx, const struct format *f, const struct type *args, const uint8_t *data,
			struct strbuf *out)
{
	const struct sonde_session *s = ctx;
	struct view v = { .module = s->shown.module, .resolver = s->shown.resolver };

	format_text(&v, out, f, args, data);
	return 0;
}

/* ---- addresses of processes ---- */

static bool type_has_user_address(const struct type *t)
{
	if (!t)
		return false;
	if (t->kind == TY_USTACK || t->kind == TY_USYM)
		return true;
	for (uint32_t i = 0; i < t->nfields && t->kind != TY_STRUCT; i++)
		if (type_has_user_address(t->fields[i].type))
			return true;
	return false;
}

static bool module_has_user_addresses(const struct module *m)
{
	vec_each(site, &m->sites)
		if (type_has_user_address(site->payload))
			return true;
	vec_each(map, &m->maps)
		if (type_has_user_address(map->map->key) || type_has_user_address(map->map->value))
			return true;
	return false;
}

static void watch_ready(void *ctx)
{
	symbols_watch_read(ctx);
}

static void symbols_set(struct symbols *symbols, const struct config *config)
{
	struct symbol_options opt = {
		.demangle = config->cpp_demangle,
		.debug_info = config->show_debug_info,
		.uncached = str_eq(config->cache_user_symbols, "NONE"),
	};

	symbols_configure(symbols, &opt);
}

int sonde_session_open(struct sonde_question *q, const struct sonde_session_options *o, struct sonde_session **out)
{
	struct sonde_session_options options;
	struct session_options run;
	struct sonde_session *s;
	int err;

	options_copy(&options, sizeof(options), o);
	if (options.message)
		relay_init(&q->relay, options.message, options.message_ctx);
	s = calloc(1, sizeof(*s));
	if (!s)
		return report_error(&q->relay.reporter, -ENOMEM, NULL, "no memory for a session");
	relay_init(&s->relay, options.message, options.message_ctx);
	s->record = options.record;
	s->captured = (struct strbuf)STRBUF_INIT;
	s->record_ctx = options.record_ctx;
	record_init(&s->shown, q->module, &q->resolver);
	symbols_set(q->symbols, &q->module->config);
	s->question = q;
	s->pid = options.pid;
	s->watches = !options.dry_run && module_has_user_addresses(q->module);
	run = (struct session_options){
		.report = &s->relay.reporter,
		.probe = &q->probe,
		.record = record_relay,
		.format = format_relay,
		.record_ctx = s,
		.symbols = q->symbols,
		.pid = options.pid,
		.unwind_pids = options.unwind_pids,
		.nunwind_pids = options.nunwind_pids,
		.quiet_maps = !q->module->config.print_maps_on_exit,
		.keep_capabilities = options.keep_capabilities,
		.dry_run = options.dry_run,
		.detach_behind = options.detach_behind,
	};
	err = session_open(q->module, &run, &s->run);
	if (err) {
		sonde_session_free(s);
		return err;
	}
	*out = s;
	return 0;
}

int sonde_session_attach(struct sonde_session *s)
{
	struct symbols *symbols = s->question->symbols;
	int fd = s->watches ? symbols_watch(symbols, (uint32_t)s->pid) : -1;
	int err = fd >= 0 ? session_watch(s->run, fd, watch_ready, symbols) : 0;

	return err ? err : session_attach(s->run);
}

int sonde_session_fd(const struct sonde_session *s)
{
	return session_fd(s->run);
}

int sonde_session_poll(struct sonde_session *s, int timeout_ms)
{
	return session_poll(s->run, timeout_ms);
}

void sonde_session_stop(struct sonde_session *s, int status)
{
	session_interrupt(s->run, status);
}

int sonde_session_finish(struct sonde_session *s)
{
	return session_finish(s->run);
}

int sonde_session_status(const struct sonde_session *s)
{
	return session_status(s->run);
}

void sonde_session_free(struct sonde_session *s)
{
	if (!s)
		return;
	session_free(s->run);
	record_free(&s->shown);
	strbuf_free(&s->captured);
	free(s);
}

struct sonde_child {
	struct command *command;
	struct relay relay;
};

int sonde_child_start(const char *command, sonde_message_fn message, void *message_ctx, struct sonde_child **out)
{
	struct sonde_child *c = calloc(1, sizeof(*c));
	struct relay relay;
	int err;

	relay_init(&relay, message, message_ctx);
	if (!c)
		return report_error(&relay.reporter, -ENOMEM, NULL, "no memory to run '%s'", command);
	relay_init(&c->relay, message, message_ctx);
	err = command_start(command, &c->relay.reporter, &c->command);
	if (err) {
		free(c);
		return err;
	}
	*out = c;
	return 0;
}

pid_t sonde_child_pid(const struct sonde_child *c)
{
	return command_pid(c->command);
}

const char *sonde_child_program(const struct sonde_child *c)
{
	return command_program(c->command);
}

int sonde_child_continue(struct sonde_child *c)
{
	return command_continue(c->command, &c->relay.reporter, NULL, NULL);
}

struct beginning {
	struct session *session;
	pid_t pid;
};

static void child_begun(void *ctx)
{
	const struct beginning *b = ctx;

	session_look(b->session, b->pid);
}

int sonde_session_begin_child(struct sonde_session *s, struct sonde_child *c)
{
	struct beginning b = { s->run, command_pid(c->command) };

	return command_continue(c->command, &c->relay.reporter, session_unwinds(s->run) ? child_begun : NULL, &b);
}

void sonde_child_end(struct sonde_child *c, int *status)
{
	if (!c)
		return;
	command_end(c->command, status);
	free(c);
}
