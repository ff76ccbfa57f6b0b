r"""The automatic step of IAN-SGD: gamma and Gamma measured as the run goes. The class is in `independent_normalization`.

.. math::  x_{t+1} = x_t - \frac{\theta m_t}{L_t\, h_t}\, g_t, \qquad
           h_t = \max\Bigl\{1, \frac{\|g'_t\|}{Q_{0.8}(\|g'\|)}\Bigr\}^\beta, \qquad
           \ell_t = \frac{\|g'_t(x_t) - g'_t(x_{t-1})\|}{\|x_t - x_{t-1}\|}, \qquad
           L_t = \sqrt{\max\{\bar\ell, \ell_t\}\, \hat\ell_t},

Q the quantile of the last twenty lengths, :math:`\bar\ell` a running mean and :math:`\hat\ell_t = \max\{\ell_t,
0.75\,\hat\ell\}` a maximum that fades, for curvature that only few rows have. A small batch over-estimates the curvature
of the sum by about the noise there is, which keeps the step in bounds. The rows of g' serve two steps and are then drawn
anew, so that every second step has a secant and none costs more than B + B' gradients. Step, normalizer and guard use rows
that are independent of those of :math:`g_t`.

The same rows give the slopes along the last step where it began and where it ended. While their running means p0 > p1 > 0
say that the step ended before the minimum along it, :math:`m_t` lengthens 1/L up to :math:`s\, p_0 / (p_0 - p_1)`, at most
:math:`1 + 3\theta` times: where the curvature falls as the run goes, L lags behind it.

The first four steps are doubled while that lowers the mean over the rows of g' along :math:`g_t` well enough: one secant at
x_0 says little of what is a step away.

A row that carries far more curvature than the others is in few batches of g'. Where :math:`g_t` is longer than Q, the mean
over its own rows must not rise along the step, which is quartered until it does not. On a quadratic that takes a step
longer than twice the inverse of their curvature. Each time lowers a caution, a factor of all later steps that recovers
ever more slowly: such steps, in which :math:`g_t` has a say in its length, become rare.

The guard compares the values at the iterate and at an anchor on the rows of g', so that a constant added to f cancels. If
their running mean and the median of the last three exceed 1000 times the mean of :math:`s\,\|g'\|^2`, the run is lost: it
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
from .._vectors import axpy_to, copy_to, dot, norm
from ..linesearch.armijo import backtrack_batch
from ..stepsize.normalized import average_to
from ..stepsize.sampled import (
    FEW,
    RECOVERY,
    along,
    cautious,
    is_long,
    is_lost,
    mean,
    normalizer,
    recover,
    remember,
    step_length,
)

# Ours, chosen on phase retrieval, a regression under the worst case and the tuning part of benchmarks/normalized_other.py
# (docs/methods/normalized.md says what each of them does), as those in stepsize/sampled: theta; what is left of the maximum
# that fades; columns of the window; steps from one anchor to the next.
THETA, FADE, WINDOW, ANCHOR_AGE = 1.0, 0.75, 20, 20
DOUBLINGS, ARMIJO = 12, 0.3     # of a first step at most, and the share of s |g|^2 by which each has to lower the value
CUT = 0.25              # a step that raises its own rows is cut so
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
    g_h: np.ndarray         # over the rows of the normalizer: at the iterate, and before
    g_old: np.ndarray
    batch_h: object         # those rows
    fresh: bool             # whether they have served one step only
    window: np.ndarray      # (2, WINDOW): norms of g', energies s |g'|^2; round robin
    seen: int               # columns filled so far
    curvature: float        # running mean of secants; 0 before the first one
    peak: float             # maximum of secants that fades
    slope0: float           # running means of the slopes along a step, where it began and where it ended
    slope1: float
    theta: float
    caution: float
    cuts: int               # steps that had to be cut
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
    x, g, rows_h = x0.copy(), np.empty_like(x0), np.empty(params.normalizer_batch_size, np.int64)
    f = measure(oracle, x, g)
    return State(x, f, g, 0.0, RUNNING, True, oracle.rng, all_rows(oracle), np.empty(params.batch_size, np.int64), rows_h,
                 np.empty_like(x0), np.empty_like(x0), x0.copy(), np.empty_like(x0), x0.copy(), np.empty_like(x0),
                 np.empty_like(x0), np.empty_like(x0), rows_h, False, np.zeros((2, WINDOW)), 0, 0.0, 0.0, 0.0, 0.0,
                 full_theta(params), 1.0, 0, False, 0, 0.0, 0.0, 0.0, 0, 0, 0)


@routine
def full_theta(params):
    """theta, less where the normalizing batch is large beside the other one, which then has more noise than it shows."""
    return THETA * min(1.0, params.batch_size / (8.0 * params.normalizer_batch_size))


@kernel
def probe(x, g, length, out):
    """Write the point at a small distance from x along -g."""
    axpy_to(-PROBE * (1.0 + norm(x, 2)) / length if length > 0.0 else 0.0, g, x, out)


@kernel
def first_length(x, length):
    """The step whose length is FIRST (1 + |x|)."""
    return FIRST * (1.0 + norm(x, 2)) / length if length > 0.0 else 0.0


@routine
def doubled(oracle, w, g, batch, f, s, trial):
    """s times the power of 2 up to which the mean over the batch, f at w, falls by ARMIJO s |g|^2 and from step to step."""
    axpy_to(-s, g, w, trial)
    low, square = batch_value(oracle, trial, batch), dot(g, g)
    if not low < f:
        return s
    for _ in range(DOUBLINGS):
        axpy_to(-2.0 * s, g, w, trial)
        value = batch_value(oracle, trial, batch)
        if not (value < low and value <= f - ARMIJO * 2.0 * s * square):
            break
        s, low = 2.0 * s, value
    return s


@routine
def shortened(oracle, w, g, batch, s, trial):
    """s, cut until the mean over the batch does not rise along -g, whose point is left in `trial`."""
    f = batch_value(oracle, w, batch)
    cut, _, found = backtrack_batch(oracle, batch, w, f, g, 0.0, -s, 0.0, CUT, trial)
    if found:
        return -cut
    copy_to(w, trial)
    return CUT * s


@routine
def settled(oracle, w, g, batch, batch_h, here, s, window, seen, trial):
    """(the step taken, what it was before its own rows cut it); its end is left in `trial`."""
    if seen < FEW:
        s = doubled(oracle, w, g, batch_h, here, s, trial)
    axpy_to(-s, g, w, trial)
    if is_long(norm(g, 2), window, seen):
        return shortened(oracle, w, g, batch, s, trial), s
    return s, s


@routine
def observe(oracle, w, w_old, batch, g, g_old, second, first):
    """(whether g is finite, its length, whether there is a secant, the secant, the slopes at its ends)."""
    finite = batch_gradient(oracle, w, batch, g)
    length = norm(g, 2)
    if first:
        probe(w, g, length, w_old)
    if not (finite and (second or (first and batch_gradient(oracle, w_old, batch, g_old)))):
        return finite, length, False, 0.0, 0.0, 0.0
    secant, before, after = along(w_old, w, g_old, g)
    return finite, length, True, secant, before, after


@routine
def anchored(x, anchor, age, now, rise, rise1):
    """Move the anchor to the average where values have not risen above it: (age of the anchor, now, rise, rise1)."""
    if age >= ANCHOR_AGE and rise <= 0.0:
        copy_to(x, anchor)
        return 0, 0.0, 0.0, 0.0
    return age, now, rise, rise1


@routine
def step(oracle, state, params):
    (x, f, g, alpha, _, _, rng, order, rows, rows_h, x_trial, g_spare, w, w_old, anchor, g_batch, g_h, g_old, batch_h, fresh,
     window, seen, curvature, peak, slope0, slope1, theta, caution, cuts, moved, averaged, rise, rise1, rise2, age, k,
     bad) = state
    second, first = moved and fresh, not moved and curvature == 0.0
    if second:
        g_h, g_old = g_old, g_h
    else:
        batch_h = draw(oracle, rng, order, params.sampling, rows_h)
    finite, length, seen_secant, secant, before, after = observe(oracle, w, w_old, batch_h, g_h, g_old, second, first)
    if seen_secant:
        curvature, peak = secant if curvature == 0.0 else mean(curvature, secant), max(secant, FADE * peak)
        slope0, slope1 = (0.0, 0.0) if first else (mean(slope0, before), mean(slope1, after))
    here = batch_value(oracle, w, batch_h)
    now = here - batch_value(oracle, anchor, batch_h)
    rise, age, k = mean(rise, now), age + 1, k + 1
    lost = not finite or is_lost(now, rise, rise1, rise2, window, seen)
    batch = draw(oracle, rng, order, params.sampling, rows)
    finite = finite and (lost or batch_gradient(oracle, w, batch, g_batch))
    bad = 0 if finite else bad + 1
    if lost:
        copy_to(anchor, w)
        copy_to(anchor, x_trial)
        alpha, theta, moved, averaged, age, seen = 0.25 * alpha, 0.5 * theta, False, 0, 0, 0
        rise = rise1 = rise2 = slope0 = slope1 = curvature = peak = 0.0     # what was measured out there is no guide here
    elif finite:
        age, now, rise, rise1 = anchored(x, anchor, age, now, rise, rise1)
        rise1, rise2, caution = now, rise1, recover(caution, cuts)
        h = normalizer(length, window, seen, params.beta)
        s = step_length(theta * caution, math.sqrt(max(curvature, secant) * peak), h, alpha, slope0, slope1,
                        first_length(w, length) if first else math.inf)
        alpha, whole = settled(oracle, w, g_batch, batch, batch_h, here, s, window, seen, w_old)
        if alpha < whole:
            caution, cuts = cautious(caution, cuts, alpha / whole, seen)
            slope0 = slope1 = 0.0
        seen = remember(window, seen, length, alpha * length * length)
        w, w_old, averaged, moved = w_old, w, averaged + 1, True
        average_to(x, w, averaged, x_trial)
        theta = min(full_theta(params), RECOVERY * theta)
    else:
        copy_to(x, x_trial)
        moved = False
    measured = is_due(k, params.check_every, oracle.n_samples, params.batch_size + params.normalizer_batch_size)
    if measured:
        f = measure(oracle, x_trial, g_spare)
        g, g_spare = g_spare, g
    return State(x_trial, f, g, alpha, after_bad_batch(bad), measured, rng, order, rows, rows_h, x, g_spare, w, w_old, anchor,
                 g_batch, g_h, g_old, batch_h, not second, window, seen, curvature, peak, slope0, slope1, theta, caution, cuts,
                 moved, averaged, rise, rise1, rise2, age, k, bad)
