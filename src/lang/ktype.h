/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ktype: the kernel's types as types of the language, made when they are named and not before. What a
 * member points to stays a name (a struct without members) until somebody follows the pointer: the
 * checker then asks for it by that name.
 */
#ifndef SONDE_LANG_KTYPE_H
#define SONDE_LANG_KTYPE_H

#include "lang/type.h"

struct kernel;
struct btf_file;
struct ktypes; /* what has been made so far; one per question */

struct ktypes *ktypes_new(struct arena *a, struct kernel *k);

/* "struct task_struct", "union ...", "enum ..." or a typedef: from the kernel, else from the first module
 * that has it. NULL: there is no such type, or this kernel tells no types (reported once). */
const struct type *ktype_find(struct ktypes *kt, const char *name);
/* The enum that has this enumerator, with its value; NULL: none. */
const struct type *ktype_enumerator(struct ktypes *kt, const char *name, int64_t *value);
/* The type with this number. Structs are complete, what they point to is not. */
const struct type *ktype_of(struct ktypes *kt, const struct btf_file *f, uint32_t id);
/* The C type in words, "const struct task_struct *", for listings. */
const char *ktype_text(struct ktypes *kt, const struct btf_file *f, uint32_t id);
/* A struct of which only the name is known: something to point to. */
struct type *ktype_opaque(struct arena *a, const char *name, bool is_union);

#endif
