"""Test functions from the textbooks."""
import numpy as np

from .. import _checks
from .._jit import kernel
from ._problem import Problem


@kernel
def rosenbrock_fun(x):
    total = 0.0
    for i in range(x.size - 1):
        t = x[i + 1] - x[i] * x[i]
        total += 100.0 * t * t + (1.0 - x[i]) * (1.0 - x[i])
    return total


@kernel
def rosenbrock_jac(x):
    g = np.zeros_like(x)
    for i in range(x.size - 1):
        t = x[i + 1] - x[i] * x[i]
        g[i] += -400.0 * x[i] * t - 2.0 * (1.0 - x[i])
        g[i + 1] += 200.0 * t
    return g


@kernel
def rosenbrock_hessp(x, p):
    hp = np.zeros_like(x)
    for i in range(x.size - 1):
        hp[i] += (1200.0 * x[i] * x[i] - 400.0 * x[i + 1] + 2.0) * p[i] - 400.0 * x[i] * p[i + 1]
        hp[i + 1] += 200.0 * p[i + 1] - 400.0 * x[i] * p[i]
    return hp


def rosenbrock(n=2):
    """The chained Rosenbrock function from (-1.2, 1, -1.2, 1, ...).

    Parameters
    ----------
    n : int >= 2

    Returns
    -------
    Problem
    """
    n = _checks.count("n", n, 2)
    return Problem(f"rosenbrock-{n}", rosenbrock_fun, rosenbrock_jac, rosenbrock_hessp, np.resize([-1.2, 1.0], n),
                   f_star=0.0, x_star=np.ones(n), growth=2.0)


@kernel
def quadratic_fun(x, eigenvalues):
    total = 0.0
    for i in range(x.size):
        total += 0.5 * eigenvalues[i] * x[i] * x[i]
    return total


@kernel
def quadratic_jac(x, eigenvalues):
    g = np.empty_like(x)
    for i in range(x.size):
        g[i] = eigenvalues[i] * x[i]
    return g


@kernel
def quadratic_hessp(x, p, eigenvalues):
    hp = np.empty_like(x)
    for i in range(x.size):
        hp[i] = eigenvalues[i] * p[i]
    return hp


def quadratic(eigenvalues, x0=None, name=None):
    """1/2 sum of lambda_i x_i^2, from all ones unless `x0` is given.

    Parameters
    ----------
    eigenvalues : array_like of shape (n,)
        Positive numbers; their largest and smallest are L and mu.
    x0 : array_like of shape (n,), optional
    name : str, optional

    Returns
    -------
    Problem

    Raises
    ------
    ValueError
        For eigenvalues that are no vector of positive numbers, and for an `x0` of another shape.
    """
    eigenvalues = np.array(eigenvalues, dtype=float)
    if eigenvalues.ndim != 1 or eigenvalues.size == 0 or not np.all(eigenvalues > 0):
        raise ValueError("eigenvalues must be a non-empty vector of positive numbers")
    x0 = np.ones(eigenvalues.size) if x0 is None else np.array(x0, dtype=float)
    if x0.shape != eigenvalues.shape:
        raise ValueError(f"x0 has shape {x0.shape}; there are {eigenvalues.size} eigenvalues")
    name = name or f"quadratic-{eigenvalues.size}"
    return Problem(name, quadratic_fun, quadratic_jac, quadratic_hessp, x0, (eigenvalues,), f_star=0.0,
                   x_star=np.zeros(eigenvalues.size), L=float(eigenvalues.max()), mu=float(eigenvalues.min()), growth=2.0)
