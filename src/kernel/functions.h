/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions, inside: all functions of the kernel in one block (functions.c), and who asks of them. */
#ifndef SONDE_KERNEL_FUNCTIONS_H
#define SONDE_KERNEL_FUNCTIONS_H

#include "kernel/priv.h"

struct function {
	uint64_t address;
	uint32_t name;   /* in text */
	uint32_t next;   /* of this name, plus one; 0: none */
	uint16_t module; /* index into module_names */
	uint8_t state;   /* enum function_state */
	uint32_t type;   /* in the types of its module; 0: none, or not looked for so far */
};

struct functions {
	struct strbuf text;      /* all names, each with its NUL */
	struct function *list;   /* in the kernel's order: by address, modules behind */
	size_t n, cap;
	uint32_t *module_names;  /* in text */
	bool *module_typed;      /* by module: its functions' types have been looked for */
	uint32_t nmodules;
	struct name_list modules; /* without "vmlinux" */
	uint32_t *slots, mask;   /* by name: index into list plus one */
	uint32_t *sorted;        /* all of them by name, module and address; NULL: nobody needed that so far */
	bool certain;            /* the kernel has said what it can trace */
};

/* Read when first asked for. 0, or a negative errno after a report. */
int functions_get(struct kernel *k, struct functions **out);
const char *function_name(const struct functions *f, const struct function *fn);
const char *function_module(const struct functions *f, const struct function *fn);
/* Those of one name, in order of address. NULL: none, no more. */
struct function *functions_first(const struct functions *f, const char *name, size_t len);
struct function *functions_next(const struct functions *f, const struct function *fn);

#endif
