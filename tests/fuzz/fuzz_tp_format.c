/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz: the parser of tracefs format files. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	char *text = malloc(size + 1);
	struct tp_format f;

	if (a && text) {
		memcpy(text, data, size);
		text[size] = 0;
		if (!setjmp(*arena_guard(a)))
			tp_format_parse(a, text, size, &f);
	}
	free(text);
	arena_free(a);
	return 0;
}
