r"""Hypergradient descent from secant points: a few pairs, a learned diagonal between them, and no line search.

Along a step s from x the trial z = x + s shows the curvature <s, y>, y = g(z) - g(x). The minimizer of that parabola is

.. math::  x^+ = x + r s, \qquad g^+ = g(x) + r\,y, \qquad r = -\langle g(x), s\rangle / \langle s, y\rangle,

Newton's step on the hypergradient of the step length. x+ is not evaluated: the next step starts there, from the
predicted gradient g+. Every evaluation is thus a trial and an exact line search at once; an error of the prediction is met
by the next trial. Directions are two-loop products over m pairs around a learned diagonal (`learned_diagonal`); where
n <= 4 m - 1, the 2 m vectors of the pairs hold the whole inverse Hessian instead (`packed_inverse`).

References
----------
.. [1] Y.-C. Chu, W. Gao, Y. Ye, M. Udell, "Provable and Practical Online Learning Rate Adaptation with Hypergradient
       Descent", arXiv:2502.11229, 2025. The diagonal hypergradient and the null step.
.. [2] D. C. Liu, J. Nocedal, "On the limited memory BFGS method for large scale optimization", Math. Program. 45, 1989.
"""
import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._jit import routine
from .._method import Method
from .._oracle import gradient, start, value
from .._status import RUNNING
from .._vectors import copy_to, dot, norm, norm_inf
from ..directions.dense_inverse import soft_scale
from ..directions.learned_diagonal import follow_secant, follow_signs, raise_to, rescale, scaled_steepest
from ..directions.limited_memory import HEAD, PAIR_TEST, SIZE, Pairs, accept, clear, curved, make_pairs, two_loop_diagonal
from ..directions.packed_inverse import positive_diagonal, product, rank_two, set_diagonal, triangle
from ..linesearch.armijo import failure
from ..stepsize.hypergradient import shrink, smallest_and_largest
from ..stepsize.secant_points import better, lengthened, make_pair, next_factor, parabola, secant_point

# All ours; picked by measurement; see the documentation page.
LONGER = 2.0                    # a step is at most this times the last one
NULL_SHRINK, GROW = 0.5, 2.0    # damping after a null step, and its way back to 1
NONFINITE_SHRINK = 0.1          # after a trial without finite value
FORGET = 2                      # trials in a row no better than the best point after which the pairs are dropped
SLACK = 1e-12                   # a predicted value above the best one by more than this, relatively, asks for a null step
VERIFY = 1e-3                   # a predicted gradient so much smaller than the last one is evaluated before it is used
LEAST = 1.0                     # entries of P are at least this times the inverse of the largest curvature seen
BLOWN_UP = 2.0 ** -104          # a trial whose slope is 1 / BLOWN_UP times the first is taken for one without a value
T_MIN = 1e-30


class Params(NamedTuple):
    m: int
    eta: float
    rho: float
    weight: float
    decay: float
    r_max: float


class State(NamedTuple):
    x: np.ndarray       # the best point evaluated
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    v: np.ndarray       # the secant point; the trial while one is made
    g_v: np.ndarray     # predicted gradient there
    f_v: float          # and value
    p: np.ndarray
    mean: np.ndarray    # average agreement of signs; room of the update where there is a matrix
    pairs: Pairs        # only the candidate where there is a matrix
    H: np.ndarray       # the matrix, packed; empty where it would take more room than the pairs
    a: float            # factor of the step, learned from r
    t: float            # damping, 1 unless there were null steps
    cap: float          # on r
    length: float       # of the last step that was of use; 0: none
    least: float        # least <s, y> / <y, y> of any pair, the inverse of the largest curvature seen
    top: float          # largest entry of the last gradient; 0: none since the null step
    bad: int            # trials in a row no better than x
    k: int
    r: float


@routine
def init(oracle, x0, params):
    x, f, g = start(oracle, x0)
    n, m = x.size, params.m
    size_H = triangle(n)
    if size_H <= 2 * m * n:
        m = 0
    else:
        size_H = 0
    p = np.ones_like(x0)
    size = norm(g, 2)
    if 0.0 < size < math.inf:
        shrink(p, max(1.0, norm(x, 2)) / size)      # the first trial is as long as x, at least 1
    return State(x, f, g, 1.0, RUNNING, x.copy(), g.copy(), f, p, np.zeros_like(x0), make_pairs(n, m), np.zeros(size_H),
                 1.0, 1.0, params.r_max, 0.0, math.inf, 0.0, 0, 0, 1.0)


