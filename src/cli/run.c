/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run: ask the question and show what comes back: compile, open, attach, poll, finish.
 *
 * The first Ctrl-C (or SIGTERM, SIGHUP) ends the session cleanly, with its results; a second one kills
 * the process at once.
 */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"
#include "base/util.h"

struct run {
	const struct options *o;
	struct sonde_view *view;
	const char *output_name;
	int fd;
	struct file_new picture; /* with is_picture and -o */
	struct player player;
	const char *view_name;
	bool is_picture;
	bool warn_aside; /* losses and messages go to stderr: the view is for people */
	bool flush_each_poll;
	int write_err; /* first failed write */
};

/* For the signal handlers. */
static struct sonde_session *volatile session;
static volatile sig_atomic_t caught;

static void on_stop(int sig)
{
	int saved = errno;

	caught = sig;
	if (session)
		sonde_session_stop(session, 0);
	errno = saved;
}

static void signals_install(void)
{
	static const int stops[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < ARRAY_SIZE(stops); i++) {
		/* The default action is back after the first: that is how the second one kills. */
		struct sigaction stop = { .sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND };
		struct sigaction old;

		/* nohup asked for it. (A shell's background jobs ignore SIGINT too, but who sends it means it.) */
		if (stops[i] == SIGHUP && !sigaction(SIGHUP, NULL, &old) && old.sa_handler == SIG_IGN)
			continue;
		sigaction(stops[i], &stop, NULL);
	}
}

/* Is the text of a message one of warnf(), "q.bt:3:5-17: WARNING: ..."? */
static bool is_script_warning(const char *text)
{
	const char *warning = strstr(text, ": WARNING: "), *error = strstr(text, ": ERROR: ");

	return warning && (!error || warning < error);
}

static int flush_view(struct run *r)
{
	if (r->flush_each_poll && !r->write_err)
		r->write_err = sonde_view_flush(r->view);
	return r->write_err;
}

/* Who waits for the probes to be attached, to do what they are to see, has set this. It stands alone on its
 * line, before anything that the script prints. */
static void notify_attached(struct run *r)
{
	static const char line[] = "__BPFTRACE_NOTIFY_PROBES_ATTACHED\n";

	if (!getenv("__BPFTRACE_NOTIFY_PROBES_ATTACHED") || r->o->dry_run || flush_view(r))
		return;
	if (write(STDOUT_FILENO, line, sizeof(line) - 1) < 0)
		r->write_err = -errno;
}

/* A loss, as the text view says it: "Lost 5 events", "warning: map @x is full ...". */
static void loss_aside(const char *text)
{
	static const char warning[] = "warning: ";

	if (str_starts(text, warning))
		message_receive(NULL, SONDE_WARNING, text + strlen(warning), NULL);
	else
		say(text);
}

static int show_aside(struct run *r, const struct sonde_record *rec)
{
	/* What was shown before stays before, also when both go to one terminal. */
	int err = sonde_view_flush(r->view);

	if (err)
		return err;
	sonde_view_leave(r->view);
	if (sonde_record_kind(rec) == SONDE_LOST)
		loss_aside(sonde_record_text(rec));
	else
		say(sonde_record_text(rec));
	return 0;
}

/* What is no part of a picture is shown as text beside it. */
static int show_beside(struct run *r, const struct sonde_record *rec)
{
	struct strbuf text = STRBUF_INIT;

	if (sonde_record_kind(rec) == SONDE_ATTACHED && r->o->quiet)
		return 0;
	sonde_view_leave(r->view);
	if (!r->o->output) {
		say(sonde_record_text(rec));
		return 0;
	}
	strbuf_addstr(&text, sonde_record_text(rec));
	return print_and_free(&text) ? -EIO : 0;
}

static int on_record(void *ctx, const struct sonde_record *rec)
{
	struct run *r = ctx;
	enum sonde_record_kind kind = sonde_record_kind(rec);

	if (r->write_err)
		return r->write_err;
	if (kind == SONDE_MESSAGE && messages.no_warnings && is_script_warning(sonde_record_text(rec)))
		return 0;
	/* What begin probes had to say is not asked for. */
	if (r->o->dry_run && kind != SONDE_ATTACHED)
		return 0;
	if (r->warn_aside && (kind == SONDE_LOST || kind == SONDE_MESSAGE))
		r->write_err = show_aside(r, rec);
	else if (r->is_picture && !sonde_view_takes(r->view, rec))
		r->write_err = show_beside(r, rec);
	else
		r->write_err = sonde_view_record(r->view, rec);
	if (kind == SONDE_ATTACHED)
		notify_attached(r);
	return r->write_err;
}

