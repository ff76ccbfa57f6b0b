r"""Hypergradient descent: gradient steps whose learning rate, or preconditioner, is learned as the run goes.

.. math::  x^{+} = x - P g \ \text{ where that is no worse than } x, \qquad
           P^{+} = \Pi\,[\,P - \eta\,\nabla h(P)\,], \qquad h(P) = \frac{f(x - P g) - f(x)}{\|g\|^2}

The trial's own gradient is the hypergradient (`stepsize.hypergradient`), so that learning costs no evaluation. P is
updated on a null step as well, which is what makes the next trial another one.

References
----------
.. [1] Y.-C. Chu, W. Gao, Y. Ye, M. Udell, "Provable and Practical Online Learning Rate Adaptation with Hypergradient
       Descent", arXiv:2502.11229, 2025.
.. [2] W. Gao, Y.-C. Chu, Y. Ye, M. Udell, "Gradient Methods with Online Scaling", arXiv:2411.01803, 2024.
"""
import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._jit import routine
from .._method import Method
from .._oracle import gradient, start, value
from .._status import RUNNING, TARGET
from .._vectors import axpy_to, dot, norm_inf
from ..stepsize.curvature import FIRST_TRIALS, curvature_of_step, probed_curvature
from ..stepsize.hypergradient import (
    FULL,
    LEARNERS,
    LEAST_LEFT,
    MIRROR,
    SHAPES,
    fill,
    learn,
    lowered_rate,
    minimizer_along,
    move,
    natural_rate,
    next_bound,
    rescued,
    shrink,
    size_of,
    smallest_and_largest,
    stretch,
    turn,
)
from ..stepsize.secant_points import better

VALUE, RATIO = range(2)
FEEDBACKS = {"value": VALUE, "ratio": RATIO}
NONFINITE_SHRINK = 0.1  # ours: P after a trial without a finite value
LARGEST_FULL = 4096     # variables; two n x n matrices are then 268 MB


class Params(NamedTuple):
    feedback: int
    shape: int
    learner: int
    lr: float           # 0: from the curvature at the start
    p0: float           # nan: 0, or from the curvature at the start under mirror descent
    lower: float
    upper: float
    null_step: bool
    lookahead: float
    prescient: bool
    f_star: float       # nan: a lower bound that adapts
    patience: int


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    x_trial: np.ndarray
    g_trial: np.ndarray
    p: np.ndarray       # P: 1, n or n^2 entries
    acc: np.ndarray     # AdaGrad's sums of squares, as P
    lr: float
    upper: float        # of every entry of P, or of their sum under mirror descent
    z: float            # lower bound of f, for the ratio feedback
    gap: float          # between f and z when z was last set
    k: int              # iterations
    nulls: int          # null steps in a row
    run: int            # accepted steps in a row that were far too short, or, below zero, far too long
    curvature: float    # the largest of the first trials


@routine
def init(oracle, x0, params):
    n = x0.size
    if params.shape == FULL and n > LARGEST_FULL:
        raise ValueError(f"shape='full' would hold two n x n matrices, {16 * n * n // 1000000} MB for n = {n}; "
                         f"use shape='diagonal' above n = {LARGEST_FULL}")
    x, f, g = start(oracle, x0)
    size, z, gap = size_of(params.shape, n), params.f_star, 0.0
    if params.feedback == RATIO and not math.isnan(params.f_star):
        z, gap = next_bound(z, gap, f, params.f_star, 0)
    flag = TARGET if params.feedback == RATIO and f <= params.f_star else RUNNING    # a least value
    return State(x, f, g, 0.0, flag, np.empty_like(x0), np.empty_like(x0), np.zeros(size), np.zeros(size),
                 params.lr, params.upper, z, gap, 0, 0, 0, 0.0)


@routine
def begin(oracle, state, params):
    """(lr, upper, z, gap, curvature) at the first step, and P. One gradient where one of them asks for the curvature."""
    f, g, p, upper, z, gap = state.f, state.g, state.p, state.upper, state.z, state.gap
    ratio, mirror = params.feedback == RATIO, params.learner == MIRROR
    adaptive = ratio and math.isnan(params.f_star)
    lr, p0, curvature, along = params.lr, params.p0, 0.0, 0.0
    if lr == 0.0 or adaptive or (mirror and math.isnan(p0)):
        curvature, along = probed_curvature(oracle, state.x, g, state.x_trial, state.g_trial)
    if lr == 0.0:
        lr = natural_rate(params.learner, params.shape, g.size, curvature, ratio)
    if math.isnan(p0):
        p0 = 1.0 / curvature if mirror else min(max(0.0, params.lower), params.upper)
    fill(params.shape, g.size, p0, p)
    if mirror:
        upper = p0 * p.size
    if adaptive:
        gap = dot(g, g) / along
        z = f - gap
    if math.isnan(params.p0) and p0 == 0.0:     # the trial would be x itself, where everything is known
        learn(params.learner, params.shape, p, state.acc, g, g, f - z if ratio else dot(g, g), lr, 0.0, params.lower, upper)
        if params.lr == 0.0:
            stretch(p, curvature / along, params.lower, upper)
    return lr, upper, z, gap, curvature


