/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Process: what holds for all questions of a process. */
#include <errno.h>
#include <unistd.h>

#include "api/api.h"
#include "kernel/kernel.h"
#include "kernel/libbpf_log.h"
#include "symbol/elf_file.h"

static const struct {
	const char *name;
	bool *off;
} features[] = {
	{ "kprobe_multi", &kernel_wishes.no_kprobe_multi },
	{ "kprobe_session", &kernel_wishes.no_kprobe_session },
	{ "uprobe_multi", &kernel_wishes.no_uprobe_multi },
};

static int feature_leave(const struct reporter *r, const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		if (strlen(features[i].name) == len && !memcmp(features[i].name, name, len)) {
			*features[i].off = true;
			return 0;
		}
	}
	return report_error(r, -EINVAL, "kprobe_multi, kprobe_session and uprobe_multi are",
			    "'%.*s' is no feature that can be left out", (int)len, name);
}

static int features_leave(const struct reporter *r, const char *names)
{
	size_t len;
	int err = 0;

	for (const char *p = names; p && *p && !err; p += len + (p[len] == ',')) {
		len = strcspn(p, ",");
		err = feature_leave(r, p, len);
	}
	return err;
}

int sonde_process_setup(const struct sonde_process_options *options)
{
	static struct relay relay; /* as long as the process, for it receives what libbpf says */
	struct sonde_process_options o;
	int err;

	options_copy(&o, sizeof(o), options);
	relay_init(&relay, o.message, o.message_ctx);
	if (o.traceable_functions && access(o.traceable_functions, R_OK))
		return report_error(&relay.reporter, -errno, NULL, "cannot read the list of functions %s: %m",
				    o.traceable_functions);
	err = features_leave(&relay.reporter, o.without_features);
	if (err)
		return err;
	kernel_wishes.traceable_functions = o.traceable_functions;
	elf_debug_dirs = o.debug_dirs;
	libbpf_telling = (struct libbpf_telling){ .everything = o.libbpf_log, .verifier = o.verifier_log,
						  .report = &relay.reporter };
	return 0;
}
