/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lost: what a rule gives a device when it is added and the device no longer has after an event that comes later.
 *
 * Since Linux 4.14 a device on a bus gets "bind" after "add", as soon as its driver has taken it, and udev starts every
 * event anew. So a rule behind ACTION!="add|change" has given its tags, properties and links for a moment only. The
 * guard that does it is what is reported, with all rules that lose by it, each of them seen to lose in a replay.
 */
#include "base/util.h"
#include "udev/lint.h"

/* ---- what an event gives ---- */

enum gift_kind { PROPERTY, TAG, LINK, MODE, OWNER, GROUP, IMPORTED };

struct gift {
	enum gift_kind kind;
	const char *name, *value;
};

struct gifts {
	VEC(struct gift) v;
};

static void add_gift(struct arena *a, struct gifts *to, enum gift_kind kind, const char *name,
		     const char *value)
{
	struct gift g = { kind, name, value };

	vec_push(a, &to->v, g);
}

/* What the device has from this rule after the event. Names with a dot are not kept by udev anyway. */
static struct gifts gifts_of(struct arena *a, const struct udev_state *s,
			     const struct udev_rule *rule)
{
	struct gifts g = { 0 };

	vec_each(p, &s->props)
		if (p->by == rule && p->value && p->name[0] != '.')
			add_gift(a, &g, PROPERTY, p->name, p->value);
	vec_each(t, &s->tags)
		if (t->by == rule)
			add_gift(a, &g, TAG, t->name, t->name);
	vec_each(k, &s->links)
		if (k->by == rule)
			add_gift(a, &g, LINK, k->name, k->name);
	vec_each(i, &s->imports)
		if (i->by == rule)
			add_gift(a, &g, IMPORTED, i->name, i->value);
	if (s->node_mode && s->mode.by == rule)
		add_gift(a, &g, MODE, "MODE", s->mode.value);
	if (s->node_mode && s->owner.by == rule)
		add_gift(a, &g, OWNER, "OWNER", s->owner.value);
	if (s->node_mode && s->group.by == rule)
		add_gift(a, &g, GROUP, "GROUP", s->group.value);
	return g;
}

#define has_item(items, want) ({ \
	bool has_ = false; \
	vec_each(it_, (items)) \
		has_ = has_ || str_eq(it_->name, (want)); \
	has_; \
})

static bool mode_eq(const char *x, const char *y)
{
	return x && y && strtoul(x, NULL, 8) == strtoul(y, NULL, 8);
}

static bool is_kept(const struct udev_device *d, const struct udev_state *s, const struct gift *g)
{
	switch (g->kind) {
	case PROPERTY: return udev_prop(d, s, g->name);
	case TAG: return has_item(&s->tags, g->name);
	case LINK: return has_item(&s->links, g->name);
	case IMPORTED: return has_item(&s->imports, g->name);
	case MODE: return mode_eq(s->node_mode, g->value);
	case OWNER: return str_eq(s->node_owner, g->value);
	default: return str_eq(s->node_group, g->value);
	}
}

/* systemd starts a unit once, when the device comes; losing the word for it at a change does no harm. */
static bool is_only_for_start(const struct gift *g)
{
	return (g->kind == PROPERTY && str_starts(g->name, "SYSTEMD_")) ||
		(g->kind == TAG && str_eq(g->name, "systemd"));
}

/* Imports are asked for by rules that run with them; at a change they are asked again or not wanted. */
static bool is_missed(const char *event, const struct gift *g)
{
	return str_eq(event, "bind") || str_eq(event, "move") ||
		!(is_only_for_start(g) || g->kind == IMPORTED);
}

static struct gifts losses_of(struct arena *a, const struct udev_device *d,
			      const struct udev_state *add,
			      const struct udev_state *later, const char *event,
			      const struct udev_rule *rule)
{
	struct gifts all = gifts_of(a, add, rule), lost = { 0 };

	vec_each(g, &all.v)
		if (!is_kept(d, later, g) && is_missed(event, g))
			vec_push(a, &lost.v, *g);
	return lost;
}

