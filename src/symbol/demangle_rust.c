/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Demangle, Rust. The older way looks like C++: a path whose last part is a hash. The newer one (v0) has a
 * grammar of its own: https://doc.rust-lang.org/rustc/symbol-mangling/v0.html. Hashes are not shown.
 */
#include "symbol/demangle.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

/* ---- the older way ---- */

static const struct {
	const char *code, *text;
} escapes[] = {
	{ "SP", "@" }, { "BP", "*" }, { "RF", "&" }, { "LT", "<" }, { "GT", ">" }, { "LP", "(" }, { "RP", ")" },
	{ "C", "," },
};

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void utf8_add(struct strbuf *out, uint32_t c)
{
	if (c < 0x80) {
		strbuf_addch(out, (char)c);
	} else if (c < 0x800) {
		strbuf_addch(out, (char)(0xc0 | c >> 6));
		strbuf_addch(out, (char)(0x80 | (c & 0x3f)));
	} else {
		strbuf_addch(out, (char)(0xe0 | (c >> 12 & 0xf)));
		strbuf_addch(out, (char)(0x80 | (c >> 6 & 0x3f)));
		strbuf_addch(out, (char)(0x80 | (c & 0x3f)));
	}
}

/* "$LT$" and "$u7e$"; the length of what was read, or 0. */
static size_t escape_read(const char *s, size_t n, struct strbuf *out)
{
	const char *end = n > 2 && *s == '$' ? memchr(s + 1, '$', n - 1) : NULL;
	size_t len = end ? (size_t)(end - s - 1) : 0;
	uint32_t c = 0;

	if (!len)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(escapes); i++)
		if (strlen(escapes[i].code) == len && !memcmp(s + 1, escapes[i].code, len)) {
			strbuf_addstr(out, escapes[i].text);
			return len + 2;
		}
	if (s[1] != 'u' || len < 2 || len > 5)
		return 0;
	for (size_t i = 2; i <= len; i++) {
		if (hex_value(s[i]) < 0)
			return 0;
		c = c << 4 | (uint32_t)hex_value(s[i]);
	}
	if (c < 0x20)
		return 0;
	utf8_add(out, c);
	return len + 2;
}

static void part_add(const char *s, size_t n, struct strbuf *out)
{
	size_t i = n > 1 && s[0] == '_' && s[1] == '$' ? 1 : 0;

	while (i < n) {
		size_t used = escape_read(s + i, n - i, out);

		if (used) {
			i += used;
		} else if (s[i] == '.' && i + 1 < n && s[i + 1] == '.') {
			strbuf_addstr(out, "::");
			i += 2;
		} else {
			strbuf_addch(out, s[i++]);
		}
	}
}

static bool is_hash(const char *s, size_t n)
{
	if (n != 17 || *s != 'h')
		return false;
	for (size_t i = 1; i < n; i++)
		if (hex_value(s[i]) < 0)
			return false;
	return true;
}

/* The parts of _ZN...E; the last one must be a hash. Appends when `out` is not NULL. */
static bool legacy_read(const char *name, struct strbuf *out)
{
	const char *s = name + 3, *end = name + strlen(name);
	bool first = true, hash = false;

	if (!str_starts(name, "_ZN"))
		return false;
	while (*s >= '1' && *s <= '9') {
		size_t n = 0;

		for (; *s >= '0' && *s <= '9' && n < 100000; s++)
			n = n * 10 + (size_t)(*s - '0');
		if (!n || n > (size_t)(end - s))
			return false;
		hash = is_hash(s, n);
		if (out && !hash) {
			strbuf_addstr(out, first ? "" : "::");
			part_add(s, n, out);
		}
		first = false;
		s += n;
	}
	/* behind it, what LLVM appends to copies */
	return hash && *s == 'E' && (!s[1] || s[1] == '.');
}

bool demangle_rust_legacy(const char *name, struct strbuf *out)
{
	return legacy_read(name, NULL) && legacy_read(name, out);
}

/* ---- v0 ---- */

/* References back can make a short name very long. */
#define MOST_DEPTH 100
#define MOST_OUT 4096

struct v0 {
	const char *s; /* behind _R */
	size_t at, n;
	struct strbuf *out;
	size_t out_from;
	uint32_t depth;
	uint64_t binders; /* lifetimes bound so far */
	bool failed;
	uint32_t quiet;   /* read, not shown */
};

