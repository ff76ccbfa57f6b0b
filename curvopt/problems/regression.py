"""Models fitted to data: logistic, robust and Poisson regression, phase retrieval."""
import numpy as np

from .._jit import kernel
from ._data import arguments, start, top_eigenvalue
from ._problem import Problem
from ._rows import (
    logistic_gradient,
    logistic_mean,
    logistic_product,
    phase_gradient,
    phase_mean,
    phase_product,
    poisson_gradient,
    poisson_mean,
    poisson_product,
    robust_gradient,
    robust_mean,
    robust_product,
)


@kernel
def logistic_fun(x, A, b, lam):
    return logistic_mean(x, range(b.size), A, b, lam)


@kernel
def logistic_jac(x, A, b, lam):
    return logistic_gradient(x, range(b.size), A, b, lam)


@kernel
def logistic_hessp(x, p, A, b, lam):
    return logistic_product(x, p, range(b.size), A, b, lam)


def logistic(A, b, lam=1e-3, x0=None, name="logistic"):
    r"""Logistic regression with an l2 penalty.

    .. math::  \frac1m \sum_i \log\bigl(1 + e^{-b_i \langle a_i, x\rangle}\bigr) + \frac\lambda2 \|x\|^2

    Parameters
    ----------
    A : array_like of shape (m, n)
        One row a sample. Append a column of ones for an intercept, which is then penalized like the rest.
    b : array_like of shape (m,)
        Labels of two values, such as 0 and 1; the larger one is taken as +1 and the other one as -1.
    lam : float >= 0
        Weight of the penalty; with lam > 0 the problem is strongly convex.
    x0 : array_like of shape (n,), optional
        Start; zeros when omitted.
    name : str

    Returns
    -------
    Problem
        With ``args = (A, b, lam)``, ``L`` = lambda_max(A'A) / (4 m) + lam and, for lam > 0, ``mu`` = lam.

    Raises
    ------
    ValueError
        For arrays that are empty, not finite or of different lengths, labels of other than two values, lam < 0.
    """
    A, b, lam = arguments(A, b, lam)
    values = np.unique(b)
    if values.size != 2:
        raise ValueError(f"b must hold labels of exactly two values, got {values.size}")
    b = np.where(b == values[1], 1.0, -1.0)
    return Problem(f"{name}-{len(A)}x{A.shape[1]}", logistic_fun, logistic_jac, logistic_hessp, start(x0, A.shape[1]),
                   (A, b, lam), L=top_eigenvalue(A) / 4.0 + lam, mu=lam or None, growth=2.0 if lam else None, f_lower=0.0)


@kernel
def robust_fun(x, A, b, lam):
    return robust_mean(x, range(b.size), A, b, lam)


@kernel
def robust_jac(x, A, b, lam):
    return robust_gradient(x, range(b.size), A, b, lam)


@kernel
def robust_hessp(x, p, A, b, lam):
    return robust_product(x, p, range(b.size), A, b, lam)


def robust(A, b, lam=0.0, x0=None, name="robust"):
    r"""Linear regression with the logarithm of Student's t density (one degree of freedom) as loss.

    .. math::  \frac1m \sum_i \log\bigl(1 + (\langle a_i, x\rangle - b_i)^2\bigr) + \frac\lambda2 \|x\|^2

    Not convex: the loss curves downwards at residuals above 1.

    Parameters
    ----------
    A : array_like of shape (m, n)
    b : array_like of shape (m,)
    lam : float >= 0
        Weight of the penalty.
    x0 : array_like of shape (n,), optional
        Start; zeros when omitted.
    name : str

    Returns
    -------
    Problem
        With ``args = (A, b, lam)`` and ``L`` = 2 lambda_max(A'A) / m + lam.

    Raises
    ------
    ValueError
        For arrays that are empty, not finite or of different lengths, and for lam < 0.
    """
    A, b, lam = arguments(A, b, lam)
    return Problem(f"{name}-{len(A)}x{A.shape[1]}", robust_fun, robust_jac, robust_hessp, start(x0, A.shape[1]),
                   (A, b, lam), L=2.0 * top_eigenvalue(A) + lam, f_lower=0.0)


