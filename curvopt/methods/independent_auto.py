r"""The automatic step of IAN-SGD: gamma and Gamma measured as the run goes. The class is in `independent_normalization`.

.. math::  x_{t+1} = x_t - \frac{\theta m_t}{L_t\, h_t}\, g_t, \qquad
           h_t = \max\Bigl\{1, \frac{\|g'_t\|}{Q_{0.8}(\|g'\|)}\Bigr\}^\beta, \qquad
           \ell_t = \frac{\|g'_t(x_t) - g'_t(x_{t-1})\|}{\|x_t - x_{t-1}\|}, \qquad
           L_t = \sqrt{\max\{\bar\ell, \ell_t\}\, \hat\ell_t},

Q the quantile of the last twenty lengths, :math:`\bar\ell` a running mean and :math:`\hat\ell_t = \max\{\ell_t,
0.9\,\hat\ell_{t-1}\}` a maximum that fades, for curvature that only few rows have. A small batch over-estimates the curvature
of the sum by about the noise there is, which keeps the step in bounds. Step, normalizer and guard use rows that are
independent of those of :math:`g_t`.

The same rows give the slopes along the last step where it began and where it ended. While their running means p0 > p1 > 0
say that the step ended before the minimum along it, :math:`m_t` lengthens 1/L up to :math:`s\, p_0 / (p_0 - p_1)`, at most
:math:`1 + 3\theta` times: where the curvature falls as the run goes, L lags behind it.

The guard compares the values at the iterate and at an anchor on the rows of g', so that a constant added to f cancels. If
their running mean and the median of the last three exceed 1000 times the usual :math:`s\,\|g'\|^2`, the run is lost: it
goes back to the anchor with half of theta, of which it gets little back.

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

# Ours, chosen on phase retrieval, a regression under the worst case and the tuning part of benchmarks/normalized_other.py
# (docs/methods/normalized.md says what each of them does): theta; weight of the past in running means and in the maximum
# that fades; growth of the step;
# window and level of the quantiles; most that slopes may lengthen a step; recovery of theta after the guard has halved it;
# when the guard says lost, and at once; steps from one anchor to the next.
THETA, MEMORY, FADE, GROWTH, WINDOW, LEVEL, STRETCH, RECOVERY = 1.0, 0.8, 0.9, 2.0, 20, 0.8, 4.0, 1.01
LOST, AT_ONCE, ANCHOR_AGE = 1e3, 1e5, 20
FEW = 4                 # norms below which there is no quantile
PROBE = 1e-4            # length of the first secant, relative to 1 + |x|
FIRST = 0.3             # longest step after it, likewise: the few rows of the first secant may have seen no curvature


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
    window: np.ndarray      # (2, WINDOW): norms of g', energies s |g'|^2; round robin
    seen: int               # columns filled so far
    curvature: float        # running mean of secants; 0 before the first one
    peak: float             # maximum of secants that fades
    slope0: float           # running means of the slopes along a step, where it began and where it ended
    slope1: float
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
    return State(x, f, g, 0.0, RUNNING, True, oracle.rng, all_rows(oracle), np.empty(params.batch_size, np.int64),
                 np.empty(params.normalizer_batch_size, np.int64), np.empty_like(x0), np.empty_like(x0), x0.copy(),
                 np.empty_like(x0), x0.copy(), np.empty_like(x0), np.empty_like(x0), np.zeros((2, WINDOW)), 0, 0.0, 0.0, 0.0,
                 0.0, full_theta(params), False, 0, 0.0, 0.0, 0.0, 0, 0, 0)


@routine
def full_theta(params):
    """theta, less where the normalizing batch is large beside the other one, which then has more noise than it shows."""
    return THETA * min(1.0, params.batch_size / (8.0 * params.normalizer_batch_size))


@kernel
def mean(past, value):
    return MEMORY * past + (1.0 - MEMORY) * value


@kernel
def probe(x, g, length, out):
    """Write the point at a small distance from x along -g."""
    axpy_to(-PROBE * (1.0 + norm(x, 2)) / length if length > 0.0 else 0.0, g, x, out)


@kernel
def along(x, x_new, g, g_new):
    """(secant, slope at x, slope at x_new) of a step: the slopes downwards, as cosines with the larger gradient."""
    secant, before, after = secant_curvature(x, x_new, g, g_new), 0.0, 0.0
    length = 0.0
    for i in range(x.size):
        d = x_new[i] - x[i]
        length += d * d
        before -= g[i] * d
        after -= g_new[i] * d
    scale = math.sqrt(length) * max(norm(g, 2), norm(g_new, 2))
    return (secant, before / scale, after / scale) if scale > 0.0 else (secant, 0.0, 0.0)


@kernel
def remember(window, seen, length, energy):
    place = seen % window.shape[1]
    window[0, place] = length
    window[1, place] = energy


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
def step_length(theta, curvature, h, before, slope0, slope1, longest):
    """theta / (L h), longer where the slopes along the last steps allow it, at most twice the step before if there is one."""
    s = theta / (curvature * h) if curvature > 0.0 else math.inf
    if slope0 > 0.0 and slope1 > 0.0:
        most = (1.0 + (STRETCH - 1.0) * theta) * s      # less for small batches, and after the guard has spoken
        s = max(s, min(before * slope0 / (slope0 - slope1), most)) if slope0 > slope1 else most
    if before > 0.0:
        s = min(s, GROWTH * before)
    s = min(s, longest)
    return s if 0.0 < s < math.inf else 0.0


@kernel
def first_length(x, length):
    """The step whose length is FIRST (1 + |x|)."""
    return FIRST * (1.0 + norm(x, 2)) / length if length > 0.0 else 0.0


@kernel
def median(a, b, c):
    return max(min(a, b), min(max(a, b), c))


@kernel
def is_lost(now, rise, rise1, rise2, window, seen):
    """Whether the values above the anchor, now and in the mean, are beyond what steps of the usual energy explain."""
    if not math.isfinite(now):
        return True
    if seen < 3:
        return False
    energy = quantile(window, 1, seen, 0.5)
    return now > AT_ONCE * energy or (rise > LOST * energy and median(now, rise1, rise2) > LOST * energy)


@routine
def step(oracle, state, params):
    (x, f, g, alpha, _, _, rng, order, rows, rows_h, x_trial, g_spare, w, w_old, anchor, g_batch, g_old, window, seen,
     curvature, peak, slope0, slope1, theta, moved, averaged, rise, rise1, rise2, age, k, bad) = state
    batch, secant, first = draw(oracle, rng, order, params.sampling, rows_h), curvature, curvature == 0.0
    finite = batch_gradient(oracle, w, batch, g_batch)
    length = norm(g_batch, 2)
    if first:
        probe(w, g_batch, length, w_old)
    if finite and (moved or first) and batch_gradient(oracle, w_old, batch, g_old):
        secant, before, after = along(w_old, w, g_old, g_batch)
        curvature, peak = secant if first else mean(curvature, secant), max(secant, FADE * peak)
        slope0, slope1 = (0.0, 0.0) if first else (mean(slope0, before), mean(slope1, after))
    now = batch_value(oracle, w, batch) - batch_value(oracle, anchor, batch)
    rise, age, k = mean(rise, now), age + 1, k + 1
    lost = not finite or is_lost(now, rise, rise1, rise2, window, seen)
    if not lost:
        batch = draw(oracle, rng, order, params.sampling, rows)
        finite = batch_gradient(oracle, w, batch, g_batch)
    bad = 0 if finite else bad + 1
    if lost:
        copy_to(anchor, w)
        copy_to(anchor, x_trial)
        alpha, theta, moved, averaged, age = 0.25 * alpha, 0.5 * theta, False, 0, 0
        rise = rise1 = rise2 = slope0 = slope1 = curvature = peak = 0.0     # what was measured out there is no guide here
        seen = 0
    elif finite:
        if age >= ANCHOR_AGE and rise <= 0.0:
            copy_to(x, anchor)
            now = rise = rise1 = 0.0
            age = 0
        rise1, rise2 = now, rise1
        h = normalizer(length, window, seen, params.beta)
        longest = first_length(w, length) if first else math.inf
        alpha = step_length(theta, math.sqrt(max(curvature, secant) * peak), h, alpha, slope0, slope1, longest)
        remember(window, seen, length, alpha * length * length)
        seen += 1
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
                 g_batch, g_old, window, seen, curvature, peak, slope0, slope1, theta, moved, averaged, rise, rise1, rise2, age,
                 k, bad)
