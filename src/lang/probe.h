/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probe: what the compiler and the session need to know of a kind of probe. One kind is one struct
 * probe_kind in one file of src/probe/; the table of them is src/probe/kinds.c. Nothing else in the
 * program knows a kind by name.
 */
#ifndef SONDE_LANG_PROBE_H
#define SONDE_LANG_PROBE_H

#include <stdbool.h>

#include "base/report.h"
#include "lang/diag.h"
#include "lang/tree.h"

struct bpf_program;
struct bpf_link;
struct bpf_object;
struct kernel; /* kernel/kernel.h: what the running kernel offers, read lazily and cached */
struct ktypes; /* lang/ktype.h */
struct binaries; /* probe/binary.h */
struct usdt_files; /* probe/usdt.c */
struct symbols; /* symbol/symbol.h */

/* The facts a kind may ask for while it expands and attaches. */
struct probe_env {
	struct arena *arena;     /* attach points and types live here */
	struct kernel *kernel;
	struct ktypes *types;    /* the kernel's types, made when asked for */
	struct symbols *symbols; /* debugging information of programs, read when asked for; NULL: none */
	const struct reporter *report;
	struct diags *diags;     /* while compiling; NULL while attaching */
	struct binaries *binaries; /* programs that were looked into, made when asked for */
	struct usdt_files *usdt_files; /* the same of markers */
	bool dry_run;            /* attaching: leave nothing behind */
	int32_t pid;             /* -p or the child of -c; 0: none */
	bool pid_is_child;       /* of -c: it does not run its program yet */
	const char *child_program; /* of -c: what it will run */
	bool unsafe;             /* --unsafe: what may harm a traced process is allowed */
	uint32_t max_probes;
	bool keep_nesting_guard; /* a point runs under locks that programs take: see tracepoint.c */
};

/* What the clause of an attach point reads of what differs from one way of attaching to another. */
struct body_reads {
	bool args_whole;   /* args other than by a field's name */
	bool context;      /* a function that is FUNC_CONTEXT */
	bool object;       /* a function that is FUNC_OBJECT */
	bool kfunc;        /* a function that is FUNC_KFUNC, with arguments */
	VEC(const char *) fields; /* of args, by name; a name may stand here more than once */
};

/*
 * A test the program makes before the body of an attach point, when several share one program.
 *   GUARD_WORD_IN   the u64 at ctx + ctx_offset is one of values[] (sorted, unsigned)
 *   GUARD_DEREF_IN  the s64 at *(u64 *)(ctx + ctx_offset) + offset (kernel memory) is one of values[];
 *                   with bytes 4 it is an s32, sign-extended
 *   GUARD_RETURN_IN the program runs where functions begin (0) or return (1), as values[] says
 * When task_mask is not 0, there is no match either where the u32 at (current task) + task_offset has a
 * bit of task_mask set: a 32-bit system call of a 64-bit kernel, whose numbers mean something else. It
 * is tested after the number has matched, so that what does not match stays cheap.
 */
struct guard {
	enum { GUARD_NONE, GUARD_WORD_IN, GUARD_DEREF_IN, GUARD_RETURN_IN } kind;
	uint32_t ctx_offset, offset;
	uint32_t bytes; /* 8 (0 means 8) or 4 */
	uint32_t task_offset, task_mask;
};

/* How the session makes the program run. */
enum probe_run {
	RUN_ATTACHED, /* the kernel runs it: attach() */
	RUN_ITER,     /* the kernel runs it for each of its objects while the session reads what attach() opened */
	RUN_BEGIN, RUN_END, /* the session runs it once, by BPF_PROG_TEST_RUN */
	RUN_TIMER,    /* the session runs it every period_ns */
	RUN_SIGNAL,   /* the session runs it when it receives signal `number` */
	RUN_TEST,     /* --test: the session runs it once and looks at what it returns */
	RUN_BENCH,    /* --bench: the session runs it often and measures */
};

