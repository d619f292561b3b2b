/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pressure_rules: the reasons to kill, the first that holds counts. Each says which oom_score_adj it may reach, as
 * Android's killer does it: what is merely slow spares what the person looks at; what ends in the kernel's own kill
 * spares nobody.
 */
#include "base/util.h"
#include "subject/pressure_kill.h"

/* Of those that stand in the background, by the numbers in use on Android. */
#define ADJ_BACKGROUND 201
#define SWAP_LOW_PERCENT 10
/* A task that stood still this long of the last second. */
#define STALL_MEDIUM_NS (70 * MS)
#define STALL_CRITICAL_NS (700 * MS)

bool swap_is_low(const struct domain *d)
{
	return d->swap_left < d->swap_total / 100 * SWAP_LOW_PERCENT || !d->swap_left;
}

uint64_t domain_end_ns(const struct domain *d)
{
	double seconds = d->fill_rate > 1 ? (double)(d->left + d->swap_left) / d->fill_rate : 1e9;

	return seconds < 1e9 ? (uint64_t)(seconds * 1e9) : UINT64_MAX;
}

static bool memory_is_low(const struct domain *d, const struct rule_facts *f)
{
	return d->left < MAX(d->reserve, f->floor_bytes);
}

/* Whatever else: this ends in the kernel's own kill. */
static bool exhausted(const struct domain *d, const struct rule_facts *f)
{
	if (swap_is_low(d) && d->left < f->floor_bytes)
		return true;
	return domain_end_ns(d) < f->horizon_ns;
}

static bool not_helped(const struct domain *d, const struct rule_facts *f)
{
	return f->killed_lately && swap_is_low(d) && memory_is_low(d, f);
}

static bool critical_stall(const struct domain *d, const struct rule_facts *f)
{
	/* A file that is read for the first time also stalls for memory, and has plenty of it. */
	return d->stalled_ns >= STALL_CRITICAL_NS && (d->left < 4 * MAX(d->reserve, f->floor_bytes) || d->thrash_percent > f->thrash_limit);
}

static bool low_swap_thrashing(const struct domain *d, const struct rule_facts *f)
{
	return d->swap_total && swap_is_low(d) && d->stalled_ns >= STALL_MEDIUM_NS && d->thrash_percent > f->thrash_limit;
}

static bool low_swap_low_memory(const struct domain *d, const struct rule_facts *f)
{
	return d->swap_total && swap_is_low(d) && d->stalled_ns >= STALL_MEDIUM_NS && memory_is_low(d, f);
}

static bool low_memory_thrashing(const struct domain *d, const struct rule_facts *f)
{
	return memory_is_low(d, f) && d->stalled_ns >= STALL_MEDIUM_NS && d->thrash_percent > f->thrash_limit;
}

static bool thrashing(const struct domain *d, const struct rule_facts *f)
{
	return d->stalled_ns >= STALL_CRITICAL_NS / 2 && d->thrash_percent > 2 * f->thrash_limit;
}

static const struct reason reasons[] = {
	{ "not-helped", "after a kill there is still too little", 0, not_helped },
	{ "exhausted", "memory and swap are at their end", 0, exhausted },
	{ "critical-stall", "a task stood still for most of a second", 0, critical_stall, true },
	{ "low-swap-thrashing", "swap is low and files are read in again and again", ADJ_BACKGROUND, low_swap_thrashing, true },
	{ "low-swap-low-memory", "swap and memory are low and tasks stand still", ADJ_BACKGROUND, low_swap_low_memory, true },
	{ "low-memory-thrashing", "memory is low and files are read in again and again", ADJ_BACKGROUND, low_memory_thrashing, true },
	{ "thrashing", "files are read in again and again while tasks stand still", ADJ_BACKGROUND, thrashing, true },
};

const struct reason *reason_find(const struct domain *d, const struct rule_facts *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (!(f->killed_lately && reasons[i].of_stalls) && reasons[i].holds(d, f))
			return &reasons[i];
	return NULL;
}
