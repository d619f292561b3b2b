/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Module: a compiled question: the ELF object, and what the session needs to know to run it and to read
 * what it says. Everything but `elf` lives in the question's arena.
 */
#ifndef SONDE_CODE_MODULE_H
#define SONDE_CODE_MODULE_H

#include "code/object.h"
#include "code/site.h"
#include "lang/check.h"

/* What each of the counters in .bss counts. Map m's refused updates are COUNTER_MAPS + m.id. */
enum counter {
	COUNTER_LOST,       /* events the ring buffer had no room for */
	COUNTER_FAULTS,     /* reads of addresses that could not be read */
	COUNTER_TRUNCATED,  /* strings cut at max_strlen */
	COUNTER_LOOPS,      /* loops with more turns than the kernel does */
	COUNTER_MISSED,     /* runs of a program that did not get the memory they need */
	COUNTER_DELETES,    /* entries to be deleted that were not there, where nobody looks at the result */
	COUNTER_MAPS,
};

/* Kernel-side form of a script's map. */
struct map_desc {
	const struct map *map;
	uint32_t object_map;    /* index into object.maps, and its name there */
	const char *object_name;
	enum map_form {
		MAP_HASH,        /* key -> value */
		MAP_PERCPU_HASH, /* key -> value per CPU, to be reduced */
		MAP_SCALAR,      /* ARRAY of one value: value, then a u64 that is 1 once it was set */
		MAP_PERCPU_SCALAR, /* PERCPU_ARRAY of one value: likewise */
	} form;
	uint32_t key_bytes, value_bytes; /* of the kernel's map; value_bytes without the set word */
	uint32_t set_offset;             /* MAP_SCALAR, MAP_PERCPU_SCALAR: where the set word is */
};

struct program_desc {
	const char *name;    /* ELF symbol */
	const char *section;
	const struct probe_kind *kind;
	struct attach_point **points; /* all that this program serves */
	uint32_t npoints;
	uint32_t order;      /* of appearance: begin and end programs run in this order */
};

struct module {
	void *elf; /* free() */
	size_t elf_bytes;
	const struct script *script;
	struct config config;
	VEC(struct map_desc) maps;     /* by map.id */
	VEC(struct program_desc) programs;
	VEC(struct site) sites;
	bool uses_ring;                /* false: no map "events" in the object */
	bool imports_c;                /* compiled C is linked to it, which may hold programs of its own */
	bool unwinds;                  /* it has the maps of code/unwind.h */
	uint64_t keep_capabilities;    /* (1 << CAP_*) what its functions need while it runs */
	bool follows;                  /* there is a map of addresses that functions were called with: watched.h */
	uint32_t bss_bytes;            /* of .bss: struct control, then the counters */
	/* -d texts, made on demand by module_dump() */
	struct lowered *lowered;
};

/* First bytes of .bss: written by the session. */
struct control {
	uint32_t off;      /* 1: programs that test it return at once */
	uint32_t pad;
	uint64_t start_ns; /* CLOCK_MONOTONIC (bpf_ktime_get_ns) when the session began; `elapsed` */
	int64_t result;    /* what the test or benchmark that has just run returned */
	uint64_t zero;     /* for ever, which the verifier does not know: of a shorter one it would know the upper bits */
};

/* The counters are u64s behind it, in cache lines of their own: programs read `off` all the time. */
#define COUNTER_OFFSET(counter) (64 + 8 * (uint32_t)(counter))

/* Names of the object's own maps. */
#define MODULE_MAP_EVENTS "events"     /* BPF_MAP_TYPE_RINGBUF */
#define MODULE_MAP_PACKETS "packets"   /* PERF_EVENT_ARRAY of struct packet_header, each with a packet behind it */
#define MODULE_MAP_SCRATCH "scratch"   /* PERCPU_ARRAY, one value per program */
#define MODULE_MAP_SPARE "spare"       /* PERCPU_ARRAY, for tasks whose storage is refused */

/* Typed tree -> module: the list of passes. 0 or a negative errno after diagnostics or a report. */
int module_compile(struct script *script, const struct check_env *env, struct diags *d,
		   const struct reporter *r, struct module **out);
/* Frees what is not in the arena. */
void module_free(struct module *m);

enum dump_stage { DUMP_IR, DUMP_IR_OPT, DUMP_BPF, DUMP_ELF };
int module_dump(const struct module *m, enum dump_stage stage, struct strbuf *out);

/* All functions of the language: a NULL-terminated table of families (code/func/families.c). */
extern const struct func_def *const func_families[];

#endif
