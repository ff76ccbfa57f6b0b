"""Kernels on float64 vectors that more than one module needs. Each makes one pass over its data."""
import math

from ._jit import kernel


@kernel
def dot(u, v):
    # Eight partial sums: one sum waits for each addition to end, eight keep the memory busy. The order is fixed.
    a = b = c = d = e = f = g = h = 0.0
    whole = u.size // 8 * 8
    for i in range(0, whole, 8):
        a += u[i] * v[i]
        b += u[i + 1] * v[i + 1]
        c += u[i + 2] * v[i + 2]
        d += u[i + 3] * v[i + 3]
        e += u[i + 4] * v[i + 4]
        f += u[i + 5] * v[i + 5]
        g += u[i + 6] * v[i + 6]
        h += u[i + 7] * v[i + 7]
    total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for i in range(whole, u.size):
        total += u[i] * v[i]
    return total


@kernel
def norm_inf(v):
    """The largest absolute entry; NaN if any entry is NaN."""
    a = b = c = d = e = f = g = h = 0.0
    nan = mark = 0.0    # become NaN with the first entry that is; comparisons alone would lose it
    whole = v.size // 8 * 8
    for i in range(0, whole, 8):
        p, q, r, s = abs(v[i]), abs(v[i + 1]), abs(v[i + 2]), abs(v[i + 3])
        a = p if p > a else a
        b = q if q > b else b
        c = r if r > c else c
        d = s if s > d else d
        nan += 0.0 * (p + q) + 0.0 * (r + s)
        p, q, r, s = abs(v[i + 4]), abs(v[i + 5]), abs(v[i + 6]), abs(v[i + 7])
        e = p if p > e else e
        f = q if q > f else f
        g = r if r > g else g
        h = s if s > h else h
        mark += 0.0 * (p + q) + 0.0 * (r + s)
    for i in range(whole, v.size):
        p = abs(v[i])
        a = p if p > a else a
        nan += 0.0 * p
    largest = max(max(max(a, b), max(c, d)), max(max(e, f), max(g, h)))
    nan += mark
    if nan == nan:
        return largest
    for i in range(v.size):     # some entry is NaN or infinite: which
        if v[i] != v[i]:
            return v[i]
    return largest


@kernel
def norm(v, order):
    """The norm of v; `order` is 1, 2 or 0 for the largest absolute entry."""
    if order == 0:
        return norm_inf(v)
    total = 0.0
    if order == 1:
        for i in range(v.size):
            total += abs(v[i])
        return total
    scale = norm_inf(v)  # so that squares neither overflow nor vanish
    if not 0.0 < scale < math.inf:
        return scale
    for i in range(v.size):
        total += (v[i] / scale) * (v[i] / scale)
    return scale * math.sqrt(total)


@kernel
def axpy_to(a, d, x, out):
    """Write x + a d; return whether any entry differs from x."""
    moved = False
    for i in range(x.size):
        out[i] = x[i] + a * d[i]
        if out[i] != x[i]:
            moved = True
    return moved


@kernel
def copy_to(v, out):
    for i in range(out.size):  # `out[:] = v` in compiled text costs 2 s of compilation
        out[i] = v[i]


@kernel
def same(u, v):
    for i in range(u.size):
        if u[i] != v[i]:
            return False
    return True
