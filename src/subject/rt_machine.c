/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rt_machine: the checklist of the machine: one entry for each item. */
#include "subject/rt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "base/util.h"

/* A processor that sleeps deeper than this wakes up too late for most. */
#define IDLE_MOST_US 20
#define CPU_DIR "/sys/devices/system/cpu"

struct finding {
	enum verdict_is is;
	struct strbuf found, details;
};

struct machine_item {
	const char *name, *title, *remedy;
	void (*look)(struct rt *rt, struct finding *f);
};

static void set(struct finding *f, enum verdict_is is, const char *found)
{
	f->is = is;
	strbuf_reset(&f->found);
	strbuf_addstr(&f->found, found);
}

/* The processors that count: those of realtime threads, or all when there are none. */
static int cpus_of(struct rt *rt, cpu_set_t *out)
{
	_cleanup_strbuf_ struct strbuf online = STRBUF_INIT;
	cpu_set_t all, own;

	if (file_read(&online, CPU_DIR "/online") || !cpu_list_parse(online.s, &all))
		return 0;
	rt_cpus(rt, &own);
	CPU_AND(out, &own, &all);
	if (!CPU_COUNT(out))
		*out = all;
	return CPU_COUNT(&all);
}

/* Text of a file, without its newline; errors leave it empty. */
static const char *word(struct strbuf *b, const char *path)
{
	if (file_read(b, path))
		strbuf_reset(b);
	return text_trim(b);
}

static void look_preempt(struct rt *rt, struct finding *f)
{
	struct utsname u;
	uint64_t realtime = 0;

	(void)rt;
	file_u64(&realtime, "/sys/kernel/realtime");
	if (uname(&u))
		set(f, VERDICT_UNSEEN, "uname() failed");
	else if (realtime || strstr(u.version, "PREEMPT_RT"))
		set(f, VERDICT_PASS, u.release);
	else {
		set(f, VERDICT_FAIL, "");
		strbuf_addf(&f->found, "%s is no PREEMPT_RT kernel", u.release);
	}
}

static void look_throttling(struct rt *rt, struct finding *f)
{
	_cleanup_strbuf_ struct strbuf us = STRBUF_INIT;

	(void)rt;
	word(&us, "/proc/sys/kernel/sched_rt_runtime_us");
	if (!us.len)
		set(f, VERDICT_UNSEEN, "sched_rt_runtime_us cannot be read");
	else if (us.s[0] == '-')
		set(f, VERDICT_PASS, "realtime threads are not held back");
	else {
		set(f, VERDICT_FAIL, "");
		strbuf_addf(&f->found, "realtime threads are held back after %s us of each period", us.s);
	}
}

static void look_governor(struct rt *rt, struct finding *f)
{
	cpu_set_t cpus;
	size_t seen = 0;

	if (!cpus_of(rt, &cpus))
		set(f, VERDICT_UNSEEN, CPU_DIR "/online cannot be read");
	for (int c = 0; c < CPU_SETSIZE && f->is != VERDICT_UNSEEN; c++) {
		_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;

		if (!CPU_ISSET(c, &cpus) || file_readf(&name, CPU_DIR "/cpu%d/cpufreq/scaling_governor", c))
			continue;
		seen++;
		if (!str_eq(text_trim(&name), "performance"))
			strbuf_addf(&f->details, "processor %d: %s\n", c, name.s);
	}
	if (!seen)
		set(f, VERDICT_UNSEEN, "the kernel does not set the frequency here; firmware or a hypervisor may");
	else if (f->details.len)
		set(f, VERDICT_FAIL, "frequencies change with the load");
	else
		set(f, VERDICT_PASS, "performance");
}

/* The bound that somebody holds /dev/cpu_dma_latency open with, in microseconds; negative: not known. */
static long dma_latency_us(void)
{
	_cleanup_close_ int fd = open("/dev/cpu_dma_latency", O_RDONLY | O_CLOEXEC);
	int32_t us = 0;

	return fd >= 0 && read(fd, &us, sizeof(us)) == sizeof(us) ? us : -1;
}

