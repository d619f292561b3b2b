/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IR: what a program does, in virtual registers and basic blocks, before registers and BPF.
 *
 * - A virtual register (vreg) holds 64 bits. Most are written once; a scratch variable's is written
 *   wherever the variable is assigned (passes look at ir_func.vregs[].ndefs).
 * - An integer in a vreg is always extended to 64 bits as its type says (sign or zero).
 * - A block ends with exactly one of JMP, BR, RET. Block 0 is the entry.
 * - Memory objects on the stack are `slots`; where they finally lie (BPF stack, or the program's
 *   per-CPU scratch space when they are large) is decided by ir_place_slots(), not by who asks.
 * - Addresses of slots, maps, read-only data and the context are values like any other; passes rely on
 *   that only IR_LOAD, IR_STORE, IR_ATOMIC and IR_CALL touch memory.
 */
#ifndef SONDE_CODE_IR_H
#define SONDE_CODE_IR_H

#include <stdbool.h>

#include "base/arena.h"
#include "lang/source.h"

typedef uint32_t vreg; /* 0: none */

enum ir_op {
	IR_NOP,
	IR_CONST,    /* d = imm */
	IR_MOV,      /* d = a */
	/* d = a op (b, or imm when use_imm). 64 bits wide, 32 when `w32` (upper half zeroed). */
	IR_ADD, IR_SUB, IR_MUL, IR_UDIV, IR_UMOD, IR_AND, IR_OR, IR_XOR, IR_SHL, IR_SHR, IR_SAR,
	IR_NEG,      /* d = -a */
	IR_BSWAP,    /* d = bytes of the low `size` bytes of a reversed */
	IR_EXT,      /* d = low `size` bytes of a, sign-extended when `sx`, else zero-extended */
	IR_SETCC,    /* d = a cc (b|imm) ? 1 : 0 */
	IR_LOAD,     /* d = *(size *)(a + off), extended by `sx` */
	IR_STORE,    /* *(size *)(a + off) = b | imm */
	IR_ATOMIC,   /* atomic *(size *)(a + off) += b, = b with `xchg` ; d != 0: d = the old value. size 4 or 8 */
	IR_CALL,     /* d = helper `imm` (args[0..nargs)); d may be 0 */
	IR_KFUNC,    /* d = kfunc `sym` (args) */
	IR_CTX,      /* d = the context pointer (argument 1 of the program) */
	IR_ARG,      /* d = argument imm (0-based) of a subprogram */
	IR_SLOT,     /* d = address of slot imm, plus off */
	IR_MAP,      /* d = map imm (index in struct object_maps): the pointer helpers take; or IR_MAP_... */
	IR_RODATA,   /* d = address of byte imm of .rodata */
	IR_BSS,      /* d = address of byte imm of .bss */
	IR_FUNC,     /* d = address of function imm (callback of bpf_loop, bpf_for_each_map_elem) */
	IR_CALLFUNC, /* d = function imm (args) of this object */
	IR_JMP,      /* goto then_ */
	IR_BR,       /* if (a cc (b|imm)) goto then_ else goto else_ */
	IR_RET,      /* return a (0 when a is 0) */
	IR_NOPS,
};

/* Maps whose numbers are known when the object is made. */
#define IR_MAP_SCRATCH (-1)
#define IR_MAP_SPARE (-2)

enum ir_cc { CC_EQ, CC_NE, CC_ULT, CC_ULE, CC_UGT, CC_UGE, CC_SLT, CC_SLE, CC_SGT, CC_SGE, CC_SET /* a & b */ };

struct ir_insn {
	enum ir_op op;
	vreg d, a, b;
	int64_t imm;
	int32_t off;
	uint8_t size, nargs;
	bool use_imm, w32, sx, xchg;
	bool pure;        /* IR_CALL: same arguments, same result within one run (pid_tgid): may be shared */
	uint8_t cc;
	uint32_t then_, else_; /* block numbers */
	vreg args[5];
	const char *sym;
	const void *relo;  /* CO-RE relocation of imm/off (struct core_relo *), or NULL */
	struct span span;  /* for line info; {0}: as the instruction before */
};

struct ir_block {
	VEC(struct ir_insn) insns;
	const char *label; /* for dumps */
};