static void gift_text(struct strbuf *b, const struct gift *g)
{
	static const char *const forms[] = {
		[PROPERTY] = "ENV{%s}=\"%s\"", [TAG] = "TAG \"%s\"", [LINK] = "SYMLINK \"%s\"",
			[MODE] = "%s=\"%s\"",
		[OWNER] = "%s=\"%s\"", [GROUP] = "%s=\"%s\"", [IMPORTED] = "what %s gives",
	};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
	strbuf_addf(b, forms[g->kind], g->name, g->value);
#pragma GCC diagnostic pop
}

static const char *gifts_text(struct arena *a, const struct gifts *g)
{
	struct strbuf b = STRBUF_INIT;
	const char *text;

	for (uint32_t i = 0; i < g->v.n; i++) {
		if (i)
			strbuf_addstr(&b, i + 1 == g->v.n ? " and " : ", ");
		gift_text(&b, &g->v.v[i]);
	}
	text = b.failed ? "" : arena_strndup(a, b.s, b.len);
	strbuf_free(&b);
	return text;
}

/* How the things that were given stand after an event. */
static const char *state_text(struct arena *a, const struct udev_device *d,
			      const struct udev_state *s, const struct gifts *want)
{
	struct gifts kept = { 0 }, gone = { 0 };

	vec_each(g, &want->v) {
		if (is_kept(d, s, g))
			vec_push(a, &kept.v, *g);
		else if (g->kind == MODE)
			add_gift(a, &gone, MODE, "MODE",
				 arena_printf(a, "%s", s->node_mode ? s->node_mode : "?"));
		else
			vec_push(a, &gone.v, *g);
	}
	if (!gone.v.n)
		return arena_printf(a, "has %s", gifts_text(a, &kept));
	if (!kept.v.n)
		return arena_printf(a, "has lost %s", gifts_text(a, &gone));
	return arena_printf(a, "has %s, has lost %s", gifts_text(a, &kept), gifts_text(a, &gone));
}

/* ---- which events come later ---- */

static const char *const *later_events(const struct udev_device *d)
{
	static const char *const of_bus[] = { "bind", "change", "unbind", NULL };
	static const char *const of_net[] = { "move", "change", NULL };
	static const char *const of_class[] = { "change", NULL };

	if (d->net)
		return of_net;
	return udev_subsystem_kind(d->subsystem) == UDEV_BUS ? of_bus : of_class;
}

static enum udev_severity event_severity(const char *event)
{
	return str_eq(event, "change") ? UDEV_WARNING : str_eq(event, "unbind") ? UDEV_NOTE :
		UDEV_ERROR;
}

/* ---- whose fault it is ---- */

static bool asks_action(const struct udev_rule *rule)
{
	return udev_rule_token(rule, UDEV_M_ACTION);
}

/* Is this rule for some of "add" and the events that come later, but not for all of them? */
static bool tells_events_apart(const struct udev_rule *rule)
{
	static const char *const later[] = { "bind", "change", "move", "unbind" };
	bool add = udev_rule_is_for(rule, "add");

	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		if (udev_rule_is_for(rule, later[i]) != add)
			return true;
	return false;
}

static bool leads_past(const struct udev_rule *jump, const struct udev_rule *rule)
{
	return jump->target && jump->index < rule->index && jump->target->index > rule->index;
}

/* Does any event decide whether this rule is reached and matches? */
static bool is_guarded(const struct udev_rule *rule)
{
	if (tells_events_apart(rule))
		return true;
	for (uint32_t i = 0; i < rule->index; i++) {
		const struct udev_rule *r = rule->file->rules.v[i];

		if (r->target && tells_events_apart(r) &&
		    (leads_past(r, rule) || r->target->index <= rule->index))
			return true;
	}
	return false;
}

