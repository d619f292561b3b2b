/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sonde-play: plays a tone through ALSA whose pitch follows the numbers that come on standard input, one on a
 * line, alone or in the JSON records that sonde writes. The tone lasts until the next number, and the program
 * until the end of its input.
 */
#include <alsa/asoundlib.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/util.h"
#include "play/numbers.h"
#include "view/pitch.h"

#define BLOCK (PITCH_RATE / 100) /* 10 ms */
#define LATENCY_US 40000
/* How long the last number is heard after the input has ended. */
#define LAST_BLOCKS 30

struct player {
	struct pitch_range range;
	struct oscillator sound;
	snd_pcm_t *pcm;
	bool shows; /* number and pitch on the terminal */
};

static const char usage[] =
	"USAGE: sonde play [-D DEVICE] [-r LOW:HIGH[,HZ:HZ][,linear]]\n"
	"\n"
	"Plays the numbers that come on standard input, one on a line or in the JSON records of sonde, as a tone.\n"
	"\n"
	"  -D, --device DEVICE   of ALSA (default: default)\n"
	"  -r, --range RANGE     numbers from LOW to HIGH (0:100) become frequencies from HZ to HZ (220:1760), in\n"
	"                        equal intervals; linear: in equal steps of Hz\n"
	"  -h, --help            show this help\n";

static void on_number(void *ctx, double number)
{
	struct player *p = ctx;

	p->sound.hz = pitch_hz(&p->range, number);
	p->sound.wanted = 1;
	if (p->shows)
		fprintf(stderr, "\r%g: %.0f Hz\033[K", number, p->sound.hz);
}

/* What has come. False: the input has ended. */
static bool read_numbers(struct player *p, struct numbers *n, int timeout_ms)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char data[65536];
	ssize_t got;

	if (poll(&in, 1, timeout_ms) <= 0)
		return true;
	got = read(STDIN_FILENO, data, sizeof(data));
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (got > 0)
		numbers_take(n, data, (size_t)got, on_number, p);
	else
		numbers_take(n, "\n", 1, on_number, p); /* a last line without an end */
	return got > 0;
}

static int play_block(struct player *p)
{
	int16_t samples[BLOCK];
	snd_pcm_uframes_t done = 0;

	oscillator_fill(&p->sound, samples, BLOCK);
	while (done < BLOCK) {
		snd_pcm_sframes_t n = snd_pcm_writei(p->pcm, samples + done, BLOCK - done);

		if (n < 0)
			n = snd_pcm_recover(p->pcm, (int)n, 1);
		if (n < 0) {
			fprintf(stderr, "sonde-play: the sound device fails: %s\n", snd_strerror((int)n));
			return -1;
		}
		done += (snd_pcm_uframes_t)n;
	}
	return 0;
}

static int play(struct player *p)
{
	struct numbers *n = calloc(1, sizeof(*n));
	bool more = true;
	int err = n ? 0 : -1;

	/* Silence needs no sound device to run. */
	while (!err && more && p->sound.wanted == 0)
		more = read_numbers(p, n, -1);
	while (!err && more) {
		more = read_numbers(p, n, 0);
		err = play_block(p);
	}
	for (int i = 0; !err && p->sound.wanted != 0 && i < LAST_BLOCKS; i++)
		err = play_block(p);
	p->sound.wanted = 0;
	if (!err && p->sound.hz != 0)
		err = play_block(p);
	if (!err)
		snd_pcm_drain(p->pcm);
	if (p->shows && p->sound.hz != 0)
		fputc('\n', stderr);
	free(n);
	return err;
}

static int device_open(struct player *p, const char *device)
{
	int err = snd_pcm_open(&p->pcm, device, SND_PCM_STREAM_PLAYBACK, 0);

	if (!err)
		err = snd_pcm_set_params(p->pcm, SND_PCM_FORMAT_S16, SND_PCM_ACCESS_RW_INTERLEAVED, 1, PITCH_RATE, 1, LATENCY_US);
	if (err)
		fprintf(stderr, "sonde-play: cannot open the sound device '%s': %s\n"
			"hint: -D names another one (`aplay -L` lists them); sonde -o FILE.wav writes the tone to a file\n",
			device, snd_strerror(err));
	return err;
}

static void no_message(const char *file, int line, const char *function, int err, const char *format, ...)
{
	(void)file, (void)line, (void)function, (void)err, (void)format;
}

static bool options_take(int argc, char **argv, struct player *p, const char **device, int *status)
{
	static const struct option longs[] = {
		{ "device", required_argument, NULL, 'D' }, { "range", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' }, { 0 },
	};
	const char *range = NULL, *problem;
	int c;

	*status = 2;
	while ((c = getopt_long(argc, argv, "D:r:h", longs, NULL)) >= 0) {
		if (c == 'D')
			*device = optarg;
		else if (c == 'r')
			range = optarg;
		else
			*status = c == 'h' ? 0 : 2;
		if (c == 'h' || c == '?') {
			fputs(usage, c == 'h' ? stdout : stderr);
			return false;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "sonde-play: '%s' is left over\n", argv[optind]);
		return false;
	}
	if (pitch_range_parse(range, &p->range, &problem))
		return true;
	fprintf(stderr, "sonde-play: --range %s: %s\n", range, problem);
	return false;
}

int main(int argc, char **argv)
{
	struct player p = { .shows = isatty(STDERR_FILENO) };
	const char *device = "default";
	int status;

	if (!options_take(argc, argv, &p, &device, &status))
		return status;
	/* Ctrl-C ends whoever writes the numbers, and so the input. */
	if (!isatty(STDIN_FILENO))
		signal(SIGINT, SIG_IGN);
	snd_lib_error_set_handler(no_message);
	if (device_open(&p, device))
		return 1;
	status = play(&p) ? 1 : 0;
	snd_pcm_close(p.pcm);
	return status;
}
