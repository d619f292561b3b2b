/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Type: what a value is, how it lies in memory, and what a map keeps of it.
 *
 * A type is immutable once made; equal types may be different pointers, so compare with type_equal().
 * Where a kind has parameters, the constructors below are the only way to make it. Sizes are bytes.
 */
#ifndef SONDE_LANG_TYPE_H
#define SONDE_LANG_TYPE_H

#include <stdbool.h>

#include "base/arena.h"

enum type_kind {
	TY_NONE,     /* not known yet (checking goes round until it is), or nothing: a statement */
	TY_INT,      /* size 1, 2, 4, 8; is_signed */
	TY_BOOL,     /* size 1; 0 or 1 */
	TY_STRING,   /* size bytes with its NUL; shorter strings are padded with NULs to the end */
	TY_BUFFER,   /* uint32 length, then `size - 4` bytes */
	TY_POINTER,  /* elem: what it points to (TY_NONE for void); space */
	TY_ARRAY,    /* count x elem */
	TY_STRUCT,   /* fields; also unions (is_union) and the args of a probe */
	TY_ENUM,     /* an int with names: enumerators */
	TY_TUPLE,    /* fields named "0", "1", ...; laid out with C alignment, padding zeroed */
	TY_RECORD,   /* a tuple whose fields have names of their own */
	/* Values that are numbers in the kernel and become text when shown. */
	TY_KSYM, TY_USYM, TY_KSTACK, TY_USTACK, TY_INET, TY_MAC, TY_USERNAME, TY_TIMESTAMP, TY_STRFTIME,
	TY_CGROUP_PATH, TY_STRERROR, TY_SYSCALL_NAME, TY_SIGNAL_NAME,
	/* What a map aggregates; see "layout of aggregations". Only as the value of a map. */
	TY_COUNT, TY_SUM, TY_MIN, TY_MAX, TY_AVG, TY_STATS, TY_HIST, TY_LHIST, TY_TSERIES,
	TY_NKINDS,
};

/* Where a pointer points: decides which probe_read helper reads through it. */
enum addr_space { SPACE_NONE, SPACE_KERNEL, SPACE_USER, SPACE_CTX /* the context: plain loads */ };

struct type;

/*
 * How code/ reads a field of `args` or of a context: declared by the probe kind, so that a kind emits
 * no code of its own.
 *   ACCESS_MEMBER   at `offset` of the struct that holds it, the ordinary member (also the context
 *                   itself when the struct is the context)
 *   ACCESS_CTX_WORD the u64 at ctx + ctx_offset is the value
 *   ACCESS_CTX_PTR  the u64 at ctx + ctx_offset is a kernel pointer, and so is what lies hops[0] beyond it
 *                   and so on; the value lies `offset` beyond the last of them
 *   ACCESS_CTX_ADDRESS the same, but that address is the value
 *   ACCESS_CTX_USER the u64 at ctx + ctx_offset is an address of the process; the value lies `bias` beyond it
 *   ACCESS_CTX_PARTS the u64 at ctx + ctx_offset, and where the value is longer that at ctx + bias behind it,
 *                   make the value: a struct in registers
 *   ACCESS_DATA_LOC the u32 at ctx + offset is a tracefs __data_loc: low 16 bits the offset from ctx
 *                   (plus `bias`: 0, or offset + 4 for __rel_loc), high 16 bits the length
 *   ACCESS_PLACE    the context is the registers, and `places` says what to make of them
 */
enum field_access {
	ACCESS_MEMBER, ACCESS_CTX_WORD, ACCESS_CTX_PTR, ACCESS_CTX_ADDRESS, ACCESS_CTX_USER, ACCESS_CTX_PARTS,
	ACCESS_DATA_LOC, ACCESS_PLACE,
};

/*
 * A value by way of the processor's registers: number + base + (index << scale), or the memory of the
 * process at that address. `bytes` of it count (1, 2, 4 or 8), the lowest after `shift` bits.
 */
struct reg_place {
	const char *problem;     /* it cannot be read: why not; the rest means nothing then */
	int64_t number;
	int16_t base, index;     /* offset of the register in the context; -1: none */
	uint8_t base_bytes, index_bytes; /* of the register that count, zero-extended */
	bool index_signed;       /* ... sign-extended */
	uint8_t scale, shift;
	bool is_memory;
	bool is_signed;
	uint8_t bytes;
};
bool reg_place_equal(const struct reg_place *x, const struct reg_place *y);

