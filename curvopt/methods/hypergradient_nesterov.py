r"""Hypergradient descent with Nesterov's acceleration: a learned step where it wins, a gradient step where it does not.

.. math::  a = \frac{1 + \sqrt{1 + 4 L A}}{2 L}, \quad y = x + \frac{a}{A + a}(z - x), \quad g = \nabla f(y), \quad
           x^+ = \text{best of } \{y - P g,\ y - g/L,\ x\}, \quad z^+ = z - a g, \quad A^+ = A + a

Whatever P is, :math:`A (f(x) - f^*) + \tfrac12 \|z - x^*\|^2` does not grow on a convex f as long as x+ attains the decrease
||g||^2 / (2 L) from y. Hence f(x_K) - f* <= ||x_0 - x*||^2 / (2 A_K), and 2 L ||x_0 - x*||^2 / K^2 where L is constant.
With restarts the momentum (A and z) begins where learned steps without it have become slow.

References
----------
.. [1] Y.-C. Chu, W. Gao, Y. Ye, M. Udell, "Provable and Practical Online Learning Rate Adaptation with Hypergradient
       Descent", arXiv:2502.11229, 2025; and the authors' MATLAB code of arXiv:2411.01803.
.. [2] B. O'Donoghue, E. Candes, "Adaptive Restart for Accelerated Gradient Schemes", Found. Comput. Math. 15, 2015.
"""
import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._jit import kernel, routine
from .._method import Method
from .._oracle import gradient, start, value
from .._status import RUNNING, STEP_FAILED
from .._stopping import NOISE
from .._vectors import axpy_to, copy_to, dot, norm_inf, same
from ..stepsize.curvature import FIRST_TRIALS, PROBES, curvature_of_step, largest_curvature, probed_curvature
from ..stepsize.hypergradient import (
    ADAGRAD,
    DIAGONAL,
    LEAST_LEFT,
    fill,
    learn,
    minimizer_along,
    move,
    shrink,
    smallest_and_largest,
    turn,
)
from ..stepsize.plain_steps import Plain, curvature_left, first_plain_steps, freed, paying, plain_steps, seen_along
from ..stepsize.secant_points import better

GROWTH, SHRINK = 2.0, 0.9   # of L, where the promised decrease fails and where it is surpassed; 1/2 wastes every other step
NONFINITE_SHRINK = 0.1      # ours: P after a trial without a finite value
L_MAX = 1e250
PATIENCE = 2                # ours: that of HDM, for the steps without momentum


class Params(NamedTuple):
    lr: float       # 0: 1/L
    L: float        # 0: estimated, and adapted
    restart: bool


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    z: np.ndarray
    y: np.ndarray
    g_y: np.ndarray
    trial: np.ndarray
    g_trial: np.ndarray
    p: np.ndarray
    acc: np.ndarray     # AdaGrad's sums of squares
    lr: float
    L: float
    A: float
    kind: int           # of the last step: 2 learned, 1 gradient, 0 none
    plain: Plain        # whether there is no momentum


@routine
def init(oracle, x0, params):
    x, f, g = start(oracle, x0)
    return State(x, f, g, 0.0, RUNNING, x0.copy(), np.empty_like(x0), np.empty_like(x0), np.empty_like(x0), np.empty_like(x0),
                 np.zeros_like(x0), np.zeros_like(x0), 0.0, params.L, 0.0, 2, plain_steps(params.restart, g))


@routine
def begin(oracle, state, params):
    """(lr, L, plain) at the first step, and p. Gradients only where L is not given."""
    x, g, trial, g_trial, p, plain = state.x, state.g, state.trial, state.g_trial, state.p, state.plain
    L = along = params.L
    if L == 0.0 and plain.on:
        L, along = probed_curvature(oracle, x, g, trial, g_trial)
    elif L == 0.0:
        L = along = largest_curvature(oracle, x, g, PROBES, state.y, trial, g_trial)
    lr, factor, first = 1.0 / L, L / along, FIRST_TRIALS if params.L == 0.0 else 0
    if params.lr > 0.0:
        lr, factor, first = params.lr, 1.0, 0
    learn(ADAGRAD, DIAGONAL, p, state.acc, g, g, dot(g, g), lr, 0.0, 0.0, math.inf)   # P = 0 would try x itself
    shrink(p, factor)
    return lr, L, first_plain_steps(plain, L, first)


