"""Every problem: derivatives against differences, value against a naive NumPy twin, known facts against the functions."""
import math

import numpy as np
import pytest

import curvopt
from curvopt import problems

# ---- naive twins ---------------------------------------------------------------------------------------------------------


def beale(x):
    return sum((c - x[0] * (1 - x[1] ** i)) ** 2 for i, c in ((1, 1.5), (2, 2.25), (3, 2.625)))


def wood(x):
    a, b, c, d = x
    return (100 * (b - a ** 2) ** 2 + (1 - a) ** 2 + 90 * (d - c ** 2) ** 2 + (1 - c) ** 2
            + 10 * (b + d - 2) ** 2 + (b - d) ** 2 / 10)


def trigonometric(x):
    i = np.arange(1, x.size + 1)
    return np.sum((x.size - np.cos(x).sum() + i * (1 - np.cos(x)) - np.sin(x)) ** 2)


def brown_dennis(x):
    t = np.arange(1, 21) / 5
    return np.sum(((x[0] + t * x[1] - np.exp(t)) ** 2 + (x[2] + x[3] * np.sin(t) - np.cos(t)) ** 2) ** 2)


def biggs_exp6(x):
    t = np.arange(1, 14) / 10
    y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
    return np.sum((x[2] * np.exp(-t * x[0]) - x[3] * np.exp(-t * x[1]) + x[5] * np.exp(-t * x[4]) - y) ** 2)


def penalty1(x):
    return 1e-5 * np.sum((x - 1) ** 2) + (x @ x - 0.25) ** 2


def chebyquad(x):
    mean = [np.mean(np.cos(i * np.emath.arccos(2 * x - 1)).real) for i in range(1, x.size + 1)]
    integral = [0.0 if i % 2 else -1 / (i ** 2 - 1) for i in range(1, x.size + 1)]
    return np.sum((np.array(mean) - integral) ** 2)


def logistic(x, A, b, lam):
    return np.mean(np.logaddexp(0, -b * (A @ x))) + lam / 2 * x @ x


def robust(x, A, b, lam):
    return np.mean(np.log1p((A @ x - b) ** 2)) + lam / 2 * x @ x


def phase(x, A, b, lam):
    return np.mean(((A @ x) ** 2 - b) ** 2) / 4 + lam / 2 * x @ x


def softmax(x, A, b, lam, fixed=False):
    Z = A @ x.reshape(A.shape[1], -1)
    if fixed:
        Z = np.column_stack([Z, np.zeros(len(Z))])
    return np.mean(np.log(np.exp(Z).sum(1)) - Z[np.arange(len(Z)), b.astype(int)]) + lam / 2 * x @ x


def fixed_softmax(x, A, b, lam):
    return softmax(x, A, b, lam, fixed=True)


def poisson(x, A, b, lam):
    return np.mean(np.exp(A @ x) - b * (A @ x)) + lam / 2 * x @ x


RNG = np.random.default_rng(20)
A = RNG.standard_normal((30, 4))
CLASSES = RNG.integers(0, 3, 30)
SIGNAL = np.array([1.0, -2.0, 0.5, 1.5])
SMALL = [
    (problems.beale(), beale), (problems.wood(), wood),
    (problems.trigonometric(5), trigonometric), (problems.brown_dennis(), brown_dennis),
    (problems.biggs_exp6(), biggs_exp6), (problems.penalty1(4), penalty1), (problems.chebyquad(6), chebyquad),
    (problems.logistic(A, A[:, 0] > 0.1, 0.01), logistic),
    (problems.robust(A, RNG.standard_cauchy(30), 0.01), robust),
    (problems.poisson(A, CLASSES, 0.01), poisson),
    (problems.phase_retrieval(A, (A @ SIGNAL) ** 2, signal=SIGNAL), phase),
    (problems.softmax(A, CLASSES), softmax), (problems.softmax(A, CLASSES, fixed_class=True), fixed_softmax),
    (problems.rosenbrock(6), lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)),
    (problems.quadratic([1.0, 3.0, 9.0]), lambda x, lam: 0.5 * x @ (lam * x)),
]
PAIRS = pytest.mark.parametrize("problem, naive", SMALL, ids=lambda v: v.name if hasattr(v, "name") else "")


