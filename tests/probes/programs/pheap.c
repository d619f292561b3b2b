/* build: -O1 -g -fno-omit-frame-pointer */
/*
 * Uses memory in known ways, for the tools that show memory. Without a word it touches 1000 pages and loses
 * blocks: 50 of 1234 bytes, one of 4321, and one of 5000 that has been 3000 before.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <unistd.h>

#define PAGE 4096

__attribute__((noinline)) void touch_pages(volatile char *p, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		p[i * PAGE] = 1;
}

__attribute__((noinline)) void *leaks(void)
{
	return malloc(1234);
}

__attribute__((noinline)) void gives_back(void)
{
	free(malloc(2345));
}

static char *map(size_t bytes, int flags, int fd)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | flags : MAP_PRIVATE,
		       fd, 0);

	if (p == MAP_FAILED)
		exit(1);
	/* A huge page would make one fault of all of them. */
	if (!(flags & MAP_HUGETLB))
		madvise(p, bytes, MADV_NOHUGEPAGE);
	return p;
}

static void use_blocks(void)
{
	void *volatile lost[3];
	void *p;

	touch_pages(map(1000 * PAGE, 0, -1), 1000);
	for (int i = 0; i < 50; i++) {
		lost[0] = leaks();
		gives_back();
	}
	if (!posix_memalign(&p, 64, 4321))
		lost[1] = p;
	lost[2] = realloc(calloc(3, 1000), 5000);
	(void)lost;
}

static void report_faults(void)
{
	struct rusage usage;

	use_blocks();
	getrusage(RUSAGE_SELF, &usage);
	printf("minor faults: %ld\n", usage.ru_minflt);
}

static void use_shared(void)
{
	int id = shmget(IPC_PRIVATE, 2 * PAGE, IPC_CREAT | 0600);
	void *p = shmat(id, NULL, SHM_RDONLY);

	shmdt(p);
	shmdt((void *)PAGE);
	shmctl(id, IPC_RMID, NULL);
}

/* Twice round, so that in little memory what is touched first has to come back. */
static void use_twice(size_t bytes)
{
	char *p = map(bytes, 0, -1);

	touch_pages(p, bytes / PAGE);
	touch_pages(p, bytes / PAGE);
}

static void use_file(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		exit(1);
	touch_pages(map(16 * PAGE, 0, fd), 16);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "huge"))
		touch_pages(map(2 << 20, MAP_HUGETLB, -1), 1);
	else if (!strcmp(what, "faults"))
		report_faults();
	else if (!strcmp(what, "shm"))
		use_shared();
	else if (!strcmp(what, "large"))
		use_twice(128 << 20);
	else if (!strcmp(what, "swap"))
		use_twice(24 << 20);
	else if (!strcmp(what, "wait"))
		sleep(8);
	else if (*what)
		use_file(what);
	else
		use_blocks();
	return 0;
}