@kernel
def weight(L, A):
    """The a with a^2 L = A + a."""
    return (1.0 + math.sqrt(1.0 + 4.0 * L * A)) / (2.0 * L)


@kernel
def between(x, z, t, y):
    """Write x + t (z - x)."""
    for i in range(x.size):
        y[i] = x[i] + t * (z[i] - x[i])


@kernel
def adapted(L, decrease, gg):
    """L for the next iteration, after a step that brought `decrease`: the least it allows, but no less than SHRINK L."""
    return max(SHRINK * L, min(L, 0.5 * gg / decrease)) if decrease > 0.0 else L


@routine
def extrapolate(oracle, x, f, g, z, t, y, g_y):
    """Go to y; return (f(y), ||grad f(y)||^2, not finite where there is none, whether y is x)."""
    between(x, z, t, y)
    if same(y, x):
        copy_to(g, g_y)
        return f, dot(g, g), True
    f_y = value(oracle, y)
    if not math.isfinite(f_y):
        return f_y, math.inf, False
    gradient(oracle, y, g_y)
    return f_y, dot(g_y, g_y), False


@routine
def gradient_step(oracle, L, g_y, y, trial, g_trial, f_new, alpha):
    """The second candidate, which takes the place of y, and of the first where it is better: (f, step, kind)."""
    axpy_to(-1.0 / L, g_y, y, y)
    f_plain = value(oracle, y)
    if not f_plain <= f_new:
        return f_new, alpha, 2
    copy_to(y, trial)
    gradient(oracle, trial, g_trial)
    return f_plain, 1.0 / L, 1


@routine
def step(oracle, state, params):
    x, f, g, _, _, z, y, g_y, trial, g_trial, p, acc, lr, L, A, _, plain = state
    if lr == 0.0:
        lr, L, plain = begin(oracle, state, params)
    if plain.on:
        copy_to(x, z)
        plain = paying(plain, g)
        if not plain.on:    # the momentum starts from the P of gradient descent
            if params.L == 0.0:
                L = curvature_left(plain, lr)
            lr = 1.0 / L
            fill(DIAGONAL, x.size, lr, p)
    a = weight(L, A)
    f_y, gg, known = extrapolate(oracle, x, f, g, z, a / (A + a), y, g_y)
    if not math.isfinite(gg):           # z has run away: start the momentum again
        copy_to(x, z)
        return State(x, f, g, 0.0, STEP_FAILED if known else RUNNING, z, y, g_y, trial, g_trial, p, acc, lr, L, 0.0, 0, plain)
    alpha, kind, promised = move(DIAGONAL, p, g_y, y, trial), 2, f_y - 0.5 * gg / L + NOISE * abs(f_y)
    f_new = value(oracle, trial)
    usable = math.isfinite(f_new)
    if usable:
        gradient(oracle, trial, g_trial)
        usable = learn(ADAGRAD, DIAGONAL, p, acc, g_y, g_trial, gg, lr, LEAST_LEFT if plain.on else 0.0, 0.0, math.inf)
    if not usable:
        shrink(p, NONFINITE_SHRINK)
        f_new = math.inf
    if plain.on:
        if f_new <= f:
            lr, plain = seen_along(plain, lr, curvature_of_step(y, trial, g_y, g_trial)[0])
        best = minimizer_along(y, trial, g_y, g_trial) if usable else 1.0
        lr, plain = freed(p, acc, lr, f_new <= f, turn(g_y, g_trial), best, plain, PATIENCE)
    if not (plain.on or f_new <= promised):
        f_new, alpha, kind = gradient_step(oracle, L, g_y, y, trial, g_trial, f_new, alpha)
    kept = plain.on or f_new <= promised or params.L > 0.0 or L >= L_MAX
    if not kept:                        # a lower f at the same A and z keeps the potential: x may move all the same
        L *= GROWTH
    elif not plain.on:
        axpy_to(-a, g_y, z, z)
        A += a
    if kept and params.L == 0.0 and not plain.on:
        L = adapted(L, f_y - f_new, gg)
    if better(f_new, f, norm_inf(g_trial), norm_inf(g)):
        return State(trial, f_new, g_trial, alpha, RUNNING, z, y, g_y, x, g, p, acc, lr, L, A, kind, plain)
    if kept and params.restart and not plain.on:
        A, plain = 0.0, plain_steps(True, g)
    return State(x, f, g, 0.0, RUNNING, z, y, g_y, trial, g_trial, p, acc, lr, L, A, 0, plain)


