/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz: the formatter of scripts. What it has written it leaves as it is. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sonde.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *once = NULL, *twice = NULL;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	if (!sonde_format(text, NULL, &once, NULL, NULL) && (sonde_format(once, NULL, &twice, NULL, NULL) || strcmp(once, twice)))
		abort();
	free(text);
	free(once);
	free(twice);
	return 0;
}
