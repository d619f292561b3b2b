/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Insn: how long machine instructions are; to know where one begins, nothing more. */
#ifndef SONDE_PROBE_INSN_H
#define SONDE_PROBE_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the longest instruction. */
#define INSN_MOST_BYTES 15

/* Length of the x86-64 instruction at `code`, of which `len` bytes are there; 0: it is none, or not all there. */
size_t insn_length_x86(const uint8_t *code, size_t len);
/* The same for the machine this runs on. */
size_t insn_length(const uint8_t *code, size_t len);
/* Does an instruction begin `offset` bytes behind `code`, where one does? -1: what lies between cannot be read. */
int insn_begins_at(const uint8_t *code, size_t len, size_t offset);

#endif