/* A jump that was taken at "add" led to the rule, and only because of its ACTION; now one that stands behind it was taken. */
static const struct udev_rule *jump_not_taken(const struct udev_state *add,
					      const struct udev_rule *rule,
					      const struct udev_rule *past)
{
	vec_each(h, &add->hits)
		if ((*h)->file == rule->file && (*h)->target && (*h)->index < past->index &&
		    (*h)->target->index > past->index &&
		    (*h)->target->index <= rule->index && asks_action(*h))
			return *h;
	return NULL;
}

/* The rule whose ACTION keeps `rule` from this event; NULL: it is something else. */
static const struct udev_rule *guard_of(const struct udev_state *add,
					const struct udev_state *later,
						const struct udev_rule *rule)
{
	vec_each(h, &later->hits)
		if ((*h)->file == rule->file && leads_past(*h, rule))
			return asks_action(*h) ? *h : jump_not_taken(add, rule, *h);
	return asks_action(rule) && !udev_state_hit(later, rule) ? rule : NULL;
}

/* ---- finding ---- */

static bool gives_something(const struct udev_rule *rule)
{
	vec_each(t, &rule->tokens)
		if (t->what == UDEV_A_TAG || t->what == UDEV_A_SYMLINK || t->what == UDEV_A_MODE ||
		    t->what == UDEV_A_OWNER ||
		    t->what == UDEV_A_GROUP ||
		    (t->what == UDEV_M_IMPORT && !str_eq(t->attr, "db")) ||
		    (t->what == UDEV_A_ENV && t->attr[0] != '.'))
			return true;
	return false;
}

static bool is_later(const char *event, const char *than)
{
	return !str_eq(event, than);
}

struct seen {
	const char *event;
	const struct udev_rule *guard;
	struct gifts lost;
	struct udev_state *state;
	const char *also;
};

/* The first later event at which the device loses something by a guard, and the names of the others. */
static bool see_losses(struct arena *tmp, const struct udev_lint *l, const struct udev_device *d,
		       const struct udev_state *add,
		       const struct udev_rule *rule, struct seen *seen)
{
	*seen = (struct seen){ .also = "" };
	for (const char *const *e = later_events(d); *e; e++) {
		struct udev_state *s = udev_event_replay(tmp, l->rules, d, *e, add);
		struct gifts lost = losses_of(tmp, d, add, s, *e, rule);
		const struct udev_rule *guard = lost.v.n ? guard_of(add, s, rule) : NULL;

		if (!guard)
			continue;
		if (!seen->event)
			*seen = (struct seen){ *e, guard, lost, s, "" };
		else if (is_later(*e, seen->event))
			seen->also = arena_printf(tmp, "%s%s\"%s\"", seen->also,
						  *seen->also ? ", " : "", *e);
	}
	return seen->event;
}

static void report(struct arena *a, struct arena *tmp, struct udev_lint *l,
		   const struct udev_check *c, const struct udev_rule *rule,
		   const struct udev_device *d, const struct udev_state *add,
		   const struct seen *seen)
{
	bool is_new;
	struct udev_finding *f = lint_finding(a, l, c, seen->guard, &is_new);
	struct gifts given;

	vec_push(a, &f->rules, rule);
	if (!is_new)
		return;
	given = gifts_of(tmp, add, rule);
	f->severity = event_severity(seen->event);
	f->text = arena_printf(a, "what rules give a device at \"add\" is lost at \"%s\"%s%s",
			       seen->event, *seen->also ? ", and at " : "",
			       seen->also);
	f->device = arena_strdup(a, lint_device_text(tmp, d));
	lint_replay(a, f, "add", arena_strdup(a, state_text(tmp, d, add, &given)));
	lint_replay(a, f, arena_strdup(a, seen->event),
		    arena_strdup(a, state_text(tmp, d, seen->state, &given)));
}

static void unproven(struct arena *a, struct udev_lint *l, const struct udev_rule *rule,
		     const char *why)
{
	struct udev_unproven u = { rule, arena_strdup(a, why) };

	vec_push(a, &l->unproven, u);
}

