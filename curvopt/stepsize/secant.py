"""The steps of Barzilai and Borwein: a secant estimate of the inverse curvature along the last step."""
import math

from .._jit import kernel

BB1, BB2, ALTERNATE = range(3)
RULES = {"bb1": BB1, "bb2": BB2, "alternate": ALTERNATE}
# Without positive curvature along the last step the next one is this much longer. Ours: Raydan (SIAM J. Optim. 7, 1997)
# takes the largest step allowed, which changes with the units of x and f.
STRETCH = 10.0


@kernel
def secant_products(x, x_new, g, g_new):
    """<s, s>, <s, y>, <y, y> of s = x_new - x and y = g_new - g."""
    ss = sy = yy = 0.0
    for i in range(x.size):
        s, y = x_new[i] - x[i], g_new[i] - g[i]
        ss += s * s
        sy += s * y
        yy += y * y
    return ss, sy, yy


@kernel
def next_step(x, x_new, g, g_new, rule, alpha):
    """The step by `rule`, or STRETCH alpha where the curvature along x_new - x is not positive."""
    ss, sy, yy = secant_products(x, x_new, g, g_new)
    if not sy > 0.0:
        return STRETCH * alpha
    bb = ss / sy if rule == BB1 else sy / yy
    return bb if 0.0 < bb < math.inf else alpha


@kernel
def secant_curvature(x, x_new, g, g_new):
    """|g_new - g| / |x_new - x|; 0 where the points are the same."""
    ss, _, yy = secant_products(x, x_new, g, g_new)
    return math.sqrt(yy / ss) if ss > 0.0 else 0.0
