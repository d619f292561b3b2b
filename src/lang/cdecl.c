/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cdecl: struct, union, enum and typedef declarations of a script become types and constants, laid out
 * as the C compilers of Linux do (System V ABI).
 */
#include "lang/cdecl.h"

#define MOST_NESTING 32
#define MOST_BYTES (1 << 20)

static const struct type *parse_base(struct c_parser *p);

/* `char`, which is text when there are several of it; int8_t and signed char are numbers. */
static const struct type plain_char = { .kind = TY_INT, .size = 1, .align = 1, .is_signed = true };

/* ---- the parts of a declarator ---- */

struct declarator {
	const char *name; /* or NULL */
	const struct type *type;
};

/* To behind the ')' that closes what is open; notes whether a word stands inside. */
static bool skip_balanced(struct c_parser *p, const char *word, bool *found)
{
	uint32_t depth = 1;

	for (; p->tok != C_END; c_next(p)) {
		if (word && (c_is_word(p, word)))
			*found = true;
		if (c_is(p, '('))
			depth++;
		else if (c_is(p, ')') && !--depth) {
			c_next(p);
			return true;
		}
	}
	c_error(p, "a ')' is missing");
	return false;
}

static bool skip_attributes(struct c_parser *p, bool *packed)
{
	bool ignored;

	while (c_take_word(p, "__attribute__")) {
		if (!c_expect(p, '(') || !skip_balanced(p, "packed", packed ? packed : &ignored))
			return false;
	}
	return true;
}

static bool take_qualifier(struct c_parser *p)
{
	static const char *const words[] = { "const", "volatile", "restrict", "__restrict", "__user", "__kernel",
					     "__rcu", "__percpu", "__iomem", "static", "extern", "register", "inline" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (c_take_word(p, words[i]))
			return true;
	}
	return false;
}

/* [2][3]: outermost first, so the elements are known last. */
static const struct type *parse_dims(struct c_parser *p, const struct type *t)
{
	int64_t n = 0;
	bool negative;

	if (!c_take(p, '['))
		return t;
	if (++p->depth > MOST_NESTING) {
		c_error(p, "this is nested too deeply");
		return NULL;
	}
	if (!c_is(p, ']') && !c_constant(p, &n, &negative))
		return NULL;
	if (!c_expect(p, ']'))
		return NULL;
	t = parse_dims(p, t);
	if (!t)
		return NULL;
	p->depth--;
	if (n < 0 || n > MOST_BYTES || (int64_t)t->size * n > MOST_BYTES) {
		c_error(p, "an array of %lld elements is too large", (long long)n);
		return NULL;
	}
	/* text, and treated as such */
	if (t == &plain_char && n)
		return type_string(p->c->arena, (uint32_t)n);
	return type_array(p->c->arena, t, (uint32_t)n);
}

/* int (*name)(...): a pointer to code, which only has an address. */
static bool parse_function_pointer(struct c_parser *p, struct declarator *d)
{
	while (c_take(p, '*') || take_qualifier(p))
		continue;
	if (p->tok == C_WORD) {
		d->name = c_text(p);
		c_next(p);
	}
	d->type = parse_dims(p, type_pointer(p->c->arena, &type_none, SPACE_NONE));
	return d->type && c_expect(p, ')') && c_expect(p, '(') && skip_balanced(p, NULL, NULL);
}

/* Pointers to pointers, through any number of typedefs, have an end. */
static bool chain_check(struct c_parser *p, const struct type *t)
{
	uint32_t n = 0;

	for (; t && (t->kind == TY_POINTER || t->kind == TY_ARRAY); t = t->elem) {
		if (++n > MOST_NESTING) {
			c_error(p, "this is nested too deeply");
			return false;
		}
	}
	return true;
}

static bool parse_declarator(struct c_parser *p, const struct type *base, struct declarator *d)
{
	*d = (struct declarator){ .type = base };
	for (;;) {
		if (c_take(p, '*'))
			d->type = type_pointer(p->c->arena, d->type, SPACE_NONE);
		else if (!take_qualifier(p))
			break;
	}
	if (c_take(p, '('))
		return parse_function_pointer(p, d);
	if (p->tok == C_WORD && !c_is_word(p, "__attribute__")) {
		d->name = c_text(p);
		c_next(p);
	}
	d->type = parse_dims(p, d->type);
	return d->type && chain_check(p, d->type) && skip_attributes(p, NULL);
}

/* ---- layout ---- */

struct layout {
	VEC(struct field) fields;
	uint64_t bits;  /* where the next member may begin */
	uint64_t most;  /* bits of the largest member: the size of a union */
	uint32_t align;
	bool is_union, packed;
};

