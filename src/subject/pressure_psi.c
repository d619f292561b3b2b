/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pressure_psi: the kernel's own account of who had to wait, and its triggers. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/util.h"
#include "subject/pressure.h"

/* The window that every user may have. */
#define FREE_WINDOW_US 2000000

void psi_path(char *out, size_t size, enum resource resource, const char *cgroup)
{
	if (cgroup)
		snprintf(out, size, "%s%s/%s.pressure", cgroup2_root() ? cgroup2_root() : "", cgroup, resource_names[resource]);
	else
		snprintf(out, size, "/proc/pressure/%s", resource_names[resource]);
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" */
static void line_read(const char *text, const char *name, double *avg10, uint64_t *total)
{
	char line[128];
	const char *p;

	if (!field_text(text, name, line, sizeof(line)))
		return;
	p = strstr(line, "avg10=");
	if (p)
		*avg10 = strtod(p + strlen("avg10="), NULL);
	p = strstr(line, "total=");
	if (p)
		*total = strtoull(p + strlen("total="), NULL, 10);
}

void psi_read(struct psi *p, const char *path)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	*p = (struct psi){ 0 };
	if (file_read(&text, path) || !text.len)
		return;
	p->known = true;
	line_read(text.s, "some", &p->some10, &p->some_us);
	line_read(text.s, "full", &p->full10, &p->full_us);
}

static int trigger_open(const char *path, bool full, uint64_t stall_us, uint64_t window_us)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "%s %llu %llu", full ? "full" : "some", (unsigned long long)stall_us,
			   (unsigned long long)window_us);
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	/* The kernel takes the text with its NUL. */
	if (write(fd, text, (size_t)len + 1) >= 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int psi_trigger(const char *path, bool full, uint64_t *stall_us, uint64_t *window_us)
{
	int fd = trigger_open(path, full, *stall_us, *window_us);

	if ((fd != -EINVAL && fd != -EPERM) || *window_us % FREE_WINDOW_US == 0)
		return fd;
	*stall_us = MIN(*stall_us * FREE_WINDOW_US / *window_us, (uint64_t)FREE_WINDOW_US);
	*window_us = FREE_WINDOW_US;
	return trigger_open(path, full, *stall_us, *window_us);
}
