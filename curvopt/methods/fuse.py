r"""FUSE: every step a blend of Adam's and of L-BFGS's, both from the same point.

.. math::  x^+ = \theta_k\, x_A + (1 - \theta_k)\, x_L, \qquad
           x_A = \text{Adam step from } x, \quad x_L = x - \alpha H g \text{ with } \alpha \text{ by a Wolfe search},

with a weight that falls from 1 (Adam) to 0 (L-BFGS). The pair s = x+ - x, y = g+ - g of the blended step goes into the
memory of H.

References
----------
.. [1] Z. Jiang, M. Z. Hasan, A. Balu, J. R. Waite, G. Huang, S. Sarkar, "FUSE: First-Order and Second-Order Unified
       SynthEsis in Stochastic Optimization", arXiv:2503.04204, 2025. Algorithm 3.
"""
import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._jit import kernel, routine
from .._method import Method
from .._oracle import gradient, value
from .._status import RUNNING
from .._vectors import norm_inf
from ..directions.inverse_hessian import forget, learn_step
from ..directions.moments import moments_step, update_moments
from ..linesearch.wolfe import FAILED, search, strong_wolfe
from . import adam, lbfgs, quasi_newton

CONSTANT, LINEAR, GEOMETRIC = range(3)
RULES = {"constant": CONSTANT, "linear": LINEAR, "geometric": GEOMETRIC}
NEGLIGIBLE = 1e-3       # a geometric weight below this counts as 0, so that Adam's half is not paid for ever; ours


class Params(NamedTuple):
    rule: int
    rate: float         # theta, the length of the ramp, or the ratio
    adam: adam.Params
    newton: quasi_newton.Params


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    theta: float            # weight of the last step
    k: int                  # steps so far
    adam: adam.State
    newton: quasi_newton.State
    x_blend: np.ndarray
    g_blend: np.ndarray


@routine
def init(oracle, x0, params):
    first = adam.init(oracle, x0, params.adam)
    second = quasi_newton.begin(first.x.copy(), first.f, first.g.copy(), params.newton)
    return State(first.x, first.f, first.g, 0.0, RUNNING, 1.0, 0, first, second, np.empty_like(x0), np.empty_like(x0))


@routine
def scheduled(k, params):
    """theta of step k = 0, 1, 2, ..."""
    if params.rule == CONSTANT:
        return params.rate
    if params.rule == LINEAR:
        return max(0.0, 1.0 - k / params.rate)
    theta = math.exp(k * math.log(params.rate))
    return theta if theta > NEGLIGIBLE else 0.0


@kernel
def blend(theta, x_adam, x_newton, out):
    for i in range(out.size):
        out[i] = theta * x_adam[i] + (1.0 - theta) * x_newton[i]


def make_step(weight):
    """The step whose weight is weight(k, params); compiled where `weight` can be."""
    def step(oracle, state, params):
        x, f, g, _, _, last, k, first, second, x_blend, g_blend = state
        theta = weight(k, params)
        if theta <= 0.0:
            second = quasi_newton.step(oracle, second, params.newton)
            return State(second.x, second.f, second.g, second.alpha, second.flag, 0.0, k + 1, first, second,
                         x_blend, g_blend)
        if last <= 0.0:
            first = adam.moved(first, x, f, g)
        if theta >= 1.0:
            first = adam.step(oracle, first, params.adam)
            second = follow(second, first.x, first.f, first.g, second.K)
            return State(first.x, first.f, first.g, first.alpha, first.flag, 1.0, k + 1, first, second, x_blend, g_blend)
        return blended_step(oracle, x, f, g, k, first, second, x_blend, g_blend, params, theta)

    return step


step = routine(make_step(scheduled))


@routine
def blended_step(oracle, x, f, g, k, first, second, x_blend, g_blend, params, theta):
    decay1, decay2 = first.decay1 * params.adam.beta1, first.decay2 * params.adam.beta2
    update_moments(g, params.adam.beta1, params.adam.beta2, first.m, first.v)
    moments_step(x, first.m, first.v, first.lr, first.eps, decay1, decay2, params.adam.form == adam.PAPER, first.x_trial)
    first = adam.State(first.x, f, first.g, first.alpha, RUNNING, first.m, first.v, first.x_trial, first.g_trial,
                       first.lr, first.eps, decay1, decay2)

    slope, alpha = quasi_newton.descent(second.inverse, g, second.d, second.length)
    rule = strong_wolfe(params.newton.c1, params.newton.c2)
    t, f_new, _, outcome, K, g_newton, _ = search(
        oracle, x, f, second.d, slope, alpha, math.nan, rule, second.K, 0.0, second.room, second.x_trial, second.g_trial,
        second.g_spare)
    x_newton = second.x_trial
    if outcome == FAILED:
        forget(second.inverse)
        x_newton = x
    blend(theta, first.x_trial, x_newton, x_blend)
    f_blend = value(oracle, x_blend)
    finite = math.isfinite(f_blend)
    if finite:
        gradient(oracle, x_blend, g_blend)
        finite = math.isfinite(norm_inf(g_blend))
    if finite:
        first = adam.moved(first, x_blend, f_blend, g_blend)
        second = follow(second, x_blend, f_blend, g_blend, K)
    elif outcome == FAILED:
        first = adam.restart(first, x, f, g, 0.5 * first.lr, params.adam)
        theta, t = 1.0, 0.0
    else:
        first = adam.moved(first, x_newton, f_new, g_newton)
        second = follow(second, x_newton, f_new, g_newton, K)
        theta = 0.0
    return State(second.x, second.f, second.g, t, RUNNING, theta, k + 1, first, second, x_blend, g_blend)


