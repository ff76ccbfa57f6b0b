"""Clause: a function without minimum ends the run with a status that says so."""
import numpy as np

from curvopt import Status, minimize


def dome(x):
    total = 0.0
    for i in range(x.size):
        total -= x[i] * x[i]
    return total


def dome_jac(x):
    g = np.empty_like(x)
    for i in range(x.size):
        g[i] = -2.0 * x[i]
    return g


def dome_hessp(x, p):
    return -2.0 * p


COMPILED = []


def test_a_dome_has_no_minimum(method, compiled):
    three = dome, dome_jac, dome_hessp
    if compiled:
        import numba

        if not COMPILED:
            COMPILED[:] = list(map(numba.njit, three))
        three = COMPILED
    res = minimize(three[0], [1.0, -0.5, 0.25], method=method, jac=three[1], hessp=three[2],
                   options={"compiled": compiled, "maxiter": 20_000})
    assert (res.status, res.success) == (Status.UNBOUNDED, False)
    assert res.fun < -1e6
