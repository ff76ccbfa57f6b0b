r"""The original hypergradient descent: a scalar step that follows the inner product of successive gradients.

.. math::  \alpha_k = \alpha_{k-1} + \beta\,\langle g_k, g_{k-1}\rangle \quad\text{or}\quad
           \alpha_k = \alpha_{k-1}\,\bigl(1 + \beta \cos\angle(g_k, g_{k-1})\bigr), \qquad x^+ = x - \alpha_k g_k

References
----------
.. [1] A. G. Baydin, R. Cornish, D. Martinez Rubio, M. Schmidt, F. Wood, "Online Learning Rate Adaptation with
       Hypergradient Descent", ICLR 2018, arXiv:1703.04782.
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
from .._vectors import axpy_to

ADDITIVE, MULTIPLICATIVE = range(2)
RULES = {"additive": ADDITIVE, "multiplicative": MULTIPLICATIVE}


class Params(NamedTuple):
    lr: float
    hyper_lr: float
    rule: int


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


@kernel
def next_rate(alpha, g, g_old, hyper_lr, rule):
    inner = gg = oo = 0.0
    for i in range(g.size):
        inner += g[i] * g_old[i]
        gg += g[i] * g[i]
        oo += g_old[i] * g_old[i]
    if rule == ADDITIVE:
        return alpha + hyper_lr * inner
    product = math.sqrt(gg) * math.sqrt(oo)
    return alpha * (1.0 + hyper_lr * (inner / product)) if product > 0.0 else alpha


@routine
def step(oracle, state, params):
    x, f, g, alpha, _, x_trial, g_trial = state
    axpy_to(-alpha, g, x, x_trial)
    f_new = value(oracle, x_trial)
    if not math.isfinite(f_new):
        return State(x, f, g, alpha, STEP_FAILED, x_trial, g_trial)
    gradient(oracle, x_trial, g_trial)
    alpha = next_rate(alpha, g_trial, g, params.hyper_lr, params.rule)
    return State(x_trial, f_new, g_trial, alpha, RUNNING, x, g)


@dataclass(frozen=True, repr=False)
class BaydinDescent(Method):
    """Hypergradient descent as Baydin and others published it: no normalization, no safeguard.

    One value and one gradient an iteration; four vectors. The value is for the history and the best point. A value that
    is not finite ends the run.

    Parameters
    ----------
    lr : float > 0
        The first step.
    hyper_lr : float >= 0
        beta. The additive rule multiplies it by a squared gradient norm, so that it depends on the scale of f; 0 is
        gradient descent.
    rule : {"additive", "multiplicative"}

    Notes
    -----
    The step in the history is the next one, learned from the gradient at the new point.

    References
    ----------
    .. [1] A. G. Baydin, R. Cornish, D. Martinez Rubio, M. Schmidt, F. Wood, ICLR 2018, arXiv:1703.04782.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.quadratic([1.0, 4.0])
    >>> method = curvopt.baselines.Baydin.replace(lr=0.1, hyper_lr=0.1, rule="multiplicative")
    >>> curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method=method).success
    True
    """

    lr: float = 1e-3
    hyper_lr: float = 1e-6
    rule: str = "additive"

    cost: ClassVar = "1 f, 1 g"
    memory: ClassVar = "4"
    length: ClassVar = "lr"
    paper: ClassVar = "arXiv:1703.04782"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)

    def validated(self):
        return Params(_checks.positive("lr", self.lr), _checks.non_negative("hyper_lr", self.hyper_lr),
                      _checks.choice("rule", self.rule, RULES))

    @property
    def name(self):
        return "Baydin"


Baydin = BaydinDescent()
