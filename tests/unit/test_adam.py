"""Adam as a method of the house: the best point, refused points, scaling, arguments, two executions."""
import math

import numpy as np
import pytest

import curvopt

ROSENBROCK = curvopt.problems.rosenbrock(4)


def run(method=curvopt.Adam, fun=ROSENBROCK.fun, jac=ROSENBROCK.jac, x0=ROSENBROCK.x0, **options):
    return curvopt.minimize(fun, x0, jac=jac, method=method, options={"maxiter": 200, "gtol": 0.0, **options})


def test_compiled_equals_interpreted_for_any_chunk():
    method = curvopt.Adam.replace(lr=0.1)
    runs = [run(method, compiled=compiled, history=True, chunk=chunk)
            for compiled, chunk in ((False, None), (True, 7), (True, 256))]
    for other in runs[1:]:
        assert other.compiled
        assert np.array_equal(other.x, runs[0].x)
        for name in ("fun", "grad_norm", "step", "nfev", "njev"):
            assert np.array_equal(other.history[name], runs[0].history[name])


def test_returns_the_best_point_of_a_path_that_goes_up():
    res = run(curvopt.Adam.replace(lr=0.5), history=True, maxiter=5)
    assert res.fun == res.history.fun.min() < res.history.fun[-1]
    assert ROSENBROCK.fun(res.x) == res.fun


def test_refused_points_halve_the_rate_and_the_run_goes_on():
    calls = []

    def wall(x):
        calls.append(x)
        return math.nan if x[0] > 1.0 else float((x[0] - 0.999) ** 2 + x[1] ** 2)

    def jac(x):
        return np.array([2 * (x[0] - 0.999), 2 * x[1]])

    res = run(curvopt.Adam.replace(lr=0.5), wall, jac, np.array([0.0, 1.0]), history=True, maxiter=400)
    refused = res.history.step[1:] == 0.0
    assert refused.any() and not refused.all()
    moving = res.history.step[res.history.step > 0.0]
    assert np.all(np.isin(moving, 0.5 * 0.5 ** np.arange(40))) and np.all(np.diff(moving) <= 0)
    assert np.isfinite(res.x).all() and res.fun < 1e-3
    assert len(calls) == res.nfev


def test_a_gradient_that_is_not_finite_is_refused_as_well():
    def jac(x):
        return 2 * x if x[0] > 0.1 else np.full(2, np.inf)

    res = run(curvopt.Adam.replace(lr=0.3), lambda x: float(x @ x), jac, np.array([1.0, 1.0]), maxiter=300)
    assert res.x[0] > 0.1 and np.isfinite(res.jac).all()


def test_no_finite_point_around_ends_the_run():
    start = np.array([1.0, 2.0])
    res = run(curvopt.Adam, lambda x: 1.0 if np.array_equal(x, start) else math.nan, lambda x: np.ones(2), start)
    assert res.status == curvopt.Status.STEP_FAILED
    assert res.nit < 70 and np.array_equal(res.x, start)


@pytest.mark.parametrize("c", [2.0 ** -30, 2.0 ** 20])
def test_relative_form_does_not_see_the_scale_of_fun(c):
    def scaled_run(c):
        return run(curvopt.Adam.replace(form="relative", lr=0.05), lambda x: c * ROSENBROCK.fun(x),
                   lambda x: c * ROSENBROCK.jac(x), return_all=True).allvecs

    assert np.array_equal(scaled_run(c), scaled_run(1.0))


def test_first_step_has_the_length_of_the_rate():
    res = run(curvopt.Adam.replace(lr=0.25), return_all=True, maxiter=1)
    assert np.allclose(np.abs(res.allvecs[1] - res.allvecs[0]), 0.25, rtol=1e-6)


def test_resume_goes_on_as_if_it_had_not_stopped():
    whole, half = run(maxiter=100), run(maxiter=40)
    assert np.array_equal(run(resume=half.state, maxiter=100).x, whole.x)


@pytest.mark.parametrize("bad, error, words", [
    ({"lr": 0.0}, ValueError, "lr must be positive"),
    ({"beta1": 1.0}, ValueError, r"beta1 must lie in \[0, 1\)"),
    ({"beta2": -0.1}, ValueError, r"beta2 must lie in \[0, 1\)"),
    ({"beta2": "x"}, TypeError, "beta2 must be a real number"),
    ({"eps": 0}, ValueError, "eps must be positive"),
    ({"form": "torhc"}, ValueError, "did you mean 'torch'"),
])
def test_bad_parameters(bad, error, words):
    with pytest.raises(error, match=words):
        curvopt.Adam.replace(**bad)
