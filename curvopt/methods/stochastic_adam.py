r"""Adam on mini-batches.

.. math::  m \leftarrow \beta_1 m + (1-\beta_1)\, g, \qquad v \leftarrow \beta_2 v + (1-\beta_2)\, g \odot g, \qquad
           x^+ = x - \mathrm{lr}\, \frac{m}{1-\beta_1^k} \oslash \Bigl(\sqrt{\frac{v}{1-\beta_2^k}} + \epsilon\Bigr),

g the mean gradient over a batch of rows.

References
----------
.. [1] D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, arXiv:1412.6980. Algorithm 1.
"""
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._jit import routine
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
from ..directions.moments import decays, moments_step, update_moments


class Params(NamedTuple):
    batch_size: int
    check_every: int
    sampling: int
    lr: float
    beta1: float
    beta2: float
    eps: float


class State(NamedTuple):
    x: np.ndarray           # the moving iterate
    f: float                # of the last measurement
    g: np.ndarray
    alpha: float
    flag: int
    measured: bool
    rng: np.random.Generator
    order: np.ndarray
    rows: np.ndarray
    x_trial: np.ndarray     # trades places with x
    g_spare: np.ndarray     # trades places with g
    g_batch: np.ndarray
    m: np.ndarray
    v: np.ndarray
    decay1: float           # beta1^k, beta2^k
    decay2: float
    k: int
    bad: int


@routine
def init(oracle, x0, params):
    x, g = x0.copy(), np.empty_like(x0)
    f = measure(oracle, x, g)
    return State(x, f, g, 0.0, RUNNING, True, oracle.rng, all_rows(oracle), np.empty(params.batch_size, np.int64),
                 np.empty_like(x0), np.empty_like(x0), np.empty_like(x0), np.zeros_like(x0), np.zeros_like(x0), 1.0, 1.0, 0, 0)


@routine
def step(oracle, state, params):
    x, f, g, _, _, _, rng, order, rows, x_trial, g_spare, g_batch, m, v, decay1, decay2, k, bad = state
    batch = draw(oracle, rng, order, params.sampling, rows)
    if not batch_gradient(oracle, x, batch, g_batch):
        return State(x, f, g, 0.0, after_bad_batch(bad + 1), False, rng, order, rows, x_trial, g_spare, g_batch, m, v,
                     decay1, decay2, k, bad + 1)
    update_moments(g_batch, params.beta1, params.beta2, m, v)
    decay1, decay2 = decay1 * params.beta1, decay2 * params.beta2
    moments_step(x, m, v, params.lr, params.eps, decay1, decay2, False, x_trial)
    k += 1
    measured = is_due(k, params.check_every, oracle.n_samples, params.batch_size)
    if measured:
        f = measure(oracle, x_trial, g_spare)
        g, g_spare = g_spare, g
    return State(x_trial, f, g, params.lr, RUNNING, measured, rng, order, rows, x, g_spare, g_batch, m, v, decay1, decay2, k, 0)


@dataclass(frozen=True, repr=False)
class StochasticAdamMethod(Method):
    """Adam on mini-batches: `curvopt.Adam` for sums over samples.

    ``batch_size`` gradient rows an iteration, and a pass of values and gradients for every check; seven vectors and an
    index of the rows. With all rows in a batch it makes the steps of `curvopt.Adam`.

    Parameters
    ----------
    lr : float > 0
        Learning rate: about the length of a step in each entry, in the units of x.
    batch_size : int >= 1
        Rows a gradient is the mean of.
    beta1, beta2 : float in [0, 1)
        Memory of the two means.
    eps : float > 0
        Keeps the quotient finite.
    check_every : int >= 0
        Iterations between measurements over all rows; 0: about one pass over the rows.
    sampling : {"batch", "replacement", "epoch"}
        As for `curvopt.baselines.SGD`.

    References
    ----------
    .. [1] D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, arXiv:1412.6980.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.logistic([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [3.0, 1.0]], [0, 1, 0, 1], lam=0.1)
    >>> res = curvopt.minimize(curvopt.problems.finite_sum(p), p.x0, args=p.args,
    ...                        method=curvopt.baselines.StochasticAdam.replace(batch_size=2, lr=0.01),
    ...                        options={"rng": 1, "maxiter": 400, "compiled": False})
    >>> bool(p.fun(res.x, *p.args) < 0.66 < p.fun(p.x0, *p.args))
    True
    """

    lr: float = 1e-3
    batch_size: int = 32
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    check_every: int = 0
    sampling: str = "batch"

    needs: ClassVar = ("samples",)
    cost: ClassVar = "B rows"
    memory: ClassVar = "7"
    length: ClassVar = "lr"
    paper: ClassVar = "arXiv:1412.6980"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)
    residual: ClassVar = staticmethod(residual)

    def validated(self):
        return Params(*batch_parameters(self.batch_size, self.check_every, self.sampling, SAMPLING),
                      _checks.positive("lr", self.lr), *decays(self.beta1, self.beta2), _checks.positive("eps", self.eps))

    @property
    def name(self):
        return "StochasticAdam"


StochasticAdam = StochasticAdamMethod()
