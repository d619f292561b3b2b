/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running compiled functions in the kernel (test_run of a raw tracepoint program), and IR in C. */
#include "ir_run.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOG_BYTES (4u << 20)
#define SCRATCH_BYTES 32768

int run_open(struct run *r)
{
	r->log = calloc(1, LOG_BYTES);
	r->maps[RUN_MAP_RESULT] = bpf_map_create(BPF_MAP_TYPE_ARRAY, "result", 4, RUN_VALUE_BYTES, 1, NULL);
	r->maps[RUN_MAP_SCRATCH] = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "scratch", 4, SCRATCH_BYTES, 4, NULL);
	if (!r->log || r->maps[RUN_MAP_RESULT] < 0 || r->maps[RUN_MAP_SCRATCH] < 0)
		return -errno;
	return 0;
}

void run_close(struct run *r)
{
	free(r->log);
	for (int k = 0; k < RUN_MAPS; k++)
		if (r->maps[k] >= 0)
			close(r->maps[k]);
}

/* What libbpf would do with the relocations of an object. */
static void relocate(const struct run *r, const struct code *c, struct bpf_insn *all, uint32_t base,
		     const uint32_t *starts)
{
	for (uint32_t k = 0; k < c->relos.n; k++) {
		const struct code_relo *relo = &c->relos.v[k];
		struct bpf_insn *i = &all[base + relo->insn];

		switch (relo->kind) {
		case RELO_MAP:
			i->src_reg = BPF_PSEUDO_MAP_FD;
			i->imm = r->maps[relo->index == IR_NO_MAP ? RUN_MAP_SCRATCH : relo->index];
			break;
		case RELO_FUNC:
			i->src_reg = BPF_PSEUDO_FUNC;
			i->imm = (int)(starts[relo->index] - (base + relo->insn) - 1);
			break;
		case RELO_CALLFUNC:
			i->imm = (int)(starts[relo->index] - (base + relo->insn) - 1);
			break;
		default:
			abort();
		}
	}
}

/* The kernel wants to know the functions of programs that have several: all are static, and take and return u64. */
static int functions_btf(const struct code *progs, uint32_t n, struct bpf_func_info *infos)
{
	struct btf *btf = btf__new_empty();
	uint32_t size;
	int u64 = btf__add_int(btf, "u64", 8, 0), fd;
	const void *raw;

	for (uint32_t k = 0; k < n; k++) {
		int proto = btf__add_func_proto(btf, u64);

		for (uint32_t i = 0; i < (k ? progs[k].nargs : 1); i++)
			btf__add_func_param(btf, "arg", u64);
		infos[k].type_id = (uint32_t)btf__add_func(btf, k ? progs[k].name : "main", BTF_FUNC_STATIC, proto);
	}
	raw = btf__raw_data(btf, &size);
	fd = bpf_btf_load(raw, size, NULL);
	btf__free(btf);
	return fd;
}