@routine
def learned(params, state, lr, upper, k, divisor):
    """Update P from the trial's gradient; False where that is not finite."""
    lr = lr / math.sqrt(k + 1.0) if params.learner == MIRROR else lr
    return learn(params.learner, params.shape, state.p, state.acc, state.g, state.g_trial, divisor, lr,
                 LEAST_LEFT if params.patience > 0 else 0.0, params.lower, upper)


@routine
def step(oracle, state, params):
    x, f, g, _, _, x_trial, g_trial, p, acc, lr, upper, z, gap, k, nulls, run, curvature = state
    if k == 0:
        lr, upper, z, gap, curvature = begin(oracle, state, params)
    divisor = f - z if params.feedback == RATIO else dot(g, g)
    if params.prescient:
        move(params.shape, p, g, x, x_trial)
        gradient(oracle, x_trial, g_trial)
        learned(params, state, lr, upper, k, divisor)
    alpha = move(params.shape, p, g, x, x_trial)
    f_trial = value(oracle, x_trial)
    usable = math.isfinite(f_trial)
    if usable:
        gradient(oracle, x_trial, g_trial)
        if not params.prescient:
            usable = learned(params, state, lr, upper, k, divisor)
    if params.lookahead > 0.0 and usable:
        axpy_to(-params.lookahead, g_trial, x_trial, x_trial)
        f_trial = value(oracle, x_trial)
        gradient(oracle, x_trial, g_trial)
    if not usable:
        shrink(p, NONFINITE_SHRINK)
    if params.feedback == RATIO:
        z, gap = next_bound(z, gap, f_trial if f_trial < f else f, params.f_star, k)
    accepted = f_trial == -math.inf or (usable and math.isfinite(f_trial) and (
        not params.null_step or better(f_trial, f, norm_inf(g_trial), norm_inf(g))))
    if k < FIRST_TRIALS and accepted and params.lr == 0.0 and params.lookahead == 0.0:
        lr, curvature = lowered_rate(params.learner, lr, curvature, curvature_of_step(x, x_trial, g, g_trial)[0],
                                     params.feedback == RATIO)
    turned = turn(g, g_trial) if params.lookahead == 0.0 and params.learner != MIRROR else 0
    best = minimizer_along(x, x_trial, g, g_trial) if usable else 1.0
    rate, nulls, run = rescued(p, acc, lr, accepted, turned, best, nulls, run, params.patience, params.lower, upper)
    lr = lr if params.learner == MIRROR else rate
    if accepted:
        flag = TARGET if params.feedback == RATIO and f_trial <= params.f_star else RUNNING
        return State(x_trial, f_trial, g_trial, alpha, flag, x, g, p, acc, lr, upper, z, gap, k + 1, nulls, run, curvature)
    return State(x, f, g, 0.0, RUNNING, x_trial, g_trial, p, acc, lr, upper, z, gap, k + 1, nulls, run, curvature)


@routine
def report(state, row):
    row[0], row[1] = smallest_and_largest(state.p)
    row[2] = 1.0 if state.nulls == 0 else 0.0


