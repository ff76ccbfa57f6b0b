"""Clause: one variable is a problem like any other, and a scalar start counts as one variable."""
import numpy as np


def fun(x):
    return float(np.sqrt(1.0 + (x[0] - 1.0) ** 2)) - 1.0


def jac(x):
    return (x - 1.0) / np.sqrt(1.0 + (x - 1.0) ** 2)


def hessp(x, p):
    return p * (1.0 + (x - 1.0) ** 2) ** -1.5


def test_one_variable(method, solve):
    res = solve(fun, [3.0], method=method, jac=jac, hessp=hessp, options={"gtol": 1e-3, "maxiter": 10_000})
    assert res.success and res.x.shape == res.jac.shape == (1,)
    assert abs(res.x[0] - 1.0) < 0.01


def test_a_scalar_is_one_variable(method, solve, same_run):
    expected = solve(fun, [3.0], method=method, jac=jac, hessp=hessp, options={"maxiter": 3, "history": True})
    for x0 in (3.0, 3, np.float32(3.0), np.array(3)):
        res = solve(fun, x0, method=method, jac=jac, hessp=hessp, options={"maxiter": 3, "history": True})
        same_run(res, expected)


def test_scalars_returned_for_one_variable(method, solve, same_run):
    expected = solve(fun, [3.0], method=method, jac=jac, hessp=hessp, options={"maxiter": 10})
    res = solve(lambda x: np.array([fun(x)]), [3.0], method=method, jac=lambda x: float(jac(x)[0]),
                hessp=lambda x, p: float(hessp(x, p)[0]), options={"maxiter": 10})
    same_run(res, expected)
