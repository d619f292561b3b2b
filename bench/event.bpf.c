/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a person would write in C for the questions that bench.py measures per event: one program each, named after
 * its row. They do what sonde's do, counting refused updates included.
 */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

#define MAP(name, kind, key_type, value_type, entries)                                                                \
	struct {                                                                                                      \
		__uint(type, kind);                                                                                   \
		__uint(max_entries, entries);                                                                         \
		__type(key, key_type);                                                                                \
		__type(value, value_type);                                                                            \
	} name SEC(".maps")

#define MOST_KEYS 4096

struct name {
	char s[16];
};

struct pid_name {
	__u32 pid;
	char s[16];
};

struct stats {
	__u64 sum, n;
};

struct log_hist {
	__u64 buckets[66];
};

struct linear_hist {
	__u64 buckets[52];
};

__u64 refused;

static void refuse_if(long err)
{
	if (err)
		__sync_fetch_and_add(&refused, 1);
}

SEC("raw_tp/sys_enter")
int empty(void *ctx)
{
	return 0;
}

/* Without a key the last word says that something was counted: nothing is shown otherwise. */
struct counted {
	__u64 n, set;
};

MAP(count_map, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct counted, 1);

static void count_one(void)
{
	__u32 zero = 0;
	struct counted *c = bpf_map_lookup_elem(&count_map, &zero);

	if (c) {
		c->set = 1;
		c->n++;
	}
}

SEC("raw_tp/sys_enter")
int count(void *ctx)
{
	count_one();
	return 0;
}

SEC("raw_tp/sys_enter")
int count_pid(void *ctx)
{
	if (bpf_get_current_pid_tgid() >> 32 == 1)
		count_one();
	return 0;
}

SEC("raw_tp/sys_enter")
int count_comm(void *ctx)
{
	struct name comm;

	bpf_get_current_comm(&comm, sizeof(comm));
	if (comm.s[0] == 'd' && comm.s[1] == 'd' && !comm.s[2])
		count_one();
	return 0;
}

MAP(by_comm_map, BPF_MAP_TYPE_PERCPU_HASH, struct name, __u64, MOST_KEYS);

SEC("raw_tp/sys_enter")
int by_comm(void *ctx)
{
	__u64 *n, one = 1;
	struct name comm;

	bpf_get_current_comm(&comm, sizeof(comm));
	n = bpf_map_lookup_elem(&by_comm_map, &comm);
	if (n)
		++*n;
	else
		refuse_if(bpf_map_update_elem(&by_comm_map, &comm, &one, BPF_ANY));
	return 0;
}

MAP(by_pid_comm_map, BPF_MAP_TYPE_PERCPU_HASH, struct pid_name, __u64, MOST_KEYS);

SEC("raw_tp/sys_enter")
int by_pid_comm(void *ctx)
{
	struct pid_name key;
	__u64 *n, one = 1;

	key.pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(key.s, sizeof(key.s));
	n = bpf_map_lookup_elem(&by_pid_comm_map, &key);
	if (n)
		++*n;
	else
		refuse_if(bpf_map_update_elem(&by_pid_comm_map, &key, &one, BPF_ANY));
	return 0;
}

struct log_hist_counted {
	struct log_hist h;
	__u64 set;
};

MAP(hist_map, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct log_hist_counted, 1);

static __u32 log_bucket(__s64 v)
{
	__u64 rest = v, top = 2;

	if (v < 0)
		return 0;
	if (!v)
		return 1;
#pragma unroll
	for (int half = 32; half > 1; half /= 2) {
		if (rest >= 1ULL << half) {
			rest >>= half;
			top += half;
		}
	}
	return top + (rest >> 1);
}

static void hist_add(__s64 v)
{
	__u32 zero = 0, bucket = log_bucket(v);
	struct log_hist_counted *h = bpf_map_lookup_elem(&hist_map, &zero);

	if (h && bucket < 66) {
		h->set = 1;
		h->h.buckets[bucket]++;
	}
}

SEC("raw_tp/sys_enter")
int hist(struct bpf_raw_tracepoint_args *ctx)
{
	hist_add(ctx->args[1]);
	return 0;
}

struct linear_hist_counted {
	struct linear_hist h;
	__u64 set;
};

MAP(lhist_map, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct linear_hist_counted, 1);

SEC("raw_tp/sys_enter")
int lhist(struct bpf_raw_tracepoint_args *ctx)
{
	struct linear_hist_counted *h;
	__s64 v = ctx->args[1];
	__u64 bucket = 0;
	__u32 zero = 0;

	h = bpf_map_lookup_elem(&lhist_map, &zero);
	if (!h)
		return 0;
	h->set = 1;
	if (v >= 0) {
		bucket = (__u64)v / 10 + 1;
		if (bucket > 51)
			bucket = 51;
	}
	h->h.buckets[bucket]++;
	return 0;
}

MAP(stats_map, BPF_MAP_TYPE_PERCPU_HASH, struct name, struct stats, MOST_KEYS);

SEC("raw_tp/sys_enter")
int stats(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 v = ctx->args[1];
	struct name comm;
	struct stats *s;

	bpf_get_current_comm(&comm, sizeof(comm));
	s = bpf_map_lookup_elem(&stats_map, &comm);
	if (s) {
		s->sum += v;
		s->n++;
	} else {
		struct stats first = { v, 1 };

		refuse_if(bpf_map_update_elem(&stats_map, &comm, &first, BPF_ANY));
	}
	return 0;
}

MAP(store_map, BPF_MAP_TYPE_HASH, __u32, __u64, MOST_KEYS);

SEC("raw_tp/sys_enter")
int store(void *ctx)
{
	__u64 now = bpf_ktime_get_boot_ns();
	__u32 tid = bpf_get_current_pid_tgid();

	refuse_if(bpf_map_update_elem(&store_map, &tid, &now, BPF_ANY));
	return 0;
}

__u64 not_there;

SEC("raw_tp/sys_exit")
int latency(void *ctx)
{
	__u64 now = bpf_ktime_get_boot_ns(), *begun;
	__u32 tid = bpf_get_current_pid_tgid();

	begun = bpf_map_lookup_elem(&store_map, &tid);
	hist_add(now - (begun ? *begun : 0));
	if (bpf_map_delete_elem(&store_map, &tid))
		__sync_fetch_and_add(&not_there, 1);
	return 0;
}

/* The stack itself is the key: numbers of stacks are lost where two have the same hash. */
struct stack_key {
	__u32 n, pad;
	__u64 frames[131];
};

MAP(stack_room, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct stack_key, 1);
MAP(stack_map, BPF_MAP_TYPE_PERCPU_HASH, struct stack_key, __u64, MOST_KEYS);

SEC("perf_event")
int kstack(void *ctx)
{
	struct stack_key *key;
	__u64 *n, one = 1;
	__u32 zero = 0;
	long bytes;

	key = bpf_map_lookup_elem(&stack_room, &zero);
	if (!key)
		return 0;
	bytes = bpf_get_stack(ctx, key->frames, 127 * 8, 0);
	key->n = bytes > 0 ? (__u64)bytes / 8 : 0;
	n = bpf_map_lookup_elem(&stack_map, key);
	if (n)
		++*n;
	else
		refuse_if(bpf_map_update_elem(&stack_map, key, &one, BPF_ANY));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
