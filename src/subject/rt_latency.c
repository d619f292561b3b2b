/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rt_latency: how long the threads waited to run after they were woken, and how late after the time they had asked for. */
#include "subject/rt.h"

#include <stdio.h>

#include "base/util.h"

#define BAR 30

struct bucket {
	uint64_t min, max, count;
};

/* [{"min": 2, "max": 3, "count": 7}, ...] */
static size_t buckets_read(const char *p, struct bucket *out, size_t most)
{
	size_t n = 0;

	for (p = p ? strchr(p, '{') : NULL; p && n < most; p = strchr(p + 1, '{')) {
		const char *end = strchr(p, '}'), *min = strstr(p, "\"min\": "), *max = strstr(p, "\"max\": "),
			   *count = strstr(p, "\"count\": ");

		if (!end || !count || count > end)
			break;
		out[n++] = (struct bucket){
			.min = min && min < end ? strtoull(min + 7, NULL, 10) : 0,
			.max = max && max < end ? strtoull(max + 7, NULL, 10) : UINT64_MAX,
			.count = strtoull(count + 9, NULL, 10),
		};
	}
	return n;
}

static void bars(struct rt *rt, const char *title, const char *json)
{
	struct bucket b[64];
	size_t n = buckets_read(json, b, ARRAY_SIZE(b));
	uint64_t most = 1;

	for (size_t i = 0; i < n; i++)
		most = MAX(most, b[i].count);
	if (n)
		out_text(rt->run, "    %s, microseconds\n", title);
	for (size_t i = 0; i < n; i++) {
		char range[48], bar[BAR + 1] = "";

		memset(bar, '@', (size_t)(b[i].count * BAR / most));
		if (b[i].min == b[i].max)
			snprintf(range, sizeof(range), "%llu", (unsigned long long)b[i].min);
		else
			snprintf(range, sizeof(range), "%llu-%llu", (unsigned long long)b[i].min, (unsigned long long)b[i].max);
		out_text(rt->run, "    %16s %8llu |%s\n", range, (unsigned long long)b[i].count, bar);
	}
}

static void thread_json(struct rt *rt, const struct rt_thread *t)
{
	_cleanup_json_ struct json j = JSON_INIT;

	json_object(&j, NULL);
	json_i64(&j, "tid", t->tid);
	json_text(&j, "comm", t->comm);
	json_text(&j, "policy", policy_name(t->policy));
	json_i64(&j, "priority", t->priority);
	json_u64(&j, "worst_wakeup_ns", t->worst_ns);
	json_object(&j, "before_it_ran");
	json_i64(&j, "pid", t->worst_by_pid);
	json_text(&j, "comm", t->worst_by);
	json_end(&j);
	json_raw(&j, "wakeup_us", t->latency ? t->latency : "[]");
	if (t->late) {
		json_u64(&j, "worst_late_ns", t->worst_late_ns);
		json_raw(&j, "late_us", t->late);
	}
	json_end(&j);
	out_json(rt->run, "latency", &j);
}

void rt_latency_show(struct rt *rt)
{
	for (size_t i = 0; i < rt->nthreads; i++) {
		const struct rt_thread *t = &rt->thread[i];

		if (!t->begun)
			continue;
		out_text(rt->run, "\n%s[%d] %s %d: %.1f us from being woken to running at worst; before it ran %s[%d]\n", t->comm,
			 (int)t->tid, policy_name(t->policy), t->priority, (double)t->worst_ns / 1e3,
			 t->worst_by_pid ? t->worst_by : "nobody, the processor was idle", (int)t->worst_by_pid);
		bars(rt, "from being woken to running", t->latency);
		if (t->worst_late_ns)
			out_text(rt->run, "    %.1f us after the time it had asked for at worst\n", (double)t->worst_late_ns / 1e3);
		bars(rt, "from the time asked for to running", t->late);
		thread_json(rt, t);
	}
}
