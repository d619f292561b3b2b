# SPDX-License-Identifier: GPL-2.0-or-later
"""How values are shown: print(), the conversions of printf(), maps and histograms."""
import struct

from rules import MASK, PLAIN_BYTES, S64, U64, Arr, Int, Rec, Tup, cut, hist_bounds, is_int, order

BAR = 52


def shown(v, t):
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(t, Tup):
        return "(" + ", ".join(shown(x, y) for x, y in zip(v, t.items)) + ")"
    if isinstance(t, Rec):
        return "{ " + ", ".join(f".{n} = {shown(x, y)}" for n, x, y in zip(t.names, v, t.items)) + " }"
    if isinstance(t, Arr):
        return "[" + ",".join(str(x) for x in v) + "]"
    return str(v)


def shown_key(v, t):
    """Several keys are a tuple, whose parentheses are left out."""
    s = shown(v, t)
    return s[1:-1] if isinstance(t, Tup) else s


def digits(v, conv):
    v = cut(v, U64) if conv != "d" else abs(v)
    return {"d": "{:d}", "i": "{:d}", "u": "{:d}", "x": "{:x}", "X": "{:X}", "o": "{:o}", "b": "{:b}"}[conv].format(v)


def pad(s, flags, width, zeros_ok, head=""):
    if len(head) + len(s) >= width:
        return head + s
    if "-" in flags:
        return (head + s).ljust(width)
    if "0" in flags and zeros_ok:
        return head + s.rjust(width - len(head), "0")
    return (head + s).rjust(width)


def formatted_int(v, flags, width, precision, length, conv):
    if length == "hh":
        v = cut(v, Int(1, conv == "d"))
    elif length == "h":
        v = cut(v, Int(2, conv == "d"))
    elif not length and conv in "duxXo":
        v = cut(v, Int(PLAIN_BYTES, conv == "d"))
    if conv == "c":
        return pad(chr(v & 0xff), flags.replace("0", ""), width, False)
    head = ""
    if conv == "d":
        v = cut(v, S64)
        head = "-" if v < 0 else "+" if "+" in flags else " " if " " in flags else ""
    s = digits(v, conv)
    if precision is not None:
        s = "" if not v and not precision else s.rjust(precision, "0")
    if "#" in flags and (cut(v, U64) or conv == "o"):
        head += {"x": "0x", "X": "0X", "b": "0b"}.get(conv, "")
        if conv == "o" and s[:1] != "0":
            s = "0" + s
    return pad(s, flags, width, precision is None, head)


def formatted(v, t, flags, width, precision, length, conv):
    if conv == "s":
        s = shown(v, t)
        return pad(s if precision is None else s[:precision], flags.replace("0", ""), width, False)
    return formatted_int(int(v), flags, width, precision, length, conv)


# ---- maps ----

def f32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def power_label(v, k):
    power = v.bit_length() - 1 if v else 0
    units = (power - k) // 10 if power > k else 0
    return str(v >> (10 * units)) + " KMGTPE"[units].strip()


def hist_label(i, k):
    low, end = hist_bounds(i, k)
    if low is None:
        return "(..., 0)"
    if low + 1 == end:
        return f"[{power_label(low, k)}]"
    return f"[{power_label(low, k)}, {power_label(end, k)})"


def linear_bound(v, step):
    if step % 1024 or not v or v % 1024:
        return str(v)
    return f"{v // 1024}K" if v % (1 << 20) else f"{v >> 20}M"


def lhist_label(i, low, high, step):
    n = (high - low) // step
    if i == 0:
        return f"(..., {linear_bound(low, step)})"
    if i == n + 1:
        return f"[{linear_bound(high, step)}, ...)"
    at = low + (i - 1) * step
    return f"[{linear_bound(at, step)}, {linear_bound(at + step, step)})"


def bars(counts, label, div):
    """Rows from the first bucket that counted something to the last."""
    if not counts:
        return []
    first, last = min(counts), max(counts)
    most = max(counts.values()) // div
    rows = []
    for i in range(first, last + 1):
        n = counts.get(i, 0) // div
        bar = int(f32(f32(f32(n) / f32(most)) * BAR)) if most else 0
        rows.append(f"{label(i):<16}{n:>8} |{'@' * bar:<{BAR}}|")
    return rows


def divided(v, t, div):
    if div <= 1 or not is_int(t):
        return v
    q = abs(v) // div
    return -q if v < 0 else q


def entry_text(name, m, key, value, div):
    """One entry; `m` is a MapCell, whose value is what it gathered."""
    where = name if m.key is None else f"{name}[{shown_key(key, m.key)}]"
    if m.agg in ("hist", "lhist"):
        label = (lambda i: hist_label(i, m.params[0])) if m.agg == "hist" else (lambda i: lhist_label(i, *m.params))
        return [f"{where}:"] + bars(value, label, div if m.agg == "hist" else 1) + [""]
    if m.agg == "stats":
        total, n = value
        mean = divided(total, S64, n)
        return [f"{where}: {{ .count = {n}, .average = {divided(mean, S64, div)}, .total = {total} }}"]
    if m.agg == "avg":
        return [f"{where}: {divided(divided(value[0], S64, value[1]), S64, div)}"]
    if m.agg:
        return [f"{where}: {divided(value, S64, div)}"]
    return [f"{where}: {shown(divided(value, m.type, div), m.type)}"]


def weight(m, value):
    """What entries are sorted by before their keys."""
    if m.agg in ("hist", "lhist"):
        return sum(value.values())
    if m.agg in ("stats", "avg"):
        return divided(value[0], S64, value[1])
    if m.agg or is_int(m.type):
        return value
    if isinstance(m.type, Rec) and is_int(m.type.items[0]):
        return value[0]
    return 0


def sort_key(v, t):
    if isinstance(t, (Tup, Rec)):
        return tuple(sort_key(x, y) for x, y in zip(v, t.items))
    if isinstance(t, Arr):
        return b"".join((x & ((1 << 8 * t.elem.size) - 1)).to_bytes(t.elem.size, "little") for x in v)
    return v.encode() if isinstance(v, str) else v


def map_text(m, entries, top=0, div=1):
    """The lines of print(@map); entries is {key: value}."""
    keys = sorted(entries, key=lambda k: (weight(m, entries[k]), 0 if m.key is None else sort_key(k, m.key)))
    if top:
        keys = keys[-top:]
    return [line for k in keys for line in entry_text(m.name, m, k, entries[k], div)]


__all__ = ["MASK", "order", "shown", "formatted", "map_text"]
