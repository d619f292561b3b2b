/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz: a whole script through lexer, parser, checker and code generator; nothing is loaded. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sonde.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore_message(void *ctx, enum sonde_severity severity, const char *text, const char *hint)
{
	(void)ctx;
	(void)severity;
	(void)text;
	(void)hint;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sonde_compile_options o = SONDE_OPTIONS(struct sonde_compile_options, .message = ignore_message);
	struct sonde_question *q = NULL;
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	if (!sonde_compile(text, &o, &q))
		sonde_question_free(q);
	free(text);
	return 0;
}
