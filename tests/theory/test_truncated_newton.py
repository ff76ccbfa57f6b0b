"""Truncated Newton: what its parts promise. References are to the notes of the class and to krylov.py."""
import math

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der, rosen_hess_prod

import curvopt
from curvopt import problems
from curvopt._objective import Objective
from curvopt.directions.inverse_hessian import forget, learn_pair, make_inverse
from curvopt.directions.krylov import (
    BROKEN,
    CAPPED,
    DEPTH,
    KEPT,
    LENGTH,
    LONGER,
    NEGATIVE,
    SHORT,
    SOLVED,
    make_solve,
    truncated_cg,
)

NEWTON = curvopt.TruncatedNewton


def random_spd(n, seed, kappa=1e3):
    print("seed", seed)
    rng = np.random.default_rng(seed)
    q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    return q @ np.diag(np.logspace(0, math.log10(kappa), n)) @ q.T, rng.standard_normal(n)


def oracle_of(matrix):
    n = len(matrix)
    return Objective(lambda x: 0.5 * x @ matrix @ x, lambda x: matrix @ x, None, lambda x, v: matrix @ v, (), (n,),
                     True).oracle()


def run_cg(matrix, g, eta, cap, rows=8, pairs=0, plain=False):
    n = len(g)
    inverse = make_inverse(n, 30, 0)
    rng = np.random.default_rng(5)
    for _ in range(pairs):
        s = rng.standard_normal(n)
        learn_pair(inverse, s, matrix @ s)
    solve = make_solve(n, rows)
    oracle = oracle_of(matrix)
    ended = truncated_cg(oracle, np.zeros(n), g, inverse, plain, eta, cap, math.inf, solve)
    assert oracle.data.counts[2] == solve.whole[DEPTH], "one product a step"
    return ended, solve


# ---- conjugate gradients ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("pairs", [0, 6])
def test_residual_step_and_kept_pairs_are_exact(pairs):
    matrix, g = random_spd(30, 1)
    ended, solve = run_cg(matrix, g, 1e-9, 200, pairs=pairs)
    assert ended == SOLVED
    assert np.linalg.norm(matrix @ solve.p + g - solve.r) <= 1e-9 * np.linalg.norm(g)
    assert np.linalg.norm(solve.r) <= 1e-6 * np.linalg.norm(g) and g @ solve.p < 0
    kept = solve.whole[KEPT]
    assert 4 <= kept <= 8, "between half of the rows and all of them"
    for k in range(kept):
        assert np.allclose(solve.Y[k], matrix @ solve.S[k], rtol=1e-9, atol=1e-12)


def test_a_preconditioner_from_exact_pairs_saves_products():
    matrix, g = random_spd(40, 2)
    plain = run_cg(matrix, g, 1e-6, 200)[1].whole[DEPTH]
    assert run_cg(matrix, g, 1e-6, 200, pairs=25)[1].whole[DEPTH] < plain
    assert run_cg(matrix, g, 1e-6, 200, pairs=25, plain=True)[1].whole[DEPTH] == plain, "plain leaves it out"


def test_earlier_iterates_are_shorter_and_lower_the_model():
    matrix, g = random_spd(30, 3, kappa=1e5)
    lengths, model = [], []
    for cap in range(1, 12):
        ended, solve = run_cg(matrix, g, 1e-15, cap)
        assert ended == CAPPED and solve.whole[DEPTH] == cap
        lengths.append(np.linalg.norm(solve.p))
        model.append(g @ solve.p + 0.5 * solve.p @ matrix @ solve.p)
        assert solve.real[LENGTH] == pytest.approx(lengths[-1])
        assert solve.real[SHORT] <= 0.5 * solve.real[LONGER] + 1e-15 and solve.real[LONGER] <= lengths[-1] * (1 + 1e-12)
    assert np.all(np.diff(lengths) > 0) and np.all(np.diff(model) < 0)


def test_first_step_is_the_cg_scaling():
    matrix, g = random_spd(10, 4)
    _, solve = run_cg(matrix, g, 0.0, 1)
    assert np.allclose(solve.p, -(g @ g) / (g @ matrix @ g) * g, rtol=1e-14)


def test_negative_curvature_ends_a_solve_with_its_direction():
    matrix, g = random_spd(12, 6)
    matrix = matrix - 300.0 * np.eye(12)
    ended, solve = run_cg(matrix, g, 1e-9, 100)
    assert ended == NEGATIVE and solve.d @ matrix @ solve.d <= 0 and g @ solve.d < 0


def test_products_that_are_not_finite_end_a_solve():
    matrix, g = random_spd(5, 7)
    matrix[2, 2] = np.nan
    assert run_cg(matrix, g, 1e-3, 10)[0] == BROKEN


# ---- the method ------------------------------------------------------------------------------------------------------

