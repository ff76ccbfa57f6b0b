"""Polyak's step length, and what a lower bound for fun can and cannot be trusted with.

References
----------
.. [1] B. T. Polyak, "Minimization of unsmooth functionals", USSR Comput. Math. Math. Phys. 9, 1969.
"""
import math

from .._jit import kernel
from .._stopping import NOISE
from .._vectors import norm_inf

SHORT, LONG, MODEL, UNDONE = 0.0, 1.0, 2.0, -1.0    # kinds of step in the history column `long_step`
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
