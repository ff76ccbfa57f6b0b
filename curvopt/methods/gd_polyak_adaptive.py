r"""Gradient descent with long steps that the curvature along the last short step asks for.

A short step :math:`x^+ = x - \eta g`, with :math:`\eta = 1/L` and L measured as the run goes, also measures

.. math::  \kappa = \frac{\langle g - g^+, g\rangle}{\eta\, \|g\|^2},

the curvature along it. On a ravine where fun grows with order p the Polyak step a satisfies
:math:`a \kappa \to (p - 1)/p < 1`; away from it :math:`a \kappa` is large. So a long step is taken when
:math:`a \kappa \le c` or, since :math:`\theta/\kappa` is a long step too and needs no least value, when
:math:`\kappa` has stopped falling. The test has no dimension, knows no order, and replaces the step, the number of
short steps and the least value that GDPolyak has to be told.

References
----------
.. [1] D. Davis, D. Drusvyatskiy, L. Jiang, "Gradient descent with adaptive stepsize converges (nearly) linearly under
       fourth-order growth", Math. Program., 2025, arXiv:2409.19791.
.. [2] D. Davis, D. Drusvyatskiy, "A short proof of near-linear convergence of adaptive gradient descent under fourth-order
       growth and convexity", arXiv:2604.13393, 2026.
"""
import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._jit import kernel, routine
from .._method import Method
from .._oracle import gradient, start, value
from .._status import BAD_BOUND, RUNNING
from .._vectors import axpy_to, dot, norm
from ..linesearch.armijo import MAX_TRIALS, failure
from ..stepsize.polyak import (
    LONG,
    SHORT,
    UNDONE,
    contradicts,
    long_length,
    on_the_ravine,
    polyak_length,
    secant,
    tells_apart,
)

CURVATURE, ORDER4 = 0, 1
RULES = {"curvature": CURVATURE, "order4": ORDER4}
# The first step, relative to the start: a probe of the curvature. Measured: 1e-6 to 1e-1 change the counts by less than the
# 10 % that a change in the last bit does.
FIRST = 1e-2
SLACK = 4.0 * 2.0 ** -52    # a short step may raise fun by this much of |fun|: rounding


class Params(NamedTuple):
    rule: int
    bound: float        # f_star or f_lower; -inf: none
    eta: float          # fixed short step; 0: 1/L
    c: float
    theta: float
    delta: float
    gamma: float
    C: float


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    x_trial: np.ndarray
    g_trial: np.ndarray
    eta: float          # next short step
    L: float            # decaying maximum of the curvatures seen; 0 before the first
    kappa: float        # curvature along the last short step, NaN after a long one
    kappa_old: float    # and along the one before
    shrink: float       # 1, or 2^-k after k undone long steps in a row
    kind: float         # of the last step
    f0: float           # the first value: no long step may lead above it


@kernel
def first_step(x0, g):
    """A step that scales with x and fun. From x0 = 0 there is no scale of x to be had."""
    reach, steepness = norm(x0, 2), norm(g, 2)
    return FIRST * (reach if reach > 0.0 else 1.0) / steepness if steepness > 0.0 else 1.0


@routine
def init(oracle, x0, params):
    x, f, g = start(oracle, x0)
    flag = BAD_BOUND if contradicts(f, params.bound, f) else RUNNING
    eta = params.eta if params.eta > 0.0 else first_step(x, g)
    return State(x, f, g, eta, flag, np.empty_like(x0), np.empty_like(x0), eta, 0.0, math.nan, math.nan, 1.0, SHORT, f)


@kernel
def shorter(eta, curvature):
    """The next trial after a short step that raised fun: at most half as long."""
    return min(0.5 * eta, 1.0 / curvature) if curvature > 0.0 else 0.5 * eta


@kernel
def next_short(taken, eta, L, seen, gamma):
    """(L, 1/L) after a short step `taken`, shortened from `eta` or not, that saw the curvature `seen`.

    Where no curvature was seen at all the next step is ten times as long.
    """
    if taken < eta:
        L = 1.0 / taken
    L = max(seen, gamma * L)
    return L, 1.0 / L if L > 0.0 and 1.0 / L < math.inf else 10.0 * taken


