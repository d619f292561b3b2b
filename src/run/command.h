/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command: the process of -c: forked, stopped before exec until everything is attached. No shell. */
#ifndef SONDE_RUN_COMMAND_H
#define SONDE_RUN_COMMAND_H

#include <sys/types.h>

#include "base/report.h"

struct command;

/* Split `command` into words (blanks; '...' as it is; "..." and bare text with \ before a character) and
 * fork. 0 or a negative errno after a report. */
int command_start(const char *command, const struct reporter *r, struct command **out);
pid_t command_pid(const struct command *c);
/* The file of its program. */
const char *command_program(const struct command *c);
/* Let it exec. 0, or the negative errno of its exec after a report. begun(ctx), unless NULL, is called when its program
 * is there and has not run yet, where the kernel lets us hold it. */
int command_continue(struct command *c, const struct reporter *r, void (*begun)(void *ctx), void *ctx);
/* End it if it runs, reap, free. *status: its exit status, or 128 + the signal. */
void command_end(struct command *c, int *status);

/* The words of a command, NULL-terminated, in one allocation: free() it. NULL with errno EINVAL when a
 * quote is not closed or there is no word, ENOMEM. */
char **words_split(const char *command);

#endif
