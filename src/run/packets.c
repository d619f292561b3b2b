/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets: what skboutput() hands on is written to capture files in the pcap format, with times in nanoseconds
 * (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html). Packets come through a perf buffer, the only
 * place into which the kernel's helper copies them.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>

#include "base/util.h"
#include "run/internal.h"

#define PAGES_PER_CPU 64
#define PCAP_MAGIC_NS 0xa1b23c4dU
#define LINKTYPE_ETHERNET 1

struct capture {
	const char *path; /* the site's */
	FILE *file;       /* NULL: it could not be opened; its packets are not written */
};

struct packets {
	struct perf_buffer *buffer;
	struct capture *captures;
	size_t ncaptures;
	int64_t boot_to_real_ns;
};

static int64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int header_write(FILE *f)
{
	const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zone, accuracy, most_bytes, linktype;
	} head = { PCAP_MAGIC_NS, 2, 4, 0, 0, 0xfffff, LINKTYPE_ETHERNET };

	return fwrite(&head, sizeof(head), 1, f) == 1 ? 0 : -EIO;
}

/* A link, a pipe or a device in the place of the file is not followed. */
static FILE *file_open(struct session *s, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f) {
		report_error(s->report, -errno, NULL, "cannot open %s for packets: %m", path);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	if (header_write(f))
		report_error(s->report, -EIO, NULL, "cannot write packets to %s: %m", path);
	return f;
}

static struct capture *capture_find(struct session *s, const char *path)
{
	struct packets *p = s->packets;
	struct capture *grown;

	for (size_t i = 0; i < p->ncaptures; i++)
		if (str_eq(p->captures[i].path, path))
			return &p->captures[i];
	grown = realloc(p->captures, (p->ncaptures + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	p->captures = grown;
	grown[p->ncaptures] = (struct capture){ .path = path, .file = file_open(s, path) };
	return &grown[p->ncaptures++];
}

static void packet_write(struct capture *c, uint64_t time_ns, const uint8_t *bytes, uint32_t len)
{
	const uint32_t head[4] = { (uint32_t)(time_ns / 1000000000), (uint32_t)(time_ns % 1000000000), len, len };

	if (fwrite(head, sizeof(head), 1, c->file) == 1)
		fwrite(bytes, 1, len, c->file);
}

static void on_packet(void *ctx, int cpu, void *data, uint32_t size)
{
	struct session *s = ctx;
	struct packet_header h;
	struct capture *c;
	const uint8_t *bytes = (const uint8_t *)data + sizeof(h);

	(void)cpu;
	if (size < sizeof(h))
		return;
	memcpy(&h, data, sizeof(h));
	size = MIN(size - (uint32_t)sizeof(h), h.bytes);
	if (h.site >= s->module->sites.n || h.offset > size)
		return;
	c = capture_find(s, s->module->sites.v[h.site].text);
	if (c && c->file)
		packet_write(c, h.time_ns + (uint64_t)s->packets->boot_to_real_ns, bytes + h.offset, size - h.offset);
}

static void on_lost(void *ctx, int cpu, unsigned long long count)
{
	struct session *s = ctx;

	/* The helper has said so to the program, which has counted them. */
	(void)cpu, (void)count, (void)s;
}

int packets_open(struct session *s, uint64_t tag)
{
	struct bpf_map *map = bpf_object__find_map_by_name(s->object, MODULE_MAP_PACKETS);
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = tag };
	struct packets *p;

	if (!map)
		return 0;
	p = calloc(1, sizeof(*p));
	if (!p)
		return report_error(s->report, -ENOMEM, NULL, "no memory for packets");
	s->packets = p;
	p->boot_to_real_ns = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_MONOTONIC);
	p->buffer = perf_buffer__new(bpf_map__fd(map), PAGES_PER_CPU, on_packet, on_lost, s, NULL);
	if (!p->buffer)
		return report_error(s->report, -errno, NULL, "cannot make a buffer for packets: %m");
	if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, perf_buffer__epoll_fd(p->buffer), &ev))
		return report_error(s->report, -errno, NULL, "cannot wait for packets: %m");
	return 0;
}

void packets_drain(struct session *s)
{
	if (!s->packets || !s->packets->buffer)
		return;
	perf_buffer__consume(s->packets->buffer);
	for (size_t i = 0; i < s->packets->ncaptures; i++)
		if (s->packets->captures[i].file)
			fflush(s->packets->captures[i].file);
}

void packets_close(struct session *s)
{
	struct packets *p = s->packets;

	if (!p)
		return;
	for (size_t i = 0; i < p->ncaptures; i++)
		if (p->captures[i].file && (ferror(p->captures[i].file) | fclose(p->captures[i].file)))
			report_error(s->report, -EIO, NULL, "cannot write all packets to %s", p->captures[i].path);
	perf_buffer__free(p->buffer);
	free(p->captures);
	free(TAKE_PTR(s->packets));
}