static void path_read(struct v0 *v, bool value);
static void type_read(struct v0 *v);
static void const_read(struct v0 *v);

static char next(struct v0 *v)
{
	return !v->failed && v->at < v->n ? v->s[v->at] : 0;
}

static bool take(struct v0 *v, char c)
{
	bool is = next(v) == c && c;

	v->at += is;
	return is;
}

static void add(struct v0 *v, const char *text)
{
	if (v->quiet || v->failed)
		return;
	strbuf_addstr(v->out, text);
	if (v->out->len - v->out_from > MOST_OUT)
		v->failed = true;
}

/* Base 62, ended by '_': "_" is 0, "0_" is 1. */
static uint64_t base62(struct v0 *v)
{
	uint64_t n = 0;

	if (take(v, '_'))
		return 0;
	for (;;) {
		char c = next(v);
		int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'z' ? c - 'a' + 10 :
			    c >= 'A' && c <= 'Z' ? c - 'A' + 36 : -1;

		if (digit < 0 || n > UINT64_MAX / 64) {
			v->failed |= c != '_' || digit >= 0;
			v->at++;
			return n + 1;
		}
		n = n * 62 + (uint64_t)digit;
		v->at++;
	}
}

static uint64_t optional62(struct v0 *v, char tag)
{
	return take(v, tag) ? base62(v) + 1 : 0;
}

/* Go back to where something was written before, read it there, and come back. */
static void back_read(struct v0 *v, void (*read)(struct v0 *v))
{
	size_t here, to = base62(v);

	here = v->at;
	if (to + 1 >= here || v->failed || v->depth > MOST_DEPTH) {
		v->failed = true;
		return;
	}
	if (v->quiet)
		return;
	v->at = to;
	v->depth++;
	read(v);
	v->depth--;
	v->at = here;
}

static void path_type_read(struct v0 *v)
{
	path_read(v, false);
}

static void path_value_read(struct v0 *v)
{
	path_read(v, true);
}

static uint64_t ident_read(struct v0 *v, const char **name, size_t *len)
{
	uint64_t which = optional62(v, 's'), n = 0;
	bool puny = take(v, 'u');

	(void)puny; /* names beyond ASCII are shown as they are written in the symbol */
	if (next(v) < '0' || next(v) > '9')
		v->failed = true;
	if (!take(v, '0'))
		while (next(v) >= '0' && next(v) <= '9' && n < 100000)
			n = n * 10 + (uint64_t)(v->s[v->at++] - '0');
	take(v, '_');
	if (v->failed || n > v->n - v->at) {
		v->failed = true;
		n = 0;
	}
	*name = v->s + v->at;
	*len = n;
	v->at += n;
	return which;
}

static void ident_add(struct v0 *v, const char *name, size_t len)
{
	if (!v->quiet && !v->failed)
		strbuf_add(v->out, name, len);
	add(v, "");
}

/* Names of the compiler's: {closure#0}. */
static void special_add(struct v0 *v, char space, const char *name, size_t len, uint64_t which)
{
	char text[32];

	add(v, "::{");
	if (space == 'C' || space == 'S') {
		add(v, space == 'C' ? "closure" : "shim");
	} else {
		text[0] = space;
		text[1] = 0;
		add(v, text);
	}
	if (len) {
		add(v, ":");
		ident_add(v, name, len);
	}
	snprintf(text, sizeof(text), "#%llu}", (unsigned long long)which);
	add(v, text);
}

static void nested_read(struct v0 *v, bool value)
{
	char space = next(v);
	const char *name;
	uint64_t which;
	size_t len;

	v->at++;
	path_read(v, value);
	which = ident_read(v, &name, &len);
	if (space >= 'A' && space <= 'Z') {
		special_add(v, space, name, len, which);
	} else if (len) {
		add(v, "::");
		ident_add(v, name, len);
	}
}

/* The path of an impl says where it is written, which nobody wants to know. */
static void impl_path_skip(struct v0 *v)
{
	optional62(v, 's');
	v->quiet++;
	path_read(v, false);
	v->quiet--;
}

