"""Secant points: the minimizer of the parabola that the slopes at both ends of a step define, used without evaluating it."""
import math

from .._jit import kernel
from .._stopping import NOISE
from .._vectors import norm
from ..directions.limited_memory import products

# All ours; picked by measurement; see the documentation page of HDMSecant.
CONFIRMED, FAR = 1e-4, 100.0    # fun along a step agrees with a parabola to this: r may be that large
TRUST = 0.2                     # it disagrees by more than this: the cap on r - 1 is halved,
RECOVERY, CREEP = 1.1, 0.05     # otherwise it grows back
STEP_POWER, R_LOW = 0.2, 0.1    # the step factor follows max(r, R_LOW) with this exponent,
A_LOW, A_HIGH, A_MAX = 0.1, 3.0, 1e3    # within A_LOW and A_HIGH; A_MAX along negative curvature


@kernel
def lengthened(q, factor, limit, v):
    """Scale q by `factor`, or less so that it is no longer than `limit`; add it to v. Return (factor used, ||q||)."""
    size = norm(q, 2)
    if limit > 0.0 and factor * size > limit:
        factor = limit / size
    for i in range(q.size):
        q[i] *= factor
        v[i] += q[i]
    return factor, factor * size


@kernel
def make_pair(verify, improved, v, x, g, g_v, s, y):
    """Turn the gradient in y at the trial v into the difference that goes with s; return <s, s>, <s, y>, <y, y>.

    s leads to v from the secant point, or, where that point itself was evaluated, from x. x and g become the trial's where
    it improved on them.
    """
    for i in range(v.size):
        q = y[i]
        if verify:
            s[i] = v[i] - x[i]
            y[i] = q - g[i]
            g_v[i] = q
        else:
            y[i] = q - g_v[i]
        if improved:
            x[i] = v[i]
            g[i] = q
    return products(s, y)


@kernel
def parabola(f_v, f_trial, slope, sy, r_max, cap):
    """(r, next cap): the minimizer of the secant parabola in units of the step, and how far it may lie.

    The values at both ends tell how good the parabola is: their difference should be the mean of the slopes.
    """
    predicted = 0.5 * (slope + (slope + sy))
    error, noise = abs(f_trial - f_v - predicted), NOISE * abs(f_trial)
    wide = error <= CONFIRMED * 0.5 * abs(slope)
    r = min(max(-slope / sy, 0.0), max(FAR, cap) if wide else cap) if sy > 0.0 else 1.0
    if error > TRUST * abs(predicted) + noise:
        cap = max(1.0, 1.0 + 0.5 * (cap - 1.0))
    else:
        cap = min(r_max, 1.0 + RECOVERY * (cap - 1.0) + CREEP)
    return r, cap


@kernel
def next_factor(a, r, sy, f_trial, f_v):
    """The step factor: it follows r where the curvature is positive, and doubles where there is none and fun falls."""
    if sy > 0.0:
        return min(max(a * math.exp(STEP_POWER * math.log(max(r, R_LOW))), A_LOW), A_HIGH)
    return min(2.0 * a, A_MAX) if f_trial < f_v else a


@kernel
def secant_point(v, g_v, s, y, r):
    """Move the trial v and the gradient g_v of the point it came from to the minimizer of the parabola."""
    for i in range(v.size):
        v[i] += (r - 1.0) * s[i]
        g_v[i] = (g_v[i] + y[i]) + (r - 1.0) * y[i]


@kernel
def better(f_trial, f, top_trial, top):
    """Whether the trial is the best point: a lower value, or one that rounding cannot tell and a smaller gradient."""
    return f_trial <= f or (f_trial <= f + NOISE * abs(f) and top_trial < top)