def nearby(problem, seed):
    rng = np.random.default_rng(seed)
    v = rng.standard_normal(problem.n)
    return problem.x0 + 0.1 * rng.standard_normal(problem.n), v / np.linalg.norm(v)


@PAIRS
def test_value_equals_the_naive_one(problem, naive):
    for seed in range(3):
        x, _ = nearby(problem, seed)
        assert problem.fun(x, *problem.args) == pytest.approx(naive(x, *problem.args), rel=1e-12, abs=1e-14)


@PAIRS
def test_gradient_and_product_are_the_derivatives(problem, naive):
    x, v = nearby(problem, 7)
    _, w = nearby(problem, 8)
    h, args = 1e-5, problem.args
    g, hv = problem.jac(x, *args), problem.hessp(x, v, *args)
    slope = (problem.fun(x + h * v, *args) - problem.fun(x - h * v, *args)) / (2 * h)
    change = (problem.jac(x + h * v, *args) - problem.jac(x - h * v, *args)) / (2 * h)
    assert slope == pytest.approx(g @ v, rel=1e-6, abs=1e-8 * np.linalg.norm(g))
    assert np.linalg.norm(change - hv) <= 1e-7 * np.linalg.norm(hv)
    assert w @ hv == pytest.approx(v @ problem.hessp(x, w, *args), rel=1e-12, abs=1e-13 * np.linalg.norm(hv))


@pytest.mark.parametrize("problem", [p for p, _ in SMALL if p.x_star is not None], ids=lambda p: p.name)
def test_known_minimizer(problem):
    f0 = abs(problem.fun(problem.x0, *problem.args))
    assert abs(problem.fun(problem.x_star, *problem.args) - problem.f_star) <= 1e-15 * f0
    assert np.max(np.abs(problem.jac(problem.x_star, *problem.args))) <= 1e-13 * max(1.0, f0)


@PAIRS
def test_facts_hold_nearby(problem, naive):
    """f_lower and f_star are below every value; eigenvalues of the Hessian lie between mu and L."""
    x, _ = nearby(problem, 9)
    f = problem.fun(x, *problem.args)
    assert problem.f_lower is None or problem.f_lower <= f
    assert problem.f_star is None or problem.f_star == problem.f_lower
    H = np.column_stack([problem.hessp(x, e, *problem.args) for e in np.eye(problem.n)])
    low, high = np.linalg.eigvalsh((H + H.T) / 2)[[0, -1]]
    assert problem.L is None or high <= problem.L * (1 + 1e-12)
    assert problem.mu is None or low >= problem.mu * (1 - 1e-12)


def test_least_values_are_reached():
    """Where only the least value is known: a run reaches it and does not pass below."""
    for problem in (problems.brown_dennis(), problems.chebyquad(6)):
        res = curvopt.minimize(problem.fun, problem.x0, jac=problem.jac, hessp=problem.hessp, method="mrcg",
                               options={"gtol": 1e-7, "maxiter": 20000, "compiled": False})
        assert abs(res.fun - problem.f_star) <= 1e-12 * max(1.0, problem.f_star), problem


def logistic_gradient(x, A, b, lam):
    return -A.T @ (b / (1 + np.exp(b * (A @ x)))) / len(b) + lam * x


def softmax_gradient(x, A, b, lam):
    P = np.exp(A @ x.reshape(A.shape[1], -1))
    P /= P.sum(axis=1, keepdims=True)
    P[np.arange(len(b)), b.astype(int)] -= 1
    return (A.T @ P).ravel() / len(b) + lam * x