/* A view that is no text goes to a program that shows it. */
static int open_player(struct run *r)
{
	int status = player_start(&r->player, sonde_view_player(r->o->format), r->o->range);

	r->fd = r->player.fd;
	r->output_name = "the player";
	r->view_name = "json";
	r->is_picture = false;
	return status;
}

static int open_output(struct run *r)
{
	int err;

	r->fd = STDOUT_FILENO;
	r->output_name = "standard output";
	if (!r->o->output && isatty(r->fd) && sonde_view_player(r->o->format))
		return open_player(r);
	if (!r->o->output)
		return 0;
	r->output_name = r->o->output;
	if (r->is_picture) {
		err = file_new_open(&r->picture, r->o->output);
		if (err)
			return fail_open(r->o->output, err);
		r->fd = r->picture.fd;
		return 0;
	}
	r->fd = open(r->o->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (r->fd < 0)
		return fail_open(r->o->output, -errno);
	return 0;
}

/* The program's or the tool's name; of one that was typed, what it looks at. */
static const char *picture_title(const struct options *o)
{
	if (o->title || (o->file && !str_eq(o->file, "-")))
		return program_name(o);
	return o->command;
}

static int open_view(struct run *r, const struct sonde_question *q)
{
	enum buffering b = r->o->buffering;
	struct sonde_view_options v = SONDE_OPTIONS(struct sonde_view_options, .fd = r->fd, .quiet = r->o->quiet,
		.colour = messages.colour && isatty(r->fd), .columns = r->o->columns, .only_attach = r->o->dry_run, .title = picture_title(r->o),
		
		.file = r->o->output, .range = r->o->range, .message = message_receive);

	int err;

	v.line_buffered = b == BUFFER_LINE || b == BUFFER_NONE || (b == BUFFER_AUTO && isatty(r->fd));
	r->flush_each_poll = b != BUFFER_FULL;
	r->warn_aside = !sonde_view_shows_losses(r->o->format);
	err = sonde_view_open(r->view_name, q, &v, &r->view);
	if (err == -EDOM)
		return EXIT_USAGE;
	if (err)
		return fail(EXIT_FAILED, NULL, "cannot show records as %s: out of memory", r->view_name);
	return 0;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Milliseconds until `end_ns`, for poll; -1: there is no end. */
static int left_ms(uint64_t end_ns)
{
	uint64_t now = now_ns();

	if (!end_ns)
		return -1;
	return now >= end_ns ? 0 : (int)MIN((end_ns - now + 999999) / 1000000, (uint64_t)INT_MAX);
}

/* 0 when the session has ended, or a negative errno. */
static int poll_until_end(struct run *r)
{
	uint64_t end_ns = r->o->duration_ns ? now_ns() + r->o->duration_ns : 0;
	int more;

	do {
		if (flush_view(r))
			return r->write_err;
		if (end_ns && now_ns() >= end_ns)
			sonde_session_stop(session, 0);
		more = sonde_session_poll(session, left_ms(end_ns));
	} while (more > 0);
	return r->write_err ? r->write_err : more;
}

/* The terminal has echoed ^C: the results begin below it, or where they stood. */
static void leave_echo(const struct run *r)
{
	static const char wipe[] = "\r\033[K";

	if (caught != SIGINT || !isatty(STDERR_FILENO))
		return;
	if (!sonde_view_stands(r->view))
		say("\n");
	else if (write(STDERR_FILENO, wipe, sizeof(wipe) - 1) < 0)
		sonde_view_leave(r->view);
}

static int run_session(struct run *r, struct sonde_child *child)
{
	int err, end;

	err = sonde_session_attach(session);
	if (err || r->o->dry_run)
		return err ? EXIT_FAILED : EXIT_ANSWERED;
	if (child && sonde_session_begin_child(session, child))
		return EXIT_FAILED;
	err = poll_until_end(r);
	leave_echo(r);
	/* Also after an error: the maps hold what was counted until then. */
	end = r->write_err ? 0 : sonde_session_finish(session);
	/* The answer is there before what is left to do takes its time. */
	if (!r->write_err)
		r->write_err = sonde_view_flush(r->view);
	return err < 0 || end < 0 ? EXIT_FAILED : sonde_session_status(session);
}

static int open_and_run(struct run *r, struct sonde_question *q, struct sonde_child *child)
{
	struct sonde_session_options s = SONDE_OPTIONS(struct sonde_session_options, .record = on_record,
		.record_ctx = r, .message = message_receive, .dry_run = r->o->dry_run, .detach_behind = true,
		.pid = child ? sonde_child_pid(child) : r->o->pid, .unwind_pids = r->o->unwind_pids,
		.nunwind_pids = r->o->nunwind_pids);
	struct sonde_session *opened;
	int status;

	if (sonde_session_open(q, &s, &opened))
		return EXIT_FAILED;
	session = opened;
	signals_install();
	status = run_session(r, child);
	session = NULL;
	sonde_session_free(opened);
	return status;
}

/* Output is complete only when the last write and the close have succeeded. */
static int close_output(struct run *r, int status)
{
	int err = sonde_view_close(r->view);

	if (!r->write_err)
		r->write_err = err;
	if (r->player.pid && player_end(&r->player) && !r->write_err)
		return EXIT_FAILED;
	if (r->o->output && r->is_picture)
		r->write_err = file_new_close(&r->picture, r->write_err);
	else if (r->o->output && close(r->fd) && !r->write_err)
		r->write_err = -errno;
	if (r->write_err)
		return fail_write(r->output_name, r->write_err);
	return status;
}

static int check_pid(const struct options *o)
{
	if (o->pid && kill(o->pid, 0) && errno == ESRCH)
		return fail(EXIT_FAILED, NULL, "-p: there is no process %d", (int)o->pid);
	return 0;
}

static int run_compiled(const struct options *o, struct sonde_question *q, struct sonde_child *child)
{
	struct run r = { .o = o };
	int status;

	r.view_name = o->view_by_file ? sonde_view_for_question(q, o->output) : o->format;
	r.is_picture = sonde_view_is_picture(r.view_name, o->output);

	status = open_output(&r);
	if (status)
		return status;
	status = open_view(&r, q);
	if (!status) {
		status = open_and_run(&r, q, child);
		status = close_output(&r, status);
	} else if (r.player.pid) {
		player_end(&r.player);
	} else if (r.is_picture && o->output) {
		file_new_close(&r.picture, -ECANCELED);
	}
	/* Programs that were written for the reference expect 0, as it gives. */
	if (!status && caught && !getenv("__BPFTRACE_NOTIFY_PROBES_ATTACHED"))
		status = 128 + caught;
	return status;
}

/* A file that is there already is replaced when it is such an object; anything else is a mistake. */
static int emit_elf(const struct options *o, const struct sonde_question *q)
{
	static const char magic[] = "\177ELF";
	_cleanup_close_ int fd = open(o->emit_elf, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char begin[sizeof(magic) - 1];
	ssize_t n = fd < 0 ? -1 : read(fd, begin, sizeof(begin));

	if ((fd >= 0 && n) && (n != sizeof(begin) || memcmp(begin, magic, sizeof(begin))))
		return fail(EXIT_FAILED, "name a new file", "--emit-elf: %s is there and is no ELF file", o->emit_elf);
	return sonde_question_write(q, o->emit_elf) ? EXIT_FAILED : EXIT_ANSWERED;
}

int run_question(const struct options *o)
{
	struct sonde_child *child = NULL;
	struct sonde_question *q;
	int status = check_pid(o);

	if (status || o->dump_stages)
		return status ? status : question_dump(o);
	/* Before compiling: the program may ask for its number. */
	if (o->command && sonde_child_start(o->command, message_receive, NULL, &child))
		return EXIT_FAILED;
	q = question_compile(o, child, &status);
	if (q && o->emit_elf)
		status = emit_elf(o, q);
	if (q && o->mode != MODE_COMPILE)
		status = run_compiled(o, q, child);
	sonde_child_end(child, NULL);
	sonde_question_free(q);
	return status;
}
