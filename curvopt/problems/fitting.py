"""Further functions of Moré, Garbow and Hillstrom: Brown-Dennis, Biggs EXP6, Penalty I, Chebyquad.

References
----------
.. [1] J. J. Moré, B. S. Garbow, K. E. Hillstrom, "Testing unconstrained optimization software", ACM TOMS 7, 1981.
"""
import math

import numpy as np

from .. import _checks
from .._jit import kernel
from ._problem import Problem


@kernel
def brown_dennis_parts(x, i):
    """t, sin t and the two parts u, v of residual i = u^2 + v^2."""
    t = (i + 1) / 5.0
    return t, math.sin(t), x[0] + t * x[1] - math.exp(t), x[2] + x[3] * math.sin(t) - math.cos(t)


@kernel
def brown_dennis_fun(x):
    total = 0.0
    for i in range(20):
        _, _, u, v = brown_dennis_parts(x, i)
        r = u * u + v * v
        total += r * r
    return total


@kernel
def brown_dennis_jac(x):
    g = np.zeros_like(x)
    for i in range(20):
        t, s, u, v = brown_dennis_parts(x, i)
        r = u * u + v * v
        g[0] += 4.0 * r * u
        g[1] += 4.0 * r * u * t
        g[2] += 4.0 * r * v
        g[3] += 4.0 * r * v * s
    return g


@kernel
def brown_dennis_hessp(x, p):
    hp = np.zeros_like(x)
    for i in range(20):
        t, s, u, v = brown_dennis_parts(x, i)
        r = u * u + v * v
        du, dv = p[0] + t * p[1], p[2] + s * p[3]
        dr = 2.0 * (u * du + v * dv)
        a, b = 4.0 * (dr * u + r * du), 4.0 * (dr * v + r * dv)
        hp[0] += a
        hp[1] += a * t
        hp[2] += b
        hp[3] += b * s
    return hp


def brown_dennis():
    """The function of Brown and Dennis, four variables and twenty residuals, from (25, 5, -5, -1) [1]_.

    Its least value, about 85822.2, is far from zero and its scales are bad: f is 8e6 at the start.

    Returns
    -------
    Problem

    References
    ----------
    .. [1] J. J. Moré, B. S. Garbow, K. E. Hillstrom, "Testing unconstrained optimization software", ACM TOMS 7, 1981.
    """
    return Problem("brown-dennis", brown_dennis_fun, brown_dennis_jac, brown_dennis_hessp,
                   np.array([25.0, 5.0, -5.0, -1.0]), f_star=85822.20162635634, growth=2.0, f_lower=0.0)


@kernel
def biggs_residual(x, t):
    data = math.exp(-t) - 5.0 * math.exp(-10.0 * t) + 3.0 * math.exp(-4.0 * t)
    return x[2] * math.exp(-t * x[0]) - x[3] * math.exp(-t * x[1]) + x[5] * math.exp(-t * x[4]) - data


@kernel
def biggs_exp6_fun(x):
    total = 0.0
    for i in range(13):
        r = biggs_residual(x, (i + 1) / 10.0)
        total += r * r
    return total


@kernel
def biggs_row(x, t, row):
    """Write the gradient of the residual at t."""
    row[2], row[3], row[5] = math.exp(-t * x[0]), -math.exp(-t * x[1]), math.exp(-t * x[4])
    row[0], row[1], row[4] = -t * x[2] * row[2], -t * x[3] * row[3], -t * x[5] * row[5]


@kernel
def biggs_exp6_jac(x):
    g, row = np.zeros_like(x), np.empty_like(x)
    for i in range(13):
        t = (i + 1) / 10.0
        r = biggs_residual(x, t)
        biggs_row(x, t, row)
        for j in range(6):
            g[j] += 2.0 * r * row[j]
    return g


@kernel
def biggs_exp6_hessp(x, p):
    hp, row = np.zeros_like(x), np.empty_like(x)
    for i in range(13):
        t = (i + 1) / 10.0
        r = biggs_residual(x, t)
        biggs_row(x, t, row)
        along = 0.0
        for j in range(6):
            along += row[j] * p[j]
        for j in range(6):
            hp[j] += 2.0 * along * row[j]
        for rate, factor in ((0, 2), (1, 3), (4, 5)):   # each term is factor exp(-t rate), up to its sign
            hp[rate] += 2.0 * r * (-t * row[rate] * p[rate] - t * row[factor] * p[factor])
            hp[factor] -= 2.0 * r * t * row[factor] * p[rate]
    return hp


def biggs_exp6():
    """Biggs' fit of three exponentials, six variables and thirteen residuals, from (1, 2, 1, 1, 1, 1) [1]_.

    The least value is 0; a local minimum has fun about 5.65565e-3, and many methods end there.

    Returns
    -------
    Problem

    References
    ----------
    .. [1] J. J. Moré, B. S. Garbow, K. E. Hillstrom, "Testing unconstrained optimization software", ACM TOMS 7, 1981.
    """
    return Problem("biggs-exp6", biggs_exp6_fun, biggs_exp6_jac, biggs_exp6_hessp,
                   np.array([1.0, 2.0, 1.0, 1.0, 1.0, 1.0]), f_star=0.0,
                   x_star=np.array([1.0, 10.0, 1.0, 5.0, 4.0, 3.0]), growth=2.0, f_lower=0.0)


