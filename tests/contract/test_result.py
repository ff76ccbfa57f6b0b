"""Clause: the result has every field, of the right type, and says why the run ended in a sentence."""
import numpy as np
import pytest
from scipy.optimize import OptimizeResult

from curvopt import History, Result, Status, minimize

FIELDS = {
    "x": np.ndarray, "jac": np.ndarray, "fun": float, "nit": int, "nfev": int, "njev": int, "nhev": int, "status": Status,
    "success": bool, "message": str, "compiled": bool, "time": float, "compile_time": float,
}


def test_every_field_is_there(method, solve, plain):
    res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options={"maxiter": 3, "history": True})
    assert isinstance(res, Result) and isinstance(res, OptimizeResult)
    for name, kind in FIELDS.items():
        assert type(res[name]) is kind, name
    assert res.method == method and isinstance(res.history, History)
    assert res.x.dtype == res.jac.dtype == np.float64
    assert res.x.flags.owndata or res.x.base is not res.state.state.x
    assert res.time >= 0.0 and res.compile_time >= 0.0
    assert solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options={"maxiter": 3}).history is None


def test_the_point_belongs_to_the_value_and_the_gradient(method, solve, plain):
    for k in (0, 1, 5, 20):
        res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options={"maxiter": k})
        assert res.fun == plain.fun(res.x)
        np.testing.assert_array_equal(res.jac, plain.jac(res.x))


def test_the_point_is_the_best_one_seen(method, compiled):
    """On a ravine, where methods that are not monotone go up and down. A run that converged returns where it did so."""
    from curvopt import problems

    p = problems.rosenbrock(10)
    res = minimize(p.fun, p.x0, method=method, jac=p.jac, hessp=p.hessp,
                   options={"maxiter": 60, "history": True, "compiled": compiled})
    assert res.fun == p.fun(res.x)
    np.testing.assert_array_equal(res.jac, p.jac(res.x))
    if res.status != Status.CONVERGED and not method.monotone:
        assert res.fun == res.history.fun.min()
    if method.monotone:
        # Beyond the rounding that the searches allow for, values never rise.
        f = res.history.fun
        assert np.all(np.diff(f) <= 1e-14 * np.abs(f[:-1])), "the method calls itself monotone"


def test_it_prints(method, solve, plain):
    res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options={"maxiter": 3, "history": True})
    text = str(res)
    assert f"status: {int(res.status)} ({res.status.name})" in text
    assert "message" in text and len(text.splitlines()) < 40


@pytest.mark.parametrize("status", list(Status), ids=lambda s: s.name)
def test_a_status_is_a_number_and_a_sentence(status):
    text = str(status)
    assert text[0].isupper() or text[0] == "`" or text.startswith("fun "), text
    assert text.endswith(".") and " " in text
    assert f"{status}" == text and int(status) == status and type(status.success) is bool
    assert (status.success is True) == (status in (Status.CONVERGED, Status.TARGET))


def test_numbers_of_the_statuses_are_scipy_s():
    assert [Status(k).name for k in (0, 1, 2, 3, 99)] == ["CONVERGED", "MAXITER", "PRECISION", "NONFINITE", "CALLBACK"]
