"""GDPolyak, its restarts and Polyak's method: parameters, bounds, undone steps, and the same bits however they are run."""
import math

import numpy as np
import pytest

import curvopt
from curvopt import Status, problems
from curvopt._jit import kernel
from curvopt.baselines import GD, GDPolyakRestarts, PolyakGD
from curvopt.stepsize.polyak import contradicts, polyak_length, tells_apart

GDPolyak = curvopt.GDPolyak
QUARTIC = problems.rosenbrock_quartic(10.0)


@kernel
def shifted_fun(x):
    return 3.0 + (x[0] - 1.0) * (x[0] - 1.0) * (x[0] - 1.0) * (x[0] - 1.0) + 5.0 * x[1] * x[1]


@kernel
def shifted_jac(x):
    g = np.empty_like(x)
    g[0] = 4.0 * (x[0] - 1.0) * (x[0] - 1.0) * (x[0] - 1.0)
    g[1] = 10.0 * x[1]
    return g


def solve(method, fun=shifted_fun, jac=shifted_jac, x0=(2.0, 0.5), **options):
    return curvopt.minimize(fun, x0, jac=jac, method=method, options={"gtol": 0.0, "maxiter": 3000, **options})


# ---- the step length --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("scale", [1.0, 1e-170, 1e170])
def test_polyak_length_neither_underflows_nor_overflows(scale):
    g = scale * np.array([3.0, 4.0])
    assert polyak_length(scale * 50.0, g) * scale == pytest.approx(2.0, rel=1e-15)
    assert polyak_length(1.0, np.zeros(2)) == 0.0


def test_noise_is_relative():
    assert tells_apart(1e-30, 0.0) and not tells_apart(1.0 + 1e-16, 1.0) and tells_apart(1.0 + 1e-14, 1.0)
    assert contradicts(-1e-10, 0.0, 1.0) and not contradicts(-1e-16, 0.0, 1.0) and not contradicts(1.0, 0.0, 1.0)


# ---- parameters and bounds --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("method, wrong", [
    (GDPolyak, {"eta": 0.0}), (GDPolyak, {"eta": -1.0}), (GDPolyak, {"K": -1}), (GDPolyak, {"f_star": math.inf}),
    (GDPolyak, {"factor": 0.0}), (GDPolyakRestarts, {"epochs": 0}), (GDPolyakRestarts, {"f_lower": math.nan}),
])
def test_bad_parameters(method, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        method.replace(**wrong)


@pytest.mark.parametrize("method", [GDPolyak.replace(f_star=100.0), PolyakGD.replace(f_star=100.0),
                                    GDPolyakRestarts.replace(f_lower=100.0)], ids=lambda m: m.name)
def test_a_bound_above_the_first_value_is_an_error(method):
    with pytest.raises(ValueError, match="below its bound"):
        solve(method)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_bound_above_a_later_value_is_an_error_with_the_point_in_a_note(compiled):
    with pytest.raises(ValueError, match="f_star=3") as caught:
        solve(GDPolyak.replace(eta=0.05, K=5, f_star=3.5), compiled=compiled)
    assert caught.value.curvopt_fun < 3.5
    with pytest.raises(ValueError, match="f_star=3"):
        for _ in curvopt.iterate(shifted_fun, [2.0, 0.5], jac=shifted_jac, method=GDPolyak.replace(eta=0.05, f_star=3.5)):
            pass


def test_a_known_least_value_that_is_not_zero():
    res = solve(GDPolyak.replace(eta=0.05, K=30, f_star=3.0))
    assert res.status == Status.PRECISION and 0.0 <= res.fun - 3.0 < 1e-14 and np.all(np.isfinite(res.x))


# ---- steps that go wrong ----------------------------------------------------------------------------------------------

def walled(x):
    """Finite only where |x| < 3; the Polyak step for f_star = -100 leaves that."""
    return float(x @ x) if np.all(np.abs(x) < 3.0) else math.nan


def test_a_long_step_to_no_value_is_undone():
    res = solve(GDPolyak.replace(eta=0.01, K=3, f_star=-100.0), walled, lambda x: 2 * x, history=True, maxiter=40)
    undone = np.flatnonzero(res.history.long_step == -1.0)
    assert undone.size == 10 and np.all(np.diff(undone) == 4)
    assert np.all(res.history.fun[undone] == res.history.fun[undone - 1]) and np.all(res.history.step[undone] == 0.0)
    assert np.all(np.diff(res.history.fun) <= 0.0) and np.all(np.isfinite(res.x))


def test_without_short_steps_nothing_can_be_done():
    res = solve(PolyakGD.replace(f_star=-100.0), walled, lambda x: 2 * x)
    assert res.status == Status.STEP_FAILED and res.fun == walled(np.array([2.0, 0.5]))


def test_a_short_step_to_no_value_ends_the_run():
    res = solve(GDPolyak.replace(eta=10.0), walled, lambda x: 2 * x)
    assert res.status == Status.STEP_FAILED and np.all(np.isfinite(res.x)) and np.isfinite(res.fun)


def test_restarts_survive_overflow():
    res = curvopt.minimize(QUARTIC.fun, QUARTIC.x0, args=QUARTIC.args, jac=QUARTIC.jac,
                           method=GDPolyakRestarts.replace(eta=0.0125, f_lower=-1e6, K=5, epochs=8),
                           options={"gtol": 0.0, "maxiter": 4000, "history": True, "compiled": False})
    assert np.all(np.isfinite(res.history.fun)) and res.history.fun.max() > 1e10 and np.all(np.isfinite(res.x))
    assert np.count_nonzero(res.history.long_step == -1.0) > 10
    assert res.fun == res.history.fun.min() < 1e-3 and res.history.f_lower[-1] <= res.fun * (1 + 1e-12)


# ---- methods that coincide --------------------------------------------------------------------------------------------

def test_without_short_steps_it_is_polyaks_method():
    one, other = (solve(m, maxiter=50, history=True) for m in (GDPolyak.replace(K=0, f_star=3.0), PolyakGD.replace(f_star=3.0)))
    assert np.array_equal(one.history.fun, other.history.fun)


def test_without_long_steps_it_is_gradient_descent():
    one, other = (solve(m, maxiter=50, history=True) for m in (GDPolyak.replace(K=1000, eta=0.05), GD.replace(lr=0.05)))
    assert np.array_equal(one.history.fun, other.history.fun) and np.array_equal(one.x, other.x)


@pytest.mark.parametrize("method", [GDPolyak.replace(eta=0.05, K=4, f_star=3.0),
                                    GDPolyakRestarts.replace(eta=0.05, K=4, f_lower=2.0, epochs=3)], ids=lambda m: m.name)
def test_compiled_and_interpreted_runs_have_the_same_bits(method):
    runs = [solve(method, maxiter=200, history=True, **how)
            for how in ({"compiled": False}, {"compiled": True}, {"compiled": True, "chunk": 7})]
    for run in runs[1:]:
        assert np.array_equal(run.x, runs[0].x) and run.nfev == runs[0].nfev and run.compiled
        for column in set(run.history.columns) - {"time"}:
            assert np.array_equal(run.history[column], runs[0].history[column]), column
