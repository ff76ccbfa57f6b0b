"""LBFGS and QuasiNewton: the properties of the specification, measured there on a prototype."""
import math

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der, rosen_hess_prod

import curvopt
from curvopt import LBFGS, QuasiNewton
from curvopt.directions.inverse_hessian import DENSE
from curvopt.methods import quasi_newton

ROSEN10 = np.tile([-1.2, 1.0], 5)


class Recorder:
    """f and its gradient, keeping every point of either."""

    def __init__(self, fun, jac, c=1.0, shift=0.0):
        self.f, self.g, self.c, self.shift, self.points = fun, jac, c, shift, []

    def fun(self, x):
        self.points.append(x.copy())
        return self.c * self.f(x) + self.shift

    def jac(self, x):
        return self.c * self.g(x)

    def run(self, x0, method=QuasiNewton, **options):
        return curvopt.minimize(self.fun, x0, jac=self.jac, method=method, options={"gtol": 1e-6, **options})


def distance(a, b, calls):
    return max(np.abs(x - y).max() for x, y in list(zip(a.points, b.points))[:calls])


@pytest.mark.parametrize("method", [LBFGS, QuasiNewton], ids=lambda m: m.name)
@pytest.mark.parametrize("exponent", [-20, 13])
def test_scaling_f_by_a_power_of_two_changes_no_bit(method, exponent):
    c = 2.0 ** exponent
    a, b = Recorder(rosen, rosen_der), Recorder(rosen, rosen_der, c)
    a.run(ROSEN10, method)
    b.run(ROSEN10, method, gtol=1e-6 * c)
    assert len(a.points) == len(b.points) and distance(a, b, None) == 0.0


@pytest.mark.parametrize("c, shift, bound", [(1e-4, 0.0, 1e-9), (1e6, 0.0, 1e-9), (1.0, 1.0, 1e-7), (1.0, 1e3, 1e-5)])
def test_scaling_and_shifting_f_change_rounding_only(c, shift, bound):
    """25 calls: after that any quasi-Newton path has amplified the rounding."""
    a, b = Recorder(rosen, rosen_der), Recorder(rosen, rosen_der, c, shift)
    a.run(ROSEN10)
    b.run(ROSEN10, gtol=1e-6 * c)
    assert distance(a, b, 25) <= bound


def test_rotation_and_shift_of_x_change_rounding_only():
    Q, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((10, 10)))
    a = Recorder(rosen, rosen_der)
    b = Recorder(lambda z: rosen(Q @ z - 1.0), lambda z: Q.T @ rosen_der(Q @ z - 1.0))
    a.run(ROSEN10)
    b.run(Q.T @ (ROSEN10 + 1.0))
    assert max(np.abs(x - (Q @ z - 1.0)).max() for x, z in list(zip(a.points, b.points))[:25]) <= 1e-9


def test_lbfgs_is_quasi_newton_without_the_matrix():
    results = [curvopt.minimize(rosen, ROSEN10, jac=rosen_der, method=method, options={"history": True, "gtol": 1e-8})
               for method in (LBFGS, QuasiNewton.replace(m=30, dense_after=math.inf))]
    a, b = results
    assert np.array_equal(a.x, b.x) and (a.nit, a.nfev, a.njev) == (b.nit, b.nfev, b.njev)
    assert np.array_equal(a.history["fun"], b.history["fun"]) and not b.history["dense"].any()
    assert a.state.state.inverse.H.size == 0


def test_the_matrix_comes_when_it_should():
    def dense(method, n=10):
        x0 = np.tile([-1.2, 1.0], n // 2)
        history = curvopt.minimize(rosen, x0, jac=rosen_der, method=method, options={"history": True}).history
        return int(np.argmax(history["dense"])) if history["dense"].any() else None

    assert dense(QuasiNewton, 2) == 20                               # max(20, ...)
    assert dense(QuasiNewton.replace(dense_after=1)) == 1
    assert dense(QuasiNewton.replace(dense_after=12)) == 12
    assert dense(QuasiNewton.replace(m=11, dense_after=12)) is None  # never that many pairs
    assert dense(QuasiNewton.replace(dense_after=math.inf)) is None


def test_every_held_pair_is_curved_and_the_matrix_is_symmetric_and_positive():
    state = curvopt.minimize(rosen, ROSEN10, jac=rosen_der, method=LBFGS).state.state.inverse
    size = state.info[0]
    rows = [(state.info[1] - 1 - k) % 31 for k in range(size)]
    assert size > 0
    assert all(state.S[r] @ state.Y[r] > 0.0 for r in rows)
    assert np.allclose(state.rho[rows], [1.0 / (state.S[r] @ state.Y[r]) for r in rows])
    state = curvopt.minimize(rosen, ROSEN10, jac=rosen_der, method=QuasiNewton.replace(dense_after=5)).state.state.inverse
    assert state.phase[DENSE] and np.array_equal(state.H, state.H.T) and np.linalg.eigvalsh(state.H)[0] > 0.0


@pytest.mark.parametrize("n, most", [(5, 20), (20, 36)])
def test_quadratic_with_distinct_eigenvalues(n, most):
    """17 and 31 evaluations on the prototype; an inexact search does not end after n + 1."""
    p = curvopt.problems.quadratic(np.linspace(1.0, 50.0, n))
    res = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method=QuasiNewton, options={"gtol": 1e-6, "compiled": False})
    assert res.success and res.nfev == res.njev <= most


