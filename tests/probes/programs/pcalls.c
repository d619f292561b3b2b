/* build: -O1 */
/* System calls with arguments that are known: pcalls [COUNT] makes as many kill(0 of nobody). */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 1;

	/* No process has this number and there is no such signal, so that nothing is changed. */
	for (int i = 0; i < count; i++)
		syscall(SYS_tgkill, 0x7ffffff1, 0x7ffffff2, 0);
	return 0;
}