static void layout_add(struct c_parser *p, struct layout *l, const char *name, const struct type *t, uint32_t width,
		       bool is_bit_field)
{
	uint32_t align = l->packed ? 1 : MAX(t->align, 1u), unit = t->size * 8;
	struct field f = { .name = name, .type = t };
	uint64_t at = l->is_union ? 0 : l->bits;

	if (is_bit_field && !unit)
		return; /* bit_width() has refused it */
	if (is_bit_field && !width) { /* `int : 0` closes the unit */
		l->bits = (l->bits + unit - 1) / unit * unit;
		return;
	}
	if (!is_bit_field) {
		at = (at + align * 8 - 1) / (align * 8) * (align * 8);
		width = unit;
		f.offset = (uint32_t)(at / 8);
	} else {
		if (!l->packed && at % unit + width > unit)
			at = (at + unit - 1) / unit * unit;
		f.offset = (uint32_t)(at / unit * t->size);
		f.bit_offset = (uint16_t)(at - (uint64_t)f.offset * 8);
		f.bit_size = (uint16_t)width;
	}
	l->bits = at + width;
	l->most = MAX(l->most, l->bits);
	l->align = MAX(l->align, align);
	if (l->bits > (uint64_t)MOST_BYTES * 8)
		c_error(p, "this is too large");
	if (name || t->kind == TY_STRUCT)
		vec_push(p->c->arena, &l->fields, f);
}

static bool bit_width(struct c_parser *p, const struct type *t, uint32_t *width)
{
	int64_t n;
	bool negative;

	if (!c_constant(p, &n, &negative))
		return false;
	if (!type_is_int(t) || n < 0 || n > (int64_t)t->size * 8) {
		c_error(p, "a bit field of %lld bits does not fit its type", (long long)n);
		return false;
	}
	*width = (uint32_t)n;
	return true;
}

static bool parse_member(struct c_parser *p, struct layout *l)
{
	const struct type *base = parse_base(p);
	struct declarator d;

	if (!base)
		return false;
	if (c_take(p, ';')) { /* an anonymous struct or union */
		layout_add(p, l, NULL, base, 0, false);
		return !p->failed;
	}
	do {
		uint32_t width = 0;
		bool bit_field;

		if (!parse_declarator(p, base, &d))
			return false;
		bit_field = c_take(p, ':');
		if (bit_field && !bit_width(p, d.type, &width))
			return false;
		if (!d.type->size && d.type->kind != TY_ARRAY) {
			c_error(p, "the size of '%s' is not known", d.name ? d.name : "this member");
			return false;
		}
		layout_add(p, l, d.name, d.type, width, bit_field);
	} while (c_take(p, ','));
	/* that of the last member is often forgotten */
	return c_is(p, '}') || c_expect(p, ';');
}

/* `packed` stands behind the members, but decides where they lie. */
static bool packed_ahead(const struct c_parser *p)
{
	struct c_parser ahead = *p;
	uint32_t depth = 1;
	bool packed = false;

	for (; ahead.tok != C_END && depth; c_next(&ahead))
		depth += c_is(&ahead, '{') ? 1u : c_is(&ahead, '}') ? -1u : 0u;
	skip_attributes(&ahead, &packed);
	return packed;
}

static bool parse_members(struct c_parser *p, struct type *t, bool packed)
{
	struct layout l = { .is_union = t->is_union, .align = 1, .packed = packed || packed_ahead(p) };

	while (!c_is(p, '}')) {
		if (p->tok == C_END) {
			c_error(p, "a '}' is missing");
			return false;
		}
		if (!parse_member(p, &l))
			return false;
	}
	c_next(p);
	t->align = l.align;
	t->size = align_up((uint32_t)((t->is_union ? l.most : l.bits) + 7) / 8, l.align);
	type_set_fields(p->c->arena, t, l.fields.v, l.fields.n);
	return skip_attributes(p, NULL);
}

/* ---- struct, union, enum ---- */

static struct type *tag_type(struct c_parser *p, const char *tag, const char *name)
{
	const char *key = arena_printf(p->c->arena, "%s %s", tag, name);
	struct type *t = strmap_get(&p->c->priv->c_types, key);

	if (t)
		return t;
	t = arena_new_of(p->c->arena, struct type);
	t->kind = str_eq(tag, "enum") ? TY_ENUM : TY_STRUCT;
	t->is_union = str_eq(tag, "union");
	t->align = 1;
	t->name = name;
	strmap_put(p->c->arena, &p->c->priv->c_types, key, t);
	return t;
}

