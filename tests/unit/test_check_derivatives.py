"""The checker finds what is wrong, names it, and does not cry wolf."""
import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

import curvopt
from curvopt import check_derivatives, problems
from curvopt._difference_test import STEPS

P = problems.biggs_exp6()
X = P.x0 + 0.3


@pytest.mark.parametrize("problem", [P, problems.beale(), problems.rosenbrock(10), problems.quadratic([1e-3, 1.0, 1e5])],
                         ids=lambda p: p.name)
def test_right_derivatives_pass_everywhere(problem):
    for seed in range(10):
        x = problem.x0 + 0.3 * np.random.default_rng(seed).standard_normal(problem.n)
        report = curvopt.check_derivatives(problem.fun, x, problem.jac, problem.hessp, args=problem.args, rng=seed)
        assert report.ok and report, (seed, str(report))
        assert "jac and hessp agree" in report.verdict


def test_orders_are_two_for_right_and_one_for_wrong():
    report = curvopt.check_derivatives(P.fun, X, P.jac, lambda x, v: P.hessp(x, v) + 0.1 * v)
    small = (STEPS < 1e-3) & (STEPS > 1e-6)
    for c in report.of("jac"):
        assert c.orders[small] == pytest.approx(2.0, abs=0.05)
    for c in report.of("hessp"):
        assert c.orders[small] == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("entry", range(6))
def test_a_wrong_entry_of_the_gradient_is_named(entry):
    wrong = 1.0 + 1e-3 * (np.arange(6) == entry)
    report = curvopt.check_derivatives(P.fun, X, lambda x: P.jac(x) * wrong, P.hessp)
    assert not report.ok and report.entries[0][0] == entry and len(report.entries) == 1
    assert f"entry {entry} is" in report.verdict and "WRONG: jac is not the gradient of fun" in str(report)
    claimed, measured = report.entries[0][1:]
    assert claimed / measured == pytest.approx(1.001, rel=1e-6)


def test_a_wrong_product_and_an_unsymmetric_one_are_told_apart_from_the_gradient():
    report = curvopt.check_derivatives(P.fun, X, P.jac, lambda x, v: 1.01 * P.hessp(x, v))
    assert not report.ok and "hessp is not the derivative of jac" in report.verdict and "jac agrees" in report.verdict
    # curl-free in no sense: a "gradient" of nothing whose own derivative is exact, so only symmetry can tell
    J = np.array([[2.0, 1.0], [-1.0, 3.0]])
    report = curvopt.check_derivatives(lambda x: float(x @ x), np.ones(2), lambda x: J @ x, lambda x, v: J @ v)
    assert not report.symmetric("hessp") and not report.ok


def test_a_hessian_matrix_is_checked_as_well():
    def hess(x):
        return np.column_stack([P.hessp(x, e) for e in np.eye(6)])

    report = curvopt.check_derivatives(P.fun, X, P.jac, P.hessp, hess=hess)
    assert report.ok and report.names == ("jac", "hessp", "hess")
    report = curvopt.check_derivatives(P.fun, X, P.jac, hess=lambda x: 2.0 * hess(x))
    assert not report.ok and "hess is not the derivative of jac" in report.verdict


def test_rounding_is_no_error():
    """Values in single precision pass with what they allow; an error of a percent is still found."""
    def fun(x):
        return float(np.float32(P.fun(x)))

    assert curvopt.check_derivatives(fun, X, P.jac).ok
    assert not curvopt.check_derivatives(fun, X, lambda x: 1.01 * P.jac(x)).ok
    assert curvopt.check_derivatives(lambda x: float(np.float32(x @ x)), [1.0, 2.0], lambda x: 2 * x).ok
    assert curvopt.check_derivatives(lambda x: 3 * x[0] - x[1], [1.0, 2.0], lambda x: np.array([3.0, -1.0])).ok


def test_a_kink_is_recognized():
    report = curvopt.check_derivatives(lambda x: float(np.abs(x).sum()), [0.0, 2.0], lambda x: np.sign(x))
    assert not report.ok and "kink" in report.verdict


def test_large_steps_may_be_infinite():
    def fun(x):
        return float(np.sum(x - np.log(x))) if np.all(x > 0) else np.inf

    assert curvopt.check_derivatives(fun, [0.1, 2.0], lambda x: 1 - 1 / np.where(x > 0, x, np.nan)).ok


def test_shapes_pairs_and_directions():
    A = np.arange(6.0).reshape(2, 3)
    report = curvopt.check_derivatives(lambda x: (float(np.sum(x ** 4)), 4 * x ** 3), A, jac=True, directions=5)
    assert report.ok and report.n == 6 and len(report.comparisons) == 5


def test_plot_and_table():
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("Agg")
    report = curvopt.check_derivatives(P.fun, X, P.jac, P.hessp)
    ax = report.plot()
    assert ax.get_xscale() == ax.get_yscale() == "log" and len(ax.get_lines()) == 8
    assert len([line for line in str(report).splitlines() if line.lstrip().startswith("1e-")]) == 9
    plt.close(ax.figure)


@pytest.mark.parametrize("change, error, words", [
    ({"jac": None}, TypeError, "nothing to check"), ({"jac": "2-point"}, TypeError, "nothing to check"),
    ({"fun": 3}, TypeError, "fun must be callable"), ({"hessp": 3}, TypeError, "hessp must be callable"),
    ({"x0": [np.nan, 1.0]}, ValueError, "x0 must be finite"), ({"directions": 0}, ValueError, "directions"),
    ({"jac": lambda x: np.ones(3)}, ValueError, "jac returned an array of shape"),
    ({"fun": lambda x: np.nan}, ValueError, "not finite at x0"),
    ({"fun": lambda x: 1.0 if x[0] == 1.0 else np.nan}, ValueError, "another point"),
])
def test_bad_arguments(change, error, words):
    given = {"fun": lambda x: float(x @ x), "x0": [1.0, 2.0], "jac": lambda x: 2 * x, **change}
    with pytest.raises(error, match=words):
        curvopt.check_derivatives(**given)


@pytest.mark.parametrize("scale", [1e-9, 1e-4, 1.0, 1e6])
@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_the_scale_of_x_does_not_matter(scale, factor):
    """The same function in other units: what is wrong is wrong, and what is right is not called unclear."""
    report = check_derivatives(lambda x: rosen(x / scale), np.array([-1.2, 0.7]) * scale,
                               lambda x: factor * rosen_der(x / scale) / scale)
    assert report.ok == (factor == 1.0)
    assert "as far as they tell" not in report.verdict


def test_a_minimizer_is_no_point_to_check_at():
    """The gradient is zero there, and so is one that is wrong by a factor: the verdict says that little was seen."""
    report = check_derivatives(rosen, [1.0, 1.0], lambda x: 3.0 * rosen_der(x))
    assert report.ok and "another point" in report.verdict
    assert "another point" not in check_derivatives(rosen, [1.1, 1.0], rosen_der).verdict
    assert "another point" not in check_derivatives(lambda x: 1.0, [1.1, 1.0], lambda x: 0.0 * x).verdict
