r"""Limited memory: the last m pairs (s, y) in a ring, and the two-loop recursion that multiplies by the inverse Hessian
they stand for.

.. math::  H = V_k^T \cdots V_1^T\, H_0\, V_1 \cdots V_k
               + \sum_{j} \rho_j\, V_k^T \cdots V_{j+1}^T\, s_j s_j^T\, V_{j+1} \cdots V_k,
           \qquad V_j = I - \rho_j\, y_j s_j^T, \quad \rho_j = 1/s_j^T y_j .

The middle :math:`H_0` is gamma I or a diagonal. A product takes two passes over the pairs: `first_loop` strips them off
a vector, newest first; the middle is applied; `second_loop` puts them back, oldest first. Each pass updates the vector
and takes the next inner product in one go.

The ring has one row more than it holds pairs: a candidate is written there and joins the memory only when it passes
the curvature test, so that a refused pair costs nothing and disturbs nothing.

References
----------
.. [1] J. Nocedal, "Updating quasi-Newton matrices with limited storage", Math. Comp. 35, 1980.
.. [2] D. C. Liu, J. Nocedal, "On the limited memory BFGS method for large scale optimization", Math. Program. 45, 1989.
"""
import math
from typing import NamedTuple

import numpy as np

from .._jit import kernel, routine
from .._vectors import dot

SIZE, HEAD = range(2)   # places in `info`: pairs held, and the row of the candidate (the newest pair is the row before)
PAIR_TEST = 1e-10       # s'y > this ||s|| ||y||; measured: 1e-8 and 1e-15 change nothing in the gradients needed


class Pairs(NamedTuple):
    """The pairs and the room their products need. Kernels take the arrays, not the tuple."""

    S: np.ndarray       # (m + 1, n)
    Y: np.ndarray       # (m + 1, n)
    rho: np.ndarray     # (m + 1,) 1 / s'y
    coef: np.ndarray    # (m + 1,) coefficients that the first loop leaves for the second
    info: np.ndarray    # (2,) int64: SIZE, HEAD


@routine
def make_pairs(n, m):
    """Room for m pairs of length n."""
    return Pairs(np.zeros((m + 1, n)), np.zeros((m + 1, n)), np.zeros(m + 1), np.zeros(m + 1), np.zeros(2, np.int64))


@kernel
def clear(info):
    """Forget every pair."""
    info[SIZE] = 0
    info[HEAD] = 0


# ---- products --------------------------------------------------------------------------------------------------------

@kernel
def shift_dot(a, u, q, v):
    """q += a u, and <v, q> of the result, in one pass.

    Four partial sums in a fixed order: twice as fast as one, since each addition has to wait for the one before it.
    """
    n = q.size
    whole = n // 4 * 4
    sum0 = sum1 = sum2 = sum3 = 0.0
    for i in range(0, whole, 4):
        q0 = q[i] + a * u[i]
        q1 = q[i + 1] + a * u[i + 1]
        q2 = q[i + 2] + a * u[i + 2]
        q3 = q[i + 3] + a * u[i + 3]
        q[i], q[i + 1], q[i + 2], q[i + 3] = q0, q1, q2, q3
        sum0 += v[i] * q0
        sum1 += v[i + 1] * q1
        sum2 += v[i + 2] * q2
        sum3 += v[i + 3] * q3
    for i in range(whole, n):
        q0 = q[i] + a * u[i]
        q[i] = q0
        sum0 += v[i] * q0
    return (sum0 + sum1) + (sum2 + sum3)


@kernel
def first_loop(S, Y, rho, coef, info, q):
    """q <- V_1 ... V_k q, newest pair first, in place. Return what the pairs contribute to <v, H v> for the v that came in."""
    rows = rho.size
    size = info[SIZE]
    if size == 0:
        return 0.0
    known = 0.0
    j = (info[HEAD] + rows - 1) % rows
    inner = dot(S[j], q)
    for left in range(size - 1, -1, -1):
        a = rho[j] * inner
        coef[j] = a
        known += a * inner
        older = (j + rows - 1) % rows
        if left > 0:
            inner = shift_dot(-a, Y[j], q, S[older])
        else:
            y = Y[j]
            for i in range(q.size):
                q[i] -= a * y[i]
        j = older
    return known


