r"""Barzilai and Borwein's steps: a secant estimate of the curvature, and a line search that lets fun rise.

With :math:`s = x_k - x_{k-1}` and :math:`y = g_k - g_{k-1}`,

.. math::  x_{k+1} = x_k - \alpha\, g_k, \qquad
           \alpha_{BB1} = \frac{\langle s, s\rangle}{\langle s, y\rangle}, \quad
           \alpha_{BB2} = \frac{\langle s, y\rangle}{\langle y, y\rangle},

accepted when f does not exceed the largest of its last M (``window``) values by Armijo's measure.

References
----------
.. [1] J. Barzilai, J. M. Borwein, "Two-point step size gradient methods", IMA J. Numer. Anal. 8, 1988.
.. [2] M. Raydan, "The Barzilai and Borwein gradient method for the large scale unconstrained minimization problem",
       SIAM J. Optim. 7, 1997.
.. [3] Y.-H. Dai, R. Fletcher, "Projected Barzilai-Borwein methods for large-scale box-constrained quadratic
       programming", Numer. Math. 100, 2005: alternation of the two.
"""
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._jit import kernel, routine
from .._method import Method
from .._oracle import gradient, start
from .._status import RUNNING
from .._vectors import norm
from ..directions.curvature import scale_to
from ..linesearch.armijo import backtrack, failure, fill_recent, largest_recent
from ..linesearch.first_trial import within_reach
from ..stepsize.secant import ALTERNATE, BB1, BB2, RULES, next_step


class Params(NamedTuple):
    rule: int
    window: int
    rho: float
    theta: float


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    trial: float            # first step to try next
    d: np.ndarray           # -g, then room for the next gradient
    x_trial: np.ndarray     # trades places with x on acceptance
    recent: np.ndarray      # the last values of f, round robin
    nit: int


@routine
def init(oracle, x0, params):
    x, f, g = start(oracle, x0)
    recent = np.empty(params.window)
    fill_recent(recent, f)
    return State(x, f, g, 0.0, RUNNING, first_step(x, g), np.empty_like(x0), np.empty_like(x0), recent, 0)


@kernel
def first_step(x, g):
    """The step that moves x by length 1 unless x is far from there, or 1 where g vanishes."""
    length = norm(g, 2)
    return within_reach(1.0, x) / length if length > 0.0 else 1.0


@routine
def step(oracle, state, params):
    x, f, g, _, _, trial, d, x_trial, recent, nit = state
    slope, top = scale_to(1.0, g, d), largest_recent(recent, nit, f)
    alpha, f_new, found = backtrack(oracle, x, top, d, slope, trial, params.rho, params.theta, x_trial)
    if not found:
        return State(x, f, g, 0.0, failure(f, trial * slope), trial, d, x_trial, recent, nit)
    gradient(oracle, x_trial, d)
    nit += 1
    rule = params.rule if params.rule != ALTERNATE else BB1 if nit % 2 == 0 else BB2
    return State(x_trial, f_new, d, alpha, RUNNING, next_step(x, x_trial, g, d, rule, alpha), g, x, recent, nit)


@dataclass(frozen=True, repr=False)
class BarzilaiBorweinGradient(Method):
    """Gradient descent with the steps of Barzilai and Borwein and Raydan's non-monotone line search.

    One value and one gradient an iteration while the first trial is accepted, as most are; four vectors. Nothing to
    tune. fun may rise for a while; the best point seen is returned.

    Parameters
    ----------
    rule : {"bb1", "bb2", "alternate"}
        The longer step, the shorter one, or both in turn (BB2 first).
    window : int >= 1
        f is compared with the largest of this many last values; 10 as in [2]_, 1 makes f fall monotonically.
    rho : float in (0, 1/2)
        Sufficient decrease; 1e-4 as in [2]_.
    theta : float in (0, 1)
        Contraction of a refused step.

    Notes
    -----
    Deviations from [2]_. (i) No bounds on the step: without positive curvature along the last step the next one is ten
    times as long, which does not depend on units. (ii) Armijo's test has a slack of ten rounding errors of f.
    (iii) The first step has length 1 in the Euclidean norm, or the nearest that is within a factor 1e6 of ||x0||.

    References
    ----------
    .. [1] J. Barzilai, J. M. Borwein, "Two-point step size gradient methods", IMA J. Numer. Anal. 8, 1988.
    .. [2] M. Raydan, "The Barzilai and Borwein gradient method for the large scale unconstrained minimization problem",
           SIAM J. Optim. 7, 1997.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.rosenbrock(2)
    >>> res = curvopt.minimize(p.fun, p.x0, jac=p.jac, method=curvopt.baselines.BarzilaiBorwein)
    >>> res.success
    True
    """

    rule: str = "alternate"
    window: int = 10
    rho: float = 1e-4
    theta: float = 0.5

    cost: ClassVar = "1 f, 1 g"
    memory: ClassVar = "4"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)

    def validated(self):
        return Params(_checks.choice("rule", self.rule, RULES), _checks.count("window", self.window, 1),
                      _checks.in_open_interval("rho", self.rho, 0.0, 0.5),
                      _checks.in_open_interval("theta", self.theta, 0.0, 1.0))

    @property
    def name(self):
        return "BarzilaiBorwein"


BarzilaiBorwein = BarzilaiBorweinGradient()
