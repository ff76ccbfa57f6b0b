"""A truncated Newton direction: CG on H d = -g, preconditioned by a memory of pairs and feeding it.

Products with the Hessian are the user's where there are any. Otherwise they are differences of gradients along p, over a
length that belongs to the problem: a share of the preconditioned gradient. The common choice, sqrt(eps) (1 + ||x||), is lost
in rounding near a flat minimum.

The recurrences are those of `krylov.py`. What is asked of them differs in all else, since the Hessian here is singular at the
solution and its small curvatures are what is wanted: when to stop, what curvature is none, which pairs are kept.

References
----------
.. [1] R. S. Dembo, T. Steihaug, "Truncated-Newton algorithms for large-scale unconstrained optimization", Math. Program. 26,
       1983.
.. [2] J. L. Morales, J. Nocedal, "Automatic preconditioning by limited memory quasi-Newton updating", SIAM J. Optim. 10,
       2000.
"""
import math
from typing import NamedTuple

import numpy as np

from .._derivatives import ahead, quotient
from .._jit import kernel, routine
from .._oracle import NFEV, NJEV, gradient, hess_vec
from .._vectors import copy_to, dot, norm
from .aware_memory import learn_pair, times
from .krylov import move, next_direction

UNKNOWN, EXACT, DIFFERENCES = range(3)  # where products come from
SHARE = 1e-2        # length of a difference over that of the preconditioned gradient; measured: 1e-3 and 0.1 within 5 %
FLOOR = 1e-13       # ... and over that of x, below which the point would not differ enough from x
MAX_PRODUCTS = 200  # a cycle; ours
CURVED = 1e-14      # p'Hp <= this ||p|| ||Hp|| is no positive curvature


class Krylov(NamedTuple):
    """Room of a cycle."""

    P: np.ndarray       # (m, n) ring of the last directions of the cycle
    HP: np.ndarray      # (m, n)
    r: np.ndarray
    p: np.ndarray
    hp: np.ndarray
    z: np.ndarray
    point: np.ndarray


@routine
def make_krylov(n, m):
    return Krylov(np.empty((m, n)), np.empty((m, n)), np.empty(n), np.empty(n), np.empty(n), np.empty(n),
                  np.empty(n))


@routine
def product(oracle, x, g, p, reach, source, point, out):
    """Write H p. Return where products come from: whether a product took gradients shows when the first one is taken."""
    if source == DIFFERENCES:
        h = ahead(x, p, max(SHARE * reach, FLOOR * norm(x, 2)), point)
        if h > 0.0:
            gradient(oracle, point, out)
        quotient(g, h, out)
        return source
    counts = oracle.data.counts
    before = counts[NFEV] + counts[NJEV]
    hess_vec(oracle, x, p, out)
    return EXACT if counts[NFEV] + counts[NJEV] == before else DIFFERENCES


@kernel
def begin(g, z, r, p, d):
    for i in range(g.size):
        r[i] = g[i]
        p[i] = -z[i]
        d[i] = 0.0


@kernel
def relative_error(rz, softness, energy):
    """sqrt(rz softness / energy); 0 where that says nothing, which ends CG."""
    return math.sqrt(rz / energy * softness) if rz > 0.0 and 0.0 < energy < math.inf else 0.0


@routine
def newton_cg(oracle, x, g, z, decrement, memory, forcing, source, krylov, d):
    """Write d with H d near -g; `z` is H_memory g and `decrement` is <g, z>.

    Ends when the relative error of d in the norm of H is at most `forcing` by estimate, after MAX_PRODUCTS, or at a
    direction without positive curvature, which becomes d if it is the first. The estimate is <r, H_memory r> times the
    largest step of CG, over the energy <d, H d>: a memory of stiffer times makes too little of the error along the flat
    directions, by up to that factor, and stopping in its norm would leave them unsolved. The memory is not touched
    meanwhile, and takes in the pairs (p, Hp) at the end, the last m of them. Returns (products, whether curvature was not
    positive, the estimate, source).
    """
    P, HP, r, p, hp, w, point = krylov
    begin(g, z, r, p, d)
    reach, rz = norm(z, 2), decrement
    rows = P.shape[0]
    used, pairs, concave, energy, softness, error = 0, 0, False, 0.0, 0.0, 0.0
    for j in range(MAX_PRODUCTS):
        source = product(oracle, x, g, p, reach, source, point, hp)
        used += 1
        bend = dot(p, hp)
        if not bend > CURVED * norm(p, 2) * norm(hp, 2):
            concave = True
            if j == 0:
                copy_to(p, d)
            break
        move(rz / bend, p, hp, d, r)
        copy_to(p, P[j % rows])
        copy_to(hp, HP[j % rows])
        pairs += 1
        rz_new = times(memory, 1.0, r, w)
        energy += rz * (rz / bend)
        softness = max(softness, rz / bend)
        error = relative_error(rz_new, softness, energy)
        if not error > forcing:
            break
        next_direction(rz_new / rz, w, p)
        rz = rz_new
    for j in range(max(0, pairs - rows), pairs):
        learn_pair(memory, P[j % rows], HP[j % rows])
    return used, concave, error, source