struct field {
	const char *name;
	const struct type *type;
	uint32_t offset; /* bytes */
	uint16_t bit_offset, bit_size; /* bit_size 0: not a bit field; bit_offset counts from `offset` */
	enum field_access access;
	uint32_t ctx_offset, bias;
	const uint32_t *hops; /* ACCESS_CTX_PTR, ACCESS_CTX_ADDRESS */
	uint32_t nhops;
	const struct type *stored; /* ACCESS_CTX_PTR: the number as it lies there, if not as `type` */
	/* ACCESS_PLACE: where it lies; with several, the upper half of the attachment's cookie says which */
	const struct reg_place *places;
	uint32_t nplaces;
};

struct enumerator {
	const char *name;
	int64_t value;
};

struct type_maker {
	/* Give `t`, of which only the name is known, its members where they can be found. */
	void (*complete)(const struct type_maker *m, struct type *t);
};

struct type {
	enum type_kind kind;
	uint32_t size, align;
	bool is_signed, is_union;
	enum addr_space space;
	const struct type *elem; /* pointer, array; for ksym etc. NULL */
	uint32_t count;          /* array */
	const char *name;        /* struct, enum, typedef name to show; or NULL */
	const struct type_maker *maker; /* struct by name: who knows its members; NULL: found by the name */
	const struct field *fields;
	uint32_t nfields;
	uint32_t nhoisted; /* fields[nfields ..]: what anonymous members hold, see type_set_fields() */
	const struct enumerator *enumerators;
	uint32_t nenumerators;
	/* hist: bits = k of hist(n, k). lhist: min, max, step. tseries: ns of an interval, how many of them,
	 * enum tseries_agg. stack: most frames, enum stack_mode.
	 * strftime: the clock (CLOCK_BOOTTIME, ...); its format, like the filter of a cgroup path, is `name`. */
	int64_t param[3];
};

/* Functions between a raw tracepoint and the program. */
#define STACK_WRAPPERS 4

/* How a stack reads: "name+1", "ffffffff81000001 name+1", "ffffffff81000001", "0123...cdef 0x1" (build id of the
 * file, and where in it). */
enum stack_mode { STACK_BPFTRACE, STACK_PERF, STACK_RAW, STACK_BUILD_ID };

/* Bytes of a frame: an address, or in place of it struct bpf_stack_build_id. */
static inline uint32_t stack_frame_bytes(int64_t mode)
{
	return mode == STACK_BUILD_ID ? 32 : 8;
}

/*
 * Layout of the numbers that become text:
 *   ustack  u32 frames that are there, u32 process, then param[0] frames: u64 address, or for STACK_BUILD_ID
 *           s32 status (1: there is a build id), 20 bytes of build id, u64 offset in the file or address; unused ones 0
 *   kstack  the same with STACK_WRAPPERS addresses more; in place of the process 1 when the stack may begin
 *           with that many functions of the tracing itself, which are not shown and do not count
 *   ksym            u64 address;  usym  u64 address, u32 process, u32 0
 *   inet            u32 address family, 4 or 16 bytes of address, padded with zeros to 16
 *   mac             6 bytes
 *   others          an integer: user id, nanoseconds, cgroup id, error, system call, signal
 */

/*
 * Layout of aggregations (in a map value, per CPU; 8-byte words):
 *   count  u64
 *   sum    s64 (u64 when !is_signed)
 *   min, max   u64 value ^ type_extreme_code(), u64 set (0: no value seen yet on this CPU): the largest is what is
 *          looked for, whichever of them it is, and 0 is less than all
 *   avg    s64/u64 sum, u64 count
 *   stats  s64/u64 sum, u64 count
 *   hist   u64 buckets[type_buckets()], see hist_bucket() in type.c for the numbering
 *   lhist  u64 buckets[(max - min) / step + 2]: below min, the steps, max and above
 *   tseries struct tseries_slot slots[intervals]; interval i (ns since 1970 / ns of an interval) has slot
 *          i % intervals
 */
enum tseries_agg { TSERIES_LAST, TSERIES_AVG, TSERIES_MAX, TSERIES_MIN, TSERIES_SUM };
struct tseries_slot {
	uint64_t interval; /* whose numbers these are, i + 1; 0: none */
	int64_t value;     /* avg: the sum */
	uint64_t extra;    /* last: when it was, in ns; else how many numbers there were */
};

