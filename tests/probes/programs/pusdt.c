/* build: -O2 */
/* build o0: -O0 */
/* build nopie: -O2 -no-pie */
/* build nofp: -O2 -fomit-frame-pointer */
/* build size: -Os -fno-omit-frame-pointer */
/* build stripped: -O2 -s */
/* Markers with arguments of every size and sign, in registers, memory and constants, as compilers choose. */
#include <stdlib.h>
#include <string.h>
#include <sys/sdt.h>

struct things {
	signed char c;
	unsigned char uc;
	short s;
	unsigned short us;
	int i;
	unsigned int u;
	long l;
	unsigned long ul;
	const char *text;
};

static struct things fixed = { -1, 255, -2, 65535, -3, 4294967295u, -4, -1ul, "fixed" };
struct things global = { -11, 245, -12, 65524, -13, 4294967283u, -14, -14ul, "global" };

__attribute__((noipa)) static void in_registers(signed char c, unsigned char uc, short s, unsigned short us, int i,
						   unsigned u)
{
	DTRACE_PROBE6(forms, small, c, uc, s, us, i, u);
}

__attribute__((noipa)) static void in_words(long l, unsigned long ul, const char *text, char **argv)
{
	DTRACE_PROBE4(forms, words, l, ul, text, argv[0] + strlen(argv[0]) - 5);
}

__attribute__((noipa)) static void in_struct(volatile struct things *t)
{
	DTRACE_PROBE9(forms, member, t->c, t->uc, t->s, t->us, t->i, t->u, t->l, t->ul, t->text);
}

__attribute__((noipa)) static void in_array(volatile int *numbers, long n)
{
	DTRACE_PROBE2(forms, element, numbers[n], numbers[n + 1]);
}

__attribute__((noipa)) static void on_stack(int first)
{
	volatile int many[20];

	for (int i = 0; i < 20; i++)
		many[i] = first * i;
	DTRACE_PROBE3(forms, local, many[3], many[19], &many[2]);
}

static inline __attribute__((always_inline)) void inlined(int where, long value)
{
	DTRACE_PROBE2(sites, inlined, where, value);
}

int main(int argc, char **argv)
{
	int numbers[] = { 10, 20, -30, 40 };

	/* A page that nobody has touched so far is not there for the tracer either. */
	*(volatile const char *)global.text;
	in_registers(-1, 200, -300, 40000, -50000, 3000000000u);
	in_words(-5000000000, 10000000000000000000ul, "text", argv);
	in_struct(&global);
	in_array(numbers, argc + 1);
	on_stack(-7);
	DTRACE_PROBE9(forms, globals, fixed.c, global.uc, global.s, global.us, global.i, global.u, global.l, global.ul,
		      global.text);
	DTRACE_PROBE5(forms, constants, -5, 5u, 'c', 1L << 40, (unsigned short)65535);
	DTRACE_PROBE(forms, none);
	DTRACE_PROBE12(forms, twelve, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, argc);
	/* One name at several places, each with its arguments elsewhere. */
	inlined(1, -9);
	inlined(argc + 1, global.l);
	inlined(3, strtol("77", NULL, 10));
	return 0;
}
