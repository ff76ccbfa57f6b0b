"""Clause: user functions may return the same array each time and write into what they are given."""
import numpy as np


def test_a_returned_buffer_may_be_used_again(method, solve, plain, same_run):
    options = {"maxiter": 8, "history": True}
    expected = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options=options)
    g, hp = np.empty(3), np.empty(3)

    def jac(x):
        g[:] = plain.jac(x)
        return g

    def hessp(x, p):
        hp[:] = plain.hessp(x, p)
        return hp

    same_run(solve(plain.fun, plain.x0, method=method, jac=jac, hessp=hessp, options=options), expected)


def test_one_buffer_for_everything(method, solve, plain, same_run):
    options = {"maxiter": 8, "history": True}
    expected = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options=options)
    buffer = np.empty(3)

    def jac(x):
        buffer[:] = plain.jac(x)
        return buffer

    def hessp(x, p):
        buffer[:] = plain.hessp(x, p)
        return buffer

    def fun(x):
        buffer[:] = np.nan
        return plain.fun(x)

    same_run(solve(fun, plain.x0, method=method, jac=jac, hessp=hessp, options=options), expected)


def test_functions_that_write_into_their_arguments_do_no_harm(method, solve, plain, same_run):
    options = {"maxiter": 8, "history": True}
    expected = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options=options)

    def fun(x):
        f = plain.fun(x)
        x[:] = np.nan
        return f

    def jac(x):
        g = plain.jac(x)
        x[:] = np.nan
        return g

    def hessp(x, p):
        hp = plain.hessp(x, p)
        x[:] = p[:] = np.nan
        return hp

    same_run(solve(fun, plain.x0, method=method, jac=jac, hessp=hessp, options=options), expected)


def mutating_fun(x):
    total = 0.0
    for i in range(x.size):
        total += (x[i] - 1.0) * (x[i] - 1.0)
        x[i] = np.nan
    return total


def mutating_jac(x):
    for i in range(x.size):
        x[i] = 2.0 * (x[i] - 1.0)
    return x


def mutating_hessp(x, p):
    for i in range(x.size):
        x[i] = np.nan
        p[i] = 2.0 * p[i]
    return p


COMPILED = []


def test_compiled_functions_that_write_into_their_arguments(method, compiled, same_run):
    from curvopt import minimize

    x0 = np.array([3.0, -2.0, 1.5])
    options = {"maxiter": 8, "history": True}
    expected = minimize(
        lambda x: mutating_fun(x.copy()), x0, method=method, jac=lambda x: mutating_jac(x.copy()),
        hessp=lambda x, p: mutating_hessp(x.copy(), p.copy()), options={**options, "compiled": False})
    functions = mutating_fun, mutating_jac, mutating_hessp
    if compiled:
        import numba

        if not COMPILED:
            COMPILED[:] = list(map(numba.njit, functions))
        functions = COMPILED
    res = minimize(functions[0], x0, method=method, jac=functions[1], hessp=functions[2],
                   options={**options, "compiled": compiled})
    same_run(res, expected)
