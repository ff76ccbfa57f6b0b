"""The losses of the data problems as means over rows: ``mean(x, rows, A, b, lam)``, its gradient and product.

``rows`` is an index for `FiniteSum`, and the range of all rows for the problems themselves; the penalty belongs to every row.
"""
import math

import numpy as np

from .._jit import kernel, template
from ._data import add_row, mean_plus_ridge, ridge, row_dot


@kernel
def sigmoid(t):
    """1 / (1 + e^-t), from the exponential that cannot overflow."""
    if t >= 0.0:
        return 1.0 / (1.0 + math.exp(-t))
    e = math.exp(t)
    return e / (1.0 + e)


@kernel
def softplus(t):
    """log(1 + e^t)."""
    return max(t, 0.0) + math.log1p(math.exp(-abs(t)))


@kernel
def exponential(t):
    """e^t, inf where it overflows (Python's raises)."""
    return math.exp(t) if t < 709.0 else math.inf


@kernel
def log1p_square(r):
    """log(1 + r^2), where r^2 may overflow."""
    return 2.0 * math.log(abs(r)) if abs(r) > 1e9 else math.log1p(r * r)


@template
def logistic_mean(x, rows, A, b, lam):
    total = 0.0
    for i in rows:
        total += softplus(-b[i] * row_dot(A, i, x))
    return total / len(rows) + ridge(lam, x)


@template
def logistic_gradient(x, rows, A, b, lam):
    g = np.zeros_like(x)
    for i in rows:
        add_row(-b[i] * sigmoid(-b[i] * row_dot(A, i, x)), A, i, g)
    mean_plus_ridge(g, len(rows), lam, x)
    return g


@template
def logistic_product(x, p, rows, A, b, lam):
    hp = np.zeros_like(x)
    for i in rows:
        t = row_dot(A, i, x)
        add_row(sigmoid(t) * sigmoid(-t) * row_dot(A, i, p), A, i, hp)
    mean_plus_ridge(hp, len(rows), lam, p)
    return hp


@template
def robust_mean(x, rows, A, b, lam):
    total = 0.0
    for i in rows:
        total += log1p_square(row_dot(A, i, x) - b[i])
    return total / len(rows) + ridge(lam, x)


@template
def robust_gradient(x, rows, A, b, lam):
    g = np.zeros_like(x)
    for i in rows:
        r = row_dot(A, i, x) - b[i]
        add_row(2.0 * r / (1.0 + r * r), A, i, g)
    mean_plus_ridge(g, len(rows), lam, x)
    return g


@template
def robust_product(x, p, rows, A, b, lam):
    hp = np.zeros_like(x)
    for i in rows:
        r = row_dot(A, i, x) - b[i]
        w = 1.0 / (1.0 + r * r)     # phi'' = 2 (1 - r^2) w^2, with r^2 w = 1 - w
        add_row(2.0 * (2.0 * w - 1.0) * w * row_dot(A, i, p), A, i, hp)
    mean_plus_ridge(hp, len(rows), lam, p)
    return hp


@template
def poisson_mean(x, rows, A, b, lam):
    total = 0.0
    for i in rows:
        t = row_dot(A, i, x)
        total += exponential(t) - b[i] * t
    return total / len(rows) + ridge(lam, x)


@template
def poisson_gradient(x, rows, A, b, lam):
    g = np.zeros_like(x)
    for i in rows:
        add_row(exponential(row_dot(A, i, x)) - b[i], A, i, g)
    mean_plus_ridge(g, len(rows), lam, x)
    return g


@template
def poisson_product(x, p, rows, A, b, lam):
    hp = np.zeros_like(x)
    for i in rows:
        add_row(exponential(row_dot(A, i, x)) * row_dot(A, i, p), A, i, hp)
    mean_plus_ridge(hp, len(rows), lam, p)
    return hp


@template
def phase_mean(x, rows, A, b, lam):
    total = 0.0
    for i in rows:
        u = row_dot(A, i, x)
        total += (u * u - b[i]) * (u * u - b[i])
    return 0.25 * total / len(rows) + ridge(lam, x)


