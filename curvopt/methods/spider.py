r"""SPIDER: a gradient estimate that is corrected by differences on the same rows, and taken in full every so often.

.. math::  v_t = \nabla F(x_t) \ \text{ if } q \text{ divides } t, \qquad
           v_t = v_{t-1} + g_S(x_t) - g_S(x_{t-1}) \ \text{ otherwise}, \qquad
           x_{t+1} = x_t - \gamma\, \frac{v_t}{\|v_t\|^\beta},

S a batch of rows, g_S the mean gradient over it.

References
----------
.. [1] C. Fang, C. J. Li, Z. Lin, T. Zhang, "SPIDER: near-optimal non-convex optimization via stochastic path-integrated
       differential estimator", NeurIPS 2018, arXiv:1807.01695.
"""
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .. import _checks
from .._jit import routine
from .._method import Method
from .._sampling import SAMPLING, after_bad_batch, all_rows, batch_gradient, batch_parameters, draw, measure, residual
from .._status import RUNNING
from .._vectors import add_difference, axpy_to, copy_to, norm
from ..stepsize.normalized import normalized_length


class Params(NamedTuple):
    batch_size: int
    period: int
    sampling: int
    gamma: float
    beta: float


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
    x_old: np.ndarray       # the iterate before x
    x_trial: np.ndarray
    g_spare: np.ndarray
    g_new: np.ndarray       # batch gradients at x and x_old
    g_old: np.ndarray
    v: np.ndarray
    k: int
    bad: int


@routine
def init(oracle, x0, params):
    x, g = x0.copy(), np.empty_like(x0)
    f = measure(oracle, x, g)
    return State(x, f, g, 0.0, RUNNING, True, oracle.rng, all_rows(oracle), np.empty(params.batch_size, np.int64),
                 x0.copy(), np.empty_like(x0), np.empty_like(x0), np.empty_like(x0), np.empty_like(x0), np.empty_like(x0),
                 0, 0)


@routine
def step(oracle, state, params):
    x, f, g, _, _, measured, rng, order, rows, x_old, x_trial, g_spare, g_new, g_old, v, k, bad = state
    if measured:
        copy_to(g, v)
    else:
        batch = draw(oracle, rng, order, params.sampling, rows)
        if not (batch_gradient(oracle, x, batch, g_new) and batch_gradient(oracle, x_old, batch, g_old)):
            return State(x, f, g, 0.0, after_bad_batch(bad + 1), False, rng, order, rows, x_old, x_trial, g_spare, g_new,
                         g_old, v, k, bad + 1)
        add_difference(g_new, g_old, v)
    alpha = normalized_length(params.gamma, norm(v, 2), params.beta, 0.0, 0.0)
    axpy_to(-alpha, v, x, x_trial)
    k += 1
    if k % params.period == 0:
        f = measure(oracle, x_trial, g_spare)
        return State(x_trial, f, g_spare, alpha, RUNNING, True, rng, order, rows, x, x_old, g, g_new, g_old, v, k, 0)
    return State(x_trial, f, g, alpha, RUNNING, False, rng, order, rows, x, x_old, g_spare, g_new, g_old, v, k, 0)


@dataclass(frozen=True, repr=False)
class Spider(Method):
    r"""SPIDER with normalized steps.

    Two gradients over ``batch_size`` rows an iteration, and one over all rows every `period` iterations, which is the
    measurement that tests convergence as well; nine vectors and an index of the rows.

    Parameters
    ----------
    gamma : float > 0
        Step; with beta = 1 the length of the steps, in the units of x.
    batch_size : int >= 1
        Rows of a correction.
    period : int >= 1
        q, iterations from one full gradient to the next.
    beta : float in [0, 1]
        Power of the normalizer \|v\|.
    sampling : {"batch", "replacement", "epoch"}
        As for `curvopt.baselines.SGD`.

    Notes
    -----
    Published counts charge a correction with the rows of its batch; two gradients are taken on them, and both count
    here.

    References
    ----------
    .. [1] C. Fang, C. J. Li, Z. Lin, T. Zhang, "SPIDER: near-optimal non-convex optimization via stochastic
           path-integrated differential estimator", NeurIPS 2018, arXiv:1807.01695.

    Examples
    --------
    >>> import curvopt
    >>> p = curvopt.problems.logistic([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [3.0, 1.0]], [0, 1, 0, 1], lam=0.1)
    >>> res = curvopt.minimize(curvopt.problems.finite_sum(p), p.x0, args=p.args,
    ...                        method=curvopt.baselines.SPIDER.replace(batch_size=2, gamma=0.02),
    ...                        options={"rng": 1, "maxiter": 400, "compiled": False})
    >>> bool(p.fun(res.x, *p.args) < 0.66 < p.fun(p.x0, *p.args))
    True
    """

    gamma: float = 1e-2
    batch_size: int = 32
    period: int = 20
    beta: float = 1.0
    sampling: str = "batch"

    needs: ClassVar = ("samples",)
    cost: ClassVar = "2B rows; all every q"
    memory: ClassVar = "9"
    length: ClassVar = "gamma"
    paper: ClassVar = "arXiv:1807.01695"
    init: ClassVar = staticmethod(init)
    step: ClassVar = staticmethod(step)
    residual: ClassVar = staticmethod(residual)

    def validated(self):
        size, _, mode = batch_parameters(self.batch_size, 0, self.sampling, SAMPLING)
        return Params(size, _checks.count("period", self.period, 1), mode, _checks.positive("gamma", self.gamma),
                      _checks.in_interval("beta", self.beta, 0.0, 1.0))

    @property
    def name(self):
        return "SPIDER"


SPIDER = Spider()
