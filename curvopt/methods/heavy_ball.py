r"""The heavy ball of Polyak: gradient descent with momentum.

.. math::  x_{k+1} = x_k - \alpha\,\nabla f(x_k) + \beta\,(x_k - x_{k-1})

On a quadratic with eigenvalues in [mu, L] the fastest pair is :math:`\alpha = 4/(\sqrt L + \sqrt\mu)^2` and
:math:`\beta = ((\sqrt L - \sqrt\mu)/(\sqrt L + \sqrt\mu))^2`.

References
----------
.. [1] B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", USSR Comput. Math. Math. Phys.
       4, 1964.
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


class Params(NamedTuple):
    lr: float
    momentum: float


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    before: np.ndarray      # the iterate before x
    x_trial: np.ndarray
    g_trial: np.ndarray


@routine
def init(oracle, x0, params):
    x, f, g = start(oracle, x0)
    return State(x, f, g, params.lr, RUNNING, x0.copy(), np.empty_like(x0), np.empty_like(x0))


@kernel
def roll(x, before, g, lr, momentum, out):
    for i in range(x.size):
        out[i] = x[i] - lr * g[i] + momentum * (x[i] - before[i])


@routine
def step(oracle, state, params):
    x, f, g, alpha, _, before, x_trial, g_trial = state
    roll(x, before, g, params.lr, params.momentum, x_trial)
    f_new = value(oracle, x_trial)
    if not math.isfinite(f_new):
        return State(x, f, g, alpha, STEP_FAILED, before, x_trial, g_trial)
    gradient(oracle, x_trial, g_trial)
    return State(x_trial, f_new, g_trial, alpha, RUNNING, x, before, g)


@dataclass(frozen=True, repr=False)
class HeavyBallMethod(Method):
    """Polyak's heavy ball: gradient descent that keeps a part of its last displacement.

    One value and one gradient an iteration; five vectors. The value is for the history and the best point: the step
    does not use it. fun need not fall monotonically. A value that is not finite ends the run.

    Parameters
    ----------
    lr : float > 0
        Step. The method needs one that suits the problem: on a quadratic it converges for lr < 2 (1 + momentum) / L.
        `from_curvature` gives the best pair for known L and mu.
    momentum : float in [0, 1)
        Part of the last displacement that is kept; 0 is gradient descent.

    Notes
    -----
    On functions that are not quadratic the heavy ball may cycle even with the best pair for L and mu.

    References
    ----------
    .. [1] B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", USSR Comput. Math. Math.
           Phys. 4, 1964.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.quadratic([1.0, 100.0])
    >>> ball = curvopt.baselines.HeavyBall.from_curvature(p.L, p.mu)
    >>> curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method=ball).success
    True
    """

    lr: float = 1e-3
    momentum: float = 0.9

    cost: ClassVar = "1 f, 1 g"
    memory: ClassVar = "5"
    length: ClassVar = "lr"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)

    def validated(self):
        if self.momentum == 0.0:
            return Params(_checks.positive("lr", self.lr), 0.0)
        return Params(_checks.positive("lr", self.lr), _checks.in_open_interval("momentum", self.momentum, 0.0, 1.0))

    @classmethod
    def from_curvature(cls, L, mu):
        """The pair of fastest asymptotic convergence on quadratics with eigenvalues in [mu, L] ([1]).

        Parameters
        ----------
        L, mu : float
            0 < mu <= L.
        """
        L, mu = _checks.positive("L", L), _checks.positive("mu", mu)
        if mu > L:
            raise ValueError(f"mu must be at most L, got mu = {mu!r} and L = {L!r}")
        a, b = math.sqrt(L), math.sqrt(mu)
        return cls(lr=4.0 / (a + b) ** 2, momentum=((a - b) / (a + b)) ** 2)

    @property
    def name(self):
        return "HeavyBall"


HeavyBall = HeavyBallMethod()
