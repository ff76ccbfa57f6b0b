"""Small test functions of Moré, Garbow and Hillstrom, with exact Hessian products.

Most are sums of squares: with residuals r_i, grad f = 2 sum r_i grad r_i and Hp = 2 sum (grad r_i . p) grad r_i + r_i H_i p.

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
def beale_terms(i, y):
    """c_i, y^(i-2), y^(i-1) and y^i, for i = 1, 2, 3; the first power is only used where i >= 2."""
    if i == 1:
        return 1.5, 0.0, 1.0, y
    if i == 2:
        return 2.25, 1.0, y, y * y
    return 2.625, y, y * y, y * y * y


@kernel
def beale_fun(x):
    total = 0.0
    for i in range(1, 4):
        c, _, _, power = beale_terms(i, x[1])
        r = c - x[0] * (1.0 - power)
        total += r * r
    return total


@kernel
def beale_jac(x):
    g = np.zeros_like(x)
    for i in range(1, 4):
        c, _, lower, power = beale_terms(i, x[1])
        r = c - x[0] * (1.0 - power)
        g[0] -= 2.0 * r * (1.0 - power)
        g[1] += 2.0 * r * i * x[0] * lower
    return g


@kernel
def beale_hessp(x, p):
    hp = np.zeros_like(x)
    for i in range(1, 4):
        c, lowest, lower, power = beale_terms(i, x[1])
        r, r0, r1 = c - x[0] * (1.0 - power), power - 1.0, i * x[0] * lower
        along = r0 * p[0] + r1 * p[1]
        hp[0] += 2.0 * (along * r0 + r * i * lower * p[1])
        hp[1] += 2.0 * (along * r1 + r * (i * lower * p[0] + i * (i - 1) * x[0] * lowest * p[1]))
    return hp


def beale():
    """Beale's function of two variables from (1, 1) [1]_; the minimizer is (3, 1/2).

    Returns
    -------
    Problem

    References
    ----------
    .. [1] J. J. Moré, B. S. Garbow, K. E. Hillstrom, "Testing unconstrained optimization software", ACM TOMS 7, 1981.
    """
    return Problem("beale", beale_fun, beale_jac, beale_hessp, np.ones(2), f_star=0.0, x_star=np.array([3.0, 0.5]),
                   growth=2.0, f_lower=0.0)


@kernel
def wood_fun(x):
    a, b = x[1] - x[0] * x[0], x[3] - x[2] * x[2]
    s, t = x[1] + x[3] - 2.0, x[1] - x[3]
    return 100.0 * a * a + (1.0 - x[0]) * (1.0 - x[0]) + 90.0 * b * b + (1.0 - x[2]) * (1.0 - x[2]) \
        + 10.0 * s * s + 0.1 * t * t


@kernel
def wood_jac(x):
    a, b = x[1] - x[0] * x[0], x[3] - x[2] * x[2]
    s, t = x[1] + x[3] - 2.0, x[1] - x[3]
    g = np.empty_like(x)
    g[0] = -400.0 * a * x[0] - 2.0 * (1.0 - x[0])
    g[1] = 200.0 * a + 20.0 * s + 0.2 * t
    g[2] = -360.0 * b * x[2] - 2.0 * (1.0 - x[2])
    g[3] = 180.0 * b + 20.0 * s - 0.2 * t
    return g


@kernel
def wood_hessp(x, p):
    hp = np.empty_like(x)
    s, t = p[1] + p[3], p[1] - p[3]
    hp[0] = (1200.0 * x[0] * x[0] - 400.0 * x[1] + 2.0) * p[0] - 400.0 * x[0] * p[1]
    hp[1] = -400.0 * x[0] * p[0] + 200.0 * p[1] + 20.0 * s + 0.2 * t
    hp[2] = (1080.0 * x[2] * x[2] - 360.0 * x[3] + 2.0) * p[2] - 360.0 * x[2] * p[3]
    hp[3] = -360.0 * x[2] * p[2] + 180.0 * p[3] + 20.0 * s - 0.2 * t
    return hp


def wood():
    """Wood's function of four variables from (-3, -1, -3, -1) [1]_; it passes a saddle on the way to all ones.

    Returns
    -------
    Problem

    References
    ----------
    .. [1] J. J. Moré, B. S. Garbow, K. E. Hillstrom, "Testing unconstrained optimization software", ACM TOMS 7, 1981.
    """
    return Problem("wood", wood_fun, wood_jac, wood_hessp, np.array([-3.0, -1.0, -3.0, -1.0]), f_star=0.0,
                   x_star=np.ones(4), growth=2.0, f_lower=0.0)


@kernel
def trigonometric_residual(x, i, cosines):
    return x.size - cosines + (i + 1) * (1.0 - math.cos(x[i])) - math.sin(x[i])


@kernel
def sum_of_cosines(x):
    total = 0.0
    for i in range(x.size):
        total += math.cos(x[i])
    return total


@kernel
def trigonometric_fun(x):
    cosines, total = sum_of_cosines(x), 0.0
    for i in range(x.size):
        r = trigonometric_residual(x, i, cosines)
        total += r * r
    return total


@kernel
def trigonometric_jac(x):
    cosines, total = sum_of_cosines(x), 0.0
    g = np.empty_like(x)
    for i in range(x.size):
        r = trigonometric_residual(x, i, cosines)
        g[i] = 2.0 * r * ((i + 1) * math.sin(x[i]) - math.cos(x[i]))
        total += r
    for i in range(x.size):
        g[i] += 2.0 * total * math.sin(x[i])
    return g


@kernel
def trigonometric_hessp(x, p):
    cosines, total, shift, change = sum_of_cosines(x), 0.0, 0.0, 0.0
    for i in range(x.size):
        shift += math.sin(x[i]) * p[i]      # the part of grad r_i . p that all residuals share
    hp = np.empty_like(x)
    for i in range(x.size):
        s, c = math.sin(x[i]), math.cos(x[i])
        r, own = trigonometric_residual(x, i, cosines), (i + 1) * s - c
        along = shift + own * p[i]
        hp[i] = 2.0 * (along * own + r * ((i + 1) * c + s) * p[i])
        total += r
        change += along
    for i in range(x.size):
        hp[i] += 2.0 * (change * math.sin(x[i]) + total * math.cos(x[i]) * p[i])
    return hp


def trigonometric(n=10):
    """The trigonometric function from (1/n, ..., 1/n): many local minima, and least value 0 at zero and elsewhere.

    Parameters
    ----------
    n : int >= 1

    Returns
    -------
    Problem
    """
    n = _checks.count("n", n, 1)
    return Problem(f"trigonometric-{n}", trigonometric_fun, trigonometric_jac, trigonometric_hessp, np.full(n, 1.0 / n),
                   f_star=0.0, x_star=np.zeros(n), f_lower=0.0)
