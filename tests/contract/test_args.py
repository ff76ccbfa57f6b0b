"""Clause: extra arguments reach every user function, alone or as a tuple, in both executions."""
import numpy as np
import pytest


def fun(x, a, b):
    return b * float((x - a) @ (x - a))


def jac(x, a, b):
    return 2.0 * b * (x - a)


def hessp(x, p, a, b):
    return 2.0 * b * p


def test_args_reach_every_function(method, solve, same_run):
    options = {"maxiter": 7, "history": True}
    a, b = np.array([1.0, 2.0]), 0.5
    res = solve(fun, [0.0, 0.0], args=(a, b), method=method, jac=jac, hessp=hessp, options=options)
    expected = solve(lambda x: fun(x, a, b), [0.0, 0.0], method=method, jac=lambda x: jac(x, a, b),
                     hessp=lambda x, p: hessp(x, p, a, b), options=options)
    same_run(res, expected)


def test_args_reach_hess_and_differences(method, solve, same_run):
    a, b = np.array([1.0, 2.0]), 0.5
    for kw in ({"hess": lambda x, a, b: 2.0 * b * np.eye(2)}, {}):
        res = solve(fun, [0.0, 0.0], args=(a, b), method=method, jac=jac, options={"maxiter": 5}, **kw)
        assert res.nit > 0 and res.fun < fun(np.zeros(2), a, b)
    res = solve(fun, [0.0, 0.0], args=(a, b), method=method, options={"maxiter": 5})
    assert res.fun < fun(np.zeros(2), a, b) and res.njev == 0


def test_a_single_argument_needs_no_tuple(door, solve):
    from curvopt import SGM

    res = solve(lambda x, c: c * float(x @ x), [1.0, 2.0], args=2.0, method=SGM, jac=lambda x, c: 2 * c * x)
    assert res.success


@pytest.mark.parametrize("args", [(np.array([1.0, 2.0]), 0.5), (np.array([[1.0, 2.0]]), np.float32(0.5))], ids=["1-D", "2-D"])
def test_compiled_args(args, same_run):
    import curvopt

    numba = pytest.importorskip("numba")

    def fun(x, a, b):
        total = 0.0
        for i in range(x.size):
            total += b * (x[i] - a.flat[i]) ** 2
        return total

    def jac(x, a, b):
        g = np.empty_like(x)
        for i in range(x.size):
            g[i] = 2.0 * b * (x[i] - a.flat[i])
        return g

    fun, jac = numba.njit(fun), numba.njit(jac)

    def run(compiled):
        return curvopt.minimize(fun, [0.0, 0.0], args=args, method="gd", jac=jac,
                                options={"maxiter": 5, "history": True, "lr": 0.3, "compiled": compiled})

    if not curvopt._jit.is_compiled(fun):
        pytest.skip("nothing is compiled in this run")
    same_run(run(True), run(False))
