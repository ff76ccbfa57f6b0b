"""The parabola along which a curved ravine continues."""
import numpy as np
import pytest

from curvopt import problems
from curvopt.directions.arc import bending, follow
from curvopt.stepsize.order import power_min


def newton_step(problem, x):
    g = problem.jac(x, *problem.args)
    H = np.array([problem.hessp(x, e, *problem.args) for e in np.eye(x.size)])
    return g, np.linalg.solve(H, -g), H


@pytest.mark.parametrize("a", [0.5, 10.0, 1000.0])
def test_exact_on_the_rosenbrock_quartic(a):
    """The bend is (0, u^2/9), e is 2 a u^4/81, the order 4 again, and t = 3 ends at the minimizer."""
    problem, u = problems.rosenbrock_quartic(a), 1e-3
    x = np.array([u, u * u])
    g, d, H = newton_step(problem, x)
    g_new = problem.jac(x + d, *problem.args)
    q, slope, end = np.linalg.solve(H, g_new), g @ d, np.empty(2)
    above = bending(g, g_new, d, slope, q)
    np.testing.assert_allclose(q, [0.0, u * u / 9], rtol=1e-4, atol=1e-5 * u)
    assert above == pytest.approx(2 * a * u ** 4 / 81, rel=1e-4) and abs(q @ g) <= 1e-12 * np.linalg.norm(g)
    f, f_new = problem.fun(x, *problem.args), problem.fun(x + d, *problem.args)
    assert power_min(1.0, f, f_new - 0.5 * above, slope, g_new @ d - 2.0 * above) == pytest.approx((3.0, 4.0), abs=1e-3)
    assert power_min(1.0, f, f_new, slope, g_new @ d) != pytest.approx((3.0, 4.0), abs=1e-3)
    follow(3.0, d, q, x, end)
    straight = problem.fun(x + 3.0 * d, *problem.args)
    assert straight == pytest.approx(a * u ** 4, rel=1e-3)
    assert problem.fun(end, *problem.args) < 1e-6 * a * u ** 4


def test_a_straight_ravine_has_no_bend():
    problem = problems.separable_quartic()
    x = np.array([0.1, 0.0])
    g, d, H = newton_step(problem, x)
    g_new = problem.jac(x + d, *problem.args)
    q, end = np.linalg.solve(H, g_new), np.empty(2)
    above = bending(g, g_new, d, g @ d, q)
    assert 0.0 <= above <= 1e-12 * abs(g @ d) and np.linalg.norm(q) <= 1e-12
    follow(3.0, d, q, x, end)
    np.testing.assert_allclose(end, 0.0, atol=1e-12)


def test_no_bend_where_the_correction_would_raise_fun():
    q = np.array([-1.0, 2.0])
    assert bending(np.array([1.0, 0.0]), np.array([0.0, -1.0]), np.array([-1.0, 0.0]), -1.0, q) == 0.0
    assert np.array_equal(q, np.zeros(2))
