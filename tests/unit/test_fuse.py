"""FUSE: the blend, its schedules, what it does where a half fails, arguments."""
import math

import numpy as np
import pytest

import curvopt
from curvopt.methods.fuse import scheduled

ROSENBROCK = curvopt.problems.rosenbrock(10)


def run(method, fun=ROSENBROCK.fun, jac=ROSENBROCK.jac, x0=ROSENBROCK.x0, **options):
    return curvopt.minimize(fun, x0, jac=jac, method=method,
                            options={"maxiter": 300, "gtol": 1e-9, "history": True, "compiled": False, **options})


def equal(a, b):
    return (np.array_equal(a.x, b.x) and a.nit == b.nit and a.nfev == b.nfev and a.njev == b.njev
            and np.array_equal(a.history.fun, b.history.fun) and np.array_equal(a.history.nfev, b.history.nfev))


@pytest.mark.parametrize("lr", [0.1, 0.003])
def test_weight_one_is_adam_call_for_call(lr):
    assert equal(run(curvopt.FUSE.replace(schedule=1.0, lr=lr)), run(curvopt.Adam.replace(lr=lr)))


@pytest.mark.parametrize("m", [3, 30])
def test_weight_zero_is_lbfgs_call_for_call(m):
    assert equal(run(curvopt.FUSE.replace(schedule=0.0, m=m)), run(curvopt.LBFGS.replace(m=m)))


def test_compiled_equals_interpreted_for_any_chunk():
    method = curvopt.FUSE.replace(schedule=("linear", 30), lr=0.05)
    runs = [run(method, compiled=compiled, chunk=chunk) for compiled, chunk in ((False, None), (True, 7), (True, 256))]
    assert runs[1].compiled and runs[0].history.theta[1] == 1.0 and runs[0].history.theta[-1] == 0.0
    assert equal(runs[0], runs[1]) and equal(runs[0], runs[2])


def test_the_first_blend_is_the_blend_of_both_first_steps():
    theta = 0.3
    first = [run(m, maxiter=1, return_all=True).allvecs[1] for m in (
        curvopt.Adam.replace(lr=0.05), curvopt.LBFGS, curvopt.FUSE.replace(schedule=theta, lr=0.05))]
    assert np.allclose(first[2], theta * first[0] + (1 - theta) * first[1], rtol=1e-15, atol=0)


def test_a_function_may_be_the_schedule():
    def falling(k):
        return max(0.0, 1.0 - k / 30)

    by_rule, by_function = (run(curvopt.FUSE.replace(schedule=s)) for s in (("linear", 30), falling))
    assert equal(by_rule, by_function) and not by_function.compiled
    with pytest.raises(ValueError, match="schedule is a Python function"):
        run(curvopt.FUSE.replace(schedule=falling), compiled=True)


def test_halves_may_come_and_go():
    res = run(curvopt.FUSE.replace(schedule=lambda k: (1.0, 0.5, 0.0)[k % 3], lr=0.01))
    assert res.success and np.array_equal(res.history.theta[1:7], [1.0, 0.5, 0.0] * 2)


def test_schedules():
    weights = {s: [scheduled(k, curvopt.FUSE.replace(schedule=s).params) for k in range(12)]
               for s in (("linear", 10), ("geometric", 0.5), 0.25)}
    assert weights["linear", 10] == [1.0 - k / 10 for k in range(11)] + [0.0]
    assert np.allclose(weights["geometric", 0.5][:10], 0.5 ** np.arange(10)) and weights["geometric", 0.5][10:] == [0.0, 0.0]
    assert set(weights[0.25]) == {0.25}


def test_every_call_is_counted():
    calls = []

    def fun(x):
        calls.append("f")
        return ROSENBROCK.fun(x)

    def jac(x):
        calls.append("g")
        return ROSENBROCK.jac(x)

    res = run(curvopt.FUSE.replace(schedule=("linear", 20)), fun, jac)
    assert (res.nfev, res.njev) == (calls.count("f"), calls.count("g"))


def test_refused_pairs_do_not_spoil_the_memory():
    """The blended step does not satisfy the Wolfe conditions: here it begins where the function is concave."""
    res = run(curvopt.FUSE.replace(schedule=0.9, lr=0.1), lambda x: float(np.sum(np.cos(x)) + 0.01 * x @ x),
              lambda x: -np.sin(x) + 0.02 * x, np.array([0.1, 0.2, 0.1]), maxiter=20)
    inverse = res.state.state.newton.inverse
    stored = inverse.info[0]
    assert 0 < stored < res.nit and np.all(inverse.rho[:stored] > 0.0)
    assert res.fun < res.history.fun[0]


@pytest.mark.parametrize("schedule", [1.0, 0.5, ("linear", 10), 0.0])
def test_a_wall_of_values_that_are_not_finite(schedule):
    def wall(x):
        return math.nan if x[0] > 1.05 or x[1] > 1.2 else curvopt.problems.rosenbrock(2).fun(x)

    res = run(curvopt.FUSE.replace(schedule=schedule, lr=0.3), wall, curvopt.problems.rosenbrock(2).jac, [-1.2, 1.0])
    assert np.all(np.isfinite(res.history.fun)) and np.isfinite(res.x).all() and res.fun < 1.0


def test_a_blend_that_is_not_finite_becomes_the_step_of_lbfgs():
    blends = []

    def fun(x):      # finite at the start and below 1/4: Adam's long step and any blend with it are outside
        inside = abs(x[0] - 1.0) < 1e-12 or abs(x[0]) < 0.25
        blends.append(not inside)
        return 0.5 * float(x @ x) if inside else math.inf

    res = run(curvopt.FUSE.replace(schedule=0.5, lr=8.0), fun, lambda x: x, np.array([1.0]), maxiter=1)
    assert any(blends) and res.history.theta[1] == 0.0 and abs(res.x[0]) < 0.25


@pytest.mark.parametrize("bad, error, words", [
    ({"schedule": 1.5}, ValueError, r"schedule .* must lie in \[0, 1\]"),
    ({"schedule": -0.1}, ValueError, r"schedule .* must lie in \[0, 1\]"),
    ({"schedule": ("constant", 2.0)}, ValueError, r"theta in schedule .* must lie in \[0, 1\]"),
    ({"schedule": ("lineer", 10)}, ValueError, "did you mean 'linear'"),
    ({"schedule": ("linear", 0)}, ValueError, "K in schedule .* at least 1"),
    ({"schedule": ("geometric", 1.0)}, ValueError, "r in schedule"),
    ({"schedule": ("linear",)}, ValueError, "schedule must be a pair"),
    ({"schedule": "linear"}, TypeError, "schedule"),
    ({"m": 0}, ValueError, "m must be at least 1"),
    ({"lr": -1.0}, ValueError, "lr must be positive"),
])
def test_bad_parameters(bad, error, words):
    with pytest.raises(error, match=words):
        curvopt.FUSE.replace(**bad)


def test_a_schedule_that_leaves_the_interval_is_named_with_its_step():
    with pytest.raises(ValueError, match=r"schedule\(3\) must lie in \[0, 1\], got 1.5"):
        run(curvopt.FUSE.replace(schedule=lambda k: 0.5 * k))
    with pytest.raises(TypeError, match=r"schedule\(0\) must be a real number"):
        run(curvopt.FUSE.replace(schedule=lambda k: None))
