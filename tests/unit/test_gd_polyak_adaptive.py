"""GDPolyakAdaptive: parameters, bounds, invariance, steps that are undone, and the same bits however it is run."""
import math

import numpy as np
import pytest

import curvopt
from curvopt import Status, problems
from curvopt.stepsize.polyak import LONG, MODEL, SHORT, long_length, on_the_ravine, secant

Adaptive = curvopt.GDPolyakAdaptive
QUARTIC = problems.rosenbrock_quartic(10.0, x0=(1.1, 0.5))


def solve(problem, method=Adaptive, **options):
    return curvopt.minimize(problem.fun, problem.x0, args=problem.args, jac=problem.jac, method=method,
                            options={"gtol": 0.0, "maxiter": 400, "history": True, "compiled": False, **options})


# ---- kernels ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("scale", [1.0, 1e-170, 1e170])
def test_secant_against_numpy(scale):
    rng = np.random.default_rng(0)
    g, new, eta = rng.standard_normal(5), rng.standard_normal(5), 0.3
    L, kappa, forward = secant(scale * g, scale * new, eta)
    assert L == pytest.approx(np.linalg.norm(g - new) / eta / np.linalg.norm(g), rel=1e-14)
    assert kappa == pytest.approx((g - new) @ g / eta / (g @ g), rel=1e-13)
    assert forward == pytest.approx(new @ g / (g @ g), rel=1e-13)


def test_long_length_is_the_rule_of_the_docstring():
    g = np.array([2.0, 0.0])                        # Polyak step for a gap of 2: 0.5
    rule = dict(eta=0.1, c=1.7, theta=1.0, delta=0.1)

    def long(kappa, kappa_old, bound):
        return long_length(2.0, g, bound, rule["eta"], kappa, kappa_old, rule["c"], rule["theta"], rule["delta"])

    assert long(3.3, math.nan, 0.0) == (0.5, LONG)              # 0.5 * 3.3 <= 1.7
    assert long(3.5, math.nan, 0.0) == (0.0, SHORT)             # and here it is not
    assert long(2.0, 2.1, -math.inf) == (0.5, MODEL)            # kappa no longer falls
    assert long(2.0, 3.0, -math.inf) == (0.0, SHORT)            # it still does
    assert long(5.0, 5.0, -math.inf) == (0.0, SHORT)            # 1 / kappa is no longer than two short steps
    assert long(-1.0, -1.0, 0.0) == (0.0, SHORT) and long(math.nan, 1.0, 0.0) == (0.0, SHORT)
    assert long(3.5, 3.5, 0.0) == (1 / 3.5, MODEL)              # the shorter of the two
    assert long(2.0, 2.1, 2.0)[1] == MODEL                      # a gap of nothing but rounding is not used


def test_order4_test():
    g = np.array([0.0, 4.0])
    assert on_the_ravine(1.0, g, 0.0, 4.0) and not on_the_ravine(0.99, g, 0.0, 4.0)


