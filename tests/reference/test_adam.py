"""Adam against its formulas in 40-digit arithmetic, written anew here."""
from decimal import Decimal, getcontext

import numpy as np
import pytest

import curvopt

A, B = (3.0, 0.5, 20.0), (1.0, -2.0, 0.25)      # f = sum a x^2 / 2 - b x + x^4 / 4
STEPS = 400
SETTINGS = [(0.01, 0.9, 0.999, 1e-8), (0.05, 0.8, 0.95, 0.1)]      # not such that the path ends in a cycle: it would be chaotic


def fun(x):
    return float(np.sum(0.5 * np.array(A) * x * x - np.array(B) * x + 0.25 * x ** 4))


def jac(x):
    return np.array(A) * x - np.array(B) + x ** 3


def twin(form, lr, beta1, beta2, eps, steps):
    """The iterates in Decimal, in the order in which [Kingma and Ba, Algorithm 1] and the paper's section 3 write them."""
    getcontext().prec = 40
    lr, b1, b2, eps = (Decimal(v) for v in (lr, beta1, beta2, eps))
    a, b = [Decimal(v) for v in A], [Decimal(v) for v in B]
    x = [Decimal(2), Decimal(-1), Decimal("0.5")]
    m, v, points = [Decimal(0)] * 3, [Decimal(0)] * 3, [x]
    for k in range(1, steps + 1):
        g = [ai * xi - bi + xi ** 3 for ai, bi, xi in zip(a, b, x)]
        m = [b1 * mi + (1 - b1) * gi for mi, gi in zip(m, g)]
        v = [b2 * vi + (1 - b2) * gi * gi for vi, gi in zip(v, g)]
        if form == "torch":
            x = [xi - lr * (mi / (1 - b1 ** k)) / ((vi / (1 - b2 ** k)).sqrt() + eps) for xi, mi, vi in zip(x, m, v)]
        else:
            rate = lr * (1 - b2 ** k).sqrt() / (1 - b1 ** k)
            x = [xi - rate * mi / (vi.sqrt() + eps) for xi, mi, vi in zip(x, m, v)]
        points.append(x)
    return np.array([[float(xi) for xi in x] for x in points])


@pytest.mark.parametrize("lr, beta1, beta2, eps", SETTINGS)
@pytest.mark.parametrize("form", ["torch", "paper"])
def test_equals_the_formula(form, lr, beta1, beta2, eps):
    expected = twin(form, lr, beta1, beta2, eps, STEPS)
    method = curvopt.Adam.replace(form=form, lr=lr, beta1=beta1, beta2=beta2, eps=eps)
    res = curvopt.minimize(fun, expected[0], jac=jac, method=method,
                           options={"maxiter": STEPS, "gtol": 0.0, "return_all": True})
    assert res.nit == STEPS
    assert np.abs(np.array(res.allvecs) - expected).max() <= 1e-12


def test_the_two_forms_differ():
    """So that the test above can tell them apart."""
    torch, paper = (twin(form, *SETTINGS[1], 50) for form in ("torch", "paper"))
    assert np.abs(torch - paper).max() > 1e-3


def test_forms_agree_with_the_matching_eps():
    """The paper's form is torch's with eps / sqrt(1 - beta2^k): with beta2 = 0 they are one."""
    paths = []
    for form in ("torch", "paper"):
        res = curvopt.minimize(fun, [2.0, -1.0, 0.5], jac=jac, method=curvopt.Adam.replace(form=form, beta2=0.0, lr=0.05),
                               options={"maxiter": 60, "gtol": 0.0, "return_all": True})
        paths.append(np.array(res.allvecs))
    assert np.array_equal(*paths)
