/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unwind: what the session tells the unwinder in the kernel (func/unwind.c), in maps. What a process has mapped
 * is a sorted list; the rules of a file are a tree of nodes with many entries each, so that a rule is found with
 * one lookup per level. Both are searched without branches, or the verifier would follow each of them.
 */
#ifndef SONDE_CODE_UNWIND_H
#define SONDE_CODE_UNWIND_H

#include <stdint.h>

#define UNWIND_MAP_IMAGES "unwind_images" /* (part << 32 | process) -> struct unwind_image */
#define UNWIND_MAP_NODES "unwind_nodes"   /* u32 -> struct unwind_node */
#define UNWIND_MAP_WANTED "unwind_wanted" /* process that is not known -> u32, how often it was asked for */

/* Elsewhere the frame pointers are all there is. */
#ifdef __x86_64__
#define UNWIND_HERE 1
#else
#define UNWIND_HERE 0
#endif

#define UNWIND_IMAGE_ENTRIES 128 /* powers of 2: they are searched by halves */
#define UNWIND_NODE_ENTRIES 256
#define UNWIND_MOST_LEVELS 3

/* What lies from an address to the next one. The first address is 0, those behind the last are UNWIND_NOWHERE. */
struct unwind_image {
	uint64_t start[UNWIND_IMAGE_ENTRIES];
	uint64_t bias[UNWIND_IMAGE_ENTRIES];  /* address minus this: as the tree has it */
	struct {
		uint32_t root;   /* node, or part of the image */
		uint32_t levels; /* of the tree; 0: nothing is known but the frame pointer */
	} tree[UNWIND_IMAGE_ENTRIES];
};

/* In the place of `levels`. */
#define UNWIND_PART 0x100   /* the entries are in another part of the image */
#define UNWIND_FRAMES 0x200 /* of the first entry: all of the process keeps frame pointers */

#define UNWIND_NOWHERE (UINT64_MAX >> 2)

/* The first pc of a tree is 0, those behind the last are UINT32_MAX. */
struct unwind_node {
	uint32_t pc[UNWIND_NODE_ENTRIES];
	uint32_t to[UNWIND_NODE_ENTRIES]; /* a rule, above the last level a node */
};

/*
 * A rule: where the stack pointer was before the call (the CFA), from which the return address is 8 bytes down.
 *
 *   bits 0-1   the CFA is rsp + n, rbp + n, what lies at rbp - n, or it is something special
 *   bits 2-7   words below the CFA lies the caller's rbp; 0: it still is in rbp
 *   bits 8-31  n in words, or which special rule
 */
enum unwind_base { UNWIND_RSP, UNWIND_RBP, UNWIND_AT_RBP, UNWIND_SPECIAL };
enum unwind_special {
	UNWIND_GAP,     /* no function is here: try the frame pointer */
	UNWIND_END,     /* the outermost function */
	UNWIND_SIGNAL,  /* the kernel has put all registers on the stack */
	UNWIND_STUB_11, /* of a table of jumps to libraries: a word has been pushed from byte 11 of 16 on */
	UNWIND_STUB_10,
	UNWIND_UNKNOWN, /* something that is not understood */
};

#define UNWIND_MOST_SAVED 63
#define UNWIND_MOST_WORDS 0xffffff
#define UNWIND_RULE(base, saved, words) ((uint32_t)(base) | (uint32_t)(saved) << 2 | (uint32_t)(words) << 8)
#define UNWIND_RULE_SPECIAL(which) UNWIND_RULE(UNWIND_SPECIAL, 0, which)

#endif
