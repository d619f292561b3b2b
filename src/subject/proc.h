/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proc: reading /proc, /sys and cgroups. Processes and cgroups may go at any time: functions say so with -ESRCH or
 * -ENOENT and give no message.
 */
#ifndef SONDE_SUBJECT_PROC_H
#define SONDE_SUBJECT_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/file.h"
#include "base/strbuf.h"

/* A number, the first word of a file. */
int file_u64(uint64_t *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Write a text to a file that exists. */
int file_write(const char *path, const char *text);
/* The text without the newline and blanks at its end, for messages. */
const char *text_trim(struct strbuf *b);

/* The number behind "NAME" at the beginning of a line ("VmRSS:", "oom_kill "). False: it is not there. */
bool field_u64(const char *text, const char *name, uint64_t *out);
/* The rest of such a line, without blanks around, into `out`. */
bool field_text(const char *text, const char *name, char *out, size_t size);

/* Call fn for every process, or every thread of one. Stops when fn returns non-zero, and returns that. */
int proc_each(int (*fn)(void *ctx, pid_t pid), void *ctx);
int proc_each_thread(pid_t pid, int (*fn)(void *ctx, pid_t tid), void *ctx);
/* Name of a process or thread (comm); "" when it has gone. */
void proc_comm(pid_t pid, char *out, size_t size);
/* When it began, in clock ticks: with the number, this says which process it is. 0: it has gone. */
uint64_t proc_start_ticks(pid_t pid);

/* ---- cgroups ---- */

/* Where the hierarchy of cgroup v2 is mounted; NULL: nowhere. */
const char *cgroup2_root(void);
/* Where that of this v1 controller is mounted; NULL: nowhere (it may belong to v2). */
const char *cgroup1_root(const char *controller);
/* The cgroup of a process in v2 (controller NULL) or in v1, as a path below the root ("/a/b"). */
int cgroup_of(pid_t pid, const char *controller, struct strbuf *out);
/* The number by which the kernel and the language (`cgroup`) call a cgroup of v2, given its directory. 0: it has gone. */
uint64_t cgroup_id(const char *directory);
/* The path below the root of v2 of the cgroup with this number. */
int cgroup_path_of(uint64_t id, struct strbuf *out);

#endif
