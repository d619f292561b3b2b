/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the C types that the kernel writes to types of the language. */
#ifndef SONDE_PROBE_TP_ARGS_H
#define SONDE_PROBE_TP_ARGS_H

#include "kernel/kernel.h"
#include "lang/type.h"

/* The args of a tracepoint read through perf: fields of the record, at their offsets in the context.
 * Pointers are taken to point into `space`. */
const struct type *tp_args_type(struct arena *a, const struct tp_format *format, enum addr_space space);

/* The type of one field. Its `name` is the C type as the kernel writes it, for listings. */
const struct type *tp_field_type(struct arena *a, const struct tp_field *f, enum addr_space space);

/* A struct of which only the name is known: something to point to. */
const struct type *opaque_struct(struct arena *a, const char *name, size_t len, bool is_union);
/* A struct of these fields, as `args`. */
const struct type *args_struct(struct arena *a, const struct field *fields, uint32_t n, uint32_t size);

#endif