static void lifetime_add(struct v0 *v, uint64_t n)
{
	char text[32];

	if (!n) {
		add(v, "'_");
		return;
	}
	if (n > v->binders) {
		v->failed = true;
		return;
	}
	n = v->binders - n;
	if (n < 26)
		snprintf(text, sizeof(text), "'%c", (char)('a' + n));
	else
		snprintf(text, sizeof(text), "'_%llu", (unsigned long long)n);
	add(v, text);
}

static void generic_read(struct v0 *v)
{
	if (take(v, 'L'))
		lifetime_add(v, base62(v));
	else if (take(v, 'K'))
		const_read(v);
	else
		type_read(v);
}

static void list_read(struct v0 *v, void (*read)(struct v0 *v), const char *between)
{
	for (bool first = true; !v->failed && !take(v, 'E'); first = false) {
		add(v, first ? "" : between);
		if (v->at >= v->n)
			v->failed = true;
		else
			read(v);
	}
}

static void crate_read(struct v0 *v)
{
	const char *name;
	size_t len;

	ident_read(v, &name, &len);
	ident_add(v, name, len);
}

static void trait_path_read(struct v0 *v, char tag)
{
	if (tag != 'Y')
		impl_path_skip(v);
	add(v, "<");
	type_read(v);
	if (tag != 'M') {
		add(v, " as ");
		path_read(v, false);
	}
	add(v, ">");
}

static void path_read(struct v0 *v, bool value)
{
	char tag = next(v);

	if (v->depth++ > MOST_DEPTH)
		v->failed = true;
	v->at++;
	switch (v->failed ? 0 : tag) {
	case 'C':
		crate_read(v);
		break;
	case 'M':
	case 'X':
	case 'Y':
		trait_path_read(v, tag);
		break;
	case 'N':
		nested_read(v, value);
		break;
	case 'I':
		path_read(v, value);
		add(v, value ? "::<" : "<");
		list_read(v, generic_read, ", ");
		add(v, ">");
		break;
	case 'B':
		back_read(v, value ? path_value_read : path_type_read);
		break;
	default:
		v->failed = true;
	}
	v->depth--;
}

/* ---- v0: types ---- */

static const char *basic_type(char c)
{
	static const char *const names[26] = {
		['a' - 'a'] = "i8", ['b' - 'a'] = "bool", ['c' - 'a'] = "char", ['d' - 'a'] = "f64", ['e' - 'a'] = "str",
		['f' - 'a'] = "f32", ['h' - 'a'] = "u8", ['i' - 'a'] = "isize", ['j' - 'a'] = "usize", ['l' - 'a'] = "i32",
		['m' - 'a'] = "u32", ['n' - 'a'] = "i128", ['o' - 'a'] = "u128", ['p' - 'a'] = "_", ['s' - 'a'] = "i16",
		['t' - 'a'] = "u16", ['u' - 'a'] = "()", ['v' - 'a'] = "...", ['x' - 'a'] = "i64", ['y' - 'a'] = "u64",
		['z' - 'a'] = "!",
	};

	return c >= 'a' && c <= 'z' ? names[c - 'a'] : NULL;
}

static void binder_read(struct v0 *v)
{
	uint64_t n = optional62(v, 'G');

	if (!n || n > 64) {
		v->failed |= n > 64;
		return;
	}
	add(v, "for<");
	for (uint64_t i = 0; i < n; i++) {
		add(v, i ? ", " : "");
		v->binders++;
		lifetime_add(v, 1);
	}
	add(v, "> ");
}

static void fn_read(struct v0 *v)
{
	uint64_t outer = v->binders;
	const char *abi;
	size_t len;

	binder_read(v);
	add(v, take(v, 'U') ? "unsafe " : "");
	if (take(v, 'K')) {
		add(v, "extern \"");
		if (take(v, 'C')) {
			add(v, "C");
		} else {
			ident_read(v, &abi, &len);
			ident_add(v, abi, len);
		}
		add(v, "\" ");
	}
	add(v, "fn(");
	list_read(v, type_read, ", ");
	add(v, ")");
	if (!take(v, 'u')) {
		add(v, " -> ");
		type_read(v);
	}
	v->binders = outer;
}

