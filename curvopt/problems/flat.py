"""Problems that are flat at their minimum: the Hessian there is singular, and fun grows like a fourth power or so.

Seen from the minimizer such a problem is a ravine: steep walls, and along the bottom a growth of order p > 2.
"""
from functools import partial

import numpy as np

from .. import _checks
from .._jit import kernel
from ._data import add_row, row_dot
from ._problem import Problem


def check_sizes(**sizes):
    for name, (value, low) in sizes.items():
        _checks.count(name, value, low)


def parabola(t, s):
    return np.array([t, s * t * t])


def line(t, direction):
    return t * direction


@kernel
def power(x, p):
    """x^p for a whole number p >= 0."""
    product = 1.0
    for _ in range(p):
        product *= x
    return product


# ---- curved ravine in the plane: x^p + a (y - s x^2)^2 ----------------------------------------------------------------

@kernel
def curved_fun(x, a, s, p):
    t = x[1] - s * x[0] * x[0]
    return power(x[0], p) + a * t * t


@kernel
def curved_jac(x, a, s, p):
    t = x[1] - s * x[0] * x[0]
    g = np.empty_like(x)
    g[0] = p * power(x[0], p - 1) - 4.0 * a * s * x[0] * t
    g[1] = 2.0 * a * t
    return g


@kernel
def curved_hessp(x, v, a, s, p):
    t = x[1] - s * x[0] * x[0]
    mixed = -4.0 * a * s * x[0]
    hv = np.empty_like(x)
    hv[0] = (p * (p - 1) * power(x[0], p - 2) + 8.0 * a * s * s * x[0] * x[0] - 4.0 * a * s * t) * v[0] + mixed * v[1]
    hv[1] = mixed * v[0] + 2.0 * a * v[1]
    return hv


def rosenbrock_quartic(a=10.0, p=4, x0=(1.1, 0.5)):
    """x^p + a (y - x^2)^2: the bottom of the ravine is the parabola y = x^2, where fun is x^p.

    Parameters
    ----------
    a : float > 0
        The Hessian at the minimizer 0 is diag(0, 2a).
    p : int, even and at least 4
        Growth order along the ravine.
    x0 : array_like of shape (2,)

    Returns
    -------
    Problem

    Examples
    --------
    >>> from curvopt import problems
    >>> p = problems.rosenbrock_quartic(a=1000.0)
    >>> p.fun(p.ravine(0.5), *p.args)
    0.0625
    """
    if not a > 0.0 or p < 4 or p % 2:
        raise ValueError(f"a must be positive and p an even number of at least 4, got a={a!r}, p={p!r}")
    return Problem(f"rosenbrock-power-{p}-a-{a:g}", curved_fun, curved_jac, curved_hessp, np.array(x0, dtype=float),
                   (float(a), 1.0, int(p)), f_star=0.0, x_star=np.zeros(2), growth=float(p),
                   ravine=partial(parabola, s=1.0))


def nonconvex_quartic(x0=(0.2, 0.1)):
    """(1/2) (v + u^2)^2 + u^4: fourth-order growth without convexity, the two-dimensional example of arXiv:2604.13393.

    The start of the paper is not known to us. Gradient descent with step 1 diverges from (0.5, 0.5).

    Parameters
    ----------
    x0 : array_like of shape (2,)

    Returns
    -------
    Problem
    """
    return Problem("nonconvex-quartic", curved_fun, curved_jac, curved_hessp, np.array(x0, dtype=float), (0.5, -1.0, 4),
                   f_star=0.0, x_star=np.zeros(2), growth=4.0, ravine=partial(parabola, s=-1.0))


def separable_quartic(x0=(1.0, 1.0)):
    """(1/4) u^4 + (1/2) v^2: convex, and the ravine is the straight axis v = 0.

    Parameters
    ----------
    x0 : array_like of shape (2,)

    Returns
    -------
    Problem
    """
    return convex_quartic_from(np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]]), np.array(x0, dtype=float),
                               "separable-quartic", np.array([1.0, 0.0]))


# ---- convex quartic: (1/2) |E x|^2 + (1/4) sum of (b_j' x)^4 ----------------------------------------------------------

