"""Softmax regression, with a weight vector for every class or with the last class fixed at zero.

The weights are the matrix W = x.reshape(n, k), one column a class: logits then add up over contiguous rows of W. In the
fixed form the column of the last class is left out and its logit is 0.
"""
import numpy as np

from .. import _checks
from .._jit import kernel
from ._data import arguments, start, top_eigenvalue
from ._problem import Problem
from ._rows import entropy, entropy_gradient, entropy_product


@kernel
def softmax_fun(x, A, b, lam):
    return entropy(x, range(b.size), A, b, lam, 0)


@kernel
def softmax_jac(x, A, b, lam):
    return entropy_gradient(x, range(b.size), A, b, lam, 0)


@kernel
def softmax_hessp(x, p, A, b, lam):
    return entropy_product(x, p, range(b.size), A, b, lam, 0)


@kernel
def fixed_softmax_fun(x, A, b, lam):
    return entropy(x, range(b.size), A, b, lam, 1)


@kernel
def fixed_softmax_jac(x, A, b, lam):
    return entropy_gradient(x, range(b.size), A, b, lam, 1)


@kernel
def fixed_softmax_hessp(x, p, A, b, lam):
    return entropy_product(x, p, range(b.size), A, b, lam, 1)


def softmax(A, b, lam=1e-3, x0=None, fixed_class=False, classes=None, name="softmax"):
    r"""Softmax (multinomial logistic) regression with an l2 penalty.

    .. math::  \frac1m \sum_i \Bigl(\log \sum_c e^{\langle a_i, w_c\rangle} - \langle a_i, w_{b_i}\rangle\Bigr)
               + \frac\lambda2 \|W\|_F^2

    Parameters
    ----------
    A : array_like of shape (m, n)
        One row a sample. Append a column of ones for an intercept, which is then penalized like the rest.
    b : array_like of shape (m,)
        Classes 0, 1, ..., k - 1.
    lam : float >= 0
    x0 : array_like, optional
        Start; zeros when omitted.
    fixed_class : bool
        Fix the weights of the last class at zero: n (k - 1) variables instead of n k. Without a penalty, and without
        this, the minimizer is not unique.
    classes : int, optional
        k, when some class does not occur in b.
    name : str

    Returns
    -------
    Problem
        With ``args = (A, b, lam)``; x is the matrix of weights, ``x.reshape(n, -1)``, a column a class. ``L`` =
        lambda_max(A'A) / (2 m) + lam bounds the Hessian and, for lam > 0, ``mu`` = lam.

    Raises
    ------
    ValueError
        For arrays that are empty, not finite or of different lengths, labels that are no classes, lam < 0.

    References
    ----------
    .. [1] D. Boehning, "Multinomial logistic regression algorithm", Ann. Inst. Statist. Math. 44, 1992: the bound 1/2
           on the Hessian of the logarithm of a sum of exponentials.
    """
    A, b, lam = arguments(A, b, lam)
    k = int(b.max()) + 1 if classes is None else _checks.count("classes", classes, 2)
    if k < 2 or np.any(b != np.floor(b)) or b.min() < 0 or b.max() >= k:
        raise ValueError("b must hold whole numbers 0, 1, ..., k - 1 with at least two classes")
    functions = (fixed_softmax_fun, fixed_softmax_jac, fixed_softmax_hessp) if fixed_class \
        else (softmax_fun, softmax_jac, softmax_hessp)
    n = A.shape[1] * (k - 1 if fixed_class else k)
    return Problem(f"{name}-{len(A)}x{A.shape[1]}x{k}", *functions, start(x0, n), (A, b, lam),
                   L=top_eigenvalue(A) / 2.0 + lam, mu=lam or None, growth=2.0 if lam else None, f_lower=0.0)
