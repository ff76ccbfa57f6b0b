"""Flat problems against twins in plain NumPy, and the neuron kernel against 60 decimal digits."""
from decimal import Decimal, localcontext

import numpy as np
import pytest

from curvopt import problems
from curvopt.problems import neurons

# ---- naive twins: fun as the textbook writes it -----------------------------------------------------------------------


def twin_curved(x, a, s, p):
    return x[0] ** p + a * (x[1] - s * x[0] ** 2) ** 2


def twin_convex(x, E, B):
    return 0.5 * np.sum((E @ x) ** 2) + 0.25 * np.sum((B @ x) ** 4)


def twin_powell(x):
    return (x[0] + 10 * x[1]) ** 2 + 5 * (x[2] - x[3]) ** 2 + (x[1] - 2 * x[2]) ** 4 + 10 * (x[0] - x[3]) ** 4


def twin_sensing(x, A, B, y):
    X = x.reshape(A.shape[1], -1)
    return np.mean((np.sum((A @ X) ** 2, axis=1) - np.sum((B @ X) ** 2, axis=1) - y) ** 2)


def twin_symmetric(x, M):
    X = x.reshape(M.shape[0], -1)
    return 0.25 * np.sum((X @ X.T - M) ** 2)


def twin_asymmetric(x, M):
    Z = x.reshape(sum(M.shape), -1)
    return 0.5 * np.sum((Z[:M.shape[0]] @ Z[M.shape[0]:].T - M) ** 2)


def twin_neurons(x, v):
    a, b = np.split(x, 2)

    def bend(a, b):
        length = np.sqrt(np.sum(a * a)) * np.sqrt(np.sum(b * b))
        t = np.arccos(np.sum(a * b) / length)
        return length * (np.sin(t) - t * np.cos(t))

    return 0.25 * np.sum((a + b - v) ** 2) + (bend(a, b) - bend(a, v) - bend(b, v)) / (2 * np.pi)


CASES = {
    "quartic": (problems.rosenbrock_quartic(a=1000.0), twin_curved),
    "sextic": (problems.rosenbrock_quartic(a=5.0, p=6), twin_curved),
    "nonconvex": (problems.nonconvex_quartic(), twin_curved),
    "separable": (problems.separable_quartic(), twin_convex),
    "convex": (problems.convex_quartic(12), twin_convex),
    "powell": (problems.powell_singular(), twin_powell),
    "sensing": (problems.quadratic_sensing(6, 1, 3, 20), twin_sensing),
    "symmetric": (problems.symmetric_factorisation(7), twin_symmetric),
    "asymmetric": (problems.asymmetric_factorisation(6, 5), twin_asymmetric),
    "neurons": (problems.two_neurons(5), twin_neurons),
}
cases = pytest.mark.parametrize("problem, twin", CASES.values(), ids=CASES)


def points(problem, seed=11):
    rng = np.random.default_rng(seed)
    return [problem.x0, *(rng.standard_normal((3, problem.n)))]


@cases
def test_value_agrees_with_the_twin(problem, twin):
    for x in points(problem):
        assert problem.fun(x, *problem.args) == pytest.approx(twin(x, *problem.args), rel=1e-12)


@cases
def test_gradient_is_the_complex_step_of_the_twin(problem, twin):
    for x in points(problem):
        g = problem.jac(x, *problem.args)
        exact = [twin(x + 1e-30j * e, *problem.args).imag * 1e30 for e in np.eye(problem.n)]
        np.testing.assert_allclose(g, exact, rtol=1e-10, atol=1e-12 * np.linalg.norm(g))


@cases
def test_product_is_the_derivative_of_the_gradient(problem, twin):
    rng = np.random.default_rng(5)
    for x in points(problem):
        p = rng.standard_normal(problem.n)
        h = 1e-4
        fine, coarse = ((problem.jac(x + s * p, *problem.args) - problem.jac(x - s * p, *problem.args)) / (2 * s)
                        for s in (h, 2 * h))
        exact = (4 * fine - coarse) / 3
        np.testing.assert_allclose(problem.hessp(x, p, *problem.args), exact, rtol=1e-6, atol=1e-7 * np.linalg.norm(exact))


