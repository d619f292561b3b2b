/* build: -O2 */
/* Numbers of kinds that cannot be read. */
#include <sys/sdt.h>

int main(int argc, char **argv)
{
	volatile float f = 1.5f;
	volatile double d = 2.5;

	(void)argv;
	DTRACE_PROBE3(kinds, floats, argc, f, d);
	return 0;
}
