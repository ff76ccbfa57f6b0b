"""Clause: NaN and infinity, at the start, in a trial and in a gradient, and the three policies for them."""
import math

import numpy as np
import pytest

from curvopt import Status, minimize


def nan_fun(x):
    return np.nan


def inf_fun(x):
    return np.inf


def minus_inf_fun(x):
    return -np.inf


def test_fun_not_finite_at_the_start(method, solve, plain):
    for fun in (nan_fun, inf_fun):
        res = solve(fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp)
        assert (res.nit, res.status, res.success) == (0, Status.NONFINITE, False)
        assert res.message == "fun is not finite at x0; start from a point where it is."
        np.testing.assert_array_equal(res.x, plain.x0)


def test_minus_infinity_at_the_start(method, solve, plain):
    res = solve(minus_inf_fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp)
    assert (res.nit, res.status, res.success) == (0, Status.UNBOUNDED, False)


def test_gradient_not_finite_at_the_start(method, solve, plain):
    for bad in (np.nan, np.inf, -np.inf):
        res = solve(plain.fun, plain.x0, method=method, jac=lambda x: plain.jac(x) + [0.0, bad, 0.0], hessp=plain.hessp)
        assert (res.nit, res.status, res.success) == (0, Status.NONFINITE, False)
        assert res.message == "jac is not finite at x0; start from a point where it is."


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_raise_names_the_start(bad, method, solve, plain):
    with pytest.raises(FloatingPointError, match="fun is not finite at x0"):
        solve(lambda x: bad, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options={"nonfinite": "raise"})


def test_gradient_not_finite_later(method, solve, plain):
    calls = []

    def jac(x):
        calls.append(1)
        return plain.jac(x) * (np.nan if len(calls) == 4 else 1.0)

    res = solve(plain.fun, plain.x0, method=method, jac=jac, hessp=plain.hessp, options={"maxiter": 30})
    # A method may refuse the point and go on from the last one; it may not go on from NaN, nor return it as a success.
    if res.status == Status.NONFINITE:
        assert "jac" in res.message
        assert not res.success
    else:
        assert np.all(np.isfinite(res.x)) and np.all(np.isfinite(res.state.state.g))
    assert math.isfinite(res.fun) and res.fun <= plain.fun(plain.x0)


def walled(x):
    """Finite within distance 4.2 of the minimizer only, which the start is and a bold first step is not."""
    total = 0.0
    for i in range(x.size):
        total += (x[i] - 1.0) * (x[i] - 1.0)
    return 0.5 * total if total < 17.64 else math.nan


def walled_jac(x):
    g = np.empty_like(x)
    for i in range(x.size):
        g[i] = x[i] - 1.0
    return g


def misleading_hessp(x, p):
    return 0.01 * p             # promises a step 100 times too long: the first trial lies beyond the wall


X0 = np.array([3.0, -2.0, 1.5])
COMPILED = []


def functions(compiled):
    three = walled, walled_jac, misleading_hessp
    if not compiled:
        return three
    import numba

    if not COMPILED:
        COMPILED[:] = list(map(numba.njit, three))
    return COMPILED


def run(method, compiled, **options):
    fun, jac, hessp = functions(compiled)
    return minimize(fun, X0, method=method, jac=jac, hessp=hessp, options={"compiled": compiled, "maxiter": 300, **options})


def meets_the_wall(method):
    spoiled = []

    def fun(x):
        f = walled(x)
        spoiled.append(not math.isfinite(f))
        return f

    minimize(fun, X0, method=method, jac=walled_jac, hessp=misleading_hessp, options={"maxiter": 300})
    return any(spoiled)


def test_a_nan_trial_is_a_failed_trial(method, compiled):
    """Whoever meets the wall turns back from it: the run gets lower and ends at a finite point."""
    res = run(method, compiled, gtol=1e-2)
    assert res.fun < walled(X0) and np.all(np.isfinite(res.x)) and np.all(np.isfinite(res.jac))
    assert res.status in (Status.CONVERGED, Status.MAXITER, Status.STEP_FAILED, Status.PRECISION)


def test_stop_ends_the_run_at_the_first_bad_value(method, compiled):
    res = run(method, compiled, nonfinite="stop")
    if meets_the_wall(method):
        assert (res.status, res.success) == (Status.NONFINITE, False)
        assert math.isfinite(res.fun) and res.fun <= walled(X0)
    else:
        assert res.status != Status.NONFINITE


def test_raise_makes_it_an_error_with_the_iterate_so_far(method, compiled):
    if meets_the_wall(method):
        with pytest.raises(FloatingPointError, match=r"A value that is not finite: .*nonfinite='raise'") as caught:
            run(method, compiled, nonfinite="raise")
        assert "best point so far" in caught.value.__notes__[0]
        assert np.all(np.isfinite(caught.value.curvopt_x)) and math.isfinite(caught.value.curvopt_fun)
    else:
        assert run(method, compiled, nonfinite="raise").status != Status.NONFINITE
