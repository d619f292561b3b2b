/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz: rules of udev, from the text through all checks to the corrected lines. */
#include <stddef.h>
#include <stdint.h>

#include "udev/udev.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct udev_rules r = { 0 };
	struct udev_lint l;

	if (a && !setjmp(*arena_guard(a))) {
		udev_rules_parse(a, &r, "60-fuzz.rules", (const char *)data, size, false);
		udev_rules_sort(a, &r);
		udev_lint(a, &r, &l);
	}
	arena_free(a);
	return 0;
}
