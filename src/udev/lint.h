/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lint: what the checks share. */
#ifndef SONDE_UDEV_LINT_H
#define SONDE_UDEV_LINT_H

#include "udev/udev.h"

/* The finding of this check about this line, or a new one. *is_new may be NULL. */
struct udev_finding *lint_finding(struct arena *a, struct udev_lint *l, const struct udev_check *c,
				  const struct udev_rule *at,
				  bool *is_new);
void lint_replay(struct arena *a, struct udev_finding *f, const char *event, const char *text);
void lint_fix(struct arena *a, struct udev_finding *f, const struct udev_rule *rule,
	      const char *text);
const char *lint_device_text(struct arena *a, const struct udev_device *d);
/* The line without the tokens for which `drop` says so. Commas are put right. NULL: nothing is left. */
const char *lint_without(struct arena *a, const struct udev_rule *rule,
			 bool (*drop)(const struct udev_token *t, void *ctx), void *ctx);
/* The line with one token written anew. */
const char *lint_with(struct arena *a, const struct udev_rule *rule, const struct udev_token *t,
		      const char *text);
/* All rules, with the corrected lines in their places. */
struct udev_rules *lint_fixed_rules(struct arena *a, const struct udev_rules *r,
				    const struct udev_finding *f);

void lint_lost(struct arena *a, struct udev_lint *l, const struct udev_check *c,
	       const struct udev_rule *rule);
/* When all rules were seen: the corrected lines, and what they come to. */
void lint_lost_finish(struct arena *a, struct udev_lint *l);
void lint_late_tag(struct arena *a, struct udev_lint *l, const struct udev_check *c,
		   const struct udev_rule *rule);
void lint_clears(struct arena *a, struct udev_lint *l, const struct udev_check *c,
		 const struct udev_rule *rule);
void lint_gone(struct arena *a, struct udev_lint *l, const struct udev_check *c,
	       const struct udev_rule *rule);
void lint_two_parents(struct arena *a, struct udev_lint *l, const struct udev_check *c,
		      const struct udev_rule *rule);
void lint_writes(struct arena *a, struct udev_lint *l, const struct udev_check *c,
		 const struct udev_rule *rule);
void lint_shell(struct arena *a, struct udev_lint *l, const struct udev_check *c,
		const struct udev_rule *rule);

#endif