def test_wall_of_nan():
    def fun(x):
        return rosen(x) if x[0] <= 1.05 and x[1] <= 1.2 else math.nan

    res = curvopt.minimize(fun, [-1.2, 1.0], jac=rosen_der, method=QuasiNewton, options={"gtol": 1e-8})
    assert res.success and res.fun < 1e-15 and res.nfev < 90


@pytest.mark.parametrize("shift", [1e4, 1e8, 1e12])
@pytest.mark.parametrize("method, most", [(LBFGS, 120), (QuasiNewton, 65)], ids=["LBFGS", "QuasiNewton"])
def test_values_useless_to_rounding_do_not_stop_the_search(shift, method, most):
    """The values of f near the minimum agree in all digits; the gradient still gets there."""
    eig = np.logspace(0.0, 3.0, 20)
    line = Recorder(lambda x: 0.5 * (eig @ (x * x)), lambda x: eig * x, shift=shift)
    res = line.run(np.ones(20), method)
    assert res.success and res.nfev <= most     # QuasiNewton: 54 on the prototype, at every shift


def test_single_precision_oracle():
    def fun(x):
        return float(np.float32(rosen(x)))

    def jac(x):
        return rosen_der(x).astype(np.float32).astype(float)

    res = curvopt.minimize(fun, ROSEN10, jac=jac, method=QuasiNewton, options={"gtol": 1e-9})
    assert rosen(res.x) < 1e-16 and res.nfev < 130      # 1e-21 in 93 calls on the prototype


def test_the_returned_value_is_the_lowest_up_to_rounding():
    rng = np.random.default_rng(3)
    line = Recorder(rosen, rosen_der, shift=1e6)
    res = line.run(rng.standard_normal(6))
    assert res.fun <= min(line.fun(x) for x in line.points[:]) + 1e8 * 2.0 ** -52 * 1e6


def test_no_point_is_evaluated_twice():
    line = Recorder(rosen, rosen_der, shift=1e9)
    line.run(ROSEN10, gtol=0.0, maxiter=200)
    assert len({x.tobytes() for x in line.points}) == len(line.points)


def test_status_at_the_floor_and_with_a_wrong_gradient():
    floor = curvopt.minimize(lambda x: 1e6 + rosen(x), ROSEN10, jac=lambda x: np.round(rosen_der(x), 2), method=QuasiNewton,
                             options={"gtol": 1e-12})
    assert floor.status in (curvopt.Status.PRECISION, curvopt.Status.CONVERGED)
    wrong = curvopt.minimize(rosen, ROSEN10, jac=lambda x: -rosen_der(x), method=QuasiNewton)
    assert wrong.status == curvopt.Status.STEP_FAILED and np.array_equal(wrong.x, ROSEN10)


@pytest.mark.parametrize("exponent", [-150, 150])
def test_tiny_and_huge_functions(exponent):
    c = 10.0 ** exponent
    res = Recorder(rosen, rosen_der, c).run(ROSEN10, LBFGS, gtol=1e-6 * c)
    assert res.success


@pytest.mark.parametrize("method", [LBFGS, QuasiNewton.replace(dense_after=8)], ids=lambda m: m.name)
def test_compiled_equals_interpreted(method):
    p = curvopt.problems.rosenbrock(10)
    results = [curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, method=method,
                                options={"gtol": 1e-9, "history": True, **o})
               for o in ({"compiled": False}, {"compiled": True}, {"compiled": True, "chunk": 7})]
    first = results[0]
    for res in results[1:]:
        assert np.array_equal(first.x, res.x) and (first.nit, first.nfev, first.njev) == (res.nit, res.nfev, res.njev)
        for column in ("fun", "grad_norm", "step", "pairs", "dense"):
            assert np.array_equal(first.history[column], res.history[column])


