# SPDX-License-Identifier: GPL-2.0-or-later
"""A program as a tree whose nodes know their text, their type and, by the rules of the language, their value.

Types settle as the language says: variables and maps grow with what is assigned to them anywhere, until nothing
changes. `fold` of an expression is its value where only literals are in it, and None else.
"""
import fnmatch

import text as show
from rules import (BOOL, S64, SOFT64, STR, U64, Arr, Int, Invalid, Rec, Tup, arith, arith_type, compare_ints,
                   compare_order, convert, cut, fold_int, from_bytes, hist_bucket, is_int, is_number, literal_type,
                   order, promote, signed, size_of, to_bytes, truth, type_name, zero)

MOST_STEPS = 20000


class Leave(Exception):
    """break and continue: `what` is the keyword."""

    def __init__(self, what):
        super().__init__(what)
        self.what = what


class Returned(Exception):
    def __init__(self, value=0):
        super().__init__()
        self.value = value


class TooLong(Exception):
    """More steps than a test program should take."""


class Run:
    def __init__(self):
        self.vars, self.maps, self.out, self.steps = {}, {}, [], 0

    def step(self):
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooLong

    def entries(self, m):
        return self.maps.setdefault(m, {})


# ---- what has a name ----

class Cell:
    changed = False

    def __init__(self, name, declared=None):
        self.name, self.declared, self.t = name, declared, declared

    def grow(self, t):
        if self.declared or t is None:
            return
        now = promote(self.t, t)
        if now != self.t:
            self.t, Cell.changed = now, True

    def reset(self):
        self.t = self.declared


class Var(Cell):
    kind = None  # of its integers: U, S or L (literals only)


class MapCell(Cell):
    def __init__(self, name, agg=None, params=()):
        super().__init__(name)
        self.agg, self.params, self.key, self.keyed = agg, params, None, False
        self.agg_signed = False

    def grow_key(self, t):
        if t is None:
            return
        now = promote(self.key, t)
        if now != self.key:
            self.key, Cell.changed = now, True

    def reset(self):
        self.t = self.key = None
        self.agg_signed = False

    @property
    def type(self):
        if not self.agg:
            return self.t
        return S64 if self.agg_signed and self.agg != "count" else U64


# ---- nodes ----

class Node:
    """parts: what it is made of, in the order of the constructor, so that it can be copied."""

    def __init__(self, *parts):
        self.parts = parts
        self.t = self.fold = None
        self.has_param = any(getattr(n, "has_param", False) for n in self.children())
        self.start()
        self.settle()

    def start(self):
        """What the constructor does beyond keeping its parts."""

    def children(self):
        for p in self.parts:
            for n in p if isinstance(p, (list, tuple)) else (p,):
                if isinstance(n, Node):
                    yield n

    def settle(self):
        """Take the types of what is below into account."""

    def settle_all(self):
        for n in self.children():
            n.settle_all()
        self.settle()

    def copy(self, sub):
        def part(p):
            if isinstance(p, Node):
                return p.copy(sub)
            if isinstance(p, list):
                return [part(x) for x in p]
            if isinstance(p, Cell):
                return sub[p] if p in sub else sub.setdefault(p, own_copy(p))
            return p
        return type(self)(*[part(p) for p in self.parts])


def own_copy(cell):
    """A variable that a macro declares is another one with each call; a map is not."""
    if isinstance(cell, MapCell):
        return cell
    v = Var(cell.name, cell.declared)
    v.kind = cell.kind
    return v


LEVELS = {"*": 10, "/": 10, "%": 10, "+": 9, "-": 9, "<<": 8, ">>": 8, "<": 7, "<=": 7, ">": 7, ">=": 7,
          "==": 6, "!=": 6, "&": 5, "^": 4, "|": 3, "&&": 2, "||": 1}
PRIMARY, UNARY, TERNARY = 12, 11, 0


