/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys: every key of udev(7), what it can do and with which operators. */
#include "udev/udev.h"

#include "base/util.h"

#define ADD (1u << UDEV_ADD)
#define REMOVE (1u << UDEV_REMOVE)
#define ASSIGN (1u << UDEV_ASSIGN)
#define FINAL (1u << UDEV_FINAL)

const struct udev_key udev_keys[] = {
	{ "ACTION", UDEV_M_ACTION, UDEV_NOTHING, UDEV_ATTR_NONE, 0, 0, false },
	{ "DEVPATH", UDEV_M_DEVPATH, UDEV_NOTHING, UDEV_ATTR_NONE, 0, 0, false },
	{ "KERNEL", UDEV_M_KERNEL, UDEV_NOTHING, UDEV_ATTR_NONE, 0, 0, false },
	{ "KERNELS", UDEV_P_KERNEL, UDEV_NOTHING, UDEV_ATTR_NONE, 0, 0, false },
	{ "NAME", UDEV_M_NAME, UDEV_A_NAME, UDEV_ATTR_NONE, ASSIGN | FINAL, ADD, false },
	{ "SYMLINK", UDEV_M_SYMLINK, UDEV_A_SYMLINK, UDEV_ATTR_NONE, ADD | REMOVE | ASSIGN | FINAL,
	  0, false },
	{ "ENV", UDEV_M_ENV, UDEV_A_ENV, UDEV_ATTR_MUST, ADD | ASSIGN, FINAL, false },
	{ "CONST", UDEV_M_CONST, UDEV_NOTHING, UDEV_ATTR_MUST, 0, 0, false },
	{ "TAG", UDEV_M_TAG, UDEV_A_TAG, UDEV_ATTR_NONE, ADD | REMOVE | ASSIGN, FINAL, false },
	{ "TAGS", UDEV_P_TAG, UDEV_NOTHING, UDEV_ATTR_NONE, 0, 0, false },
	{ "SUBSYSTEM", UDEV_M_SUBSYSTEM, UDEV_NOTHING, UDEV_ATTR_NONE, 0, 0, false },
	{ "SUBSYSTEMS", UDEV_P_SUBSYSTEM, UDEV_NOTHING, UDEV_ATTR_NONE, 0, 0, false },
	{ "DRIVER", UDEV_M_DRIVER, UDEV_NOTHING, UDEV_ATTR_NONE, 0, 0, false },
	{ "DRIVERS", UDEV_P_DRIVER, UDEV_NOTHING, UDEV_ATTR_NONE, 0, 0, false },
	{ "ATTR", UDEV_M_ATTR, UDEV_A_ATTR, UDEV_ATTR_MUST, ASSIGN, ADD | FINAL, false },
	{ "ATTRS", UDEV_P_ATTR, UDEV_NOTHING, UDEV_ATTR_MUST, 0, 0, false },
	{ "SYSCTL", UDEV_M_SYSCTL, UDEV_A_SYSCTL, UDEV_ATTR_MUST, ASSIGN, ADD | FINAL, false },
	{ "TEST", UDEV_M_TEST, UDEV_NOTHING, UDEV_ATTR_MAY, 0, 0, false },
	{ "PROGRAM", UDEV_M_PROGRAM, UDEV_NOTHING, UDEV_ATTR_NONE, ADD | ASSIGN | FINAL, 0, true },
	{ "IMPORT", UDEV_M_IMPORT, UDEV_NOTHING, UDEV_ATTR_MUST, ADD | ASSIGN | FINAL, 0, true },
	{ "RESULT", UDEV_M_RESULT, UDEV_NOTHING, UDEV_ATTR_NONE, 0, 0, false },
	{ "OPTIONS", UDEV_NOTHING, UDEV_A_OPTIONS, UDEV_ATTR_NONE, ADD | ASSIGN | FINAL, 0, false },
	{ "OWNER", UDEV_NOTHING, UDEV_A_OWNER, UDEV_ATTR_NONE, ASSIGN | FINAL, ADD, false },
	{ "GROUP", UDEV_NOTHING, UDEV_A_GROUP, UDEV_ATTR_NONE, ASSIGN | FINAL, ADD, false },
	{ "MODE", UDEV_NOTHING, UDEV_A_MODE, UDEV_ATTR_NONE, ASSIGN | FINAL, ADD, false },
	{ "SECLABEL", UDEV_NOTHING, UDEV_A_SECLABEL, UDEV_ATTR_MUST, ADD | ASSIGN, FINAL, false },
	{ "RUN", UDEV_NOTHING, UDEV_A_RUN, UDEV_ATTR_MAY, ADD | ASSIGN | FINAL, 0, false },
	{ "GOTO", UDEV_NOTHING, UDEV_X_GOTO, UDEV_ATTR_NONE, ASSIGN, 0, false },
	{ "LABEL", UDEV_NOTHING, UDEV_X_LABEL, UDEV_ATTR_NONE, ASSIGN, 0, false },
	{ NULL, UDEV_NOTHING, UDEV_NOTHING, UDEV_ATTR_NONE, 0, 0, false },
};

const struct udev_key *udev_key_find(const char *name, size_t len)
{
	for (const struct udev_key *k = udev_keys; k->name; k++)
		if (strlen(k->name) == len && !memcmp(k->name, name, len))
			return k;
	return NULL;
}

const char *udev_op_text(enum udev_op op)
{
	static const char *const texts[] = { "==", "!=", "+=", "-=", "=", ":=" };

	return texts[op];
}
