/* build: -O1 -g */
/* build nopie: -O1 -no-pie -fno-pie */
/* build nofp: -O2 -fomit-frame-pointer */
/* build fp: -O1 -fno-omit-frame-pointer */
/* build static: -O1 -static */
/* build stripped: -O1 -s -rdynamic */
/* Functions with arguments that are known, called once for each turn: ufuncs [TURNS [MILLISECONDS]]. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone))

int counter = 7;
unsigned char flag = 200;
unsigned short port = 8080;
unsigned long long total = 1234567890123;
/* Written to, so that its page is there when a probe looks. */
char text[16] = "text";

NOINLINE long ten(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j)
{
	__asm__ volatile("" ::: "memory");
	return a + b + c + d + e + f + g + h + i + j;
}

NOINLINE int words(const char *s, int n)
{
	__asm__ volatile("" ::: "memory");
	return s[0] + n;
}

static NOINLINE int hidden(int n)
{
	__asm__ volatile("" ::: "memory");
	return n * 2;
}

/* The same code under two names. */
NOINLINE int first_name(int n)
{
	__asm__ volatile("" ::: "memory");
	return n + 1;
}
int second_name(int n) __attribute__((alias("first_name")));

NOINLINE int outer(int n)
{
	int r = hidden(n);

	__asm__ volatile("" ::: "memory");
	return r + 1;
}

int main(int argc, char **argv)
{
	int turns = argc > 1 ? atoi(argv[1]) : 1, pause_ms = argc > 2 ? atoi(argv[2]) : 0;
	long sum = 0;

	text[0] = 'T';
	for (int i = 0; i < turns; i++) {
		sum += ten(11, 12, 13, 14, 15, 16, 17, 18, 19, 20) + words(text, i) + outer(i) + second_name(i);
		usleep(pause_ms * 1000U);
	}
	return sum == 1 ? 1 : 0;
}