@routine
def report(state, row):
    row[0], row[1] = smallest_and_largest(state.p)
    row[2] = state.L
    row[3] = state.kind


@dataclass(frozen=True, repr=False)
class HypergradientNesterov(Method):
    """Nesterov's acceleration with a learned diagonal step (HDMNesterov).

    Two gradients and two values an iteration; where the learned step does not keep what a gradient step promises, one
    value and, if that is better, one gradient more. One of each without momentum. One gradient more in the first where `L`
    is not given (three without restarts). Holds nine vectors.

    Parameters
    ----------
    lr : float > 0, or None
        AdaGrad's learning rate for P, a length for P. None: 1/L, with L from the start and again where the momentum begins.
    L : float > 0, or None
        Lipschitz constant of the gradient; the bound 2 L ||x_0 - x*||^2 / K^2 holds for any that is large enough. None:
        estimated at the start, and from the last steps without momentum where that begins; then doubled where the decrease it
        promises fails, and at most a tenth less where there is more.
    restart : bool
        Give the momentum up where it brings no decrease [2]_, and take learned steps as `HDM` does, the first time from the
        start on, until ten of them have not halved ||g||. Makes the method linear on strongly convex functions, and the
        bound one of the time since the momentum began.

    Notes
    -----
    Deviations from [1]_. The z-step of the authors' code is 2 a h_y(P) g after a learned step, for which no potential
    decreases when h varies from step to step. Here it is a g with the a that L allows, and L adapts: the decrease of
    learned steps shortens L, and so lengthens a, from the next iteration on, with the bound ||x_0 - x*||^2 / (2 A) intact.
    The third candidate x, and with it a monotone f, is ours as well, and so are the steps without momentum: an iteration
    with it costs twice as much and brings nothing at first.

    References
    ----------
    .. [1] Y.-C. Chu, W. Gao, Y. Ye, M. Udell, arXiv:2502.11229, 2025; code of arXiv:2411.01803.
    .. [2] B. O'Donoghue, E. Candes, Found. Comput. Math. 15, 2015.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.quadratic([1.0, 10.0, 100.0])
    >>> res = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method=curvopt.HDMNesterov)
    >>> res.success, bool(res.fun < 1e-9)
    (True, True)
    """

    lr: float = None
    L: float = None
    restart: bool = True

    columns: ClassVar = ("p_min", "p_max", "L", "kind")
    monotone: ClassVar = True
    cost: ClassVar = "2-3 f, 2-3 g"
    memory: ClassVar = "9"
    paper: ClassVar = "arXiv:2502.11229"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)
    report: ClassVar = staticmethod(report)

    def validated(self):
        return Params(0.0 if self.lr is None else _checks.positive("lr", self.lr),
                      0.0 if self.L is None else _checks.positive("L", self.L), bool(self.restart))

    @property
    def name(self):
        return "HDMNesterov"


HDMNesterov = HypergradientNesterov()