@routine
def direction(p, pairs, H, g_v):
    """Write the step into the candidate's row; return (row of s, row of y, <g_v, s>). What gives no descent is forgotten."""
    S, Y, rho, coef, info = pairs
    if H.size > 0 and info[SIZE] > 0:
        slope = product(H, -1.0, g_v, S[info[HEAD]])
    else:
        slope = two_loop_diagonal(S, Y, rho, coef, info, p, -1.0, g_v, S[info[HEAD]])
    if not slope < 0.0:
        clear(info)
        slope = scaled_steepest(p, g_v, S[info[HEAD]])
    return S[info[HEAD]], Y[info[HEAD]], slope


@routine
def store(p, pairs, H, work, s, y, sy, sBs, weight, least):
    """Teach the pair (s, y) to the matrix, or keep it and teach it to the diagonal. sBs = 0 where <s, B s> is not known."""
    first = pairs.info[SIZE] == 0
    if H.size > 0:
        if first:
            rescale(p, y, sy, 1.0)
            set_diagonal(H, p)
            pairs.info[SIZE] = 1
        rank_two(H, s, y, sy, 1.0 if first else soft_scale(sy, sBs), work)
        shrink(work, 0.0)
        if not positive_diagonal(H, p):
            clear(pairs.info)
        return
    if weight > 0.0:
        follow_secant(p, s, y, sy, weight)
    accept(pairs.rho, pairs.info, sy)
    rescale(p, y, sy, 1.0 if first else 0.5)
    raise_to(p, LEAST * least)


@routine
def back(state, f, t, length, least, cap, a, bad, flag):
    """The null step: on from the best point, with its own gradient, and without the averages."""
    copy_to(state.x, state.v)
    copy_to(state.g, state.g_v)
    shrink(state.mean, 0.0)
    if bad >= FORGET:
        clear(state.pairs.info)
    return State(state.x, f, state.g, 0.0, flag, state.v, state.g_v, f, state.p, state.mean, state.pairs, state.H, a, t, cap,
                 length, least, 0.0, bad, state.k + 1, 1.0)


@routine
def step(oracle, state, params):
    x, f, g, _, _, v, g_v, f_v, p, mean, pairs, H, a, t, cap, length, least, top, bad, k, _ = state
    verify = norm_inf(g_v) <= VERIFY * top
    s, y, slope, factor, size, r = pairs.S[pairs.info[HEAD]], pairs.Y[pairs.info[HEAD]], 0.0, 0.0, 0.0, 1.0
    if not verify:
        s, y, slope = direction(p, pairs, H, g_v)
        factor, size = lengthened(s, t * a, LONGER * length, v)
        slope *= factor
    f_trial = value(oracle, v)
    if math.isfinite(f_trial):
        gradient(oracle, v, y)
        top = norm_inf(y)
        if not verify and -slope < BLOWN_UP * dot(s, y):
            top = math.inf
    if not math.isfinite(f_trial + top):
        t *= NONFINITE_SHRINK
        if f_trial == -math.inf:
            copy_to(v, x)
            f = f_trial
        return back(state, f, t, length, least, cap, a, FORGET, failure(f, slope) if t < T_MIN else RUNNING)
    improved = better(f_trial, f, top, norm_inf(g))
    ss, sy, yy = make_pair(verify, improved, v, x, g, g_v, s, y)
    if improved:
        f, bad, t = f_trial, 0, min(1.0, GROW * t)
    else:
        bad += 1
    good = curved(ss, sy, yy, PAIR_TEST)
    if good:
        least = min(least, sy / yy)
        store(p, pairs, H, mean, s, y, sy, 0.0 if verify else -factor * slope, params.weight, least)
    if verify:
        f_v = f_trial
    else:
        r, cap = parabola(f_v, f_trial, slope, sy, params.r_max, cap)
        a = next_factor(a, r, sy, f_trial, f_v)
        if params.eta > 0.0 and (H.size == 0 or pairs.info[SIZE] == 0):
            follow_signs(p, mean, g_v, y, params.eta / (1.0 + k / params.decay), params.rho)
        f_v = f_trial + (r - 1.0) * (slope + sy) + 0.5 * (r - 1.0) * (r - 1.0) * max(sy, 0.0)
        secant_point(v, g_v, s, y, r)
        length = max(r, 1.0) * size if improved else max(min(length, size), r * size)
    if bad > 0 and f_v > f + SLACK * abs(f):
        t *= NULL_SHRINK
        return back(state, f, t, length, least, cap, a, bad, failure(f, slope) if t < T_MIN else RUNNING)
    return State(x, f, g, factor, RUNNING, v, g_v, f_v, p, mean, pairs, H, a, t, cap, length, least, top, bad, k + 1, r)


