/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libbpf says, kept aside for the message that is made of it. */
#ifndef SONDE_KERNEL_LIBBPF_LOG_H
#define SONDE_KERNEL_LIBBPF_LOG_H

#include "base/strbuf.h"

/* From now on this thread's warnings of libbpf go to `log`; NULL: to whoever received them before. */
void libbpf_log_keep(struct strbuf *log);

#endif
