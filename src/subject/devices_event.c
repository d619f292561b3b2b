/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices, the socket. The kernel sends "ACTION@DEVPATH" and properties, each ended by a zero byte; udev sends a header
 * that says where the properties are. Who is allowed to speak is checked: the kernel itself, or a process of root.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "base/util.h"
#include "subject/devices.h"

#define KERNEL_GROUP 1u
#define UDEV_GROUP 2u
#define UDEV_MAGIC 0xfeedcafeu
#define BUFFER_BYTES (16 << 20)

/* In the byte order of the machine, but for the magic number. */
struct udev_header {
	char prefix[8]; /* "libudev" */
	uint32_t magic, header_bytes, properties_at, properties_bytes;
	uint32_t hashes[4]; /* for filters */
};

const char *event_property(const struct device_event *e, const char *name)
{
	for (size_t i = 0; i < e->n; i++)
		if (str_eq(e->name[i], name))
			return e->value[i];
	return NULL;
}

int events_open(struct subject_run *r, bool kernel, bool udev)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK,
		.nl_groups = (kernel ? KERNEL_GROUP : 0) | (udev ? UDEV_GROUP : 0) };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT), on = 1, bytes = BUFFER_BYTES;

	if (fd < 0)
		return subject_fail(r, -errno, NULL,
				    "cannot open a socket for events of devices: %m");
	/* As large as it may be. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a))) {
		int err = subject_fail(r, -errno, NULL, "cannot listen to events of devices: %m");

		close(fd);
		return err;
	}
	return fd;
}

static bool is_trusted(const struct msghdr *m, const struct sockaddr_nl *from)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(m);
	struct ucred cred;

	/* Not meant for a group: some process writes to this socket. */
	if (!from->nl_groups || !c || c->cmsg_type != SCM_CREDENTIALS)
		return false;
	memcpy(&cred, CMSG_DATA(c), sizeof(cred));
	return from->nl_groups == KERNEL_GROUP ? !from->nl_pid : cred.uid == 0;
}

/* "NAME=value", each ended by a zero byte. */
static void add_properties(struct device_event *e, char *p, char *end)
{
	while (p < end) {
		char *eq = strchr(p, '=');
		size_t len = strlen(p);

		if (eq && e->n < EVENT_PROPERTIES) {
			*eq = 0;
			e->name[e->n] = p;
			e->value[e->n++] = eq + 1;
		} else if (eq) {
			e->left_out++;
		}
		p += len + 1;
	}
	e->action = event_property(e, "ACTION");
	e->devpath = event_property(e, "DEVPATH");
	e->subsystem = event_property(e, "SUBSYSTEM");
	e->driver = event_property(e, "DRIVER");
	if (event_property(e, "SEQNUM"))
		e->seqnum = strtoull(event_property(e, "SEQNUM"), NULL, 10);
}

static bool parse_udev(struct device_event *e, char *buf, size_t len)
{
	struct udev_header h;

	if (len < sizeof(h))
		return false;
	memcpy(&h, buf, sizeof(h));
	if (memcmp(h.prefix, "libudev", 8) || ntohl(h.magic) != UDEV_MAGIC ||
	    h.properties_at > len ||
	    h.properties_bytes > len - h.properties_at)
		return false;
	e->from_udev = true;
	add_properties(e, buf + h.properties_at, buf + h.properties_at + h.properties_bytes);
	return true;
}

static bool parse_kernel(struct device_event *e, char *buf, size_t len)
{
	size_t head = strlen(buf) + 1;

	if (!strchr(buf, '@') || head > len)
		return false;
	add_properties(e, buf + head, buf + len);
	return true;
}

int events_read(int fd, char *buf, size_t size, struct device_event *e)
{
	char control[CMSG_SPACE(sizeof(struct ucred))];
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { buf, size - 1 };
	struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov,
		.msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);
	bool good;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	memset(e, 0, sizeof(*e));
	e->at_ns = now_ns();
	buf[n] = 0;
	if (m.msg_flags & MSG_TRUNC || !is_trusted(&m, &from))
		return -EAGAIN;
	good = from.nl_groups == KERNEL_GROUP ? parse_kernel(e, buf, (size_t)n) :
		parse_udev(e, buf, (size_t)n);
	return good && e->action && e->devpath ? 1 : -EAGAIN;
}
