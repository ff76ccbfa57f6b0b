"""Clause: every budget ends the run with its own status, after the iteration that used it up."""
import time

import numpy as np
import pytest

from curvopt import Status, minimize

NEVER = {"gtol": 0.0, "maxiter": 1000}


@pytest.mark.parametrize("limit", [0, 1, 4])
def test_maxiter(limit, method, solve, plain):
    res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options={"maxiter": limit})
    assert (res.nit, res.status, res.success) == (limit, Status.MAXITER, False)


@pytest.mark.parametrize(("option", "count"), [("maxfev", "nfev"), ("maxjev", "njev")])
def test_evaluation_budgets(option, count, method, compiled, jitted):
    res = minimize(jitted.fun, jitted.x0, method=method, jac=jitted.jac, hessp=jitted.hessp,
                   options={**NEVER, option: 5, "compiled": compiled, "history": True})
    assert res.status == Status.BUDGET and not res.success
    assert res[count] >= 5
    assert res.history[count][-2] < 5, "the run went on although the budget was used up"


def test_budget_of_hessian_products(method, solve, plain):
    res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp,
                options={"gtol": 0.0, "maxiter": 40, "maxhev": 2, "history": True})
    assert res.nhev == 0 or "hessp" in method.needs
    if res.nhev >= 2:       # SAUTO may need no product at all
        assert res.status == Status.BUDGET and res.history.nhev[-2] < 2
    else:
        assert res.status != Status.BUDGET


def test_budgets_may_be_used_up_at_the_start(method, solve, plain):
    res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options={"maxfev": 1})
    assert (res.nit, res.status) == (0, Status.BUDGET)


def test_maxtime_of_nothing_stops_at_once(method, solve, plain):
    res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options={"maxtime": 0.0})
    assert (res.nit, res.status, res.success) == (0, Status.MAXTIME, False)


def test_maxtime_is_looked_at_during_the_run(method, solve, plain):
    def slow(x):
        time.sleep(0.002)
        return plain.fun(x)

    res = solve(slow, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp,
                options={"gtol": 0.0, "maxtime": 0.01, "ftarget": -1.0, "maxiter": 10 ** 6})
    # A method that reaches the minimum exactly within the time has nothing left to do.
    assert (res.status == Status.MAXTIME and res.time >= 0.01) or res.status in (Status.PRECISION, Status.CONVERGED)


def test_target(method, solve, plain):
    target = 0.9 * plain.fun(plain.x0)
    res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp,
                options={"ftarget": target, "maxiter": 10_000})
    assert res.status == Status.TARGET and res.success and res.fun <= target


def test_converged(method, solve, plain):
    res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, tol=1e-3,
                options={"maxiter": 10_000})
    assert res.status == Status.CONVERGED and res.success
    assert abs(res.jac).max() <= 1e-3
    assert abs(res.x - plain.x_star).max() < 0.01


def test_tol_means_gtol_and_gtol_wins(method, solve, plain):
    def run(**kw):
        return solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, **kw).nit

    loose = run(tol=0.5, options={"maxiter": 2000})
    assert loose == run(options={"gtol": 0.5, "maxiter": 2000})
    assert run(tol=0.5, options={"gtol": 0.01, "maxiter": 2000}) > loose


@pytest.mark.parametrize(("name", "value"), [
    ("gtol", -1e-5), ("maxiter", -1), ("maxfev", -1), ("maxtime", -1.0), ("history", -1), ("norm", 3), ("nonfinite", "no"),
])
def test_negative_and_unknown_values_are_refused(name, value, door, solve, plain):
    with pytest.raises(ValueError, match=name):
        solve(plain.fun, plain.x0, method=_sgm(), jac=plain.jac, options={name: value})


@pytest.mark.parametrize(("name", "value"), [
    ("gtol", "small"), ("maxiter", 2.5), ("maxfev", None.__class__), ("maxtime", "1 s"), ("compiled", "yes"), ("disp", "x"),
])
def test_values_of_the_wrong_type_are_refused(name, value, door, solve, plain):
    with pytest.raises(TypeError, match=name):
        solve(plain.fun, plain.x0, method=_sgm(), jac=plain.jac, options={name: value})


def _sgm():
    import curvopt

    return curvopt.SGM


def test_compilation_is_no_time_of_the_run(plain):
    """Functions that numba compiles at their first call, in the interpreted loop: `time` and maxtime leave that out."""
    numba = pytest.importorskip("numba")
    from curvopt._jit import ENABLED, CompileClock

    if not ENABLED or numba.config.DISABLE_JIT:
        pytest.skip("nothing is compiled in this run")
    fun = numba.njit(lambda x: np.sum(np.sort(x * x)))
    began = time.perf_counter()
    with CompileClock() as clock:
        res = minimize(fun, plain.x0, jac=lambda x: 2.0 * x, method="LBFGS", options={"history": True})
    whole = time.perf_counter() - began
    assert fun.signatures and clock.seconds > 0.0
    assert res.time <= whole - clock.seconds + 1e-9 and res.history.time[-1] == res.time


def test_no_budget_for_what_is_never_called(plain):
    """maxhev = 0 says that no products are wanted: a method that takes none runs, one that takes some ends with the first."""
    kw = {"jac": plain.jac, "hessp": plain.hessp, "options": {"maxhev": 0}}
    assert minimize(plain.fun, plain.x0, method="LBFGS", **kw).success
    res = minimize(plain.fun, plain.x0, method="SGM", **{**kw, "options": {"maxhev": 0, "gtol": 0.0}})
    assert (res.status, res.nhev) == (Status.BUDGET, 1)
    assert minimize(plain.fun, plain.x0, method="LBFGS", jac="2-point", options={"maxjev": 0}).success