static void dyn_trait_read(struct v0 *v)
{
	const char *name;
	size_t len;

	path_read(v, false);
	while (take(v, 'p')) {
		add(v, "<");
		ident_read(v, &name, &len);
		ident_add(v, name, len);
		add(v, " = ");
		type_read(v);
		add(v, ">");
	}
}

static void dyn_read(struct v0 *v)
{
	uint64_t outer = v->binders, lifetime;

	add(v, "dyn ");
	binder_read(v);
	list_read(v, dyn_trait_read, " + ");
	v->binders = outer;
	if (!take(v, 'L')) {
		v->failed = true;
		return;
	}
	lifetime = base62(v);
	if (lifetime) {
		add(v, " + ");
		lifetime_add(v, lifetime);
	}
}

static void reference_read(struct v0 *v, bool mutable)
{
	add(v, "&");
	if (take(v, 'L')) {
		uint64_t lifetime = base62(v);

		if (lifetime) {
			lifetime_add(v, lifetime);
			add(v, " ");
		}
	}
	add(v, mutable ? "mut " : "");
	type_read(v);
}

static void tuple_read(struct v0 *v)
{
	bool one;

	add(v, "(");
	if (!take(v, 'E')) {
		type_read(v);
		one = next(v) == 'E';
		add(v, one ? "," : ", ");
		list_read(v, type_read, ", ");
	}
	add(v, ")");
}

static void array_read(struct v0 *v, bool sized)
{
	add(v, "[");
	type_read(v);
	if (sized) {
		add(v, "; ");
		const_read(v);
	}
	add(v, "]");
}

static void type_read(struct v0 *v)
{
	char tag = next(v);
	const char *basic = basic_type(tag);

	if (v->depth++ > MOST_DEPTH)
		v->failed = true;
	v->at++;
	switch (v->failed ? 0 : tag) {
	case 'A':
	case 'S':
		array_read(v, tag == 'A');
		break;
	case 'T':
		tuple_read(v);
		break;
	case 'R':
	case 'Q':
		reference_read(v, tag == 'Q');
		break;
	case 'P':
	case 'O':
		add(v, tag == 'P' ? "*const " : "*mut ");
		type_read(v);
		break;
	case 'F':
		fn_read(v);
		break;
	case 'D':
		dyn_read(v);
		break;
	case 'B':
		back_read(v, type_read);
		break;
	default:
		v->at--;
		if (basic) {
			v->at++;
			add(v, basic);
		} else {
			path_read(v, false);
		}
	}
	v->depth--;
}

static void const_read(struct v0 *v)
{
	uint64_t n = 0;
	size_t from;
	char tag = next(v), text[32];

	v->at++;
	if (tag == 'p') {
		add(v, "_");
		return;
	}
	if (tag == 'B') {
		back_read(v, const_read);
		return;
	}
	if (!basic_type(tag)) {
		v->failed = true;
		return;
	}
	add(v, take(v, 'n') ? "-" : "");
	for (from = v->at; hex_value(next(v)) >= 0; v->at++)
		n = n << 4 | (uint64_t)hex_value(next(v));
	if (!take(v, '_') || v->at - from > 17) {
		v->failed = true;
		return;
	}
	if (tag == 'b')
		snprintf(text, sizeof(text), "%s", n ? "true" : "false");
	else if (tag == 'c' && n >= 0x20 && n < 0x7f)
		snprintf(text, sizeof(text), "'%c'", (char)n);
	else
		snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	add(v, text);
}

bool demangle_rust_v0(const char *name, struct strbuf *out)
{
	const char *end;
	struct v0 v = { .out = out, .out_from = out->len };

	/* An upper-case letter follows, or the number of a later version, which nobody knows. */
	if (!str_starts(name, "_R") || name[2] < 'A' || name[2] > 'Z')
		return false;
	end = strpbrk(name, ".$");
	v.s = name + 2;
	v.n = end ? (size_t)(end - v.s) : strlen(v.s);
	path_read(&v, true);
	if (!v.failed && v.at < v.n) {
		/* the crate that asked for it */
		v.quiet++;
		path_read(&v, false);
	}
	if (!v.failed && v.at == v.n && !out->failed)
		return true;
	if (!out->failed && out->cap) {
		out->len = v.out_from;
		out->s[out->len] = 0;
	}
	return false;
}
