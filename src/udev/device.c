/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device: what rules can ask a device for; real ones are read from sysfs. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/util.h"
#include "udev/udev.h"

#define DEEPEST 64 /* parents */

void udev_device_set(struct arena *a, struct strmap *m, const char *name, const char *value)
{
	strmap_put(a, m, name, arena_strdup(a, value));
}

/* A file of sysfs or the name that a link of it points to. */
static const char *sysfs_read(struct arena *a, const char *path)
{
	char buf[4096];
	struct stat st;
	ssize_t n;
	int fd;

	if (lstat(path, &st))
		return NULL;
	if (S_ISLNK(st.st_mode)) {
		n = readlink(path, buf, sizeof(buf) - 1);
		buf[n > 0 ? n : 0] = 0;
		return n > 0 ? arena_strdup(a, strrchr(buf, '/') ? strrchr(buf, '/') + 1 : buf) :
			NULL;
	}
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? "" : NULL;
	/* Some attributes block or act when they are read; those cannot be opened without waiting. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n < 0)
		return NULL;
	while (n && (buf[n - 1] == '\n' || buf[n - 1] == '\r'))
		n--;
	return arena_strndup(a, buf, (size_t)n);
}

/* "[subsystem/kernel]attr" names a file of another device. */
static const char *other_attr(struct arena *a, const char *name)
{
	const char *slash = strchr(name, '/'), *end = strchr(name, ']'), *value;
	int sub, dev;

	if (!slash || !end || slash > end)
		return NULL;
	sub = (int)(slash - name) - 1;
	dev = (int)(end - slash) - 1;
	end += end[1] == '/';
	value = sysfs_read(a, arena_printf(a, "/sys/bus/%.*s/devices/%.*s/%s", sub, name + 1, dev,
					   slash + 1, end + 1));
	return value ? value : sysfs_read(a, arena_printf(a, "/sys/class/%.*s/%.*s/%s", sub,
							  name + 1, dev, slash + 1, end + 1));
}

const char *udev_device_attr(struct arena *a, const struct udev_device *d, const char *name)
{
	const char *value;

	if (d->gone)
		return NULL;
	value = strmap_get(&d->attrs, name);
	if (value || !d->syspath)
		return value;
	return name[0] == '[' ? other_attr(a, name) :
		sysfs_read(a, arena_printf(a, "%s/%s", d->syspath, name));
}

static void read_uevent(struct arena *a, struct udev_device *d)
{
	const char *text = sysfs_read(a, arena_printf(a, "%s/uevent", d->syspath));

	while (text && *text) {
		size_t n = strcspn(text, "\n");
		char *line = arena_strndup(a, text, n), *eq = strchr(line, '=');

		if (eq) {
			*eq = 0;
			/* The kernel gives the node's name without its directory. */
			udev_device_set(a, &d->props, line, str_eq(line, "DEVNAME") &&
					eq[1] != '/' ?
					arena_printf(a, "/dev/%s", eq + 1) : eq + 1);
		}
		text += n + (text[n] == '\n');
	}
}

static struct udev_device *device_read(struct arena *a, char *syspath, unsigned depth)
{
	struct udev_device *d = arena_new_of(a, struct udev_device);
	char *slash;

	d->syspath = arena_strdup(a, syspath);
	d->devpath = d->syspath + strlen("/sys");
	d->kernel = strrchr(d->syspath, '/') + 1;
	d->subsystem = sysfs_read(a, arena_printf(a, "%s/subsystem", syspath));
	d->driver = sysfs_read(a, arena_printf(a, "%s/driver", syspath));
	read_uevent(a, d);
	d->node = strmap_get(&d->props, "DEVNAME");
	d->net = str_eq(d->subsystem, "net");
	if (d->subsystem)
		udev_device_set(a, &d->props, "SUBSYSTEM", d->subsystem);
	udev_device_set(a, &d->props, "DEVPATH", d->devpath);
	/* The parent is the next directory above that is a device. */
	while (depth < DEEPEST && (slash = strrchr(syspath, '/')) &&
	       slash > syspath + strlen("/sys/devices")) {
		*slash = 0;
		if (!access(arena_printf(a, "%s/uevent", syspath), F_OK)) {
			d->parent = device_read(a, syspath, depth + 1);
			break;
		}
	}
	return d;
}

struct udev_device *udev_device_open(struct arena *a, const char *path)
{
	char real[PATH_MAX];
	struct stat st;

	if (stat(path, &st))
		return NULL;
	if (S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode))
		path = arena_printf(a, "/sys/dev/%s/%u:%u", S_ISBLK(st.st_mode) ? "block" : "char",
				    major(st.st_rdev), minor(st.st_rdev));
	if (!realpath(path, real))
		return NULL;
	if (!str_starts(real, "/sys/") || access(arena_printf(a, "%s/uevent", real), F_OK)) {
		errno = ENODEV;
		return NULL;
	}
	return device_read(a, real, 0);
}