struct ir_slot {
	uint32_t size, align;
	const char *name; /* for dumps */
	bool on_stack;    /* it must not go to scratch: it holds pointers, or a helper wants it there */
	bool off_stack;   /* it must go to scratch: the verifier shall know nothing of what is in it */
	/* filled by ir_place_slots() */
	bool in_scratch;
	int32_t offset; /* from the frame pointer (negative), or from the scratch base */
};

struct ir_vreg {
	uint32_t ndefs;
	const char *name; /* variable it stands for, for dumps; or NULL */
};

struct scratch_lookup;

struct ir_func {
	struct arena *arena;
	const char *name;     /* the ELF symbol */
	bool is_subprog;      /* callback or subprogram: arguments by IR_ARG, may not use IR_CTX */
	vreg ctx;             /* of a subprogram: what ir_ctx() yields; whoever builds it must set it when it is not 0 */
	uint32_t nargs;
	VEC(uint32_t) callees; /* functions it calls or has called back, as often as that is written */
	uint32_t stack_most;  /* bytes of stack it may use; 0: all there are */
	VEC(struct ir_block *) blocks;
	VEC(struct ir_vreg) vregs; /* [0] is unused */
	VEC(struct ir_slot) slots;
	uint32_t cur;         /* block being built */
	struct span span;     /* given to instructions as they are built */
	uint32_t scratch_index; /* key of this program's value in the scratch map */
	/*
	 * After ir_compile(): bytes of scratch this program needs; 0: it does not touch the scratch map. Who
	 * makes the object may set scratch_map to a map's number before compiling (and leave the map out when
	 * no program needs it), or leave -1 and afterwards put the number into the relocation whose
	 * index is IR_NO_MAP (there is one in each program with scratch_bytes > 0, and none in others).
	 */
	uint32_t scratch_bytes;
	bool scratch_by_cpu;  /* too much for a per-CPU map: an array with a value for each CPU, its number is the key */
	/*
	 * Its program may be put aside for another run of it on this CPU: each task has scratch of its own. The kernel
	 * may refuse it; then one of the CPU's spare blocks is taken, and when these are all taken the u64 at this
	 * offset of .bss counts a run that did not take place. 0: the CPU's will do.
	 */
	uint32_t task_scratch;
	bool scratch_by_task;  /* set by ir_place_slots(): that is how it is, because a task may have so much */
	int32_t scratch_map;
	vreg scratch_base;    /* set by ir_place_slots(): the address of this program's scratch, 0: none */
	struct scratch_lookup *lookup; /* likewise: how to take the lookup out again */
};

/* ---- building ---- */
struct ir_func *ir_func_new(struct arena *a, const char *name);
vreg ir_vreg_new(struct ir_func *f, const char *name);
uint32_t ir_slot_new(struct ir_func *f, uint32_t size, uint32_t align, const char *name);
/* One that stays on the stack. It may still grow until the function is compiled. */
uint32_t ir_slot_new_on_stack(struct ir_func *f, uint32_t size, uint32_t align, const char *name);
uint32_t ir_block_new(struct ir_func *f, const char *label);
/* Continue building at the end of block `b`. */
void ir_block_use(struct ir_func *f, uint32_t b);
/* Has the current block been ended by JMP, BR or RET? (What is built after that is unreachable: it goes
 * into a fresh block that nothing reaches and that dead code elimination drops.) */
bool ir_block_ended(const struct ir_func *f);

