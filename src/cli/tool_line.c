/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tool_line: names that people know as tools, for which the language needs one line. docs/tools.md has examples. */
#include "base/util.h"
#include "cli/tool.h"

static const struct {
	const char *name, *line;
} lines[] = {
	{ "argdist", "sonde -e 'tracepoint:syscalls:sys_exit_read { @bytes = hist(args.ret); }'" },
	{ "funccount", "sonde -e 'kprobe:vfs_* { @[func] = count(); }'" },
	{ "funcinterval", "sonde -e 'kprobe:vfs_fsync { if (@last) { @us = hist((nsecs - @last) / 1000); } @last = nsecs; }'" },
	{ "funcslower", "sonde -e 'kprobe:vfs_fsync { @t[tid] = nsecs; } kretprobe:vfs_fsync /nsecs - @t[tid] > 10ms/ "
			"{ print((comm, (nsecs - @t[tid]) / 1ms)); }'" },
	{ "inject", "sonde --unsafe -e 'kprobe:should_fail_bio /comm == \"victim\"/ { override((uint64)-5); }'" },
	{ "stackcount", "sonde -e 'tracepoint:block:block_rq_issue { @[kstack] = count(); }'" },
	{ "tplist", "sonde -lv 'tracepoint:block:*'" },
	{ "trace", "sonde -e 'tracepoint:syscalls:sys_enter_openat { printf(\"%s %s\\n\", comm, str(args.filename)); }'" },
};

const char *tool_line(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (str_eq(lines[i].name, name))
			return lines[i].line;
	return NULL;
}
