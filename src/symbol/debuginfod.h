/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debuginfod: debug files from the servers that the environment names in DEBUGINFOD_URLS, by elfutils'
 * client library, which keeps what it has fetched. It is loaded when it is first needed; where no server
 * is named, nobody is asked.
 */
#ifndef SONDE_SYMBOL_DEBUGINFOD_H
#define SONDE_SYMBOL_DEBUGINFOD_H

#include <stddef.h>
#include <stdint.h>

/* The path of the debug file that belongs to a build-id; NULL: there is none. free(). */
char *debuginfod_fetch(const uint8_t *id, size_t len);

#endif
