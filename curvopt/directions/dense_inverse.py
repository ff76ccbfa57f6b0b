r"""A full matrix as the inverse Hessian, with the softly scaled BFGS update.

.. math::  H \leftarrow H / \tau, \qquad H \leftarrow H + s w^T + w s^T, \qquad
           w = \frac{s^T y + y^T H y}{2 (s^T y)^2}\, s - \frac{H y}{s^T y}, \qquad
           \tau = \sqrt{\min(1,\, s^T y / s^T B s)} ,

where :math:`B = H^{-1}`. The update is BFGS in the form that keeps H symmetric to the last bit. The factor
:math:`s^T y / s^T B s` is Oren and Luenberger's [1]_, at most 1 as Al-Baali has it [2]_; the square root is ours.

References
----------
.. [1] S. S. Oren, D. G. Luenberger, "Self-scaling variable metric (SSVM) algorithms, part I", Manag. Sci. 20, 1974.
.. [2] M. Al-Baali, "Numerical experience with a class of self-scaling quasi-Newton algorithms", JOTA 96, 1998.
"""
import math

from .._jit import kernel
from .._vectors import dot
from .limited_memory import HEAD, SIZE


@kernel
def product(H, sign, v, out):
    """Write sign H v for a symmetric H; return <v, out>. Rows are added four at a time: no inner products to wait for."""
    n = v.size
    for i in range(n):
        out[i] = 0.0
    whole = n // 4 * 4
    for j in range(0, whole, 4):
        v0, v1, v2, v3 = sign * v[j], sign * v[j + 1], sign * v[j + 2], sign * v[j + 3]
        h0, h1, h2, h3 = H[j], H[j + 1], H[j + 2], H[j + 3]
        for i in range(n):
            out[i] += (v0 * h0[i] + v1 * h1[i]) + (v2 * h2[i] + v3 * h3[i])
    for j in range(whole, n):
        v0, h0 = sign * v[j], H[j]
        for i in range(n):
            out[i] += v0 * h0[i]
    return dot(v, out)


@kernel
def rank_two(H, s, y, sy, scale, work):
    """H <- scale H, then the BFGS update with (s, y), in one pass over H after the product with y."""
    n = s.size
    yHy = product(H, scale, y, work)
    a = (sy + yHy) / sy / sy * 0.5
    for i in range(n):
        work[i] = a * s[i] - work[i] / sy
    for j in range(n):
        row, s_j, w_j = H[j], s[j], work[j]
        for i in range(n):
            row[i] = scale * row[i] + (s_j * work[i] + w_j * s[i])


@kernel
def soft_scale(sy, sBs):
    """1 / tau; 1 where s'Bs is not known (0)."""
    if not 0.0 < sy < sBs < math.inf:
        return 1.0
    return math.sqrt(sBs / sy)


@kernel
def fill(H, S, Y, rho, info, gamma, work):
    """H <- gamma I and every pair of the ring, oldest first: the matrix that the two-loop recursion multiplies by."""
    n, rows = H.shape[0], rho.size
    for j in range(n):
        row = H[j]
        for i in range(n):
            row[i] = 0.0
        row[j] = gamma
    for k in range(info[SIZE], 0, -1):
        j = (info[HEAD] + rows - k) % rows
        rank_two(H, S[j], Y[j], 1.0 / rho[j], 1.0, work)
