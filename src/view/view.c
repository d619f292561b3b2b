/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * View: the buffer in front of the file, and what all views need before a record reaches them. Output
 * is written when much has gathered or when the owner flushes; the first failed write is kept and ends
 * all output, so that a full disk is noticed once and not for every record.
 */
#include "view/view.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "lang/diag.h"
#include "view/progress.h"

#define FLUSH_BYTES (64 * 1024)
/* Fewer rows are not worth looking where they go. */
#define MANY_ROWS 64

int view_open(struct view *v, const struct view_def *def, int fd)
{
	*v = (struct view){ .def = def, .fd = fd, .out = STRBUF_INIT, .scratch = STRBUF_INIT,
		.is_terminal = fd >= 0 && isatty(fd) };
	return def->open ? def->open(v) : 0;
}

/*
 * An event may carry fewer bytes than its type has: the end of the last string is not sent when it holds
 * nothing. Show functions read the whole type, so the missing bytes are put back as zeros.
 */
static const uint8_t *payload_fill(struct view *v, const struct record *rec, uint32_t size)
{
	strbuf_reset(&v->scratch);
	if (!strbuf_reserve(&v->scratch, size))
		return NULL;
	memset(v->scratch.s, 0, size);
	if (rec->len)
		memcpy(v->scratch.s, rec->data, rec->len);
	return (const uint8_t *)v->scratch.s;
}

int view_record(struct view *v, const struct record *rec)
{
	struct record full;
	int err;

	if (v->err)
		return v->err;
	if (rec->type && rec->len < rec->type->size) {
		full = *rec;
		full.data = payload_fill(v, rec, rec->type->size);
		if (!full.data)
			return v->err = -ENOMEM;
		rec = &full;
	}
	err = v->def->record(v, rec);
	if (!v->err) /* of what was written meanwhile */
		v->err = err;
	if (!v->err && v->out.failed)
		v->err = -ENOMEM;
	if (!v->err && v->out.len >= FLUSH_BYTES && v->fd >= 0)
		return view_flush(v);
	return v->err;
}

/* Standard output may have been made non-blocking by whoever shares it. */
static int wait_writable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

static int write_all(int fd, const char *s, size_t len, uint64_t *written)
{
	while (len) {
		ssize_t n = write(fd, s, len);

		if (n >= 0) {
			s += n;
			len -= (size_t)n;
			*written += (uint64_t)n;
		} else if (errno == EAGAIN) {
			int err = wait_writable(fd);

			if (err)
				return err;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

int view_flush(struct view *v)
{
	if (v->fd < 0)
		return v->err;
	if (!v->err && v->out.len)
		v->err = write_all(v->fd, v->out.s, v->out.len, &v->bytes_written);
	strbuf_reset(&v->out);
	return v->err;
}

/* What reads a pipe may have the terminal (a pager). */
static bool is_regular(int fd)
{
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode);
}

void view_rows_begin(const struct view *v, struct progress *p, size_t n)
{
	if (n >= MANY_ROWS && is_regular(v->fd))
		progress_begin(p, "writing rows", n);
	else
		*p = (struct progress){ 0 };
}

void view_rows_step(struct view *v, struct progress *p, size_t done)
{
	progress_step(p, done);
	if (v->fd >= 0 && v->out.len >= FLUSH_BYTES && !v->out.failed)
		view_flush(v);
}

int view_close(struct view *v)
{
	int err;

	if (v->def->close)
		v->def->close(v);
	err = view_flush(v);
	strbuf_free(&v->out);
	strbuf_free(&v->scratch);
	return err;
}

static const struct sources *view_sources(const struct view *v)
{
	return v->module && v->module->script ? v->module->script->sources : NULL;
}

void view_place(const struct view *v, struct strbuf *out, struct span span)
{
	diag_place_add(out, view_sources(v), span);
}

void view_excerpt(const struct view *v, struct strbuf *out, struct span span)
{
	diag_excerpt_add(out, view_sources(v), span);
}
