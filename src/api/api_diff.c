/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Diff: two recordings of stacks in one flame graph, for the caller. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "api/api.h"
#include "view/flame.h"

static int read_all(int fd, struct strbuf *out)
{
	ssize_t n;

	do {
		if (!strbuf_reserve(out, 64 * 1024))
			return -ENOMEM;
		n = read(fd, out->s + out->len, 64 * 1024);
		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0)
			out->len += (size_t)n;
	} while (n);
	return n < 0 ? -errno : 0;
}

static int add_file(struct stacks *s, const char *path, unsigned which, const struct reporter *r)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t line;
	int err;

	if (fd < 0)
		return report_error(r, -errno, NULL, "cannot open %s: %m", path);
	err = read_all(fd, &text);
	if (err)
		return report_error(r, err, NULL, "cannot read %s: %s", path, strerror(-err));
	err = stacks_add_folded(s, text.s, text.len, which, &line);
	if (err == -EINVAL)
		return report_error(r, err, "a recording is written with -f folded, or -o FILE.folded",
				    "%s:%zu: this is no folded stack (frame;frame;frame COUNT)", path, line);
	return err ? report_error(r, err, NULL, "cannot read %s: out of memory", path) : 0;
}

static int draw(struct stacks *s, const struct sonde_view_options *o, const char *before, const char *after,
		const struct reporter *r)
{
	struct view v = { .def = view_find("flame"), .fd = o->fd, .out = STRBUF_INIT, .file = o->file };
	_cleanup_strbuf_ struct strbuf title = STRBUF_INIT;
	int err = stacks_finish(s);

	for (unsigned which = 0; !err && which < 2; which++)
		if (!s->nodes.v[0].total[which])
			err = report_error(r, -ENODATA, NULL, "%s holds no samples", which ? after : before);
	strbuf_addf(&title, "%s, compared with %s", after, before);
	if (!err)
		err = title.failed ? -ENOMEM : flame_draw(&v, s, o->title ? o->title : title.s, true);
	if (!err) {
		err = view_flush(&v);
		if (err)
			report_error(r, err, NULL, "cannot write %s: %s", o->file ? o->file : "standard output", strerror(-err));
	}
	strbuf_free(&v.out);
	return err;
}

int sonde_diff_stacks(const char *before, const char *after, const struct sonde_view_options *options)
{
	struct stacks *s = stacks_new(false);
	struct sonde_view_options o;
	struct relay relay;
	int err;

	options_copy(&o, sizeof(o), options);
	relay_init(&relay, o.message, o.message_ctx);
	if (!s)
		return report_error(&relay.reporter, -ENOMEM, NULL, "out of memory");
	err = add_file(s, before, 0, &relay.reporter);
	err = err ? err : add_file(s, after, 1, &relay.reporter);
	err = err ? err : draw(s, &o, before, after, &relay.reporter);
	stacks_free(s);
	return err;
}