@routine
def short_step(oracle, x, f, g, eta, x_trial, g_trial):
    """Shorten the step until fun falls; leaves the point and its gradient in the trial buffers.

    At the first trial a rise within rounding passes if the slope is still downhill. Returns (f_new, eta, L, kappa, found).
    One value and one gradient a trial.
    """
    for trial in range(MAX_TRIALS):
        if not axpy_to(-eta, g, x, x_trial):
            break
        f_new = value(oracle, x_trial)
        if math.isfinite(f_new):
            gradient(oracle, x_trial, g_trial)
            L, kappa, forward = secant(g, g_trial, eta)
            if f_new < f or (trial == 0 and f_new <= f + SLACK * abs(f) and forward > 0.0):
                return f_new, eta, L, kappa, True
            eta = shorter(eta, L)
        else:
            eta = 0.25 * eta
    return f, eta, 0.0, 0.0, False


@routine
def fixed_step(oracle, x, f, g, eta, x_trial, g_trial):
    """The short step of a given length, whatever fun does; returns what `short_step` does."""
    axpy_to(-eta, g, x, x_trial)
    f_new = value(oracle, x_trial)
    if not math.isfinite(f_new):
        return f, eta, 0.0, 0.0, False
    gradient(oracle, x_trial, g_trial)
    L, kappa, _ = secant(g, g_trial, eta)
    return f_new, eta, L, kappa, True


@routine
def next_long(state, params):
    """(length, kind) of the long step that is due; (0, SHORT) where none is."""
    _, f, g, _, _, _, _, eta, _, kappa, kappa_old, shrink, kind, _ = state
    if params.rule == CURVATURE:
        length, kind = long_length(f, g, params.bound, eta, kappa, kappa_old, params.c, params.theta, params.delta)
        return shrink * length, kind
    if kind != UNDONE and tells_apart(f, params.bound) and on_the_ravine(f, g, params.bound, params.C):
        return shrink * polyak_length(f - params.bound, g), LONG
    return 0.0, SHORT


@routine
def step(oracle, state, params):
    x, f, g, _, _, x_trial, g_trial, eta, L, kappa, _, shrink, _, f0 = state
    alpha, kind = next_long(state, params)
    if alpha > 0.0:
        axpy_to(-alpha, g, x, x_trial)
        f_new = value(oracle, x_trial)
        if not f_new <= f0:     # NaN included
            return State(x, f, g, 0.0, RUNNING, x_trial, g_trial, eta, L, math.nan, math.nan, 0.5 * shrink, UNDONE, f0)
        gradient(oracle, x_trial, g_trial)
        flag = BAD_BOUND if contradicts(f_new, params.bound, f0) else RUNNING
        return State(x_trial, f_new, g_trial, alpha, flag, x, g, eta, L, math.nan, math.nan, 1.0, kind, f0)
    if params.eta > 0.0:
        f_new, alpha, seen, bend, found = fixed_step(oracle, x, f, g, params.eta, x_trial, g_trial)
    else:
        f_new, alpha, seen, bend, found = short_step(oracle, x, f, g, eta, x_trial, g_trial)
    if not found:
        flag = failure(f, -eta * dot(g, g))
        return State(x, f, g, 0.0, flag, x_trial, g_trial, eta, L, kappa, math.nan, shrink, SHORT, f0)
    L, eta = next_short(alpha, eta, L, seen, params.gamma)
    flag = BAD_BOUND if contradicts(f_new, params.bound, f0) else RUNNING
    return State(x_trial, f_new, g_trial, alpha, flag, x, g, eta, L, bend, kappa, shrink, SHORT, f0)


@routine
def report(state, row):
    row[0] = state.kind
    row[1] = state.kappa


