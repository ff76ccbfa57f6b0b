"""Clause: a gradient compiled by numba may be strided, float32, integer, read-only or of a function already used."""
import numpy as np
import pytest


def strided(x):
    g = np.empty(2 * x.size)
    for i in range(x.size):
        g[2 * i] = 2.0 * (x[i] - 1.0)
        g[2 * i + 1] = 7.0
    return g[::2]


def reversed_(x):
    g = np.empty(x.size)
    for i in range(x.size):
        g[x.size - 1 - i] = 2.0 * (x[i] - 1.0)
    return g[::-1]


def single(x):
    g = np.empty(x.size, np.float32)
    for i in range(x.size):
        g[i] = 2.0 * (x[i] - 1.0)
    return g


def whole(x):
    g = np.empty(x.size, np.int64)
    for i in range(x.size):
        g[i] = np.int64(np.ceil(2.0 * (x[i] - 1.0)))
    return g


def contiguous(x):
    g = np.empty(x.size)
    for i in range(x.size):
        g[i] = 2.0 * (x[i] - 1.0)
    return g


CONSTANT = np.array([2.0, -4.0, 1.0])
CONSTANT.flags.writeable = False


def constant(x):
    return CONSTANT


def fun(x):
    total = 0.0
    for i in range(x.size):
        total += (x[i] - 1.0) * (x[i] - 1.0)
    return total


def hessp(x, p):
    return p * 2.0


LAYOUTS = {f.__name__: f for f in (strided, reversed_, single, whole, constant, contiguous)}
X0 = np.array([3.0, -2.0, 1.5])
COMPILED = {}


def jit(function):
    """Compiled once for the whole file, whatever the method."""
    import numba

    return COMPILED.setdefault(function, numba.njit(function))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_same_bits_as_a_plain_gradient(layout, method, compiled, same_run):
    from curvopt import minimize

    jac = LAYOUTS[layout]
    options = {"maxiter": 6, "history": True}
    expected = minimize(fun, X0, method=method, jac=lambda x: np.array(jac(x), float), hessp=hessp,
                        options={**options, "compiled": False})
    functions = (jit(fun), jit(jac), jit(hessp)) if compiled else (fun, jac, hessp)
    if compiled and layout == "strided":
        functions[1](X0)        # a function that has been called before must not be taken for a contiguous one
    res = minimize(functions[0], X0, method=method, jac=functions[1], hessp=functions[2],
                   options={**options, "compiled": compiled})
    assert res.compiled == compiled
    same_run(res, expected)
