/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Btf_args: arguments of the kernel's functions as words of the context, named and typed by BTF. */
#ifndef SONDE_PROBE_BTF_ARGS_H
#define SONDE_PROBE_BTF_ARGS_H

#include "kernel/kernel.h"
#include "lang/probe.h"

/* The type of an argument that is one word of the context. Its `name` is the C type, for listings. */
const struct type *btf_word_type(struct probe_env *env, const struct btf_file *btf, uint32_t id);
/* The word at `offset` of the context, as a member of args. */
struct field btf_word_field(struct probe_env *env, const struct btf_file *btf, const char *name, uint32_t id,
			    uint32_t offset);
/* The args of a prototype from parameter `first` on, which is the first word of the context. */
const struct type *btf_args_of(struct probe_env *env, const struct btf_file *btf, const struct btf_type *proto,
			       uint32_t first);

#endif
