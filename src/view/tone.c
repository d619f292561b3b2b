/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tone: a number that changes becomes a tone whose pitch changes, written as WAV (44.1 kHz, one channel, 16 bits).
 * The numbers are those of print(): a number, the first number of a record, or a map with one number. A pitch
 * lasts until the next number comes, or the session ends. Sound is written as it is made: an hour needs no more
 * memory than a second.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "view/parts.h"
#include "view/pitch.h"

#define HEADER_BYTES 44
#define CHUNK 4096 /* samples */
#define NS_PER_S 1000000000ULL
/* What the header of a WAV file can say. */
#define MOST_BYTES (UINT32_MAX - 64ULL)

struct tone {
	struct pitch_range range;
	bool range_known;
	struct oscillator sound;
	uint64_t begin_ns; /* of the first number; 0: none has come */
	uint64_t samples;
	bool is_cut;       /* the file can grow no more */
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* The first number of a value or of its members, from the left. */
static bool number_of(const struct type *t, const uint8_t *data, double *number)
{
	int64_t n;
	uint8_t tmp[8];

	if (t->kind == TY_TUPLE || t->kind == TY_RECORD) {
		for (uint32_t i = 0; i < t->nfields; i++)
			if (number_of(t->fields[i].type, field_bytes(&t->fields[i], data, tmp), number))
				return true;
		return false;
	}
	if (!value_int(t, data, &n))
		return false;
	*number = t->kind == TY_INT && !t->is_signed ? (double)(uint64_t)n : (double)n;
	return true;
}

static bool record_number(const struct record *rec, double *number)
{
	const struct table *t = rec->table;

	if (rec->kind == REC_VALUE)
		return number_of(rec->type, rec->data, number);
	if (rec->kind != REC_MAP || t->nrows != 1 || t->map->key)
		return false;
	return number_of(t->map->value, t->rows[0].value, number);
}

static bool tone_takes(const struct view *v, const struct record *rec)
{
	double number;

	(void)v;
	/* rec->data may be shorter than its type: only view_record() has filled it up. */
	if (rec->kind == REC_VALUE && rec->len < rec->type->size)
		return rec->type->kind == TY_TUPLE || rec->type->kind == TY_RECORD;
	return record_number(rec, &number);
}

static void put_le(uint8_t *p, uint32_t n, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(n >> (8 * i));
}

/* With all ones for the sizes where they are not known yet: readers then read to the end. */
static void header_make(uint8_t h[HEADER_BYTES], uint64_t bytes, bool known)
{
	memcpy(h, "RIFF....WAVEfmt ", 16);
	put_le(h + 4, known ? (uint32_t)bytes + HEADER_BYTES - 8 : UINT32_MAX, 4);
	put_le(h + 16, 16, 4);
	put_le(h + 20, 1, 2); /* plain samples */
	put_le(h + 22, 1, 2);
	put_le(h + 24, PITCH_RATE, 4);
	put_le(h + 28, PITCH_RATE * 2, 4);
	put_le(h + 32, 2, 2);
	put_le(h + 34, 16, 2);
	memcpy(h + 36, "data", 4);
	put_le(h + 40, known ? (uint32_t)bytes : UINT32_MAX, 4);
}

static int tone_open(struct view *v)
{
	uint8_t header[HEADER_BYTES];

	v->priv = calloc(1, sizeof(struct tone));
	if (!v->priv)
		return -ENOMEM;
	header_make(header, 0, false);
	strbuf_add(&v->out, header, sizeof(header));
	return 0;
}

/* Sound until this time. */
static int sound_until(struct view *v, struct tone *t, uint64_t ns)
{
	uint64_t wanted = ns > t->begin_ns ? (uint64_t)((double)(ns - t->begin_ns) * PITCH_RATE / 1e9) : 0;

	if (wanted * 2 > MOST_BYTES) {
		wanted = MOST_BYTES / 2;
		t->is_cut = true;
	}
	while (t->samples < wanted) {
		int16_t samples[CHUNK];
		size_t n = (size_t)MIN(wanted - t->samples, (uint64_t)CHUNK);

		oscillator_fill(&t->sound, samples, n);
		for (size_t i = 0; i < n; i++)
			put_le((uint8_t *)&samples[i], (uint16_t)samples[i], 2);
		strbuf_add(&v->out, samples, n * sizeof(*samples));
		t->samples += n;
		if (view_flush(v))
			return v->err;
	}
	return 0;
}

static int tone_record(struct view *v, const struct record *rec)
{
	struct tone *t = v->priv;
	uint64_t time_ns = rec->time_ns ? rec->time_ns : now_ns();
	const char *problem;
	double number;
	int err = 0;

	if (!record_number(rec, &number))
		return 0;
	/* The option has been checked by whoever took it. */
	if (!t->range_known)
		pitch_range_parse(v->range, &t->range, &problem);
	t->range_known = true;
	if (t->begin_ns)
		err = sound_until(v, t, time_ns);
	else
		t->begin_ns = time_ns;
	t->sound.hz = pitch_hz(&t->range, number);
	t->sound.wanted = 1;
	return err;
}

static void header_finish(struct view *v, uint64_t bytes)
{
	uint8_t header[HEADER_BYTES];

	header_make(header, bytes, true);
	/* A pipe keeps the header that it has. */
	if (!view_flush(v) && v->fd >= 0 && lseek(v->fd, 0, SEEK_CUR) == (off_t)(bytes + HEADER_BYTES) &&
	    pwrite(v->fd, header, sizeof(header), 0) < 0)
		v->err = -errno;
}

static void tone_close(struct view *v)
{
	struct tone *t = v->priv;

	if (t->begin_ns && !v->err && !sound_until(v, t, now_ns())) {
		/* Out in 5 ms. */
		t->sound.wanted = 0;
		sound_until(v, t, t->begin_ns + t->samples * 10000 / PITCH_RATE * 100000 + 10000000);
	}
	if (!v->err)
		header_finish(v, t->samples * 2);
	if (!t->begin_ns && !v->err)
		report_warning(v->reporter, "print one when it changes: print(@signal)", "there are no numbers to hear");
	if (t->is_cut)
		report_warning(v->reporter, NULL, "the sound is cut after %llu hours: a WAV file can hold no more",
			       (unsigned long long)(t->samples / PITCH_RATE / 3600));
	free(t);
	v->priv = NULL;
}

const struct view_def view_tone = {
	.name = "tone",
	.summary = "a number as the pitch of a tone: WAV with -o FILE.wav, else played by sonde-play",
	.extensions = { ".wav" },
	.player = "play",
	.is_picture = true,
	.open = tone_open,
	.takes = tone_takes,
	.record = tone_record,
	.close = tone_close,
};
