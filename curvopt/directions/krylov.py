r"""Conjugate gradients on H p = -g, cut short: by a residual, by a number of products, or by negative curvature.

The inverse Hessian of the quasi-Newton methods preconditions. What the solve learns on its way is kept for others:
evenly spaced pairs (s, Hs), which are exact, and two earlier iterates for a step that turns out too long. Memory is a
few vectors, whatever the depth.

References
----------
.. [1] T. Steihaug, "The conjugate gradient method and trust regions in large scale optimization", SIAM J. Numer. Anal.
       20, 1983. Stopping at negative curvature.
.. [2] J. L. Morales, J. Nocedal, "Automatic preconditioning by limited memory quasi-Newton updating", SIAM J. Optim. 10,
       2000. The memory as preconditioner, fed by the solves themselves.
"""
import math
from typing import NamedTuple

import numpy as np

from .._jit import kernel, routine
from .._oracle import hess_vec
from .._vectors import copy_to, dot, norm
from .inverse_hessian import learn_pair, times

SOLVED, CAPPED, LIMITED, NEGATIVE, BROKEN = range(5)    # how a solve ended
# Curvature below this share of the largest met counts as none: dividing by it would step 1e10 lengths. Measured.
FLAT = 1e-10
FORGET = 0.999      # the largest curvature met fades slowly, for functions whose Hessian shrinks along the way
DEPTH, KEPT, STRIDE = range(3)                      # places in `Solve.whole`
LARGEST, SMALLEST, LENGTH, SHORT, LONGER, LAST = range(6)       # places in `Solve.real`


class Solve(NamedTuple):
    """Room of a solve, and what it leaves behind."""

    p: np.ndarray           # the step
    r: np.ndarray           # g + H p
    z: np.ndarray           # M r
    d: np.ndarray           # the last direction
    hd: np.ndarray          # H d
    short: np.ndarray       # an earlier iterate, at most about half as long as p
    longer: np.ndarray      # a later one
    r_short: np.ndarray     # their residuals
    r_longer: np.ndarray
    S: np.ndarray           # (rows, n) steps of the solve, evenly spaced
    Y: np.ndarray           # (rows, n) their products
    whole: np.ndarray       # (3,) int64: products taken, pairs kept, one in how many is kept
    real: np.ndarray        # (6,): largest curvature met, least of this solve, lengths of p, short, longer, last move over d


@routine
def make_solve(n, rows):
    """Room for steps of length n that keep up to `rows` pairs."""
    real = np.zeros(6)
    return Solve(np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n),
                 np.zeros(n), np.zeros((rows, n)), np.zeros((rows, n)), np.zeros(3, np.int64), real)


@kernel
def open_solve(g, p, r, whole, real):
    for i in range(g.size):
        p[i] = 0.0
        r[i] = g[i]
    whole[DEPTH] = whole[KEPT] = 0
    whole[STRIDE] = 1
    real[SMALLEST] = math.inf
    real[LENGTH] = real[SHORT] = real[LONGER] = real[LAST] = 0.0


@kernel
def curvature_along(d, hd, real):
    """d'Hd and whether it is positive beyond doubt; notes the extreme curvatures met."""
    dhd, dd = dot(d, hd), dot(d, d)
    quotient = dhd / dd
    if quotient < real[SMALLEST]:
        real[SMALLEST] = quotient
    enough = dhd > FLAT * real[LARGEST] * dd and dhd > 0.0
    if enough:
        real[LARGEST] = max(FORGET * real[LARGEST], quotient)
    return dhd, enough


@kernel
def keep_pair(a, d, hd, S, Y, whole):
    """Keep (a d, a Hd) if its turn has come. When the rows are full, every second pair leaves and half as many come."""
    place = whole[DEPTH] - 1
    if S.shape[0] == 0 or place % whole[STRIDE] != 0:
        return
    if whole[KEPT] == S.shape[0]:
        kept = 0
        for k in range(0, whole[KEPT], 2):
            for i in range(d.size):
                S[kept, i] = S[k, i]
                Y[kept, i] = Y[k, i]
            kept += 1
        whole[KEPT] = kept
        whole[STRIDE] *= 2
        if place % whole[STRIDE] != 0:
            return
    for i in range(d.size):
        S[whole[KEPT], i] = a * d[i]
        Y[whole[KEPT], i] = a * hd[i]
    whole[KEPT] += 1


