r"""Stochastic gradient descent with its step measured: the GM scaling of a momentum direction in Adam's metric.

With the bias-corrected means m and v of g and of :math:`g \odot g` over batches, :math:`P = 1/(\sqrt v + \epsilon)` and
:math:`d = P m`, every fourth step draws an independent batch of half the size and takes one Hessian product over it,

.. math::  s = \sqrt{\frac{\langle Hd, P\, Hd\rangle}{\langle d, P^{-1} d\rangle}}, \qquad
           L = \bar s + 4 \max\Bigl\{0, \sigma_s - \frac{\bar s}{2}\Bigr\}, \qquad
           \mathrm{lr} = \min\Bigl\{\Bigl(1 + \frac{1}{1 + k/100}\Bigr) \frac1L,\ \Bigl(1 + \frac1k\Bigr) \mathrm{lr}\Bigr\},

k products so far, with the running mean :math:`\bar s` and standard deviation :math:`\sigma_s` of s. 1/s is the scaling
s_GM along d in the metric P. The steps are :math:`w^+ = w - \mathrm{lr}\, d`; the point reported is a running average of
the iterates.

References
----------
.. [1] O. Smee, F. Roosta, S. J. Wright, "First-ish Order Methods: Hessian-aware Scalings of Gradient Descent",
       arXiv:2502.03701, 2025: the scaling.
.. [2] D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, arXiv:1412.6980: the metric.
.. [3] O. Shamir, T. Zhang, "Stochastic gradient descent for non-smooth optimization: convergence results and optimal
       averaging schemes", ICML 2013: averaging with polynomial decay.
"""
import math
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
    batch_hess_vec,
    batch_parameters,
    draw,
    is_due,
    measure,
    residual,
)
from .._status import RUNNING
from .._vectors import axpy_to
from ..directions.moments import decays, update_moments
from ..stepsize.normalized import average_to

# Ours, chosen on a logistic regression, a softmax regression and a small network (docs/methods/normalized.md): steps from
# one product to the next; memory of the mean of s; what the spread of s adds to L, and the spread relative to the mean that
# adds nothing; the products after which the step is longer by 1/2 instead of 1.
PERIOD, MEMORY, SPREAD, CALM, EARLY = 4, 0.95, 4.0, 0.5, 100.0


class Params(NamedTuple):
    batch_size: int
    check_every: int
    sampling: int
    beta1: float
    beta2: float
    eps: float
    theta: float


class State(NamedTuple):
    x: np.ndarray           # the average of the iterates
    f: float                # of the last measurement
    g: np.ndarray
    alpha: float
    flag: int
    measured: bool          # whether f and g are those of x
    rng: np.random.Generator
    order: np.ndarray
    order_h: np.ndarray     # for the rows of products, so that those of gradients can go by epochs
    rows: np.ndarray
    rows_h: np.ndarray
    x_trial: np.ndarray     # trades places with x
    g_spare: np.ndarray     # trades places with g
    w: np.ndarray           # the iterate; w_trial trades places with it
    w_trial: np.ndarray
    g_batch: np.ndarray
    m: np.ndarray
    v: np.ndarray
    p: np.ndarray           # diagonal of P
    d: np.ndarray
    hd: np.ndarray
    decay1: float           # beta1^k, beta2^k
    decay2: float
    mean: float             # of s and of s^2, not yet corrected for their start at 0
    square: float
    products: int
    k: int                  # steps taken
    bad: int                # batches in a row whose gradient was not finite


