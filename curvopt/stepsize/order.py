r"""The order with which fun grows along a line, detected from two values and two slopes.

The model is :math:`f^* + c\,|t - t^*|^p` with all four numbers unknown. It passes through f and f' at t = 0 and at t = t_1.
With r the ratio of the slopes and R the mean slope over the first one, both in (0, 1), q = p - 1 solves

.. math::  \frac{1 - r^{1 + 1/q}}{(1 - r^{1/q})(q + 1)} = R, \qquad t^* = \frac{t_1}{1 - r^{1/q}} .

The left side decreases in q, so bisection finds it. A step that undershoots a minimizer of order p thereby knows how far
it was: for a Newton step t* is p - 1, the multiplicity factor of Schröder.
"""
import math

from .._jit import kernel

ORDER_MAX = 12.0        # largest order looked for
BISECTIONS = 30         # the interval [1, 11] down to 1e-8


@kernel
def mean_slope(r, q):
    """Mean slope over the first one, of a power of order q + 1 whose slopes have the ratio r."""
    root = math.exp(math.log(r) / q)
    return (1.0 - r * root) / ((1.0 - root) * (q + 1.0))


@kernel
def power_min(t1, f0, f1, slope0, slope1):
    """(t*, p) of the power through the data at 0 and t1, where slope0 < 0 < t1; (inf, 0) where nothing can be said.

    That is where the step overshot or the slope grew. Not flatter than a parabola means p = 2 and the zero of the
    secant of the slopes. Values are used only as f0 - f1.
    """
    r = slope1 / slope0
    if not 0.0 < r < 1.0:
        return math.inf, 0.0
    R = (f0 - f1) / (-slope0 * t1)
    if R >= 0.5 * (1.0 + r) * (1.0 - 1e-9):
        return t1 / (1.0 - r), 2.0
    low, high = 1.0, ORDER_MAX - 1.0
    if mean_slope(r, high) > R:
        low = high
    else:
        for _ in range(BISECTIONS):
            q = 0.5 * (low + high)
            if mean_slope(r, q) > R:
                low = q
            else:
                high = q
    q = 0.5 * (low + high)
    return t1 / (1.0 - math.exp(math.log(r) / q)), q + 1.0
