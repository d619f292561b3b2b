# SPDX-License-Identifier: GPL-2.0-or-later
"""Random programs that are well typed, and end.

A program has a number, which is part of all its names, so that many of them can be compiled as one script. What a
value may be put into follows from its class: S has a sign that is meant, U has none, `lit` is a literal, `soft` a
difference of numbers without sign, `?` the parameter of a macro, which may be any of them.
"""
import random

from rules import BOOL, S64, STR, U64, Arr, Conflict, Int, Invalid, Rec, Tup, is_int
from tree import (Assign, Binary, Block, BlockOf, Call, Cast, Cell, Choice, Do, Element, FnCall, ForMap, ForRange,
                  Gather, If, Jump, Lit, MacroCall, MapAssign, MapCall, MapCell, MapRef, Member, Param, Print, Printf,
                  RecordOf, Return, Returned, Run, Step, TooLong, TupleOf, Unary, Unroll, Var, VarRef, While, WholeMap,
                  run_all)

INTS = [Int(n, s) for n in (1, 2, 4, 8) for s in (False, True)]
EDGES = [0, 1, 2, 3, 5, 7, 8, 10, 63, 64, 127, 128, 255, 256, 1000, 32767, 32768, 65535, 65536, 2147483647, 2147483648,
         4294967295, 4294967296, 1 << 62, (1 << 63) - 1]
WORDS = ["", "a", "b", "ab", "abc", "abd", "hello", "hello world", "x_1", "-", "a b", "Zz", "%d", "q\"q", "b\\s", "0",
         "longer text of some forty bytes, or so"]


class Fn:
    def __init__(self, name, params, returns):
        self.name, self.params, self.returns, self.body = name, params, returns, []

    def text(self):
        def name(t):
            return "bool" if t == BOOL else "string[64]" if t == STR else ("int" if t.signed else "uint") + str(8 * t.size)
        params = ", ".join(f"{p.name} : {name(p.t)}" for p in self.params)
        return f"fn {self.name}({params}) : {name(self.returns)} {{\n" + "".join(s.text() + "\n" for s in self.body) + "}"


class Macro:
    """params: names of expressions; places: variables and maps it changes; stmts, value: the template"""

    def __init__(self, name, params, places, stmts, value):
        self.name, self.params, self.places, self.stmts, self.value = name, params, places, stmts, value

    def text(self):
        body = "".join(s.text() + "\n" for s in self.stmts) + (self.value.text() + "\n" if self.value else "")
        return f"macro {self.name}({', '.join([p.name for p in self.places] + self.params)}) {{\n{body}}}"


class Clause:
    def __init__(self, pred, body):
        self.pred, self.body = pred, body

    def text(self):
        pred = f" /{self.pred.text()}/" if self.pred else ""
        return f"begin{pred} {{\n" + "".join(s.text() + "\n" for s in self.body) + "}"


class Program:
    def __init__(self, number):
        self.number, self.fns, self.macros, self.clauses, self.maps, self.decls = number, [], [], [], [], []
        self.cells = []

    def head(self):
        return "\n".join(self.decls + [m.text() for m in self.macros] + [f.text() for f in self.fns])

    def text(self):
        return self.head() + "\n" + "\n".join(c.text() for c in self.clauses) + "\n"

    def settle(self):
        for c in self.cells:
            c.reset()
        while True:
            Cell.changed = False
            for f in self.fns:
                for s in f.body:
                    s.settle_all()
            for c in self.clauses:
                for n in [c.pred] * bool(c.pred) + c.body:
                    n.settle_all()
            if not Cell.changed and not self.count_up():
                return

    def count_up(self):
        """What is only counted up is an int64."""
        unknown = [m for m in self.maps if not m.agg and m.t is None]
        for m in unknown:
            m.t = S64
        return unknown

    def run(self):
        run = Run()
        for c in self.clauses:
            try:
                if not c.pred or c.pred.value(run):
                    run_all(c.body, run)
            except Returned:
                pass
        return run


def cls(e):
    if e.has_param:
        return "?"
    if e.fold is not None and not isinstance(e.fold, str):
        return "S" if e.fold < 0 else "lit"
    if not is_int(e.t):
        return "U"
    if e.t.signed:
        return "soft" if e.t.soft else "S"
    return "U"