static void judge(struct arena *a, struct arena *tmp, struct udev_lint *l,
		  const struct udev_check *c, const struct udev_rule *rule)
{
	const char *why = NULL;
	struct udev_device *d = udev_synth(tmp, rule, "add", &why);
	struct udev_state *add;
	struct seen seen;

	if (!d) {
		if (why)
			unproven(a, l, rule, why);
		return;
	}
	add = udev_event_replay(tmp, l->rules, d, "add", NULL);
	if (!udev_state_hit(add, rule)) {
		unproven(a, l, rule, "a rule of another file changes what it asks for");
		return;
	}
	l->replayed++;
	if (see_losses(tmp, l, d, add, rule, &seen))
		report(a, tmp, l, c, rule, d, add, &seen);
}

/* What is made up for one rule is let go after it. */
static struct arena *scratch_new(struct arena *a)
{
	struct arena *tmp = arena_new();

	if (!tmp)
		arena_oom(a);
	return tmp;
}

void lint_lost(struct arena *a, struct udev_lint *l, const struct udev_check *c,
	       const struct udev_rule *rule)
{
	struct arena *tmp;

	/* What is not for "add" has nothing to lose later. */
	if (!gives_something(rule) || !udev_rule_is_for(rule, "add") || !is_guarded(rule))
		return;
	tmp = scratch_new(a);
	if (setjmp(*arena_guard(tmp))) {
		arena_free(tmp);
		arena_oom(a);
	}
	judge(a, tmp, l, c, rule);
	arena_free(tmp);
}

/* ---- correcting ---- */

static bool is_act(const struct udev_token *t)
{
	return t->what == UDEV_A_RUN || t->what == UDEV_A_ATTR || t->what == UDEV_A_SYSCTL;
}

static bool acts(const struct udev_rule *rule)
{
	vec_each(t, &rule->tokens)
		if (is_act(t))
			return true;
	return false;
}

static bool drop_acts(const struct udev_token *t, void *ctx)
{
	(void)ctx;
	return is_act(t);
}

/* For the line that only acts: no other assignments, and no place in the flow. */
static bool drop_gifts(const struct udev_token *t, void *ctx)
{
	(void)ctx;
	return !udev_is_match(t->what) && !is_act(t);
}

static bool drop_other_actions(const struct udev_token *t, void *ctx)
{
	return t->what == UDEV_M_ACTION && t != ctx;
}

/* The line, for all events but "remove" (or, when it is the jump that leaves out events, leaving out only that one). */
static const char *with_action(struct arena *a, const struct udev_rule *rule, bool jump)
{
	const struct udev_token *first = udev_rule_token(rule, UDEV_M_ACTION);
	const char *text = jump ? "ACTION==\"remove\"" : "ACTION!=\"remove\"";
	struct udev_rules none = { 0 };
	const char *less;

	if (!first)
		return rule->text;
	/* Two or more ACTION in one line: only the first is kept, and then written anew. */
	less = lint_without(a, rule, drop_other_actions, (void *)(uintptr_t)first);
	rule = less ? udev_rule_parse(a, &none, rule->file, less, rule->line) : NULL;
	return rule ? lint_with(a, rule, udev_rule_token(rule, UDEV_M_ACTION), text) : NULL;
}

/* The events that the guard lets through, as a match. */
static const char *events_let_through(struct arena *a, const struct udev_rule *guard, bool jump)
{
	const char *names = NULL;

	vec_each(t, &guard->tokens) {
		if (t->what != UDEV_M_ACTION)
			continue;
		if ((t->op == UDEV_NOMATCH) != jump)
			return jump ? "ACTION==\"add\"" :
				arena_strndup(a, guard->text + t->begin, t->end - t->begin);
		names = arena_printf(a, "%s%s%s", names ? names : "", names ? "|" : "", t->value);
	}
	return arena_printf(a, "ACTION==\"%s\"", names ? names : "add");
}