class Expr(Node):
    level = PRIMARY

    def inner(self, e, level):
        return e.text() if e.level >= level else f"({e.text()})"

    def settle(self):
        kids = [n for n in self.children() if isinstance(n, Expr)]
        self.t = None if any(n.t is None and not isinstance(n, Void) for n in kids) else self.infer()

    def value(self, run):
        run.step()
        return self.fold if self.fold is not None else self.eval(run)


class Void:
    """Mixed into what is an expression by its form but has no value."""


class Lit(Expr):
    """number, bool or text, and how it is written."""

    def start(self):
        self.fold = self.parts[0]
        if isinstance(self.fold, int) and not isinstance(self.fold, bool) and self.fold < 0:
            self.level = UNARY

    def infer(self):
        v = self.fold
        return BOOL if isinstance(v, bool) else STR if isinstance(v, str) else literal_type(v)

    def text(self):
        return self.parts[1]


class Param(Expr):
    """Of a macro: what is given for it takes its place."""
    has_param = True

    def start(self):
        self.has_param = True

    def infer(self):
        return self.parts[1]

    def text(self):
        return self.parts[0]

    def copy(self, sub):
        return sub[self.parts[0]]


class VarRef(Expr):
    def infer(self):
        return self.parts[0].t

    def text(self):
        return self.parts[0].name

    def eval(self, run):
        v = self.parts[0]
        return run.vars[v]


class MapRef(Expr):
    """map, key or None"""

    def infer(self):
        m, key = self.parts
        if key is not None:
            m.grow_key(key.t)
        return m.type

    def text(self):
        m, key = self.parts
        if key is None:
            return m.name
        s = key.text()
        return f"{m.name}[{s[1:-1] if isinstance(key, TupleOf) and len(key.parts[0]) > 1 else s}]"

    def find(self, run):
        m, key = self.parts
        return None if key is None else convert(key.value(run), key.t, m.key)

    def eval(self, run):
        m = self.parts[0]
        k = self.find(run)
        entries = run.entries(m)
        if k not in entries:
            return zero(m.type)
        v = entries[k]
        if m.agg == "avg":
            return cut(show.divided(v[0], S64, v[1]), m.type)
        return v


class Unary(Expr):
    """operator, operand"""
    level = UNARY

    def start(self):
        op, e = self.parts
        if e.fold is None or isinstance(e.fold, str):
            return
        if op == "!":
            self.fold = not truth(e.fold)
        elif op == "~":
            self.fold = cut(~e.fold, S64 if e.fold < 0 else U64)
        elif e.fold > 1 << 63:
            raise Invalid("wraps")
        else:
            self.fold = -e.fold

    def infer(self):
        op, e = self.parts
        if self.fold is not None:
            return BOOL if op == "!" else literal_type(self.fold)
        if op == "!":
            return BOOL
        if op == "-":
            return S64 if signed(e.t) else SOFT64
        return S64 if signed(e.t) else U64

    def text(self):
        op, e = self.parts
        s = self.inner(e, UNARY)
        return op + (f"({s})" if s[0] in "+-~!" else s)

    def eval(self, run):
        op, e = self.parts
        v = e.value(run)
        return not truth(v) if op == "!" else cut(-v if op == "-" else ~int(v), self.t)


