/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event_load OBJECT PROGRAM...: load and attach these programs of the object, and keep them until standard input
 * ends. A perf_event program is attached to a timer of 999 Hz on every CPU.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HZ 999

static int attach_timer(const struct bpf_program *prog)
{
	struct perf_event_attr attr = { .size = sizeof(attr), .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK,
					.freq = 1, .sample_freq = HZ };

	for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++) {
		int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

		if (fd < 0 || !bpf_program__attach_perf_event(prog, fd))
			return -1;
	}
	return 0;
}

static bool is_wanted(const struct bpf_program *prog, int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		if (!strcmp(bpf_program__name(prog), argv[i]))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	struct bpf_program *prog;
	struct bpf_object *obj;
	char byte;

	if (argc < 3 || !(obj = bpf_object__open(argv[1])))
		return 2;
	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, is_wanted(prog, argc, argv));
	if (bpf_object__load(obj))
		return 1;
	bpf_object__for_each_program(prog, obj) {
		if (!is_wanted(prog, argc, argv))
			continue;
		if (bpf_program__type(prog) == BPF_PROG_TYPE_PERF_EVENT ? attach_timer(prog) :
									  !bpf_program__attach(prog))
			return 1;
	}
	return read(0, &byte, 1) < 0;
}
