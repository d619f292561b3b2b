/* build: -O1 */
/* What is known of files and of the process itself: pfiles FILE makes the file, gives it 4321 bytes, tries that with a
 * directory, which the kernel refuses (EISDIR), and removes the file. */
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = argc > 1 ? open(argv[1], O_CREAT | O_RDWR, 0600) : -1;

	if (fd < 0 || truncate(argv[1], 4321) || !truncate("/tmp", 77))
		return 1;
	syscall(SYS_setresuid, -1, 1234, -1);
	syscall(SYS_geteuid);
	syscall(SYS_setresuid, -1, 0, -1);
	close(fd);
	return unlink(argv[1]) != 0;
}
