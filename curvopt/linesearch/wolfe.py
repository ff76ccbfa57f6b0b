r"""A Wolfe search that knows the rounding noise of f.

A step a along d is accepted when it satisfies the Wolfe conditions

.. math::  f(x + a d) \le f + c_1 a\, g^T d, \qquad  |g(x + a d)^T d| \le c_2 |g^T d|

(weak form: :math:`g(x + a d)^T d \ge c_2\, g^T d`), or, where the decrease they ask for is lost in rounding, the
approximate Wolfe conditions of [1]_ at the level of that rounding:

.. math::  f(x + a d) \le f + K \varepsilon |f|, \qquad  c_2\, g^T d \le g(x + a d)^T d \le (2\delta - 1)\, g^T d .

Until then `bracket` says where to try next; values that differ by at most :math:`K \varepsilon |f|` are not compared
there. When a search finds nothing and the decrease in question is near the rounding of f, it is repeated with a K a
thousand times larger; what has been evaluated along d is remembered, and no point is evaluated twice.

References
----------
.. [1] W. W. Hager, H. Zhang, "A new conjugate gradient method with guaranteed descent and an efficient line search",
       SIAM J. Optim. 16, 2005. The approximate conditions; there with a tolerance of 1e-6 |f|.
"""
import math
from typing import NamedTuple

import numpy as np

from .._jit import kernel, routine
from .._oracle import gradient, value
from .._vectors import axpy_to, dot, norm_inf
from .bracket import PLACES, next_trial, open_bracket
from .first_trial import forget_slopes, note

EPS = 2.0 ** -52
DELTA = 0.1             # approximate conditions; as in [1]
ESCALATION = 1e3        # growth of K when a search finds nothing
K_MAX = 1e8             # K grows while it is below this: values equal to 2e-8 are never called different
AT_THE_FLOOR = 1e8      # ... and while the decrease in question is at most this many rounding errors of f
FAILED, LOWER, ACCEPTED = range(3)      # outcome: nothing lower; lower, but not by the conditions; the conditions hold


class Wolfe(NamedTuple):
    """What a search asks for and how it goes about it."""

    c1: float
    c2: float
    strong: bool            # False: the weak form, which lets the slope grow beyond zero
    widen: float            # at most this times the last advance when extrapolating
    trials: int             # for one K


class Room(NamedTuple):
    """Small arrays of a search."""

    bracket: np.ndarray     # (PLACES,)
    log: np.ndarray         # (trials of all K, 3): a, f, slope
    left: np.ndarray        # (2,): share of its first slope that the search before the last left, and the last one


@routine
def strong_wolfe(c1, c2):
    """The rule of the quasi-Newton methods. Measured: extrapolating by up to 4 or 30 is no better."""
    return Wolfe(c1, c2, True, 10.0, 20)


@routine
def strong_wolfe_unscaled(c1, c2):
    """The same for a direction whose length means nothing, such as the first one: extrapolating by up to 1000.
    Measured on x -> c x: it saves a trial or two for each factor 100, and nothing is lost at c = 1."""
    return Wolfe(c1, c2, True, 1000.0, 20)


@routine
def weak_wolfe(c1, c2):
    """The same without a bound on a slope that has changed sign."""
    return Wolfe(c1, c2, False, 10.0, 20)


@routine
def make_room(rule):
    return Room(np.zeros(PLACES), np.zeros((4 * rule.trials, 3)), np.zeros(2))


# ---- what has been evaluated -----------------------------------------------------------------------------------------

@kernel
def recall(log, logged, a):
    """(whether a was evaluated before, f, slope)."""
    for i in range(logged):
        if log[i, 0] == a:
            return True, log[i, 1], log[i, 2]
    return False, 0.0, 0.0


@kernel
def record(log, logged, a, f, slope):
    """Remember a trial; return how many there are."""
    if logged == log.shape[0]:
        return logged
    log[logged, 0] = a
    log[logged, 1] = f
    log[logged, 2] = slope
    return logged + 1


