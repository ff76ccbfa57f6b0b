r"""Nesterov's accelerated gradient, with the strongly convex momentum or the sequence t_k and restarts.

.. math::  w_{k+1} = x_k - \alpha\,\nabla f(x_k), \qquad  x_{k+1} = w_{k+1} + \beta_k\,(w_{k+1} - w_k)

References
----------
.. [1] Y. Nesterov, "A method for solving the convex programming problem with convergence rate O(1/k^2)", Soviet Math.
       Dokl. 27, 1983.
.. [2] Y. Nesterov, "Introductory Lectures on Convex Optimization", 2004, section 2.2.
.. [3] B. O'Donoghue, E. Candes, "Adaptive restart for accelerated gradient schemes", Found. Comput. Math. 15, 2015.
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

NEVER, ON_GRADIENT, ON_VALUE = range(3)
RESTARTS = {None: NEVER, "gradient": ON_GRADIENT, "function": ON_VALUE}


class Params(NamedTuple):
    lr: float
    momentum: float         # of the strongly convex form; 0: by the sequence t_k
    restart: int


class State(NamedTuple):
    x: np.ndarray           # the extrapolated point, where the gradient is taken
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    w: np.ndarray           # the last result of a gradient step
    w_trial: np.ndarray
    x_trial: np.ndarray
    g_trial: np.ndarray
    t: float


@routine
def init(oracle, x0, params):
    x, f, g = start(oracle, x0)
    return State(x, f, g, params.lr, RUNNING, x0.copy(), np.empty_like(x0), np.empty_like(x0), np.empty_like(x0), 1.0)


@kernel
def descend(x, g, lr, w, out):
    """Write x - lr g; return <g, out - w>, which is positive where momentum leads uphill."""
    uphill = 0.0
    for i in range(x.size):
        out[i] = x[i] - lr * g[i]
        uphill += g[i] * (out[i] - w[i])
    return uphill


@kernel
def extrapolate(w_new, w, momentum, out):
    for i in range(out.size):
        out[i] = w_new[i] + momentum * (w_new[i] - w[i])


@kernel
def next_t(t):
    """t_{k+1} of Nesterov's sequence and the momentum (t_k - 1) / t_{k+1}."""
    t_new = 0.5 * (1.0 + math.sqrt(1.0 + 4.0 * t * t))
    return t_new, (t - 1.0) / t_new


@routine
def step(oracle, state, params):
    x, f, g, alpha, _, w, w_trial, x_trial, g_trial, t = state
    uphill = descend(x, g, params.lr, w, w_trial)
    t_new, momentum = next_t(t)
    if params.momentum > 0.0:
        momentum = params.momentum
    if params.restart == ON_GRADIENT and uphill > 0.0:
        t_new, momentum = 1.0, 0.0
    extrapolate(w_trial, w, momentum, x_trial)
    f_new = value(oracle, x_trial)
    if not math.isfinite(f_new):
        return State(x, f, g, alpha, STEP_FAILED, w, w_trial, x_trial, g_trial, t)
    if params.restart == ON_VALUE and f_new > f:
        t_new = 1.0
    gradient(oracle, x_trial, g_trial)
    return State(x_trial, f_new, g_trial, alpha, RUNNING, w_trial, w, x, g, t_new)


@dataclass(frozen=True, repr=False)
class NesterovMethod(Method):
    """Nesterov's accelerated gradient: the gradient is taken where the momentum leads.

    One value and one gradient an iteration; six vectors. ``x`` of the state, the history and the result is the
    extrapolated point, at which value and gradient are known. fun need not fall monotonically. A value that is not
    finite ends the run.

    Parameters
    ----------
    lr : float > 0
        Step. The method needs one that suits the problem: 1/L, for a gradient with Lipschitz constant L.
    mu : float >= 0
        Strong convexity. With mu > 0 the momentum is (1 - q) / (1 + q), q = sqrt(mu lr), and mu lr must be at most 1.
        With 0 it is (t_k - 1) / t_{k+1}, with t_{k+1} = (1 + sqrt(1 + 4 t_k^2)) / 2, for convex functions.
    restart : {"gradient", "function", None}
        Begin the sequence t_k anew, with no momentum, when the momentum points uphill ([3]_) or fun rises; finds the
        strong convexity by itself. ``"function"`` notices one step later, when fun has risen already. With mu > 0
        only ``"gradient"`` has an effect: it drops the momentum of one step.

    References
    ----------
    .. [2] Y. Nesterov, "Introductory Lectures on Convex Optimization", 2004, section 2.2.
    .. [3] B. O'Donoghue, E. Candes, "Adaptive restart for accelerated gradient schemes", Found. Comput. Math. 15, 2015.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.quadratic([1.0, 100.0])
    >>> res = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method=curvopt.baselines.Nesterov.replace(lr=1 / p.L))
    >>> res.success
    True
    """

    lr: float = 1e-3
    mu: float = 0.0
    restart: str = "gradient"

    cost: ClassVar = "1 f, 1 g"
    memory: ClassVar = "6"
    length: ClassVar = "lr"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)

    def validated(self):
        lr, mu = _checks.positive("lr", self.lr), _checks.non_negative("mu", self.mu)
        if mu * lr > 1.0:
            raise ValueError(f"mu lr must be at most 1, got {mu * lr:g}")
        q = math.sqrt(mu * lr)
        return Params(lr, (1.0 - q) / (1.0 + q) if mu > 0.0 else 0.0,
                              _checks.choice("restart", self.restart, RESTARTS))

    @property
    def name(self):
        return "Nesterov"


Nesterov = NesterovMethod()
