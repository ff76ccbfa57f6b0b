"""Factorisation of a low-rank matrix with more columns than its rank: flat at the minimizers that matter.

The residuals are formed entry by entry, never from Gram matrices, so that fun is exact in relative terms down to 1e-30.
"""
from functools import partial

import numpy as np

from .._jit import kernel
from ._problem import Problem
from .flat import check_sizes
from .sensing import straight


@kernel
def entry(left, i, right, j, k):
    """(L R')[i, j]."""
    total = 0.0
    for c in range(k):
        total += left[i * k + c] * right[j * k + c]
    return total


@kernel
def symmetric_fun(x, M):
    d = M.shape[0]
    k = x.size // d
    total = 0.0
    for i in range(d):
        for j in range(d):
            r = entry(x, i, x, j, k) - M[i, j]
            total += 0.25 * r * r
    return total


@kernel
def symmetric_jac(x, M):
    d = M.shape[0]
    k = x.size // d
    g = np.zeros_like(x)
    for i in range(d):
        for j in range(d):
            r = entry(x, i, x, j, k) - M[i, j]
            for c in range(k):
                g[i * k + c] += r * x[j * k + c]
    return g


@kernel
def symmetric_hessp(x, v, M):
    d = M.shape[0]
    k = x.size // d
    hv = np.zeros_like(x)
    for i in range(d):
        for j in range(d):
            r = entry(x, i, x, j, k) - M[i, j]
            dr = entry(v, i, x, j, k) + entry(x, i, v, j, k)
            for c in range(k):
                hv[i * k + c] += r * v[j * k + c] + dr * x[j * k + c]
    return hv


def symmetric_factorisation(d=50, rank=2, k=4, seed=0):
    """(1/4) |X X' - U U'|^2 over d x k matrices X, with U of `rank` columns.

    Parameters
    ----------
    d, rank, k : int
    seed : int
        Of U and of the start, both Gaussian of Frobenius norm 1.

    Returns
    -------
    Problem
    """
    check_sizes(d=(d, 1), rank=(rank, 1), k=(k, rank))
    rng = np.random.default_rng(seed)
    U, x0 = rng.standard_normal((d, rank)), rng.standard_normal(d * k)
    U /= np.linalg.norm(U)
    x_star, flat = np.zeros((d, k)), np.zeros((d, k))
    x_star[:, :rank] = U
    if k > rank:
        flat[0, rank] = 1.0
    return Problem(f"symmetric-factorisation-{d}x{k}", symmetric_fun, symmetric_jac, symmetric_hessp,
                   x0 / np.linalg.norm(x0), (U @ U.T,), f_star=0.0, x_star=x_star.ravel(), growth=4.0 if k > rank else 2.0,
                   ravine=partial(straight, x_star=x_star.ravel(), direction=flat.ravel()) if k > rank else None)


@kernel
def asymmetric_fun(x, M):
    p, q = M.shape
    k = x.size // (p + q)
    left, right = x[:p * k], x[p * k:]
    total = 0.0
    for i in range(p):
        for j in range(q):
            r = entry(left, i, right, j, k) - M[i, j]
            total += 0.5 * r * r
    return total


@kernel
def asymmetric_jac(x, M):
    p, q = M.shape
    k = x.size // (p + q)
    left, right = x[:p * k], x[p * k:]
    g = np.zeros_like(x)
    for i in range(p):
        for j in range(q):
            r = entry(left, i, right, j, k) - M[i, j]
            for c in range(k):
                g[i * k + c] += r * right[j * k + c]
                g[(p + j) * k + c] += r * left[i * k + c]
    return g


@kernel
def asymmetric_hessp(x, v, M):
    p, q = M.shape
    k = x.size // (p + q)
    left, right, dleft, dright = x[:p * k], x[p * k:], v[:p * k], v[p * k:]
    hv = np.zeros_like(x)
    for i in range(p):
        for j in range(q):
            r = entry(left, i, right, j, k) - M[i, j]
            dr = entry(dleft, i, right, j, k) + entry(left, i, dright, j, k)
            for c in range(k):
                hv[i * k + c] += r * dright[j * k + c] + dr * right[j * k + c]
                hv[(p + j) * k + c] += r * dleft[i * k + c] + dr * left[i * k + c]
    return hv


def asymmetric_factorisation(p=60, q=40, rank=2, k=4, seed=0):
    """(1/2) |L R' - U V'|^2 over p x k matrices L and q x k matrices R.

    Overparameterised like the symmetric case, and yet not degenerate from a generic start: the spare columns of L and R
    stay away from zero, and gradient descent converges linearly. A control for methods made for flat minima.

    Parameters
    ----------
    p, q, rank, k : int
    seed : int
        Of U V' and of the start.

    Returns
    -------
    Problem
    """
    check_sizes(p=(p, 1), q=(q, 1), rank=(rank, 1), k=(k, rank))
    rng = np.random.default_rng(seed)
    U, V = rng.standard_normal((p, rank)), rng.standard_normal((q, rank))
    left, right = rng.standard_normal((p, k)), rng.standard_normal((q, k))
    U, V = U / np.linalg.norm(U), V / np.linalg.norm(V)
    scale = np.sqrt(2.0) / np.sqrt(np.sum(left ** 2) + np.sum(right ** 2))
    pad = np.zeros((p + q, k - rank))
    return Problem(f"asymmetric-factorisation-{p}x{q}x{k}", asymmetric_fun, asymmetric_jac, asymmetric_hessp,
                   scale * np.concatenate([left.ravel(), right.ravel()]), (U @ V.T,), f_star=0.0,
                   x_star=np.hstack([np.vstack([U, V]), pad]).ravel(),
                   notes="grows quadratically at generic minimizers, with order 4 at the one given")
