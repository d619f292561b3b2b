/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stacks: a tree of frames with what was counted in each, for every view that shows stacks as a whole (folded,
 * flame, pprof). Records that hold a stack become paths from the root: the other parts of their key first, then
 * the frames of the process, then those of the kernel. All of a tree lies in its arena.
 */
#ifndef SONDE_VIEW_STACKS_H
#define SONDE_VIEW_STACKS_H

#include "base/strmap.h"
#include "view/view.h"

enum frame_kind { FRAME_PART, FRAME_USER, FRAME_INLINED, FRAME_KERNEL };

struct frame {
	enum frame_kind kind;
	const char *name;   /* without control characters; nameless code is "[unknown] (module)" */
	const char *module; /* the file that it was loaded from, or NULL */
	const char *file;   /* of source, or NULL */
	const char *label;  /* FRAME_PART: what it is, "comm"; may be NULL */
	int line;
	uint64_t address;   /* with by_address only, else 0 */
};

/* One place in the tree. Numbers are indices of nodes; 0, the root, ends lists. Parents come before children. */
struct node {
	uint32_t parent, first, next; /* after stacks_finish(): children by name */
	uint32_t frame;
	uint64_t self[2], total[2];   /* [1]: of the second recording that is compared */
};

/* Where numbers come from: a map, or print(). Its node is a child of the root. */
struct stack_source {
	const struct map *map; /* NULL: print() */
	uint32_t node;
};

struct pair_slot {
	uint64_t a, b;
	uint32_t value; /* 0: free */
};

/* Two numbers to one. */
struct pairmap {
	struct pair_slot *slots;
	uint32_t n, cap;
};

struct stacks {
	struct arena *arena;
	bool by_address; /* each address is a frame of its own */
	VEC(struct frame) frames; /* 0: none */
	VEC(struct node) nodes;
	VEC(struct stack_source) sources;
	VEC(uint32_t) runs;       /* frames of an address, outermost first, each run ended by a 0 */
	struct strmap names;
	struct pairmap children;  /* (parent, frame) -> node */
	struct pairmap addresses; /* (address, process) -> its run */
	struct strbuf text, key;
	uint64_t negative;        /* rows that were left out */
	uint32_t root;            /* after stacks_finish(): what is shown as the root */
};

/* NULL: no memory. */
struct stacks *stacks_new(bool by_address);
void stacks_free(struct stacks *s);

/* Does the record hold stacks? */
bool stacks_takes(const struct record *rec);
/* Does the program count or print stacks? */
bool stacks_suits(const struct module *m);
/* Add such a record. A map that goes on replaces what it had when it was shown last. 0 or -ENOMEM. */
int stacks_add(struct view *v, struct stacks *s, const struct record *rec);
/* Add folded text; `which` of two recordings it is. 0; -EINVAL with *line of what is no folded stack; -ENOMEM. */
int stacks_add_folded(struct stacks *s, const char *text, size_t len, unsigned which, size_t *line);
/* The number of a frame like this one, whose texts are copied; the child of a node that is this frame. For use below a
 * guard of the arena only. */
uint32_t stacks_frame(struct stacks *s, const struct frame *f);
uint32_t stacks_child(struct stacks *s, uint32_t parent, uint32_t frame);
/* Totals and the order. Afterwards nothing is added. 0 or -ENOMEM. */
int stacks_finish(struct stacks *s);
/* The node after `n` depth first, below `root`; 0: all were visited. *depth is brought up to date. */
uint32_t stacks_next(const struct stacks *s, uint32_t root, uint32_t n, uint32_t *depth);
/* Tell the person what is not shown, and why it is empty; after stacks_finish(). */
void stacks_warn(struct view *v, const struct stacks *s);

#endif
