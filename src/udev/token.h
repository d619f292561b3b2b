/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Token: what reading a file and reading its lines share. */
#ifndef SONDE_UDEV_TOKEN_H
#define SONDE_UDEV_TOKEN_H

#include "udev/udev.h"

/* A joined line that stands at `indent` of its first line. NULL: not a rule; problems say why. */
struct udev_rule *udev_line_parse(struct arena *a, struct udev_rules *r, struct udev_file *f,
				  const char *text, uint32_t line,
				  uint32_t last_line, uint32_t indent);
/* Is the value one that the key takes? Non-zero: no, and the line is ignored. */
int udev_token_check(struct arena *a, struct udev_rules *r, const struct udev_rule *rule,
		     const struct udev_token *t,
		     const char *where, uint32_t indent);
/* Why a text with substitutions is not one; NULL: it is. */
const char *udev_expand_check(struct arena *a, const char *text);

#endif
