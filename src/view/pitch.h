/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pitch: a number becomes the frequency of a tone, and the tone samples of sound. The tone keeps its phase when
 * its pitch changes, so that nothing clicks.
 */
#ifndef SONDE_VIEW_PITCH_H
#define SONDE_VIEW_PITCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PITCH_RATE 44100 /* samples in a second, one channel of 16 bits */

struct pitch_range {
	double low, high;       /* numbers; beyond them the pitch goes no further. low may be the larger */
	double low_hz, high_hz; /* their frequencies */
	bool linear;            /* steps of equal numbers are steps of equal Hz, not of equal intervals */
};

/* "-90:-30", "-90:-30,220:1760", "0:1000,100:2000,linear"; NULL: the usual one, 0 to 100 over three octaves. False:
 * *problem says what is wrong. */
bool pitch_range_parse(const char *text, struct pitch_range *out, const char **problem);
double pitch_hz(const struct pitch_range *r, double number);

struct oscillator {
	double phase; /* of a turn, from 0 to 1 */
	double hz;
	double level; /* from 0 to 1: how loud it is now; it glides to `wanted` */
	double wanted;
};
void oscillator_fill(struct oscillator *o, int16_t *samples, size_t n);

#endif
