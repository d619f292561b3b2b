/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUs: how many there may be and which are online. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include <bpf/libbpf.h>

#include "base/util.h"
#include "kernel/priv.h"

#define ONLINE_FILE "/sys/devices/system/cpu/online"

int kernel_ncpus_possible(void)
{
	return libbpf_num_possible_cpus();
}

int kernel_ncpus_online(void)
{
	return (int)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1L);
}

static int cpus_add(struct kernel *k, size_t *cap, unsigned long first, unsigned long last)
{
	for (unsigned long cpu = first; cpu <= last; cpu++) {
		if (!k->cpus || k->ncpus == *cap) {
			size_t more = *cap ? *cap * 2 : 16;
			int *grown = reallocarray(k->cpus, more, sizeof(*grown));

			if (!grown)
				return -ENOMEM;
			k->cpus = grown;
			*cap = more;
		}
		k->cpus[k->ncpus++] = (int)cpu;
	}
	return 0;
}

/* "0-3,5,8-9" */
static int cpus_parse(struct kernel *k, const char *text)
{
	const unsigned long most = 65535; /* far above the kernel's own limit of 8192 */
	size_t cap = 0;

	for (const char *p = text; *p && *p != '\n';) {
		char *end;
		unsigned long first = strtoul(p, &end, 10), last = first;
		int err;

		if (end == p)
			return -EINVAL;
		if (*end == '-') {
			p = end + 1;
			last = strtoul(p, &end, 10);
			if (end == p)
				return -EINVAL;
		}
		if (first > last || last > most)
			return -EINVAL;
		err = cpus_add(k, &cap, first, last);
		if (err)
			return err;
		p = *end == ',' ? end + 1 : end;
	}
	return k->ncpus ? 0 : -EINVAL;
}

int kernel_online_cpus(struct kernel *k, const int **cpus, size_t *n)
{
	if (!k->cpus) {
		_cleanup_free_ char *text = NULL;
		size_t len, cap = 0;
		int err = file_read_at(AT_FDCWD, ONLINE_FILE, &text, &len);

		if (!err)
			err = cpus_parse(k, text);
		if (err == -ENOMEM)
			return report_error(k->report, err, NULL, "out of memory");
		if (err) { /* no sysfs: take them to be numbered without gaps */
			k->ncpus = 0;
			err = cpus_add(k, &cap, 0, (unsigned long)kernel_ncpus_online() - 1);
			if (err)
				return report_error(k->report, err, NULL, "out of memory");
		}
	}
	*cpus = k->cpus;
	*n = k->ncpus;
	return 0;
}
