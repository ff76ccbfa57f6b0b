r"""Hypergradient descent with heavy ball: the form of the papers' experiments, without their tuning.

.. math::  x_+ = x - p \circ g + \beta\,(x - x_-), \qquad q = \nabla f(x_+), \qquad
           D = \|g\|^2 + \tfrac14 \hat L^2 \|x - x_-\|^2,

AdaGrad moves the diagonal p down -(q o g)/D and the momentum beta down <q, x - x_->/D. Where f rises, x stays and the
momentum starts again from zero. After a phase of exploration the curvature L that the accepted steps met sets the
learning rate. There is no momentum as long as the steps without it pay.

References
----------
.. [1] Y.-C. Chu, W. Gao, Y. Ye, M. Udell, "Provable and Practical Online Learning Rate Adaptation with Hypergradient
       Descent", arXiv:2502.11229, 2025, and the authors' code of its experiments.
.. [2] Y.-C. Chu, W. Gao, Y. Ye, M. Udell, "Gradient Methods with Online Scaling, Part II", arXiv:2509.11007, 2025.
"""
import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._jit import kernel, routine
from .._method import Method
from .._oracle import gradient, start, value
from .._status import RUNNING
from .._vectors import copy_to, dot, norm, norm_inf
from ..directions.learned_diagonal import scaled_steepest
from ..linesearch.armijo import backtrack
from ..stepsize.curvature import FIRST_TRIALS, PROBES, curvature_of_step, largest_curvature, probed_curvature
from ..stepsize.hypergradient import (
    ADAGRAD,
    BETA_MAX,
    DIAGONAL,
    LEAST_LEFT,
    heavy_ball,
    learn,
    learn_heavy_ball,
    minimizer_along,
    shrink,
    smallest_and_largest,
    turn,
)
from ..stepsize.plain_steps import Plain, curvature_left, first_plain_steps, freed, paying, plain_steps, seen_along
from ..stepsize.secant_points import better

ROBUST, ICML = range(2)
VARIANTS = {"robust": ROBUST, "icml2025": ICML}
DECAY, PERIOD, FLOOR = 0.8, 50, 1e-3    # of lr while exploring, every so many iterations, relative to the first [1]
EXPLORE = 200           # net accepted steps, a null step counting -2, after which exploration ends [1]
NULL_WEIGHT = 2
EPS = 1e-12             # added to D and to AdaGrad's roots in [1]
LONG = 1e-3             # steps longer than this measure curvature in [1]
FIRST_RATES = (5.0, 10.0)       # lr at the start in units of 1/L: ours, and that of [1]
NONFINITE_SHRINK = 0.1  # ours: P after a trial without a finite value
LEAST_LEFT_MOVING = 0.5 # ours: the part of an entry of P that one update leaves at least, with momentum
FIRST_PATIENCE, PATIENCE = 2, 10    # ours: null or too short steps in a row before P is rescued; without and with momentum
STEEPER = 2.0           # a trial gradient this many times as long as the last calls for a look ahead [2]
AHEAD_RHO, AHEAD_THETA = 0.5, 0.8       # its sufficient decrease and contraction [2]
NOISE_LENGTH = 1e-8     # ours: steps this short, relative to x, measure rounding errors instead of curvature


class Params(NamedTuple):
    lr: float           # 0: from the curvature at the start
    lr_beta: float
    beta0: float
    variant: int
    lookahead: bool


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    x_old: np.ndarray
    x_trial: np.ndarray
    g_trial: np.ndarray
    p: np.ndarray
    acc: np.ndarray     # AdaGrad's sums of squares of p's hypergradients
    beta: float
    acc_beta: float
    lr: float
    lr0: float
    curvature: float    # L where known, 0 while exploring
    seen: float         # sum of the curvatures along accepted steps
    steps: int          # and their number
    merit: int          # accepted steps less NULL_WEIGHT for each null step, not below 0
    k: int
    plain: Plain        # whether there is no momentum; counts the null steps and the short ones


@routine
def init(oracle, x0, params):
    x, f, g = start(oracle, x0)
    return State(x, f, g, 0.0, RUNNING, x.copy(), np.empty_like(x0), np.empty_like(x0), np.zeros_like(x0), np.zeros_like(x0),
                 params.beta0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0, 0, plain_steps(params.variant == ROBUST, g))


@routine
def begin(oracle, state, params):
    """(lr, lr0, plain) at the first step, and p. Gradients only where lr is not given."""
    x, g, x_trial, g_trial, p, acc, plain = (state.x, state.g, state.x_trial, state.g_trial, state.p, state.acc, state.plain)
    lr = params.lr
    if not plain.on:
        if lr == 0.0:
            lr = FIRST_RATES[ICML] / largest_curvature(oracle, x, g, PROBES, p, x_trial, g_trial)
            fresh(p, acc, g, 0.0, 1.0)
    elif lr == 0.0:
        curvature, along = probed_curvature(oracle, x, g, x_trial, g_trial)
        plain = first_plain_steps(plain, curvature, FIRST_TRIALS)
        lr = 1.0 / curvature
        fresh(p, acc, g, lr, curvature / along)
    else:
        fresh(p, acc, g, lr, 1.0)
    return lr, lr, plain