/* The states of one processor that take too long to leave. Returns how many states it has. */
static size_t states_look(int cpu, struct strbuf *details)
{
	size_t n = 0;

	for (;; n++) {
		_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
		uint64_t latency = 0, disabled = 0;

		if (file_u64(&latency, CPU_DIR "/cpu%d/cpuidle/state%zu/latency", cpu, n))
			return n;
		file_u64(&disabled, CPU_DIR "/cpu%d/cpuidle/state%zu/disable", cpu, n);
		if (latency <= IDLE_MOST_US || disabled)
			continue;
		file_readf(&name, CPU_DIR "/cpu%d/cpuidle/state%zu/name", cpu, n);
		strbuf_addf(details, "processor %d: %s takes %llu us to leave\n", cpu, text_trim(&name), (unsigned long long)latency);
	}
}

static void look_idle(struct rt *rt, struct finding *f)
{
	long us = dma_latency_us();
	cpu_set_t cpus;
	size_t states = 0;

	if (us >= 0 && us <= IDLE_MOST_US) {
		set(f, VERDICT_PASS, "");
		strbuf_addf(&f->found, "/dev/cpu_dma_latency is held at %ld us", us);
		return;
	}
	if (cpus_of(rt, &cpus))
		for (int c = 0; c < CPU_SETSIZE; c++)
			if (CPU_ISSET(c, &cpus))
				states += states_look(c, &f->details);
	if (f->details.len)
		set(f, VERDICT_FAIL, "processors may sleep too deep");
	else if (states)
		set(f, VERDICT_PASS, "no deep state can be entered");
	else
		set(f, VERDICT_UNSEEN, "the kernel does not choose how processors sleep here; a hypervisor may");
}

static void look_huge_pages(struct rt *rt, struct finding *f)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	(void)rt;
	word(&text, "/sys/kernel/mm/transparent_hugepage/enabled");
	if (!text.len)
		set(f, access("/sys/kernel/mm", F_OK) ? VERDICT_UNSEEN : VERDICT_PASS,
		    access("/sys/kernel/mm", F_OK) ? "/sys/kernel/mm cannot be read" : "the kernel has none");
	else if (strstr(text.s, "[always]"))
		set(f, VERDICT_FAIL, "pages are put together behind the back of everybody: always");
	else
		set(f, VERDICT_PASS, strstr(text.s, "[never]") ? "never" : "only where a program asks for them");
}

static void look_swap(struct rt *rt, struct finding *f)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const char *second;

	(void)rt;
	if (file_read(&text, "/proc/swaps")) {
		set(f, VERDICT_PASS, "the kernel has none");
		return;
	}
	second = strchr(text_trim(&text), '\n');
	set(f, second ? VERDICT_FAIL : VERDICT_PASS, second ? "swap is on" : "none");
	if (second)
		strbuf_addf(&f->details, "%s\n", second + 1);
}

static void look_timer_migration(struct rt *rt, struct finding *f)
{
	uint64_t on;
	cpu_set_t cpus;

	if (cpus_of(rt, &cpus) == 1)
		set(f, VERDICT_PASS, "there is one processor");
	else if (file_u64(&on, "/proc/sys/kernel/timer_migration"))
		set(f, VERDICT_UNSEEN, "timer_migration cannot be read");
	else
		set(f, on ? VERDICT_FAIL : VERDICT_PASS, on ? "timers move to processors that are awake" : "timers stay where they were set");
}

static void look_smt(struct rt *rt, struct finding *f)
{
	uint64_t on;

	(void)rt;
	if (file_u64(&on, CPU_DIR "/smt/active"))
		set(f, VERDICT_UNSEEN, CPU_DIR "/smt/active cannot be read");
	else
		set(f, on ? VERDICT_FAIL : VERDICT_PASS, on ? "two threads share a core" : "every processor has its core for itself");
}