@routine
def report(state, row):
    row[0], row[1] = smallest_and_largest(state.p)
    row[2] = state.r
    row[3] = 1.0 if state.bad == 0 else 0.0


@dataclass(frozen=True, repr=False)
class HypergradientSecant(Method):
    """Hypergradient descent from secant points (HDMSecant).

    One value and one gradient an iteration, no learning rate, no line search. Keeps 2 m + 6 vectors from one iteration to
    the next, 12 with m = 3, and works in two more. With n <= 4 m - 1 a symmetric matrix takes no more room than m pairs:
    then the inverse Hessian is kept whole, by BFGS updates, in place of the pairs and of what the diagonal learns.

    Parameters
    ----------
    m : int >= 1
        Pairs kept, or their room (see above). 1 and 2 are slow where curvatures spread widely; 10 instead of 3 save a fifth
        of the gradients, and up to half where n is not much larger than that.
    eta : float >= 0
        Rate at which the diagonal follows the signs of the hypergradient; 0 switches that off.
    rho : float in [0, 1)
        Weight of the past in their average.
    weight : float in [0, 1)
        Rate at which the diagonal follows the secant pairs; 0 switches that off.
    decay : float > 0
        Iterations after which `eta` has fallen to one half (to one third after twice as many, and so on).
    r_max : float >= 1
        Largest extrapolation to a secant point, in units of the step, where fun is no parabola to four digits.

    Notes
    -----
    There is no published reference and no proof of convergence: secant points are not verified. What is kept is the best
    point evaluated; where the prediction is above it and the trial was, too, the next step starts there, shorter.

    All constants were picked by measurement; the documentation page says on which problems, and what else was tried.

    References
    ----------
    .. [1] Y.-C. Chu, W. Gao, Y. Ye, M. Udell, arXiv:2502.11229, 2025.
    .. [2] D. C. Liu, J. Nocedal, Math. Program. 45, 1989.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.rosenbrock(10)
    >>> res = curvopt.minimize(p.fun, p.x0, jac=p.jac, method=curvopt.HDMSecant)
    >>> res.success, bool(res.nfev < 300)
    (True, True)
    """

    m: int = 3
    eta: float = 0.15
    rho: float = 0.9
    weight: float = 0.1
    decay: float = 300.0
    r_max: float = 2.5

    columns: ClassVar = ("p_min", "p_max", "r", "accepted")
    monotone: ClassVar = True
    cost: ClassVar = "1 f, 1 g"
    memory: ClassVar = "2m + 8"
    paper: ClassVar = "own, on arXiv:2502.11229"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)
    report: ClassVar = staticmethod(report)

    def validated(self):
        rho, weight = _checks.in_interval("rho", self.rho, 0.0, 1.0), _checks.in_interval("weight", self.weight, 0.0, 1.0)
        if rho == 1.0 or weight == 1.0:
            raise ValueError(f"rho and weight must be less than 1, got {self.rho!r} and {self.weight!r}")
        r_max = _checks.finite("r_max", self.r_max)
        if r_max < 1.0:
            raise ValueError(f"r_max must be at least 1, got {self.r_max!r}")
        return Params(_checks.count("m", self.m, 1), _checks.non_negative("eta", self.eta), rho,
                      weight, _checks.positive("decay", self.decay), r_max)

    @property
    def name(self):
        return "HDMSecant"


HDMSecant = HypergradientSecant()