int run_program(struct run *r, const struct code *progs, uint32_t n, const uint64_t ctx[RUN_CTX_WORDS],
		uint8_t value[RUN_VALUE_BYTES], uint32_t *retval)
{
	uint32_t total = 0, starts[8] = {0}, zero = 0;
	struct bpf_func_info infos[8] = {0};
	struct bpf_insn *all;
	int fd, err = 0, btf_fd;
	LIBBPF_OPTS(bpf_prog_load_opts, load);

	for (uint32_t k = 0; k < n; k++)
		total += progs[k].n;
	all = calloc(total, sizeof(*all));
	total = 0;
	for (uint32_t k = 0; k < n; k++) {
		starts[k] = total;
		memcpy(all + total, progs[k].insns, sizeof(*all) * progs[k].n);
		total += progs[k].n;
	}
	for (uint32_t k = 0; k < n; k++)
		relocate(r, &progs[k], all, starts[k], starts);

	btf_fd = n > 1 ? functions_btf(progs, n, infos) : -1;
	for (uint32_t k = 0; k < n; k++)
		infos[k].insn_off = starts[k];
	if (n > 1) {
		load.prog_btf_fd = (uint32_t)btf_fd;
		load.func_info = infos;
		load.func_info_cnt = n;
		load.func_info_rec_size = sizeof(infos[0]);
	}
	r->log[0] = 0;
	fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "test", "GPL", all, total, &load);
	if (fd < 0) {
		err = -errno;
		load.log_buf = r->log;
		load.log_size = LOG_BYTES;
		load.log_level = 2;
		fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "test", "GPL", all, total, &load);
	}
	free(all);
	if (btf_fd >= 0)
		close(btf_fd);
	if (fd < 0)
		return err;
	bpf_map_update_elem(r->maps[RUN_MAP_RESULT], &zero, value, 0);
	{
		LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = ctx, .ctx_size_in = sizeof(uint64_t) * RUN_CTX_WORDS);

		err = bpf_prog_test_run_opts(fd, &opts);
		*retval = opts.retval;
	}
	bpf_map_lookup_elem(r->maps[RUN_MAP_RESULT], &zero, value);
	close(fd);
	return err;
}

/* ---- interpreter ---- */

struct interp {
	const struct ir_func *f;
	uint64_t *regs;
	uint8_t **slots;
	const uint64_t *ctx;
	uint8_t *value;
};

static uint64_t extend(uint64_t v, uint8_t size, bool sx)
{
	unsigned int shift = 64 - 8u * size;

	return sx ? (uint64_t)((int64_t)(v << shift) >> shift) : v << shift >> shift;
}

static uint64_t binary64(enum ir_op op, uint64_t a, uint64_t b)
{
	switch (op) {
	case IR_ADD:
		return a + b;
	case IR_SUB:
		return a - b;
	case IR_MUL:
		return a * b;
	case IR_UDIV:
		return b ? a / b : 0;
	case IR_UMOD:
		return b ? a % b : a;
	case IR_AND:
		return a & b;
	case IR_OR:
		return a | b;
	case IR_XOR:
		return a ^ b;
	case IR_SHL:
		return a << (b & 63);
	case IR_SHR:
		return a >> (b & 63);
	case IR_SAR:
		return (uint64_t)((int64_t)a >> (b & 63));
	default:
		abort();
	}
}

static uint64_t binary(const struct ir_insn *i, uint64_t a, uint64_t b)
{
	if (!i->w32)
		return binary64(i->op, a, b);
	if (i->op == IR_SAR)
		return (uint32_t)((int32_t)a >> (b & 31));
	if (i->op == IR_SHL || i->op == IR_SHR)
		b &= 31;
	return (uint32_t)binary64(i->op, (uint32_t)a, (uint32_t)b);
}

static bool compare(uint8_t cc, bool w32, uint64_t a, uint64_t b)
{
	if (w32) {
		a = extend(a, 4, cc >= CC_SLT && cc <= CC_SGE);
		b = extend(b, 4, cc >= CC_SLT && cc <= CC_SGE);
	}
	switch (cc) {
	case CC_EQ:
		return a == b;
	case CC_NE:
		return a != b;
	case CC_ULT:
		return a < b;
	case CC_ULE:
		return a <= b;
	case CC_UGT:
		return a > b;
	case CC_UGE:
		return a >= b;
	case CC_SLT:
		return (int64_t)a < (int64_t)b;
	case CC_SLE:
		return (int64_t)a <= (int64_t)b;
	case CC_SGT:
		return (int64_t)a > (int64_t)b;
	case CC_SGE:
		return (int64_t)a >= (int64_t)b;
	default:
		return a & b;
	}
}

static uint64_t read_memory(uint64_t addr, uint8_t size)
{
	uint64_t v = 0;

	memcpy(&v, (const void *)(uintptr_t)addr, size);
	return v;
}