@kernel
def sphere_excess(x):
    total = -0.25
    for i in range(x.size):
        total += x[i] * x[i]
    return total


@kernel
def penalty1_fun(x):
    total, r = 0.0, sphere_excess(x)
    for i in range(x.size):
        total += (x[i] - 1.0) * (x[i] - 1.0)
    return 1e-5 * total + r * r


@kernel
def penalty1_jac(x):
    g, r = np.empty_like(x), sphere_excess(x)
    for i in range(x.size):
        g[i] = 2e-5 * (x[i] - 1.0) + 4.0 * r * x[i]
    return g


@kernel
def penalty1_hessp(x, p):
    hp, r, along = np.empty_like(x), sphere_excess(x), 0.0
    for i in range(x.size):
        along += x[i] * p[i]
    for i in range(x.size):
        hp[i] = (2e-5 + 4.0 * r) * p[i] + 8.0 * along * x[i]
    return hp


def penalty1(n=10):
    """The first penalty function from (1, 2, ..., n): steep across a sphere, 1e5 times flatter on it.

    Parameters
    ----------
    n : int >= 1

    Returns
    -------
    Problem
        For a given distance from zero the point with equal entries is best; the minimizer therefore is (t, ..., t), t
        the positive root of 4 n t^3 + (2e-5 - 1) t - 2e-5.
    """
    n = _checks.count("n", n, 1)
    roots = np.roots([4.0 * n, 0.0, 2e-5 - 1.0, -2e-5])
    t = float(max(roots[np.abs(roots.imag) < 1e-9].real))
    for _ in range(3):      # Newton: to the last digit
        t -= (4.0 * n * t ** 3 + (2e-5 - 1.0) * t - 2e-5) / (12.0 * n * t ** 2 + 2e-5 - 1.0)
    x_star = np.full(n, t)
    return Problem(f"penalty1-{n}", penalty1_fun, penalty1_jac, penalty1_hessp, np.arange(1.0, n + 1), x_star=x_star,
                   f_star=1e-5 * n * (t - 1.0) ** 2 + (n * t * t - 0.25) ** 2, growth=2.0, f_lower=0.0)


@kernel
def chebyquad_residuals(x, r):
    """Write the means over the points x of the shifted Chebyshev polynomials minus their integrals over [0, 1]."""
    n = x.size
    for i in range(n):
        r[i] = 0.0 if i % 2 == 0 else 1.0 / ((i + 1) * (i + 1) - 1.0)
    for j in range(n):
        before, now, y = 1.0, 2.0 * x[j] - 1.0, 2.0 * x[j] - 1.0
        for i in range(n):
            r[i] += now / n
            before, now = now, 2.0 * y * now - before


@kernel
def chebyquad_fun(x):
    r, total = np.empty_like(x), 0.0
    chebyquad_residuals(x, r)
    for i in range(x.size):
        total += r[i] * r[i]
    return total


@kernel
def chebyquad_jac(x):
    n = x.size
    r, g = np.empty_like(x), np.zeros_like(x)
    chebyquad_residuals(x, r)
    for j in range(n):
        y = 2.0 * x[j] - 1.0
        before, now, before1, now1 = 1.0, y, 0.0, 2.0
        for i in range(n):
            g[j] += 2.0 * r[i] * now1 / n
            before1, now1 = now1, 4.0 * now + 2.0 * y * now1 - before1
            before, now = now, 2.0 * y * now - before
    return g


@kernel
def chebyquad_hessp(x, p):
    n = x.size
    r, change, hp = np.empty_like(x), np.zeros_like(x), np.zeros_like(x)
    chebyquad_residuals(x, r)
    for again in range(2):          # first (grad r_i . p), which needs all points, then the product
        for j in range(n):
            y = 2.0 * x[j] - 1.0
            before, now, before1, now1, before2, now2 = 1.0, y, 0.0, 2.0, 0.0, 0.0
            for i in range(n):
                if again == 0:
                    change[i] += now1 * p[j] / n
                else:
                    hp[j] += 2.0 * (change[i] * now1 + r[i] * now2 * p[j]) / n
                before2, now2 = now2, 8.0 * now1 + 2.0 * y * now2 - before2
                before1, now1 = now1, 4.0 * now + 2.0 * y * now1 - before1
                before, now = now, 2.0 * y * now - before
    return hp


def chebyquad(n=7):
    """Points of equal-weight Chebyshev quadrature on [0, 1], from j / (n + 1).

    Parameters
    ----------
    n : int >= 1
        The least value is 0 for n = 1, ..., 7 and 9, and only for these; it is given for them.

    Returns
    -------
    Problem
    """
    n = _checks.count("n", n, 1)
    return Problem(f"chebyquad-{n}", chebyquad_fun, chebyquad_jac, chebyquad_hessp, np.arange(1.0, n + 1) / (n + 1),
                   f_star=0.0 if n <= 7 or n == 9 else None, f_lower=0.0)