@kernel
def fresh(p, acc, g, lr, factor):
    """P, times a factor, and AdaGrad's sums after a trial from P = 0, which is the point itself, where everything is known."""
    shrink(p, 0.0)
    shrink(acc, 0.0)
    if lr > 0.0:
        learn(ADAGRAD, DIAGONAL, p, acc, g, g, dot(g, g), lr, 0.0, 0.0, math.inf)
        shrink(p, factor)


@kernel
def decayed(lr, lr0, k, curvature):
    """The learning rate of iteration k: it decays while exploring."""
    return max(DECAY * lr, min(lr, FLOOR * lr0)) if curvature == 0.0 and k % PERIOD == PERIOD - 1 else lr


@kernel
def accepts(f_trial, f, g_trial, g, usable, strict):
    if not usable:
        return f_trial == -math.inf
    return f_trial < f if strict else better(f_trial, f, norm_inf(g_trial), norm_inf(g))


@kernel
def measured(x, x_trial, g, g_trial, absolute):
    """Curvature along an accepted step, 0 where the step is too short to tell."""
    curvature, length, size = curvature_of_step(x, x_trial, g, g_trial)
    return curvature if length > (LONG if absolute else NOISE_LENGTH * size) else 0.0


@routine
def look_ahead(oracle, x_trial, f_trial, g_trial, p, d):
    """Armijo's rule from the trial point along -p o q. Returns the new (x_trial, f_trial, g_trial); d is room."""
    slope = scaled_steepest(p, g_trial, d)
    _, f_new, found = backtrack(oracle, x_trial, f_trial, d, slope, 1.0, AHEAD_RHO, AHEAD_THETA, g_trial)
    if found:
        gradient(oracle, g_trial, x_trial)
        return g_trial, f_new, x_trial
    gradient(oracle, x_trial, g_trial)
    return x_trial, f_trial, g_trial


@routine
def step(oracle, state, params):
    (x, f, g, _, _, x_old, x_trial, g_trial, p, acc, beta, acc_beta, lr, lr0, curvature, seen, steps, merit, k,
     plain) = state
    published = params.variant == ICML
    if lr == 0.0:
        lr, lr0, plain = begin(oracle, state, params)
    if plain.on:
        copy_to(x, x_old)
        plain = paying(plain, g)
        if not plain.on:
            if params.lr == 0.0:
                lr0 = FIRST_RATES[ROBUST] / curvature_left(plain, lr)
            lr, curvature, seen, steps, merit, k = lr0, 0.0, 0.0, 0, 0, 0
            shrink(acc, 0.0)
    least, patience = (LEAST_LEFT, FIRST_PATIENCE) if plain.on else (LEAST_LEFT_MOVING, PATIENCE)
    if published:
        least, patience = 0.0, 0
    alpha = heavy_ball(x, x_old, g, p, beta, x_trial)
    f_trial = value(oracle, x_trial)
    if not plain.on:
        lr = decayed(lr, lr0, k, curvature)
    usable = math.isfinite(f_trial)
    if usable:
        gradient(oracle, x_trial, g_trial)
        beta, acc_beta, usable = learn_heavy_ball(p, acc, beta, acc_beta, x, x_old, g, g_trial, curvature,
                                                  EPS if published else 0.0, lr, params.lr_beta, least)
    if params.lookahead and usable and curvature > 0.0 and norm(g_trial, 2) > STEEPER * norm(g, 2):
        x_trial, f_trial, g_trial = look_ahead(oracle, x_trial, f_trial, g_trial, p, x_old)
    if accepts(f_trial, f, g_trial, g, usable, published):
        c = measured(x, x_trial, g, g_trial, published)
        if plain.on:
            lr, plain = seen_along(plain, lr, c)
        seen, steps, merit = seen + c, steps + (1 if c > 0.0 else 0), merit + 1
        if curvature == 0.0 and merit > EXPLORE and steps > 0:
            curvature = seen / steps
            lr = 1.0 / curvature
            shrink(acc, 0.0)
        best = minimizer_along(x, x_trial, g, g_trial) if plain.on else 1.0
        lr, plain = freed(p, acc, lr, True, turn(g, g_trial), best, plain, patience)
        return State(x_trial, f_trial, g_trial, alpha, RUNNING, x, x_old, g, p, acc, beta, acc_beta, lr, lr0, curvature,
                     seen, steps, merit, k + 1, plain)
    merit = max(0, merit - NULL_WEIGHT)
    if not usable:
        shrink(p, NONFINITE_SHRINK)
    best = minimizer_along(x, x_trial, g, g_trial) if usable and plain.on else 1.0
    lr, plain = freed(p, acc, lr, False, 0, best, plain, patience)
    copy_to(x, x_old)
    return State(x, f, g, 0.0, RUNNING, x_old, x_trial, g_trial, p, acc, beta, acc_beta, lr, lr0, curvature, seen, steps,
                 merit, k + 1, plain)


