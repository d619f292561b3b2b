/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel: what the running kernel offers. Everything is read when first asked for and kept; nothing is
 * read that a question does not need (BTF above all).
 */
#ifndef SONDE_KERNEL_KERNEL_H
#define SONDE_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/report.h"

struct kernel;
struct btf;

/* What this process was told about the kernel. */
struct kernel_wishes {
	const char *traceable_functions; /* a file in the form of available_filter_functions, read in its place; or NULL */
	bool no_kprobe_multi, no_kprobe_session, no_uprobe_multi; /* do without */
};
extern struct kernel_wishes kernel_wishes; /* set before anything is asked of the kernel */

struct kernel *kernel_new(const struct reporter *r);
void kernel_free(struct kernel *k);

/* A directory descriptor of tracefs: the mounted one, else a detached mount of our own (fsopen), so the
 * machine is not changed. Negative errno after one message that names the capability that is missing. */
int kernel_tracefs(struct kernel *k);
/* Contents of a tracefs file (NUL-terminated, free()). -ENOENT is not reported; other failures are. */
int kernel_tracefs_read(struct kernel *k, const char *path, char **text, size_t *len);

/* Number of the kernel: LINUX_VERSION_CODE form. */
uint32_t kernel_version(void);
int kernel_ncpus_possible(void);
int kernel_ncpus_online(void);
/* The numbers of the CPUs that are online now, ascending. Owned by the kernel. */
int kernel_online_cpus(struct kernel *k, const int **cpus, size_t *n);

/* vmlinux BTF through libbpf; NULL when the kernel has none (reported once) . Owned by the kernel. */
struct btf *kernel_btf(struct kernel *k);
bool kernel_has_btf(struct kernel *k); /* without parsing it */
/* The types of a module (on top of the kernel's own); of "vmlinux" as kernel_btf(). NULL after a report.
 * Owned by the kernel, and valid until another module is asked for. */
const struct btf *kernel_module_btf(struct kernel *k, const char *module);

/*
 * The same types read lazily: nothing is copied, and only what is asked for is looked at. "vmlinux" or the
 * name of a module, whose types follow those of vmlinux in number. NULL when there are none (reported; for
 * vmlinux once). Owned by the kernel and valid as long as it.
 */
struct btf_file;
struct btf_type;
const struct btf_file *kernel_types(struct kernel *k, const char *module);
/* Call fn for the types of every module that is loaded, until it returns non-zero; returns that. */
int kernel_types_each_module(struct kernel *k, int (*fn)(const struct btf_file *f, void *ctx), void *ctx);
const char *btf_file_module(const struct btf_file *f);
/* A type by its number, with all its members; NULL: void, or no such type. */
const struct btf_type *btf_file_type(const struct btf_file *f, uint32_t id);
/* The number after that of the last type. */
uint32_t btf_file_end(const struct btf_file *f);
const char *btf_file_string(const struct btf_file *f, uint32_t offset); /* "" when there is none */
/* The first type of the file's own with this name and one of `kinds` (bits 1 << BTF_KIND_*); 0: none. */
uint32_t btf_file_find(const struct btf_file *f, const char *name, uint32_t kinds);
/* The enum that has this enumerator, and its place in it; 0: none. */
uint32_t btf_file_find_enumerator(const struct btf_file *f, const char *name, uint32_t *which);

/* Where a member (also one of an unnamed member) lies within a struct of the kernel. 0 or -ENOENT. */
int kernel_member_offset(struct kernel *k, const char *struct_name, const char *member, uint32_t *offset);
/* May programs of this type (as probe kinds name it) call a helper (BPF_FUNC_*)? It is tried. */
bool kernel_helper_allowed(const char *prog_type, int helper);
/* Is there a function of this name in the kernel's types? May programs of this type (as probe kinds name
 * it) call it? */
bool kernel_kfunc_exists(struct kernel *k, const char *name);
/* How many parameters it has; -ENOENT: there is none. */
int kernel_kfunc_params(struct kernel *k, const char *name);
bool kernel_kfunc_allowed(struct kernel *k, const char *name, const char *prog_type);