@dataclass(frozen=True, repr=False)
class GDPolyakAdaptiveMethod(Method):
    """Short gradient steps, and a long one whenever the curvature along the last short step allows it. Nothing to tune.

    One value and one gradient an iteration, and one more of each where a short step is refused; four vectors. Not
    monotone: a long step may raise fun. The best point seen is returned.

    Parameters
    ----------
    f_star : float or None
        Least value of fun, where it is known. It is used only where the curvature confirms it.
    f_lower : float or None
        A lower bound for fun instead, used in the same way; one that is far too low costs nothing.
    rule : {"curvature", "order4"}
        When a long step is taken. ``"curvature"`` is our own test. ``"order4"`` asks for ||g|| <= C (f - f_star)^(3/4), a
        **reconstruction** of the rule of [2]_ from what is said about it: its exact test is not known to us. It needs
        `f_star`, is made for fourth-order growth only, and depends on the units of fun and x.
    c : float in (0, 2)
        A Polyak step a is taken when a kappa <= c. Below 2 the quadratic model along -g decreases; any value from 1.5 to
        1.9 does.
    theta : float in (0, 2)
        A step of theta / kappa is taken when kappa has stopped falling.
    delta : float in (0, 1)
        It has when kappa >= (1 - delta) times the one before.
    gamma : float in (0, 1]
        Decay of the curvature that the short steps 1/L are taken from. Measured: 0.95 is faster in the plane, 0.9 fails on
        some problems, 1 is twice as slow.
    C : float > 0
        For ``"order4"``: 4 is exact for u^4 along the ravine.
    eta : float or None
        A fixed short step; None, the default, measures 1/L.

    Raises
    ------
    ValueError
        When a value below ``f_star`` or ``f_lower`` is seen, by more than rounding.

    Notes
    -----
    With ``rule="curvature"`` and without ``eta`` the run is invariant under scaling of fun and, unless x0 = 0, of x: bit for
    bit under powers of two. Long steps may raise fun, in a steep ravine by orders of magnitude, and should: the next
    short steps take that back. One that finds no value, or leaves the level set of the start, is undone, and the next one
    is half as long; so all iterates stay in that level set. No theorem of convergence is known for this rule.

    The history column ``long_step`` is 0 for a short step, 1 for a Polyak step, 2 for theta / kappa, -1 for one undone;
    ``kappa`` is NaN after a long step.

    References
    ----------
    .. [1] D. Davis, D. Drusvyatskiy, L. Jiang, "Gradient descent with adaptive stepsize converges (nearly) linearly under
           fourth-order growth", Math. Program., 2025, arXiv:2409.19791.
    .. [2] D. Davis, D. Drusvyatskiy, "A short proof of near-linear convergence of adaptive gradient descent under
           fourth-order growth and convexity", arXiv:2604.13393, 2026.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.rosenbrock_quartic(a=10.0)
    >>> res = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method="gdpolyakadaptive",
    ...                        options={"gtol": 0, "ftarget": 1e-14})
    >>> res.success, res.nit < 200
    (True, True)
    """

    f_star: float = None
    f_lower: float = None
    rule: str = "curvature"
    c: float = 1.7
    theta: float = 1.0
    delta: float = 0.1
    gamma: float = 0.98
    C: float = 4.0
    eta: float = None

    columns: ClassVar = ("long_step", "kappa")
    cost: ClassVar = "1 f, 1 g"
    memory: ClassVar = "4"
    length: ClassVar = "eta"
    paper: ClassVar = "own, on arXiv:2409.19791"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)
    report: ClassVar = staticmethod(report)

    def validated(self):
        rule = _checks.choice("rule", self.rule, RULES)
        if self.f_star is not None and self.f_lower is not None:
            raise ValueError("give f_star or f_lower, not both")
        if rule == ORDER4 and self.f_star is None:
            raise ValueError('rule="order4" needs f_star, the least value of fun')
        name = "f_star" if self.f_lower is None else "f_lower"
        bound = getattr(self, name)
        return Params(
            rule, -math.inf if bound is None else _checks.finite(name, bound),
            0.0 if self.eta is None else _checks.positive("eta", self.eta),
            _checks.in_open_interval("c", self.c, 0.0, 2.0), _checks.in_open_interval("theta", self.theta, 0.0, 2.0),
            _checks.in_open_interval("delta", self.delta, 0.0, 1.0),
            _checks.in_interval("gamma", _checks.positive("gamma", self.gamma), 0.0, 1.0),
            _checks.positive("C", self.C),
        )

    @property
    def name(self):
        return "GDPolyakAdaptive"


GDPolyakAdaptive = GDPolyakAdaptiveMethod()
