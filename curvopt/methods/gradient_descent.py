r"""Gradient descent with a fixed step: the reference every other method is compared with.

.. math::  x^+ = x - \alpha\, \nabla f(x)

On a function whose gradient is Lipschitz with constant L, any step below 2/L converges, and 1/L is the step of theory.
"""
import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._jit import routine
from .._method import Method
from .._oracle import gradient, start, value
from .._status import RUNNING, STEP_FAILED
from .._vectors import axpy_to


class Params(NamedTuple):
    lr: float


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    x_trial: np.ndarray
    g_trial: np.ndarray


@routine
def init(oracle, x0, params):
    x, f, g = start(oracle, x0)
    return State(x, f, g, params.lr, RUNNING, np.empty_like(x0), np.empty_like(x0))


@routine
def step(oracle, state, params):
    x, f, g, alpha, _, x_trial, g_trial = state
    axpy_to(-params.lr, g, x, x_trial)
    f_new = value(oracle, x_trial)
    if not math.isfinite(f_new):
        return State(x, f, g, alpha, STEP_FAILED, x_trial, g_trial)
    gradient(oracle, x_trial, g_trial)
    return State(x_trial, f_new, g_trial, alpha, RUNNING, x, g)


@dataclass(frozen=True, repr=False)
class GradientDescent(Method):
    """Gradient descent with a fixed step.

    One value and one gradient an iteration; four vectors. The value is for the history and the best point: the step
    does not use it. A value that is not finite ends the run, since the step has no way to react.

    Parameters
    ----------
    lr : float > 0
        Step; 1/L suits a gradient with Lipschitz constant L.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.quadratic([1.0, 4.0])
    >>> res = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method=curvopt.baselines.GD.replace(lr=1 / p.L))
    >>> res.success
    True
    """

    lr: float = 1e-3

    cost: ClassVar = "1 f, 1 g"
    memory: ClassVar = "4"
    length: ClassVar = "lr"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)

    def validated(self):
        return Params(_checks.positive("lr", self.lr))

    @property
    def name(self):
        return "GD"


GD = GradientDescent()
