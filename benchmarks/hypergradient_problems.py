"""Problems of the hypergradient papers: squared-hinge SVM and logistic regression on LIBSVM files, as sums over the rows.

The rows get a constant last feature, -1 for the SVM and 1 for the logistic loss; reg/2 ||w||^2 covers it as well.
"""
import math
import pathlib

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.datasets import load_svmlight_file

from curvopt._jit import kernel
from curvopt.problems._problem import Problem

SVM, LOGISTIC = 0, 1
LOSSES = {"svm": SVM, "logistic": LOGISTIC}
SEED = 20250128     # of the authors' scripts


@kernel
def margin(i, indptr, indices, values, x):
    total = 0.0
    for k in range(indptr[i], indptr[i + 1]):
        total += values[k] * x[indices[k]]
    return total


@kernel
def fun(x, loss, indptr, indices, values, y, reg):
    total = 0.0
    for i in range(y.size):
        t = y[i] * margin(i, indptr, indices, values, x)
        if loss == SVM:
            if t < 1.0:
                total += 0.5 * (1.0 - t) * (1.0 - t)
        elif t > 0.0:
            total += math.log1p(math.exp(-t))
        else:
            total += math.log1p(math.exp(t)) - t
    square = 0.0
    for j in range(x.size):
        square += x[j] * x[j]
    return total + 0.5 * reg * square


@kernel
def jac(x, loss, indptr, indices, values, y, reg):
    g = np.empty_like(x)
    for j in range(x.size):
        g[j] = reg * x[j]
    for i in range(y.size):
        t = y[i] * margin(i, indptr, indices, values, x)
        if loss == SVM:
            c = t - 1.0 if t < 1.0 else 0.0
        elif t > 0.0:
            c = -math.exp(-t) / (1.0 + math.exp(-t))
        else:
            c = -1.0 / (1.0 + math.exp(t))
        c *= y[i]
        for k in range(indptr[i], indptr[i + 1]):
            g[indices[k]] += c * values[k]
    return g


@kernel
def hessp(x, p, loss, indptr, indices, values, y, reg):
    out = np.empty_like(x)
    for j in range(x.size):
        out[j] = reg * p[j]
    for i in range(y.size):
        t = y[i] * margin(i, indptr, indices, values, x)
        if loss == SVM:
            c = 1.0 if t < 1.0 else 0.0
        else:
            e = math.exp(-abs(t))
            c = e / ((1.0 + e) * (1.0 + e))
        c *= margin(i, indptr, indices, values, p)
        for k in range(indptr[i], indptr[i + 1]):
            out[indices[k]] += c * values[k]
    return out


def linear_model(name, X, y, loss, reg, x0=None):
    """The Problem; L = sigma_max^2 + reg for both losses, as the authors take it (the logistic loss has a quarter)."""
    X = csr_matrix(hstack([csr_matrix(X), np.full((X.shape[0], 1), -1.0 if loss == SVM else 1.0)]))
    X.sort_indices()
    sigma = np.linalg.eigvalsh((X.T @ X).toarray())[-1] if X.shape[1] <= 2000 else None
    args = (loss, X.indptr.astype(np.int64), X.indices.astype(np.int64), X.data.astype(float), y.astype(float), float(reg))
    x0 = unit_start(X.shape[1], SEED) if x0 is None else x0
    return Problem(name, fun, jac, hessp, x0, args, L=float(sigma + reg))


def unit_start(n, seed):
    x = np.random.RandomState(seed).randn(n)
    return x / np.linalg.norm(x)


def libsvm(folder, data, loss, reg=0.0):
    """A LIBSVM file of `folder` as a Problem named like svm:a1a:0."""
    X, y = load_svmlight_file(str(pathlib.Path(folder) / data))
    return linear_model(f"{loss}:{data}:{reg:g}", X, np.where(y > y.mean(), 1.0, -1.0), LOSSES[loss], reg)
