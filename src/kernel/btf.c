/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BTF: the kernel's types. Parsing all of it takes tens of milliseconds and megabytes, so that happens
 * only when a type is asked for. The names of the raw tracepoints need no types: every tracepoint has a
 * typedef btf_trace_NAME, and that string in the string section says enough.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "kernel/priv.h"

#define BTF_DIR "/sys/kernel/btf"
#define TRACE_PREFIX "btf_trace_"

bool kernel_has_btf(struct kernel *k)
{
	(void)k;
	return !access(BTF_DIR "/vmlinux", R_OK);
}

struct btf *kernel_btf(struct kernel *k)
{
	if (k->btf_tried)
		return k->btf;
	k->btf_tried = true;
	k->btf = btf__load_vmlinux_btf();
	if (!k->btf)
		report_error(k->report, -errno, errno == ENOMEM ? NULL : "a kernel with CONFIG_DEBUG_INFO_BTF=y is needed",
			     "cannot read the kernel's types (" BTF_DIR "/vmlinux): %m");
	return k->btf;
}

const struct btf *kernel_module_btf(struct kernel *k, const char *module)
{
	struct btf *base = kernel_btf(k);

	if (!base || !strcmp(module, "vmlinux"))
		return base;
	if (k->module && !strcmp(k->module, module))
		return k->module_btf;
	btf__free(k->module_btf);
	free(k->module);
	k->module = NULL;
	k->module_btf = btf__load_module_btf(module, base);
	if (!k->module_btf) {
		report_error(k->report, -errno, NULL, "cannot read the types of module %s: %m", module);
		return NULL;
	}
	k->module = strdup(module);
	return k->module_btf;
}

/* ---- names of the raw tracepoints ---- */

static int read_at(int fd, void *buf, size_t len, off_t from)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)buf + done, len - done, from + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n && errno ? -errno : -EINVAL;
		done += (size_t)n;
	}
	return 0;
}

/* The string section of a BTF file, NUL-terminated; free(). */
static int strings_read(int dir, const char *module, char **text, size_t *len)
{
	_cleanup_close_ int fd = openat(dir, module, O_RDONLY | O_CLOEXEC);
	struct btf_header h;
	char *buf;
	int err;

	if (fd < 0)
		return errno ? -errno : -EIO;
	err = read_at(fd, &h, sizeof(h), 0);
	if (err)
		return err;
	if (h.magic != BTF_MAGIC || h.str_len > 1u << 30)
		return -EINVAL;
	buf = malloc((size_t)h.str_len + 1);
	if (!buf)
		return -ENOMEM;
	err = read_at(fd, buf, h.str_len, (off_t)h.hdr_len + h.str_off);
	if (err) {
		free(buf);
		return err;
	}
	buf[h.str_len] = 0;
	*text = buf;
	*len = h.str_len;
	return 0;
}

static void raw_add(struct strbuf *out, const char *module, const char *event)
{
	strbuf_addf(out, "%s:%s", module, event);
	strbuf_addch(out, 0);
}

static int raw_from_strings(int dir, const char *module, struct strbuf *out)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0, prefix = strlen(TRACE_PREFIX);
	const char *hit, *end;
	int err = strings_read(dir, module, &text, &len);

	if (err)
		return err;
	end = text + len;
	for (hit = text; hit && (hit = memmem(hit, (size_t)(end - hit), TRACE_PREFIX, prefix)); hit += prefix)
		if (hit > text && !hit[-1] && hit[prefix])
			raw_add(out, module, hit + prefix);
	return 0;
}

static int raw_from_btf(struct strbuf *out)
{
	DIR *dir = opendir(BTF_DIR);
	struct dirent *entry;
	int err = -ENOENT;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.') {
			int one = raw_from_strings(dirfd(dir), entry->d_name, out);

			/* A module that is going away is none of our business. */
			if (!strcmp(entry->d_name, "vmlinux") || one == -ENOMEM)
				err = one;
		}
	closedir(dir);
	return err;
}

/* Without BTF: the events, most of which are named as their tracepoint. Only then is tracefs needed. */
static int raw_from_tracefs(struct kernel *k, struct strbuf *out)
{
	const char *const *systems, *const *events;
	size_t nsystems, nevents;
	int err = kernel_tracepoint_systems(k, &systems, &nsystems);

	for (size_t i = 0; !err && i < nsystems; i++) {
		if (!strcmp(systems[i], "syscalls"))
			continue; /* made from sys_enter and sys_exit; no tracepoints of their own */
		err = kernel_tracepoint_events(k, systems[i], &events, &nevents);
		for (size_t e = 0; !err && e < nevents; e++)
			raw_add(out, "vmlinux", events[e]);
	}
	return err;
}

int kernel_raw_tracepoints(struct kernel *k, const char *const **names, size_t *n)
{
	if (!k->raw_read) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		int err = raw_from_btf(&text);

		if (err && err != -ENOMEM) {
			strbuf_reset(&text);
			err = raw_from_tracefs(k, &text);
			if (err)
				return err;
		}
		if (err || name_list_take(&k->raw, &text))
			return report_error(k->report, -ENOMEM, NULL, "out of memory");
		k->raw_read = true;
	}
	*names = k->raw.names;
	*n = k->raw.n;
	return 0;
}
