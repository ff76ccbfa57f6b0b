r"""Stochastic gradient descent with its step measured: the GM scaling of a momentum direction in Adam's metric.

With the bias-corrected means m and v of g and of :math:`g \odot g` over batches, :math:`P = 1/(\sqrt v + \epsilon)` and
:math:`d = P m`, every fourth step draws an independent batch of half the size and takes one Hessian product over it,

.. math::  s = \sqrt{\frac{\langle Hd, P\, Hd\rangle}{\langle d, P^{-1} d\rangle}}, \qquad
           L = \bar s + 4 \max\Bigl\{0, \sigma_s - \frac{\bar s}{2}\Bigr\}, \qquad
           \mathrm{lr} = \min\Bigl\{\frac{\theta\, c}{L},\ \Bigl(1 + \frac1k\Bigr) \mathrm{lr}\Bigr\},

k products so far, with the running mean :math:`\bar s` and standard deviation :math:`\sigma_s` of s. 1/s is the scaling
s_GM along d in the metric P. The steps are :math:`w^+ = w - \mathrm{lr}\, d`; the point reported, x, is a running average
of the iterates.

The factor c says whether the iterates still travel or only shake. Where they are stationary about a minimizer x of a
quadratic, whatever the noise, steps with momentum :math:`\beta_1` have

.. math::  E\langle g, w - x\rangle
           = \frac{1 + \beta_1}{2 (1 - \beta_1)}\, E\bigl[\mathrm{lr}\, \langle d, P^{-1} d\rangle\bigr].

q is the quotient of both sides, each a running mean, and c = 2 - q within [1/2, 2]: steps twice as long while nothing is
stationary, and shorter ones where averaging has something to gain from it.

The measurements over all rows guard the run: where f at x is above the least one by more than a tenth of what the run has
gained, it goes back to that point, with a quarter of theta and nothing remembered.

References
----------
.. [1] O. Smee, F. Roosta, S. J. Wright, "First-ish Order Methods: Hessian-aware Scalings of Gradient Descent",
       arXiv:2502.03701, 2025: the scaling.
.. [2] D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, arXiv:1412.6980: the metric.
.. [3] S. Yaida, "Fluctuation-dissipation relations for stochastic gradient descent", ICLR 2019, arXiv:1810.00004, and
       H. Lang, P. Zhang, L. Xiao, "Using statistics to automate stochastic optimization", NeurIPS 2019: the relation.
.. [4] O. Shamir, T. Zhang, "Stochastic gradient descent for non-smooth optimization: convergence results and optimal
       averaging schemes", ICML 2013: averaging with polynomial decay.
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
    batch_hess_vec,
    batch_parameters,
    draw,
    is_due,
    measure,
    residual,
)
from .._status import RUNNING
from .._vectors import axpy_to, copy_to
from ..directions.moments import decays, update_moments
from ..stepsize.normalized import average_to
from ..stepsize.stationary import curvature, direction, learning_rate, length_factor, metric, recall, travel

# Ours, chosen on a logistic regression, a softmax regression, a small network and the tuning part of
# benchmarks/normalized_other.py (docs/methods/normalized.md), as those in stepsize/stationary: steps from one product to the
# next; the rise, as a share of what has been gained, at which the run goes back, and what is left of theta then; batches in a
# row without a finite gradient that send it back, too.
PERIOD, RISE, CUT, BAD = 4, 0.1, 0.25, 3


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
    excess: float           # running means of <g, w - x>, and of lr <d, P^-1 d>
    shaking: float
    anchor: np.ndarray      # the point with the least measurement, that one, and the first one
    f_anchor: float
    f_start: float
    theta: float            # less after a return
    since: int              # steps taken since the start or the last return
    k: int                  # steps taken
    bad: int                # batches in a row whose gradient was not finite


@routine
def init(oracle, x0, params):
    x, g = x0.copy(), np.empty_like(x0)
    f = measure(oracle, x, g)
    return State(x, f, g, 0.0, RUNNING, True, oracle.rng, all_rows(oracle), all_rows(oracle),
                 np.empty(params.batch_size, np.int64), np.empty(max(params.batch_size // 2, 1), np.int64),
                 np.empty_like(x0), np.empty_like(x0), x0.copy(), np.empty_like(x0), np.empty_like(x0), np.zeros_like(x0),
                 np.zeros_like(x0), np.empty_like(x0), np.empty_like(x0), np.empty_like(x0), 1.0, 1.0, 0.0, 0.0, 0, 0.0, 0.0,
                 x0.copy(), f, f, params.theta, 0, 0, 0)


@kernel
def has_risen(f, least, start):
    return not f <= least + RISE * (start - least)


@kernel
def begin_again(anchor, w, m, v):
    """Put the iterate at the anchor and forget the means."""
    for i in range(w.size):
        w[i] = anchor[i]
        m[i] = v[i] = 0.0


@routine
def measured_curvature(oracle, rng, order, rows, w, d, p, hd):
    """s on independent rows; -1 where their product is not finite."""
    batch = draw(oracle, rng, order, 0, rows)
    return curvature(d, hd, p) if batch_hess_vec(oracle, w, d, batch, hd) else -1.0


@routine
def step(oracle, state, params):
    (x, f, g, lr, _, _, rng, order, order_h, rows, rows_h, x_trial, g_spare, w, w_trial, g_batch, m, v, p, d, hd, decay1,
     decay2, mean, square, products, excess, shaking, anchor, f_anchor, f_start, theta, since, k, bad) = state
    batch = draw(oracle, rng, order, params.sampling, rows)
    measured = False
    if batch_gradient(oracle, w, batch, g_batch):
        if since > 0:
            excess, shaking = travel(g_batch, w, x, lr, d, p, excess, shaking)
        update_moments(g_batch, params.beta1, params.beta2, m, v)
        decay1, decay2 = decay1 * params.beta1, decay2 * params.beta2
        metric(v, decay2, since + 1, params.eps, p)
        direction(m, p, decay1, d)
        s = -1.0
        if since < PERIOD or since % PERIOD == 0:
            s = measured_curvature(oracle, rng, order_h, rows_h, w, d, p, hd)
        if s >= 0.0:
            mean, square, products = recall(mean, s), recall(square, s * s), products + 1
            lr = learning_rate(theta * length_factor(excess, shaking, params.beta1), mean, square, products, lr)
        axpy_to(-lr, d, w, w_trial)
        k, since, bad = k + 1, since + 1, 0
        average_to(x, w_trial, since, x_trial)
        measured = is_due(k, params.check_every, oracle.n_samples, params.batch_size + params.batch_size // 4)
    else:
        copy_to(x, x_trial)
        copy_to(w, w_trial)
        bad += 1
    f_new = measure(oracle, x_trial, g_spare) if measured else f
    if bad == BAD or has_risen(f_new, f_anchor, f_start):
        copy_to(anchor, x_trial)
        begin_again(anchor, w_trial, m, v)
        lr, theta, since, products, decay1, decay2 = CUT * lr, CUT * theta, 0, 0, 1.0, 1.0
        mean = square = excess = shaking = 0.0
        measured = False        # what is out there is neither reported nor a reason to end the run
    elif measured:
        f, g, g_spare = f_new, g_spare, g
        if f < f_anchor:
            copy_to(x_trial, anchor)
            f_anchor = f
    return State(x_trial, f, g, lr, after_bad_batch(bad), measured, rng, order, order_h, rows, rows_h, x, g_spare, w_trial, w,
                 g_batch, m, v, p, d, hd, decay1, decay2, mean, square, products, excess, shaking, anchor, f_anchor,
                 f_start, theta, since, k, bad)


@dataclass(frozen=True, repr=False)
class StochasticScaled(Method):
    r"""Mini-batch steps scaled by averaged curvature: SGMStochastic. No learning rate.

    B gradient rows an iteration, and every fourth iteration (and in the first four) a Hessian product over B/2 rows: 1.25 B
    rows an iteration, a product counted twice. A pass of values and gradients for every check. Thirteen vectors and two
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
        Factor of the step, theta c / L. 1.
    check_every : int >= 0
        Iterations between measurements over all rows, which also guard the run; 0: about one pass over the rows.
    sampling : {"batch", "replacement", "epoch"}
        How the rows of gradients are drawn, as for `curvopt.baselines.SGD`. Those of products are always drawn from all
        rows, independently of the gradient's.

    Notes
    -----
    Ours, on the scaling of [1]_; nothing is proved. Given d, the expectation of <d, Hd> over the rows of the product is
    that of the sum, while \|Hd\| is over-estimated, which shortens steps. The step is not unbiased, as in Adam: d and v
    have the gradient's rows in common. The cap on growth, at most a factor 1 + 1/k, the spread of s in L and the factor c
    anneal the step without a horizon. Where f at x is measured above the least measurement by a tenth of the run's gain, or
    three batches in a row have no finite gradient, the run goes back to the best point and takes a quarter of theta. In v
    an entry's mean of squares over k batches is (k v + mean of all entries) / (k + 1): an entry that no row has moved yet
    would have no metric otherwise.

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
    memory: ClassVar = "13"
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
