r"""Quadratic sensing of a positive semidefinite matrix of low rank, by factors with more columns than the rank.

.. math::  f(X) = \frac1m \sum_i \left(|a_i' X|^2 - |b_i' X|^2 - y_i\right)^2,

the measurements y being those of a truth of lower rank: fourth-order growth at every minimizer.
"""
from functools import partial

import numpy as np

from .._jit import kernel
from ._problem import Problem
from .flat import check_sizes


def straight(t, x_star, direction):
    return x_star + t * direction


# X has k columns and is stored by rows: X[j, c] = x[j k + c].

@kernel
def project(row, x, k, out):
    """Write row' X."""
    for c in range(k):
        out[c] = 0.0
    for j in range(row.size):
        for c in range(k):
            out[c] += row[j] * x[j * k + c]


@kernel
def products(u, v):
    total = 0.0
    for c in range(u.size):
        total += u[c] * v[c]
    return total


@kernel
def add_outer(scale, row, p, x):
    """Add scale row p' to the matrix that x stores."""
    k = p.size
    for j in range(row.size):
        for c in range(k):
            x[j * k + c] += scale * row[j] * p[c]


@kernel
def sensing_fun(x, A, B, y):
    m, d = A.shape
    k = x.size // d
    p, q = np.empty(k), np.empty(k)
    total = 0.0
    for i in range(m):
        project(A[i], x, k, p)
        project(B[i], x, k, q)
        r = products(p, p) - products(q, q) - y[i]
        total += r * r
    return total / m


@kernel
def sensing_jac(x, A, B, y):
    m, d = A.shape
    k = x.size // d
    p, q, g = np.empty(k), np.empty(k), np.zeros_like(x)
    for i in range(m):
        project(A[i], x, k, p)
        project(B[i], x, k, q)
        r = 4.0 / m * (products(p, p) - products(q, q) - y[i])
        add_outer(r, A[i], p, g)
        add_outer(-r, B[i], q, g)
    return g


@kernel
def sensing_hessp(x, v, A, B, y):
    m, d = A.shape
    k = x.size // d
    p, q, dp, dq, hv = np.empty(k), np.empty(k), np.empty(k), np.empty(k), np.zeros_like(x)
    for i in range(m):
        project(A[i], x, k, p)
        project(B[i], x, k, q)
        project(A[i], v, k, dp)
        project(B[i], v, k, dq)
        r = 4.0 / m * (products(p, p) - products(q, q) - y[i])
        dr = 8.0 / m * (products(p, dp) - products(q, dq))
        for c in range(k):
            dp[c] = r * dp[c] + dr * p[c]
            dq[c] = r * dq[c] + dr * q[c]
        add_outer(1.0, A[i], dp, hv)
        add_outer(-1.0, B[i], dq, hv)
    return hv


def quadratic_sensing_from(A, B, truth, x0, name):
    """Sensing of truth truth' with the matrices a_i a_i' - b_i b_i', rows of A and B; x0 has k columns."""
    d, rank = truth.shape
    k = x0.size // d
    y = np.sum((A @ truth) ** 2, axis=1) - np.sum((B @ truth) ** 2, axis=1)
    x_star, flat = np.zeros((d, k)), np.zeros((d, k))
    x_star[:, :rank] = truth
    if k > rank:
        flat[0, rank] = 1.0
    return Problem(name, sensing_fun, sensing_jac, sensing_hessp, x0, (A, B, y), f_star=0.0, x_star=x_star.ravel(),
                   growth=4.0 if k > rank else 2.0,
                   ravine=partial(straight, x_star=x_star.ravel(), direction=flat.ravel()) if k > rank else None)


def quadratic_sensing(d=30, rank=2, k=4, m=300, seed=0):
    """Recover a positive semidefinite d x d matrix of rank `rank` from m quadratic measurements, by d x k factors.

    With k > rank the problem is overparameterised and every minimizer is degenerate, with fourth-order growth.

    Parameters
    ----------
    d, rank, k, m : int
        Size, true rank, columns of the unknown, number of measurements.
    seed : int
        Of the truth and the start (Gaussian, Frobenius norm 1) and of the Gaussian measurements.

    Returns
    -------
    Problem
    """
    check_sizes(d=(d, 1), rank=(rank, 1), k=(k, rank), m=(m, 1))
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((d, rank))
    x0 = rng.standard_normal(d * k)
    A, B = rng.standard_normal((m, d)), rng.standard_normal((m, d))
    return quadratic_sensing_from(A, B, truth / np.linalg.norm(truth), x0 / np.linalg.norm(x0), f"sensing-{d}x{k}")