class Binary(Expr):
    """operator, left, right"""

    def start(self):
        op, a, b = self.parts
        self.level = LEVELS[op]
        if op in "/%" and b.fold is not None and not b.fold:
            raise Invalid("division by zero")
        if op in ("<<", ">>") and b.fold is not None and not 0 <= b.fold <= 63:
            raise Invalid("a shift by too much")
        if a.fold is None or b.fold is None:
            return
        self.fold = self.folded(op, a.fold, b.fold)

    @staticmethod
    def folded(op, x, y):
        if op in ("&&", "||"):
            x, y = bool(x), bool(y)
            return x and y if op == "&&" else x or y
        if isinstance(x, str) or isinstance(y, str):
            if op == "+":
                return x + y
            return compare_order(op, order(x, y))
        if op in COMPARE:
            return compare_order(op, order(x, y))
        if isinstance(x, bool) and isinstance(y, bool):
            raise Invalid("of two literal bools: nobody needs it")
        return fold_int(op, int(x), int(y))

    def infer(self):
        op, a, b = self.parts
        if self.fold is not None:
            v = self.fold
            return BOOL if isinstance(v, bool) else STR if isinstance(v, str) else literal_type(v)
        if op in COMPARE or op in ("&&", "||"):
            if not is_number(a.t):
                promote(a.t, b.t)
            return BOOL
        if a.t == BOOL and b.t == BOOL and op in "&|^":
            return BOOL
        return arith_type(op, a.t, b.t)

    def text(self):
        op, a, b = self.parts
        right = self.inner(b, self.level + 1)
        if op in "+-" and right[0] == op:
            right = f"({right})"
        return f"{self.inner(a, self.level)} {op} {right}"

    def eval(self, run):
        op, a, b = self.parts
        x = a.value(run)
        if op == "&&":
            return truth(b.value(run)) if truth(x) else False
        if op == "||":
            return True if truth(x) else truth(b.value(run))
        y = b.value(run)
        if op in COMPARE:
            return self.compared(op, x, a, y, b)
        if self.t == BOOL:
            return {"&": x and y, "|": x or y, "^": x != y}[op]
        return arith(op, x, y, self.t)

    @staticmethod
    def compared(op, x, a, y, b):
        if is_number(a.t) and is_number(b.t):
            return compare_ints(op, x, a.t, y, b.t, a.fold is not None, b.fold is not None)
        t = promote(a.t, b.t)
        return compare_order(op, order(convert(x, a.t, t), convert(y, b.t, t)))


COMPARE = ("==", "!=", "<", "<=", ">", ">=")


class Cast(Expr):
    """type, operand"""
    level = UNARY

    def infer(self):
        return self.parts[0]

    def text(self):
        t, e = self.parts
        if isinstance(t, Arr):
            name = f"{type_name(t.elem)}[{'' if e.t == STR else t.count}]"
        else:
            name = "bool" if t == BOOL else "string" if t == STR else type_name(t)
        return f"({name}){self.inner(e, UNARY)}"

    def eval(self, run):
        t, e = self.parts
        v = e.value(run)
        if isinstance(t, Arr):
            return self.to_array(v, e.t, t)
        if t == STR:
            return v if e.t == STR else bytes(x & 0xff for x in v).split(b"\0")[0].decode("latin-1")
        if e.t == STR:
            return v != ""
        if isinstance(e.t, Arr):
            return from_bytes(to_bytes(v, e.t), t)
        return truth(v) if t == BOOL else cut(v, t)

    @staticmethod
    def to_array(v, f, t):
        if f == STR:
            return tuple(v.encode()) + (0,) * (t.count - len(v))
        # a number that is not as long is filled up with its sign
        b = to_bytes(cut(v, U64), U64) if is_number(f) else to_bytes(v, f)
        return from_bytes(b[:size_of(t)], t)


class Choice(Expr):
    """condition, then, else; form: `?` or `if`"""

    def start(self):
        c, a, b, form = self.parts
        self.level = TERNARY if form == "?" else -1
        if form == "?" and c.fold is not None:
            self.fold = a.fold if truth(c.fold) else b.fold

    def infer(self):
        c, a, b, form = self.parts
        if form == "?" and c.fold is not None:
            return a.t if truth(c.fold) else b.t
        return promote(a.t, b.t)

    def text(self):
        c, a, b, form = self.parts
        if form == "?":
            return f"{self.inner(c, 1)} ? {self.inner(a, 1)} : {self.inner(b, TERNARY)}"
        return f"if ({c.text()}) {{ {a.text()} }} else {{ {b.text()} }}"

    def eval(self, run):
        c, a, b, _ = self.parts
        e = a if truth(c.value(run)) else b
        return convert(e.value(run), e.t, self.t)


class BlockOf(Expr):
    """statements, value"""
    level = -1

    def infer(self):
        return self.parts[1].t

    def text(self):
        return "{ " + " ".join(s.text() for s in self.parts[0]) + f" {self.parts[1].text()} }}"

    def eval(self, run):
        for s in self.parts[0]:
            s.run(run)
        return self.parts[1].value(run)


