"""What the problems that fit a model to data share: the arguments ``(A, b, lam)`` and the kernels over rows of A.

All of them take the same three types, so that one compiled loop of a method serves every data problem.
"""
import numpy as np

from .. import _checks
from .._jit import kernel


@kernel
def row_dot(A, i, x):
    total = 0.0
    for j in range(x.size):
        total += A[i, j] * x[j]
    return total


@kernel
def add_row(c, A, i, out):
    """out += c A[i]."""
    for j in range(out.size):
        out[j] += c * A[i, j]


@kernel
def ridge(lam, x):
    """lam/2 ||x||^2; with lam = 0 it is 0 even where ||x||^2 overflows."""
    total = 0.0
    for j in range(x.size):
        total += (0.5 * lam * x[j]) * x[j]
    return total


@kernel
def mean_plus_ridge(out, m, lam, x):
    """out <- out / m + lam x."""
    for j in range(out.size):
        out[j] = out[j] / m + lam * x[j]


def arguments(A, b, lam):
    """(A, b, lam) as the kernels take them: C-contiguous float64 copies, finite, of matching length."""
    A = np.array(A, dtype=np.float64, order="C")
    b = np.array(b, dtype=np.float64, order="C")
    if A.ndim != 2 or A.size == 0:
        raise ValueError(f"A must be a non-empty matrix with one row per sample, got shape {A.shape}")
    if b.shape != (len(A),):
        raise ValueError(f"b must hold one number for each of the {len(A)} rows of A, got shape {b.shape}")
    if not (np.isfinite(A).all() and np.isfinite(b).all()):
        raise ValueError("A and b must be finite")
    return A, b, _checks.non_negative("lam", lam)


def start(x0, n):
    """`x0` as a float64 vector of length n; zeros when it is None."""
    if x0 is None:
        return np.zeros(n)
    x0 = np.array(x0, dtype=np.float64)
    if x0.shape != (n,):
        raise ValueError(f"x0 must have shape ({n},), got {x0.shape}")
    return x0


def top_eigenvalue(A):
    """The largest eigenvalue of A^T A / m."""
    return float(np.linalg.norm(A, 2) ** 2 / len(A))
