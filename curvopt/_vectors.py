"""Kernels on float64 vectors that more than one module needs. Each makes one pass over its data."""
import math

from ._jit import kernel


@kernel
def dot(u, v):
    total = 0.0
    for i in range(u.size):
        total += u[i] * v[i]
    return total


@kernel
def norm_inf(v):
    largest = 0.0
    for i in range(v.size):
        a = abs(v[i])
        if not a <= largest:  # true for NaN as well, so NaN is passed on
            largest = a
            if a != a:
                return a
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