@dataclass(frozen=True, repr=False)
class HypergradientDescent(Method):
    """Hypergradient descent (HDM), and with the ratio feedback (HDMRatio).

    One value and one gradient an iteration, and one gradient more in the first where `lr` is not given. Holds six vectors
    with a diagonal P, four with a scalar, two n x n matrices more with a full one.

    Parameters
    ----------
    feedback : {"value", "ratio"}
        What P is judged by: the decrease over ||g||^2, or (f(x - P g) - z) / (f(x) - z) with a lower bound z of f.
    shape : {"diagonal", "scalar", "full"}
        Pattern of P. ``"full"`` is neither symmetric nor definite, and is refused for n > 4096.
    learner : {"adagrad", "ogd", "mirror"}
        AdaGrad by entries; projected gradient descent; multiplicative updates with a bounded sum (not for a full P).
    lr : float > 0, or None
        Learning rate of P. None, with L the largest curvature that a probe along the first gradient and the first three
        steps show: 1/L; 1/(n L) for a full P; 1 under mirror descent; 1/(2 L^2) for OGD on ratios. OGD needs lr < 2/L or an
        upper bound.
    p0 : float >= 0, or None
        P starts at p0 times the identity. None: from what it would learn in the first trial with p0 = 0 of [1]_, which is x
        itself; where lr is None as well, scaled to the minimizer along -g that the probe predicts; under mirror descent
        1/L. There the sum of the entries never exceeds that at the start.
    p_bounds : (float, float), or None
        Box for the entries of P. None: (0, inf), and no bounds for a full P. Ignored by mirror descent.
    null_step : bool
        Stay where the trial is worse. Without it f may rise for a long time before it falls.
    lookahead : float >= 0
        Length of one more gradient step from the trial point, with its own value and gradient; 1/L makes OGD's regret constant.
    order : {"classic", "prescient"}
        ``"prescient"`` learns first and then steps with the new P: one more gradient.
    f_star : float, or None
        Lower bound of f for the ratio feedback; a point with this value ends the run (TARGET). None: one that adapts.
    patience : int >= 0
        From this many steps in a row that were null, far too short (the gradient turns by less than 60 degrees) or far too
        long (more than 120), P and lr go to the minimizer of the parabola along the step, by factors in [0.1, 0.5],
        [1.25, 10], [0.5, 1] (not under mirror descent, but for null steps), and after null steps AdaGrad forgets. No
        update takes more than nine tenths of an entry. 0: none of that, as in [1]_.

    Raises
    ------
    ValueError
        From a solve: if `fun` falls below `f_star`, or n is too large for a full P.

    Notes
    -----
    Deviations from [1]_ and [2]_. (i) A trial is accepted where f is equal, and within ten rounding errors of f where its
    gradient is smaller; a strict test stalls near the rounding level of f. (ii) No constant is added to the divisor or to
    AdaGrad's root, so that f -> c f changes nothing. (iii) After a trial without finite value P shrinks tenfold. (iv)
    `patience`: AdaGrad never forgets a bad trial, whose hypergradient can be larger than all others by orders of magnitude:
    P is then frozen, and every trial fails, or P is zero every other time. And it moves P by lr at a time, where the scale
    that P needs may change by orders of magnitude. The regret bounds hold without it. (v) The adaptive bound starts at
    f - ||g||^2 / L, goes twice as far below f when it is passed, and halves its distance to f every three iterations.
    The authors' uses absolute constants and only ever goes down. (vi) p0 and lr where they are not given.

    References
    ----------
    .. [1] Y.-C. Chu, W. Gao, Y. Ye, M. Udell, arXiv:2502.11229, 2025.
    .. [2] W. Gao, Y.-C. Chu, Y. Ye, M. Udell, arXiv:2411.01803, 2024.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.quadratic([1.0, 10.0, 100.0])
    >>> curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method=curvopt.HDM).success
    True
    """

    feedback: str = "value"
    shape: str = "diagonal"
    learner: str = "adagrad"
    lr: float = None
    p0: float = None
    p_bounds: tuple = None
    null_step: bool = True
    lookahead: float = 0.0
    order: str = "classic"
    f_star: float = None
    patience: int = 2

    columns: ClassVar = ("p_min", "p_max", "accepted")
    cost: ClassVar = "1 f, 1 g"
    memory: ClassVar = "6"
    paper: ClassVar = "arXiv:2502.11229, 2411.01803"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)
    report: ClassVar = staticmethod(report)

    def validated(self):
        shape = _checks.choice("shape", self.shape, SHAPES)
        learner = _checks.choice("learner", self.learner, LEARNERS)
        if learner == MIRROR and shape == FULL:
            raise ValueError("learner='mirror' keeps P positive entry by entry and needs a scalar or diagonal shape")
        lower, upper = self.box(shape)
        p0 = math.nan if self.p0 is None else _checks.non_negative("p0", self.p0)
        if learner == MIRROR and p0 == 0.0:
            raise ValueError("p0 must be positive for learner='mirror', which multiplies")
        if learner != MIRROR and not math.isnan(p0) and not lower <= p0 <= upper:
            raise ValueError(f"p0 must lie within p_bounds ({lower:g}, {upper:g}), got {self.p0!r}")
        return Params(
            _checks.choice("feedback", self.feedback, FEEDBACKS), shape, learner,
            0.0 if self.lr is None else _checks.positive("lr", self.lr), p0, lower, upper,
            bool(self.null_step), _checks.non_negative("lookahead", self.lookahead),
            _checks.choice("order", self.order, {"classic": False, "prescient": True}),
            math.nan if self.f_star is None else _checks.finite("f_star", self.f_star),
            _checks.count("patience", self.patience),
        )

    def box(self, shape):
        """(lower, upper) for the entries of P."""
        if self.p_bounds is None:
            return (-math.inf if shape == FULL else 0.0), math.inf
        return _checks.interval("p_bounds", self.p_bounds)

    @property
    def monotone(self):
        return self.null_step

    @property
    def name(self):
        return "HDM" if self.feedback == "value" else "HDMRatio"


HDM = HypergradientDescent()
HDMRatio = HypergradientDescent(feedback="ratio")