@kernel
def convex_quartic_fun(x, E, B):
    total = 0.0
    for i in range(E.shape[0]):
        t = row_dot(E, i, x)
        total += 0.5 * t * t
    for i in range(B.shape[0]):
        t = row_dot(B, i, x)
        total += 0.25 * t * t * t * t
    return total


@kernel
def convex_quartic_jac(x, E, B):
    g = np.zeros_like(x)
    for i in range(E.shape[0]):
        t = row_dot(E, i, x)
        add_row(t, E, i, g)
    for i in range(B.shape[0]):
        t = row_dot(B, i, x)
        add_row(t * t * t, B, i, g)
    return g


@kernel
def convex_quartic_hessp(x, v, E, B):
    hv = np.zeros_like(x)
    for i in range(E.shape[0]):
        t = row_dot(E, i, v)
        add_row(t, E, i, hv)
    for i in range(B.shape[0]):
        t = row_dot(B, i, x)
        add_row(3.0 * t * t * row_dot(B, i, v), B, i, hv)
    return hv


def convex_quartic_from(E, B, x0, name, flat):
    """The problem of given E, B and start; `flat` is a vector in the kernel of E."""
    return Problem(name, convex_quartic_fun, convex_quartic_jac, convex_quartic_hessp, x0, (E, B), f_star=0.0,
                   x_star=np.zeros(x0.size), growth=4.0, ravine=partial(line, direction=flat))


def convex_quartic(d=20, low=0.1, high=1.0, seed=0):
    """(1/2) |E x|^2 + (1/4) sum of 3d terms (b_j' x)^4: convex, quadratic in half of the directions only.

    Parameters
    ----------
    d : int >= 2
        Variables. E'E has rank d // 2 and a random basis.
    low, high : float > 0
        The eigenvalues of E'E run from `low` to `high` in geometric progression.
    seed : int
        Of the basis, of b_j ~ N(0, I/d) and of the start, which has norm 0.8.

    Returns
    -------
    Problem
    """
    check_sizes(d=(d, 2))
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.standard_normal((d, d)))[0]
    B = rng.standard_normal((3 * d, d)) / np.sqrt(d)
    x0 = rng.standard_normal(d)
    E = np.ascontiguousarray(np.sqrt(np.geomspace(low, high, d // 2))[:, None] * basis[:, :d // 2].T)
    return convex_quartic_from(E, B, 0.8 * x0 / np.linalg.norm(x0), f"convex-quartic-{d}", basis[:, -1].copy())


# ---- Powell's singular function ---------------------------------------------------------------------------------------

@kernel
def powell_singular_fun(x):
    a, b, c, d = x[0] + 10.0 * x[1], x[2] - x[3], x[1] - 2.0 * x[2], x[0] - x[3]
    return a * a + 5.0 * b * b + c * c * c * c + 10.0 * d * d * d * d


@kernel
def powell_singular_jac(x):
    a, b, c, d = x[0] + 10.0 * x[1], x[2] - x[3], x[1] - 2.0 * x[2], x[0] - x[3]
    c3, d3 = 4.0 * c * c * c, 40.0 * d * d * d
    g = np.empty_like(x)
    g[0] = 2.0 * a + d3
    g[1] = 20.0 * a + c3
    g[2] = 10.0 * b - 2.0 * c3
    g[3] = -10.0 * b - d3
    return g


@kernel
def powell_singular_hessp(x, v):
    c, d = x[1] - 2.0 * x[2], x[0] - x[3]
    a, b = v[0] + 10.0 * v[1], v[2] - v[3]
    c2, d2 = 12.0 * c * c * (v[1] - 2.0 * v[2]), 120.0 * d * d * (v[0] - v[3])
    hv = np.empty_like(x)
    hv[0] = 2.0 * a + d2
    hv[1] = 20.0 * a + c2
    hv[2] = 10.0 * b - 2.0 * c2
    hv[3] = -10.0 * b - d2
    return hv


def powell_singular():
    """Powell's singular function of four variables from (3, -1, 0, 1); the kernel of its Hessian has dimension two.

    Returns
    -------
    Problem
    """
    return Problem("powell-singular", powell_singular_fun, powell_singular_jac, powell_singular_hessp,
                   np.array([3.0, -1.0, 0.0, 1.0]), f_star=0.0, x_star=np.zeros(4), growth=4.0,
                   ravine=partial(line, direction=np.array([10.0, -1.0, 0.0, 0.0])))