@kernel
def within(a, d, p, radius):
    """The largest share of the step a along d that keeps ||p + a d|| <= radius, where ||p|| is that already; at most a."""
    pp = pd = dd = 0.0
    for i in range(p.size):
        pp += p[i] * p[i]
        pd += p[i] * d[i]
        dd += d[i] * d[i]
    room = radius * radius - pp
    if a * (2.0 * pd + a * dd) <= room:
        return a
    root = math.sqrt(pd * pd + dd * max(room, 0.0))
    return min(a, room / (pd + root) if pd > 0.0 else (root - pd) / dd)


@kernel
def move(a, d, hd, p, r):
    """p += a d, r += a Hd; return ||p||."""
    total = 0.0
    for i in range(p.size):
        p[i] += a * d[i]
        r[i] += a * hd[i]
        total += p[i] * p[i]
    return math.sqrt(total)


@kernel
def note_length(length, p, r, short, longer, r_short, r_longer, real):
    """Keep p and r when p has doubled since the last one kept; the one before that stays as well."""
    real[LENGTH] = length
    if length < 2.0 * real[LONGER]:
        return
    for i in range(p.size):
        short[i], r_short[i] = longer[i], r_longer[i]
        longer[i], r_longer[i] = p[i], r[i]
    real[SHORT], real[LONGER] = real[LONGER], length


@kernel
def next_direction(beta, z, d):
    for i in range(d.size):
        d[i] = beta * d[i] - z[i]


@kernel
def ratio(a, b):
    return a / b


@routine
def precondition(inverse, plain, r, z):
    """Write z = M r, or r itself; return <r, z>."""
    if plain:
        copy_to(r, z)
        return dot(r, z)
    return times(inverse, 1.0, r, z)


@routine
def truncated_cg(oracle, x, g, inverse, plain, eta, cap, radius, solve):
    """Solve H p = -g until the residual in the metric M has fallen by eta, `cap` products are spent, or ||p|| = radius.

    One Hessian-vector product a step. Returns how it ended; `solve` holds the step p, the residual r = g + H p, the last
    direction d (of negative curvature where the solve ended so), and what was kept.
    """
    p, r, z, d, hd, short, longer, r_short, r_longer, S, Y, whole, real = solve
    open_solve(g, p, r, whole, real)
    rz = precondition(inverse, plain, r, z)
    if not 0.0 < rz < math.inf:
        return BROKEN
    rz_first = rz
    next_direction(0.0, z, d)
    for _ in range(cap):
        hess_vec(oracle, x, d, hd)
        whole[DEPTH] += 1
        dhd, enough = curvature_along(d, hd, real)
        if not math.isfinite(dhd):
            return BROKEN
        if not enough:
            return NEGATIVE
        a = ratio(rz, dhd)
        keep_pair(a, d, hd, S, Y, whole)
        most = real[LAST] = within(a, d, p, radius)
        note_length(move(most, d, hd, p, r), p, r, short, longer, r_short, r_longer, real)
        if most < a:
            return LIMITED
        rz_new = precondition(inverse, plain, r, z)
        if not rz_new > eta * eta * rz_first:
            return SOLVED
        next_direction(ratio(rz_new, rz), z, d)
        rz = rz_new
    return CAPPED


# ---- after a solve ---------------------------------------------------------------------------------------------------

@routine
def harvest(solve, inverse):
    """Give the memory the pairs of the solve, oldest first. The step along a single direction says the same as that one."""
    if solve.whole[KEPT] > 1:
        for k in range(solve.whole[KEPT]):
            learn_pair(inverse, solve.S[k], solve.Y[k])


@kernel
def model_error(t, g_new, r, g):
    """||g(x + t p) - (g + t H p)|| / ||g||."""
    total = base = 0.0
    for i in range(g.size):
        wrong = g_new[i] - (g[i] + t * (r[i] - g[i])) if t != 1.0 else g_new[i] - r[i]
        total += wrong * wrong
        base += g[i] * g[i]
    return math.sqrt(total) / math.sqrt(base)


@kernel
def shortened(g, p, r, short, longer, r_short, r_longer, real):
    """Replace p by an earlier iterate of at most half its length, or by a part of the first one, and r by its residual."""
    limit = 0.5 * real[LENGTH]
    take_longer = real[LONGER] <= limit or real[SHORT] == 0.0
    size = real[LONGER] if take_longer else real[SHORT]
    factor = min(1.0, limit / size)
    for i in range(p.size):
        p[i] = factor * (longer[i] if take_longer else short[i])
        r[i] = g[i] + factor * ((r_longer[i] if take_longer else r_short[i]) - g[i])


@kernel
def first_trial(wanted, d):
    """The step along d that has the wanted length."""
    size = norm(d, 2)
    return wanted / size if size > 0.0 else 0.0
