r"""The automatic step of IAN-SGD: gamma and Gamma measured as the run goes. The class is in `independent_normalization`.

.. math::  x_{t+1} = x_t - \frac{\theta}{L_t\, h_t}\, g_t, \qquad
           h_t = \max\Bigl\{1, \frac{\|g'_t\|}{Q_{0.8}(\|g'\|)}\Bigr\}^\beta, \qquad
           \ell_t = \frac{\|g'_t(x_t) - g'_t(x_{t-1})\|}{\|x_t - x_{t-1}\|}, \qquad
           L_t = \max\{\bar\ell, Q_{0.8}(\ell)\},

Q the quantile of the last twenty values and :math:`\bar\ell` a running mean. A small batch over-estimates the curvature of
the sum by about the noise there is, which keeps the step in bounds. Step, normalizer and guard use rows that are
independent of those of :math:`g_t`.

The guard compares the values at the iterate and at an anchor on the rows of g', so that a constant added to f cancels. If
their running mean and the median of the last three exceed 1000 times the usual :math:`s\,\|g'\|^2`, the run is lost: it
goes back to the anchor with half of theta.

References
----------
.. [1] O. Shamir, T. Zhang, "Stochastic gradient descent for non-smooth optimization: convergence results and optimal
       averaging schemes", ICML 2013: averaging with polynomial decay.
.. [2] R. M. Gower et al., "SGD: general analysis and improved rates", ICML 2019: expected smoothness.
"""
import math
from typing import NamedTuple

import numpy as np

from .._jit import kernel, routine
from .._sampling import after_bad_batch, all_rows, batch_gradient, batch_value, draw, is_due, measure
from .._status import RUNNING
from .._vectors import axpy_to, copy_to, norm
from ..stepsize.normalized import average_to, power
from ..stepsize.secant import secant_curvature

# Ours, chosen on phase retrieval and one regression under the worst case (docs/methods/normalized.md says what each of
# them does): theta; weight of the past in running means; growth of the step; window and level of the quantiles; recovery
# of theta after the guard has halved it; when the guard says lost, and at once; steps from one
# anchor to the next.
THETA, MEMORY, GROWTH, WINDOW, LEVEL, RECOVERY = 1.0, 0.8, 2.0, 20, 0.8, 1.01
LOST, AT_ONCE, ANCHOR_AGE = 1e3, 1e5, 20
FEW = 4                 # norms below which there is no quantile
PROBE = 1e-4            # length of the first secant, relative to 1 + |x|
FIRST = 0.1             # longest first step, likewise: the few rows of the first secant may have seen no curvature


class Params(NamedTuple):
    batch_size: int
    check_every: int
    sampling: int
    normalizer_batch_size: int
    beta: float


class State(NamedTuple):
    x: np.ndarray           # the average of the iterates
    f: float                # of the last measurement
    g: np.ndarray
    alpha: float
    flag: int
    measured: bool          # whether f and g are those of x
    rng: np.random.Generator
    order: np.ndarray
    rows: np.ndarray        # the two batches
    rows_h: np.ndarray
    x_trial: np.ndarray     # trades places with x
    g_spare: np.ndarray     # trades places with g
    w: np.ndarray           # the iterate, the one before it, and the anchor of the guard
    w_old: np.ndarray
    anchor: np.ndarray
    g_batch: np.ndarray
    g_old: np.ndarray
    window: np.ndarray      # (3, WINDOW): norms of g', secants, energies s |g'|^2; round robin
    seen: int               # columns filled so far
    curvature: float        # running mean of secants
    theta: float
    moved: bool             # whether w_old is the iterate before w
    averaged: int           # iterates in the average
    rise: float             # running mean of the values above the anchor, and the last two
    rise1: float
    rise2: float
    age: int                # of the anchor
    k: int                  # steps taken
    bad: int                # steps in a row with a gradient that was not finite


@routine
def init(oracle, x0, params):
    x, g = x0.copy(), np.empty_like(x0)
    f = measure(oracle, x, g)
    rng, order, size = oracle.rng, all_rows(oracle), params.normalizer_batch_size
    g1, g2, point, window = np.empty_like(x0), np.empty_like(x0), x0.copy(), np.zeros((3, WINDOW))
    rows = np.empty(min(2 * size, oracle.n_samples), np.int64)
    batch = draw(oracle, rng, order, params.sampling, rows)
    batch_gradient(oracle, x, batch, g1)
    batch = draw(oracle, rng, order, params.sampling, rows)
    batch_gradient(oracle, x, batch, g2)
    length = norm(g1, 2)
    move_along(x, g1, length, PROBE, point)
    batch_gradient(oracle, point, batch, g1)
    curvature = secant_curvature(x, point, g2, g1)
    first = first_length(x, length)
    remember(window, 0, length, curvature, 0.0)
    remember(window, 1, norm(g2, 2), curvature, 0.0)
    return State(x, f, g, first, RUNNING, True, rng, order, np.empty(params.batch_size, np.int64), np.empty(size, np.int64),
                 np.empty_like(x0), np.empty_like(x0), x0.copy(), np.empty_like(x0), x0.copy(), g1, g2, window, 2, curvature,
                 full_theta(params), False, 0, 0.0, 0.0, 0.0, 0, 0, 0)


