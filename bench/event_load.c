/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event_load OBJECT PROGRAM: load and attach one program of the object, print its number in the kernel, and keep it
 * until standard input ends. A perf_event program is attached to a timer of 999 Hz on every CPU.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/perf_event.h>
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

int main(int argc, char **argv)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	struct bpf_program *prog, *wanted = NULL;
	struct bpf_object *obj;
	char byte;

	if (argc != 3 || !(obj = bpf_object__open(argv[1])))
		return 2;
	bpf_object__for_each_program(prog, obj) {
		if (!strcmp(bpf_program__name(prog), argv[2]))
			wanted = prog;
		else
			bpf_program__set_autoload(prog, false);
	}
	if (!wanted || bpf_object__load(obj))
		return 1;
	if (bpf_program__type(wanted) == BPF_PROG_TYPE_PERF_EVENT ? attach_timer(wanted) : !bpf_program__attach(wanted))
		return 1;
	if (bpf_obj_get_info_by_fd(bpf_program__fd(wanted), &info, &len))
		return 1;
	printf("%u\n", info.id);
	fflush(stdout);
	return read(0, &byte, 1) < 0;
}