/* ---- what kinds of devices there are ---- */

/* With drivers. */
static const char *const buses[] = {
	"ac97", "acpi", "amba", "auxiliary", "bcma", "coreboot", "cxl", "dax", "dfl", "eisa",
	"event_source",
	"fsl-mc", "gameport", "greybus", "hdaudio", "hid", "host1x", "hsi", "i2c", "i3c", "ide",
	"intel_th", "ipack",
	"isa", "mcb", "mdio_bus", "mei", "mhi", "mipi-dsi", "mmc", "moxtet", "nd", "ntb", "nvmem",
	"pci", "pci_express", "pcmcia", "platform", "pnp", "rapidio", "rmi4", "rpmsg",
	"scmi_protocol", "scsi", "sdio", "serial",
	"serio", "siox", "slimbus", "soundwire", "spi", "spmi", "ssb", "surface_aggregator",
	"thunderbolt", "tifm", "typec",
	"ulpi", "umc", "usb", "usb-serial", "vdpa", "virtio", "vme", "vmbus", "wmi", "xen",
	"xen-backend", "zorro",
	"ccw", "ccwgroup", "ap", "vio", "ibmebus", "platform-framebuffer",
};

/* Without, some of which the kernel calls buses too. Of FireWire, what rules are about (nodes) gets no driver. */
static const char *const classes[] = {
	"cec", "edac", "event_source", "gpio", "iio", "machinecheck", "media", "nvmem", "tee",
	"workqueue",
	"accel", "aoe", "ata_device", "ata_link", "ata_port", "backlight", "bdi", "block",
	"bluetooth", "bsg", "bsr", "cpuid",
	"devcoredump", "devfreq", "devlink", "dma", "dma_heap", "dmi", "drm", "drm_dp_aux_dev",
	"dvb", "enclosure", "extcon",
	"fc_host", "firewire", "firmware", "graphics", "hidraw", "hwmon", "i2c-adapter", "i2c-dev",
	"ieee80211", "infiniband", "infiniband_mad",
	"infiniband_verbs", "input", "intel_scu_ipc", "iommu", "ipmi", "iscsi_host", "kfd", "lcd",
	"leds", "lirc", "mdev_bus", "mem",
	"misc", "mmc_host", "module", "msr", "mtd", "nd_region", "net", "nvme", "nvme-generic",
	"nvme-subsystem", "pci_bus", "pci_epc",
	"phy", "pktcdvd", "power_supply", "powercap", "ppdev", "ppp", "pps", "printer", "ptp",
	"pwm", "raw", "rc", "regulator",
	"remoteproc", "rfkill", "rtc", "sas_host", "scsi_changer", "scsi_device", "scsi_disk",
	"scsi_generic", "scsi_host",
	"scsi_tape", "smi", "sound", "spi_master", "tape", "thermal", "tpm", "tpmrm", "tty", "ubi",
	"udc", "uio", "usb_device",
	"usb_power_delivery", "usb_role", "usbmisc", "usbmon", "vc", "vduse", "vfio", "video4linux",
	"virtio-ports", "vhost", "vtconsole",
	"wakeup", "watchdog", "zram-control",
};