/* One concrete place to attach (no wildcard left). */
struct attach_point {
	const struct probe_kind *kind;
	const struct probe_spec *spec; /* where it was written */
	const char *name;    /* canonical full name: what the builtin `probe` yields and listings show */
	const char *section; /* ELF section, as libbpf names program types: "tp/sched/sched_switch" */
	const char *same_as; /* points of a clause with the same text here are one, however written; NULL: name */
	const char *group;   /* attach points with the same group share one BPF program; NULL: none */
	struct guard guard;
	uint64_t guard_value;
	const struct type *args; /* what `args` offers here, or NULL; filled by kind->args() */
	/* The verifier knows what the words of the context point to (tp_btf, fentry): at this one place. */
	bool uses_btf_ctx;
	bool optional;           /* a pattern has found it: when the kernel will not have it, it is left out and counted */
	bool stays;              /* it is left behind and runs without the session: nobody receives its events */
	bool unpaced;            /* RUN_ITER: the kernel cannot go on in the middle: all must be read at once */
	/* for the kind's own attach(): meaning is private to it */
	const char *target, *func;
	uint32_t follower;   /* of its spec: it is attached by follow_attach(); 0: by attach() */
	uint64_t number;     /* period, config, address, offset, signal */
	uint64_t period_ns;  /* RUN_TIMER */
	void *priv;
	/*
	 * Which of the points of its program this is. attach() hands it to the kernel as the BPF cookie of the
	 * attachment when the program asks for it (kind->takes_cookie); set by the checker. Only the lower 32
	 * bits: the upper half of the cookie is the kind's, for points of several places (ACCESS_PLACE).
	 */
	uint64_t cookie;
};

typedef VEC(struct attach_point *) attach_vec;

/* What attach() leaves for the session to close. */
struct probe_link {
	struct bpf_link *link; /* or NULL */
	int fd;                /* or -1 */
	bool slow_close;       /* closing waits for a grace period: closed in parallel, after switch-off */
	bool returns;          /* the kernel waits for functions to return, and may have to let calls go unseen */
	bool watches;          /* a watchpoint at `address`, which unwatch() may end */
	uint64_t address;
	bool begun;            /* the session has read from it */
	bool to_read;          /* RUN_ITER: the session reads `fd` to its end */
};

typedef VEC(struct probe_link) link_vec;

/* A symbol of a traced program, and how its address is found where the probe fires. */
struct probe_symbol {
	uint64_t addr, size; /* size 0: not known */
	enum {
		SYMBOL_FIXED,      /* it is addr */
		SYMBOL_FROM_IP,    /* the instruction pointer is `here` when the program is where its file says */
		SYMBOL_FROM_ENTRY, /* what bpf_get_func_ip() returns is */
	} from;
	uint64_t here;
};

struct probe_kind {
	const char *name;            /* "tracepoint" */
	const char *const *aliases;  /* NULL-terminated: "t", ... NULL when none. Case matters unless ci. */
	bool case_insensitive;
	const char *forms;           /* "tracepoint:SUBSYSTEM:EVENT", shown by help and in errors */
	const char *summary;         /* one line for help */
	enum probe_run run;
	const char *absent_hint;     /* what to use where the kernel or machine lacks what it needs; or NULL */
	const char *prog_type;       /* for --info and help: the kernel's name of the program type */
	bool has_args, has_argn, has_retval, has_func;
	bool has_typed_argn;         /* arg0, arg1, ... are members of what args() fills in, not words */
	bool has_plain_retval;       /* retval is a word where args() tells no type of it */
	bool has_ctx;                /* `ctx` are the members of ap->args */
	bool one_each;               /* a program can serve one attach point only */
	enum addr_space space;       /* of pointers in its arguments when nothing says better */
	bool filter_pid;             /* attached for all processes: with -p its programs test the process */
	bool slow_close;             /* its programs test the session's off flag first */
	bool preemptible;            /* a run may be put aside, on its CPU, for programs that another task runs */
	bool reentrant;              /* for this very program too */
	bool last_runs_first;        /* of several programs at one place, the one attached last runs first */
	/*
	 * attach() gives every attachment its point's cookie, so that one body serves many points and still
	 * knows which of them fired (`probe`, `func`). Used where the kernel lets programs of prog_type call
	 * bpf_get_attach_cookie(), which is when it also takes cookies for them; then attach() must succeed
	 * in handing them over. Points of a group must not rely on it.
	 */
	bool takes_cookie;

