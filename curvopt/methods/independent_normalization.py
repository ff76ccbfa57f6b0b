r"""Stochastic gradient descent normalized by an independent batch (IAN-SGD).

.. math::  h_t = \max\bigl\{1,\ \Gamma\,(A\,\|g'_t\| + \delta)\bigr\}, \qquad x_{t+1} = x_t - \gamma\, \frac{g_t}{h_t^\beta},

:math:`g_t` and :math:`g'_t` the mean gradients over two batches drawn independently of each other. Given the past, the
mean of a step is then along the gradient of the sum, which that of :math:`g_t / \|g_t\|^\beta` is not.

References
----------
.. [1] Y. Yang, E. Tripp, Y. Sun, S. Zou, Y. Zhou, "Adaptive Gradient Normalization and Independent Sampling for
       (Stochastic) Generalized-Smooth Optimization", TMLR 2025, arXiv:2410.14054. Algorithm 2.
"""
import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._jit import routine
from .._method import Method
from .._sampling import (
    INDEPENDENT,
    after_bad_batch,
    all_rows,
    batch_gradient,
    batch_parameters,
    draw,
    is_due,
    measure,
    residual,
)
from .._status import RUNNING
from .._vectors import axpy_to, norm
from ..stepsize.normalized import normalized_length
from . import independent_auto


class Params(NamedTuple):
    batch_size: int
    check_every: int
    sampling: int
    normalizer_batch_size: int
    gamma: float
    Gamma: float
    A: float
    delta: float
    beta: float


class State(NamedTuple):
    x: np.ndarray           # the moving iterate
    f: float                # of the last measurement
    g: np.ndarray
    alpha: float
    flag: int
    measured: bool          # whether f and g are those of x
    rng: np.random.Generator
    order: np.ndarray       # of rows, for drawing
    rows: np.ndarray        # the two batches
    rows_h: np.ndarray
    x_trial: np.ndarray     # trades places with x
    g_spare: np.ndarray     # trades places with g
    g_batch: np.ndarray
    k: int                  # steps taken
    bad: int                # steps in a row with a gradient that was not finite


@routine
def init(oracle, x0, params):
    x, g = x0.copy(), np.empty_like(x0)
    f = measure(oracle, x, g)
    return State(x, f, g, 0.0, RUNNING, True, oracle.rng, all_rows(oracle), np.empty(params.batch_size, np.int64),
                 np.empty(params.normalizer_batch_size, np.int64), np.empty_like(x0), np.empty_like(x0), np.empty_like(x0),
                 0, 0)


@routine
def step(oracle, state, params):
    x, f, g, _, _, _, rng, order, rows, rows_h, x_trial, g_spare, g_batch, k, bad = state
    batch = draw(oracle, rng, order, params.sampling, rows_h)
    finite = batch_gradient(oracle, x, batch, g_batch)
    h = params.Gamma * (params.A * norm(g_batch, 2) + params.delta)
    batch = draw(oracle, rng, order, params.sampling, rows)
    if not (finite and batch_gradient(oracle, x, batch, g_batch)):
        return State(x, f, g, 0.0, after_bad_batch(bad + 1), False, rng, order, rows, rows_h, x_trial, g_spare, g_batch, k,
                     bad + 1)
    alpha = normalized_length(params.gamma, h, params.beta, 0.0, 1.0)
    axpy_to(-alpha, g_batch, x, x_trial)
    k += 1
    if is_due(k, params.check_every, oracle.n_samples, params.batch_size + params.normalizer_batch_size):
        f = measure(oracle, x_trial, g_spare)
        return State(x_trial, f, g_spare, alpha, RUNNING, True, rng, order, rows, rows_h, x, g, g_batch, k, 0)
    return State(x_trial, f, g, alpha, RUNNING, False, rng, order, rows, rows_h, x, g_spare, g_batch, k, 0)