# ---- parameters and bounds --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("wrong", [
    {"f_star": 0.0, "f_lower": 0.0}, {"f_star": math.nan}, {"f_lower": math.inf}, {"rule": "order4"}, {"rule": "order5"},
    {"c": 2.0}, {"theta": 0.0}, {"delta": 1.0}, {"gamma": 0.0}, {"gamma": 1.1}, {"C": -1.0}, {"eta": 0.0},
])
def test_bad_parameters(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Adaptive.replace(**wrong)


@pytest.mark.parametrize("name", ["f_star", "f_lower"])
def test_a_bound_above_a_value_is_an_error(name):
    for bound in (1e3, 1e-6):
        with pytest.raises(ValueError, match=f"{name}={bound!r}"):
            solve(QUARTIC, Adaptive.replace(**{name: bound}))


def test_a_bound_far_too_low_costs_nothing():
    free, low, far = (solve(QUARTIC, Adaptive.replace(f_lower=bound), ftarget=1e-14).nfev for bound in (None, -1.0, -1e30))
    assert free == far and abs(free - low) <= 0.15 * free


# ---- invariance -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("factor, unit", [(2.0 ** 20, 1.0), (2.0 ** -30, 1.0), (1.0, 2.0 ** 10), (8.0, 2.0 ** -15)])
def test_powers_of_two_change_nothing_but_the_units(factor, unit):
    def fun(x):
        return factor * QUARTIC.fun(x / unit, *QUARTIC.args)

    def jac(x):
        return factor / unit * QUARTIC.jac(x / unit, *QUARTIC.args)

    plain = solve(QUARTIC, maxiter=150)
    scaled = curvopt.minimize(fun, unit * QUARTIC.x0, jac=jac, method=Adaptive,
                              options={"gtol": 0.0, "maxiter": 150, "history": True})
    assert np.array_equal(scaled.history.fun, factor * plain.history.fun)
    assert np.array_equal(scaled.x, unit * plain.x) and scaled.nfev == plain.nfev
    assert np.array_equal(scaled.history.long_step, plain.history.long_step)


def test_a_start_at_zero_and_a_flat_start():
    res = curvopt.minimize(lambda x: float((x - 3) @ (x - 3)), [0.0, 0.0], jac=lambda x: 2 * (x - 3), method=Adaptive)
    assert res.success
    res = curvopt.minimize(lambda x: 0.0, [1.0, 2.0], jac=np.zeros_like, method=Adaptive, options={"gtol": 0.0})
    assert res.success and res.nit == 0


# ---- steps ------------------------------------------------------------------------------------------------------------

def test_every_iterate_stays_in_the_level_set_of_the_start():
    for a in (10.0, 1e5):
        res = solve(problems.rosenbrock_quartic(a, x0=(0.5, 0.3)), ftarget=1e-14)
        assert res.status == Status.TARGET
        assert np.all(res.history.fun <= res.history.fun[0])
        assert set(res.history.long_step) <= {0.0, 1.0, 2.0, -1.0}
    assert np.any(res.history.fun[1:] > 100.0 * res.history.fun[:-1])   # and yet it is not monotone


def test_a_long_step_to_no_value_is_undone_and_halved():
    def fun(x):         # a quartic valley that ends in a wall: values below x = 0.2 do not exist
        return float(x[0] ** 4 + 5 * x[1] ** 2) if x[0] > 0.2 else math.nan

    def jac(x):
        return np.array([4 * x[0] ** 3, 10 * x[1]])

    res = curvopt.minimize(fun, [1.0, 0.3], jac=jac, method=Adaptive, options={"gtol": 0.0, "maxiter": 60, "history": True})
    undone = np.flatnonzero(res.history.long_step == -1.0)
    assert undone.size > 2 and np.all(np.isfinite(res.x)) and np.isfinite(res.fun)
    assert np.all(res.history.fun[undone] == res.history.fun[undone - 1])
    assert res.x[0] == pytest.approx(0.2, abs=0.05)


def test_a_function_without_minimum():
    res = curvopt.minimize(lambda x: -float(np.sum(x)), [1.0, 2.0], jac=lambda x: -np.ones(2), method=Adaptive)
    assert res.status == Status.UNBOUNDED


def test_a_wrong_gradient_is_reported():
    res = curvopt.minimize(lambda x: float(x @ x), [1.0, 2.0], jac=lambda x: -2 * x, method=Adaptive)
    assert res.status == Status.STEP_FAILED and np.array_equal(res.x, [1.0, 2.0])


def test_a_fixed_step_that_diverges_ends_with_the_best_point():
    res = solve(QUARTIC, Adaptive.replace(eta=1.0))
    assert res.status in (Status.STEP_FAILED, Status.NONFINITE) and res.fun == res.history.fun[:2].min()
    assert np.all(np.isfinite(res.x))


@pytest.mark.parametrize("method", [Adaptive, Adaptive.replace(rule="order4", f_star=0.0, eta=1e-3)], ids=["own", "order4"])
def test_compiled_and_interpreted_runs_have_the_same_bits(method):
    runs = [solve(problems.powell_singular(), method, maxiter=120, **how)
            for how in ({}, {"compiled": True}, {"compiled": True, "chunk": 7})]
    for run in runs[1:]:
        assert run.compiled and np.array_equal(run.x, runs[0].x) and run.nfev == runs[0].nfev
        for column in set(run.history.columns) - {"time"}:
            np.testing.assert_array_equal(run.history[column], runs[0].history[column])
