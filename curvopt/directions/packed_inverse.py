r"""A symmetric matrix as the inverse Hessian, in n (n + 1) / 2 numbers: (n + 1) / 2 vectors.

Row i of the lower triangle begins at i (i + 1) / 2. The update is that of `dense_inverse`: BFGS after a soft scaling. With
n <= 4 m - 1 the triangle takes no more room than m pairs (s, y), and forgets none of them.
"""
import math

from .._jit import kernel
from .._vectors import dot


@kernel
def triangle(n):
    """Numbers in it."""
    return n * (n + 1) // 2


@kernel
def set_diagonal(H, d):
    """H <- Diag(d)."""
    at = 0
    for i in range(d.size):
        for j in range(i):
            H[at + j] = 0.0
        H[at + i] = d[i]
        at += i + 1


@kernel
def positive_diagonal(H, d):
    """Write the diagonal of H and return True; leave d alone where rounding has left H an entry that is not positive."""
    at = 0
    for i in range(d.size):
        if not 0.0 < H[at + i] < math.inf:
            return False
        at += i + 1
    at = 0
    for i in range(d.size):
        d[i] = H[at + i]
        at += i + 1
    return True


@kernel
def product(H, sign, v, out):
    """Write sign H v; return <v, out>."""
    at = 0
    for i in range(v.size):
        total, v_i = 0.0, sign * v[i]
        for j in range(i):
            total += H[at + j] * v[j]
            out[j] += H[at + j] * v_i
        out[i] = sign * total + H[at + i] * v_i
        at += i + 1
    return dot(v, out)


@kernel
def rank_two(H, s, y, sy, scale, work):
    """H <- scale H, then the BFGS update with (s, y)."""
    yHy = product(H, scale, y, work)
    a = (sy + yHy) / sy / sy * 0.5
    for i in range(s.size):
        work[i] = a * s[i] - work[i] / sy
    at = 0
    for i in range(s.size):
        for j in range(i + 1):
            H[at + j] = scale * H[at + j] + (s[i] * work[j] + work[i] * s[j])
        at += i + 1