@pytest.mark.parametrize("make, naive, gradient", [
    (problems.breast_cancer, logistic, logistic_gradient), (problems.digits, softmax, softmax_gradient),
], ids=["breast_cancer", "digits"])
def test_least_values_of_data_sets_are_certified(make, naive, gradient):
    """Strong convexity: f(x) - ||g||^2 / (2 mu) <= f* <= f(x), at the end of a run on the NumPy twin."""
    from scipy.optimize import minimize

    p = make()
    res = minimize(naive, p.x0, args=p.args, jac=gradient, method="L-BFGS-B",
                   options={"maxcor": 100, "gtol": 1e-8, "ftol": 0.0, "maxiter": 1000})
    f, g = p.fun(res.x, *p.args), p.jac(res.x, *p.args)
    slack = g @ g / (2 * p.mu)
    assert slack < 1e-10
    assert f - slack - 1e-15 <= p.f_star <= f + 1e-15


def test_penalty1_formula_against_the_published_values():
    assert problems.penalty1(4).f_star == pytest.approx(2.24997e-5, rel=1e-5)
    assert problems.penalty1(10).f_star == pytest.approx(7.08765e-5, rel=1e-5)


def test_huge_arguments_do_not_overflow():
    A, b = np.array([[1.0], [-1.0]]), np.array([1.0, -1.0])
    x = np.array([1e200])
    p = problems.robust(A, b)
    assert p.fun(x, *p.args) == pytest.approx(2 * math.log(1e200), rel=1e-12)
    assert np.all(p.jac(x, *p.args) == 0.0) and np.all(p.hessp(x, np.ones(1), *p.args) == 0.0)
    p = problems.logistic(A, b, lam=0.0)
    assert p.fun(-x, *p.args) == pytest.approx(1e200) and np.isfinite(p.jac(-x, *p.args)).all()
    p = problems.softmax(A, [0, 1], lam=0.0)
    assert p.fun(np.array([-1e200, 1e200]), *p.args) == pytest.approx(2e200)


def test_eight_problems_have_their_numbers():
    """The same random numbers in every session: first values, to the last few digits."""
    expected = (826.6803085450513, 74030.24935377314, 24.2, 2057.0, 24926.0, math.log(2), 2.1132628242055627,
                296.28326121447446)
    for problem, f0 in zip(problems.eight(), expected):
        assert problem.fun(problem.x0, *problem.args) == pytest.approx(f0, rel=1e-12), problem


@pytest.mark.parametrize("call, words", [
    (lambda: problems.logistic(np.ones((3, 2)), [1, 2, 3]), "exactly two values"),
    (lambda: problems.logistic(np.ones((3, 2)), [1, 2]), "one number for each of the 3 rows"),
    (lambda: problems.robust(np.ones((3, 2)), [1, 2, np.nan]), "finite"),
    (lambda: problems.robust(np.ones(3), [1, 2, 3]), "non-empty matrix"),
    (lambda: problems.robust(np.ones((3, 2)), [1, 2, 3], lam=-1.0), "lam must be non-negative"),
    (lambda: problems.poisson(np.ones((3, 2)), [1, -2, 0]), "counts"),
    (lambda: problems.softmax(np.ones((3, 2)), [0, 1, 2.5]), "whole numbers"),
    (lambda: problems.softmax(np.ones((3, 2)), [0, 0, 0]), "at least two classes"),
    (lambda: problems.phase_retrieval(np.ones((3, 2)), [0, 0, 0], x0=np.ones(3)), r"x0 must have shape \(2,\)"),
    (lambda: problems.quadratic([1.0, -1.0]), "positive"),
])
def test_bad_arguments(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_missing_scikit_learn_names_the_extra(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r'pip install "curvopt\[demo\]"'):
        problems.digits()


def test_poisson_where_the_exponential_overflows():
    p = problems.poisson(np.ones((3, 1)), [0.0, 2.0, 4.0])
    assert p.fun(np.array([1e4]), *p.args) == math.inf and p.fun(np.array([math.log(2.0)]), *p.args) >= p.f_lower
