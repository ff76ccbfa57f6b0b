r"""A diagonal inverse Hessian P that learns from signs and from secants, to stand in the middle of a limited memory.

Two teachers move log P a little with every pair (s, y) of a step, y = q - g:

- the hypergradient: the entries of q g have the sign of the decrease that a longer step in that coordinate would have
  brought; :math:`u = 2 q g / (q^2 + g^2)` in [-1, 1] is averaged with weight rho, and the cube of the average is followed,
  so that only coordinates whose sign persists are moved;
- the secant: the diagonal of the BFGS update of 1/P by (s, y) [1]_, brought to the geometric mean of 1/P, is followed
  with a small constant weight. By itself it is noisy; without it the signs can settle in a cycle that teaches nothing.

The scale of P is set apart from its shape, by the usual <s, y> / <y, P y>, of which the logarithm is averaged.

References
----------
.. [1] J. C. Gilbert, C. Lemarechal, "Some numerical experiments with variable-storage quasi-Newton algorithms", Math.
       Program. 45, 1989.
"""
import math

from .._jit import kernel

FLOOR = 1e-300


@kernel
def scaled_steepest(p, g, out):
    """Write -p o g; return <g, out>."""
    slope = 0.0
    for i in range(g.size):
        out[i] = -p[i] * g[i]
        slope += g[i] * out[i]
    return slope


@kernel
def sign_agreement(q, g):
    """2 q g / (q^2 + g^2), the cosine-like agreement of two numbers, in [-1, 1]."""
    return 2.0 * q * g / (q * q + g * g + FLOOR)


@kernel
def follow_signs(p, mean, g, y, eta, rho):
    """Average the agreement of g and q = g + y into `mean`, and move log p by eta times the cube of the mean."""
    for i in range(p.size):
        u = sign_agreement(g[i] + y[i], g[i])
        mean[i] = rho * mean[i] + (1.0 - rho) * u
        p[i] *= math.exp(eta * mean[i] * mean[i] * mean[i])


@kernel
def diagonal_ratio(p, s, y, sy, ypy, sbs):
    """The updated entry of 1/P times p, for one coordinate, with B = 1/P in ``sbs = <s, B s>``."""
    t = ypy / sy + y * y * p / sy - ypy * (s * s / p) / (sy * sbs)
    return max(t, FLOOR)


@kernel
def follow_secant(p, s, y, sy, weight):
    """Move log P by `weight` towards the diagonal of the BFGS update of 1/P, with the geometric mean of P kept."""
    ypy = sbs = 0.0
    for i in range(p.size):
        ypy += y[i] * y[i] * p[i]
        sbs += s[i] * s[i] / p[i]
    if not (0.0 < sy * sbs < math.inf and ypy < math.inf):
        return
    mean = 0.0
    for i in range(p.size):
        mean += math.log(diagonal_ratio(p[i], s[i], y[i], sy, ypy, sbs))
    mean /= p.size
    for i in range(p.size):
        p[i] *= math.exp(weight * (mean - math.log(diagonal_ratio(p[i], s[i], y[i], sy, ypy, sbs))))


@kernel
def rescale(p, y, sy, exponent):
    """P <- P (<s, y> / <y, P y>)^exponent, the exponent 1 or 1/2."""
    ypy = 0.0
    for i in range(p.size):
        ypy += y[i] * y[i] * p[i]
    c = sy / ypy
    if not 0.0 < c < math.inf:
        return
    if exponent != 1.0:
        c = math.sqrt(c)
    for i in range(p.size):
        p[i] *= c


@kernel
def raise_to(p, least):
    for i in range(p.size):
        p[i] = max(p[i], least)