@kernel
def poisson_fun(x, A, b, lam):
    return poisson_mean(x, range(b.size), A, b, lam)


@kernel
def poisson_jac(x, A, b, lam):
    return poisson_gradient(x, range(b.size), A, b, lam)


@kernel
def poisson_hessp(x, p, A, b, lam):
    return poisson_product(x, p, range(b.size), A, b, lam)


def poisson(A, b, lam=0.0, x0=None, name="poisson"):
    r"""Poisson regression of counts, with the logarithm as link and an l2 penalty.

    .. math::  \frac1m \sum_i \bigl(e^{\langle a_i, x\rangle} - b_i \langle a_i, x\rangle\bigr) + \frac\lambda2 \|x\|^2

    Convex; the curvature grows as fast as the value, so that no step of constant size is safe everywhere.

    Parameters
    ----------
    A : array_like of shape (m, n)
    b : array_like of shape (m,)
        Counts, or rates: >= 0.
    lam : float >= 0
        Weight of the penalty.
    x0 : array_like of shape (n,), optional
        Start; zeros when omitted.
    name : str

    Returns
    -------
    Problem
        With ``args = (A, b, lam)``, ``f_lower``, the mean of b - b log b, and, for lam > 0, ``mu`` = lam. The gradient has
        no Lipschitz constant.

    Raises
    ------
    ValueError
        For arrays that are empty, not finite or of different lengths, b < 0 and lam < 0.
    """
    A, b, lam = arguments(A, b, lam)
    if b.min() < 0.0:
        raise ValueError(f"b must hold counts, got {b.min()!r}")
    lower = float(np.mean(b - b * np.log(np.where(b > 0.0, b, 1.0))))
    return Problem(f"{name}-{len(A)}x{A.shape[1]}", poisson_fun, poisson_jac, poisson_hessp, start(x0, A.shape[1]), (A, b, lam),
                   mu=lam or None, growth=2.0 if lam else None, f_lower=lower)


@kernel
def phase_fun(x, A, b, lam):
    return phase_mean(x, range(b.size), A, b, lam)


@kernel
def phase_jac(x, A, b, lam):
    return phase_gradient(x, range(b.size), A, b, lam)


@kernel
def phase_hessp(x, p, A, b, lam):
    return phase_product(x, p, range(b.size), A, b, lam)


def phase_retrieval(A, b, lam=0.0, x0=None, name="phase", signal=None):
    r"""A real signal from the squares of linear measurements.

    .. math::  \frac1{4m} \sum_i \bigl(\langle a_i, x\rangle^2 - b_i\bigr)^2 + \frac\lambda2 \|x\|^2

    Parameters
    ----------
    A : array_like of shape (m, n)
    b : array_like of shape (m,)
        Squared measurements.
    lam : float >= 0
    x0 : array_like of shape (n,), optional
        Start; all ones when omitted, since zero is a stationary point.
    name : str
    signal : array_like of shape (n,), optional
        The signal, when it is known and b has no noise. It (or its negative) is then ``x_star``, with ``f_star`` = 0
        for lam = 0.

    Returns
    -------
    Problem
        With ``args = (A, b, lam)``. The gradient has no Lipschitz constant.

    Raises
    ------
    ValueError
        For arrays that are empty, not finite or of different lengths, and for lam < 0.
    """
    A, b, lam = arguments(A, b, lam)
    x0 = np.ones(A.shape[1]) if x0 is None else x0
    known = signal is not None and lam == 0.0
    return Problem(f"{name}-{len(A)}x{A.shape[1]}", phase_fun, phase_jac, phase_hessp, start(x0, A.shape[1]), (A, b, lam),
                   f_star=0.0 if known else None, x_star=start(signal, A.shape[1]) if known else None, f_lower=0.0)
