/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Header: finds the files, follows their directives, and makes constants and types of what they say. */
#include "lang/header.h"

#include <errno.h>
#include <sys/utsname.h>
#include <time.h>

#define MOST_FILES 1000
#define MOST_BYTES ((size_t)32 << 20)
#define MOST_DEPTH 60
#define MOST_NS 1500000000ull

/* Of the processor: what is found must not depend on what else the machine does. */
static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static struct headers *headers_of(struct checker *c)
{
	if (!c->priv->headers) {
		c->priv->headers = arena_new_of(c->arena, struct headers);
		c->priv->headers->c = c;
		c->priv->headers->flat = (struct strbuf)STRBUF_INIT;
	}
	return c->priv->headers;
}

void header_note(struct checker *c, const char *name)
{
	vec_push(c->arena, &headers_of(c)->names, name);
}

/* ---- trying what may fail ---- */

struct attempt {
	uint32_t ndiags, nerrors;
};

static struct attempt attempt_begin(const struct checker *c)
{
	return (struct attempt){ c->diags->list.n, c->diags->nerrors };
}

static void attempt_end(struct checker *c, struct attempt at)
{
	c->diags->list.n = at.ndiags;
	c->diags->nerrors = at.nerrors;
}

/* The value of an expression with everything put in. */
static bool expression_value(struct headers *h, const char *text, int64_t *value, bool *negative)
{
	struct attempt at = attempt_begin(h->c);
	struct c_parser p;
	bool ok;

	c_start(&p, h->c, arena_strdup(h->c->arena, text), (struct span){ 0 });
	ok = p.tok != C_END && c_constant(&p, value, negative) && p.tok == C_END;
	attempt_end(h->c, at);
	return ok;
}

/* ---- conditions ---- */

/* What is left of a #if: defined(X) becomes 1 or 0, names nobody knows 0. */
static void defined_put(struct headers *h, const char *text, struct strbuf *out)
{
	const char *p = text;

	while (*p) {
		size_t n = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");

		if (n == 7 && !memcmp(p, "defined", 7)) {
			const char *name = p + 7 + strspn(p + 7, " \t(");

			n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");
			strbuf_addch(out, strmap_getn(&h->defines, name, n) ? '1' : '0');
			p = name + n + (memchr(p, '(', (size_t)(name - p)) && name[n] == ')');
			continue;
		}
		strbuf_add(out, p, n ? n : 1);
		p += n ? n : 1;
	}
}

static void unknown_zero(const struct strbuf *in, struct strbuf *out)
{
	for (const char *p = in->s; *p;) {
		size_t n = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");

		if (n && (*p < '0' || *p > '9'))
			strbuf_addch(out, '0');
		else
			strbuf_add(out, p, n ? n : 1);
		p += n ? n : 1;
	}
}

static bool condition_holds(struct headers *h, const char *word, const char *rest)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, full = STRBUF_INIT, flat = STRBUF_INIT;
	int64_t value = 0;
	bool negative;
	size_t n;

	if (str_eq(word, "ifdef") || str_eq(word, "ifndef")) {
		rest += strspn(rest, " \t");
		n = strcspn(rest, " \t\r\n(");
		return (strmap_getn(&h->defines, rest, n) != NULL) == str_eq(word, "ifdef");
	}
	defined_put(h, rest, &text);
	header_expand(h, text.s, text.len, &full);
	unknown_zero(&full, &flat);
	return expression_value(h, flat.s, &value, &negative) && value;
}

/* ---- files ---- */

static void header_read(struct headers *h, const char *name, const char *from);

/* Where headers may be; the kernel's own first. Text with one per line. */
static void dirs_list(struct headers *h, struct strbuf *out)
{
	static const char *const kernel[] = { "include", "arch/x86/include", "arch/x86/include/generated", "include/uapi",
					      "arch/x86/include/uapi", "include/generated/uapi" };
	static const char *const vars[] = { "CPATH", "C_INCLUDE_PATH" };
	struct utsname u;
	const char *source = getenv("BPFTRACE_KERNEL_SOURCE");

	for (size_t i = 0; i < ARRAY_SIZE(vars); i++)
		for (const char *p = getenv(vars[i]); p && *p; p += strcspn(p, ":"), p += *p == ':')
			strbuf_addf(out, "%.*s\n", (int)strcspn(p, ":"), p);
	for (uint32_t i = 0; i < h->c->env->ninclude_dirs; i++)
		strbuf_addf(out, "%s\n", h->c->env->include_dirs[i]);
	for (size_t i = 0; i < ARRAY_SIZE(kernel) && (source || !uname(&u)); i++) {
		if (source)
			strbuf_addf(out, "%s/%s\n", source, kernel[i]);
		else
			strbuf_addf(out, "/lib/modules/%s/build/%s\n", u.release, kernel[i]);
	}
	strbuf_addstr(out, "/usr/local/include\n/usr/include/x86_64-linux-gnu\n/usr/include/aarch64-linux-gnu\n"
		      "/usr/include\n");
}