def quoted(s):
    return '"' + s.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Generator:
    def __init__(self, rng, number):
        self.rng, self.number, self.counter = rng, number, 0
        self.program = Program(number)
        self.scopes, self.loops, self.costs, self.in_fn, self.template = [[]], 0, 1, None, None
        self.frozen = set()  # maps that a loop goes over, variables that count a loop

    # ---- names ----

    def name(self, prefix):
        self.counter += 1
        return f"{prefix}{self.number}_{self.counter}"

    def new_var(self, spec, declared=None):
        v = Var(self.name("$v"), declared)
        v.spec = spec
        self.program.cells.append(v)
        return v

    def visible(self, want):
        return [v for s in self.scopes for v in s if want(v.spec)]

    def chance(self, p):
        return self.rng.random() < p

    # ---- literals ----

    def int_literal(self, most=(1 << 64) - 1):
        v = self.rng.choice(EDGES) if self.chance(0.4) else self.rng.randrange(0, 12) if self.chance(0.5) else \
            self.rng.getrandbits(self.rng.randrange(1, 64))
        v = min(v, most)
        form = self.rng.randrange(8)
        s = hex(v) if form == 0 else f"{v:_}" if form == 1 and v > 999 else "0" + oct(v)[2:] if form == 2 and v else str(v)
        return Lit(v, s)

    def literal_of(self, v):
        return Lit(v, ("true" if v else "false") if isinstance(v, bool) else quoted(v) if isinstance(v, str) else str(v))

    def str_literal(self):
        return self.literal_of(self.rng.choice(WORDS))

    # ---- numbers ----

    def int(self, depth=3):
        """Any number."""
        if depth <= 0 or self.chance(0.15):
            return self.int_leaf()
        for _ in range(8):
            try:
                return self.rng.choice(self.INT_FORMS)(self, depth - 1)
            except (Invalid, Conflict):
                continue
        return self.int_literal()

    def int_leaf(self):
        if self.template and self.chance(0.5):
            return self.rng.choice(self.template)
        vars_ = self.visible(lambda s: s in ("U", "S", "L", "D"))
        if vars_ and self.chance(0.7):
            return VarRef(self.rng.choice(vars_))
        if self.chance(0.2):
            return Unary("-", self.literal_of(self.rng.choice(EDGES[1:])))
        if self.chance(0.5):
            return Cast(self.rng.choice(INTS), self.int_literal())
        return self.int_literal()

    def int_arith(self, d):
        op = self.rng.choice(["+", "-", "*", "/", "%", "&", "|", "^", "+", "-", "*"])
        a, b = self.int(d), self.int(d)
        if op in "/%" and self.chance(0.3):
            b = self.literal_of(self.rng.choice([1, 2, 3, 7, 8, 10, 1000, 4096]))
        if self.chance(0.1):
            b = self.bool(d)
        return Binary(op, a, b)

    def int_shift(self, d):
        b = self.literal_of(self.rng.randrange(64)) if self.chance(0.7) else self.int(d)
        return Binary(self.rng.choice(["<<", ">>"]), self.int(d), b)

    def int_unary(self, d):
        return Unary(self.rng.choice("-~"), self.int(d))

    def int_cast(self, d):
        e = self.int(d) if self.chance(0.85) else self.bool(d)
        return Cast(self.rng.choice(INTS), e)

    def both(self, a, b):
        """Two values in one place: of one class."""
        ca, cb = cls(a), cls(b)
        fits = ca == cb or "?" not in (ca, cb) and {ca, cb} <= {"U", "lit", "soft"} or {ca, cb} <= {"S", "lit", "soft"} \
            and "?" not in (ca, cb)
        if not fits or (cls(a) == "soft" and cls(b) == "U") or (cls(b) == "soft" and cls(a) == "U"):
            t = self.rng.choice((S64, U64))
            a, b = Cast(t, a), Cast(t, b)
        return a, b

    def int_choice(self, d):
        c = self.bool(d) if self.chance(0.8) else self.int(d)
        return Choice(c, *self.both(self.int(d), self.int(d)), self.rng.choice("?i"))

    def int_block(self, d):
        if self.in_template():
            return self.int_leaf()
        self.scopes.append([])
        stmts = [self.assign_new(d) for _ in range(self.rng.randrange(1, 3))]
        e = BlockOf(stmts, self.int(d))
        self.scopes.pop()
        return e

    def int_str(self, d):
        form = self.rng.randrange(4)
        if form == 0:
            return Call("strlen", [self.str(d)])
        if form == 1:
            return Call("strstr", [self.str(d), self.literal_of(self.rng.choice(WORDS[1:10]))])
        return Cast(S64, Element(self.str_var_or_cast(d), self.index(d)))

    def str_var_or_cast(self, d):
        vars_ = self.visible(lambda s: s == "str")
        if not vars_:
            raise Invalid("no text to index")
        return VarRef(self.rng.choice(vars_))

    def index(self, d):
        e = Binary("&", self.int(d), self.literal_of(self.rng.choice([1, 3, 7])))
        return Cast(U64, e) if e.fold is None else self.index_literal()

    def index_literal(self):
        return self.literal_of(0)

    def int_map(self, d):
        maps = [m for m in self.program.maps if m.spec in ("U", "S") or m.agg in ("count", "sum", "min", "max", "avg")]
        if not maps or self.in_template():
            return self.int_leaf()
        m = self.rng.choice(maps)
        return MapRef(m, self.key_for(m, d))

    def int_len(self, d):
        maps = [m for m in self.program.maps if m.keyed]
        if not maps or self.in_template():
            return self.int_leaf()
        return MapCall("len", self.rng.choice(maps), None, None)

    def int_member(self, d):
        vars_ = self.visible(lambda s: isinstance(s, (Tup, Rec, Arr)))
        if not vars_:
            return self.int_leaf()
        v = self.rng.choice(vars_)
        return self.into(VarRef(v), v.spec, d)

    def into(self, e, spec, d):
        """Some number within a composite value."""
        if isinstance(spec, Arr):
            i = self.literal_of(self.rng.randrange(spec.count)) if self.chance(0.5) else self.index(d)
            return Element(e, i)
        names = spec.names if isinstance(spec, Rec) else range(len(spec.items))
        parts = [(n, s) for n, s in zip(names, spec.items) if s != STR and s != BOOL]
        if not parts:
            raise Invalid("no number in it")
        n, s = self.rng.choice(parts)
        e = Member(e, n)
        return e if is_int(s) else self.into(e, s, d)

    def int_step(self, d):
        vars_ = [v for v in self.visible(lambda s: s in ("U", "S")) if v not in self.frozen]
        if not vars_ or self.in_template():
            return self.int_leaf()
        return Step(self.rng.choice(("++", "--")), self.chance(0.5), VarRef(self.rng.choice(vars_)))

    def int_fn(self, d):
        fns = [f for f in self.program.fns if is_int(f.returns)]
        return self.call(self.rng.choice(fns), d) if fns and not self.in_template() and self.costs < 50 else self.int_leaf()

    def int_macro(self, d):
        macros = [m for m in self.program.macros if m.value]
        if not macros or self.in_template():
            return self.int_leaf()
        return self.expand(self.rng.choice(macros), d)

    def int_bswap(self, d):
        return Call("bswap", [Cast(self.rng.choice(INTS[2:]), self.int(d))])

    def int_of_array(self, d):
        t = self.rng.choice([t for t in INTS if t.size > 1])
        n = self.rng.choice([k for k in (1, 2, 4) if k < t.size])
        return Cast(t, Cast(Arr(Int(n, False), t.size // n), Cast(Int(t.size, False), self.int(d))))

    INT_FORMS = [int_arith, int_arith, int_arith, int_shift, int_unary, int_cast, int_choice, int_block, int_str, int_map,
                 int_member, int_step, int_fn, int_macro, int_bswap, int_len, int_of_array]

    def exact(self, t, depth=2):
        """A number of exactly this type."""
        return Cast(t, self.int(depth))

    def int_for(self, kind, depth=3):
        """A number that may be stored where numbers of this class are."""
        e = self.int(depth)
        c = cls(e)
        if kind == "L":
            return self.int_literal()
        if kind == "D":
            u = Cast(Int(self.rng.choice((1, 2, 4, 8)), False), self.int(depth - 1))
            return Binary("-", u, Cast(Int(4, False), self.int(depth - 1)))
        if kind == "U" and c in ("U", "lit", "soft") and not (c == "soft" and self.chance(0.5)):
            return e
        if kind == "S" and (c in ("S", "soft") or (c == "lit" and e.fold < 1 << 63)):
            return e
        return Cast(self.rng.choice([t for t in INTS if t.signed == (kind == "S")]), e)

    # ---- bools ----

    def bool(self, depth=2):
        if depth <= 0:
            return self.bool_leaf()
        for _ in range(8):
            try:
                return self.rng.choice(self.BOOL_FORMS)(self, depth - 1)
            except (Invalid, Conflict):
                continue
        return self.bool_leaf()

    def bool_leaf(self):
        vars_ = self.visible(lambda s: s == BOOL)
        return VarRef(self.rng.choice(vars_)) if vars_ and self.chance(0.6) else \
            Binary(self.rng.choice(("<", "==", ">=")), self.int_leaf(), self.int_leaf())

    def bool_compare(self, d):
        return Binary(self.rng.choice(("==", "!=", "<", "<=", ">", ">=")), self.int(d), self.int(d))

    def bool_strings(self, d):
        return Binary(self.rng.choice(("==", "!=", "<", "<=", ">", ">=")) if False else self.rng.choice(("==", "!=")),
                      self.str(d), self.str(d))

    def bool_logic(self, d):
        return Binary(self.rng.choice(("&&", "||")), self.truth(d), self.truth(d))

    def truth(self, d):
        return self.int(d) if self.chance(0.3) else self.bool(d)

    def bool_not(self, d):
        return Unary("!", self.truth(d))

    def bool_bits(self, d):
        return Binary(self.rng.choice("&|^"), self.bool(d), self.bool(d))

    def bool_cast(self, d):
        return Cast(BOOL, self.int(d) if self.chance(0.7) else self.str(d))

    def bool_text(self, d):
        form = self.rng.randrange(3)
        if form == 0:
            return Call("strcontains", [self.str(d), self.literal_of(self.rng.choice(WORDS[1:10]))])
        if form == 1:
            return Call("globmatch", [self.str(d), self.literal_of(self.rng.choice(["*", "a*", "*b", "?", "h*d", "a?c", "*l*o*"]))])
        return Binary("==", Call("strncmp", [self.str(d), self.str(d), self.literal_of(self.rng.randrange(1, 9))]),
                      self.literal_of(0))

    def bool_map(self, d):
        maps = [m for m in self.program.maps if m.keyed]
        if not maps or self.in_template():
            return self.bool_leaf()
        m = self.rng.choice(maps)
        if self.chance(0.3) and m not in self.frozen and not m.agg:
            return MapCall("delete", m, self.key_for(m, d), None)
        return MapCall("has_key", m, self.key_for(m, d), None)

    def bool_find(self, d):
        maps = [m for m in self.program.maps if m.keyed and not m.agg]
        pairs = [(m, v) for m in maps for v in self.visible(lambda s, m=m: s == m.spec) if v not in self.frozen
                 and not v.declared]
        if not pairs or self.in_template():
            return self.bool_leaf()
        m, v = self.rng.choice(pairs)
        return MapCall("find", m, self.key_for(m, d), v)

    def bool_composite(self, d):
        spec = self.composite()
        op = self.rng.choice(("==", "!="))
        return Binary(op, self.of(spec, d), self.of(spec, d))

    BOOL_FORMS = [bool_compare, bool_compare, bool_compare, bool_strings, bool_logic, bool_logic, bool_not, bool_bits,
                  bool_cast, bool_text, bool_map, bool_find, bool_composite]

    # ---- text ----

    def str(self, depth=2):
        vars_ = self.visible(lambda s: s == STR or s == "str")
        form = self.rng.randrange(10)
        if depth > 0 and form == 0:
            return Choice(self.bool(depth - 1), self.str(depth - 1), self.str(depth - 1), self.rng.choice("?i"))
        if depth > 0 and form == 1:
            return Call("str_concat", [self.str_leaf(), self.str_leaf()])
        if depth > 0 and form == 2:
            return Call("str", [self.str_leaf(), self.literal_of(self.rng.randrange(1, 12))])
        if form == 3 and not self.in_template():
            maps = [m for m in self.program.maps if m.spec == STR]
            if maps:
                m = self.rng.choice(maps)
                return MapRef(m, self.key_for(m, depth - 1))
        if form == 4:
            word = self.rng.choice([w for w in WORDS if len(w) in (1, 3, 5)])
            return Cast(STR, Cast(Arr(Int(1, True), len(word) + 1), self.literal_of(word)))
        if vars_ and form < 8:
            return VarRef(self.rng.choice(vars_))
        return self.str_literal()

    def str_leaf(self):
        return self.str_literal()

    # ---- values with parts ----

    def composite(self, depth=2):
        """The shape of one: integers by their exact types."""
        form = self.rng.randrange(5)
        if form == 0:
            return Arr(Int(self.rng.choice((1, 2)), self.chance(0.3)), self.rng.choice((2, 4)))
        n = self.rng.randrange(1, 4)
        items = tuple(self.part(depth) for _ in range(n))
        if form == 1:
            return Rec(tuple(self.rng.sample(["a", "b", "cc", "size"], n)), items)
        return Tup(items)

    def part(self, depth):
        form = self.rng.randrange(8)
        if form == 0 and depth > 1:
            return self.composite(depth - 1)
        return STR if form == 1 else BOOL if form == 2 else self.rng.choice(INTS)

    def of(self, spec, depth=2):
        """A value of this shape."""
        if spec == STR or spec == "str":
            return self.str(depth)
        if spec == BOOL:
            return self.bool(depth)
        if is_int(spec):
            if self.chance(0.3):
                v = self.rng.randrange(0, 1 << (8 * spec.size - 1))
                return self.literal_of(v)
            return self.exact(spec, depth - 1)
        if spec in ("U", "S", "L", "D"):
            return self.int_for(spec, depth)
        vars_ = [v for v in self.visible(lambda s: s == spec)]
        if vars_ and self.chance(0.5):
            return VarRef(self.rng.choice(vars_))
        if isinstance(spec, Arr):
            return Cast(spec, Cast(Int(spec.elem.size * spec.count, False), self.int(depth - 1)))
        items = [self.of(s, depth - 1) for s in spec.items]
        if isinstance(spec, Rec):
            return RecordOf(list(spec.names), items)
        return TupleOf(items)

    # ---- maps ----

    def new_map(self):
        r = self.rng
        agg = r.choice(["count", "sum", "min", "max", "avg", "stats", "hist", "lhist"]) if self.chance(0.4) else None
        params = ()
        if agg == "hist":
            params = (r.choice((0, 0, 1, 2, 3)),)
        elif agg == "lhist":
            low, step = r.choice((0, 0, -10, 5, 1000)), r.choice((1, 2, 10, 100, 1024))
            params = (low, low + step * r.randrange(1, 12), step)
        m = MapCell(self.name("@m"), agg, params)
        m.spec = None if agg else r.choice(["U", "S", "U", "S", STR, BOOL, self.composite()])
        m.agg_kind = r.choice("US")
        m.key_spec = r.choice([None, None, "U", "S", STR, BOOL, self.composite(), Tup((INTS[7], STR)), Tup((INTS[0], INTS[7]))])
        m.keyed = m.key_spec is not None
        return m

    def keep_map(self, m):
        """From now on it is known: something is assigned to it."""
        if m in self.program.maps:
            return
        self.program.maps.append(m)
        self.program.cells.append(m)
        if m.keyed and self.chance(0.1):
            kind = "percpuhash" if m.agg else "hash"
            self.program.decls.append(f"let {m.name} = {kind}({self.rng.choice((512, 1000))});")

    def key_for(self, m, depth=1):
        """Keys out of few, so that some are found again."""
        spec = m.key_spec
        if spec is None:
            return None
        if spec in ("U", "S"):
            e = self.literal_of(self.rng.randrange(4)) if self.chance(0.5) else self.int_for(spec, max(depth, 1))
            if e.fold is not None:
                return e
            small = Binary("%", e, self.literal_of(self.rng.choice((2, 3, 5))))
            return small if cls(small) == spec else Cast(S64 if spec == "S" else U64, small)
        return self.of(spec, 1)

    def value_for(self, m, depth=2):
        if m.agg:
            return None if m.agg == "count" else self.int_for(m.agg_kind, depth)
        e = self.of(m.spec, depth)
        if (isinstance(e, MapRef) and e.parts[0].agg) or isinstance(e, MacroCall):  # what is gathered is not copied from map to map
            e = Cast(S64 if m.spec == "S" else U64, e)
        return e

    # ---- calls ----

    def in_template(self):
        return self.template is not None

    def call(self, fn, d):
        return FnCall(fn, [self.str_literal() if p.t == STR else self.bool(d) if p.t == BOOL else self.int(d)
                           for p in fn.params])

    def expand(self, macro, d):
        sub, texts = {}, []
        for place in macro.places:
            if isinstance(place, MapCell):
                raise Invalid("maps come later")
            vars_ = [v for v in self.visible(lambda s: s == "U") if v not in self.frozen and not v.declared]
            if not vars_:
                raise Invalid("no variable to hand over")
            sub[place] = self.rng.choice(vars_)
            texts.append(sub[place].name)
        for name in macro.params:
            e = self.int(min(d, 1))
            sub[name] = e
            texts.append(f"({e.text()})" if e.level < 0 else e.text())
        stmts = [s.copy(sub) for s in macro.stmts]
        value = macro.value.copy(sub) if macro.value else None
        self.program.cells += [c for c in sub.values() if isinstance(c, Var) and c not in self.program.cells]
        return MacroCall(macro.name, texts, stmts, value)

    # ---- statements ----

    def assign_new(self, depth=3):
        kind = self.rng.choice(["U", "S", "U", "S", "L", "D", BOOL, "str", "comp", "decl", "decl"])
        if kind == "decl":
            t = self.rng.choice(INTS)
            v = self.new_var("S" if t.signed else "U", t)
            s = Assign(v, "", self.exact(t, depth - 1), t, True)
        else:
            spec = self.composite() if kind == "comp" else kind
            value = self.of(spec, depth)
            v = self.new_var(spec)
            s = Assign(v, "", value, None, self.chance(0.2))
        self.scopes[-1].append(v)
        return s

    def assign_old(self, depth):
        vars_ = [v for v in self.visible(lambda s: True) if v not in self.frozen]
        if not vars_:
            return self.assign_new(depth)
        v = self.rng.choice(vars_)
        if v.spec in ("U", "S") and self.chance(0.5):
            op = self.rng.choice(["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"])
            e = self.literal_of(self.rng.randrange(1, 64)) if op in ("<<", ">>") else self.int_for(v.spec, depth)
            if op in "/%" and e.fold is not None:
                e = self.literal_of(3)
            if v.spec == "U" and not v.declared and cls(e) == "S":
                e = Cast(U64, e)
            return Assign(v, op, e, None, False)
        if v.declared:
            return Assign(v, "", self.exact(v.declared, depth), None, False)
        return Assign(v, "", self.of(v.spec, depth), None, False)

    def store(self, depth):
        s = self.store_in(depth)
        self.keep_map((s.parts[0].parts[2] if isinstance(s, Do) else s.parts[0]).parts[0])
        return s

    def store_in(self, depth):
        maps = [m for m in self.program.maps if m not in self.frozen]
        m = self.rng.choice(maps) if maps and self.chance(0.7) else self.new_map()
        place = MapRef(m, self.key_for(m, depth))
        if m.agg:
            return Gather(place, self.value_for(m, depth))
        if m.spec in ("U", "S") and self.chance(0.4) and (m.spec == "S" or m.t):
            if self.chance(0.4):
                return Do(Step(self.rng.choice(("++", "--")), self.chance(0.3), place))
            op = self.rng.choice(["+", "-", "*", "&", "|", "^"])
            e = self.int_for(m.spec, depth)
            if cls(e) not in (m.spec, "lit"):
                e = Cast(S64 if m.spec == "S" else U64, e)
            return MapAssign(place, op, e)
        return MapAssign(place, "", self.value_for(m, depth))

    def some(self, depth, most=3):
        """The statements of a body."""
        self.scopes.append([])
        stmts = []
        for _ in range(self.rng.randrange(1, most + 1)):
            s = self.stmt(depth)
            stmts += s if isinstance(s, list) else [s]
        self.scopes.pop()
        return stmts

    def if_stmt(self, depth):
        c = self.truth(2)
        return If(c, self.some(depth - 1), self.some(depth - 1) if self.chance(0.5) else [])

    def loop_body(self, depth, turns, more=()):
        self.loops += 1
        self.costs *= turns
        body = self.some(depth - 1)
        if self.chance(0.3):
            body.append(If(self.bool(1), [Jump(self.rng.choice(("break", "continue")))], []))
            body += self.some(1, 1) if self.chance(0.5) else []
        self.loops -= 1
        self.costs //= turns
        return list(more) + body

    def can_loop(self):
        return self.loops < 3 and self.costs < 60 and not self.in_template()

    def while_stmt(self, depth):
        if not self.can_loop():
            return self.show(depth)
        i, turns = self.new_var("U"), self.rng.randrange(1, 8)
        start = Assign(i, "", Cast(U64, self.literal_of(0)), None, False)
        self.scopes[-1].append(i)
        self.frozen.add(i)
        c = Binary("<", VarRef(i), self.literal_of(turns))
        if self.chance(0.3):
            c = Binary("&&", c, self.bool(1))
        return [start, While(c, self.loop_body(depth, turns, [Do(Step("++", False, VarRef(i)))]))]

    def for_range(self, depth):
        if not self.can_loop():
            return self.show(depth)
        turns = self.rng.randrange(0, 8)
        low = self.rng.randrange(-3, 5)
        a = Cast(S64, self.literal_of(low) if low >= 0 else Unary("-", self.literal_of(-low)))
        b = Binary("+", a, self.literal_of(turns)) if low < 0 else self.literal_of(low + turns)
        if self.chance(0.3):
            b = Binary("+", a, Binary("&", self.int(1), self.literal_of(7)))
            b = Cast(S64, b)
            turns = 8
        i = self.new_var("S")
        self.scopes.append([i])
        self.frozen.add(i)
        body = self.loop_body(depth, max(turns, 1))
        self.scopes.pop()
        return ForRange(i, a, b, body)

    def for_map(self, depth):
        maps = [m for m in self.program.maps if m.keyed and m.agg not in ("stats", "hist", "lhist") and m not in self.frozen
                and (m.spec in ("U", "S") or m.agg)]
        if not maps or not self.can_loop() or self.in_fn or self.loops > 1:
            return self.show(depth)
        m = self.rng.choice(maps)
        v = self.new_var(None)
        total = MapCell(self.name("@m"), self.rng.choice(("sum", "max", "count", "hist")))
        total.params = (0,) if total.agg == "hist" else ()
        total.spec, total.key_spec, total.agg_kind, total.keyed = None, None, "S", False
        self.program.maps.append(total)
        self.program.cells.append(total)
        v.grow(Tup((m.key or S64, m.type or S64)))
        value = Cast(S64, Member(VarRef(v), 1))
        if self.chance(0.5):
            value = Cast(S64, Binary(self.rng.choice("+*^"), value, self.literal_of(self.rng.randrange(1, 9))))
        body = [Gather(MapRef(total, None), None if total.agg == "count" else value)]
        if m.key_spec in ("U", "S") and self.chance(0.5):
            copy = MapCell(self.name("@m"))
            copy.spec, copy.key_spec, copy.keyed = "S", m.key_spec, True
            self.program.maps.append(copy)
            self.program.cells.append(copy)
            body.append(MapAssign(MapRef(copy, Member(VarRef(v), 0)), "", value))
        return ForMap(v, m, body)

    def unroll(self, depth):
        turns = self.rng.randrange(1, 5)
        self.costs *= turns
        if self.costs > 60 or self.in_template():
            self.costs //= turns
            return self.show(depth)
        body = self.some(1, 2)
        self.costs //= turns
        return Unroll(turns, body)

    def block(self, depth):
        return Block(self.some(depth - 1, 2))

    def show(self, depth):
        if self.chance(0.5):
            return self.printf()
        kind = self.rng.choice(["int", "int", "bool", "str", "comp"])
        e = {"int": lambda: self.int(3), "bool": self.bool, "str": self.str,
             "comp": lambda: self.of(self.composite())}[kind]()
        if isinstance(e, MapRef):  # print(@x) is about the map, not about its value
            e = TupleOf([e])
        return Print(e)

    def printf(self):
        pieces, values = [], []
        for _ in range(self.rng.randrange(1, 5)):
            pieces.append(self.rng.choice(["", " ", "|", "x=", "100% ", "a\\b ", "[", ", "]))
            conv = self.rng.choice("dduxXobcss")
            flags = "".join(f for f in ("-", "0", "+", " ", "#") if self.chance(0.12))
            if conv not in "d":
                flags = flags.replace("+", "").replace(" ", "")
            if conv not in "xXob":
                flags = flags.replace("#", "")
            if conv in "sc":
                flags = flags.replace("0", "")
            if "-" in flags:
                flags = flags.replace("0", "")
            if "+" in flags:
                flags = flags.replace(" ", "")
            width = self.rng.choice([0, 0, 0, 1, 5, 12, 24, "*"])
            precision = self.rng.choice([None, None, None, 0, 1, 3, 10]) if conv != "c" else None
            length = self.rng.choice(["", "", "", "l", "ll", "h", "hh", "j", "z"]) if conv not in "sc" else ""
            pieces.append((flags, width, precision, length, conv))
            if width == "*":
                values.append(self.literal_of(self.rng.randrange(1, 20)) if self.chance(0.5) else
                              Binary("&", self.int(1), self.literal_of(15)))
            if conv == "c":
                values.append(Binary("+", Binary("&", self.int(1), self.literal_of(15)), self.literal_of(65)))
            elif conv == "s":
                values.append(self.rng.choice([self.str, lambda: self.int(2), self.bool,
                                               lambda: self.of(self.composite())])())
            else:
                values.append(self.int(3) if self.chance(0.9) else self.bool())
        return Printf(pieces, values)

    def macro_stmt(self, depth):
        if not self.program.macros or self.in_template():
            return self.show(depth)
        return Do(self.expand(self.rng.choice(self.program.macros), 1))

    def leave(self, depth):
        if self.in_fn:
            return If(self.bool(1), [Return(self.returned(1))], [])
        return If(self.bool(1), [Return(None)], [])

    def stmt(self, depth):
        for _ in range(8):
            try:
                form = self.rng.choice(self.STMT_FORMS)
                if depth <= 0:
                    form = self.rng.choice(self.FLAT_FORMS)
                return form(self, depth)
            except (Invalid, Conflict):
                continue
        return Print(self.int_literal())

    FLAT_FORMS = [assign_new, assign_old, store, show, macro_stmt]
    STMT_FORMS = [assign_new, assign_new, assign_old, assign_old, store, store, show, show, if_stmt, while_stmt, for_range,
                  for_map, unroll, block, macro_stmt, leave]

    # ---- programs ----

    def returned(self, depth):
        t = self.in_fn.returns
        return self.bool(depth) if t == BOOL else self.int(depth)

    def function(self):
        params = []
        fn = Fn(self.name("f"), params, self.rng.choice(INTS + [BOOL]))
        for _ in range(self.rng.randrange(0, 4)):
            t = self.rng.choice(INTS + [BOOL])
            v = self.new_var(BOOL if t == BOOL else "S" if t.signed else "U", t)
            params.append(v)
        self.in_fn, self.scopes, costs = fn, [list(params), []], self.costs
        self.costs = 8
        for _ in range(self.rng.randrange(0, 3)):
            s = self.stmt(1)
            fn.body += s if isinstance(s, list) else [s]
        fn.body.append(Return(self.returned(2)))
        self.in_fn, self.scopes, self.costs = None, [[]], costs
        self.program.fns.append(fn)

    def macro(self):
        names = ["x", "y"][:self.rng.randrange(1, 3)]
        self.template = [Param(n, U64) for n in names]
        self.scopes = [[]]
        place = Var(self.name("$p"))
        place.spec = "U"
        place.grow(U64)
        with_place = self.chance(0.5)
        stmts = []
        if with_place:
            stmts.append(Assign(place, self.rng.choice(["", "+", "^"]), Cast(U64, self.int(1)), None, False))
            self.scopes[-1].append(place)
        if self.chance(0.4):
            v = self.new_var("U")
            stmts.append(Assign(v, "", Cast(U64, self.int(1)), None, True))
            self.scopes[-1].append(v)
        value = self.int(2) if self.chance(0.7) or not stmts else None
        self.template, self.scopes = None, [[]]
        used = (value.text() if value else "") + "".join(s.text() for s in stmts)
        self.program.macros.append(Macro(self.name("mac"), [n for n in names if n in used] or names, [place] * with_place, stmts, value))

    def clause(self):
        self.scopes, self.frozen, self.loops, self.costs = [[]], set(), 0, 1
        pred = self.truth(2) if self.chance(0.3) else None
        body = []
        for _ in range(self.rng.randrange(2, 9)):
            s = self.stmt(3)
            body += s if isinstance(s, list) else [s]
        self.program.clauses.append(Clause(pred, body))

    def last_words(self):
        """What is done to whole maps must not race with what changes them: it comes last."""
        body = []
        for m in self.program.maps:
            if not self.chance(0.4):
                continue
            what = self.rng.choice(["print", "print", "clear", "zero"]) if m.keyed and not m.agg and m.spec in ("U", "S") \
                else "print"
            top, div = (None, None)
            if what == "print" and m.keyed and self.chance(0.5):
                top = self.rng.randrange(1, 4)
                if self.chance(0.4) and (m.agg or m.spec in ("U", "S")):
                    div = self.rng.choice((2, 10, 1000))
            body.append(WholeMap(what, m, top, div))
        if body:
            self.program.clauses.append(Clause(None, body))

    def make(self):
        for _ in range(self.rng.choice((0, 0, 1, 2))):
            self.macro()
        for _ in range(self.rng.choice((0, 0, 1, 2))):
            try:
                self.function()
            except (Invalid, Conflict):
                pass
        for _ in range(self.rng.randrange(1, 4)):
            self.clause()
        self.last_words()
        return self.program





def program(seed, number):
    """The program of this seed with this number in its names, and what it does; another one where it takes too long."""
    rng = random.Random(seed)
    while True:
        p = Generator(rng, number).make()
        try:
            p.settle()
            return p, p.run()
        except (TooLong, Conflict):
            continue



