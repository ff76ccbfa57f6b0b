r"""Learning P in ``x - P g`` online: the hypergradient and three learners.

At x with gradient g, the feedback of P is the decrease it brings, ``h(P) = (f(x - P g) - f(x)) / ||g||^2``. With q the
gradient at the trial point x - P g, its derivative costs nothing more:

.. math::  \nabla h(P) = -\,q\,g^T / \|g\|^2, \qquad -\,q \circ g / \|g\|^2, \qquad -\langle q, g\rangle / \|g\|^2

for a full, a diagonal and a scalar P. Other feedbacks have another divisor in the place of ||g||^2. P is kept as one
vector of n^2, n or 1 entries.
"""
import math

from .._jit import kernel
from .._stopping import NOISE
from ..directions.limited_memory import products

SCALAR, DIAGONAL, FULL = range(3)
SHAPES = {"scalar": SCALAR, "diagonal": DIAGONAL, "full": FULL}
ADAGRAD, OGD, MIRROR = range(3)
LEARNERS = {"adagrad": ADAGRAD, "ogd": OGD, "mirror": MIRROR}
TINY = 1e-280           # divisors below it have lost digits to underflow: nothing is learned from them
RAISE = 3               # ours: iterations after which an adaptive lower bound comes closer
BETA_MAX = 0.9995       # largest momentum, of the authors' code of arXiv:2502.11229
# Ours: a step is far too short (long) where the cosine of old and new gradient is above (below minus) this.
ALIGNED = 0.5
# Ours: P and lr go to the minimizer along the step: after short steps by these factors at least and at most,
GROWTH, LARGEST_GROWTH = 1.25, 10.0
# after null steps by these at most and at least, after long steps by the first one at least.
RESCUE_SHRINK, LARGEST_SHRINK = 0.5, 0.1
LEAST_LEFT = 0.1        # ours: the part of an entry of P that one update leaves at least
LARGEST_EXPONENT = 5.0  # ours: one multiplicative update changes an entry by at most exp(5)


@kernel
def size_of(shape, n):
    """Number of entries of P."""
    if shape == SCALAR:
        return 1
    return n if shape == DIAGONAL else n * n


@kernel
def fill(shape, n, a, p):
    """Write P = a I."""
    for i in range(p.size):
        p[i] = a if shape != FULL or i % (n + 1) == 0 else 0.0


@kernel
def natural_rate(learner, shape, n, curvature, ratio):
    """A learning rate of the right size for P where curvatures are about `curvature`.

    1/L where P moves by lr (AdaGrad) or by lr times a number of order one (OGD on values); OGD on ratios meets
    hypergradients of size L; under mirror descent only the hypergradient itself counts.
    """
    if learner == MIRROR:
        return 1.0 / curvature if ratio else 1.0
    if learner == OGD:
        return 0.5 / (curvature * curvature) if ratio else 1.0 / curvature
    # AdaGrad moves every entry by lr at once; the norm of such a full matrix is n times as large.
    return 1.0 / (n * curvature) if shape == FULL else 1.0 / curvature


@kernel
def lowered_rate(learner, lr, curvature, seen, ratio):
    """The natural rate for the larger curvature `seen` where lr was that for `curvature`; and the larger one."""
    if not seen > curvature:
        return lr, curvature
    part = curvature / seen
    if learner == OGD and ratio:
        part *= part
    elif learner == MIRROR and not ratio:
        part = 1.0
    return part * lr, seen


@kernel
def move(shape, p, g, x, out):
    """Write x - P g. Return <g, P g> / <g, g>, the step along g."""
    n = g.size
    along = gg = 0.0
    for i in range(n):
        if shape == SCALAR:
            pg = p[0] * g[i]
        elif shape == DIAGONAL:
            pg = p[i] * g[i]
        else:
            pg = 0.0
            for j in range(n):
                pg += p[i * n + j] * g[j]
        out[i] = x[i] - pg
        along += g[i] * pg
        gg += g[i] * g[i]
    return along / gg if gg > 0.0 else 0.0


@kernel
def projected(p, lower, upper):
    return min(max(p, lower), upper)


@kernel
def descend(learner, p, acc, i, u, lr, left, lower, upper):
    """One entry of P down its hypergradient u, by online gradient descent or AdaGrad, and back into the box.

    A positive entry keeps at least the part `left` of itself, 0 for the plain projection.
    """
    least = max(lower, left * p[i]) if left > 0.0 and p[i] > 0.0 else lower
    if learner == ADAGRAD:
        acc[i] += u * u
        if acc[i] > 0.0:
            p[i] = projected(p[i] - lr * (u / math.sqrt(acc[i])), least, upper)
    else:
        p[i] = projected(p[i] - lr * u, least, upper)


@kernel
def multiply(p, g, q, divisor, lr, total):
    """Mirror descent: P <- P exp(-lr u), entry by entry, then scaled down to a sum of at most `total`."""
    s = 0.0
    for i in range(p.size):
        u = lr * (-q[i] * g[i] / divisor)
        p[i] *= math.exp(-projected(u, -LARGEST_EXPONENT, LARGEST_EXPONENT))
        s += p[i]
    if s > total:
        for i in range(p.size):
            p[i] *= total / s


