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

SCALAR, DIAGONAL, FULL = range(3)
SHAPES = {"scalar": SCALAR, "diagonal": DIAGONAL, "full": FULL}
ADAGRAD, OGD, MIRROR = range(3)
LEARNERS = {"adagrad": ADAGRAD, "ogd": OGD, "mirror": MIRROR}
TINY = 1e-280           # divisors below it have lost digits to underflow: nothing is learned from them
BOUND_MARGIN = 0.1      # ours: a bound that was passed moves this part of all the decrease so far below the value
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
def descend(learner, p, acc, i, u, lr, lower, upper):
    """One entry of P down its hypergradient u, by online gradient descent or AdaGrad, and back into the box."""
    if learner == ADAGRAD:
        acc[i] += u * u
        if acc[i] > 0.0:
            p[i] = projected(p[i] - lr * (u / math.sqrt(acc[i])), lower, upper)
    else:
        p[i] = projected(p[i] - lr * u, lower, upper)


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
def learn(learner, shape, p, acc, g, q, divisor, lr, lower, upper):
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
            descend(learner, p, acc, 0, u, lr, lower, upper)
    elif shape == DIAGONAL:
        if learner == MIRROR:
            multiply(p, g, q, divisor, lr, upper)
        else:
            for i in range(n):
                descend(learner, p, acc, i, -q[i] * g[i] / divisor, lr, lower, upper)
    else:
        for i in range(n):
            for j in range(n):
                descend(learner, p, acc, i * n + j, -q[i] * g[j] / divisor, lr, lower, upper)
    return True


@kernel
def smallest_and_largest(p):
    low = high = p[0]
    for i in range(p.size):
        low = min(low, p[i])
        high = max(high, p[i])
    return low, high


@kernel
def shrink(p, factor):
    for i in range(p.size):
        p[i] *= factor


@kernel
def lowered(z, f, f0, f_star):
    """The lower bound z after the value f: an adaptive one (f_star is nan) makes way, passing a given one is an error."""
    if not f < z:
        return z
    if math.isnan(f_star):
        return f - BOUND_MARGIN * (f0 - f)
    if f < f_star - NOISE * abs(f_star):
        raise ValueError("f_star must be a lower bound of fun, but fun took a value below it")
    return z