static void look_isolation(struct rt *rt, struct finding *f)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	cpu_set_t isolated, cpus, both;

	if (cpus_of(rt, &cpus) == 1) {
		set(f, VERDICT_UNSEEN, "the machine has one processor");
		return;
	}
	if (file_read(&text, CPU_DIR "/isolated")) {
		set(f, VERDICT_UNSEEN, CPU_DIR "/isolated cannot be read");
		return;
	}
	cpu_list_parse(text.s, &isolated);
	CPU_AND(&both, &isolated, &cpus);
	strbuf_reset(&text);
	cpu_list_text(&cpus, &text);
	set(f, CPU_EQUAL(&both, &cpus) ? VERDICT_PASS : VERDICT_FAIL, "");
	strbuf_addf(&f->found, "processors %s are %sisolated from other work", text.s, f->is == VERDICT_PASS ? "" : "not ");
}

static void look_caches(struct rt *rt, struct finding *f)
{
	cpu_set_t cpus, shared, rest;
	size_t seen = 0;

	if (cpus_of(rt, &cpus) == 1) {
		set(f, VERDICT_UNSEEN, "the machine has one processor");
		return;
	}
	for (int c = 0; c < CPU_SETSIZE; c++) {
		for (int index = 0; CPU_ISSET(c, &cpus); index++) {
			_cleanup_strbuf_ struct strbuf list = STRBUF_INIT, others = STRBUF_INIT;
			uint64_t level = 0;

			if (file_u64(&level, CPU_DIR "/cpu%d/cache/index%d/level", c, index))
				break;
			if (file_readf(&list, CPU_DIR "/cpu%d/cache/index%d/shared_cpu_list", c, index) ||
			    !cpu_list_parse(list.s, &shared))
				continue;
			seen++;
			CPU_XOR(&rest, &shared, &cpus);
			CPU_AND(&rest, &rest, &shared);
			if (level > 2 || !CPU_COUNT(&rest))
				continue;
			cpu_list_text(&rest, &others);
			strbuf_addf(&f->details, "processor %d shares its cache of level %llu with %s\n", c, (unsigned long long)level,
				    others.s);
		}
	}
	if (!seen)
		set(f, VERDICT_UNSEEN, "the kernel does not know the caches");
	else
		set(f, f->details.len ? VERDICT_FAIL : VERDICT_PASS,
		    f->details.len ? "other work can drive it out of the cache" : "levels 1 and 2 are its own");
}

/* ---- /proc/interrupts ---- */

/* How often the interrupt of this line has come on these processors; columns[] are the processors of the columns. */
static uint64_t line_sum(const char *p, const int *columns, size_t n, const cpu_set_t *cpus)
{
	uint64_t sum = 0;

	p = strchr(p, ':');
	for (size_t i = 0; p && i < n; i++) {
		char *end;
		uint64_t count = strtoull(p + 1, &end, 10);

		if (end == p + 1)
			break;
		sum += CPU_ISSET(columns[i], cpus) ? count : 0;
		p = end - 1 + (*end == ' ');
	}
	return sum;
}

static size_t columns_read(const char *text, int *columns, size_t most)
{
	const char *eol = text + strcspn(text, "\n");
	size_t n = 0;

	for (const char *p = strstr(text, "CPU"); p && p < eol && n < most; p = strstr(p + 1, "CPU"))
		columns[n++] = (int)strtol(p + 3, NULL, 10);
	return n;
}

/* The line that begins with the same number or word. */
static const char *line_find(const char *text, const char *line)
{
	size_t len = strcspn(line, ":") + 1;

	for (const char *p = strchr(text, '\n'); p && p[1]; p = strchr(p + 1, '\n'))
		if (!strncmp(p + 1, line, len))
			return p + 1;
	return NULL;
}

/* Call it for each interrupt that came during the run. NMI: non-maskable ones; else those of devices. */
static uint64_t interrupts_since(struct rt *rt, const cpu_set_t *cpus, bool nmi, struct strbuf *details)
{
	int columns[CPU_SETSIZE];
	size_t n = columns_read(rt->interrupts_after.s, columns, ARRAY_SIZE(columns));
	uint64_t all = 0;

	for (const char *p = strchr(rt->interrupts_after.s, '\n'); p && p[1]; p = strchr(p + 1, '\n')) {
		const char *line = p + 1, *before, *name = line + strspn(line, " ");
		uint64_t since;

		if (nmi ? !str_starts(name, "NMI:") : *name < '0' || *name > '9')
			continue;
		before = line_find(rt->interrupts_before.s, line);
		since = line_sum(line, columns, n, cpus) - (before ? line_sum(before, columns, n, cpus) : 0);
		if (since) {
			const char *eol = line + strcspn(line, "\n"), *last = eol;

			while (last > line && last[-1] != ' ')
				last--;
			strbuf_addf(details, "%.*s %.*s: %llu\n", (int)strcspn(name, ":"), name, (int)(eol - last), last,
				    (unsigned long long)since);
		}
		all += since;
	}
	return all;
}