static const struct type *parse_struct(struct c_parser *p, const char *tag)
{
	bool packed = false;
	struct type *t = NULL;
	const struct type *known;

	if (!skip_attributes(p, &packed))
		return NULL;
	if (p->tok == C_WORD) {
		t = tag_type(p, tag, c_text(p));
		c_next(p);
	}
	if (!c_take(p, '{')) {
		if (!t) {
			c_error(p, "a name or '{' is expected behind %s", tag);
			return NULL;
		}
		known = t->size ? t : c_type_find(p->c, arena_printf(p->c->arena, "%s %s", tag, t->name));
		return known ? known : t;
	}
	if (!t) {
		t = arena_new_of(p->c->arena, struct type);
		t->kind = TY_STRUCT;
		t->is_union = str_eq(tag, "union");
		t->align = 1;
	}
	if (t->size) {
		c_error(p, "%s is already declared", tn(p->c, t));
		return NULL;
	}
	if (p->depth >= MOST_NESTING) {
		c_error(p, "this is nested too deeply");
		return NULL;
	}
	p->depth++;
	if (!parse_members(p, t, packed))
		return NULL;
	p->depth--;
	return t;
}

static bool parse_enumerators(struct c_parser *p, struct type *t)
{
	VEC(struct enumerator) all = { 0 };
	VEC(struct c_const) consts = { 0 };
	int64_t next = 0;

	while (p->tok == C_WORD) {
		struct enumerator e = { .name = c_text(p) };
		bool negative = next < 0;

		c_next(p);
		if (c_take(p, '=') && !c_constant(p, &next, &negative))
			return false;
		e.value = next;
		t->is_signed |= negative;
		vec_push(p->c->arena, &all, e);
		vec_push(p->c->arena, &consts, ((struct c_const){ .num = next, .is_negative = negative, .type = t }));
		c_const_set(p->c, e.name, &consts.v[consts.n - 1]);
		next = (int64_t)((uint64_t)next + 1);
		if (!c_take(p, ','))
			break;
	}
	if (!c_expect(p, '}'))
		return false;
	t->size = t->align = 4;
	vec_each(it, &all) {
		if (it->value > UINT32_MAX || it->value < INT32_MIN || (t->is_signed && it->value > INT32_MAX))
			t->size = t->align = 8;
	}
	t->enumerators = all.v;
	t->nenumerators = all.n;
	return true;
}

static const struct type *parse_enum(struct c_parser *p)
{
	struct type *t = NULL;

	if (p->tok == C_WORD) {
		t = tag_type(p, "enum", c_text(p));
		c_next(p);
	}
	if (!t) {
		t = arena_new_of(p->c->arena, struct type);
		t->kind = TY_ENUM;
	}
	if (!c_take(p, '{')) {
		if (!t->size)
			t->size = t->align = 4; /* not declared: an int */
		return t;
	}
	return parse_enumerators(p, t) && skip_attributes(p, NULL) ? t : NULL;
}

/* ---- base types ---- */

static bool is_base_word(const struct c_parser *p)
{
	static const char *const words[] = { "unsigned", "signed", "long", "short", "int", "char", "_Bool", "bool",
					     "void", "float", "double" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (c_is_word(p, words[i]))
			return true;
	}
	return false;
}

/* They have a place in a struct, and nothing can be done with them: BPF has none of their instructions. */
static const struct type c_float = { .kind = TY_NONE, .size = 4, .align = 4 };
static const struct type c_double = { .kind = TY_NONE, .size = 8, .align = 8 };
static const struct type c_long_double = { .kind = TY_NONE, .size = 16, .align = 16 };

/* unsigned long long int, in whatever order. */
static const struct type *parse_words(struct c_parser *p)
{
	bool uns = false, sign = false, chr = false, shrt = false, lng = false, boolean = false, none = false, flt = false,
	     dbl = false;

	for (; is_base_word(p) || (p->tok == C_WORD && (c_is_word(p, "const") || c_is_word(p, "volatile"))); c_next(p)) {
		uns |= c_is_word(p, "unsigned");
		sign |= c_is_word(p, "signed");
		chr |= c_is_word(p, "char");
		shrt |= c_is_word(p, "short");
		lng |= c_is_word(p, "long");
		boolean |= c_is_word(p, "bool") || c_is_word(p, "_Bool");
		none |= c_is_word(p, "void");
		flt |= c_is_word(p, "float");
		dbl |= c_is_word(p, "double");
	}
	if (flt || dbl)
		return flt ? &c_float : lng ? &c_long_double : &c_double;
	if (none)
		return &type_none;
	if (boolean)
		return &type_bool;
	if (chr && !uns && !sign)
		return &plain_char;
	return type_integer(chr ? 1 : shrt ? 2 : lng ? 8 : 4, !uns);
}

