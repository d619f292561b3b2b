/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pitch: from numbers to sound. */
#include "view/pitch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* What ears and loudspeakers can do. */
#define LEAST_HZ 20.0
#define MOST_HZ 20000.0
/* From silence to full loudness in 5 ms. */
#define FADE (1.0 / (PITCH_RATE * 0.005))
#define LOUDNESS (0.5 * 32767)

/* "1:2" */
static bool parse_pair(const char **at, double *low, double *high)
{
	char *end;

	*low = strtod(*at, &end);
	if (end == *at || *end != ':')
		return false;
	*at = end + 1;
	*high = strtod(*at, &end);
	if (end == *at || !isfinite(*low) || !isfinite(*high))
		return false;
	*at = end;
	return true;
}

bool pitch_range_parse(const char *text, struct pitch_range *out, const char **problem)
{
	*out = (struct pitch_range){ .high = 100, .low_hz = 220, .high_hz = 1760 };
	if (!text)
		return true;
	*problem = "it must be LOW:HIGH[,HZ:HZ][,linear]";
	if (!parse_pair(&text, &out->low, &out->high))
		return false;
	if (*text == ',' && !str_eq(text, ",linear")) {
		text++;
		if (!parse_pair(&text, &out->low_hz, &out->high_hz))
			return false;
	}
	out->linear = str_eq(text, ",linear");
	if (*text && !out->linear)
		return false;
	*problem = "its two numbers are the same";
	if (out->low == out->high)
		return false;
	*problem = "frequencies lie between 20 and 20000 Hz";
	return out->low_hz >= LEAST_HZ && out->low_hz <= MOST_HZ && out->high_hz >= LEAST_HZ && out->high_hz <= MOST_HZ;
}

double pitch_hz(const struct pitch_range *r, double number)
{
	double at = (number - r->low) / (r->high - r->low);

	at = MAX(0.0, MIN(1.0, at));
	if (r->linear)
		return r->low_hz + (r->high_hz - r->low_hz) * at;
	return r->low_hz * pow(r->high_hz / r->low_hz, at);
}

void oscillator_fill(struct oscillator *o, int16_t *samples, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (o->level < o->wanted)
			o->level = MIN(o->level + FADE, o->wanted);
		else
			o->level = MAX(o->level - FADE, o->wanted);
		samples[i] = (int16_t)(sin(2 * M_PI * o->phase) * o->level * LOUDNESS);
		o->phase += o->hz / PITCH_RATE;
		o->phase -= o->phase >= 1 ? 1 : 0;
	}
}