	/*
	 * Check `spec` and add its attach points to *out, in a stable order, without duplicates. A mistake
	 * is a diagnostic at the part that is wrong (-EINVAL), with a near name as the hint. A pattern
	 * that matches nothing is -ENOENT with a diagnostic left to the caller (missing_probes).
	 */
	int (*expand)(struct probe_env *env, const struct probe_spec *spec, attach_vec *out);
	/*
	 * Why this kernel has no probes of the kind at all, as far as expand() does not say it, or NULL: asked
	 * where another way would do. The kind may leave this out.
	 */
	const char *(*missing)(struct probe_env *env);
	/*
	 * The clause of `ap` is known now: choose the cheapest way to attach that gives it what it reads.
	 * Called once all probes of the script are expanded, before args(); may set section and args. NULL:
	 * there is only one way.
	 */
	int (*settle)(struct probe_env *env, struct attach_point *ap, const struct body_reads *reads);
	/*
	 * Can one program serve the points of two, these where functions begin and those where they return? Then
	 * they are made ready for that: section says how, and attach() is given both, `begin` first. The kind
	 * may leave this out.
	 */
	bool (*join)(struct probe_env *env, const attach_vec *begin, const attach_vec *end);
	/* Fill ap->args. NULL: the kind has no args. May be asked late: reads tracefs or BTF. */
	int (*args)(struct probe_env *env, struct attach_point *ap);
	/* The type of this name ("struct foo", a typedef) as the traced program knows it; NULL: unknown. The
	 * kind may leave this out. */
	const struct type *(*type)(struct probe_env *env, const struct attach_point *ap, const char *name);
	/* A symbol of the traced program, for uaddr(): 0, -ENOENT, or another errno after a diagnostic at `span`. The
	 * kind may leave this out. */
	int (*symbol)(struct probe_env *env, const struct attach_point *ap, struct span span, const char *name,
		      struct probe_symbol *out);
	/*
	 * Call fn with the full name of all that match a spec whose parts may be patterns (for -l); no
	 * attach point is made. Sorted. Stops when fn returns non-zero and returns that.
	 */
	int (*list)(struct probe_env *env, const struct probe_spec *spec,
		    int (*fn)(const char *name, void *ctx), void *ctx);
	/*
	 * Before the object is loaded: say what `prog` is for, where its section does not. What must stay open is
	 * added to *links. 0 or a negative errno after a report. May be NULL.
	 */
	int (*prepare)(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap, link_vec *links);
	/* The kernel has refused the object with `err`. When that is because of this attach point: say so and return
	 * err; else 0. May be NULL. */
	int (*refused)(struct probe_env *env, const struct attach_point *ap, int err);
	/* Attach `prog` to all `points` (of one program); add what must be closed to *links. On failure
	 * one message has been reported and a negative errno is returned; links already added stay in
	 * *links for the caller to close. */
	int (*attach)(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		      uint32_t npoints, link_vec *links);
	/*
	 * For what is attached while the session runs, to addresses that functions are called with. follow(): the
	 * text of a clause that hands them over by __watch(number, ADDRESS, whether the process is to be stopped
	 * meanwhile); NULL: the spec is not of this form. follow_attach(): attach to one of them. Both may be NULL.
	 */
	const char *(*follow)(struct probe_env *env, const struct probe_spec *spec, uint32_t number);
	int (*follow_attach)(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap,
			     uint64_t address, link_vec *links);
};

/* Does the kernel run its programs, not the session? */
static inline bool probe_run_by_kernel(const struct probe_kind *kind)
{
	return kind->run == RUN_ATTACHED || kind->run == RUN_ITER;
}

/* The kind that answers to `name` (its own or an alias) in a NULL-terminated table; NULL when none. */
const struct probe_kind *probe_kind_find(const struct probe_kind *const *kinds, const char *name);

/* "kind:part:part" as a spec without a place in a source. A part in quotes is not a pattern. */
struct probe_spec *probe_spec_of_text(struct arena *a, const char *text);

#endif
