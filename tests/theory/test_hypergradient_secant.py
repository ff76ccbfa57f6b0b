"""HDMSecant: what its derivation promises. Specification: the method's page of the documentation."""
import math

import numpy as np
import pytest

import curvopt
from curvopt import Status
from curvopt._objective import Objective
from curvopt.directions.learned_diagonal import follow_secant, rescale

METHOD = curvopt.HDMSecant


def solve(fun, jac, x0, method=METHOD, **options):
    defaults = {"compiled": False, "maxiter": 4000, "gtol": 1e-8}
    return curvopt.minimize(fun, x0, jac=jac, method=method, options={**defaults, **options})


def rotated_quadratic(eigenvalues, seed):
    n = len(eigenvalues)
    Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))[0]
    A = Q @ np.diag(eigenvalues) @ Q.T
    A = 0.5 * (A + A.T)
    return A, (lambda x: 0.5 * float(x @ A @ x)), (lambda x: A @ x)


def conjugate_gradients(A, x, steps):
    """The first iterates of the method of conjugate gradients for min <x, A x> / 2."""
    g = A @ x
    d = -g
    for _ in range(steps):
        a = (g @ g) / (d @ A @ d)
        x, g_new = x + a * d, g + a * (A @ d)
        d, g = -g_new + (g_new @ g_new) / (g @ g) * d, g_new
        yield x


@pytest.mark.parametrize("m", (1, 3))
def test_without_learning_the_secant_points_are_the_iterates_of_conjugate_gradients(m):
    """On a quadratic the secant point is the exact minimizer along the step, and pairs from exact searches make CG steps."""
    A, fun, jac = rotated_quadratic(np.geomspace(1, 100, 50), 5)
    method, x0 = METHOD.replace(eta=0.0, weight=0.0, m=m), np.random.default_rng(6).standard_normal(50)
    oracle = Objective(fun, jac, None, None, (), (50,), False).oracle()
    state = method.init(oracle, x0.copy(), method.params)
    for x in conjugate_gradients(A, x0, 20):
        state = method.step(oracle, state, method.params)
        assert state.v == pytest.approx(x, abs=1e-8 * np.abs(x0).max())


def test_secant_points_carry_the_exact_gradient_of_a_quadratic():
    A, fun, jac = rotated_quadratic(np.geomspace(1, 50, 8), 1)
    oracle = Objective(fun, jac, None, None, (), (8,), False).oracle()
    state = METHOD.init(oracle, np.ones(8), METHOD.params)
    for _ in range(25):
        state = METHOD.step(oracle, state, METHOD.params)
        assert state.g_v == pytest.approx(A @ state.v, abs=1e-10 * np.abs(A).max())
        assert state.f_v == pytest.approx(fun(state.v), rel=1e-8, abs=1e-12)


def test_scale_of_f_changes_no_bit_and_no_count():
    p = curvopt.problems.rosenbrock(6)
    runs = [solve(lambda x, c=c: c * p.fun(x), lambda x, c=c: c * p.jac(x), p.x0, gtol=c * 1e-6)
            for c in (1.0, 2.0 ** -40, 2.0 ** 30)]
    for other in runs[1:]:
        assert np.array_equal(other.x, runs[0].x) and other.nfev == runs[0].nfev


@pytest.mark.parametrize("f, g, x0, most", [
    (lambda x: float(x[0] ** 4), lambda x: 4 * x ** 3, 30.0, 60),
    (lambda x: math.sqrt(1 + x[0] ** 2), lambda x: x / np.sqrt(1 + x * x), 100.0, 40),
    (lambda x: math.log1p(x[0] ** 2) + 0.01 * x[0] ** 2, lambda x: 2 * x / (1 + x * x) + 0.02 * x, 30.0, 30),
], ids=["quartic", "hyperbola", "cauchy"])
def test_one_variable_is_the_secant_method(f, g, x0, most):
    """Where the predicted gradient vanishes the point itself is evaluated, so that every evaluation says something."""
    res = solve(f, g, [x0])
    assert res.success and res.nfev <= most


def test_badly_scaled_coordinates_need_the_learner():
    n = 30
    d = np.exp(np.random.default_rng(2).uniform(0, 10, n))
    A, _, _ = rotated_quadratic(np.geomspace(1, 10, n), 3)
    A = d[:, None] * A * d

    def run(method):
        return solve(lambda x: 0.5 * float(x @ A @ x), lambda x: A @ x, np.ones(n) / d, method, gtol=1e-4).nfev

    on, off = run(METHOD.replace(m=3)), run(METHOD.replace(m=3, eta=0.0, weight=0.0))
    assert 3 * on < off


def test_tight_tolerances_cost_in_proportion():
    """From 1e-4 to 1e-10 on a logistic regression: no floor, and no step that costs more than all before."""
    random = np.random.default_rng(8)
    X, y = random.standard_normal((60, 12)) * np.geomspace(1, 10, 12), np.where(random.random(60) < 0.5, -1.0, 1.0)

    def fun(x):
        return float(np.logaddexp(0.0, -y * (X @ x)).mean() + 0.005 * x @ x)

    def jac(x):
        return -X.T @ (y * 0.5 * (1.0 - np.tanh(0.5 * y * (X @ x)))) / 60 + 0.01 * x

    counts = [solve(fun, jac, np.zeros(12), gtol=gtol) for gtol in (1e-4, 1e-6, 1e-8, 1e-10)]
    assert all(res.success for res in counts)
    assert counts[-1].nfev <= 3 * counts[0].nfev