static uint64_t call(struct interp *s, const struct ir_insn *i)
{
	uint64_t a[5] = {0};

	for (int k = 0; k < i->nargs; k++)
		a[k] = s->regs[i->args[k]];
	switch (i->imm) {
	case BPF_FUNC_map_lookup_elem:
		return read_memory(a[1], 4) ? 0 : (uintptr_t)s->value;
	case BPF_FUNC_probe_read_kernel:
		memmove((void *)(uintptr_t)a[0], (const void *)(uintptr_t)a[2], (uint32_t)a[1]);
		return 0;
	case BPF_FUNC_get_current_pid_tgid:
		return (uint64_t)getpid() << 32 | (uint32_t)syscall(SYS_gettid);
	default:
		abort();
	}
}

static uint64_t step(struct interp *s, const struct ir_insn *i)
{
	uint64_t a = s->regs[i->a], b = i->use_imm ? (uint64_t)i->imm : s->regs[i->b], old;

	switch (i->op) {
	case IR_CONST:
		return (uint64_t)i->imm;
	case IR_MOV:
		return a;
	case IR_NEG:
		return i->w32 ? (uint32_t)-a : -a;
	case IR_BSWAP:
		return __builtin_bswap64(a) >> (64 - 8 * i->size);
	case IR_EXT:
		return extend(a, i->size, i->sx);
	case IR_SETCC:
		return compare(i->cc, i->w32, a, b);
	case IR_LOAD:
		return extend(read_memory(a + (uint64_t)i->off, i->size), i->size, i->sx);
	case IR_STORE:
		memcpy((void *)(uintptr_t)(a + (uint64_t)i->off), &b, i->size);
		return 0;
	case IR_ATOMIC:
		old = read_memory(a + (uint64_t)i->off, i->size);
		b += old;
		memcpy((void *)(uintptr_t)(a + (uint64_t)i->off), &b, i->size);
		return old;
	case IR_CALL:
		return call(s, i);
	case IR_CTX:
		return (uintptr_t)s->ctx;
	case IR_SLOT:
		return (uintptr_t)s->slots[i->imm] + (uint64_t)i->off;
	case IR_MAP:
		return 0;
	default:
		return binary(i, a, b);
	}
}

#define STEPS_MOST 1000000

static bool execute(struct interp *s, uint32_t *retval)
{
	uint32_t block = 0, at = 0;

	for (uint32_t steps = 0; steps < STEPS_MOST; steps++) {
		const struct ir_insn *i = &s->f->blocks.v[block]->insns.v[at++];
		uint64_t v;

		switch (i->op) {
		case IR_NOP:
			break;
		case IR_JMP:
			block = i->then_;
			at = 0;
			break;
		case IR_BR:
			block = compare(i->cc, i->w32, s->regs[i->a], i->use_imm ? (uint64_t)i->imm : s->regs[i->b]) ?
				i->then_ : i->else_;
			at = 0;
			break;
		case IR_RET:
			*retval = (uint32_t)(i->a ? s->regs[i->a] : (uint64_t)i->imm);
			return true;
		default:
			v = step(s, i);
			if (i->d)
				s->regs[i->d] = v;
		}
	}
	return false;
}

bool interpret(const struct ir_func *f, const uint64_t ctx[RUN_CTX_WORDS], uint8_t value[RUN_VALUE_BYTES],
	       uint32_t *retval)
{
	struct interp s = { .f = f, .ctx = ctx, .value = value };
	bool ended;

	s.regs = calloc(f->vregs.n, sizeof(*s.regs));
	s.slots = calloc(f->slots.n + 1, sizeof(*s.slots));
	for (uint32_t k = 0; k < f->slots.n; k++)
		s.slots[k] = calloc(1, f->slots.v[k].size);
	ended = execute(&s, retval);
	for (uint32_t k = 0; k < f->slots.n; k++)
		free(s.slots[k]);
	free(s.slots);
	free(s.regs);
	return ended;
}