vreg ir_const(struct ir_func *f, int64_t v);
void ir_mov_to(struct ir_func *f, vreg d, vreg a);
vreg ir_bin(struct ir_func *f, enum ir_op op, vreg a, vreg b);
vreg ir_bin_imm(struct ir_func *f, enum ir_op op, vreg a, int64_t imm);
vreg ir_neg(struct ir_func *f, vreg a);
vreg ir_bswap(struct ir_func *f, vreg a, uint8_t size);
vreg ir_ext(struct ir_func *f, vreg a, uint8_t size, bool sx);
vreg ir_setcc(struct ir_func *f, enum ir_cc cc, vreg a, vreg b);
vreg ir_setcc_imm(struct ir_func *f, enum ir_cc cc, vreg a, int64_t imm);
vreg ir_load(struct ir_func *f, vreg addr, int32_t off, uint8_t size, bool sx);
void ir_store(struct ir_func *f, vreg addr, int32_t off, uint8_t size, vreg v);
void ir_store_imm(struct ir_func *f, vreg addr, int32_t off, uint8_t size, int64_t imm);
vreg ir_atomic_add(struct ir_func *f, vreg addr, int32_t off, uint8_t size, vreg v, bool want_old);
/* Store v; returns what was there. */
vreg ir_atomic_xchg(struct ir_func *f, vreg addr, int32_t off, uint8_t size, vreg v);
/* Helper number as in linux/bpf.h (BPF_FUNC_*). Returns the vreg of the result. */
vreg ir_call(struct ir_func *f, int helper, uint32_t nargs, const vreg *args);
vreg ir_call_pure(struct ir_func *f, int helper, uint32_t nargs, const vreg *args);
/* A kernel function by name; `sym` must outlive the object. */
vreg ir_kfunc(struct ir_func *f, const char *sym, uint32_t nargs, const vreg *args);
vreg ir_ctx(struct ir_func *f);
vreg ir_arg(struct ir_func *f, uint32_t i);
vreg ir_slot_addr(struct ir_func *f, uint32_t slot);
vreg ir_map(struct ir_func *f, uint32_t map);
vreg ir_rodata(struct ir_func *f, uint32_t offset);
vreg ir_bss(struct ir_func *f, uint32_t offset);
vreg ir_func_addr(struct ir_func *f, uint32_t func);
vreg ir_callfunc(struct ir_func *f, uint32_t func, uint32_t nargs, const vreg *args);
void ir_jmp(struct ir_func *f, uint32_t block);
void ir_br(struct ir_func *f, enum ir_cc cc, vreg a, vreg b, uint32_t then_, uint32_t else_);
void ir_br_imm(struct ir_func *f, enum ir_cc cc, vreg a, int64_t imm, uint32_t then_, uint32_t else_);
void ir_ret(struct ir_func *f, vreg v);
void ir_ret_imm(struct ir_func *f, int64_t v);

/* ---- passes, in the order ir_compile() runs them ---- */
struct diags;
/* Constants and branches on constants are folded, immediates moved into instructions. */
void ir_fold(struct ir_func *f);
/* Copies are propagated and equal pure computations shared along dominators; loads from the same place
 * with nothing in between that may write memory are shared. */
void ir_cse(struct ir_func *f);
/* Unreachable blocks, results nobody uses, stores into slots nobody reads; chains of jumps. */
void ir_dce(struct ir_func *f);
/* Slots get their place: on the stack if all that is alive at once fits; else those over on_stack_limit bytes, and
 * if need be the next largest, go to scratch, and the scratch map is looked up before the first of them is
 * needed (the function returns 0 if that fails). -E2BIG when even scratch is too small. */
int ir_place_slots(struct ir_func *f, uint32_t on_stack_limit, struct diags *d);

#define IR_NO_MAP UINT32_MAX
#define IR_NO_SPARE_MAP (UINT32_MAX - 1) /* likewise, where scratch_by_task */

struct bpf_insn;
/* A place in the instructions that the object's relocations or line info must know. */
struct code_relo {
	uint32_t insn;
	enum { RELO_MAP, RELO_RODATA, RELO_BSS, RELO_FUNC, RELO_CALLFUNC, RELO_KFUNC, RELO_CORE } kind;
	uint32_t index;  /* map or function number; for data the offset is in the instruction */
	const char *sym;
	const void *core;
};
struct code_line {
	uint32_t insn;
	struct span span;
};
struct code {
	const char *name;
	bool is_subprog;
	uint32_t nargs;
	struct bpf_insn *insns;
	uint32_t n;
	VEC(struct code_relo) relos; /* in order of insn */
	VEC(struct code_line) lines; /* in order of insn */
	uint32_t stack_bytes;
};
/* Registers allocated (linear scan, spilling to the stack), instructions emitted. 0, or -E2BIG with a
 * diagnostic when the stack does not suffice. */
int ir_emit(struct ir_func *f, struct diags *d, struct code *out);
/* All of the above. */
int ir_compile(struct ir_func *f, uint32_t on_stack_limit, struct diags *d, struct code *out);

struct strbuf;
/* The name of a helper by its number (BPF_FUNC_*); NULL when the headers sonde was built with know none. */
const char *helper_name(int64_t number);
void ir_dump(const struct ir_func *f, struct strbuf *out);
/* The instructions as text, one per line: "  3: r1 = *(u64 *)(r6 + 8)", with map and function names when
 * `map_name` is given. */
void code_dump(const struct code *c, const char *(*map_name)(void *ctx, uint32_t map), void *ctx,
	       struct strbuf *out);

#endif
