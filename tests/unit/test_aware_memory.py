"""The memory-aware scale and the preconditioned CG, against dense linear algebra."""
import numpy as np
import pytest

from curvopt import problems
from curvopt._objective import Objective
from curvopt.directions import aware_memory as aware
from curvopt.directions import newton_cg as krylov


def dense(memory, n):
    """The matrix that the memory stands for."""
    H, column = np.empty((n, n)), np.empty(n)
    for i, e in enumerate(np.eye(n)):
        aware.times(memory, 1.0, e, column)
        H[:, i] = column
    return H


def pairs(n, count, seed):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n, n))
    A = A @ A.T + 0.1 * np.eye(n)
    steps = rng.standard_normal((count, n))
    return [(s, A @ s) for s in steps], A


def test_empty_memory_is_the_identity_and_its_first_scale_the_usual_one():
    memory = aware.make_aware(3, 5)
    assert np.array_equal(dense(memory, 3), np.eye(3))
    s, y = np.array([1.0, 2.0, 3.0]), np.array([2.0, 1.0, 5.0])
    assert aware.learn_pair(memory, s, y) and aware.held(memory) == 1
    assert memory.gamma[0] == pytest.approx(s @ y / (y @ y), rel=1e-15)


@pytest.mark.parametrize("seed", range(3))
def test_secant_equation_and_the_scale_that_predicts(seed):
    n = 12
    learned, _ = pairs(n, 6, seed)
    memory = aware.make_aware(n, 4)         # the last two push the first two out
    for s, y in learned:
        work = np.empty(n)
        before = dense(memory, n)
        gamma, S = memory.gamma[0], memory.S
        ss, sy, yy = aware.propose(memory.S, memory.Y, memory.info, s, y)
        raw = aware.unknown_scale(S, memory.Y, memory.rho, memory.coef, memory.info, work, ss, sy, yy)
        if sy / yy < raw < ss / sy:         # not clipped: with raw in the middle, the old memory predicts the pair
            memory.gamma[0] = raw
            assert y @ dense(memory, n) @ y == pytest.approx(s @ y, rel=1e-10)
            memory.gamma[0] = gamma
        assert aware.learn_pair(memory, s, y)
        after = dense(memory, n)
        np.testing.assert_allclose(after @ y, s, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(after, after.T, rtol=1e-9, atol=1e-12)
        assert np.all(np.linalg.eigvalsh(after) > 0.0) and not np.array_equal(before, after)


def test_the_middle_is_a_harmonic_mean_of_the_last_five():
    memory = aware.make_aware(1, 1)
    for k in range(1, 15):
        aware.learn_pair(memory, np.array([1.0]), np.array([float(k)]))     # in one dimension every scale is 1/k
    assert memory.gamma[0] == pytest.approx(5.0 / sum(range(10, 15)), rel=1e-14)


def test_pairs_without_curvature_are_refused():
    memory = aware.make_aware(2, 3)
    e = np.array([1.0, 0.0])
    for y in (-e, np.array([0.0, 1.0]), np.array([np.nan, 0.0]), np.array([np.inf, 0.0])):
        assert not aware.learn_pair(memory, e, y)
    assert aware.held(memory) == 0 and memory.gamma[0] == 1.0


def newton(problem, x, hessp, forcing, limit):
    """(d, products, concave, source, memory) of a cycle at x with a memory of two pairs."""
    n = x.size
    objective = Objective(problem.fun, problem.jac, None, problem.hessp if hessp else None, problem.args, (n,), True)
    oracle = objective.oracle()
    g = problem.jac(x, *problem.args)
    memory = aware.make_aware(n, limit)
    rng = np.random.default_rng(0)
    for s in rng.standard_normal((2, n)):
        aware.learn_pair(memory, s, problem.hessp(x, s, *problem.args))
    z, d = np.empty(n), np.empty(n)
    decrement = aware.times(memory, 1.0, g, z)
    used, concave, error, source = krylov.newton_cg(oracle, x, g, z, decrement, memory, forcing, krylov.UNKNOWN,
                                             krylov.make_krylov(n, limit), d)
    return d, used, concave, source, memory, objective.counts


@pytest.mark.parametrize("hessp", [True, False])
def test_newton_direction_solves_the_newton_equation(hessp):
    problem = problems.convex_quartic(12)
    x = problem.x0
    d, used, concave, source, memory, counts = newton(problem, x, hessp, 1e-9 if hessp else 1e-4, 20)
    H = np.array([problem.hessp(x, e, *problem.args) for e in np.eye(12)])
    exact = -np.linalg.solve(H, problem.jac(x, *problem.args))
    np.testing.assert_allclose(d, exact, rtol=1e-6 if hessp else 0.05, atol=1e-7 if hessp else 0.02)
    assert not concave and used <= 16 and aware.held(memory) == min(20, used + 2)
    assert source == (krylov.EXACT if hessp else krylov.DIFFERENCES)
    assert (counts[2] == used and counts[1] == 0) if hessp else (counts[2] == 0 and used <= counts[1] <= used + 1)


def test_negative_curvature_ends_the_cycle():
    problem = problems.rosenbrock(2)
    d, used, concave, *_ = newton(problem, np.array([0.0, 1.0]), True, 1e-9, 20)
    assert concave and used >= 1 and np.all(np.isfinite(d)) and d @ problem.jac(np.array([0.0, 1.0])) < 0.0


@pytest.mark.parametrize("p", [3, 4, 6])
def test_newton_step_on_a_homogeneous_function_divides_by_the_order_less_one(p):
    """f = sum |b_j' x|^p: the Newton step is -x / (p - 1), whatever the b_j are, and the line sees an exact power."""
    from curvopt.stepsize.order import power_min

    rng = np.random.default_rng(p)
    B, x = rng.standard_normal((9, 4)), rng.standard_normal(4)

    def fun(x):
        return np.sum(np.abs(B @ x) ** p)

    g = p * B.T @ (np.abs(B @ x) ** (p - 1) * np.sign(B @ x))
    H = p * (p - 1) * B.T @ (np.abs(B @ x)[:, None] ** (p - 2) * B)
    d = -np.linalg.solve(H, g)
    np.testing.assert_allclose(d, -x / (p - 1), rtol=1e-10)
    y = x + d
    slope = p * np.sum(np.abs(B @ y) ** (p - 1) * np.sign(B @ y) * (B @ d))
    assert power_min(1.0, fun(x), fun(y), g @ d, slope) == pytest.approx((p - 1, p), abs=1e-6)