def test_barrier_with_infinity_outside():
    def fun(x):
        return math.inf if np.any(x <= 0) else float(np.sum(x - 0.01 * np.log(x)))

    res = solve(fun, lambda x: 1 - 0.01 / x, np.full(5, 3.0))
    assert res.success and res.x == pytest.approx(np.full(5, 0.01), rel=1e-6)


def test_a_matrix_that_rounding_spoils_is_forgotten():
    """Curvatures from 1e6 at the start to 1: pairs of the logarithm once left an entry of the diagonal negative."""
    def fun(x):
        return float(np.sum(x - np.log(x))) if np.all(x > 0.0) else np.inf

    res = curvopt.minimize(fun, [1e-3, 5.0], jac=lambda x: 1.0 - 1.0 / x, method=curvopt.HDMSecant, options={"compiled": False})
    assert res.success and np.allclose(res.x, 1.0, atol=1e-4)


def test_steps_grow_where_there_is_no_curvature():
    res = curvopt.minimize(lambda x: float(x.sum()), [1.0, 1.0], jac=np.ones_like, method=curvopt.HDMSecant,
                           options={"compiled": False, "maxiter": 1000})
    assert res.status.name == "UNBOUNDED"


@pytest.mark.parametrize("exponent", (-6, -3, 3, 6))
def test_starts_far_and_near(exponent):
    p = curvopt.problems.rosenbrock(2)
    A, fun, jac = rotated_quadratic(np.geomspace(1, 100, 20), 4)
    res = solve(fun, jac, 10.0 ** exponent * np.ones(20), gtol=1e-6)
    assert res.success and res.nfev < 120
    assert solve(p.fun, p.jac, np.array([1.0, 1.0]) + 10.0 ** min(exponent, 1), gtol=1e-6).success


def test_returned_gradient_was_evaluated_at_the_returned_point():
    p = curvopt.problems.rosenbrock(10)
    seen = {}

    def jac(x):
        seen[x.tobytes()] = p.jac(x)
        return seen[x.tobytes()]

    res = solve(p.fun, jac, p.x0)
    assert np.array_equal(res.jac, seen[res.x.tobytes()])
    assert len(seen) == res.njev == res.nfev == res.nit + 1


@pytest.mark.parametrize("m, n, vectors", [(3, 200, 14), (2, 200, 12), (3, 12, 14), (3, 11, 14), (10, 39, 28), (3, 5, 11)])
def test_memory(m, n, vectors):
    res = solve(lambda x: float(x @ x), lambda x: 2 * x, np.ones(n), METHOD.replace(m=m), maxiter=2)
    state = res.state.state
    sizes = [part.size for part in (*state, state.pairs.S, state.pairs.Y) if isinstance(part, np.ndarray)]
    assert sum(sizes) == vectors * n


def test_the_best_point_never_gets_worse():
    p = curvopt.problems.rosenbrock(20)
    res = solve(p.fun, p.jac, p.x0, history=True)
    assert np.all(np.diff(res.history.fun) <= 1e-14) and res.success
    assert np.all(res.history.r >= 0) and np.all(res.history.p_min > 0)


def test_compiled_equals_interpreted_for_any_chunk():
    p = curvopt.problems.rosenbrock(10)
    a, b = (solve(p.fun, p.jac, p.x0, compiled=compiled, history=True, chunk=7, gtol=0.0, maxiter=200)
            for compiled in (False, True))
    assert b.compiled and np.array_equal(a.x, b.x)
    for name in a.history.columns[:-1]:
        assert np.array_equal(a.history[name], b.history[name]), name


def test_a_tolerance_below_rounding_ends_with_precision():
    def fun(x):
        return 1e4 + float(x[0] ** 2 + 10 * x[1] ** 2)

    res = solve(fun, lambda x: np.array([2 * x[0], 20 * x[1]]) + 1e-4 * np.cos(1e12 * x), [1.0, 1.0], gtol=1e-14,
                maxiter=100_000)
    assert res.status == Status.PRECISION and res.nit < 1500


def test_secant_teacher_has_the_true_diagonal_as_fixed_point_and_keeps_the_geometric_mean():
    d = np.array([1.0, 10.0, 100.0, 1000.0])
    rng = np.random.default_rng(0)
    p = np.ones(4)
    for _ in range(4000):
        s = rng.standard_normal(4) / np.sqrt(d)
        follow_secant(p, s, d * s, float(s @ (d * s)), 0.05)
    shape = p * d
    assert np.prod(p) == pytest.approx(1.0) and shape.max() / shape.min() < 2.0
    rescale(p, d * s, float(s @ (d * s)), 1.0)
    assert (d * s) @ (p * d * s) == pytest.approx(float(s @ (d * s)))


@pytest.mark.parametrize("changes, match", [
    ({"m": 0}, "m must be at least 1"), ({"eta": -0.1}, "eta must be non-negative"), ({"rho": 1.0}, "less than 1"),
    ({"weight": 1.5}, "weight must lie in"), ({"decay": 0.0}, "decay must be positive"), ({"r_max": 0.5}, "at least 1"),
    ({"eta": math.nan}, "NaN"), ({"r_max": math.inf}, "finite"),
], ids=str)
def test_bad_parameters(changes, match):
    with pytest.raises(ValueError, match=match):
        METHOD.replace(**changes)