@pytest.mark.parametrize("bad", [{"m": 0}, {"m": 2.5}, {"c1": 0.0}, {"c1": 0.5}, {"c2": 1e-5}, {"c2": 1.0}, {"c1": "a"}])
def test_bad_parameters(bad):
    for method in (LBFGS, QuasiNewton):
        with pytest.raises((ValueError, TypeError), match=next(iter(bad))):
            method.replace(**bad)


@pytest.mark.parametrize("bad", [0, -1, 2.5, "late"])
def test_bad_dense_after(bad):
    with pytest.raises((ValueError, TypeError), match="dense_after"):
        QuasiNewton.replace(dense_after=bad)


@pytest.mark.parametrize("c", [1e-100, 1e-6, 1e-3, 1e3, 1e6, 1e100])
@pytest.mark.parametrize("method", [LBFGS, QuasiNewton], ids=lambda m: m.name)
def test_the_units_of_x_cost_a_few_trials(method, c):
    """x -> c x is felt by the first step only, whose length is 1 in the units of x unless x is far from there."""
    plain = Recorder(rosen, rosen_der).run(ROSEN10, method)
    scaled = Recorder(lambda z: rosen(z / c), lambda z: rosen_der(z / c) / c).run(c * ROSEN10, method, gtol=1e-6 / c)
    assert scaled.success and scaled.nfev <= 1.25 * plain.nfev


@pytest.mark.parametrize("name", ["FUSEPV", "TruncatedNewton", "ANGD", "BarzilaiBorwein"])
def test_units_of_x_far_from_1_are_no_obstacle_to_methods_that_find_their_own_steps(name):
    def run(c):
        return curvopt.minimize(lambda z: rosen(z / c), c * ROSEN10[:4], jac=lambda z: rosen_der(z / c) / c,
                                hessp=lambda z, v: rosen_hess_prod(z / c, v / c) / c, method=name,
                                options={"gtol": 1e-6 / c, "compiled": False})

    limit = 2.0 * run(1.0).nfev
    for c in (1e-100, 1e-20, 1e20, 1e100):
        result = run(c)
        assert result.success and result.nfev <= limit, (c, result.status, result.nfev)


def test_singular_minimizers_take_fewer_calls_with_stretched_trials(monkeypatch):
    """At a minimizer of order four, full steps fall short by the same share every time."""
    def calls():
        total = 0
        for n in (1, 2, 5, 10):
            weights = np.logspace(0.0, 2.0, n)
            line = Recorder(lambda x: float(weights @ x ** 4), lambda x: 4.0 * weights * x ** 3)
            assert line.run(2.0 + np.cos(np.arange(n)), gtol=1e-9, compiled=False).success
            total += len(line.points)
        return total

    stretched = calls()
    monkeypatch.setattr(quasi_newton, "stretched", lambda left: 1.0)
    assert stretched <= 0.9 * calls()


def hinges(n):
    """A sum of hinges and a parabola: Lipschitz, convex, and not smooth where it is least."""
    rng = np.random.default_rng(3)
    B, b = rng.standard_normal((3 * n, n)), np.sign(rng.standard_normal(3 * n))

    def fun(x):
        return float(np.maximum(0.0, 1.0 - b * (B @ x)).mean() + 0.01 * x @ x)

    def jac(x):
        return -((b * (B @ x) < 1.0) * b) @ B / b.size + 0.02 * x

    return fun, jac


@pytest.mark.parametrize("method", [LBFGS.replace(m=200), QuasiNewton], ids=lambda m: m.name)
def test_kinks_end_the_strong_conditions(method):
    """They may hold nowhere across a kink; a run that insists on them stands still far above the least value."""
    fun, jac = hinges(5)
    ends = {wolfe: curvopt.minimize(fun, np.full(5, 0.1), jac=jac, method=method.replace(wolfe=wolfe), options={"maxfev": 1500})
            for wolfe in ("strong", "auto", "weak")}
    best = min(res.fun for res in ends.values())
    assert ends["strong"].fun - best > 1e-7
    assert max(ends["auto"].fun, ends["weak"].fun) - best < 1e-9
    assert ends["auto"].state.state.weak == 1 and ends["strong"].state.state.weak == 0


def test_the_strong_conditions_stay_where_fun_is_smooth():
    runs = [Recorder(rosen, rosen_der) for _ in range(2)]
    ends = [run.run(ROSEN10, QuasiNewton.replace(wolfe=wolfe)) for run, wolfe in zip(runs, ("auto", "strong"))]
    assert distance(*runs, None) == 0.0 and ends[0].state.state.weak == 0


def test_the_conditions_have_names():
    with pytest.raises(ValueError, match="wolfe"):
        QuasiNewton.replace(wolfe="weakest")