@kernel
def second_loop(S, Y, rho, coef, info, q):
    """Put the pairs back, oldest first, with the coefficients of the first loop, in place."""
    rows = rho.size
    size = info[SIZE]
    if size == 0:
        return
    j = (info[HEAD] + rows - size) % rows
    inner = dot(Y[j], q)
    for left in range(size - 1, -1, -1):
        a = coef[j] - rho[j] * inner
        newer = (j + 1) % rows
        if left > 0:
            inner = shift_dot(a, S[j], q, Y[newer])
        else:
            s = S[j]
            for i in range(q.size):
                q[i] += a * s[i]
        j = newer


@kernel
def two_loop(S, Y, rho, coef, info, gamma, sign, v, out):
    """Write sign H v with the middle gamma I; return <v, out>. The sign -1 makes a direction of a gradient."""
    for i in range(v.size):
        out[i] = sign * v[i]
    first_loop(S, Y, rho, coef, info, out)
    for i in range(v.size):
        out[i] *= gamma
    second_loop(S, Y, rho, coef, info, out)
    return dot(v, out)


@kernel
def two_loop_diagonal(S, Y, rho, coef, info, middle, sign, v, out):
    """Write sign H v with the middle Diag(middle); return <v, out>."""
    for i in range(v.size):
        out[i] = sign * v[i]
    first_loop(S, Y, rho, coef, info, out)
    for i in range(v.size):
        out[i] *= middle[i]
    second_loop(S, Y, rho, coef, info, out)
    return dot(v, out)


# ---- pairs -----------------------------------------------------------------------------------------------------------

@kernel
def products(s, y):
    """<s, s>, <s, y>, <y, y>."""
    ss = sy = yy = 0.0
    for i in range(s.size):
        ss += s[i] * s[i]
        sy += s[i] * y[i]
        yy += y[i] * y[i]
    return ss, sy, yy


@kernel
def propose_difference(S, Y, info, x_new, x, g_new, g):
    """Write s = x_new - x and y = g_new - g as the candidate; return <s, s>, <s, y>, <y, y>."""
    s, y = S[info[HEAD]], Y[info[HEAD]]
    for i in range(x.size):
        s[i] = x_new[i] - x[i]
        y[i] = g_new[i] - g[i]
    return products(s, y)


@kernel
def propose(S, Y, info, s, y):
    """Copy (s, y) as the candidate; return <s, s>, <s, y>, <y, y>."""
    candidate_s, candidate_y = S[info[HEAD]], Y[info[HEAD]]
    for i in range(s.size):
        candidate_s[i] = s[i]
        candidate_y[i] = y[i]
    return products(s, y)


@kernel
def curved(ss, sy, yy, threshold):
    """Whether s'y > threshold ||s|| ||y||: only such a pair keeps the inverse Hessian positive definite. A pair whose
    products overflow or vanish is none."""
    if not (0.0 < yy < math.inf and sy > threshold * math.sqrt(ss) * math.sqrt(yy)):
        return False
    return 1.0 / sy < math.inf and sy / yy < math.inf


@kernel
def accept(rho, info, sy):
    """The candidate becomes the newest pair; beyond m the oldest one leaves."""
    rows = rho.size
    rho[info[HEAD]] = 1.0 / sy
    info[HEAD] = (info[HEAD] + 1) % rows
    info[SIZE] = min(info[SIZE] + 1, rows - 1)


@kernel
def push(S, Y, rho, info, s, y, threshold):
    """Store (s, y) if it passes the pair test. Return whether it did, and <s, y> / <y, y>, the usual gamma."""
    ss, sy, yy = propose(S, Y, info, s, y)
    if not curved(ss, sy, yy, threshold):
        return False, 0.0
    accept(rho, info, sy)
    return True, sy / yy
