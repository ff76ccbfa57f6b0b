"""The data problems as means over chosen rows: ``fun(x, idx, A, b, lam)`` and its derivatives, for `FiniteSum`.

The same losses as in `regression` and `softmax`, which take all rows; the penalty belongs to every row.
"""
import numpy as np

from .._jit import kernel
from ._data import add_row, mean_plus_ridge, ridge, row_dot
from .regression import exponential, log1p_square, sigmoid, softplus
from .softmax import add_outer, log_sum_exp, logits, to_probabilities


@kernel
def logistic_fun(x, idx, A, b, lam):
    total = 0.0
    for i in idx:
        total += softplus(-b[i] * row_dot(A, i, x))
    return total / idx.size + ridge(lam, x)


@kernel
def logistic_jac(x, idx, A, b, lam):
    g = np.zeros_like(x)
    for i in idx:
        add_row(-b[i] * sigmoid(-b[i] * row_dot(A, i, x)), A, i, g)
    mean_plus_ridge(g, idx.size, lam, x)
    return g


@kernel
def logistic_hessp(x, p, idx, A, b, lam):
    hp = np.zeros_like(x)
    for i in idx:
        t = row_dot(A, i, x)
        add_row(sigmoid(t) * sigmoid(-t) * row_dot(A, i, p), A, i, hp)
    mean_plus_ridge(hp, idx.size, lam, p)
    return hp


@kernel
def robust_fun(x, idx, A, b, lam):
    total = 0.0
    for i in idx:
        total += log1p_square(row_dot(A, i, x) - b[i])
    return total / idx.size + ridge(lam, x)


@kernel
def robust_jac(x, idx, A, b, lam):
    g = np.zeros_like(x)
    for i in idx:
        r = row_dot(A, i, x) - b[i]
        add_row(2.0 * r / (1.0 + r * r), A, i, g)
    mean_plus_ridge(g, idx.size, lam, x)
    return g


@kernel
def robust_hessp(x, p, idx, A, b, lam):
    hp = np.zeros_like(x)
    for i in idx:
        r = row_dot(A, i, x) - b[i]
        w = 1.0 / (1.0 + r * r)
        add_row(2.0 * (2.0 * w - 1.0) * w * row_dot(A, i, p), A, i, hp)
    mean_plus_ridge(hp, idx.size, lam, p)
    return hp


@kernel
def poisson_fun(x, idx, A, b, lam):
    total = 0.0
    for i in idx:
        t = row_dot(A, i, x)
        total += exponential(t) - b[i] * t
    return total / idx.size + ridge(lam, x)


@kernel
def poisson_jac(x, idx, A, b, lam):
    g = np.zeros_like(x)
    for i in idx:
        add_row(exponential(row_dot(A, i, x)) - b[i], A, i, g)
    mean_plus_ridge(g, idx.size, lam, x)
    return g


@kernel
def poisson_hessp(x, p, idx, A, b, lam):
    hp = np.zeros_like(x)
    for i in idx:
        add_row(exponential(row_dot(A, i, x)) * row_dot(A, i, p), A, i, hp)
    mean_plus_ridge(hp, idx.size, lam, p)
    return hp


@kernel
def phase_fun(x, idx, A, b, lam):
    total = 0.0
    for i in idx:
        u = row_dot(A, i, x)
        total += (u * u - b[i]) * (u * u - b[i])
    return 0.25 * total / idx.size + ridge(lam, x)


@kernel
def phase_jac(x, idx, A, b, lam):
    g = np.zeros_like(x)
    for i in idx:
        u = row_dot(A, i, x)
        add_row((u * u - b[i]) * u, A, i, g)
    mean_plus_ridge(g, idx.size, lam, x)
    return g


@kernel
def phase_hessp(x, p, idx, A, b, lam):
    hp = np.zeros_like(x)
    for i in idx:
        u = row_dot(A, i, x)
        add_row((3.0 * u * u - b[i]) * row_dot(A, i, p), A, i, hp)
    mean_plus_ridge(hp, idx.size, lam, p)
    return hp


# ---- softmax: a weight vector for every class, or (`fixed` = 1) with the last class fixed at zero -------------------------

@kernel
def entropy(x, idx, A, b, lam, fixed):
    z = np.empty(x.size // A.shape[1] + fixed)
    total = 0.0
    for i in idx:
        logits(x, A, i, z)
        total += log_sum_exp(z) - z[int(b[i])]
    return total / idx.size + ridge(lam, x)


@kernel
def entropy_gradient(x, idx, A, b, lam, fixed):
    z = np.empty(x.size // A.shape[1] + fixed)
    g = np.zeros_like(x)
    for i in idx:
        k = logits(x, A, i, z)
        to_probabilities(z)
        z[int(b[i])] -= 1.0
        add_outer(A, i, z, k, g)
    mean_plus_ridge(g, idx.size, lam, x)
    return g


@kernel
def probabilities_product(z, q):
    """z <- (diag(z) - z z') q: the Hessian of the logarithm of the sum of exponentials, times q."""
    mean = 0.0
    for c in range(z.size):
        mean += z[c] * q[c]
    for c in range(z.size):
        z[c] *= q[c] - mean


@kernel
def entropy_product(x, p, idx, A, b, lam, fixed):
    z = np.empty(x.size // A.shape[1] + fixed)
    q = np.empty_like(z)
    hp = np.zeros_like(x)
    for i in idx:
        k = logits(x, A, i, z)
        to_probabilities(z)
        logits(p, A, i, q)
        probabilities_product(z, q)
        add_outer(A, i, z, k, hp)
    mean_plus_ridge(hp, idx.size, lam, p)
    return hp


@kernel
def softmax_fun(x, idx, A, b, lam):
    return entropy(x, idx, A, b, lam, 0)


@kernel
def softmax_jac(x, idx, A, b, lam):
    return entropy_gradient(x, idx, A, b, lam, 0)


@kernel
def softmax_hessp(x, p, idx, A, b, lam):
    return entropy_product(x, p, idx, A, b, lam, 0)


@kernel
def fixed_softmax_fun(x, idx, A, b, lam):
    return entropy(x, idx, A, b, lam, 1)


@kernel
def fixed_softmax_jac(x, idx, A, b, lam):
    return entropy_gradient(x, idx, A, b, lam, 1)


@kernel
def fixed_softmax_hessp(x, p, idx, A, b, lam):
    return entropy_product(x, p, idx, A, b, lam, 1)