/* One line for what the device has, and one for what is done to it, which is done at the same events as before. */
static const char *split_line(struct arena *a, const struct udev_rule *rule, const char *text,
			      const char *events)
{
	struct udev_rules none = { 0 };
	struct udev_rule *whole = udev_rule_parse(a, &none, rule->file, text, rule->line);
	const char *keep = whole ? lint_without(a, whole, drop_acts, NULL) : NULL;
	const char *act = lint_without(a, rule, drop_gifts, NULL);

	if (!asks_action(rule))
		act = arena_printf(a, "%s, %s", events, act);
	if (!keep || !(gives_something(rule) || rule->go || rule->label))
		return act;
	return rule->go ? arena_printf(a, "%s\n%s", act, keep) :
		arena_printf(a, "%s\n%s", keep, act);
}

static void correct(struct arena *a, struct udev_finding *f)
{
	const struct udev_rule *guard = f->rule;
	bool jump = leads_past(guard, f->rules.v[0]);
	const char *events = events_let_through(a, guard, jump),
		*text = with_action(a, guard, jump);

	if (!text)
		return;
	lint_fix(a, f, guard, !jump && acts(guard) ? split_line(a, guard, text, events) : text);
	for (uint32_t i = guard->index + 1; jump && i < guard->target->index; i++) {
		const struct udev_rule *rule = guard->file->rules.v[i];

		if (acts(rule) && !asks_action(rule))
			lint_fix(a, f, rule, split_line(a, rule, rule->text, events));
	}
}

/* Does the device of this rule keep all with the corrected lines? */
static bool is_kept_by(struct arena *tmp, const struct udev_lint *l, const struct udev_rules *fixed,
		       const struct udev_rule *rule)
{
	const char *why;
	struct udev_device *d = udev_synth(tmp, rule, "add", &why);
	struct udev_state *add, *later;
	struct gifts given;

	if (!d)
		return false;
	add = udev_event_replay(tmp, l->rules, d, "add", NULL);
	given = gifts_of(tmp, add, rule);
	add = udev_event_replay(tmp, fixed, d, "add", NULL);
	for (const char *const *e = later_events(d); *e; e++) {
		later = udev_event_replay(tmp, fixed, d, *e, add);
		vec_each(g, &given.v)
			if (!is_kept(d, add, g) || !is_kept(d, later, g))
				return false;
	}
	return true;
}

static bool try_kept(struct arena *a, const struct udev_lint *l, const struct udev_rules *fixed,
		     const struct udev_rule *rule)
{
	struct arena *tmp = scratch_new(a);
	bool kept;

	if (setjmp(*arena_guard(tmp))) {
		arena_free(tmp);
		arena_oom(a);
	}
	kept = is_kept_by(tmp, l, fixed, rule);
	arena_free(tmp);
	return kept;
}

static uint32_t count_kept(struct arena *a, const struct udev_lint *l,
			   const struct udev_rules *fixed, const struct udev_finding *f)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < f->rules.n; i++)
		kept += try_kept(a, l, fixed, f->rules.v[i]);
	return kept;
}

void lint_lost_finish(struct arena *a, struct udev_lint *l)
{
	vec_each(at, &l->findings) {
		struct udev_finding *f = *at;
		uint32_t kept;

		if (f->check->run != lint_lost)
			continue;
		correct(a, f);
		if (!f->fixes.n)
			continue;
		kept = count_kept(a, l, lint_fixed_rules(a, l->rules, f), f);
		if (kept == f->rules.n)
			f->fixed = arena_printf(a, "replayed again: nothing is lost by %s",
						kept == 1 ? "this rule" :
					arena_printf(a, "any of the %u rules", kept));
		else
			f->fixed = arena_printf(a,
						"replayed again: %u of %u rules lose nothing any more; the others have another guard too",
					kept, f->rules.n);
	}
}