class TupleOf(Expr):
    """items"""

    def infer(self):
        return Tup(tuple(e.t for e in self.parts[0]))

    def text(self):
        items = self.parts[0]
        return "(" + ", ".join(self.inner(e, TERNARY) for e in items) + ("," if len(items) == 1 else "") + ")"

    def eval(self, run):
        return tuple(e.value(run) for e in self.parts[0])


class RecordOf(Expr):
    """names, items"""

    def infer(self):
        return Rec(tuple(self.parts[0]), tuple(e.t for e in self.parts[1]))

    def text(self):
        return "(" + ", ".join(f"{n}={self.inner(e, TERNARY)}" for n, e in zip(*self.parts)) + ")"

    def eval(self, run):
        return tuple(e.value(run) for e in self.parts[1])


class Member(Expr):
    """of, index or name"""

    def index(self):
        e, which = self.parts
        return e.t.names.index(which) if isinstance(e.t, Rec) else which

    def infer(self):
        return self.parts[0].t.items[self.index()]

    def text(self):
        return f"{self.inner(self.parts[0], PRIMARY)}.{self.parts[1]}"

    def eval(self, run):
        return self.parts[0].value(run)[self.index()]


class Element(Expr):
    """of, index: beyond the end is zero"""

    def infer(self):
        t = self.parts[0].t
        return Int(1, True) if t == STR else t.elem

    def text(self):
        return f"{self.inner(self.parts[0], PRIMARY)}[{self.parts[1].text()}]"

    def eval(self, run):
        v = self.parts[0].value(run)
        i = self.parts[1].value(run)
        v = v.encode() if isinstance(v, str) else v
        return v[i] if 0 <= i < len(v) else 0


class Step(Expr):
    """operator, is it in front, place: ++ and --"""

    def start(self):
        self.level = UNARY if self.parts[1] else PRIMARY

    def infer(self):
        op, _, place = self.parts
        cell = place.parts[0]
        if cell.t is None and isinstance(cell, MapCell):
            place.settle()
            return None
        if isinstance(cell, Var) and cell.declared:
            return cell.t
        t = S64 if signed(cell.t) and not cell.t.soft else SOFT64 if op == "--" or signed(cell.t) else U64
        cell.grow(t)
        return cell.t

    def text(self):
        op, front, place = self.parts
        return op + place.text() if front else place.text() + op

    def eval(self, run):
        op, front, place = self.parts
        cell = place.parts[0]
        d = 1 if op == "++" else -1
        if isinstance(cell, Var):
            old = run.vars[cell]
            run.vars[cell] = now = cut(old + d, cell.t)
        else:
            k, entries = place.find(run), run.entries(cell)
            old = entries.get(k, 0)
            entries[k] = now = cut(old + d, cell.t)
        return cut(now if front else old, self.t)


class Call(Expr):
    """A function of the language: name, arguments."""

    def start(self):
        name, args = self.parts
        if name == "strlen" and args[0].fold is not None:
            self.fold = len(args[0].fold)
        if name == "str" and args[0].fold is not None:
            self.fold = args[0].fold[:max(args[1].fold - 1, 0)]

    def infer(self):
        if self.fold is not None:
            return STR if isinstance(self.fold, str) else literal_type(self.fold)
        name, args = self.parts
        return {"strlen": U64, "strstr": S64, "strcontains": BOOL, "globmatch": BOOL, "strncmp": S64,
                "str_concat": STR, "str": STR}.get(name) or Int(args[0].t.size, False)

    def text(self):
        return f"{self.parts[0]}({', '.join(self.inner(a, TERNARY) for a in self.parts[1])})"

    def eval(self, run):
        name, args = self.parts
        v = [a.value(run) for a in args]
        return getattr(self, "do_" + name)(*v)

    do_strlen = staticmethod(len)
    do_strstr = staticmethod(lambda s, part: s.find(part))
    do_strcontains = staticmethod(lambda s, part: part in s)
    do_globmatch = staticmethod(fnmatch.fnmatchcase)
    do_strncmp = staticmethod(lambda a, b, n: int(a[:n] != b[:n]))
    do_str_concat = staticmethod(lambda a, b: a + b)
    do_str = staticmethod(lambda s, n: s[:max(n - 1, 0)])  # one of the n bytes is the NUL

    def do_bswap(self, v):
        n = self.t.size
        return int.from_bytes((v & ((1 << 8 * n) - 1)).to_bytes(n, "little"), "big")


