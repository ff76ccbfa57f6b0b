"""The inverse Hessian of the quasi-Newton methods: a limited memory that turns into a full matrix.

While pairs are few, they are kept as they are (`limited_memory`), with the middle gamma I of the newest one. After
`turn` pairs they become a matrix (`dense_inverse`), which forgets nothing and is rescaled softly from then on. Starting
with the matrix is worse: it would keep the scale of the first pair (measured: 14 % more gradients).
"""
from typing import NamedTuple

import numpy as np

from .._jit import kernel, routine
from . import dense_inverse
from .limited_memory import HEAD, PAIR_TEST, SIZE, accept, clear, curved, propose, propose_difference, two_loop

DENSE, HELD, TURN = range(3)    # places in `phase`: whether the matrix rules, pairs taken since the start, pairs that turn it


class InverseHessian(NamedTuple):
    S: np.ndarray           # the ring of pairs, as in `limited_memory.Pairs`
    Y: np.ndarray
    rho: np.ndarray
    coef: np.ndarray
    info: np.ndarray
    gamma: np.ndarray       # (1,) s'y / y'y of the newest pair
    phase: np.ndarray       # (3,) int64: DENSE, HELD, TURN
    H: np.ndarray           # (n, n), or (0, 0) where the matrix never comes
    work: np.ndarray        # (n,), or (0,)


@routine
def make_inverse(n, m, turn):
    """Room for up to m pairs, and for the matrix that `turn` pairs become; turn = 0 means never."""
    rows = (m if turn == 0 else min(m, turn)) + 1
    side = n if turn > 0 else 0
    phase = np.zeros(3, np.int64)
    phase[TURN] = turn
    return InverseHessian(np.zeros((rows, n)), np.zeros((rows, n)), np.zeros(rows), np.zeros(rows),
                          np.zeros(2, np.int64), np.ones(1), phase, np.zeros((side, side)), np.zeros(side))


@routine
def forget(inverse):
    """Back to the identity, without pairs."""
    clear(inverse.info)
    inverse.gamma[0] = 1.0
    inverse.phase[DENSE] = 0
    inverse.phase[HELD] = 0


@routine
def times(inverse, sign, v, out):
    """Write sign H v; return <v, out>."""
    if inverse.phase[DENSE]:
        return dense_inverse.product(inverse.H, sign, v, out)
    return two_loop(inverse.S, inverse.Y, inverse.rho, inverse.coef, inverse.info, inverse.gamma[0], sign, v, out)


@kernel
def take(S, Y, rho, info, gamma, phase, H, work, sy, yy, sBs):
    """The candidate in the ring has passed the pair test: into the ring or the matrix with it."""
    phase[HELD] += 1
    if phase[DENSE]:
        j = info[HEAD]
        dense_inverse.rank_two(H, S[j], Y[j], sy, dense_inverse.soft_scale(sy, sBs), work)
        return
    accept(rho, info, sy)
    gamma[0] = sy / yy
    if 0 < phase[TURN] <= info[SIZE]:
        dense_inverse.fill(H, S, Y, rho, info, gamma[0], work)
        phase[DENSE] = 1


@kernel
def take_step(S, Y, rho, info, gamma, phase, H, work, x_new, x, g_new, g, sBs):
    """`learn_step` in one kernel."""
    ss, sy, yy = propose_difference(S, Y, info, x_new, x, g_new, g)
    fit = curved(ss, sy, yy, PAIR_TEST)
    if fit:
        take(S, Y, rho, info, gamma, phase, H, work, sy, yy, sBs)
    return fit, ss


@routine
def learn_step(inverse, x_new, x, g_new, g, sBs):
    """Take in the step from x to x_new; return (whether the pair was fit to be stored, ||s||^2).

    `sBs` is s'Bs where it comes for free: with s = -t H g it is -t s'g. 0 means that it is not known.
    """
    S, Y, rho, _, info, gamma, phase, H, work = inverse
    return take_step(S, Y, rho, info, gamma, phase, H, work, x_new, x, g_new, g, sBs)


@routine
def learn_pair(inverse, s, y):
    """Take in a pair from elsewhere, such as (d, Hd) of a CG iteration; return whether it was fit to be stored."""
    S, Y, rho, _, info, gamma, phase, H, work = inverse
    ss, sy, yy = propose(S, Y, info, s, y)
    fit = curved(ss, sy, yy, PAIR_TEST)
    if fit:
        take(S, Y, rho, info, gamma, phase, H, work, sy, yy, 0.0)
    return fit
