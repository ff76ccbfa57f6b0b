r"""A limited memory whose middle gamma I carries only what the pairs do not say.

The usual gamma = s'y / y'y of the newest pair is an average over all directions, those the memory knows included. Here
gamma is the one for which the memory *before* the pair would have predicted it,

.. math::  y^T H y = s^T y \quad\Longleftrightarrow\quad \gamma = \frac{s^T y - e}{q^T q},

q being y after the first loop of the two-loop recursion and e what the old pairs contribute. Once the stiff directions
are stored, gamma is soft; before, it is stiff. It is clipped to [s'y / y'y, s's / s'y], and the harmonic mean of the
last five is used.
"""
from typing import NamedTuple

import numpy as np

from .._jit import kernel, routine
from .._vectors import copy_to, dot
from .limited_memory import HEAD, SIZE, accept, clear, curved, first_loop, propose, propose_difference, two_loop

WINDOW = 5          # scales averaged; measured: 9 is slow where all curvatures fall at once, 1 fails on sensing
PAIR_TEST = 1e-14   # pairs along a flat ravine have tiny curvature and are the ones that matter


class AwareMemory(NamedTuple):
    S: np.ndarray           # the ring of pairs, as in `limited_memory.Pairs`
    Y: np.ndarray
    rho: np.ndarray
    coef: np.ndarray
    info: np.ndarray
    gamma: np.ndarray       # (1,) the middle
    stiffness: np.ndarray   # (WINDOW,) 1 / gamma of the last pairs, before averaging
    seen: np.ndarray        # (1,) int64: pairs taken since the start
    work: np.ndarray        # (n,)


@routine
def make_aware(n, m):
    """Room for m pairs of length n."""
    return AwareMemory(np.zeros((m + 1, n)), np.zeros((m + 1, n)), np.zeros(m + 1), np.zeros(m + 1), np.zeros(2, np.int64),
                       np.ones(1), np.zeros(WINDOW), np.zeros(1, np.int64), np.zeros(n))


@routine
def forget(memory):
    """Back to the identity, without pairs."""
    clear(memory.info)
    memory.gamma[0] = 1.0
    memory.seen[0] = 0


@routine
def held(memory):
    """Pairs held."""
    return memory.info[SIZE]


@routine
def times(memory, sign, v, out):
    """Write sign H v; return <v, out>."""
    return two_loop(memory.S, memory.Y, memory.rho, memory.coef, memory.info, memory.gamma[0], sign, v, out)


@kernel
def unknown_scale(S, Y, rho, coef, info, q, ss, sy, yy):
    """gamma with which the old pairs would have predicted the candidate; s'y / y'y when there are none."""
    copy_to(Y[info[HEAD]], q)
    known = first_loop(S, Y, rho, coef, info, q)
    qq = dot(q, q)
    low, high = sy / yy, ss / sy
    raw = (sy - known) / qq if qq > 0.0 else low
    return min(max(raw, low), high)


@kernel
def take(S, Y, rho, coef, info, gamma, stiffness, seen, q, ss, sy, yy):
    """The candidate in the ring joins the memory, and the middle follows."""
    stiffness[seen[0] % WINDOW] = 1.0 / unknown_scale(S, Y, rho, coef, info, q, ss, sy, yy)
    seen[0] += 1
    averaged = min(seen[0], WINDOW)
    total = 0.0
    for i in range(averaged):
        total += stiffness[i]
    gamma[0] = averaged / total
    accept(rho, info, sy)


@routine
def learn_step(memory, x_new, x, g_new, g):
    """Take in the step from x to x_new; return (whether the pair was fit to be stored, ||s||^2)."""
    S, Y, rho, coef, info, gamma, stiffness, seen, work = memory
    ss, sy, yy = propose_difference(S, Y, info, x_new, x, g_new, g)
    fit = curved(ss, sy, yy, PAIR_TEST)
    if fit:
        take(S, Y, rho, coef, info, gamma, stiffness, seen, work, ss, sy, yy)
    return fit, ss


@routine
def learn_pair(memory, s, y):
    """Take in a pair from elsewhere, such as (p, Hp) of a CG iteration; return whether it was fit to be stored."""
    S, Y, rho, coef, info, gamma, stiffness, seen, work = memory
    ss, sy, yy = propose(S, Y, info, s, y)
    fit = curved(ss, sy, yy, PAIR_TEST)
    if fit:
        take(S, Y, rho, coef, info, gamma, stiffness, seen, work, ss, sy, yy)
    return fit
