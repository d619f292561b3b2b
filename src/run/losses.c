/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Losses: what did not arrive, and why. Programs count in memory that the session has mapped; what is new
 * is told each time. Delivered and lost events together are the events that were generated.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include "base/util.h"
#include "run/internal.h"

/* Losses other than events are looked up at most this often while the session runs. */
#define TELL_EVERY_NS (1000 * 1000 * 1000ULL)

/* The first entries of session.losses; refused updates of map m are at LOSS_MAPS + m.id. */
enum { LOSS_EVENTS, LOSS_FAULTS, LOSS_TRUNCATED, LOSS_LOOPS, LOSS_DELETES, LOSS_MISSED, LOSS_CALLS, LOSS_CORRUPT, LOSS_MAPS };

int losses_open(struct session *s)
{
	static const struct loss fixed[LOSS_MAPS] = {
		[LOSS_EVENTS] = { .label = NULL },
		[LOSS_FAULTS] = { .label = "fault" },
		[LOSS_TRUNCATED] = { .label = "truncated" },
		[LOSS_LOOPS] = { .label = "loop" },
		[LOSS_DELETES] = { .label = "delete" },
		[LOSS_MISSED] = { .label = "missed" },
		[LOSS_CALLS] = { .label = "unseen" },
		[LOSS_CORRUPT] = { .label = "corrupt" },
	};

	s->nlosses = LOSS_MAPS + s->module->maps.n;
	s->losses = calloc(s->nlosses, sizeof(*s->losses));
	if (!s->losses)
		return report_error(s->report, -ENOMEM, NULL, "no memory for the session's counters");
	memcpy(s->losses, fixed, sizeof(fixed));
	for (uint32_t i = 0; i < s->module->maps.n; i++)
		s->losses[LOSS_MAPS + i] = (struct loss){ .label = "map", .map = s->module->maps.v[i].map->name };
	return 0;
}

void losses_close(struct session *s)
{
	free(s->losses);
}

static uint64_t counter_read(const struct session *s, uint32_t counter)
{
	const char *bss = (const char *)s->control;

	return bss ? __atomic_load_n((const uint64_t *)(bss + COUNTER_OFFSET(counter)), __ATOMIC_RELAXED) : 0;
}

/* Of struct bpf_link_info, whose end is younger than the headers of some distributions. */
struct link_info {
	uint32_t type, id, prog_id, padding;
	union {
		struct {
			uint64_t addresses;
			uint32_t count, flags;
			uint64_t missed;
		} multi;
		struct {
			uint32_t type, padding;
			uint64_t name;
			uint32_t name_len, offset;
			uint64_t address, missed;
		} perf;
		uint64_t all[16];
	};
};

#define LINK_PERF 7
#define LINK_KPROBE_MULTI 8
#define PERF_KPROBE 3
#define PERF_KRETPROBE 4

/* What the kernel says that a kprobe's link did not run. */
static uint64_t link_missed(const struct probe_link *l)
{
	struct link_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd = l->link ? bpf_link__fd(l->link) : l->fd;

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return 0;
	if (info.type == LINK_KPROBE_MULTI)
		return info.multi.missed;
	if (info.type == LINK_PERF && (info.perf.type == PERF_KPROBE || info.perf.type == PERF_KRETPROBE))
		return info.perf.missed;
	return 0;
}

/* Runs the kernel skipped because the same program was already running on that CPU, or that had no memory. */
static uint64_t missed_runs_read(const struct session *s)
{
	uint64_t sum = s->skipped_runs + counter_read(s, COUNTER_MISSED);

	for (uint32_t i = 0; i < s->module->programs.n; i++) {
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);

		if (!s->programs[i] || s->module->programs.v[i].kind->run != RUN_ATTACHED)
			continue;
		if (!bpf_obj_get_info_by_fd(bpf_program__fd(s->programs[i]), &info, &len))
			sum += info.recursion_misses;
	}
	vec_each(l, &s->links)
		if (!l->returns)
			sum += link_missed(l);
	return sum;
}

/* The kernel has only so many blocks that wait for returns (of kretprobe). */
static uint64_t unseen_calls_read(const struct session *s)
{
	uint64_t sum = 0;

	vec_each(l, &s->links)
		if (l->returns)
			sum += link_missed(l);
	return sum;
}

static void losses_read_events(struct session *s)
{
	s->losses[LOSS_EVENTS].total = counter_read(s, COUNTER_LOST);
}