class MapCall(Expr):
    """has_key, delete, len or find: name, map, key or None, variable or None"""

    def infer(self):
        name, m, key, var = self.parts
        if key is not None:
            m.grow_key(key.t)
        if var is not None:
            var.grow(m.type)
        return S64 if name == "len" else BOOL

    def text(self):
        name, m, key, var = self.parts
        args = [m.name] + ([key.text()] if key is not None else []) + ([var.name] if var is not None else [])
        return f"{name}({', '.join(args)})"

    def eval(self, run):
        name, m, key, var = self.parts
        entries = run.entries(m)
        k = None if key is None else convert(key.value(run), key.t, m.key)
        if name == "len":
            return len(entries)
        if name == "delete":
            return entries.pop(k, None) is not None
        if name == "find" and k in entries:
            run.vars[var] = convert(entries[k], m.type, var.t)
        return k in entries


class FnCall(Expr):
    """function, arguments"""

    def infer(self):
        return self.parts[0].returns

    def text(self):
        return f"{self.parts[0].name}({', '.join(self.inner(a, TERNARY) for a in self.parts[1])})"

    def eval(self, run):
        fn, args = self.parts
        values = [convert(a.value(run), a.t, p.t) if is_int(p.t) else a.value(run) for a, p in zip(args, fn.params)]
        run.vars.update(zip(fn.params, values))
        try:
            for s in fn.body:
                s.run(run)
        except Returned as r:
            return cut(r.value, fn.returns) if is_int(fn.returns) else r.value
        return zero(fn.returns)


class MacroCall(Expr):
    """name, text of the arguments, statements, value or None; the statements are the macro's, put in place"""

    def infer(self):
        return self.parts[3].t if self.parts[3] is not None else None

    def settle(self):
        self.t = self.infer()

    def start(self):
        if self.parts[3] is not None and not self.parts[2]:
            self.fold = self.parts[3].fold

    def text(self):
        return f"{self.parts[0]}({', '.join(self.parts[1])})"

    def eval(self, run):
        for s in self.parts[2]:
            s.run(run)
        return self.parts[3].value(run) if self.parts[3] is not None else None


# ---- statements ----

class Stmt(Node):
    def run(self, run):
        run.step()
        self.do(run)

    @staticmethod
    def body(stmts):
        return "{\n" + "".join(s.text() + "\n" for s in stmts) + "}"


def run_all(stmts, run):
    for s in stmts:
        s.run(run)


class Assign(Stmt):
    """variable, operator or "", value, type of `let` or None, is it a let"""

    def settle(self):
        var, op, e, _, _ = self.parts
        if var.declared or e.t is None:
            return
        var.grow(e.t if not op else var.t and arith_type(op, var.t, e.t))

    def text(self):
        var, op, e, t, let = self.parts
        if let:
            kind = f": {'bool' if t == BOOL else 'string' if t == STR else type_name(t)}" if t else ""
            return f"let {var.name}{kind} = {e.text()};"
        return f"{var.name} {op}= {e.text()};"

    def do(self, run):
        var, op, e, _, _ = self.parts
        v, t = e.value(run), e.t
        if op:
            rt = arith_type(op, var.t, t)
            v, t = arith(op, run.vars[var], v, rt), rt
        run.vars[var] = convert(v, t, var.t)


