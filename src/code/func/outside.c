/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Outside: what shows things from beyond the script's own values: files, commands, arrays of strings. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/strbuf.h"
#include "code/func/func_priv.h"


static int format_check_call(struct checker *c, struct expr *call)
{
	return check_format_call(c, call, 0);
}

/* ---- cat ---- */

static int cat_emit(struct lower *l, struct expr *call, struct val *out)
{
	struct site *s = lower_site(l, call);

	(void)out;
	s->format = call->data;
	s->num[0] = l->config->max_cat_bytes;
	lower_keep_capability(l, CAP_DAC_READ_SEARCH);
	lower_keep_capability(l, CAP_SYS_PTRACE);
	return lower_event(l, s, call->args.v + 1, call->args.n - 1);
}

/*
 * The name may come from what is traced, so whoever is traced may have put anything there: a FIFO that nobody
 * writes to would stop the session, and opening a device can do something to the machine.
 */
static int regular_open(const char *path)
{
	struct stat st;
	int fd;

	if (stat(path, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EMEDIUMTYPE;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* At most `most` bytes. 0 or a negative errno. */
static int file_take(const char *path, size_t most, struct strbuf *out)
{
	_cleanup_close_ int fd = regular_open(path);

	if (fd < 0)
		return fd;
	while (out->len < most) {
		size_t room = MIN(most - out->len, (size_t)65536);
		ssize_t n;

		if (!strbuf_reserve(out, room))
			return -ENOMEM;
		n = read(fd, out->s + out->len, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		out->len += (size_t)n;
		out->s[out->len] = 0;
	}
	return 0;
}

static int text_tell(const struct act *act, const struct strbuf *text, const char *label)
{
	struct record rec = { .kind = REC_TEXT, .text = text->s, .text_len = text->len, .label = label };

	return act->record(act->ctx, &rec);
}

static int cat_act(const struct act *act, const struct site *site, const uint8_t *data, uint32_t len)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT, text = STRBUF_INIT;
	int r = act->format(act->ctx, site->format, site->payload, data, &path);

	(void)len;
	if (r < 0)
		return r;
	r = file_take(path.s, (size_t)site->num[0], &text);
	if (r < 0)
		return report_error(act->report, r, NULL, "failed to open file '%s' (%s)", path.s,
				    r == -EMEDIUMTYPE ? "not a regular file" : strerror(-r));
	return text_tell(act, &text, "cat");
}

/* ---- system ---- */

static int system_emit(struct lower *l, struct expr *call, struct val *out)
{
	struct site *s = lower_site(l, call);

	(void)out;
	s->format = call->data;
	/* The command has what sonde had when it was started. */
	for (uint32_t cap = 0; cap <= CAP_LAST_CAP; cap++)
		lower_keep_capability(l, cap);
	return lower_event(l, s, call->args.v + 1, call->args.n - 1);
}

/* /bin/sh -c command, its standard output in *fd, signals as if nobody had touched them. */
static int shell_start(const char *command, pid_t *pid, int *fd)
{
	char *const argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char *)(uintptr_t)command, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int pipes[2], r;

	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	sigemptyset(&none);
	sigfillset(&all);
	r = posix_spawn_file_actions_init(&files);
	if (!r) {
		posix_spawnattr_init(&attr);
		posix_spawnattr_setsigmask(&attr, &none);
		posix_spawnattr_setsigdefault(&attr, &all);
		posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
		r = posix_spawn_file_actions_adddup2(&files, pipes[1], STDOUT_FILENO);
		r = r ? r : posix_spawn(pid, "/bin/sh", &files, &attr, argv, environ);
		posix_spawnattr_destroy(&attr);
		posix_spawn_file_actions_destroy(&files);
	}
	close(pipes[1]);
	if (r)
		close(pipes[0]);
	else
		*fd = pipes[0];
	return -r;
}

/* What the command writes is shown as it comes, not when it ends. */
static int output_relay(const struct act *act, int fd)
{
	int r = 0;

	for (;;) {
		char buf[4097];
		ssize_t n = read(fd, buf, sizeof(buf) - 1);
		struct strbuf text = { .s = buf, .len = (size_t)n };

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return r;
		buf[n] = 0;
		r = r ? r : text_tell(act, &text, "syscall");
	}
}

static int system_act(const struct act *act, const struct site *site, const uint8_t *data, uint32_t len)
{
	_cleanup_strbuf_ struct strbuf command = STRBUF_INIT;
	pid_t pid = 0;
	int r, fd = -1;

	(void)len;
	if (!act->wants_command(act->ctx))
		return 0;
	r = act->format(act->ctx, site->format, site->payload, data, &command);
	if (r)
		return r;
	r = shell_start(command.s, &pid, &fd);
	if (r)
		return report_error(act->report, r, NULL, "system(): cannot run '%s': %s", command.s, strerror(-r));
	r = output_relay(act, fd);
	close(fd);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

/* ---- join ---- */

#define JOIN_MOST 16 /* strings, as the reference has it */

static int join_check(struct checker *c, struct expr *call)
{
	const char *sep = " ";
	int r;

	if (call_arg_unknown(call, 0))
		return 0;
	call->type = &type_none;
	r = check_arg_address(c, call, 0);
	if (!r && call->args.n > 1)
		r = check_arg_literal_string(c, call, 1, &sep);
	call->data = sep;
	return r;
}

/*
 * One string after the other, each with its NUL, into the event: the room for one more is there as long
 * as the place is below the last one.
 */
static void join_string(struct lower *l, vreg buf, vreg at, vreg from, enum addr_space space, uint32_t each,
			uint32_t done)
{
	int helper = space == SPACE_USER ? BPF_FUNC_probe_read_user_str : BPF_FUNC_probe_read_kernel_str;
	uint32_t some = ir_block_new(l->f, "some"), fits = ir_block_new(l->f, "fits");
	uint32_t next = ir_block_new(l->f, "next");
	vreg args[3], got;

	ir_br_imm(l->f, CC_NE, from, 0, some, done);
	ir_block_use(l->f, some);
	ir_br_imm(l->f, CC_ULE, at, (int64_t)each * (JOIN_MOST - 1), fits, done);
	ir_block_use(l->f, fits);
	args[0] = ir_bin(l->f, IR_ADD, ir_bin_imm(l->f, IR_ADD, buf, sizeof(struct event_header)), at);
	args[1] = ir_const(l->f, each);
	args[2] = from;
	got = ir_call(l->f, helper, 3, args);
	lower_count_failure(l, got, COUNTER_FAULTS);
	ir_br_imm(l->f, CC_SGT, got, 0, next, done);
	ir_block_use(l->f, next);
	ir_mov_to(l->f, at, ir_bin(l->f, IR_ADD, at, got));
}

static int join_emit(struct lower *l, struct expr *call, struct val *out)
{
	struct expr *arg = call_arg(call, 0);
	enum addr_space space = lower_space(l, arg->type);
	uint32_t done = ir_block_new(l->f, "joined"), each = MIN(l->config->max_strlen, 1024u);
	uint32_t cut = ir_block_new(l->f, "cut"), send = ir_block_new(l->f, "send");
	struct site *s = lower_site(l, call);
	const struct type *event;
	vreg at = ir_vreg_new(l->f, "at"), array, buf, word;
	int r = lower_scalar(l, arg, &array);

	(void)out;
	if (r < 0)
		return r;
	s->text = call->data;
	event = type_array(l->arena, &type_uint8, (uint32_t)sizeof(struct event_header) + each * JOIN_MOST);
	buf = val_slot(l, event, "join").reg;
	word = val_slot(l, &type_uint64, "pointer").reg;
	ir_mov_to(l->f, at, ir_const(l->f, 0));
	for (uint32_t i = 0; i < JOIN_MOST; i++) {
		lower_probe_read(l, word, 0, 8, i ? ir_bin_imm(l->f, IR_ADD, array, i * 8) : array, space);
		join_string(l, buf, at, ir_load(l->f, word, 0, 8, false), space, each, done);
	}
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	ir_br_imm(l->f, CC_ULE, at, (int64_t)each * JOIN_MOST, send, cut);
	ir_block_use(l->f, cut);
	ir_mov_to(l->f, at, ir_const(l->f, 0));
	ir_jmp(l->f, send);
	ir_block_use(l->f, send);
	lower_event_output(l, s, buf, at);
	return 0;
}

static int join_act(const struct act *act, const struct site *site, const uint8_t *data, uint32_t len)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct record rec = { .kind = REC_TEXT, .label = "join", .is_line = true };

	for (uint32_t at = 0; at < len;) {
		size_t n = strnlen((const char *)data + at, len - at);

		if (at)
			strbuf_addstr(&text, site->text);
		strbuf_add(&text, data + at, n);
		at += (uint32_t)n + 1;
	}
	rec.text = text.s;
	rec.text_len = text.len;
	return act->record(act->ctx, &rec);
}

func_family funcs_outside = {
	{ "cat", .signature = "void cat(string format, ...)",
	  .summary = "show the file of this name, at most max_cat_bytes of it; formatted as by printf()",
	  .min_args = 1, .max_args = FUNC_ANY_ARGS, .flags = FUNC_ASYNC | FUNC_VOID,
	  .check = format_check_call, .emit = cat_emit, .act = cat_act },
	{ "join", .signature = "void join(char *strings[][, string separator])",
	  .summary = "show the strings of an array that ends with NULL (16 of them at most) in one line",
	  .min_args = 1, .max_args = 2, .flags = FUNC_ASYNC | FUNC_VOID,
	  .check = join_check, .emit = join_emit, .act = join_act },
	{ "system", .signature = "void system(string format, ...)",
	  .summary = "run a command by /bin/sh and show what it writes; formatted as by printf()",
	  .min_args = 1, .max_args = FUNC_ANY_ARGS, .flags = FUNC_ASYNC | FUNC_VOID | FUNC_UNSAFE,
	  .check = format_check_call, .emit = system_emit, .act = system_act },
	{ 0 },
};