static bool is_among(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

enum udev_kind udev_subsystem_kind(const char *subsystem)
{
	if (!subsystem)
		return UDEV_UNKNOWN;
	if (is_among(subsystem, buses, ARRAY_SIZE(buses)))
		return UDEV_BUS;
	return is_among(subsystem, classes, ARRAY_SIZE(classes)) ? UDEV_CLASS : UDEV_UNKNOWN;
}

const char *udev_subsystem_of_kernel(const char *kernel)
{
	static const struct { const char *prefix, *subsystem; } names[] = {
		{ "hidraw", "hidraw" }, { "hiddev", "usbmisc" }, { "ttyUSB", "tty" },
			{ "ttyACM", "tty" }, { "tty", "tty" },
		{ "video", "video4linux" }, { "event", "input" }, { "mouse", "input" },
			{ "js", "input" }, { "input", "input" },
		{ "sd", "block" }, { "sr", "block" }, { "hd", "block" }, { "vd", "block" },
			{ "xvd", "block" }, { "nvme", "block" },
		{ "mmcblk", "block" }, { "loop", "block" }, { "dm-", "block" }, { "md", "block" },
			{ "zram", "block" }, { "ram", "block" },
		{ "dasd", "block" }, { "nbd", "block" }, { "cciss", "block" }, { "fd", "block" },
			{ "bcache", "block" },
		{ "sg", "scsi_generic" }, { "st", "scsi_tape" }, { "nst", "scsi_tape" },
			{ "sch", "scsi_changer" },
		{ "lp", "usbmisc" }, { "card", "sound" }, { "controlC", "sound" },
			{ "pcmC", "sound" }, { "renderD", "drm" },
		{ "fb", "graphics" }, { "i2c-", "i2c-dev" }, { "rtc", "rtc" }, { "mtd", "mtd" },
			{ "eth", "net" }, { "wlan", "net" },
		{ "wwan", "net" }, { "usb", "usbmisc" }, { "cdc-wdm", "usbmisc" },
			{ "legousbtower", "usbmisc" }, { "uinput", "misc" },
		{ "rfkill", "misc" }, { "kvm", "misc" }, { "fuse", "misc" }, { "tun", "misc" },
			{ "vhost", "misc" }, { "parport", "ppdev" },
		{ "rfcomm", "tty" }, { "watchdog", "watchdog" }, { "gpiochip", "gpio" },
			{ "ubi", "ubi" }, { "dvb", "dvb" },
		{ "media", "media" }, { "cec", "cec" }, { "tpm", "tpm" }, { "tpmrm", "tpmrm" },
			{ "uio", "uio" }, { "ptp", "ptp" },
		{ "pktcdvd", "pktcdvd" }, { "irlpt", "tty" }, { "port", "mem" }, { "mem", "mem" },
			{ "iio:device", "iio" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_starts(kernel, names[i].prefix))
			return names[i].subsystem;
	return NULL;
}

void udev_device_text(const struct udev_device *d, struct strbuf *out)
{
	strbuf_addf(out, "%s (%s", d->kernel, d->subsystem ? d->subsystem : "no subsystem");
	if (d->driver)
		strbuf_addf(out, ", driver %s", d->driver);
	vec_each(p, &d->props.entries)
		if (!str_eq(p->key, "SUBSYSTEM") && !str_eq(p->key, "DEVPATH") &&
		    !str_eq(p->key, "DEVNAME") && strcmp(p->key, "MAJOR") &&
		    strcmp(p->key, "MINOR"))
			strbuf_addf(out, ", %s=%s", p->key, (const char *)p->value);
	vec_each(p, &d->attrs.entries)
		strbuf_addf(out, ", %s=%s", p->key, (const char *)p->value);
	strbuf_addstr(out, ")");
	if (d->parent) {
		strbuf_addstr(out, " on ");
		udev_device_text(d->parent, out);
	}
}
