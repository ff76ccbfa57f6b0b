r"""Gradient descent with Armijo's rule: the step that needs no constant of the function.

.. math::  x^+ = x - \alpha\, g, \qquad f(x^+) \le f(x) - \rho\,\alpha\,\|g\|^2

The first trial is the last accepted step times a growth factor, so that the step follows the local curvature both ways.

References
----------
.. [1] L. Armijo, "Minimization of functions having Lipschitz continuous first partial derivatives", Pacific J. Math. 16,
       1966.
"""
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._jit import kernel, routine
from .._method import Method
from .._oracle import gradient, start
from .._status import RUNNING
from ..linesearch.armijo import backtrack, failure


class Params(NamedTuple):
    step0: float
    growth: float
    rho: float
    theta: float


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    d: np.ndarray           # -g, then room for the next gradient
    x_trial: np.ndarray     # trades places with x on acceptance


@routine
def init(oracle, x0, params):
    x, f, g = start(oracle, x0)
    return State(x, f, g, params.step0 / params.growth, RUNNING, np.empty_like(x0), np.empty_like(x0))


@kernel
def steepest(g, d):
    """Write d = -g; return <g, d>."""
    slope = 0.0
    for i in range(g.size):
        d[i] = -g[i]
        slope -= g[i] * g[i]
    return slope


@routine
def step(oracle, state, params):
    x, f, g, alpha, _, d, x_trial = state
    slope = steepest(g, d)
    first = alpha * params.growth
    alpha, f_new, found = backtrack(oracle, x, f, d, slope, first, params.rho, params.theta, x_trial)
    if not found:
        return State(x, f, g, 0.0, failure(f, first * slope), d, x_trial)
    gradient(oracle, x_trial, d)
    return State(x_trial, f_new, d, alpha, RUNNING, g, x)


@dataclass(frozen=True, repr=False)
class ArmijoGradient(Method):
    """Gradient descent with Armijo's rule, from the last step times a growth factor.

    One gradient and, with the default growth, about 1.3 values an iteration; four vectors.

    Parameters
    ----------
    step0 : float > 0
        First trial step.
    growth : float >= 1
        First trial of an iteration over the last accepted step. With 1 the step never grows.
    rho : float in (0, 1/2)
        Sufficient decrease.
    theta : float in (0, 1)
        Contraction of a refused step.

    Notes
    -----
    Armijo's test has a slack of ten rounding errors of f, as everywhere in this package.

    References
    ----------
    .. [1] L. Armijo, "Minimization of functions having Lipschitz continuous first partial derivatives", Pacific J. Math.
           16, 1966.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.quadratic([1.0, 4.0])
    >>> res = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method=curvopt.baselines.ArmijoGD)
    >>> res.success
    True
    """

    step0: float = 1.0
    growth: float = 1.25    # ours: one refused trial in three or four iterations
    rho: float = 1e-4
    theta: float = 0.5

    monotone: ClassVar = True
    cost: ClassVar = "1.3 f, 1 g"
    memory: ClassVar = "4"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)

    def validated(self):
        growth = _checks.finite("growth", self.growth)
        if growth < 1.0:
            raise ValueError(f"growth must be at least 1, got {growth!r}")
        return Params(_checks.positive("step0", self.step0), growth,
                      _checks.in_open_interval("rho", self.rho, 0.0, 0.5),
                      _checks.in_open_interval("theta", self.theta, 0.0, 1.0))

    @property
    def name(self):
        return "ArmijoGD"


ArmijoGD = ArmijoGradient()
