r"""A Wolfe search that knows the rounding noise of f.

A step a along d is accepted when it satisfies the Wolfe conditions

.. math::  f(x + a d) \le f + c_1 a\, g^T d, \qquad  |g(x + a d)^T d| \le c_2 |g^T d|

(weak form: :math:`g(x + a d)^T d \ge c_2\, g^T d`), or, where the decrease they ask for is lost in rounding, the
approximate Wolfe conditions of [2]_ at the level of that rounding:

.. math::  f(x + a d) \le f + K \varepsilon |f|, \qquad  c_2\, g^T d \le g(x + a d)^T d \le (2\delta - 1)\, g^T d .

Until then a bracket [lo, hi] shrinks by interpolation, or lo moves on by extrapolation while no hi is known. Two values
that differ by at most :math:`K \varepsilon |f|` are not compared: between them the slopes decide. When a search finds
nothing and the decrease in question is near the rounding of f, it is repeated with a K a thousand times larger; what has
been evaluated along d is remembered, and no point is evaluated twice.

References
----------
.. [1] J. J. Moré, D. J. Thuente, "Line search algorithms with guaranteed sufficient decrease", ACM TOMS 20, 1994.
       The cases of the interpolation.
.. [2] W. W. Hager, H. Zhang, "A new conjugate gradient method with guaranteed descent and an efficient line search",
       SIAM J. Optim. 16, 2005. The approximate conditions; there with a tolerance of 1e-6 |f|.
"""
import math
from typing import NamedTuple

import numpy as np

from .._jit import kernel, routine
from .._oracle import gradient, value
from .._vectors import axpy_to, dot, norm_inf

EPS = 2.0 ** -52
DELTA = 0.1             # approximate conditions; as in [2]
ESCALATION = 1e3        # growth of K when a search finds nothing
K_MAX = 1e8             # K grows while it is below this: values equal to 2e-8 are never called different
AT_THE_FLOOR = 1e8      # ... and while the decrease in question is at most this many rounding errors of f
# Interpolated trials keep this share of the bracket from its ends; a bracket that shrinks to more than SLOW of its width
# two trials ago is halved. [1] has 0.66; measured: neighbours of 0.02 change nothing.
MARGIN, SLOW = 0.02, 0.66
# A first trial is stretched where the last two searches left more than this share of their first slopes, by at most LONGEST.
# Measured: 0.1 to 0.3, and 10 in place of 3, are as good; 0.5, a single search, or 2 gain less or nothing.
LEFT_OVER, LONGEST = 0.2, 3.0
FAILED, LOWER, ACCEPTED = range(3)      # outcome: nothing lower; lower, but not by the conditions; the conditions hold
# Places in the bracket. No hi yet: HI is inf. A value that was not finite at hi: F_HI is inf.
LO, F_LO, D_LO, PREV, F_PREV, D_PREV, HI, F_HI, D_HI, WIDTH, WIDTH_BEFORE = range(11)


class Wolfe(NamedTuple):
    """What a search asks for and how it goes about it."""

    c1: float
    c2: float
    strong: bool            # False: the weak form, which lets the slope grow beyond zero
    widen: float            # at most this times the last advance when extrapolating
    trials: int             # for one K


class Room(NamedTuple):
    """Small arrays of a search."""

    bracket: np.ndarray     # (11,)
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
    return Room(np.zeros(11), np.zeros((4 * rule.trials, 3)), np.zeros(2))


# ---- the first trial -------------------------------------------------------------------------------------------------

@kernel
def note(left, slope_new, slope):
    """Remember what an accepted step left of the slope."""
    left[0] = left[1]
    left[1] = slope_new / slope


@kernel
def forget_slopes(left):
    left[0] = left[1] = 0.0


@kernel
def stretched(left):
    """First trial along a direction whose full step is 1: longer where two full steps in a row were too short.

    A step that leaves the share r of the slope asks, at constant curvature, for 1 / (1 - r) times its length. What comes
    twice in a row comes again: at a singular minimizer, and where the memory believes in a curvature that is gone. A
    longer first trial costs nothing; a longer search would cost a trial.
    """
    if left[0] >= LEFT_OVER and left[1] >= LEFT_OVER:
        return min(LONGEST, 1.0 / (1.0 - min(left[1], 0.95)))
    return 1.0


# ---- interpolation ---------------------------------------------------------------------------------------------------

