"""RavineQN: counts in their bands, invariance, exact products, and the same bits however it is run."""
import numpy as np
import pytest

import curvopt
from curvopt import Status, problems

Simple = curvopt.RavineQN
Full = Simple.replace(preset="full")
PRESETS = pytest.mark.parametrize("method", [Simple, Full], ids=["simple", "full"])
CONVEX = problems.convex_quartic(20)


def solve(problem, method, hessp=False, **options):
    extra = {"hessp": problem.hessp} if hessp else {}
    return curvopt.minimize(problem.fun, problem.x0, args=problem.args, jac=problem.jac, method=method, **extra,
                            options={"gtol": 0.0, "maxiter": 2000, "history": True, "compiled": False, **options})


@pytest.mark.parametrize("wrong", [{"preset": "fuller"}, {"m": 0}])
def test_bad_parameters(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Simple.replace(**wrong)


@pytest.mark.parametrize("problem, simple, full", [
    (problems.rosenbrock_quartic(10.0), 65, 60), (CONVEX, 150, 80), (problems.convex_quartic(60, low=0.03), 200, 130),
    (problems.convex_quartic(40, low=0.01, high=10.0, seed=99), 250, 120), (problems.two_neurons(20), 60, 36),
    (problems.symmetric_factorisation(), 120, 90), (problems.quadratic_sensing(30, 2, 4, 300), 300, 260),
], ids=lambda p: getattr(p, "name", ""))
def test_gradients_to_1e_14(problem, simple, full):
    for method, band in ((Simple, simple), (Full, full)):
        res = solve(problem, method, ftarget=1e-14)
        assert res.status == Status.TARGET and res.njev <= band, method
    exact = solve(problem, Full, hessp=True, ftarget=1e-14)
    assert exact.status == Status.TARGET and exact.njev <= full and exact.nhev == exact.history.products.sum()


@PRESETS
def test_fun_never_rises_and_the_history_tells_the_order(method):
    res = solve(CONVEX, method, ftarget=1e-14)
    rise = np.diff(res.history.fun)
    assert np.all(rise <= 1e-13 * np.abs(res.history.fun[1:]))
    assert set(np.unique(res.history.order == 0.0)) == {True, False} and res.history.order.max() <= 12.0
    assert res.history.pairs[-1] > 10 and (res.history.products.max() > 0) == (method is Full)


def test_superlinear_on_a_power():
    """|u|^4 from 0.7: 56 evaluations to 1e-28 without extrapolation."""
    for method, band in ((Simple, 28), (Full, 12)):
        res = curvopt.minimize(lambda x: float(x[0] ** 4), [0.7], jac=lambda x: 4 * x ** 3, method=method,
                               options={"gtol": 0.0, "ftarget": 1e-28})
        assert res.success and res.njev <= band


@PRESETS
@pytest.mark.parametrize("factor, unit", [(2.0 ** 30, 1.0), (2.0 ** -20, 2.0 ** 12)])
def test_powers_of_two_change_nothing_but_the_units(method, factor, unit):
    def fun(x):
        return factor * CONVEX.fun(x / unit, *CONVEX.args)

    def jac(x):
        return factor / unit * CONVEX.jac(x / unit, *CONVEX.args)

    def hessp(x, p):
        return factor / unit / unit * CONVEX.hessp(x / unit, p, *CONVEX.args)

    plain = solve(CONVEX, method, hessp=True, maxiter=40)
    scaled = curvopt.minimize(fun, unit * CONVEX.x0, jac=jac, hessp=hessp, method=method,
                              options={"gtol": 0.0, "maxiter": 40, "history": True})
    assert np.array_equal(scaled.history.fun, factor * plain.history.fun) and np.array_equal(scaled.x, unit * plain.x)


@pytest.mark.parametrize("shift", [3.0, -1e3])
def test_a_constant_added_to_fun_changes_nothing_until_rounding(shift):
    res = curvopt.minimize(lambda x: CONVEX.fun(x, *CONVEX.args) + shift, CONVEX.x0, jac=lambda x: CONVEX.jac(x, *CONVEX.args),
                           method=Full, options={"gtol": 0.0, "maxiter": 400, "history": True})
    plain = solve(CONVEX, Full, maxiter=400)

    def first(res, gap, shift):
        return res.history.njev[np.argmax(res.history.fun - shift <= gap)]

    assert first(res, 1e-6, shift) == pytest.approx(first(plain, 1e-6, 0.0), abs=2)
    assert res.fun - shift <= 1e-12 * max(1.0, abs(shift))
    assert res.status in (Status.PRECISION, Status.MAXITER)


def test_a_curved_ravine_is_followed():
    """On x^4 + 10 (y - x^2)^2 a straight long step ends a times higher than it began; the best rate of a Newton step
    without long steps is 16/81 of fun for two products and a trial."""
    problem = problems.rosenbrock_quartic(10.0, x0=(0.1, 0.01))
    res = solve(problem, Full, ftarget=1e-24)
    assert res.status == Status.TARGET and res.njev <= 60, res.njev      # 20 decades at 3 evaluations for each 0.7 would be 85
    long = res.history.step > 1.5
    assert np.any(long & (res.history.products > 0))
    assert np.min(res.history.fun[1:][long[1:]] / res.history.fun[:-1][long[1:]]) < 1e-2


def test_nearby_starts_take_about_as_many_gradients():
    rng = np.random.default_rng(3)
    counts = [curvopt.minimize(CONVEX.fun, CONVEX.x0 * (1 + 1e-9 * rng.standard_normal(20)), args=CONVEX.args, jac=CONVEX.jac,
                               method=Full, options={"gtol": 0.0, "ftarget": 1e-14, "compiled": False}).njev for _ in range(8)]
    assert max(counts) <= 1.25 * min(counts)


def test_ordinary_problems():
    # 1.2 times the evaluations of L-BFGS-B with 10 pairs to 1e-10: 44, 88, 178, 15 and 111.
    for problem, band in ((problems.rosenbrock(2), 53), (problems.rosenbrock(10), 106), (problems.beale(), 18),
                          (problems.quadratic(np.geomspace(1.0, 1e3, 100)), 178), (problems.wood(), 133)):
        for method in (Simple, Full):
            res = solve(problem, method, ftarget=1e-10)
            assert res.status == Status.TARGET and res.njev <= band, (problem, method)


@PRESETS
def test_bad_values_and_no_minimum(method):
    def walled(x):
        return float(x @ x) if x[0] < 2.0 else np.nan

    res = curvopt.minimize(walled, [1.9, 1.0], jac=lambda x: 2 * x, method=method)
    assert res.success
    res = curvopt.minimize(lambda x: -float(np.sum(x)), [1.0, 2.0], jac=lambda x: -np.ones(2), method=method)
    assert res.status == Status.UNBOUNDED
    res = curvopt.minimize(lambda x: float(x @ x), [1.0, 2.0], jac=lambda x: -2 * x, method=method)
    assert res.status == Status.STEP_FAILED and np.all(np.isfinite(res.x))


def test_a_saddle_is_left_along_negative_curvature():
    """u^4/4 - u^2/2 + v^2/2 from near the saddle at 0."""
    res = curvopt.minimize(lambda x: float(x[0] ** 4 / 4 - x[0] ** 2 / 2 + x[1] ** 2 / 2), [1e-4, 1.0],
                           jac=lambda x: np.array([x[0] ** 3 - x[0], x[1]]), method=Full, options={"gtol": 1e-8})
    assert res.success and abs(res.x[0]) == pytest.approx(1.0, abs=1e-6)


def test_products_that_are_no_numbers_end_in_quasi_newton_steps():
    res = curvopt.minimize(CONVEX.fun, CONVEX.x0, args=CONVEX.args, jac=CONVEX.jac, method=Full,
                           hessp=lambda x, p, *args: np.full_like(p, np.nan), options={"gtol": 1e-6})
    assert res.success


@PRESETS
def test_compiled_and_interpreted_runs_have_the_same_bits(method):
    runs = [solve(problems.powell_singular(), method, hessp=True, maxiter=60, **how)
            for how in ({}, {"compiled": True}, {"compiled": True, "chunk": 7})]
    for run in runs[1:]:
        assert run.compiled and np.array_equal(run.x, runs[0].x) and run.nfev == runs[0].nfev and run.nhev == runs[0].nhev
        for column in set(run.history.columns) - {"time"}:
            np.testing.assert_array_equal(run.history[column], runs[0].history[column])
