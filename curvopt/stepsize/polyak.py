"""Polyak's step length, what a lower bound for fun can be trusted with, and when a long step is due.

References
----------
.. [1] B. T. Polyak, "Minimization of unsmooth functionals", USSR Comput. Math. Math. Phys. 9, 1969.
"""
import math

from .._jit import kernel
from .._stopping import NOISE
from .._vectors import norm, norm_inf

SHORT, LONG, MODEL, UNDONE = 0.0, 1.0, 2.0, -1.0    # kinds of step in the history column `long_step`
RATIO = 2.0         # a long step is at least this many short ones; ours
TINY, HUGE = 1e-280, 1e280      # squares between these have lost nothing to underflow or overflow


@kernel
def norm_squared(g):
    """(||g / top||^2, top), where top is 1 unless the square would underflow or overflow."""
    total = 0.0
    for i in range(g.size):
        total += g[i] * g[i]
    if TINY < total < HUGE:
        return total, 1.0
    top = norm_inf(g)
    if not 0.0 < top < math.inf:
        return total, 1.0
    total = 0.0
    for i in range(g.size):
        total += (g[i] / top) * (g[i] / top)
    return total, top


@kernel
def polyak_length(gap, g):
    """gap / ||g||^2: the step along -g after which a linear function would have lost `gap`. 0 where g is."""
    total, top = norm_squared(g)
    return gap / top / total / top if total > 0.0 else 0.0


@kernel
def tells_apart(f, bound):
    """Whether f - bound exceeds the rounding errors of f, so that a step may be built on it."""
    return f - bound > NOISE * max(abs(f), abs(bound))


@kernel
def contradicts(f, bound, f0):
    """Whether f lies below `bound` by more than the rounding errors of a run that began at f0."""
    return f < bound - NOISE * max(abs(f0), abs(bound))


# ---- when to take a long step -----------------------------------------------------------------------------------------

@kernel
def secant(g, g_new, eta):
    """Along the step -eta g: ||g - g_new|| / (eta ||g||), kappa, and <g_new, g> / ||g||^2."""
    top = 1.0
    gg = gy = yy = 0.0
    for i in range(g.size):
        y = g[i] - g_new[i]
        gg += g[i] * g[i]
        gy += g[i] * y
        yy += y * y
    if not TINY < gg < HUGE:
        top = norm(g, 0)
        gg = gy = yy = 0.0
        for i in range(g.size):
            u = g[i] / top
            y = (g[i] - g_new[i]) / top
            gg += u * u
            gy += u * y
            yy += y * y
    return math.sqrt(yy / gg) / eta, gy / gg / eta, 1.0 - gy / gg


@kernel
def on_the_ravine(f, g, bound, C):
    """||g|| <= C (f - bound)^(3/4)."""
    root = math.sqrt(f - bound) if f > bound else 0.0
    return norm(g, 2) <= C * root * math.sqrt(root)


@kernel
def long_length(f, g, bound, eta, kappa, kappa_old, c, theta, delta):
    """(length, kind) of the long step that the curvature test asks for; (0, SHORT) where it asks for none.

    `kappa` and `kappa_old` are the curvatures along the last two short steps, NaN where there were none.
    """
    if not kappa > 0.0:
        return 0.0, SHORT
    polyak = polyak_length(f - bound, g) if tells_apart(f, bound) else math.inf
    if eta < polyak < math.inf and polyak * kappa <= c:
        return polyak, LONG
    model = theta / kappa
    if kappa >= (1.0 - delta) * kappa_old and RATIO * eta < model < math.inf:   # False while kappa_old is NaN
        return min(polyak, model), LONG if polyak < model else MODEL
    return 0.0, SHORT