static void losses_read_maps(struct session *s)
{
	for (uint32_t i = 0; i < s->module->maps.n; i++)
		s->losses[LOSS_MAPS + i].total = counter_read(s, COUNTER_MAPS + i);
}

static void losses_read_rest(struct session *s)
{
	s->losses[LOSS_FAULTS].total = counter_read(s, COUNTER_FAULTS);
	s->losses[LOSS_TRUNCATED].total = counter_read(s, COUNTER_TRUNCATED);
	s->losses[LOSS_LOOPS].total = counter_read(s, COUNTER_LOOPS);
	s->losses[LOSS_DELETES].total = counter_read(s, COUNTER_DELETES);
	s->losses[LOSS_MISSED].total = missed_runs_read(s);
	s->losses[LOSS_CALLS].total = unseen_calls_read(s);
	s->losses[LOSS_CORRUPT].total = s->corrupt;
}

static void map_text(struct strbuf *text, const struct loss *l, const struct map_handle *map, uint64_t n)
{
	strbuf_addf(text, "Map full; can't update element: %llu update%s of %s %s refused; raise max_map_keys "
		    "(now %u), or declare the map with more entries", (unsigned long long)n, n == 1 ? "" : "s", l->map,
		    n == 1 ? "was" : "were", map->max_entries);
	/* Entries are then made one by one, of memory that the kernel keeps at hand for that. */
	if (map->grows)
		strbuf_addstr(text, "; or so many new ones came at once that the kernel had no memory ready");
}

static void loss_describe(const struct session *s, const struct loss *l, uint64_t n, struct strbuf *text)
{
	unsigned long long count = n;
	const char *plural = n == 1 ? "" : "s";

	switch (MIN(l - s->losses, LOSS_MAPS)) {
	case LOSS_EVENTS:
		strbuf_addf(text, "%llu event%s found the ring buffer full; raise perf_rb_pages, or print less",
			    count, plural);
		break;
	case LOSS_FAULTS:
		strbuf_addf(text, "%llu read%s of memory that was not there gave zeros", count, plural);
		break;
	case LOSS_TRUNCATED:
		strbuf_addf(text, "%llu string%s cut; raise max_strlen (now %u)", count, n == 1 ? " was" : "s were",
			    s->module->config.max_strlen);
		break;
	case LOSS_LOOPS:
		strbuf_addf(text, "%llu loop%s had more turns than the 8388608 that the kernel does", count, plural);
		break;
	case LOSS_DELETES:
		strbuf_addf(text, "%llu delete%s found no entry of that key", count, plural);
		break;
	case LOSS_MISSED:
		strbuf_addf(text, "%llu run%s of programs %s skipped", count, plural, n == 1 ? "was" : "were");
		break;
	case LOSS_CALLS:
		strbuf_addf(text, "%llu call%s of functions %s not seen: too many waited for their return at once, which only "
			    "fexit is always ready for", count, plural, n == 1 ? "was" : "were");
		break;
	case LOSS_CORRUPT:
		strbuf_addf(text, "%llu event%s could not be understood; this is a bug in sonde", count, plural);
		break;
	default:
		map_text(text, l, &s->maps[l - s->losses - LOSS_MAPS], n);
	}
}

static void loss_tell(struct session *s, struct loss *l)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	uint64_t n = l->total - l->told;
	struct record rec = { .kind = REC_LOST, .label = l->label, .number = n };

	if (l->total <= l->told)
		return;
	l->told = l->total;
	loss_describe(s, l, n, &text);
	rec.text = text.s;
	rec.text_len = text.len;
	record_emit(s, &rec);
}

void losses_tell(struct session *s, bool all)
{
	uint64_t now = clock_ns();

	if (s->module->uses_ring)
		losses_read_events(s);
	if (all || now - s->losses_read_ns >= TELL_EVERY_NS) {
		s->losses_read_ns = now;
		losses_read_maps(s);
	}
	if (all)
		losses_read_rest(s);
	for (size_t i = 0; i < s->nlosses; i++)
		loss_tell(s, &s->losses[i]);
}

void session_losses(const struct session *s, struct session_losses *out)
{
	*out = (struct session_losses){
		.events_lost = counter_read(s, COUNTER_LOST),
		.faults = counter_read(s, COUNTER_FAULTS),
		.truncated = counter_read(s, COUNTER_TRUNCATED),
		.missed_runs = missed_runs_read(s) + unseen_calls_read(s),
	};
	for (uint32_t i = 0; i < s->module->maps.n; i++)
		out->map_refused += counter_read(s, COUNTER_MAPS + i);
}