/* Address of a kernel symbol from /proc/kallsyms; 0 when unknown or hidden. */
uint64_t kernel_symbol_address(struct kernel *k, const char *name);
bool kernel_symbol_exists(struct kernel *k, const char *name);

/* Are there kprobes? When not: what is missing ("CONFIG_KPROBES is off"). */
bool kernel_has_kprobes(struct kernel *k);
const char *kernel_kprobes_missing(struct kernel *k);
/* How perf_event_open() is told of a kprobe: its type, and the bit of config that makes it fire on return. */
int kernel_kprobe_pmu(struct kernel *k, uint32_t *type, uint32_t *return_bit);
/* Whether programs can be hooked into functions (fentry, fexit): it is tried, once. */
bool kernel_has_fentry(struct kernel *k);
/* Can one link attach a program to thousands of functions; and to entry and return at once? Tried once. */
bool kernel_has_kprobe_multi(struct kernel *k);
bool kernel_has_kprobe_session(struct kernel *k);
/* A link for the latter; by names, or by addresses when there are no names. A descriptor or a negative errno. */
int kernel_kprobe_session_link(int prog, const char **names, const unsigned long *addresses,
			       const unsigned long long *cookies, size_t n);
#define KERNEL_ATTACH_KPROBE_SESSION 56 /* for a program to be loaded; younger than the headers of some distributions */

/* Can a function of the kernel be traced, and if not, why? */
enum function_state {
	FUNCTION_TRACEABLE,
	FUNCTION_BLACKLISTED, /* a kprobe there would bring the kernel down: it refuses */
	FUNCTION_NOTRACE,     /* built without a place where tracing could hook in */
	FUNCTION_CHANGED,     /* the compiler left only variants of it: name.isra.0, name.constprop.0, ... */
	FUNCTION_INLINED,     /* known to the kernel's types, but without code of its own */
	FUNCTION_MISSING,
};

struct kernel_function {
	const char *name;
	const char *module;   /* "vmlinux": the kernel itself */
	uint64_t address;     /* 0: this user may not see it */
	enum function_state state;
	const char *variant;  /* FUNCTION_CHANGED: what there is instead */
	uint32_t number;      /* for kernel_function_type() */
};

/*
 * The functions whose module and name match the patterns (NULL: any), sorted by name, module and address;
 * several of one name may differ in address. Their text is the kernel object's, the list the arena's. The
 * first call costs some 50 ms (the kernel writes all of its symbols), later ones a few.
 */
int kernel_functions(struct kernel *k, struct arena *a, const char *module, const char *name,
		     const struct kernel_function **list, size_t *n);
/* Of a function from that list: its type's id in the types of its module (BTF_KIND_FUNC); 0: they have none. A negative
 * errno after a report. */
int kernel_function_type(struct kernel *k, const struct kernel_function *fn);
/* The functions of this very name (several may have it). When there is none, *n is 1 and the one says why
 * not (FUNCTION_CHANGED and behind). `module` NULL: any. */
int kernel_functions_named(struct kernel *k, struct arena *a, const char *module, const char *name,
			   const struct kernel_function **list, size_t *n);
/* The name nearest to one that does not exist, NULL when none is near; "vmlinux" or a module that is loaded? */
const char *kernel_function_nearest(struct kernel *k, const char *module, const char *name);
bool kernel_module_loaded(const char *module);
/* The names of the modules that have functions, sorted; "vmlinux" is none. Owned by the kernel. */
int kernel_function_modules(struct kernel *k, const char *const **names, size_t *n);
/* Is `name` known to be a function of the kernel itself by its types alone, which costs 2 ms? Whether it can
 * be traced stays open. */
bool kernel_function_likely(struct kernel *k, const char *name);
/* Did the kernel say which functions it can trace? Else the states above are guesses. */
bool kernel_functions_certain(struct kernel *k);
/* Why a function is not traced, for messages: "the compiler has inlined it". */
const char *function_state_text(enum function_state state);