@routine
def init(oracle, x0, params):
    x, g = x0.copy(), np.empty_like(x0)
    f = measure(oracle, x, g)
    return State(x, f, g, 0.0, RUNNING, True, oracle.rng, all_rows(oracle), all_rows(oracle),
                 np.empty(params.batch_size, np.int64), np.empty(max(params.batch_size // 2, 1), np.int64),
                 np.empty_like(x0), np.empty_like(x0), x0.copy(), np.empty_like(x0), np.empty_like(x0), np.zeros_like(x0),
                 np.zeros_like(x0), np.empty_like(x0), np.empty_like(x0), np.empty_like(x0), 1.0, 1.0, 0.0, 0.0, 0, 0, 0)


@kernel
def metric(v, decay2, k, eps, p):
    """Write the diagonal of P after k batches: in each mean of squares, the mean over all entries counts for one batch.

    An entry that no batch has moved yet would have no curvature to speak of otherwise, until a row of a product moves it.
    """
    mean = 0.0
    for i in range(v.size):
        mean += v[i] / v.size
    for i in range(v.size):
        p[i] = 1.0 / (math.sqrt((k * v[i] + mean) / ((k + 1.0) * (1.0 - decay2))) + eps)


@kernel
def direction(m, p, decay1, d):
    """Write P m of the corrected mean."""
    for i in range(d.size):
        d[i] = p[i] * m[i] / (1.0 - decay1)


@kernel
def curvature(d, hd, p):
    """sqrt(<Hd, P Hd> / <d, P^-1 d>); 0 where d vanishes."""
    top = bottom = 0.0
    for i in range(d.size):
        top += hd[i] * hd[i] * p[i]
        bottom += d[i] * d[i] / p[i]
    return math.sqrt(top / bottom) if bottom > 0.0 else 0.0


@kernel
def learning_rate(theta, mean, square, products, before):
    """The step after `products` measurements of s, from the running means of s and s^2."""
    weight = 1.0 - math.pow(MEMORY, products)
    mean /= weight
    spread = math.sqrt(max(square / weight - mean * mean, 0.0))
    top = mean + SPREAD * max(spread - CALM * mean, 0.0)
    longest = (1.0 + 1.0 / products) * before if before > 0.0 else math.inf
    lr = min(theta * (1.0 + 1.0 / (1.0 + products / EARLY)) / top, longest) if top > 0.0 else longest
    return lr if 0.0 < lr < math.inf else before


@routine
def step(oracle, state, params):
    (x, f, g, lr, _, _, rng, order, order_h, rows, rows_h, x_trial, g_spare, w, w_trial, g_batch, m, v, p, d, hd, decay1,
     decay2, mean, square, products, k, bad) = state
    batch = draw(oracle, rng, order, params.sampling, rows)
    if not batch_gradient(oracle, w, batch, g_batch):
        return State(x, f, g, lr, after_bad_batch(bad + 1), False, rng, order, order_h, rows, rows_h, x_trial, g_spare, w,
                     w_trial, g_batch, m, v, p, d, hd, decay1, decay2, mean, square, products, k, bad + 1)
    update_moments(g_batch, params.beta1, params.beta2, m, v)
    decay1, decay2 = decay1 * params.beta1, decay2 * params.beta2
    metric(v, decay2, k + 1, params.eps, p)
    direction(m, p, decay1, d)
    if k < PERIOD or k % PERIOD == 0:
        batch = draw(oracle, rng, order_h, 0, rows_h)
        if batch_hess_vec(oracle, w, d, batch, hd):
            s = curvature(d, hd, p)
            mean, square = MEMORY * mean + (1.0 - MEMORY) * s, MEMORY * square + (1.0 - MEMORY) * s * s
            products += 1
            lr = learning_rate(params.theta, mean, square, products, lr)
    axpy_to(-lr, d, w, w_trial)
    k += 1
    average_to(x, w_trial, k, x_trial)
    measured = is_due(k, params.check_every, oracle.n_samples, params.batch_size + params.batch_size // 4)
    if measured:
        f = measure(oracle, x_trial, g_spare)
        g, g_spare = g_spare, g
    return State(x_trial, f, g, lr, RUNNING, measured, rng, order, order_h, rows, rows_h, x, g_spare, w_trial, w, g_batch, m, v,
                 p, d, hd, decay1, decay2, mean, square, products, k, 0)


@dataclass(frozen=True, repr=False)
class StochasticScaled(Method):
    r"""Mini-batch steps scaled by averaged curvature: SGMStochastic. No learning rate.

    B gradient rows an iteration, and every fourth iteration (and in the first four) a Hessian product over B/2 rows: 1.25 B
    rows an iteration, a product counted twice. A pass of values and gradients for every check. Twelve vectors and two
    indices of the rows.

    Parameters
    ----------
    batch_size : int >= 1
        B, rows of a gradient.
    beta1, beta2 : float in [0, 1)
        Memory of the means of g and g^2; 0.9 as in [2]_, and 0.99 instead of its 0.999: the metric of the first steps is
        forgotten sooner.
    eps : float > 0
        Added to the root of the mean of g^2; 1e-8 as in [2]_.
    theta : float > 0
        Factor of the step, at most theta (1 + 1/(1 + k/100)) / L after k products. 1.
    check_every : int >= 0
        Iterations between measurements over all rows; 0: about one pass over the rows.
    sampling : {"batch", "replacement", "epoch"}
        How the rows of gradients are drawn, as for `curvopt.baselines.SGD`. Those of products are always drawn from all
        rows, independently of the gradient's.

    Notes
    -----
    Ours, on the scaling of [1]_; nothing is proved. Given d, the expectation of <d, Hd> over the rows of the product is
    that of the sum, while \|Hd\| is over-estimated, which shortens steps. The step is not unbiased, as in Adam: d and v
    have the gradient's rows in common. The cap on growth, at most a factor 1 + 1/k, and the spread of s in L anneal the
    step without a horizon. In v an entry's mean of squares over k batches is (k v + mean of all entries) / (k + 1): an
    entry that no row has moved yet would have no metric otherwise.

    **The point reported, x, is a running average of the iterates.**

    References
    ----------
    .. [1] O. Smee, F. Roosta, S. J. Wright, "First-ish Order Methods: Hessian-aware Scalings of Gradient Descent",
           arXiv:2502.03701, 2025.
    .. [2] D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, arXiv:1412.6980.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.logistic([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [3.0, 1.0]], [0, 1, 0, 1], lam=0.1)
    >>> res = curvopt.minimize(curvopt.problems.finite_sum(p), p.x0, args=p.args,
    ...                        method=curvopt.SGMStochastic.replace(batch_size=2),
    ...                        options={"rng": 1, "maxiter": 400, "compiled": False})
    >>> bool(p.fun(res.x, *p.args) < 0.66 < p.fun(p.x0, *p.args))
    True
    """

    batch_size: int = 32
    beta1: float = 0.9
    beta2: float = 0.99
    eps: float = 1e-8
    theta: float = 1.0
    check_every: int = 0
    sampling: str = "epoch"

    needs: ClassVar = ("samples", "hessp")
    cost: ClassVar = "1.25B rows"
    memory: ClassVar = "12"
    paper: ClassVar = "own, on arXiv:2502.03701"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)
    residual: ClassVar = staticmethod(residual)

    def validated(self):
        return Params(*batch_parameters(self.batch_size, self.check_every, self.sampling, SAMPLING),
                      *decays(self.beta1, self.beta2), _checks.positive("eps", self.eps), _checks.positive("theta", self.theta))

    @property
    def name(self):
        return "SGMStochastic"


SGMStochastic = StochasticScaled()
