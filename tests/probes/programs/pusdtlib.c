/* build: -O1 -shared -fPIC */
/* A library with a marker: its data is relative to where it is loaded. */
#include <sys/sdt.h>

static int calls = 40;

void pusdt_call(int n);

void pusdt_call(int n)
{
	calls++;
	DTRACE_PROBE2(library, call, n, *(volatile int *)&calls);
}