static void directive(struct headers *h, struct c_conditions *cond, const char *line, const char *path)
{
	char word[16] = "";
	const char *rest = line + strspn(line, " \t");
	size_t n = strspn(rest, "abcdefghijklmnopqrstuvwxyz_");
	struct c_condition *top = cond->open.n ? &cond->open.v[cond->open.n - 1] : NULL;
	bool out = c_left_out(cond);

	if (n < sizeof(word))
		memcpy(word, rest, n);
	rest += n;
	if (str_starts(word, "if")) {
		bool taken = !out && condition_holds(h, word, rest);

		vec_push(h->c->arena, &cond->open, ((struct c_condition){ .skip = !taken, .taken = taken || out }));
	} else if (top && (str_eq(word, "elif") || str_eq(word, "else"))) {
		top->skip = top->taken || (str_eq(word, "elif") && !condition_holds(h, "if", rest));
		top->taken |= !top->skip;
	} else if (top && str_eq(word, "endif")) {
		cond->open.n--;
	} else if (out) {
		return;
	} else if (str_eq(word, "define")) {
		header_define(h, rest, strlen(rest));
	} else if (str_eq(word, "undef")) {
		rest += strspn(rest, " \t");
		strmap_put(h->c->arena, &h->defines, arena_strndup(h->c->arena, rest, strcspn(rest, " \t\r\n")), NULL);
	} else if (str_starts(word, "include")) {
		const char *open = strpbrk(rest, "<\"");
		size_t len = open ? strcspn(open + 1, ">\"") : 0;

		if (len)
			header_read(h, arena_strndup(h->c->arena, open + 1, len), path);
	}
}

static void lines_read(struct headers *h, char *text, const char *path)
{
	struct c_conditions cond = { 0 };

	for (char *line = text; line;) {
		char *next = strchr(line, '\n');
		const char *begin = line + strspn(line, " \t");

		if (next)
			*next++ = 0;
		if (*begin == '#') {
			directive(h, &cond, begin + 1, path);
		} else if (*begin && !c_left_out(&cond)) {
			strbuf_addstr(&h->flat, line);
			strbuf_addch(&h->flat, '\n');
		}
		line = next;
	}
}

static bool file_read(struct headers *h, const char *path)
{
	struct arena *a = h->c->arena;
	const char *text;
	char *clean;
	size_t len;

	if (access(path, R_OK))
		return false;
	if (strmap_get(&h->seen, path))
		return true;
	if (h->nfiles >= MOST_FILES || h->bytes > MOST_BYTES || now_ns() > h->deadline_ns || h->depth >= MOST_DEPTH ||
	    file_text(a, path, &text, &len))
		return false;
	strmap_put(a, &h->seen, path, h);
	h->nfiles++;
	h->bytes += len;
	clean = header_clean(text, len);
	if (!clean)
		return false;
	h->depth++;
	lines_read(h, clean, path);
	h->depth--;
	free(clean);
	return true;
}

/* Beside the file that includes it, then in each directory: the kernel's own and the C library's may both exist. */
static void header_read(struct headers *h, const char *name, const char *from)
{
	_cleanup_strbuf_ struct strbuf dirs = STRBUF_INIT;
	struct arena *a = h->c->arena;
	const char *slash = from ? strrchr(from, '/') : NULL;

	if (*name == '/' || (slash && file_read(h, arena_printf(a, "%.*s/%s", (int)(slash - from), from, name)))) {
		file_read(h, name);
		return;
	}
	dirs_list(h, &dirs);
	for (const char *d = dirs.s; *d; d += strcspn(d, "\n") + 1)
		file_read(h, arena_printf(a, "%.*s/%s", (int)strcspn(d, "\n"), d, name));
}