uint32_t type_buckets(const struct type *hist);
/* What the values of a min or max are combined with by exclusive or, so that the best is the largest unsigned one. */
uint64_t type_extreme_code(const struct type *t);

/* Shared, ready-made types. */
extern const struct type type_none, type_bool, type_int8, type_int16, type_int32, type_int64,
	type_uint8, type_uint16, type_uint32, type_uint64;
/* Numbers that become text and have no parameters. */
extern const struct type type_ksym, type_usym, type_inet, type_mac, type_username, type_strerror,
	type_syscall_name, type_signal_name, type_signal_abbrev /* param[0] is 1 */;

const struct type *type_integer(uint32_t size, bool is_signed);
const struct type *type_string(struct arena *a, uint32_t size);
const struct type *type_buffer(struct arena *a, uint32_t data_bytes);
const struct type *type_pointer(struct arena *a, const struct type *elem, enum addr_space space);
const struct type *type_array(struct arena *a, const struct type *elem, uint32_t count);
/* Fields are laid out in order with natural alignment; the names are "0".. when `names` is NULL
 * (a tuple), else a record. */
const struct type *type_tuple(struct arena *a, const struct type *const *items, const char *const *names,
			      uint32_t n);
/* A stack of at most `limit` frames (TY_KSTACK, TY_USTACK). */
const struct type *type_stack(struct arena *a, enum type_kind kind, uint32_t limit, enum stack_mode mode);
/* strftime and cgroup path: a number that a text belongs to. */
const struct type *type_with_text(struct arena *a, enum type_kind kind, const char *text, int64_t param);
/* An aggregation. is_signed is that of the aggregated number. Parameters as in struct type. */
const struct type *type_agg(struct arena *a, enum type_kind kind, bool is_signed, const int64_t param[3]);
/*
 * Give a struct or union that its maker has allocated (so that pointers to it may exist already) its
 * fields. Members without a name that are structs or unions are looked into: what they hold is put
 * behind the fields, with offsets from `t`, where type_field() finds it. They must be complete.
 * Size and alignment are the maker's to set.
 */
void type_set_fields(struct arena *a, struct type *t, const struct field *fields, uint32_t n);
/* A copy with size, param or space to be changed by its maker before anyone sees it. */
struct type *type_clone(struct arena *a, const struct type *t);
/* The type in which a value is kept or sent. `args` as a whole become a struct of ours, whose members lie one
 * behind the other; everything else is kept as it is. */
const struct type *type_kept(struct arena *a, const struct type *t);

bool type_is_int(const struct type *t);       /* TY_INT, TY_BOOL, TY_ENUM */
bool type_is_scalar(const struct type *t);    /* fits one register: ints, pointers, and the numbers that become text */
bool type_is_agg(const struct type *t);       /* TY_COUNT .. TY_TSERIES */
bool type_is_percpu_agg(const struct type *t);
/* Same kind, size and parts. Structs and enums with names are equal by name; where a pointer points
 * (space) does not count. */
bool type_equal(const struct type *a, const struct type *b);
const struct field *type_field(const struct type *t, const char *name); /* also through anonymous members */
/* The name people know: "uint64", "string[16]", "struct task_struct *", "(int64,string[64])", "count_t". */
const char *type_name(struct arena *a, const struct type *t);

/*
 * The bucket of a value in a log2 histogram with `bits` (k) of sub-division, as the kernel side computes
 * it, and its bounds. For k = 0: bucket 0 is negative numbers, 1 is 0, 2 is 1, 3 is [2, 4), ...
 * In general, with l the position of the highest bit of the value and m = 2^k - 1:
 *   value < 0       0
 *   value <= m      value + 1
 *   else            ((l - k + 1) << k) + ((value >> (l - k)) & m) + 1
 * so that values below 2^(k + 1) have a bucket each and every power of two after that has 2^k of them.
 * There are ((64 - k) << k) + 1 buckets.
 */
uint32_t hist_bucket(int64_t value, uint32_t bits);
/* Lowest and highest value (inclusive) of a bucket. */
void hist_bounds(uint32_t bucket, uint32_t bits, int64_t *low, int64_t *high);

#endif