@routine
def follow(second, x, f, g, K):
    """The second half at the point of the step, with its pair stored if it is fit to be one."""
    _, ss = learn_step(second.inverse, x, second.x, g, second.g, 0.0)
    return quasi_newton.moved(second, x, f, g, math.sqrt(ss) if 0.0 < ss < math.inf else second.length, K)


@routine
def report(state, row):
    row[0] = state.theta


@dataclass(frozen=True, repr=False)
class FuseMethod(Method):
    """FUSE: Adam's and L-BFGS's steps blended, with a weight that falls from 1 to 0.

    While both halves have a weight an iteration costs 2.3 values and gradients: one at the blend and those of the search.
    A half whose weight is 0 is left out, so that theta = 1 is `Adam` and theta = 0 is `LBFGS`, bit for bit and call for
    call. The history has the weight in the column ``theta``.

    Parameters
    ----------
    schedule : ("linear", K), ("geometric", r), float in [0, 1], or callable
        The weight theta_k of Adam in step k = 0, 1, 2, ...: max(0, 1 - k/K) with K >= 1, r^k with 0 < r < 1 (a weight
        below 1e-3 counts as 0), a constant, or ``schedule(k) -> float in [0, 1]``. The paper gives no formula; K = 100
        is 5 % of 2000 iterations.
    lr : float > 0
        Learning rate of the Adam half, whose other settings are the defaults of `Adam`.
    m : int >= 1
        Pairs of the L-BFGS half.

    Notes
    -----
    Deviations from [1]_, of which the schedule and the line search are not known exactly. (i) The search is that of
    `LBFGS`. (ii) The Wolfe conditions hold at x_L and not at the blend, so s'y > 0 is not guaranteed; a pair without it
    is not stored. (iii) A search that finds nothing stands for x_L = x and clears the memory. (iv) Where the blend is not
    finite, the step is the one of L-BFGS; without one, the learning rate is halved as in `Adam`.

    With a schedule that is a Python function the loop runs interpreted.

    References
    ----------
    .. [1] Z. Jiang et al., "FUSE: First-Order and Second-Order Unified SynthEsis in Stochastic Optimization",
           arXiv:2503.04204, 2025. Algorithm 3.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.rosenbrock(10)
    >>> res = curvopt.minimize(p.fun, p.x0, jac=p.jac, method=curvopt.FUSE.replace(schedule=("linear", 20)))
    >>> res.success
    True
    """

    schedule: object = ("linear", 100)
    lr: float = 1e-2
    m: int = 30

    columns: ClassVar = ("theta",)
    cost: ClassVar = "2.3 f, 2.3 g"
    memory: ClassVar = "2m + 17"
    paper: ClassVar = "arXiv:2503.04204"
    init: ClassVar = staticmethod(init)
    report: ClassVar = staticmethod(report)

    def validated(self):
        rule, rate = (CONSTANT, 0.0) if callable(self.schedule) else checked_schedule(self.schedule)
        return Params(rule, rate, adam.Adam.replace(lr=self.lr).params, lbfgs.LBFGS.replace(m=self.m).params)

    @property
    def step(self):
        return make_step(asked(self.schedule)) if callable(self.schedule) else step

    @property
    def interpreted_only(self):
        return "the schedule is a Python function" if callable(self.schedule) else ""

    @property
    def name(self):
        return "FUSE"


def checked_schedule(schedule):
    """(rule, rate) of a schedule that is not a function."""
    if not isinstance(schedule, (tuple, list)):
        return CONSTANT, _checks.in_interval("schedule (a constant weight theta)", schedule, 0.0, 1.0)
    if len(schedule) != 2:
        raise ValueError(f"schedule must be a pair such as ('linear', 100), a number or a function; got {schedule!r}")
    rule = _checks.choice("the first part of schedule", schedule[0], RULES)
    if rule == LINEAR:
        return rule, float(_checks.count("K in schedule ('linear', K)", schedule[1], 1))
    if rule == GEOMETRIC:
        return rule, _checks.in_open_interval("r in schedule ('geometric', r)", schedule[1], 0.0, 1.0)
    return rule, _checks.in_interval("theta in schedule ('constant', theta)", schedule[1], 0.0, 1.0)


def asked(schedule):
    """The weight that the user's function gives."""
    def weight(k, params):
        return _checks.in_interval(f"schedule({k})", schedule(k), 0.0, 1.0)

    return weight


FUSE = FuseMethod()