/* One field of a tracepoint as its format file says. */
struct tp_field {
	const char *name;
	const char *type;   /* C type as written, without the name: "const char *", "__data_loc char[]", "u8[16]" */
	uint32_t offset, size;
	bool is_signed;
	uint32_t array;     /* elements, 0: not an array */
	bool data_loc, rel_loc;
};
struct tp_format {
	uint32_t id;
	const struct tp_field *fields; /* with the common_ ones */
	uint32_t nfields;
};
/* Parse events/SYSTEM/EVENT/format into arena memory. -ENOENT when there is no such event (not
 * reported). The text comes from the kernel but is treated as hostile. */
int kernel_tracepoint(struct kernel *k, struct arena *a, const char *system, const char *event,
		      struct tp_format *out);
/* Without parsing anything: is there such an event, and its number for perf_event_open(). Negative errno;
 * -ENOENT is not reported. */
int kernel_tracepoint_exists(struct kernel *k, const char *system, const char *event);
int kernel_tracepoint_id(struct kernel *k, const char *system, const char *event, uint64_t *id);
/* Was this event made at run time (by a kprobe, a uprobe, as a synthetic event), so that no tracepoint of
 * the kernel's code stands behind it? True also when that cannot be found out. */
bool kernel_tracepoint_is_dynamic(struct kernel *k, const char *system, const char *event);
/* The parser alone, for tests and fuzzing. */
int tp_format_parse(struct arena *a, const char *text, size_t len, struct tp_format *out);
/* Sorted names: systems, and events of one system. Owned by the kernel. */
int kernel_tracepoint_systems(struct kernel *k, const char *const **names, size_t *n);
int kernel_tracepoint_events(struct kernel *k, const char *system, const char *const **names, size_t *n);

/* The raw tracepoints as "MODULE:EVENT", the kernel's own module being "vmlinux" (from BTF's btf_trace_*
 * typedefs, else the events of tracefs). Sorted. */
int kernel_raw_tracepoints(struct kernel *k, const char *const **names, size_t *n);

/* What BPF_LINK_CREATE and loading call a program that one link attaches to many places of a file. */
#define BPF_ATTACH_UPROBE_MULTI 48
/* Places in one file; ref_ctr_offsets and cookies may be NULL. */
struct uprobe_places {
	const char *path;
	const uint64_t *offsets, *ref_ctr_offsets, *cookies;
	uint32_t n;
	bool is_return;
	int32_t pid; /* 0: every process */
};
bool kernel_has_uprobe_multi(struct kernel *k);
/* A link's descriptor or a negative errno. Nothing is reported. */
int kernel_uprobe_multi_link(int prog_fd, const struct uprobe_places *p);

/* The number of a system call by the name tracefs uses ("openat"), for this architecture; -1 unknown. */
int kernel_syscall_number(const char *name);
const char *kernel_syscall_name(int number); /* NULL: unknown */
/* May 32-bit system calls reach the tracepoints of this 64-bit kernel? Then how to tell: the u32 at
 * *offset of the current task has a bit of *mask set. */
bool kernel_has_compat_syscalls(uint32_t *offset, uint32_t *mask);

/* Features found by trying: each is tried once. For --info. */
/* Can a program walk the stack of a process by itself? */
bool kernel_unwinds(void);

struct kernel_feature {
	const char *group; /* "Kernel helpers", "Kernel features", "Map types", "Probe types" */
	const char *name;  /* "ring buffer", "btf", ... */
	bool (*probe)(struct kernel *k);
};
extern const struct kernel_feature kernel_features[]; /* ended by a NULL name */

/* Do we hold what tracing needs? 0, or -EPERM after one message that names the missing capabilities. */
int kernel_check_capabilities(struct kernel *k);
/* Give up every capability but those in `keep` (a mask of 1 << CAP_*). */
int kernel_drop_capabilities(uint64_t keep);

#endif