@kernel
def cubic(a, fa, da, b, fb, db):
    """Minimizer of the cubic with these values and slopes at a and b; NaN if it has none."""
    z = da + db - 3.0 * (fb - fa) / (b - a)
    r = z * z - da * db
    if not r >= 0.0:
        return math.nan
    w = math.sqrt(r) if a < b else -math.sqrt(r)
    below = db - da + 2.0 * w
    if below == 0.0:
        return math.nan
    return b - (b - a) * ((db + w - z) / below)


@kernel
def secant(a, da, b, db):
    """Zero of the line through these slopes; NaN if there is none."""
    return a - da * (b - a) / (db - da) if db != da else math.nan


@kernel
def beyond(bracket, noise, widen):
    """The next trial while no hi is known."""
    lo, f_lo, d_lo, prev = bracket[LO], bracket[F_LO], bracket[D_LO], bracket[PREV]
    f_prev, d_prev = bracket[F_PREV], bracket[D_PREV]
    t = math.nan
    if abs(f_lo - f_prev) > noise:
        t = cubic(prev, f_prev, d_prev, lo, f_lo, d_lo)
    if not t > lo and d_lo > d_prev:
        t = secant(prev, d_prev, lo, d_lo)
    if not t > lo:
        t = math.inf
    advance = lo - prev
    return min(max(t, lo + 1.1 * advance), lo + widen * advance)


@kernel
def between(bracket, noise):
    """The next trial inside the bracket; NaN when it has no inside."""
    lo, f_lo, d_lo, hi = bracket[LO], bracket[F_LO], bracket[D_LO], bracket[HI]
    f_hi, d_hi = bracket[F_HI], bracket[D_HI]
    w = hi - lo
    if not w > 1e-16 * hi:
        return math.nan
    if f_hi == math.inf:
        return lo + 0.3 * w
    t = math.nan
    if abs(f_hi - f_lo) <= noise and d_hi > 0.0:
        t = secant(lo, d_lo, hi, d_hi)
    elif f_hi > f_lo:
        t = cubic(lo, f_lo, d_lo, hi, f_hi, d_hi)
        excess = f_hi - f_lo - d_lo * w
        if excess > 0.0:
            parabola = lo - 0.5 * d_lo * w * w / excess
            if not abs(t - lo) < abs(parabola - lo):
                t = parabola if t != t else 0.5 * (t + parabola)
    elif d_hi > 0.0:
        t = cubic(lo, f_lo, d_lo, hi, f_hi, d_hi)
        if t != t:
            t = secant(lo, d_lo, hi, d_hi)
    before = bracket[WIDTH_BEFORE]
    if t != t or (before < math.inf and w > SLOW * before):
        t = lo + 0.5 * w
    bracket[WIDTH_BEFORE] = bracket[WIDTH]
    bracket[WIDTH] = w
    return min(max(t, lo + MARGIN * w), hi - MARGIN * w)


@kernel
def open_bracket(bracket, f, slope):
    for i in range(bracket.size):
        bracket[i] = math.inf
    bracket[LO] = bracket[PREV] = 0.0
    bracket[F_LO] = bracket[F_PREV] = f
    bracket[D_LO] = bracket[D_PREV] = slope


@kernel
def next_trial(bracket, a, f_new, slope_new, f, slope, c1, noise, widen):
    """Put the trial at a, which was not accepted, into the bracket; return where to look next, NaN if nowhere."""
    lo, f_lo = bracket[LO], bracket[F_LO]
    if not (math.isfinite(f_new) and math.isfinite(slope_new)):
        first = bracket[HI] == math.inf and lo == 0.0
        bracket[HI], bracket[F_HI], bracket[D_HI] = a, math.inf, math.inf
        shorter = lo + (0.1 if first else 0.3) * (a - lo)
        return shorter if shorter > lo else math.nan
    past = slope_new >= 0.0
    if abs(f_new - f_lo) > noise and ((f_new > f + c1 * a * slope and f_new > f + noise) or f_new > f_lo):
        past = True
    if past:
        bracket[HI], bracket[F_HI], bracket[D_HI] = a, f_new, slope_new
    else:
        bracket[PREV], bracket[F_PREV], bracket[D_PREV] = lo, f_lo, bracket[D_LO]
        bracket[LO], bracket[F_LO], bracket[D_LO] = a, f_new, slope_new
    if bracket[HI] == math.inf:
        return beyond(bracket, noise, widen)
    return between(bracket, noise)


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