def test_without_depth_it_is_the_quasi_newton_method():
    p = problems.rosenbrock(10)
    options = {"history": True, "gtol": 1e-9, "compiled": False}
    a = curvopt.minimize(p.fun, p.x0, jac=p.jac, method=curvopt.QuasiNewton, options=options)
    b = curvopt.minimize(p.fun, p.x0, jac=p.jac, hessp=p.hessp, method=NEWTON.replace(depth=0), options=options)
    assert np.array_equal(a.x, b.x) and np.array_equal(a.history.fun, b.history.fun)
    assert (a.nfev, a.njev, b.nhev) == (b.nfev, b.njev, 0)


def test_depth_one_without_memory_is_scg_on_a_quadratic():
    p = problems.quadratic(np.logspace(0, 1, 6))
    options = {"maxiter": 12, "gtol": 0.0, "return_all": True, "compiled": False}
    call = {"args": p.args, "jac": p.jac, "hessp": p.hessp, "options": options}
    scg = curvopt.minimize(p.fun, p.x0, method=curvopt.SCG, **call)
    newton = curvopt.minimize(p.fun, p.x0, method=NEWTON.replace(depth=1, m=0, c2=0.999), **call)
    assert np.allclose(scg.allvecs, newton.allvecs, rtol=1e-12, atol=0.0)


def test_a_quadratic_takes_one_burst_and_few_products():
    p = problems.quadratic(np.logspace(0, 2, 30), np.random.default_rng(0).standard_normal(30))
    res = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, hessp=p.hessp, method=NEWTON,
                           options={"history": True, "gtol": 1e-8, "compiled": False})
    depth = res.history.depth[1:]
    assert res.success and res.nhev <= 3 * p.n
    assert np.all(depth[:5] == 0) and np.all(depth[5:] > 0), "the model error is that of rounding: no second burst"
    assert np.nanmax(res.history.model_error[6:]) <= 1e-6
    assert res.nhev == depth.sum(), "no product in a burst"