@routine
def full_theta(params):
    """theta, less where the normalizing batch is large beside the other one, which then has more noise than it shows."""
    return THETA * min(1.0, params.batch_size / (8.0 * params.normalizer_batch_size))


@kernel
def move_along(x, g, length, distance, out):
    axpy_to(-distance * (1.0 + norm(x, 2)) / length if length > 0.0 else 0.0, g, x, out)


@kernel
def first_length(x, length):
    """The step whose length is FIRST (1 + |x|); 0, which bounds nothing, where the gradient vanishes."""
    return FIRST * (1.0 + norm(x, 2)) / length if 0.0 < length < math.inf else 0.0


@kernel
def remember(window, seen, length, secant, energy):
    place = seen % window.shape[1]
    window[0, place] = length
    window[1, place] = secant
    window[2, place] = energy


@kernel
def order_statistic(window, row, n, k):
    """The entry with k smaller ones among the first n of a row. The window is short, and sorting would make an array."""
    for i in range(n):
        candidate = window[row, i]
        smaller = equal = 0
        for j in range(n):
            if window[row, j] < candidate:
                smaller += 1
            elif window[row, j] == candidate:
                equal += 1
        if smaller <= k < smaller + equal:
            return candidate
    return math.nan


@kernel
def quantile(window, row, seen, level):
    """The quantile of a row of the window, linearly interpolated."""
    n = min(seen, window.shape[1])
    place = level * (n - 1)
    below = min(int(place), n - 2)
    low, high = order_statistic(window, row, n, below), order_statistic(window, row, n, below + 1)
    return low + (place - below) * (high - low)


@kernel
def normalizer(length, window, seen, beta):
    if seen < FEW:
        return 1.0
    level = quantile(window, 0, seen, LEVEL)
    return power(max(1.0, length / level), beta) if level > 0.0 else 1.0


@kernel
def step_length(theta, curvature, h, before, first):
    """theta / (L h), at most twice the step before; `before` bounds the first step itself, and 0 nothing."""
    s = theta / (curvature * h)
    if before > 0.0:
        s = min(s, before if first else GROWTH * before)
    return s if 0.0 < s < math.inf else 0.0


@kernel
def median(a, b, c):
    return max(min(a, b), min(max(a, b), c))


@kernel
def is_lost(now, rise, rise1, rise2, window, seen):
    """Whether the values above the anchor, now and in the mean, are beyond what steps of the usual energy explain."""
    if not math.isfinite(now):
        return True
    if seen <= FEW:
        return False
    energy = quantile(window, 2, seen, 0.5)
    return now > AT_ONCE * energy or (rise > LOST * energy and median(now, rise1, rise2) > LOST * energy)


@routine
def step(oracle, state, params):
    (x, f, g, alpha, _, _, rng, order, rows, rows_h, x_trial, g_spare, w, w_old, anchor, g_batch, g_old, window, seen,
     curvature, theta, moved, averaged, rise, rise1, rise2, age, k, bad) = state
    batch, secant = draw(oracle, rng, order, params.sampling, rows_h), curvature
    finite = batch_gradient(oracle, w, batch, g_batch)
    if moved and finite:
        finite = batch_gradient(oracle, w_old, batch, g_old)
        secant = secant_curvature(w_old, w, g_old, g_batch)
        curvature = MEMORY * curvature + (1.0 - MEMORY) * secant
    length = norm(g_batch, 2)
    now = batch_value(oracle, w, batch) - batch_value(oracle, anchor, batch)
    rise, age, k = MEMORY * rise + (1.0 - MEMORY) * now, age + 1, k + 1
    lost = not finite or is_lost(now, rise, rise1, rise2, window, seen)
    if not lost:
        batch = draw(oracle, rng, order, params.sampling, rows)
        finite = batch_gradient(oracle, w, batch, g_batch)
    bad = 0 if finite else bad + 1
    if lost:
        copy_to(anchor, w)
        copy_to(anchor, x_trial)
        alpha, theta, moved, averaged, age = 0.25 * alpha, 0.5 * theta, False, 0, 0
        rise = rise1 = rise2 = 0.0
    elif finite:
        if age >= ANCHOR_AGE and rise <= 0.0:
            copy_to(x, anchor)
            rise, rise1, age = 0.0, 0.0, 0
            now = 0.0
        rise1, rise2 = now, rise1
        remember(window, seen, length, secant, 0.0)
        seen += 1
        top = max(curvature, quantile(window, 1, seen, LEVEL))
        alpha = step_length(theta, top, normalizer(length, window, seen - 1, params.beta), alpha, seen == 3)
        remember(window, seen - 1, length, secant, alpha * length * length)
        axpy_to(-alpha, g_batch, w, w_old)
        w, w_old = w_old, w
        averaged, moved = averaged + 1, True
        average_to(x, w, averaged, x_trial)
        theta = min(full_theta(params), RECOVERY * theta)
    else:
        copy_to(x, x_trial)
    measured = is_due(k, params.check_every, oracle.n_samples, params.batch_size + 2 * params.normalizer_batch_size)
    if measured:
        f = measure(oracle, x_trial, g_spare)
        g, g_spare = g_spare, g
    return State(x_trial, f, g, alpha, after_bad_batch(bad), measured, rng, order, rows, rows_h, x, g_spare, w, w_old, anchor,
                 g_batch, g_old, window, seen, curvature, theta, moved, averaged, rise, rise1, rise2, age, k, bad)
