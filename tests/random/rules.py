# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules of types and of integers, as docs/language.md has them, and nowhere else in this folder.

Values: an integer is a Python int in the range of its type, a bool a bool, a text a str, a tuple, record or
array a tuple of values.
"""
from collections import namedtuple
from pathlib import Path


class Conflict(Exception):
    """No type holds the values of both."""


class Invalid(Exception):
    """The compiler refuses this, and rightly."""


# soft: the sign may still follow that of another number; top: an unsigned literal that needs its highest bit.
Int = namedtuple("Int", "size signed soft top", defaults=(False, False))
Bool = namedtuple("Bool", "name")
Str = namedtuple("Str", "name")
Tup = namedtuple("Tup", "items")
Rec = namedtuple("Rec", "names items")
Arr = namedtuple("Arr", "elem count")

BOOL, STR = Bool("bool"), Str("string")
U64, S64, SOFT64 = Int(8, False), Int(8, True), Int(8, True, True)
MASK = (1 << 64) - 1


def type_name(t):
    return ("int" if t.signed else "uint") + str(t.size * 8)


def is_int(t):
    return isinstance(t, Int)


def is_number(t):
    return isinstance(t, (Int, Bool))


# ---- integers ----

# Of how many bytes %d %u %x %X %o show a number when no length is given: the reference of the language says so.
LANGUAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "language.md").read_text()
PLAIN_BYTES = 4 if "show 32 bits" in LANGUAGE else 8


def cut(v, t):
    """An integer as the type holds it."""
    bits = 8 * t.size
    v = int(v) & ((1 << bits) - 1)
    return v - (1 << bits) if t.signed and v >> (bits - 1) else v


def literal_type(v):
    if v < 0:
        for size in 1, 2, 4:
            if v >= -(1 << (8 * size - 1)):
                return Int(size, True)
        return S64
    for size in 1, 2, 4, 8:
        if v < 1 << (8 * size):
            return Int(size, False, True, v >= 1 << (8 * size - 1))
    raise Invalid("a literal of more than 64 bits")


def signed(t):
    return is_int(t) and t.signed


def meant(t):
    return signed(t) and not t.soft


def arith_type(op, x, y):
    """A result has 64 bits and a sign when one of the sides has one; a difference has one always."""
    soft = is_int(x) and x.soft and is_int(y) and y.soft
    if op in ("<<", ">>"):
        y = U64
    if not signed(x) and not signed(y) and op != "-":
        return Int(8, False, soft)
    return S64 if meant(x) or meant(y) else SOFT64


def toward_zero(a, b):
    q = abs(a) // abs(b)
    return q if (a < 0) == (b < 0) else -q


def arith(op, a, b, t):
    """a op b for two numbers that are not both written down, cut to the type of the result."""
    x, y = cut(a, t), cut(b, t)
    if op in ("<<", ">>"):
        x, y = int(a) & MASK, int(b) & 63
        return cut(x << y if op == "<<" else x >> y, t)
    if op in ("/", "%"):
        if not y:
            return 1
        q = toward_zero(x, y)
        return cut(q if op == "/" else x - q * y, t)
    return cut({"+": x + y, "-": x - y, "*": x * y, "&": x & y, "|": x | y, "^": x ^ y}[op], t)


def compare_order(op, d):
    return {"==": d == 0, "!=": d != 0, "<": d < 0, "<=": d <= 0, ">": d > 0, ">=": d >= 0}[op]


def order(a, b):
    return (a > b) - (a < b)


def is_u64(t):
    return is_int(t) and t.size == 8 and not t.signed


def compare_ints(op, a, ta, b, tb, literal_a=False, literal_b=False):
    """Signed, unless one side is a uint64 or both are unsigned. A literal goes with the other side."""
    unsigned = (is_u64(ta) and not literal_a) or (is_u64(tb) and not literal_b) or (not signed(ta) and not signed(tb))
    t = U64 if unsigned else S64
    return compare_order(op, order(cut(a, t), cut(b, t)))


def fold_int(op, a, b):
    """Of two literals, with as many bits as it takes, then of 64."""
    if op in ("/", "%"):
        if not b:
            raise Invalid("division by zero")
        q = toward_zero(a, b)
        v = q if op == "/" else a - q * b
    elif op in ("<<", ">>"):
        if not 0 <= b <= 63:
            raise Invalid("a shift must be by 0 to 63 bits")
        if op == ">>":
            return a >> b
        return cut(a << b, S64 if a < 0 else U64)
    elif op in ("&", "|", "^"):
        v = {"&": a & b, "|": a | b, "^": a ^ b}[op]
        # a negative side makes a word with sign
        return cut(v, S64) if a < 0 or b < 0 else v
    else:
        v = {"+": a + b, "-": a - b, "*": a * b}[op]
    if not -(1 << 63) <= v <= MASK:
        raise Invalid("the result does not fit 64 bits: only warned about, but nobody says what it is")
    return v


# ---- types of two ----

def promote_soft(soft, hard):
    size = soft.size
    if not soft.signed and hard.signed and soft.top:
        size = min(size * 2, 8)
    return Int(max(size, hard.size), hard.signed)


def promote_ints(x, y):
    if x.soft and y.soft:
        return SOFT64 if x.signed or y.signed else max(x, y, key=lambda t: (t.size, t.top))
    if x.soft or y.soft:
        return promote_soft(x, y) if x.soft else promote_soft(y, x)
    if x.signed == y.signed:
        return x if x.size >= y.size else y
    s, u = (x, y) if x.signed else (y, x)
    if s.size > u.size:
        return s
    if u.size == 8:
        raise Conflict(f"{x} and {y}")
    return Int(u.size * 2, True)


def promote(x, y):
    if x is None or y is None or x == y:
        return x or y
    if is_int(x) and is_int(y):
        return promote_ints(x, y)
    if isinstance(x, Tup) and isinstance(y, Tup) and len(x.items) == len(y.items):
        return Tup(tuple(promote(a, b) for a, b in zip(x.items, y.items)))
    if isinstance(x, Rec) and isinstance(y, Rec) and sorted(x.names) == sorted(y.names):
        return Rec(x.names, tuple(promote(a, y.items[y.names.index(n)]) for n, a in zip(x.names, x.items)))
    raise Conflict(f"{x} and {y}")


def convert(v, f, t):
    """A value of one type as the other holds it."""
    if f == t:
        return v
    if is_int(t):
        return cut(v, t)
    if isinstance(t, Tup):
        return tuple(convert(a, x, y) for a, x, y in zip(v, f.items, t.items))
    if isinstance(t, Rec):
        return tuple(convert(v[f.names.index(n)], f.items[f.names.index(n)], y) for n, y in zip(t.names, t.items))
    return v


def zero(t):
    if is_int(t):
        return 0
    if t == BOOL:
        return False
    if t == STR:
        return ""
    if isinstance(t, Arr):
        return (0,) * t.count
    return tuple(zero(i) for i in t.items)


def truth(v):
    return v != 0


def to_bytes(v, t):
    """An integer or an array as it lies in memory."""
    if isinstance(t, Arr):
        return b"".join(to_bytes(x, t.elem) for x in v)
    return (int(v) & ((1 << 8 * size_of(t)) - 1)).to_bytes(size_of(t), "little")


def size_of(t):
    return 1 if t == BOOL else t.size if is_int(t) else t.elem.size * t.count


def from_bytes(b, t):
    if isinstance(t, Arr):
        n = t.elem.size
        return tuple(from_bytes(b[i * n:(i + 1) * n], t.elem) for i in range(t.count))
    if t == BOOL:
        return any(b)
    return int.from_bytes(b, "little", signed=t.signed)


# ---- histograms ----

def hist_bucket(v, k):
    """Buckets in order: negative numbers, then one each for what is below 2^(k+1), then 2^k per power of two."""
    if v < 0:
        return 0
    m = (1 << k) - 1
    if v <= m:
        return v + 1
    high = v.bit_length() - 1
    return ((high - k + 1) << k) + ((v >> (high - k)) & m) + 1


def hist_bounds(i, k):
    """The lowest value of a bucket and the first beyond it."""
    if i == 0:
        return None, 0
    i -= 1
    if i < 1 << (k + 1):
        return i, i + 1
    power, part = divmod(i, 1 << k)
    width = 1 << (power - 1)
    return (1 << (power - 1 + k)) + part * width, (1 << (power - 1 + k)) + (part + 1) * width