static void predefine(struct headers *h)
{
	static const char *const all[] = {
		"__linux__ 1", "__linux 1", "linux 1", "__unix__ 1", "__gnu_linux__ 1", "__GNUC__ 12", "__GNUC_MINOR__ 2",
		"__STDC__ 1", "__STDC_VERSION__ 201710L", "__LP64__ 1", "_LP64 1", "__CHAR_BIT__ 8", "__SIZEOF_INT__ 4",
		"__SIZEOF_LONG__ 8", "__SIZEOF_POINTER__ 8", "__INT_MAX__ 2147483647", "__LONG_MAX__ 9223372036854775807",
		"__ORDER_LITTLE_ENDIAN__ 1234", "__ORDER_BIG_ENDIAN__ 4321", "__BYTE_ORDER__ 1234", "_GNU_SOURCE 1",
		"__SIZE_TYPE__ unsigned long", "__PTRDIFF_TYPE__ long", "__WCHAR_TYPE__ int", "__extension__", "__inline",
		"__restrict", "__const const", "__volatile__", "__signed__ signed",
		/* what compilers have built in, as the script's own functions */
		"__builtin_constant_p(x) 0", "__builtin_expect(x, y) (x)", "__builtin_bswap16(x) bswap((uint16)(x))",
		"__builtin_bswap32(x) bswap((uint32)(x))", "__builtin_bswap64(x) bswap((uint64)(x))",
#if defined(__x86_64__)
		"__x86_64__ 1", "__x86_64 1",
#elif defined(__aarch64__)
		"__aarch64__ 1",
#endif
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		header_define(h, all[i], strlen(all[i]));
}

/* Read all that the script includes, once. False: it includes nothing. */
static bool headers_load(struct checker *c)
{
	struct headers *h = headers_of(c);

	if (!h->names.n || c->env->probes_only)
		return false;
	if (h->loaded)
		return true;
	h->loaded = true;
	h->deadline_ns = now_ns() + MOST_NS;
	predefine(h);
	/* The list may grow while it is read. */
	for (uint32_t i = 0; i < h->names.n; i++)
		header_read(h, h->names.v[i], NULL);
	header_decls_index(h, h->flat.s);
	strbuf_free(&h->flat);
	h->flat = (struct strbuf)STRBUF_INIT;
	return true;
}

struct headers *headers_loaded(struct checker *c)
{
	return headers_load(c) ? headers_of(c) : NULL;
}

/* ---- answers ---- */

static bool decl_read(struct headers *h, struct header_decl *d)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct attempt at = attempt_begin(h->c);

	if (!d || d->read)
		return false;
	d->read = true;
	header_expand(h, d->text, strlen(d->text), &text);
	c_declaration(h->c, arena_strdup(h->c->arena, text.s));
	attempt_end(h->c, at);
	return true;
}

static const struct c_const *define_constant(struct headers *h, const char *name, struct header_define *d)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct c_const *k;
	int64_t value;
	bool negative;

	d->busy = true;
	header_expand(h, d->body, strlen(d->body), &text);
	d->busy = false;
	if (str_eq(text.s, name) || !expression_value(h, text.s, &value, &negative))
		return NULL;
	k = arena_new_of(h->c->arena, struct c_const);
	*k = (struct c_const){ .num = value, .is_negative = negative };
	strmap_put(h->c->arena, &h->c->priv->c_consts, arena_strdup(h->c->arena, name), k);
	return k;
}

const struct c_const *header_constant(struct checker *c, const char *name)
{
	struct headers *h = headers_of(c);
	const struct c_const *k = NULL;
	struct header_define *d;

	if (!headers_load(c) || h->depth >= MOST_DEPTH)
		return NULL;
	h->depth++;
	d = strmap_get(&h->defines, name);
	if (d && !d->params && !d->busy)
		k = define_constant(h, name, d);
	if (!k && decl_read(h, strmap_get(&h->decls, name)))
		k = strmap_get(&c->priv->c_consts, name);
	h->depth--;
	return k;
}

bool header_defines(struct checker *c, const char *name)
{
	return headers_load(c) && strmap_get(&headers_of(c)->defines, name);
}

const struct type *header_type(struct checker *c, const char *name)
{
	struct headers *h = headers_of(c);
	const struct type *t = NULL;

	if (!headers_load(c) || h->depth >= MOST_DEPTH)
		return NULL;
	h->depth++;
	if (decl_read(h, strmap_get(&h->decls, name)))
		t = strmap_get(&c->priv->c_types, name);
	h->depth--;
	return t;
}
