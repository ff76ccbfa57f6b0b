r"""AdaGrad with the full gradient: every coordinate's step shrinks with the gradients it has seen.

.. math::  G \leftarrow G + g \circ g, \qquad x^+ = x - \alpha\, g / (\sqrt{G} + \varepsilon)

References
----------
.. [1] J. Duchi, E. Hazan, Y. Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization",
       J. Mach. Learn. Res. 12, 2011.
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
    eps: float


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    x_trial: np.ndarray
    g_trial: np.ndarray
    acc: np.ndarray     # G


@routine
def init(oracle, x0, params):
    x, f, g = start(oracle, x0)
    return State(x, f, g, params.lr, RUNNING, np.empty_like(x0), np.empty_like(x0), np.zeros_like(x0))


@kernel
def accumulate_and_move(x, g, acc, lr, eps, out):
    """Add g o g to acc, write x - lr g / (sqrt(acc) + eps)."""
    for i in range(x.size):
        acc[i] += g[i] * g[i]
        root = math.sqrt(acc[i]) + eps
        out[i] = x[i] - lr * (g[i] / root) if root > 0.0 else x[i]


@routine
def step(oracle, state, params):
    x, f, g, alpha, _, x_trial, g_trial, acc = state
    accumulate_and_move(x, g, acc, params.lr, params.eps, x_trial)
    f_new = value(oracle, x_trial)
    if not math.isfinite(f_new):
        return State(x, f, g, alpha, STEP_FAILED, x_trial, g_trial, acc)
    gradient(oracle, x_trial, g_trial)
    return State(x_trial, f_new, g_trial, alpha, RUNNING, x, g, acc)


@dataclass(frozen=True, repr=False)
class AdaptiveGradient(Method):
    """AdaGrad, diagonal, with the full gradient.

    One value and one gradient an iteration; five vectors. The value is for the history and the best point. A value that
    is not finite ends the run, since the step has no way to react.

    Parameters
    ----------
    lr : float > 0
        Learning rate: the length of the first step in every coordinate.
    eps : float >= 0
        Added to the root. 1e-8 as is usual; 0 makes the method invariant under scaling of f.

    References
    ----------
    .. [1] J. Duchi, E. Hazan, Y. Singer, J. Mach. Learn. Res. 12, 2011.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.quadratic([1.0, 4.0])
    >>> res = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method=curvopt.baselines.AdaGrad.replace(lr=1.0))
    >>> res.success
    True
    """

    lr: float = 0.1
    eps: float = 1e-8

    cost: ClassVar = "1 f, 1 g"
    memory: ClassVar = "5"
    length: ClassVar = "lr"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)

    def validated(self):
        return Params(_checks.positive("lr", self.lr), _checks.non_negative("eps", self.eps))

    @property
    def name(self):
        return "AdaGrad"


AdaGrad = AdaptiveGradient()