@kernel
def learn(learner, shape, p, acc, g, q, divisor, lr, left, lower, upper):
    """Update P in place from the gradient q at the trial point. False, and P as it was, where q is not finite.

    Under the mirror learner `upper` bounds the sum of the entries, and `lower` has no meaning.
    """
    n = g.size
    inner = 0.0
    for i in range(n):
        inner += q[i] * g[i]
    if not math.isfinite(inner):
        return False
    if not divisor > TINY:
        return True
    if shape == SCALAR:
        u = -inner / divisor
        if learner == MIRROR:
            p[0] = min(p[0] * math.exp(-projected(lr * u, -LARGEST_EXPONENT, LARGEST_EXPONENT)), upper)
        else:
            descend(learner, p, acc, 0, u, lr, left, lower, upper)
    elif shape == DIAGONAL:
        if learner == MIRROR:
            multiply(p, g, q, divisor, lr, upper)
        else:
            for i in range(n):
                descend(learner, p, acc, i, -q[i] * g[i] / divisor, lr, left, lower, upper)
    else:
        for i in range(n):
            for j in range(n):
                descend(learner, p, acc, i * n + j, -q[i] * g[j] / divisor, lr, left, lower, upper)
    return True


@kernel
def smallest_and_largest(p):
    low = high = p[0]
    for i in range(p.size):
        low = min(low, p[i])
        high = max(high, p[i])
    return low, high


@kernel
def stretch(p, factor, lower, upper):
    """Multiply, within the box."""
    for i in range(p.size):
        p[i] = projected(factor * p[i], lower, upper)


@kernel
def turn(g, q):
    """1 where the gradient q after a step still points where g did, the step was far too short; -1 where it points back."""
    gg, inner, qq = products(g, q)
    limit = ALIGNED * math.sqrt(gg) * math.sqrt(qq)
    if inner == 0.0 or not abs(inner) >= limit:
        return 0
    return 1 if inner > 0.0 else -1


@kernel
def minimizer_along(x, x_trial, g, q):
    """Minimizer of the parabola through the slopes at both ends of the step, in units of the step; inf where it has none.

    For a step -P g this is Newton's step, from t = 1, on the feedback of t P.
    """
    slope = slope_new = 0.0
    for i in range(x.size):
        d = x_trial[i] - x[i]
        slope += g[i] * d
        slope_new += q[i] * d
    if not -math.inf < slope < min(slope_new, 0.0):
        return math.inf
    return slope / (slope - slope_new)


@kernel
def shrink(p, factor):
    for i in range(p.size):
        p[i] *= factor


@kernel
def rescued(p, acc, lr, accepted, turned, best, nulls, run, patience, lower, upper):
    """(lr, null steps in a row, `run`) after a trial, with P freed where learning alone does not.

    `run` counts steps in a row that were far too short, or, below zero, far too long (`turned`); `best` is the minimizer
    along the step (`minimizer_along`). From `patience` null, short or long steps in a row on P and lr go there; after
    null steps AdaGrad forgets as well.
    """
    if not accepted:
        if 0 < patience <= nulls + 1:
            factor = projected(best, LARGEST_SHRINK, RESCUE_SHRINK)
            shrink(p, factor)
            shrink(acc, 0.0)
            lr *= factor
        return lr, nulls + 1, 0
    if turned == 0:
        return lr, 0, 0
    run = max(run, 0) + 1 if turned > 0 else min(run, 0) - 1
    if 0 < patience <= abs(run):
        factor = projected(best, GROWTH, LARGEST_GROWTH) if turned > 0 else projected(best, RESCUE_SHRINK, 1.0)
        stretch(p, factor, lower, upper)
        lr *= factor
    return lr, 0, run


@kernel
def next_bound(z, gap, f, f_star, k):
    """The lower bound z after the value f in iteration k, and the gap it was last set with.

    Passing a given bound is an error. An adaptive one (f_star is nan) doubles its gap when it is passed, and halves its
    distance to f every so many iterations, for a bound far below f teaches nothing.
    """
    if not math.isnan(f_star):
        if f < f_star - NOISE * abs(f_star):
            raise ValueError("f_star must be a lower bound of fun, but fun took a value below it")
        return z, gap
    if f < z:
        gap *= 2.0
        return f - gap, gap
    if k % RAISE == RAISE - 1:
        gap = 0.5 * (f - z)
        return f - gap, gap
    return z, gap


@kernel
def heavy_ball(x, x_old, g, p, beta, out):
    """Write x - p o g + beta (x - x_old). Return <g, p o g> / <g, g>, the step along g."""
    along = gg = 0.0
    for i in range(x.size):
        pg = p[i] * g[i]
        out[i] = x[i] - pg + beta * (x[i] - x_old[i])
        along += g[i] * pg
        gg += g[i] * g[i]
    return along / gg if gg > 0.0 else 0.0


@kernel
def learn_heavy_ball(p, acc, beta, acc_beta, x, x_old, g, q, curvature, eps, lr, lr_beta, left):
    """AdaGrad on p >= 0, in place, and on beta, from the gradient q at the trial point.

    The divisor is ||g||^2 + (curvature ||x - x_old||)^2 / 4 + eps. Returns (beta, acc_beta, whether q was finite); where
    it was not, nothing is changed.
    """
    gg = dd = along = inner = 0.0
    for i in range(x.size):
        d = x[i] - x_old[i]
        gg += g[i] * g[i]
        dd += d * d
        along += q[i] * d
        inner += q[i] * g[i]
    if not math.isfinite(along + inner):
        return beta, acc_beta, False
    divisor = gg + 0.25 * curvature * curvature * dd + (eps if curvature == 0.0 else 0.0)
    if not divisor > TINY:
        return beta, acc_beta, True
    for i in range(x.size):
        u = -q[i] * g[i] / divisor
        acc[i] += u * u
        if acc[i] > 0.0:
            p[i] = max(p[i] - lr * (u / (math.sqrt(acc[i]) + eps)), left * p[i])
    v = along / divisor
    acc_beta += v * v
    if acc_beta > 0.0:
        beta = projected(beta - lr_beta * (v / (math.sqrt(acc_beta) + eps)), 0.0, BETA_MAX)
    return beta, acc_beta, True
