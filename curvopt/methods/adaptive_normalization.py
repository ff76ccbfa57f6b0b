r"""Adaptively normalized gradient descent (AN-GD): the gradient over a fractional power of its own length.

.. math::  x^+ = x - \gamma\, \frac{g}{\|g\|^\beta}, \qquad 0 \le \beta \le 1

Between gradient descent (0) and normalized gradient descent (1). It suits functions whose curvature grows with the
gradient, :math:`\|\nabla^2 f\| \le L_0 + L_1 \|\nabla f\|^\alpha` with :math:`\alpha \le \beta`.

References
----------
.. [1] Y. Yang, E. Tripp, Y. Sun, S. Zou, Y. Zhou, "Adaptive Gradient Normalization and Independent Sampling for
       (Stochastic) Generalized-Smooth Optimization", TMLR 2025, arXiv:2410.14054. Algorithm 1.
.. [2] Y.-H. Dai, R. Fletcher, "Projected Barzilai-Borwein methods for large-scale box-constrained quadratic
       programming", Numer. Math. 100, 2005.
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
from .._vectors import axpy_to, norm
from ..directions.curvature import scale_to
from ..linesearch.armijo import backtrack, failure, fill_recent, largest_recent
from ..linesearch.first_trial import within_reach
from ..stepsize.normalized import normalized_length, power
from ..stepsize.secant import BB1, BB2, next_step

WINDOW, RHO, THETA = 10, 1e-4, 0.5      # of the search of the automatic step, as for Barzilai and Borwein's
PROBE = 1e-4                            # length of the difference that gives its first step, relative to 1 + |x|


class Params(NamedTuple):
    gamma: float        # 0: the automatic step
    beta: float
    rescale: bool


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    x_trial: np.ndarray     # trade places with x and g
    g_trial: np.ndarray
    trial: float            # first step to try next
    recent: np.ndarray      # the last values of f, round robin
    nit: int


@routine
def init(oracle, x0, params):
    x, f, g = start(oracle, x0)
    x_trial, g_trial, recent = np.empty_like(x0), np.empty_like(x0), np.empty(WINDOW)
    trial = 0.0
    if params.gamma == 0.0 and math.isfinite(norm(g, 2)) and probe(x, g, x_trial):
        gradient(oracle, x_trial, g_trial)
        trial = next_step_of_probe(x, x_trial, g, g_trial)
    fill_recent(recent, f)
    return State(x, f, g, 0.0, RUNNING, x_trial, g_trial, trial, recent, 0)


@kernel
def probe(x, g, out):
    """Write a point at a small distance from x along -g; return whether it differs from x."""
    length = norm(g, 2)
    return length > 0.0 and axpy_to(-PROBE * within_reach(1.0 + norm(x, 2), x) / length, g, x, out)


@kernel
def next_step_of_probe(x, x_new, g, g_new):
    """|s| / |y|; where the gradient does not change, the step that moves x by length 1 or, if x is far from there,
    the nearest length that is not."""
    ss = yy = 0.0
    for i in range(x.size):
        ss += (x_new[i] - x[i]) * (x_new[i] - x[i])
        yy += (g_new[i] - g[i]) * (g_new[i] - g[i])
    trial = math.sqrt(ss / yy)
    return trial if 0.0 < trial < math.inf else within_reach(1.0, x) / norm(g, 2)


@kernel
def growth(g, g_new, beta):
    """(|g| / |g_new|)^(beta / 2), or 1 where that is no number."""
    ratio = power(norm(g, 2) / norm(g_new, 2), 0.5 * beta)
    return ratio if 0.0 < ratio < math.inf else 1.0


@routine
def step(oracle, state, params):
    x, f, g, _, _, x_trial, g_trial, trial, recent, nit = state
    if params.gamma == 0.0:
        return automatic_step(oracle, state, params)
    alpha = normalized_length(params.gamma, norm(g, 2), params.beta, 0.0, 0.0)
    axpy_to(-alpha, g, x, x_trial)
    f_new = value(oracle, x_trial)
    if not math.isfinite(f_new):
        return State(x, f, g, alpha, STEP_FAILED, x_trial, g_trial, trial, recent, nit)
    gradient(oracle, x_trial, g_trial)
    return State(x_trial, f_new, g_trial, alpha, RUNNING, x, g, trial, recent, nit + 1)


@routine
def automatic_step(oracle, state, params):
    x, f, g, _, _, x_trial, d, trial, recent, nit = state
    slope, top = scale_to(1.0, g, d), largest_recent(recent, nit, f)
    alpha, f_new, found = backtrack(oracle, x, top, d, slope, trial, RHO, THETA, x_trial)
    if not found:
        return State(x, f, g, 0.0, failure(f, trial * slope), x_trial, d, trial, recent, nit)
    gradient(oracle, x_trial, d)
    nit += 1
    trial = next_step(x, x_trial, g, d, BB1 if nit % 2 == 0 else BB2, alpha)
    if params.rescale:
        trial *= growth(g, d, params.beta)
    return State(x_trial, f_new, d, alpha, RUNNING, x, g, trial, recent, nit)


@dataclass(frozen=True, repr=False)
class AdaptiveNormalization(Method):
    r"""Adaptively normalized gradient descent, AN-GD.

    One value and one gradient an iteration; four vectors. The automatic step takes one more gradient at the start, and
    values for steps that are refused.

    Parameters
    ----------
    gamma : float > 0, optional
        Constant step of [1]_: the step is gamma \|g\|^-beta. None, the default, or
        "auto" for the automatic step. ``step`` is another name of it.
    beta : float in [0, 1]
        Power of the normalizer. 2/3 as in the experiments of [1]_.
    rescale : bool
        Of the automatic step: multiply the estimate of a step by (\|g_k\| / \|g_k+1\|)^(beta/2).

    Notes
    -----
    With a constant step AN-GD does not converge: it ends in a cycle of two points with \|g\| = (gamma L / 2)^(1/beta).
    `from_theory` gives the constant step of theory for an accuracy wanted.

    The automatic step is ours: gamma_k = a_k \|g_k\|^beta with a_k by Barzilai and Borwein's two formulas in turn [2]_ and
    a test against the largest of the last ten values. Without `rescale`, beta then cancels: it is the method
    `baselines.BarzilaiBorwein` with another first step, AN-GD only in name. With it the steps adapt faster where the
    curvature falls with the gradient, and slower convergence on quadratics is the price.

    References
    ----------
    .. [1] Y. Yang, E. Tripp, Y. Sun, S. Zou, Y. Zhou, "Adaptive Gradient Normalization and Independent Sampling for
           (Stochastic) Generalized-Smooth Optimization", TMLR 2025, arXiv:2410.14054. Algorithm 1.
    .. [2] Y.-H. Dai, R. Fletcher, "Projected Barzilai-Borwein methods for large-scale box-constrained quadratic
           programming", Numer. Math. 100, 2005.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.rosenbrock(2)
    >>> res = curvopt.minimize(p.fun, p.x0, jac=p.jac, method=curvopt.ANGD)
    >>> res.success
    True
    >>> round(curvopt.ANGD.from_theory(L0=1.0, L1=1.0, mu=0.5, rho=1.0, eps=1e-2).gamma, 6)
    0.00273
    """

    gamma: float = None
    beta: float = 2.0 / 3.0
    rescale: bool = False

    synonyms: ClassVar = {"gamma": ("gamma", {"auto": None}), "step": ("gamma", {"auto": None})}
    cost: ClassVar = "1 f, 1 g"
    memory: ClassVar = "4"
    length: ClassVar = "gamma"
    paper: ClassVar = "arXiv:2410.14054"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)

    def validated(self):
        if not isinstance(self.rescale, (bool, np.bool_)):
            raise TypeError(f"rescale must be True or False, got {self.rescale!r}")
        if self.rescale and self.gamma is not None:
            raise ValueError("rescale belongs to the automatic step (gamma=None)")
        return Params(0.0 if self.gamma is None else _checks.positive("gamma", self.gamma),
                      _checks.in_interval("beta", self.beta, 0.0, 1.0), bool(self.rescale))

    def from_theory(self, L0, L1, mu, rho, eps):
        r"""A copy with gamma = (2 mu eps)^(beta/rho) / (8 (L0 + L1) + 1), which descends until f - f* <= eps.

        Parameters
        ----------
        L0, L1 : float >= 0
            Constants of the generalized smoothness, \|f''\| <= L0 + L1 \|g\|^beta.
        mu : float > 0
        rho : float in (0, 2]
            Of the generalized Polyak-Lojasiewicz inequality \|g\|^rho >= 2 mu (f - f*).
        eps : float > 0
            Accuracy in f, with 2 mu eps <= 1.
        """
        L0, L1 = _checks.non_negative("L0", L0), _checks.non_negative("L1", L1)
        rho = _checks.in_interval("rho", _checks.positive("rho", rho), 0.0, 2.0)
        level = 2.0 * _checks.positive("mu", mu) * _checks.positive("eps", eps)
        if level > 1.0:
            raise ValueError(f"2 mu eps must be at most 1, got {level!r}: give a smaller eps")
        return self.replace(gamma=level ** (self.beta / rho) / (8.0 * (L0 + L1) + 1.0), rescale=False)

    @property
    def name(self):
        return "ANGD"


ANGD = AdaptiveNormalization()
