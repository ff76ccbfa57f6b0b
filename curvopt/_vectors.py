"""Kernels on float64 vectors that more than one module needs. Each makes one pass over its data."""
import math

import numpy as np

from ._blocks import add, blocked, both, composed, either, larger
from ._jit import kernel

MAGNITUDE = 2 ** 63 - 1     # the bits of a double but the sign


@blocked("u", add)
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


@blocked("v", larger)
@kernel
def norm_inf(v):
    """The largest absolute entry; NaN if any entry is NaN."""
    # Without the sign, the bits of a double are ordered as the doubles are, with NaN above all others; and the largest of
    # integers may be taken in any order, several at a time.
    words = v.view(np.int64)
    largest = np.int64(0)
    for i in range(words.size):
        word = words[i] & MAGNITUDE
        largest = word if word > largest else largest
    return np.int64(largest).view(np.float64)


@blocked("v", add)
@kernel
def norm_1(v):
    total = 0.0
    for i in range(v.size):
        total += abs(v[i])
    return total


@blocked("v", add)
@kernel
def scaled_squares(v, scale):
    """The sum of the squares of v / scale."""
    total = 0.0
    for i in range(v.size):
        total += (v[i] / scale) * (v[i] / scale)
    return total


@composed("v")
@kernel
def norm(v, order):
    """The norm of v; `order` is 1, 2 or 0 for the largest absolute entry."""
    if order == 0:
        return norm_inf(v)
    if order == 1:
        return norm_1(v)
    scale = norm_inf(v)  # so that squares neither overflow nor vanish
    if not 0.0 < scale < math.inf:
        return scale
    return scale * math.sqrt(scaled_squares(v, scale))


@blocked("x", either)
@kernel
def axpy_to(a, d, x, out):
    """Write x + a d; return whether any entry differs from x."""
    moved = False
    for i in range(x.size):
        out[i] = x[i] + a * d[i]
        if out[i] != x[i]:
            moved = True
    return moved


@blocked("out")
@kernel
def copy_to(v, out):
    for i in range(out.size):  # `out[:] = v` in compiled text costs 2 s of compilation
        out[i] = v[i]


@blocked("out")
@kernel
def add_difference(u, v, out):
    """out <- out + u - v, of a gradient that is corrected by two others."""
    for i in range(out.size):
        out[i] += u[i] - v[i]


@blocked("u", both)
@kernel
def same(u, v):
    for i in range(u.size):
        if u[i] != v[i]:
            return False
    return True
