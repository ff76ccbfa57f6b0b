r"""Stochastic gradient descent with momentum, normalization and clipping in one formula.

.. math::  m_0 = g_0, \quad m_t = b\, m_{t-1} + (1 - b)\, g_t, \qquad
           x_{t+1} = x_t - \gamma\, \frac{m_t}{\max(\|m_t\| + \delta,\ c)^\beta},

g_t the mean gradient over a batch of rows. Plain (beta = 0), normalized (beta > 0, c = 0), clipped (c > 0).

References
----------
.. [1] A. Cutkosky, H. Mehta, "Momentum improves normalized SGD", ICML 2020, arXiv:2002.03305.
.. [2] J. Zhang, T. He, S. Sra, A. Jadbabaie, "Why gradient clipping accelerates training: a theoretical justification
       for adaptivity", ICLR 2020, arXiv:1905.11881.
"""
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._jit import kernel, routine
from .._method import Method
from .._sampling import (
    SAMPLING,
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


class Params(NamedTuple):
    batch_size: int
    check_every: int
    sampling: int
    gamma: float
    beta: float
    clip: float
    delta: float
    momentum: float


class State(NamedTuple):
    x: np.ndarray           # the moving iterate
    f: float                # of the last measurement
    g: np.ndarray
    alpha: float
    flag: int
    measured: bool          # whether f and g are those of x
    rng: np.random.Generator
    order: np.ndarray       # of rows, for drawing
    rows: np.ndarray        # the batch
    x_trial: np.ndarray     # trades places with x
    g_spare: np.ndarray     # trades places with g
    g_batch: np.ndarray
    m: np.ndarray
    k: int                  # steps taken
    bad: int                # batches in a row whose gradient was not finite


@routine
def init(oracle, x0, params):
    x, g = x0.copy(), np.empty_like(x0)
    f = measure(oracle, x, g)
    return State(x, f, g, 0.0, RUNNING, True, oracle.rng, all_rows(oracle), np.empty(params.batch_size, np.int64),
                 np.empty_like(x0), np.empty_like(x0), np.empty_like(x0), np.zeros_like(x0), 0, 0)


@kernel
def average(b, g, m):
    """m <- b m + (1 - b) g."""
    for i in range(g.size):
        m[i] = b * m[i] + (1.0 - b) * g[i]


@routine
def step(oracle, state, params):
    x, f, g, _, _, _, rng, order, rows, x_trial, g_spare, g_batch, m, k, bad = state
    batch = draw(oracle, rng, order, params.sampling, rows)
    if not batch_gradient(oracle, x, batch, g_batch):
        return State(x, f, g, 0.0, after_bad_batch(bad + 1), False, rng, order, rows, x_trial, g_spare, g_batch, m, k, bad + 1)
    average(params.momentum if k > 0 else 0.0, g_batch, m)
    alpha = normalized_length(params.gamma, norm(m, 2), params.beta, params.delta, params.clip)
    axpy_to(-alpha, m, x, x_trial)
    k += 1
    if is_due(k, params.check_every, oracle.n_samples, params.batch_size):
        f = measure(oracle, x_trial, g_spare)
        return State(x_trial, f, g_spare, alpha, RUNNING, True, rng, order, rows, x, g, g_batch, m, k, 0)
    return State(x_trial, f, g, alpha, RUNNING, False, rng, order, rows, x, g_spare, g_batch, m, k, 0)


@dataclass(frozen=True, repr=False)
class StochasticGradient(Method):
    r"""Stochastic gradient descent: SGD, NormalizedSGD, NormalizedSGDMomentum, ClippedSGD.

    ``batch_size`` gradient rows an iteration, and a pass of values and gradients for every check; seven vectors and an
    index of the rows. f and its gradient over all rows are measured at the start and at every check; the run converges
    only by such a measurement, and the best point measured is the one returned.

    Parameters
    ----------
    gamma : float > 0
        Step. It is the length of the steps of NormalizedSGD, in the units of x.
    batch_size : int >= 1
        Rows a gradient is the mean of.
    beta : float in [0, 1]
        Power of the normalizer max(\|m\| + delta, clip): 0 is plain SGD.
    clip : float >= 0
        Gradients longer than this are shortened; 0: all of them.
    delta : float >= 0
        Added to the length of the gradient.
    momentum : float in [0, 1)
        b, the weight of the past; the new gradient has weight 1 - b.
    check_every : int >= 0
        Iterations between measurements over all rows; 0: about one pass over the rows.
    sampling : {"batch", "replacement", "epoch"}
        Each batch without replacement from all rows; with replacement; or the batches of a random order of all rows, a
        new one each epoch.

    Notes
    -----
    A batch whose gradient is not finite is skipped; 20 in a row end the run with NONFINITE, and so does the first one
    with ``nonfinite="stop"``.

    With a power beta > 0 of the length of the *same* gradient the steps are biased: their mean is not along the
    gradient of the sum, and the run settles about another point. `curvopt.IANSGD` has no such bias.

    References
    ----------
    .. [1] A. Cutkosky, H. Mehta, "Momentum improves normalized SGD", ICML 2020, arXiv:2002.03305.
    .. [2] J. Zhang, T. He, S. Sra, A. Jadbabaie, "Why gradient clipping accelerates training: a theoretical
           justification for adaptivity", ICLR 2020, arXiv:1905.11881.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.logistic([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [3.0, 1.0]], [0, 1, 0, 1], lam=0.1)
    >>> res = curvopt.minimize(curvopt.problems.finite_sum(p), p.x0, args=p.args,
    ...                        method=curvopt.baselines.SGD.replace(batch_size=2, gamma=0.1),
    ...                        options={"rng": 1, "maxiter": 400, "compiled": False})
    >>> bool(p.fun(res.x, *p.args) < 0.66 < p.fun(p.x0, *p.args))
    True
    """

    gamma: float = 1e-2
    batch_size: int = 32
    beta: float = 0.0
    clip: float = 0.0
    delta: float = 0.0
    momentum: float = 0.0
    check_every: int = 0
    sampling: str = "batch"

    needs: ClassVar = ("samples",)
    cost: ClassVar = "B rows"
    memory: ClassVar = "7"
    length: ClassVar = "gamma"
    paper: ClassVar = "arXiv:2002.03305"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)
    residual: ClassVar = staticmethod(residual)

    def validated(self):
        momentum = _checks.real("momentum", self.momentum)
        if not 0.0 <= momentum < 1.0:
            raise ValueError(f"momentum must lie in [0, 1), got {self.momentum!r}")
        return Params(*batch_parameters(self.batch_size, self.check_every, self.sampling, SAMPLING),
                      _checks.positive("gamma", self.gamma), _checks.in_interval("beta", self.beta, 0.0, 1.0),
                      _checks.non_negative("clip", self.clip), _checks.non_negative("delta", self.delta), momentum)

    @property
    def name(self):
        if self.beta == 0.0:
            return "SGD"
        if self.clip > 0.0:
            return "ClippedSGD"
        return "NormalizedSGDMomentum" if self.momentum > 0.0 else "NormalizedSGD"


SGD = StochasticGradient()
NormalizedSGD = StochasticGradient(beta=1.0)
NormalizedSGDMomentum = StochasticGradient(beta=1.0, momentum=0.2)
ClippedSGD = StochasticGradient(beta=1.0, clip=1.0)
