/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libbpf says, kept aside for the message that is made of it. */
#ifndef SONDE_KERNEL_LIBBPF_LOG_H
#define SONDE_KERNEL_LIBBPF_LOG_H

#include <stdbool.h>

#include "base/report.h"
#include "base/strbuf.h"

/* From now on this thread's warnings of libbpf go to `log`; NULL: to whoever received them before. */
void libbpf_log_keep(struct strbuf *log);

/* What else is done with what libbpf says, in this process: told to `r`, line by line. */
struct libbpf_telling {
	bool everything;  /* all of it */
	bool verifier;    /* what the kernel's verifier has to say of each program */
	const struct reporter *report;
};
extern struct libbpf_telling libbpf_telling;

#endif
