/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of the kernel's types, and their definitions in C, as BTF has them. */
#include <bpf/btf.h>
#include <errno.h>

#include "api/api.h"

struct tag {
	const char *word;
	uint32_t kinds[2];
};

static const struct tag tags[] = {
	{ "struct", { BTF_KIND_STRUCT } }, { "union", { BTF_KIND_UNION } }, { "enum", { BTF_KIND_ENUM, BTF_KIND_ENUM64 } },
};

static const struct tag *tag_of(const char *pattern)
{
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
		if (str_starts(pattern, tags[i].word) && pattern[strlen(tags[i].word)] == ' ')
			return &tags[i];
	return NULL;
}

bool is_type_pattern(const char *pattern)
{
	return tag_of(pattern);
}

static void dump_add(void *ctx, const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));

static void dump_add(void *ctx, const char *fmt, va_list args)
{
	strbuf_vaddf(ctx, fmt, args);
}

/* Of all that the dump declares before it, the definition itself. */
static const char *definition_of(const char *text, const char *head)
{
	size_t len = strlen(head);

	for (const char *p = text; (p = strstr(p, head)); p += len)
		if ((p == text || p[-1] == '\n') && (p[len] == ' ' || p[len] == '\n'))
			if (strchr(p, '{') && strcspn(p, ";\n") > strcspn(p, "{"))
				return p;
	return NULL;
}

static int definition_list(const struct btf *btf, uint32_t id, const char *head,
			   int (*fn)(void *ctx, const char *probe, const char *args), void *ctx)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, one = STRBUF_INIT;
	struct btf_dump *dump = btf_dump__new(btf, dump_add, &text, NULL);
	const char *begin, *end;
	int err;

	if (!dump)
		return -errno;
	err = btf_dump__dump_type(dump, id);
	btf_dump__free(dump);
	if (err || text.failed)
		return err ? err : -ENOMEM;
	begin = definition_of(text.s, head);
	if (!begin)
		return fn(ctx, head, NULL);
	end = strstr(begin, "\n}");
	end = end ? end + 1 + strcspn(end + 1, "\n") : begin + strcspn(begin, "\n");
	strbuf_add(&one, begin, (size_t)(end - begin));
	return one.failed ? -ENOMEM : fn(ctx, one.s, NULL);
}

static bool is_of(const struct btf_type *t, const struct tag *tag)
{
	uint32_t kind = btf_kind(t);

	return kind == tag->kinds[0] || (tag->kinds[1] && kind == tag->kinds[1]);
}

int types_list(struct kernel *k, const struct reporter *r, const char *pattern, bool verbose,
	       int (*fn)(void *ctx, const char *probe, const char *args), void *ctx, size_t *found)
{
	const struct tag *tag = tag_of(pattern);
	const struct btf *btf = kernel_btf(k);
	uint32_t n = btf ? btf__type_cnt(btf) : 0;
	const char *name;
	int err = btf ? 0 : -ENOENT;

	if (!tag)
		return -EINVAL;
	name = pattern + strlen(tag->word);
	name += strspn(name, " ");
	for (uint32_t id = 1; !err && id < n; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *its = btf__name_by_offset(btf, t->name_off);
		_cleanup_strbuf_ struct strbuf head = STRBUF_INIT;

		if (!is_of(t, tag) || !its || !*its || !glob_match(name, its))
			continue;
		++*found;
		strbuf_addf(&head, "%s %s", tag->word, its);
		err = verbose ? definition_list(btf, id, head.s, fn, ctx) : fn(ctx, head.s, NULL);
		if (err < 0 && err != -ENOMEM)
			report_error(r, err, NULL, "cannot list %s: %s", head.s, strerror(-err));
	}
	return err;
}
