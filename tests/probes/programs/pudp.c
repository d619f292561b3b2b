/* build: -O1 */
/* Sends COUNT datagrams of 100 bytes to a port of 127.0.0.1 that nobody listens on. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char data[100] = "sonde";

	for (int i = argc > 1 ? atoi(argv[1]) : 1; i; i--) {
		int fd = socket(AF_INET, SOCK_DGRAM, 0);

		if (sendto(fd, data, sizeof(data), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			return 1;
	}
	return 0;
}
