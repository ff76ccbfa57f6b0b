r"""Adam on batches of rows: the method of `adam` with the mean gradient over a batch in place of the full one.

The update is that of `adam`, kernel by kernel; what differs is that a batch certifies nothing. f and its gradient over all
rows are measured at the start and at every check, and only there is there something to compare with the tolerances.

References
----------
.. [1] D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, arXiv:1412.6980.
"""
from typing import NamedTuple

import numpy as np

from .._jit import routine
from .._sampling import after_bad_batch, all_rows, batch_gradient, draw, is_due, measure
from .._status import RUNNING
from .._vectors import norm_inf
from ..directions.moments import PAPER, RELATIVE, moments_step, update_moments


class Params(NamedTuple):
    batch_size: int
    check_every: int
    sampling: int
    lr: float
    beta1: float
    beta2: float
    eps: float
    form: int


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
    m: np.ndarray           # mean of the batch gradients
    v: np.ndarray           # mean of their squares
    x_trial: np.ndarray     # trades places with x
    g_spare: np.ndarray     # trades places with g
    g_batch: np.ndarray
    eps: float              # eps in force
    decay1: float           # beta1^k
    decay2: float           # beta2^k
    k: int                  # steps taken
    bad: int                # batches in a row whose gradient was not finite


@routine
def init(oracle, x0, params):
    x, g = x0.copy(), np.empty_like(x0)
    f = measure(oracle, x, g)
    eps = params.eps * norm_inf(g) if params.form == RELATIVE else params.eps
    return State(x, f, g, 0.0, RUNNING, True, oracle.rng, all_rows(oracle), np.empty(params.batch_size, np.int64),
                 np.zeros_like(x0), np.zeros_like(x0), np.empty_like(x0), np.empty_like(x0), np.empty_like(x0),
                 eps, 1.0, 1.0, 0, 0)


@routine
def step(oracle, state, params):
    x, f, g, _, _, _, rng, order, rows, m, v, x_trial, g_spare, g_batch, eps, decay1, decay2, k, bad = state
    batch = draw(oracle, rng, order, params.sampling, rows)
    if not batch_gradient(oracle, x, batch, g_batch):
        return State(x, f, g, 0.0, after_bad_batch(bad + 1), False, rng, order, rows, m, v, x_trial, g_spare, g_batch,
                     eps, decay1, decay2, k, bad + 1)
    update_moments(g_batch, params.beta1, params.beta2, m, v)
    decay1, decay2 = decay1 * params.beta1, decay2 * params.beta2
    moments_step(x, m, v, params.lr, eps, decay1, decay2, params.form == PAPER, x_trial)
    k += 1
    if is_due(k, params.check_every, oracle.n_samples, params.batch_size):
        f = measure(oracle, x_trial, g_spare)
        return State(x_trial, f, g_spare, params.lr, RUNNING, True, rng, order, rows, m, v, x, g, g_batch,
                     eps, decay1, decay2, k, 0)
    return State(x_trial, f, g, params.lr, RUNNING, False, rng, order, rows, m, v, x, g_spare, g_batch,
                 eps, decay1, decay2, k, 0)
