/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Are the numbers of the system calls right, and does each argument come from the right register? A child
 * makes every call that does no harm, with an argument of its own in each register, while an instance of
 * the kernel's tracer writes down what the tracepoints saw; every event must then be the one that the
 * number belongs to, and every field must hold what the register held.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <linux/mount.h>

#include "base/util.h"
#include "kernel/kernel.h"
#include "probe/kinds_all.h"
#include "probe/syscall_raw.h"

#define MOST_NUMBERS 512

struct tracer {
	int fd; /* of the instance's directory */
	int root;
	char name[64];
};

static int tracefs_mount(void)
{
	int context = (int)syscall(SYS_fsopen, "tracefs", 0), fd = -1;

	if (context >= 0 && !syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = (int)syscall(SYS_fsmount, context, 0, 0);
	if (context >= 0)
		close(context);
	return fd;
}

static int put(const struct tracer *t, const char *path, const char *text)
{
	int fd = openat(t->fd, path, O_WRONLY);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -errno : 0;
}

static void tracer_close(struct tracer *t)
{
	put(t, "events/syscalls/enable", "0");
	close(t->fd);
	unlinkat(t->root, t->name, AT_REMOVEDIR);
	close(t->root);
}

static bool tracer_open(struct tracer *t)
{
	t->root = tracefs_mount();
	snprintf(t->name, sizeof(t->name), "instances/sonde-test-%d", getpid());
	if (t->root < 0)
		return false;
	if (mkdirat(t->root, t->name, 0700)) {
		close(t->root);
		return false;
	}
	t->fd = openat(t->root, t->name, O_RDONLY | O_DIRECTORY);
	if (t->fd >= 0 && !put(t, "options/fields", "1"))
		return true;
	tracer_close(t);
	return false;
}

/* Calls that end, stop or duplicate the caller, or touch the machine. */
static bool harmful(const char *name)
{
	static const char *const names[] = {
		"clone", "clone3", "exit", "exit_group", "fork", "pause", "reboot", "rt_sigreturn", "sync",
		"uprobe", "uretprobe", "vfork", "vhangup", "mlockall", "munlockall", "swapoff", "swapon",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* An argument that is no descriptor, address, flag or size anywhere, and says where it was. */
static long arg_value(unsigned i)
{
	return -1000 - (long)i;
}

static void child_calls_all(int go)
{
	char c;

	if (read(go, &c, 1) != 1)
		_exit(1);
	for (int number = 0; number < MOST_NUMBERS; number++) {
		const char *name = kernel_syscall_name(number);

		if (!name || harmful(name))
			continue;
		syscall(number, arg_value(0), arg_value(1), arg_value(2), arg_value(3), arg_value(4),
			arg_value(5));
	}
	_exit(0);
}

/* Run the calls under the tracer; the trace as text, free(). */
static char *trace_child(const struct tracer *t)
{
	size_t len = 0, cap = 1 << 20;
	char *text = malloc(cap + 1), pid_text[16];
	int go[2], fd, status;
	ssize_t n;
	pid_t pid;

	assert_non_null(text);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (!pid)
		child_calls_all(go[0]);
	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	assert_int_equal(put(t, "set_event_pid", pid_text), 0);
	assert_int_equal(put(t, "events/syscalls/enable", "1"), 0);
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(go[0]);
	close(go[1]);
	fd = openat(t->fd, "trace", O_RDONLY);
	while (len < cap && (n = read(fd, text + len, cap - len)) > 0)
		len += (size_t)n;
	close(fd);
	text[len] = 0;
	return text;
}

static bool field_number(const char *line, const char *name, uint64_t *out)
{
	char key[128];
	const char *at;

	snprintf(key, sizeof(key), " %s=", name);
	at = strstr(line, key);
	/* "(0xffff...)" is where the record keeps a pointer to text, not the pointer */
	if (!at || !str_starts(at + strlen(key), "0x"))
		return false;
	*out = strtoull(at + strlen(key), NULL, 16);
	return true;
}

/* What the raw program would find for a field of sys_enter: the argument whose register it reads. */
static uint64_t raw_value(const struct field *f)
{
#ifdef __x86_64__
	static const size_t offsets[] = {
		offsetof(struct user_regs_struct, rdi), offsetof(struct user_regs_struct, rsi),
		offsetof(struct user_regs_struct, rdx), offsetof(struct user_regs_struct, r10),
		offsetof(struct user_regs_struct, r8), offsetof(struct user_regs_struct, r9),
	};
#else
	static const size_t offsets[] = { 272, 8, 16, 24, 32, 40 };
#endif
	for (unsigned i = 0; i < 6; i++)
		if (f->offset == offsets[i])
			return (uint64_t)arg_value(i);
	fail_msg("%s is read from offset %u", f->name, f->offset);
	return 0;
}

/* Some calls are real ones: of the C library, or of a sanitizer. Those of the loop carry our values. */
static bool is_ours(const struct type *args, const char *line)
{
	uint64_t traced;

	for (uint32_t i = 0; i < args->nfields; i++)
		for (unsigned v = 0; v < 6; v++)
			if (field_number(line, args->fields[i].name, &traced) && traced == (uint64_t)arg_value(v))
				return true;
	return false;
}

static void check_args(struct kernel *k, const char *event, const char *line)
{
	struct arena *a = arena_new();
	struct tp_format format;
	const struct type *args;

	assert_int_equal(kernel_tracepoint(k, a, "syscalls", event, &format), 0);
	args = syscall_raw_args(a, &format, false);
	/* The common_ fields are not ours; all others must be there. */
	assert_int_equal(args->nfields, format.nfields - 4);
	for (uint32_t i = 0; is_ours(args, line) && i < args->nfields; i++) {
		const struct field *f = &args->fields[i];
		uint64_t traced = 0;

		if (!strcmp(f->name, "__syscall_nr")) {
			assert_int_equal(f->access, ACCESS_CTX_WORD);
			assert_int_equal(f->ctx_offset, 8);
			continue;
		}
		assert_int_equal(f->access, ACCESS_CTX_PTR);
		if (field_number(line, f->name, &traced) &&
		    ((traced ^ raw_value(f)) & (f->type->size == 8 ? ~0ULL : (1ULL << f->type->size * 8) - 1)))
			fail_msg("%s.%s: traced %llx, in the register %llx: %s", event, f->name,
				 (unsigned long long)traced, (unsigned long long)raw_value(f), line);
	}
	arena_free(a);
}

/* "...: sys_enter_openat: __syscall_nr=0x101 (257) dfd=..." */
static bool check_line(struct kernel *k, const char *line, bool *seen)
{
	const char *event = strstr(line, ": sys_enter_");
	struct syscall_point sp;
	uint64_t number;
	char name[128];

	if (!event || sscanf(event, ": %127[^:]:", name) != 1 || !field_number(line, "__syscall_nr", &number))
		return false;
	if (!syscall_raw_of("syscalls", name, &sp))
		fail_msg("%s has no number, but the kernel says %llu", name, (unsigned long long)number);
	if (sp.number != (int)number)
		fail_msg("%s is %llu, not %d", name, (unsigned long long)number, sp.number);
	assert_true(number < MOST_NUMBERS);
	seen[number] = true;
	check_args(k, name, line);
	return true;
}

static void test_every_call(void **state)
{
	bool seen[MOST_NUMBERS] = { false };
	struct tracer t;
	struct kernel *k;
	char *text, *line, *save = NULL;
	size_t n = 0;

	(void)state;
	if (geteuid() || !tracer_open(&t)) {
		print_message("tracing needs root and a kernel whose tracer prints fields\n");
		skip();
	}
	text = trace_child(&t);
	tracer_close(&t);
	k = kernel_new(NULL);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		n += check_line(k, line, seen);
	kernel_free(k);
	free(text);
	assert_true(n > 250);
	assert_true(seen[SYS_openat] && seen[SYS_uname] && seen[SYS_fstat] && seen[SYS_umount2]);
}

/* Every event of the subsystem has a number; an exit belongs to its entry. */
static void test_every_event(void **state)
{
	struct kernel *k = kernel_new(NULL);
	const char *const *events;
	struct syscall_point sp, twin;
	char other[128];
	size_t n = 0;

	(void)state;
	if (geteuid() || kernel_tracepoint_events(k, "syscalls", &events, &n)) {
		kernel_free(k);
		print_message("tracing needs root\n");
		skip();
	}
	for (size_t i = 0; i < n; i++) {
		if (!syscall_raw_of("syscalls", events[i], &sp))
			fail_msg("%s has no number", events[i]);
		snprintf(other, sizeof(other), "sys_%s_%s", sp.is_exit ? "enter" : "exit",
			 events[i] + strlen(sp.is_exit ? "sys_exit_" : "sys_enter_"));
		assert_true(syscall_raw_of("syscalls", other, &twin));
		assert_int_equal(twin.number, sp.number);
		assert_int_not_equal(twin.is_exit, sp.is_exit);
	}
	kernel_free(k);
}

static void test_names(void **state)
{
	struct syscall_point sp;

	(void)state;
	assert_int_equal(kernel_syscall_number("openat"), SYS_openat);
	assert_int_equal(kernel_syscall_number("newuname"), SYS_uname);
	assert_int_equal(kernel_syscall_number("sendfile64"), SYS_sendfile);
	assert_int_equal(kernel_syscall_number("umount"), SYS_umount2);
	assert_int_equal(kernel_syscall_number("no_such_call"), -1);
	assert_int_equal(kernel_syscall_number(""), -1);
	assert_string_equal(kernel_syscall_name(SYS_openat), "openat");
	assert_null(kernel_syscall_name(-1));
	assert_null(kernel_syscall_name(100000));
	assert_false(syscall_raw_of("raw_syscalls", "sys_enter", &sp));
	assert_false(syscall_raw_of("syscalls", "sys_enter_nothing", &sp));
	assert_false(syscall_raw_of("syscalls", "openat", &sp));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_every_event),
		cmocka_unit_test(test_every_call),
	};

	return cmocka_run_group_tests_name("probe syscalls", tests, NULL, NULL);
}