class MapAssign(Stmt):
    """place, operator or "", value"""

    def settle(self):
        place, op, e = self.parts
        m = place.parts[0]
        if place.parts[1] is not None:
            m.grow_key(place.parts[1].t)
        if e.t is not None:
            m.grow(e.t if not op else m.t and arith_type(op, m.t, e.t))

    def text(self):
        place, op, e = self.parts
        return f"{place.text()} {op}= {e.text()};"

    def do(self, run):
        place, op, e = self.parts
        m, entries = place.parts[0], run.entries(place.parts[0])
        if op:
            v = e.value(run)
            k = place.find(run)
            rt = arith_type(op, m.t, e.t)
            entries[k] = convert(arith(op, entries.get(k, 0), v, rt), rt, m.t)
            return
        v = e.value(run)
        entries[place.find(run)] = convert(v, e.t, m.t)


class Gather(Stmt):
    """place, value or None: one of the aggregations of the place's map"""

    def settle(self):
        place, e = self.parts
        m = place.parts[0]
        if place.parts[1] is not None:
            m.grow_key(place.parts[1].t)
        if e is not None and e.t is not None and signed(e.t) and not m.agg_signed:
            m.agg_signed, Cell.changed = True, True

    def text(self):
        place, e = self.parts
        m = place.parts[0]
        args = ([e.text()] if e is not None else []) + [str(p) for p in m.params]
        return f"{place.text()} = {m.agg}({', '.join(args)});"

    def do(self, run):
        place, e = self.parts
        m = place.parts[0]
        t = S64 if m.agg_signed else U64
        v = cut(e.value(run), t) if e is not None else None
        k, entries = place.find(run), run.entries(m)
        old = entries.get(k)
        entries[k] = getattr(self, "do_" + m.agg)(old, v, t, m.params)

    do_count = staticmethod(lambda old, v, t, p: (old or 0) + 1)
    do_sum = staticmethod(lambda old, v, t, p: cut((old or 0) + v, t))
    do_min = staticmethod(lambda old, v, t, p: v if old is None else min(old, v))
    do_max = staticmethod(lambda old, v, t, p: v if old is None else max(old, v))
    do_avg = staticmethod(lambda old, v, t, p: (cut((old or (0, 0))[0] + v, t), (old or (0, 0))[1] + 1))
    do_stats = do_avg

    @staticmethod
    def do_hist(old, v, t, p):
        counts = dict(old or {})
        i = hist_bucket(cut(v, S64), p[0])
        counts[i] = counts.get(i, 0) + 1
        return counts

    @staticmethod
    def do_lhist(old, v, t, p):
        low, high, step = p
        v = cut(v, S64)
        i = 0 if v < low else (high - low) // step + 1 if v >= high else (v - low) // step + 1
        counts = dict(old or {})
        counts[i] = counts.get(i, 0) + 1
        return counts


class Do(Stmt):
    """an expression for what it does"""

    def text(self):
        return self.parts[0].text() + ";"

    def do(self, run):
        self.parts[0].value(run)


class If(Stmt):
    """condition, statements, statements of else"""

    def text(self):
        c, a, b = self.parts
        return f"if ({c.text()}) {self.body(a)}" + (f" else {self.body(b)}" if b else "")

    def do(self, run):
        c, a, b = self.parts
        run_all(a if truth(c.value(run)) else b, run)


class Loop(Stmt):
    def turn(self, run, stmts):
        """False: break"""
        run.step()
        try:
            run_all(stmts, run)
        except Leave as e:
            return e.what == "continue"
        return True


class While(Loop):
    """condition, statements"""

    def text(self):
        return f"while ({self.parts[0].text()}) {self.body(self.parts[1])}"

    def do(self, run):
        while truth(self.parts[0].value(run)) and self.turn(run, self.parts[1]):
            pass


class ForRange(Loop):
    """variable, from, to, statements"""

    def settle(self):
        var, a, b, _ = self.parts
        if a.t is None or b.t is None:
            return
        try:
            var.grow(promote(a.t, b.t))
        except Exception:
            var.grow(S64)

    def settle_all(self):
        var, a, b, body = self.parts
        a.settle_all()
        b.settle_all()
        self.settle()
        for s in body:
            s.settle_all()

    def text(self):
        var, a, b, stmts = self.parts
        return f"for ({var.name} : {a.text()}..{b.text()}) {self.body(stmts)}"

    def do(self, run):
        var, a, b, stmts = self.parts
        for i in range(cut(a.value(run), S64), cut(b.value(run), S64)):
            run.vars[var] = cut(i, var.t)
            if not self.turn(run, stmts):
                break