@routine
def report(state, row):
    row[0], row[1] = smallest_and_largest(state.p)
    row[2] = state.beta
    row[3] = 1.0 if state.plain.nulls == 0 else 0.0


@dataclass(frozen=True, repr=False)
class HypergradientBest(Method):
    """Hypergradient descent with diagonal P and heavy ball (HDMBest): nothing to tune.

    One value and one gradient an iteration, and one gradient more in the first where `lr` is not given (three in the
    variant "icml2025"). Holds seven vectors.

    Parameters
    ----------
    lr : float > 0, or None
        AdaGrad's learning rate for P while exploring, a length for P. None: 1/L before there is momentum, as in `HDM`, then
        5/L with L the largest curvature along the last steps without it; 10/L in the variant "icml2025", with L from three
        gradients at the start (power iteration). Later it is 1/L with L the mean curvature along the accepted steps.
    lr_beta : float >= 0
        AdaGrad's learning rate for the momentum. 10 as in the authors' code.
    beta0 : float in [0, 0.9995]
        First momentum; theirs.
    variant : {"robust", "icml2025"}
        ``"icml2025"`` is the code of the experiments of [1]_, absolute constants and strict acceptance included. Its
        authors set `lr` and `lr_beta` by a grid search for every problem.
    lookahead : bool
        After exploring, where the trial gradient is more than twice as long as the last, search on from the trial point
        along -P g by Armijo's rule, as in [2]_. Costs values of ``fun`` and one more gradient there.

    Notes
    -----
    What the robust variant does otherwise than [1]_. (i) A trial is accepted where f is equal, and within ten rounding errors
    of f where its gradient is smaller. A strict test stalls near the rounding level of f, long before the gradient says
    so. (ii) No constant is added to ||g||^2 or to AdaGrad's roots, so that f -> c f changes nothing. (iii) Curvature is
    measured along all steps that are longer than rounding, not longer than 1e-3, and exploration goes on where there were
    none. (iv) From ten null steps in a row on, each halves P and lr and makes AdaGrad forget: one bad trial can otherwise
    freeze P. From ten accepted steps on that left the gradient within 60 degrees of the last one, each multiplies P and
    lr by 1.25 (without momentum: the `patience` of `HDM`). No update takes more than half of an entry of P, which
    otherwise is zero every other time on functions whose curvature grows.
    (v) After a trial without finite value P shrinks tenfold. (vi) P has no upper bound; the authors' 1e10/L has no effect
    either. (vii) The first trial of [1]_ is x itself, for P starts at 0; what P learns there is known without it. (viii) The
    first lr. (ix) The run begins as `HDM`. The momentum, and with it the first lr above and an AdaGrad that has forgotten,
    comes after the first ten steps that have not halved ||g||: a momentum of 0.95 needs some fifty steps to pay, and easy
    problems take fewer.

    Exploration ends when accepted steps, less two for each null step and never below zero, exceed 200; it may never end
    on a nonconvex function, which does no harm.

    With ``lr=1/L``, ``lr_beta=min(1, L)`` and ``lookahead=True`` this is, up to the points above and the estimate of L,
    the OSGM-Best of [2]_.

    References
    ----------
    .. [1] Y.-C. Chu, W. Gao, Y. Ye, M. Udell, arXiv:2502.11229, 2025.
    .. [2] Y.-C. Chu, W. Gao, Y. Ye, M. Udell, arXiv:2509.11007, 2025.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.quadratic([1.0, 10.0, 100.0])
    >>> res = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method=curvopt.HDMBest)
    >>> res.success, bool(res.fun < 1e-9)
    (True, True)
    """

    lr: float = None
    lr_beta: float = 10.0
    beta0: float = 0.95
    variant: str = "robust"
    lookahead: bool = False

    columns: ClassVar = ("p_min", "p_max", "beta", "accepted")
    monotone: ClassVar = True
    cost: ClassVar = "1 f, 1 g"
    memory: ClassVar = "7"
    paper: ClassVar = "arXiv:2502.11229, 2509.11007"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)
    report: ClassVar = staticmethod(report)

    def validated(self):
        return Params(
            0.0 if self.lr is None else _checks.positive("lr", self.lr),
            _checks.non_negative("lr_beta", self.lr_beta), _checks.in_interval("beta0", self.beta0, 0.0, BETA_MAX),
            _checks.choice("variant", self.variant, VARIANTS), bool(self.lookahead),
        )

    @property
    def name(self):
        return "HDMBest"


HDMBest = HypergradientBest()