# ---- the search ------------------------------------------------------------------------------------------------------

@routine
def flat_enough(rule, slope_new, slope):
    """The slopes of the approximate conditions."""
    return rule.c2 * slope <= slope_new <= (2.0 * DELTA - 1.0) * slope


@routine
def satisfied(rule, a, f_new, slope_new, f, slope, noise):
    """Whether the Wolfe conditions hold at a, or the approximate ones. A NaN satisfies nothing."""
    if f_new <= f + rule.c1 * a * slope and slope_new >= rule.c2 * slope \
            and (slope_new <= -rule.c2 * slope or not rule.strong):
        return True
    return f_new <= f + noise and flat_enough(rule, slope_new, slope)


@routine
def search(oracle, x, f, d, slope, alpha, f_first, rule, K, gtol, room, x_trial, g_trial, g_spare):
    """Search along d from x, where f has the slope g'd = `slope` < 0; `alpha` is the first trial.

    `f_first` is f(x + alpha d) where the caller knows it, NaN otherwise. A trial with ||g||_inf <= gtol is accepted at
    once if f did not rise beyond its noise; gtol = 0 turns that off. One value and one gradient a trial, the value alone
    where it is not finite.

    Returns (a, f(x + a d), slope there, outcome, K, g, spare) with x + a d in `x_trial`; g is its gradient and spare
    the other one of the buffers `g_trial` and `g_spare`. With the outcome FAILED, a is 0 and neither means anything. K
    is the caller's, or larger where values had to be trusted less; hand it to the next search.
    """
    bracket, log, left = room
    logged, a_kept, f_kept, slope_kept = 0, 0.0, math.inf, 0.0     # the trial whose gradient is in g_spare
    while True:
        noise = K * EPS * abs(f)
        a = alpha
        for trial in range(rule.trials):
            known, f_new, slope_new = recall(log, logged, a) if logged > 0 else (False, 0.0, 0.0)
            if not known:
                if not axpy_to(a, d, x, x_trial):
                    break
                f_new = f_first if logged == 0 and not math.isnan(f_first) else value(oracle, x_trial)
                slope_new = math.inf
                if math.isfinite(f_new):
                    gradient(oracle, x_trial, g_trial)
                    slope_new = dot(g_trial, d)
                    small = gtol > 0.0 and norm_inf(g_trial) <= gtol
                    if satisfied(rule, a, f_new, slope_new, f, slope, noise) or (small and f_new <= f + noise):
                        note(left, slope_new, slope)
                        return a, f_new, slope_new, ACCEPTED, K, g_trial, g_spare
                    # Kept is the lowest trial below f, or else the lowest that a larger K would accept.
                    if f_new < f_kept and math.isfinite(slope_new) and (
                            f_new < f or small or flat_enough(rule, slope_new, slope)):
                        a_kept, f_kept, slope_kept = a, f_new, slope_new
                        g_trial, g_spare = g_spare, g_trial
                logged = record(log, logged, a, f_new, slope_new)
            if trial == 0:
                open_bracket(bracket, f, slope)
            a = next_trial(bracket, a, f_new, slope_new, f, slope, rule.c1, noise, rule.widen)
            if math.isnan(a):
                break
        if f_kept < f:
            forget_slopes(left)
            axpy_to(a_kept, d, x, x_trial)
            return a_kept, f_kept, slope_kept, LOWER, K, g_spare, g_trial
        if K >= K_MAX or -slope * min(alpha, 1.0) > AT_THE_FLOOR * EPS * abs(f):
            forget_slopes(left)
            return 0.0, f, slope, FAILED, K, g_trial, g_spare
        K *= ESCALATION
        if f_kept <= f + K * EPS * abs(f):
            note(left, slope_kept, slope)
            axpy_to(a_kept, d, x, x_trial)
            return a_kept, f_kept, slope_kept, ACCEPTED, K, g_spare, g_trial
