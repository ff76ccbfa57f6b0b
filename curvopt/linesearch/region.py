r"""The ratio test of a trust region: what a step was worth against what its model had promised.

.. math::  \rho = \frac{f(x) - f(x + p)}{m(0) - m(p)}, \qquad
           m(0) - m(p) = -\tfrac12 \langle g + r, p\rangle, \quad r = g + H p .

A step is taken when rho is positive beyond doubt, and rho says how long the next one may be. Near a minimizer both
differences drown in the rounding of f. There the decrease is taken from the slopes at both ends, by the trapezoidal rule,
which is exact where the model is and whose rounding is relative:

.. math::  f(x) - f(x + p) \approx -\tfrac12 \langle g + g(x + p), p\rangle .

References
----------
.. [1] A. R. Conn, N. I. M. Gould, P. L. Toint, "Trust-Region Methods", SIAM, 2000. Chapters 6 and 17.4.
.. [2] T. Steihaug, "The conjugate gradient method and trust regions in large scale optimization", SIAM J. Numer. Anal.
       20, 1983.
"""
import math

from .._jit import kernel, routine
from .._oracle import gradient, value
from .._vectors import axpy_to, norm
from ..directions.krylov import LENGTH
from ..directions.steihaug import retreat
from .wolfe import EPS

TAKEN = 1e-4            # least rho of a step that is taken
POOR, GOOD = 0.25, 0.75     # below, the radius becomes a quarter of the step; above, it doubles if the step met it; from [1]
REFUSED = -1.0          # rho of a point where f or g is not finite
TRIALS = 30             # radii of one solve, each a quarter of the last: down to 1e-18


@kernel
def promise(g, r, p):
    """m(0) - m(p), positive for every iterate of conjugate gradients."""
    total = 0.0
    for i in range(p.size):
        total += (g[i] + r[i]) * p[i]
    return -0.5 * total


@kernel
def by_slopes(g, g_new, p, promised):
    """rho with the decrease by the trapezoidal rule; a gradient that is not finite is refused."""
    rho = promise(g, g_new, p) / promised
    return rho if math.isfinite(rho) else REFUSED


@kernel
def by_values(f, f_new, promised):
    return (f - f_new) / promised if math.isfinite(f_new) else REFUSED


@routine
def ratio(oracle, f, g, p, promised, K, x_new, g_new):
    """(rho, f at x_new = x + p) of a step; leaves the gradient there in `g_new` if rho is at least TAKEN.

    One value, and one gradient where the step can be taken. K EPS |f| is the noise of f: two values that are closer, with
    a promise that is smaller, are not compared, but the slopes are.
    """
    f_new = value(oracle, x_new)
    rho, noise = by_values(f, f_new, promised), K * EPS * abs(f)
    blind = promised <= noise and abs(f - f_new) <= noise
    if not (blind or rho >= TAKEN):
        return rho, f_new
    gradient(oracle, x_new, g_new)
    if blind:
        return by_slopes(g, g_new, p, promised), f_new
    return rho if norm(g_new, 0) < math.inf else REFUSED, f_new


@kernel
def next_radius(rho, length, radius):
    if not rho >= POOR:
        return 0.25 * length
    return 2.0 * radius if rho > GOOD and length > 0.9 * radius else radius


@routine
def search(oracle, x, f, g, solve, radius, K, x_new, g_new):
    """Take the step of a solve, or that of a smaller radius where it is refused.

    Returns (whether a step was taken, f there, the next radius) with x + p in `x_new` and the gradient there in `g_new`.
    One value a radius, no product, and one gradient. It gives up, and leaves the radius as it was, when steps that promised
    a decrease above the noise of f are down to those that do not: the slopes would take those also where g is wrong. It does
    the same when a step is so short that it does not change x.
    """
    new = radius
    for trial in range(TRIALS):
        length, promised = solve.real[LENGTH], promise(g, solve.r, solve.p)
        if not 0.0 < promised < math.inf or (trial > 0 and promised <= K * EPS * abs(f)):
            break
        if not axpy_to(1.0, solve.p, x, x_new):
            break
        rho, f_new = ratio(oracle, f, g, solve.p, promised, K, x_new, g_new)
        new = next_radius(rho, length, new)
        if rho >= TAKEN:
            return True, f_new, new
        retreat(new, g, solve)
    return False, f, radius