static const struct type *parse_typedef_name(struct c_parser *p)
{
	const struct type *t = p->tok == C_WORD ? c_type_find(p->c, c_text(p)) : NULL;

	if (!t) {
		c_error(p, p->tok == C_WORD ? "there is no type '%s'" : "a type is expected here%s",
			p->tok == C_WORD ? c_text(p) : "");
		return NULL;
	}
	c_next(p);
	return t;
}

static const struct type *parse_base(struct c_parser *p)
{
	const struct type *t;

	while (take_qualifier(p))
		continue;
	if (c_take_word(p, "struct"))
		t = parse_struct(p, "struct");
	else if (c_take_word(p, "union"))
		t = parse_struct(p, "union");
	else if (c_take_word(p, "enum"))
		t = parse_enum(p);
	else if (is_base_word(p))
		t = parse_words(p);
	else
		t = parse_typedef_name(p);
	while (take_qualifier(p))
		continue;
	return t;
}

bool c_at_type(struct c_parser *p)
{
	if (p->tok != C_WORD)
		return false;
	if (is_base_word(p) || c_is_word(p, "struct") || c_is_word(p, "union") || c_is_word(p, "enum") ||
	    c_is_word(p, "const"))
		return true;
	return !strmap_get(&p->c->priv->c_consts, c_text(p)) && c_type_find(p->c, c_text(p));
}

const struct type *c_type_name(struct c_parser *p)
{
	const struct type *base = parse_base(p);
	struct declarator d;

	return base && parse_declarator(p, base, &d) ? d.type : NULL;
}

/* ---- declarations ---- */

static void typedef_add(struct c_parser *p, const struct declarator *d)
{
	const struct type *t = d->type;

	if (!d->name) {
		c_error(p, "a typedef needs a name");
		return;
	}
	if ((t->kind == TY_STRUCT || t->kind == TY_ENUM) && !t->name) {
		struct type *named = type_clone(p->c->arena, t);

		named->name = d->name;
		t = named;
	}
	strmap_put(p->c->arena, &p->c->priv->c_types, d->name, type_clone(p->c->arena, t));
}

static void declaration(struct c_parser *p)
{
	bool is_typedef = c_take_word(p, "typedef");
	const struct type *base = parse_base(p);
	struct declarator d;

	while (base && is_typedef && !p->failed) {
		if (!parse_declarator(p, base, &d))
			return;
		typedef_add(p, &d);
		if (!c_take(p, ','))
			break;
	}
	c_take(p, ';');
	if (!p->failed && p->tok != C_END)
		c_error(p, "only types can be declared here");
}

void c_declaration(struct checker *c, const char *text)
{
	struct c_parser p;

	c_start(&p, c, text, (struct span){ 0 });
	declaration(&p);
}

void c_texts_read(struct checker *c, struct c_conditions *cond, struct script *from)
{
	vec_each(it, &from->c_texts) {
		struct c_parser p;

		if (it->is_directive) {
			c_directive(c, cond, it);
		} else if (!c_left_out(cond)) {
			c_start(&p, c, it->text, it->span);
			declaration(&p);
		}
		it->leaves_out = c_left_out(cond);
	}
}

/* Does an #if leave out what stands here? The text before it in its file decides. */
static bool is_left_out(const struct script *s, struct span span)
{
	const struct c_text *last = NULL;

	vec_each(it, &s->c_texts)
		if (it->span.file == span.file && it->span.begin < span.begin &&
		    (!last || last->span.begin < it->span.begin))
			last = it;
	return last && last->leaves_out;
}

#define LEAVE_OUT(s, list, span_of) do { \
	uint32_t kept_ = 0; \
	vec_each(it_, list) \
		if (!is_left_out(s, (*it_)span_of)) \
			(list)->v[kept_++] = *it_; \
	(list)->n = kept_; \
} while (0)

static void leave_out(struct script *s)
{
	bool any = false;

	vec_each(it, &s->c_texts)
		any |= it->leaves_out;
	if (!any)
		return;
	LEAVE_OUT(s, &s->clauses, ->span);
	LEAVE_OUT(s, &s->macros, ->span);
	LEAVE_OUT(s, &s->subprogs, ->span);
	LEAVE_OUT(s, &s->map_decls, .span);
	for (uint32_t i = 0; i < s->clauses.n; i++)
		s->clauses.v[i]->index = i;
}

int pass_c_texts(struct checker *c)
{
	struct c_conditions cond = { 0 };

	c_texts_read(c, &cond, c->script);
	leave_out(c->script);
	return 0;
}