@pytest.mark.parametrize("n", [2, 10, 50])
def test_rosenbrock_falls_to_the_minimum(n):
    x0 = np.tile([-1.2, 1.0], n // 2)
    res = curvopt.minimize(rosen, x0, jac=rosen_der, hessp=rosen_hess_prod, method=NEWTON,
                           options={"history": True, "gtol": 1e-6})
    f = res.history.fun
    assert res.success and np.all(np.diff(f) <= 1e-12 * np.maximum(1.0, np.abs(f[:-1])))


def test_products_stay_within_the_budget():
    res = curvopt.minimize(rosen, np.tile([-1.2, 1.0], 20), jac=rosen_der, hessp=rosen_hess_prod, method=NEWTON,
                           options={"history": True, "gtol": 1e-8, "compiled": False})
    depth = res.history.depth
    good = 0
    for k in range(1, len(depth)):
        if depth[k] == 0:
            continue
        spent = int(0.5 * (1.5 * (k - 1) + depth[:k].sum()))
        assert depth[k] <= min(2 * 40 + 5, max(10, spent, 4 * good))
        good = depth[k] if res.history.model_error[k] <= 0.3 else 0


def test_it_leaves_a_saddle():
    res = curvopt.minimize(lambda x: x[0] ** 4 / 4 - x[0] ** 2 / 2 + x[1] ** 2 / 2, [1e-3, 1.0],
                           jac=lambda x: np.array([x[0] ** 3 - x[0], x[1]]),
                           hessp=lambda x, v: np.array([(3 * x[0] ** 2 - 1) * v[0], v[1]]),
                           method=NEWTON, options={"gtol": 1e-8})
    assert res.success and abs(abs(res.x[0]) - 1.0) < 1e-6


def test_values_that_are_useless_do_not_stop_it():
    res = curvopt.minimize(lambda x: 1e8 + rosen(x), [-1.2, 1.0, -1.2, 1.0], jac=rosen_der, hessp=rosen_hess_prod,
                           method=NEWTON, options={"gtol": 1e-6})
    assert np.abs(rosen_der(res.x)).max() <= 1e-6


def test_nan_outside_a_box():
    res = curvopt.minimize(lambda x: rosen(x) if np.abs(x).max() < 1.5 else np.nan, [-1.2, 1.0], jac=rosen_der,
                           hessp=rosen_hess_prod, method=NEWTON, options={"gtol": 1e-6})
    assert res.success


def test_scaling_fun_by_a_power_of_two_changes_no_bit():
    x0 = np.tile([-1.2, 1.0], 5)
    runs = [curvopt.minimize(lambda x, c=c: c * rosen(x), x0, jac=lambda x, c=c: c * rosen_der(x),
                             hessp=lambda x, v, c=c: c * rosen_hess_prod(x, v), method=NEWTON,
                             options={"gtol": 0.0, "maxiter": 40, "return_all": True}) for c in (1.0, 4.0, 2.0 ** -20)]
    for other in runs[1:]:
        assert np.array_equal(runs[0].allvecs, other.allvecs)


def test_differences_of_gradients_cost_gradients():
    calls = []
    res = curvopt.minimize(rosen, np.full(4, 0.5), jac=lambda x: calls.append(1) or rosen_der(x), method=NEWTON)
    assert res.success and res.nhev == 0 and res.njev == len(calls)


def test_the_least_curvature_is_reported():
    lam = np.array([1.0, 3.0, 9.0])
    p = problems.quadratic(lam)
    res = curvopt.minimize(p.fun, p.x0, args=p.args, jac=p.jac, hessp=p.hessp, method=NEWTON.replace(depth=3),
                           options={"compiled": False})
    assert 1.0 - 1e-9 <= res.curvature <= 9.0 + 1e-9


@pytest.mark.parametrize(("parameters", "text"), [
    ({"depth": -1}, "depth"), ({"depth": "deep"}, "depth"), ({"m": 0}, "m = 0"), ({"good": 0.0}, "good"), ({"c2": 1e-5}, "c2"),
])
def test_bad_parameters(parameters, text):
    with pytest.raises((TypeError, ValueError), match=text):
        NEWTON.replace(**parameters)


def test_memory_of_a_large_problem_is_that_of_vectors():
    """Peak of the buffers themselves: no path of the solve, whatever its depth."""
    n = 1000
    solve, inverse = make_solve(n, 10), make_inverse(n, 30, 0)
    doubles = sum(a.size for part in (solve, inverse) for a in part if a.dtype == np.float64)
    assert doubles <= (9 + 2 * 10 + 2 * 31) * n + 1000
    forget(inverse)


# ---- second order ----------------------------------------------------------------------------------------------------

def double_well(n):
    """Saddle at the origin, minima at x_0 = +-1."""
    def fun(x):
        return x[0] ** 4 / 4 - x[0] ** 2 / 2 + 0.5 * float(x[1:] @ x[1:])

    def jac(x):
        return np.r_[x[0] ** 3 - x[0], x[1:]]

    def hessp(x, v):
        return np.r_[(3 * x[0] ** 2 - 1) * v[0], v[1:]]

    return fun, jac, hessp


@pytest.mark.parametrize("n", [2, 50])
def test_a_run_that_stops_at_a_saddle_goes_on(n):
    fun, jac, hessp = double_well(n)
    x0 = np.r_[0.0, np.ones(n - 1)]
    stuck = curvopt.minimize(fun, x0, jac=jac, hessp=hessp, method=NEWTON)
    assert stuck.success and abs(stuck.fun) < 1e-9, "without the look it stays"
    seen = []
    free = curvopt.minimize(fun, x0, jac=jac, hessp=hessp, method=NEWTON.replace(second_order=True),
                            callback=lambda intermediate_result: seen.append(intermediate_result.nit))
    assert free.success and free.fun == pytest.approx(-0.25) and free.second_order == "minimum"
    assert free.curvature == pytest.approx(1.0, rel=1e-2) and free.nhev > stuck.nhev
    assert seen == list(range(1, free.nit + 1)), "the escape is one iteration more"


@pytest.mark.parametrize(("power", "verdict"), [(2, "minimum"), (4, "flat")])
def test_minimum_or_flat(power, verdict):
    res = curvopt.minimize(lambda x: x[0] ** 2 + abs(x[1]) ** power, [1.0, 0.0],
                           jac=lambda x: np.array([2 * x[0], power * x[1] * abs(x[1]) ** (power - 2)]),
                           hessp=lambda x, v: np.array([2 * v[0], power * (power - 1) * abs(x[1]) ** (power - 2) * v[1]]),
                           method=NEWTON.replace(second_order=True))
    assert res.success and res.second_order == verdict


@pytest.mark.parametrize(("products", "verdict"), [({"hessp": True}, "minimum"), ({"hess": True}, "minimum"), ({}, "flat")])
def test_curvature_below_the_error_of_differences_is_flat(products, verdict):
    """1e-6 of the largest eigenvalue is seen by exact products, and is not by differences of gradients."""
    lam = np.array([1.0, 1e-6])
    given = {name: {"hessp": lambda x, v: lam * v, "hess": lambda x: np.diag(lam)}[name] for name in products}
    res = curvopt.minimize(lambda x: 0.5 * float(lam @ (x * x)), [1.0, 0.5], jac=lambda x: lam * x,
                           method=NEWTON.replace(second_order=True), options={"gtol": 1e-9}, **given)
    assert res.success and res.second_order == verdict
    assert res.curvature_report().verdict == verdict, "asked afterwards, it says the same"


def test_second_order_needs_first_derivatives():
    with pytest.raises(ValueError, match="second_order=True needs jac, hess or hessp"):
        curvopt.minimize(rosen, [0.5, 0.5], method=NEWTON.replace(second_order=True))