static void look_interrupts(struct rt *rt, struct finding *f)
{
	cpu_set_t cpus;
	uint64_t n;

	if (cpus_of(rt, &cpus) == 1) {
		set(f, VERDICT_UNSEEN, "the machine has one processor");
		return;
	}
	if (!rt->interrupts_before.len || !rt->interrupts_after.len) {
		set(f, VERDICT_UNSEEN, "/proc/interrupts cannot be read");
		return;
	}
	n = interrupts_since(rt, &cpus, false, &f->details);
	set(f, n ? VERDICT_FAIL : VERDICT_PASS, n ? "" : "none came");
	if (n)
		strbuf_addf(&f->found, "%llu came on the processors of realtime threads", (unsigned long long)n);
}

static void look_nmi(struct rt *rt, struct finding *f)
{
	uint64_t watchdog = 0, n;
	cpu_set_t cpus;
	bool known = !file_u64(&watchdog, "/proc/sys/kernel/nmi_watchdog");

	cpus_of(rt, &cpus);
	n = rt->interrupts_before.len ? interrupts_since(rt, &cpus, true, &f->details) : 0;
	if (n || watchdog)
		set(f, VERDICT_FAIL, n ? "they came during the audit" : "the watchdog uses them");
	else if (!known && !rt->interrupts_before.len)
		set(f, VERDICT_UNSEEN, "neither nmi_watchdog nor /proc/interrupts can be read");
	else
		set(f, VERDICT_PASS, "none came, and no watchdog uses them");
}

static const struct machine_item items[] = {
	{ "preempt-rt", "The kernel can be preempted nearly everywhere", "a kernel with PREEMPT_RT", look_preempt },
	{ "rt-throttling", "Realtime threads get all the time they need", "sysctl kernel.sched_rt_runtime_us=-1", look_throttling },
	{ "governor", "Frequencies stay as they are", "the performance governor", look_governor },
	{ "idle-states", "Processors do not sleep deep", "hold /dev/cpu_dma_latency open with 0 in it", look_idle },
	{ "huge-pages", "Pages are not put together unasked", "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled", look_huge_pages },
	{ "swap", "Nothing is swapped out", "swapoff -a", look_swap },
	{ "timer-migration", "Timers stay on their processor", "sysctl kernel.timer_migration=0", look_timer_migration },
	{ "nmi", "No non-maskable interrupts", "sysctl kernel.nmi_watchdog=0", look_nmi },
	{ "smt", "A core for each processor", "nosmt, or leave the other thread of the core empty", look_smt },
	{ "isolation", "Its processors do nothing else", "isolcpus=, nohz_full=, or a cpuset partition of type isolated", look_isolation },
	{ "interrupts", "Devices interrupt other processors", "/proc/irq/*/smp_affinity, irqaffinity=", look_interrupts },
	{ "caches", "Near caches are not shared with other work", "realtime threads on cores of their own", look_caches },
};

void rt_machine_items(struct rt *rt)
{
	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		struct finding f = { .found = STRBUF_INIT, .details = STRBUF_INIT };
		struct verdict v = { .item = items[i].name, .title = items[i].title, .remedy = items[i].remedy };
		_cleanup_json_ struct json j = JSON_INIT;

		if (rt_skipped(rt, items[i].name))
			continue;
		items[i].look(rt, &f);
		if (f.details.len) {
			json_object(&j, NULL);
			json_text(&j, "details", f.details.s);
			json_end(&j);
		}
		v.is = f.is;
		v.found = f.found.s;
		v.details = f.is == VERDICT_FAIL ? f.details.s : NULL;
		v.evidence = &j;
		verdict(rt->run, &v);
		strbuf_free(&f.found);
		strbuf_free(&f.details);
	}
}
