/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Constant: the macros of the kernel's headers that scripts use. BTF knows enumerators but no macros, and a
 * machine that is traced need not have headers: so their values are kept here.
 */
#ifndef SONDE_LANG_CONSTANT_H
#define SONDE_LANG_CONSTANT_H

#include <stdbool.h>
#include <stdint.h>

bool constant_find(const char *name, int64_t *value);

#endif