class ForMap(Loop):
    """variable, map, statements that do the same in any order"""

    def settle(self):
        var, m, _ = self.parts
        if m.key is not None and m.type is not None:
            t = Tup((m.key, m.type))
            if var.t != t:
                var.t, Cell.changed = t, True

    def settle_all(self):
        self.settle()
        for s in self.parts[2]:
            s.settle_all()

    def text(self):
        return f"for ({self.parts[0].name} : {self.parts[1].name}) {self.body(self.parts[2])}"

    def do(self, run):
        var, m, stmts = self.parts
        for k, v in list(run.entries(m).items()):
            if m.agg == "avg":
                v = cut(show.divided(v[0], S64, v[1]), m.type)
            run.vars[var] = (k, v)
            if not self.turn(run, stmts):
                break


class Unroll(Stmt):
    """times, statements"""

    def text(self):
        return f"unroll ({self.parts[0]}) {self.body(self.parts[1])}"

    def do(self, run):
        for _ in range(self.parts[0]):
            run_all(self.parts[1], run)


class Block(Stmt):
    """statements"""

    def text(self):
        return self.body(self.parts[0])

    def do(self, run):
        run_all(self.parts[0], run)


class Jump(Stmt):
    """break or continue"""

    def text(self):
        return self.parts[0] + ";"

    def do(self, run):
        raise Leave(self.parts[0])


class Return(Stmt):
    """value or None"""

    def text(self):
        return f"return {self.parts[0].text()};" if self.parts[0] is not None else "return;"

    def do(self, run):
        raise Returned(self.parts[0].value(run) if self.parts[0] is not None else 0)


class Print(Stmt):
    """value"""

    def text(self):
        return f"print({self.parts[0].text() if self.parts[0].level >= 0 else '(' + self.parts[0].text() + ')'});"

    def do(self, run):
        e = self.parts[0]
        run.out.append(show.shown(e.value(run), e.t) + "\n")


class Printf(Stmt):
    """pieces, values: a piece is text or (flags, width, precision, length, conversion); a width of * takes a value"""

    def text(self):
        pieces, values = self.parts
        s = ""
        for p in pieces:
            if isinstance(p, str):
                s += p.replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')
            else:
                flags, width, precision, length, conv = p
                s += "%" + flags + str(width or "") + ("" if precision is None else f".{precision}") + length + conv
        args = "".join(", " + (v.text() if v.level >= 0 else f"({v.text()})") for v in values)
        return f'printf("{s}\\n"{args});'

    def do(self, run):
        pieces, exprs = self.parts
        values = iter([(e.value(run), e.t) for e in exprs])
        s = ""
        for p in pieces:
            if isinstance(p, str):
                s += p
                continue
            flags, width, precision, length, conv = p
            if width == "*":
                width = cut(next(values)[0], S64)
            s += show.formatted(*next(values), flags, width or 0, precision, length, conv)
        run.out.append(s + "\n")


class WholeMap(Stmt):
    """what, map, top, div: print, clear or zero of a map as a whole"""

    def text(self):
        what, m, top, div = self.parts
        more = f", {top}, {div}" if div else f", {top}" if top else ""
        return f"{what}({m.name}{more});"

    def do(self, run):
        what, m, top, div = self.parts
        entries = run.entries(m)
        if what == "print":
            # What is asked for by name shows its zero where it has no value.
            if not m.keyed and not entries and m.agg not in ("hist", "lhist"):
                entries = {None: (0, 0) if m.agg in ("avg", "stats") else 0 if m.agg else zero(m.t)}
            run.out += [s + "\n" for s in show.map_text(m, entries, top or 0, div or 1)]
        elif what == "clear":
            entries.clear()
        else:
            for k in entries:
                entries[k] = zero(m.t)

