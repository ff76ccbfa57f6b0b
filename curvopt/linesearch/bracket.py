r"""The bracket of a line search: where to try next, given values and slopes that may be rounded or not finite.

lo is the lowest trial so far that still descends, hi one past a minimizer. While no hi is known lo moves on by
extrapolation; afterwards [lo, hi] shrinks by interpolation. Two values within `noise` of each other are not compared:
between them the slopes decide.

References
----------
.. [1] J. J. Moré, D. J. Thuente, "Line search algorithms with guaranteed sufficient decrease", ACM TOMS 20, 1994.
       The cases of the interpolation.
"""
import math

from .._jit import kernel

# Interpolated trials keep this share of the bracket from its ends; a bracket that shrinks to more than SLOW of its width
# two trials ago is halved. [1] has 0.66; measured: neighbours of 0.02 change nothing.
MARGIN, SLOW = 0.02, 0.66
# Places in the bracket. No hi yet: HI is inf. A value that was not finite at hi: F_HI is inf.
LO, F_LO, D_LO, PREV, F_PREV, D_PREV, HI, F_HI, D_HI, WIDTH, WIDTH_BEFORE = range(11)
PLACES = 11


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
