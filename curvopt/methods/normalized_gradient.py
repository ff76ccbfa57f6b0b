r"""Gradient descent with a normalized or clipped step: the baselines of adaptive normalization.

.. math::  x^+ = x - \gamma\, \frac{g}{\max(\|g\| + \delta,\ c)^\beta}

:math:`\beta = 1, c = 0` is normalized gradient descent; :math:`\beta = 1, c > 0` clips: a fixed step :math:`\gamma / c`
where the gradient is shorter than c, and a step of length :math:`\gamma` elsewhere.
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
from .._vectors import axpy_to, norm
from ..stepsize.normalized import normalized_length


class Params(NamedTuple):
    gamma: float
    beta: float
    clip: float
    delta: float


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    x_trial: np.ndarray     # trade places with x and g
    g_trial: np.ndarray


@routine
def init(oracle, x0, params):
    x, f, g = start(oracle, x0)
    return State(x, f, g, 0.0, RUNNING, np.empty_like(x0), np.empty_like(x0))


@routine
def step(oracle, state, params):
    x, f, g, alpha, _, x_trial, g_trial = state
    alpha = normalized_length(params.gamma, norm(g, 2), params.beta, params.delta, params.clip)
    axpy_to(-alpha, g, x, x_trial)
    f_new = value(oracle, x_trial)
    if not math.isfinite(f_new):
        return State(x, f, g, alpha, STEP_FAILED, x_trial, g_trial)
    gradient(oracle, x_trial, g_trial)
    return State(x_trial, f_new, g_trial, alpha, RUNNING, x, g)


@dataclass(frozen=True, repr=False)
class NormalizedGradient(Method):
    """Normalized and clipped gradient descent: NormalizedGD and ClippedGD.

    One value and one gradient an iteration; four vectors. The value is for the history and the best point: the step
    does not use it. A value that is not finite ends the run, since the step has no way to react.

    With a constant gamma, NormalizedGD does not converge: every step has length gamma, and it ends by jumping about a
    minimizer. ClippedGD converges where gamma / clip is a step at which gradient descent does.

    Parameters
    ----------
    gamma : float > 0
        Step: the length of the steps of NormalizedGD, in the units of x.
    beta : float in [0, 1]
        Power of the normalizer.
    clip : float >= 0
        Gradients longer than this are shortened. 0: all of them.
    delta : float >= 0
        Added to the length of the gradient.

    References
    ----------
    .. [1] J. Zhang, T. He, S. Sra, A. Jadbabaie, "Why gradient clipping accelerates training: a theoretical
           justification for adaptivity", ICLR 2020, arXiv:1905.11881.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.quadratic([1.0, 4.0])
    >>> res = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac,
    ...                        method=curvopt.baselines.ClippedGD.replace(gamma=0.25, clip=1.0))
    >>> res.success
    True
    """

    gamma: float = 0.1
    beta: float = 1.0
    clip: float = 0.0
    delta: float = 0.0

    cost: ClassVar = "1 f, 1 g"
    memory: ClassVar = "4"
    length: ClassVar = "gamma"
    paper: ClassVar = "arXiv:1905.11881"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)

    def validated(self):
        return Params(_checks.positive("gamma", self.gamma), _checks.in_interval("beta", self.beta, 0.0, 1.0),
                      _checks.non_negative("clip", self.clip), _checks.non_negative("delta", self.delta))

    @property
    def name(self):
        return "ClippedGD" if self.clip > 0.0 else "NormalizedGD"


NormalizedGD = NormalizedGradient()
ClippedGD = NormalizedGradient(clip=1.0)