@template
def phase_gradient(x, rows, A, b, lam):
    g = np.zeros_like(x)
    for i in rows:
        u = row_dot(A, i, x)
        add_row((u * u - b[i]) * u, A, i, g)
    mean_plus_ridge(g, len(rows), lam, x)
    return g


@template
def phase_product(x, p, rows, A, b, lam):
    hp = np.zeros_like(x)
    for i in rows:
        u = row_dot(A, i, x)
        add_row((3.0 * u * u - b[i]) * row_dot(A, i, p), A, i, hp)
    mean_plus_ridge(hp, len(rows), lam, p)
    return hp


# ---- softmax: a weight vector for every class, or (`fixed` = 1) with the last class fixed at zero -------------------------

@kernel
def logits(x, A, i, z):
    """Write the logits of row i into the columns that have weights; return how many these are."""
    n = A.shape[1]
    k = x.size // n
    for c in range(z.size):
        z[c] = 0.0
    for j in range(n):
        a = A[i, j]
        for c in range(k):
            z[c] += a * x[j * k + c]
    return k


@kernel
def log_sum_exp(z):
    top = -math.inf
    for c in range(z.size):
        top = max(top, z[c])
    total = 0.0
    for c in range(z.size):
        total += math.exp(z[c] - top)
    return top + math.log(total)


@kernel
def to_probabilities(z):
    top = log_sum_exp(z)
    for c in range(z.size):
        z[c] = math.exp(z[c] - top)


@kernel
def add_outer(A, i, weights, k, out):
    """out += a_i weights^T, for the first k weights."""
    for j in range(A.shape[1]):
        a = A[i, j]
        for c in range(k):
            out[j * k + c] += a * weights[c]


@template
def entropy(x, rows, A, b, lam, fixed):
    z = np.empty(x.size // A.shape[1] + fixed)
    total = 0.0
    for i in rows:
        logits(x, A, i, z)
        total += log_sum_exp(z) - z[int(b[i])]
    return total / len(rows) + ridge(lam, x)


@template
def entropy_gradient(x, rows, A, b, lam, fixed):
    z = np.empty(x.size // A.shape[1] + fixed)
    g = np.zeros_like(x)
    for i in rows:
        k = logits(x, A, i, z)
        to_probabilities(z)
        z[int(b[i])] -= 1.0
        add_outer(A, i, z, k, g)
    mean_plus_ridge(g, len(rows), lam, x)
    return g


@kernel
def probabilities_product(z, q):
    """z <- (diag(z) - z z') q: the Hessian of the logarithm of the sum of exponentials, times q."""
    mean = 0.0
    for c in range(z.size):
        mean += z[c] * q[c]
    for c in range(z.size):
        z[c] *= q[c] - mean


@template
def entropy_product(x, p, rows, A, b, lam, fixed):
    z = np.empty(x.size // A.shape[1] + fixed)
    q = np.empty_like(z)
    hp = np.zeros_like(x)
    for i in rows:
        k = logits(x, A, i, z)
        to_probabilities(z)
        logits(p, A, i, q)
        probabilities_product(z, q)
        add_outer(A, i, z, k, hp)
    mean_plus_ridge(hp, len(rows), lam, p)
    return hp


@template
def softmax_mean(x, rows, A, b, lam):
    return entropy(x, rows, A, b, lam, 0)


@template
def softmax_gradient(x, rows, A, b, lam):
    return entropy_gradient(x, rows, A, b, lam, 0)


@template
def softmax_product(x, p, rows, A, b, lam):
    return entropy_product(x, p, rows, A, b, lam, 0)


@template
def fixed_softmax_mean(x, rows, A, b, lam):
    return entropy(x, rows, A, b, lam, 1)


@template
def fixed_softmax_gradient(x, rows, A, b, lam):
    return entropy_gradient(x, rows, A, b, lam, 1)


@template
def fixed_softmax_product(x, p, rows, A, b, lam):
    return entropy_product(x, p, rows, A, b, lam, 1)