@cases
def test_minimum_and_growth(problem, twin):
    assert abs(problem.fun(problem.x_star, *problem.args)) < 1e-28
    if problem.ravine is None:
        return
    assert problem.fun(problem.ravine(0.0), *problem.args) < 1e-28
    t = 1e-3
    ratio = problem.fun(problem.ravine(t), *problem.args) / problem.fun(problem.ravine(t / 2), *problem.args)
    assert np.log2(ratio) == pytest.approx(problem.growth, abs=1e-4)


@pytest.mark.parametrize("wrong", [
    lambda: problems.rosenbrock_quartic(a=0.0), lambda: problems.rosenbrock_quartic(p=5), lambda: problems.two_neurons(1),
    lambda: problems.convex_quartic(1), lambda: problems.quadratic_sensing(rank=3, k=2),
])
def test_impossible_sizes_are_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        wrong()


# ---- neurons in 60 digits ---------------------------------------------------------------------------------------------

def decimal_bend(a, b):
    """|a||b| (sin t - t cos t), the angle by halving the chord until asin is its own series."""
    length_a, length_b = (sum(c * c for c in u).sqrt() for u in (a, b))
    chord = sum((p / length_a - q / length_b) ** 2 for p, q in zip(a, b)).sqrt()
    s, halvings = chord / 2, 0                      # s = sin(t / 2)
    while s > Decimal("0.01"):
        s, halvings = s / (2 * (1 + (1 - s * s).sqrt())).sqrt(), halvings + 1
    term, t = s, Decimal(0)
    for k in range(40):                             # asin s
        t += term / (2 * k + 1)
        term *= s * s * (2 * k + 1) / (2 * k + 2)
    t *= 2 ** (halvings + 1)
    term, total = t ** 3 / 3, Decimal(0)
    for k in range(1, 60):
        total += term
        term *= -t * t / (2 * k * (2 * k + 3))
    return length_a * length_b * total


def decimal_neurons(x, v):
    with localcontext() as context:
        context.prec = 60
        pi = Decimal("3.14159265358979323846264338327950288419716939937510582097494")
        x, v = [Decimal(float(c)) for c in x], [Decimal(float(c)) for c in v]
        a, b = x[:len(v)], x[len(v):]
        misfit = sum((p + q - r) ** 2 for p, q, r in zip(a, b, v)) / 4
        return float(misfit + (decimal_bend(a, b) - decimal_bend(a, v) - decimal_bend(b, v)) / (2 * pi))


def test_neurons_are_exact_down_to_1e28():
    problem = problems.two_neurons(4)
    for t in (1.0, 1e-2, 1e-4, 1e-6, 1e-8, 1e-9):
        x = problem.ravine(t)
        exact = decimal_neurons(x, *problem.args)
        assert problem.fun(x, *problem.args) == pytest.approx(exact, rel=1e-6, abs=1e-30), t
    assert exact < 1e-27
    assert decimal_neurons(problem.x0, *problem.args) == pytest.approx(problem.fun(problem.x0, *problem.args), rel=1e-14)


@pytest.mark.parametrize("t", [1e-9, 1e-4, 0.1, 0.49999, 0.50001, 1.0, 3.0])
def test_bend_has_full_relative_accuracy(t):
    with localcontext() as context:
        context.prec = 60
        angle = Decimal(t)
        term, total = angle ** 3 / 3, Decimal(0)
        for k in range(1, 60):
            total += term
            term *= -angle * angle / (2 * k * (2 * k + 3))
    assert neurons.bend(t) == pytest.approx(float(total), rel=4e-15)


def test_neurons_survive_a_dead_and_an_opposite_neuron():
    v = np.array([1.0, 0.0])
    for x in (np.zeros(4), np.array([0.0, 0.0, 1.0, 0.0]), np.array([-1.0, 0.0, 2.0, 0.0])):
        assert np.isfinite(neurons.neurons_fun(x, v))
        assert np.all(np.isfinite(neurons.neurons_jac(x, v)))
        assert np.all(np.isfinite(neurons.neurons_hessp(x, np.ones(4), v)))
