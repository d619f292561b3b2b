/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Btf_args: arguments of the kernel's functions as words of the context, named and typed by BTF. */
#ifndef SONDE_PROBE_BTF_ARGS_H
#define SONDE_PROBE_BTF_ARGS_H

#include "kernel/kernel.h"
#include "lang/probe.h"

/* The kernel hands programs structs by value up to this size, as words. */
#define BTF_STRUCT_MOST_BYTES 16

/* What stands at `offset` of the context, as a member of args. The type's `name` is the C type, for listings. */
struct field btf_word_field(struct probe_env *env, const struct btf_file *btf, const char *name, uint32_t id,
			    uint32_t offset);
/* The args of a prototype from parameter `first` on, which is the first word of the context; with what the
 * function returned as `retval` behind them. */
const struct type *btf_args_of(struct probe_env *env, const struct btf_file *btf, const struct btf_type *proto,
			       uint32_t first, bool with_retval);

#endif
