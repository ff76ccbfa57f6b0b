r"""A small neural network: one hidden layer of tanh, softmax outputs, cross-entropy and an l2 penalty.

.. math::  \frac1m \sum_i -\log p_{b_i}\bigl(W_2 \tanh(W_1 a_i + c_1) + c_2\bigr) + \frac\lambda2 \|x\|^2

x holds W1 (by inputs: x[j h + c]), c1, W2 (by hidden units) and c2, one after the other.
"""
import math

import numpy as np

from .. import _checks
from .._finite_sum import FiniteSum
from .._jit import kernel
from ._data import add_row, arguments, mean_plus_ridge, ridge
from ._problem import Problem
from ._rows import log_sum_exp, probabilities_product, to_probabilities


@kernel
def affine(x, begin, inputs, out):
    """Write W inputs + c, where W and c begin at x[begin]; return where they end."""
    n, k = inputs.size, out.size
    for c in range(k):
        out[c] = x[begin + n * k + c]
    for j in range(n):
        for c in range(k):
            out[c] += inputs[j] * x[begin + j * k + c]
    return begin + (n + 1) * k


@kernel
def add_affine_gradient(inputs, weights, begin, g):
    """Add the derivative of <weights, W inputs + c> with respect to W and c."""
    n, k = inputs.size, weights.size
    for j in range(n):
        for c in range(k):
            g[begin + j * k + c] += inputs[j] * weights[c]
    for c in range(k):
        g[begin + n * k + c] += weights[c]


@kernel
def transposed(x, begin, weights, out):
    """Write W' weights."""
    k = weights.size
    for j in range(out.size):
        total = 0.0
        for c in range(k):
            total += x[begin + j * k + c] * weights[c]
        out[j] = total


@kernel
def hidden_layer(x, a, h):
    """Write tanh(W1 a + c1); return where the second layer begins."""
    middle = affine(x, 0, a, h)
    for c in range(h.size):
        h[c] = math.tanh(h[c])
    return middle


@kernel
def outputs(n, features, hidden):
    """The number of classes, from the number of variables."""
    return (n - hidden * (features + 1)) // (hidden + 1)


@kernel
def network_fun(x, idx, A, b, lam, hidden):
    h, z = np.empty(hidden), np.empty(outputs(x.size, A.shape[1], hidden))
    total = 0.0
    for i in idx:
        affine(x, hidden_layer(x, A[i], h), h, z)
        total += log_sum_exp(z) - z[int(b[i])]
    return total / idx.size + ridge(lam, x)


@kernel
def network_jac(x, idx, A, b, lam, hidden):
    h, z, back = np.empty(hidden), np.empty(outputs(x.size, A.shape[1], hidden)), np.empty(hidden)
    g = np.zeros_like(x)
    for i in idx:
        middle = hidden_layer(x, A[i], h)
        affine(x, middle, h, z)
        to_probabilities(z)
        z[int(b[i])] -= 1.0
        add_affine_gradient(h, z, middle, g)
        transposed(x, middle, z, back)
        for c in range(hidden):
            back[c] *= 1.0 - h[c] * h[c]
        add_affine_gradient(A[i], back, 0, g)
    mean_plus_ridge(g, idx.size, lam, x)
    return g


@kernel
def network_hessp(x, p, idx, A, b, lam, hidden):
    """The derivative of every line of the gradient along p (B. A. Pearlmutter, Neural Computation 6, 1994)."""
    k = outputs(x.size, A.shape[1], hidden)
    h, dh, back, dback, more = np.empty(hidden), np.empty(hidden), np.empty(hidden), np.empty(hidden), np.empty(hidden)
    z, dz, dz2, hp = np.empty(k), np.empty(k), np.empty(k), np.zeros_like(x)
    for i in idx:
        middle = hidden_layer(x, A[i], h)
        affine(p, 0, A[i], dh)
        for c in range(hidden):
            dh[c] *= 1.0 - h[c] * h[c]
        affine(x, middle, h, z)
        to_probabilities(z)
        affine(p, middle, h, dz)                    # dz = V2 h + v2 + W2 dh
        for c in range(k):
            dz2[c] = z[c]
        for j in range(hidden):
            for c in range(k):
                dz[c] += x[middle + j * k + c] * dh[j]
        probabilities_product(dz2, dz)              # derivative of the probabilities
        z[int(b[i])] -= 1.0
        add_affine_gradient(h, dz2, middle, hp)
        for j in range(hidden):
            add_row(dh[j], z.reshape(1, k), 0, hp[middle + j * k:middle + (j + 1) * k])
        transposed(x, middle, z, back)
        transposed(p, middle, z, dback)
        transposed(x, middle, dz2, more)
        for c in range(hidden):
            dback[c] = (dback[c] + more[c]) * (1.0 - h[c] * h[c]) - 2.0 * back[c] * h[c] * dh[c]
        add_affine_gradient(A[i], dback, 0, hp)
    mean_plus_ridge(hp, idx.size, lam, p)
    return hp


def perceptron(A, b, hidden=32, lam=1e-4, seed=0, classes=None, name="perceptron"):
    r"""Classification by a network with one hidden layer.

    .. math::  \frac1m \sum_i -\log p_{b_i}\bigl(W_2 \tanh(W_1 a_i + c_1) + c_2\bigr) + \frac\lambda2 \|x\|^2

    Parameters
    ----------
    A : array_like of shape (m, n)
        One row a sample; standardized or scaled to [0, 1].
    b : array_like of shape (m,)
        Classes 0, 1, ..., k - 1.
    hidden : int
        Units of the hidden layer.
    lam : float >= 0
    seed : int
        Of the start: normal weights of variance 1 / inputs of their layer, zero shifts.
    classes : int, optional
        k, when some class does not occur in b.
    name : str

    Returns
    -------
    Problem
        ``fun`` is a `curvopt.FiniteSum`; ``args = (A, b, lam, hidden)``.
    """
    A, b, lam = arguments(A, b, lam)
    hidden = _checks.count("hidden", hidden, 1)
    k = int(b.max()) + 1 if classes is None else _checks.count("classes", classes, 2)
    if k < 2 or np.any(b != np.floor(b)) or b.min() < 0 or b.max() >= k:
        raise ValueError("b must hold whole numbers 0, 1, ..., k - 1 with at least two classes")
    rng, n = np.random.default_rng(seed), A.shape[1]
    x0 = np.concatenate([rng.standard_normal(n * hidden) / math.sqrt(n), np.zeros(hidden),
                         rng.standard_normal(hidden * k) / math.sqrt(hidden), np.zeros(k)])
    total = FiniteSum(network_fun, network_jac, len(A), network_hessp)
    return Problem(f"{name}-{len(A)}x{n}x{hidden}x{k}", total, total.jac, total.hessp, x0, (A, b, lam, hidden), f_lower=0.0)
