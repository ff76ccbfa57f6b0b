r"""Regression under the worst reweighting of the rows: distributionally robust optimization with a chi-square penalty.

.. math::  \Psi(x) = \min_\eta L(x, \eta), \qquad
           L(x, \eta) = \frac\lambda m \sum_i \psi^*\Bigl(\frac{\ell_i(x) - \eta}\lambda\Bigr) + \eta, \qquad
           \psi^*(t) = \bigl(\tfrac{t}{2} + 1\bigr)_+^2 - 1,

with the losses :math:`\ell_i(x) = \frac12(\langle a_i, x\rangle - b_i)^2 + \frac1{10}\sum_j \log(1 + |x_j|)`. The smaller
lambda, the more weight goes to the rows with large losses. L is minimized over z = (x, eta).
"""
import math

import numpy as np

from .._checks import positive
from .._finite_sum import FiniteSum
from .._jit import kernel
from ._data import add_row, arguments, row_dot, start
from ._problem import Problem

PENALTY = 0.1       # weight of the sum of logarithms, as in arXiv:2410.14054


@kernel
def penalty(x):
    total = 0.0
    for j in range(x.size):
        total += math.log(1.0 + abs(x[j]))
    return PENALTY * total


@kernel
def penalty_slope(t):
    """The derivative at t; 0 at the kink."""
    return PENALTY * np.sign(t) / (1.0 + abs(t))


@kernel
def loss(x, i, A, b, shift):
    r = row_dot(A, i, x) - b[i]
    return 0.5 * r * r + shift


@kernel
def robust_sum(z, idx, A, b, lam):
    x, eta = z[:-1], z[-1]
    shift, total = penalty(x), 0.0
    for i in idx:
        t = max(0.5 * (loss(x, i, A, b, shift) - eta) / lam + 1.0, 0.0)
        total += t * t - 1.0
    return lam * total / idx.size + eta


@kernel
def robust_sum_jac(z, idx, A, b, lam):
    x, eta = z[:-1], z[-1]
    shift, weights, g = penalty(x), 0.0, np.zeros_like(z)
    for i in idx:
        r = row_dot(A, i, x) - b[i]
        t = max(0.5 * (0.5 * r * r + shift - eta) / lam + 1.0, 0.0)
        if t > 0.0:
            weights += t
            add_row(t * r, A, i, g[:-1])
    for j in range(x.size):
        g[j] = (g[j] + weights * penalty_slope(x[j])) / idx.size
    g[-1] = 1.0 - weights / idx.size
    return g


@kernel
def robust_sum_hessp(z, p, idx, A, b, lam):
    x, eta = z[:-1], z[-1]
    shift, weights, spread, hp = penalty(x), 0.0, 0.0, np.zeros_like(z)
    along = 0.0     # of the penalty, along p
    for j in range(x.size):
        along += penalty_slope(x[j]) * p[j]
    for i in idx:
        r, q = row_dot(A, i, x) - b[i], row_dot(A, i, p[:-1])
        t = 0.5 * (0.5 * r * r + shift - eta) / lam + 1.0
        if t > 0.0:
            dt = 0.5 * (r * q + along - p[-1]) / lam
            weights += t
            spread += dt
            add_row(t * q + dt * r, A, i, hp[:-1])
    for j in range(x.size):
        s = 1.0 + abs(x[j])
        hp[j] = (hp[j] + spread * penalty_slope(x[j]) - weights * PENALTY * p[j] / (s * s)) / idx.size
    hp[-1] = -spread / idx.size
    return hp


@kernel
def worst_case_eta(x, A, b, lam):
    """The minimizing eta: the losses above s = eta - 2 lam exceed it by 2 lam m in all."""
    losses = np.empty(b.size)
    shift = penalty(x)
    for i in range(b.size):
        losses[i] = loss(x, i, A, b, shift)
    losses = np.sort(losses)
    above = 0.0
    for k in range(1, b.size + 1):
        above += losses[b.size - k]
        s = (above - 2.0 * lam * b.size) / k
        if k == b.size or s >= losses[b.size - k - 1]:
            return s + 2.0 * lam
    return math.nan     # not reached


def worst_case_value(x, A, b, lam):
    r"""The value and the minimizing eta, exactly: one sort of the losses.

    Parameters
    ----------
    x : array_like of shape (n,)
    A, b, lam
        The ``args`` of the problem.

    Returns
    -------
    psi, eta : float
    """
    z = np.append(np.asarray(x, dtype=np.float64), 0.0)
    z[-1] = worst_case_eta(z[:-1], A, b, lam)
    return float(robust_sum(z, np.arange(len(b)), A, b, lam)), float(z[-1])


def worst_case(A, b, lam=0.01, x0=None, eta0=0.1, name="worst-case"):
    r"""Linear regression under the worst reweighting of the rows, with a chi-square penalty on the weights.

    .. math::  L(x, \eta) = \frac\lambda m \sum_i \Bigl[\Bigl(\frac{\ell_i(x) - \eta}{2\lambda} + 1\Bigr)_+^2 - 1\Bigr] + \eta

    Parameters
    ----------
    A : array_like of shape (m, n)
    b : array_like of shape (m,)
    lam : float > 0
        Weight of the penalty on the weights: below 1, the hard rows dominate.
    x0 : array_like of shape (n,), optional
        Start; zeros when omitted.
    eta0 : float
        Start of eta.
    name : str

    Returns
    -------
    Problem
        In the n + 1 variables (x, eta); ``fun`` is a `curvopt.FiniteSum`. The losses are differentiable except where an
        entry of x is 0.

    References
    ----------
    .. [1] J. Jin, B. Zhang, H. Wang, L. Wang, "Non-convex distributionally robust optimization: non-asymptotic
           analysis", NeurIPS 2021, arXiv:2110.12459.
    .. [2] Y. Yang et al., arXiv:2410.14054: the losses and lam = 0.01.
    """
    A, b, _ = arguments(A, b, 0.0)
    lam = positive("lam", lam)
    total = FiniteSum(robust_sum, robust_sum_jac, len(A), robust_sum_hessp)
    return Problem(f"{name}-{len(A)}x{A.shape[1]}", total, total.jac, total.hessp, np.append(start(x0, A.shape[1]), eta0),
                   (A, b, lam))