@dataclass(frozen=True, repr=False)
class IndependentNormalization(Method):
    r"""Stochastic gradient descent normalized by an independent batch, IAN-SGD.

    B + B' gradient rows an iteration (automatic: and values on 2 B', on 2 B more where the gradient is long), B and B' the
    two batch sizes, and a pass of values and gradients for every check; five to ten vectors and an index of the rows. f and
    its gradient over all rows are measured at the start and at every check; the run converges only by such a measurement,
    and the best point measured is the one returned.

    Parameters
    ----------
    gamma : float > 0, optional
        Constant step of [1]_. None, the default, or "auto" for the automatic step, to which Gamma, A and delta do not
        apply. ``step`` is another name of it.
    batch_size : int >= 1
        B, rows of the gradient.
    normalizer_batch_size : int >= 1, optional
        B', rows of the gradient that normalizes. None: max(8, B/8) with the automatic step, max(8, B/4) otherwise.
    Gamma : float > 0
        The normalizer acts where Gamma (A \|g'\| + delta) exceeds 1.
    A : float >= 1
        1/(1 - tau1) for noise of relative size tau1.
    delta : float >= 0
        tau2/(1 - tau1) for noise of absolute size tau2.
    beta : float in (0, 1]
        Power of the normalizer; 2/3 as in [1]_.
    check_every : int >= 0
        Iterations between measurements over all rows; 0: about one pass over the rows.
    sampling : {"batch", "replacement"}
        Each batch without replacement from all rows, or with replacement.

    Notes
    -----
    Released code writes the step as gamma_c g / max(A \|g'\| + delta, c)^beta; `from_code_form` translates.

    The automatic step is ours. L is measured by the secant \|g'(x_t) - g'(x_t-1)\| / \|x_t - x_t-1\| of the normalizing
    batch, averaged; 1/Gamma is the 0.8 quantile of the last twenty \|g'\|; gamma = theta / L, up to four times that where
    the slopes along the last steps say they were too short. A guard returns to an earlier average when the values above it
    explode, and halves theta. **The point reported, x, is a running average of the iterates.** Given the past a step is
    unbiased, but for the first four after the start and after a return, which look for their length along g, and for steps
    that would raise the mean over their own rows: they are cut, and the more there have been, the longer all steps remain
    shorter, so that they become rare.

    For a constant gamma [1]_ proves that min \|grad F\| gets small with gamma = O(1/sqrt(T)); with a gamma that does not
    shrink with the horizon, and for the automatic step, nothing is proved.

    References
    ----------
    .. [1] Y. Yang, E. Tripp, Y. Sun, S. Zou, Y. Zhou, "Adaptive Gradient Normalization and Independent Sampling for
           (Stochastic) Generalized-Smooth Optimization", TMLR 2025, arXiv:2410.14054. Algorithm 2.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.logistic([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [3.0, 1.0]], [0, 1, 0, 1], lam=0.1)
    >>> method = curvopt.IANSGD.replace(batch_size=2, normalizer_batch_size=1, gamma=0.2)
    >>> res = curvopt.minimize(curvopt.problems.finite_sum(p), p.x0, args=p.args, method=method,
    ...                        options={"rng": 1, "maxiter": 400, "compiled": False})
    >>> bool(p.fun(res.x, *p.args) < 0.66 < p.fun(p.x0, *p.args))
    True
    >>> round(curvopt.IANSGD.from_code_form(0.3, 2025.0, delta=15.0).gamma, 6)
    0.001874
    """

    gamma: float = None
    batch_size: int = 64
    normalizer_batch_size: int = None
    Gamma: float = 1.0
    A: float = 2.0
    delta: float = 1e-3
    beta: float = 2.0 / 3.0
    check_every: int = 0
    sampling: str = "batch"

    synonyms: ClassVar = {"gamma": ("gamma", {"auto": None}), "step": ("gamma", {"auto": None})}
    needs: ClassVar = ("samples",)
    cost: ClassVar = "B + B' rows"
    memory: ClassVar = "5-10"
    length: ClassVar = "gamma"
    paper: ClassVar = "arXiv:2410.14054"
    residual: ClassVar = staticmethod(residual)

    @property
    def init(self):
        return independent_auto.init if self.gamma is None else init

    @property
    def step(self):
        return independent_auto.step if self.gamma is None else step

    def validated(self):
        common = batch_parameters(self.batch_size, self.check_every, self.sampling, INDEPENDENT)
        size = self.normalizer_batch_size
        if size is None:
            size = max(min(8, common[0]), common[0] // (8 if self.gamma is None else 4))
        size = _checks.count("normalizer_batch_size", size, 1)
        beta = _checks.in_interval("beta", _checks.positive("beta", self.beta), 0.0, 1.0)
        Gamma, delta = _checks.positive("Gamma", self.Gamma), _checks.non_negative("delta", self.delta)
        A = _checks.in_interval("A", _checks.finite("A", self.A), 1.0, math.inf)
        if self.gamma is None:
            return independent_auto.Params(*common, size, beta)
        return Params(*common, size, _checks.positive("gamma", self.gamma), Gamma, A, delta, beta)

    def from_theory(self, L0, L1, tau1, tau2, T):
        r"""A copy with the constants of the theorem of [1]_ for a run of T iterations.

        Parameters
        ----------
        L0, L1 : float >= 0
            Generalized smoothness, \|f''\| <= L0 + L1 \|g\|^beta. Not both 0.
        tau1, tau2 : float
            Noise of a batch, \|g_batch - g\| <= tau1 \|g\| + tau2, with 0 <= tau1 < 1 and tau2 >= 0.
        T : int >= 1
        """
        L0, L1 = _checks.non_negative("L0", L0), _checks.non_negative("L1", L1)
        tau1, tau2 = _checks.real("tau1", tau1), _checks.non_negative("tau2", tau2)
        if not 0.0 <= tau1 < 1.0:
            raise ValueError(f"tau1 must lie in [0, 1), got {tau1!r}")
        c, A, delta = 2.0 * tau1 * tau1 + 1.0, 1.0 / (1.0 - tau1), tau2 / (1.0 - tau1)
        bounds = [1.0 / math.sqrt(_checks.count("T", T, 1))]
        bounds += [1.0 / (4.0 * L * c) for L in (L0, L1) if L > 0.0]
        if L1 * tau2 > 0.0:
            bounds.append(1.0 / (8.0 * L1 * c * (2.0 * delta) ** self.beta))
        gamma = min(bounds)
        if L1 == 0.0:
            raise ValueError("L1 is 0: f is smooth in the usual sense and needs no normalizer (baselines.SGD)")
        return self.replace(gamma=gamma, Gamma=(4.0 * L1 * gamma * c) ** (1.0 / self.beta), A=A, delta=delta)

    def from_code_form(self, gamma_c, c, A=2.0, delta=0.0):
        r"""A copy with the step gamma_c g / max(A \|g'\| + delta, c)^beta.

        Parameters
        ----------
        gamma_c, c : float > 0
            Then gamma = gamma_c / c^beta and Gamma = 1 / c. The released scripts square their threshold before they
            compare it with a length that is not squared: 45 there is c = 2025 here.
        A, delta : float
        """
        c = _checks.positive("c", c)
        return self.replace(gamma=_checks.positive("gamma_c", gamma_c) / c ** self.beta, Gamma=1.0 / c, A=A, delta=delta)

    @property
    def name(self):
        return "IANSGD"


IANSGD = IndependentNormalization()
