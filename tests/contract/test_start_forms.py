"""Clause: any real array is a start: lists, integers, float32, Fortran order, strided, of any shape."""
import numpy as np
import pytest

import curvopt

FORMS = {
    "list": [3.0, -2.0, 1.5, 0.5],
    "tuple": (3.0, -2.0, 1.5, 0.5),
    "float32": np.array([3.0, -2.0, 1.5, 0.5], np.float32),
    "float16": np.array([3.0, -2.0, 1.5, 0.5], np.float16),
    "longdouble": np.array([3.0, -2.0, 1.5, 0.5], np.longdouble),
    "strided": np.array([3.0, 9.0, -2.0, 9.0, 1.5, 9.0, 0.5])[::2],
    "reversed": np.array([0.5, 1.5, -2.0, 3.0])[::-1],
    "byte order": np.array([3.0, -2.0, 1.5, 0.5]).astype(">f8"),
}


def test_vectors_of_every_kind(method, solve, plain, same_run):
    options = {"maxiter": 5, "history": True}
    x0 = np.array([3.0, -2.0, 1.5, 0.5])
    expected = solve(plain.fun, x0, method=method, jac=plain.jac, hessp=plain.hessp, options=options)
    for form in FORMS.values():
        res = solve(plain.fun, form, method=method, jac=plain.jac, hessp=plain.hessp, options=options)
        same_run(res, expected)
        assert res.x.dtype == np.float64


def test_read_only_start(method, solve, plain):
    x0 = plain.x0.copy()
    x0.flags.writeable = False
    res = solve(plain.fun, x0, method=method, jac=plain.jac, hessp=plain.hessp, options={"maxiter": 5})
    assert res.nit == 5 and res.x.flags.writeable


def test_whole_numbers(method, solve, plain):
    for x0 in ([3, -2, 1], np.array([3, -2, 1], np.int8), [True, False, True]):
        res = solve(plain.fun, x0, method=method, jac=plain.jac, hessp=plain.hessp, options={"maxiter": 5})
        assert res.x.dtype == np.float64 and res.fun <= plain.fun(np.array(x0, float))


@pytest.mark.parametrize(("shape", "order"), [((2, 2), "F"), ((2, 1, 2), "C")], ids=str)
def test_arrays_of_any_shape(shape, order, method, plain, same_run):
    """curvopt's own door: user functions see x in the shape of x0, and so does who reads the result."""
    flat = np.array([3.0, -2.0, 1.5, 0.5])
    options = {"maxiter": 5, "history": True, "return_all": True}
    expected = curvopt.minimize(plain.fun, flat, method=method, jac=plain.jac, hessp=plain.hessp, options=options)
    shapes = set()

    def fun(x):
        shapes.add(x.shape)
        return plain.fun(x.ravel())

    def jac(x):
        shapes.add(x.shape)
        return np.array(plain.jac(x.ravel()).reshape(shape), order=order)

    def hessp(x, p):
        shapes.update((x.shape, p.shape))
        return plain.hessp(x.ravel(), p.ravel()).reshape(shape)

    def callback(intermediate_result):
        shapes.update((intermediate_result.x.shape, intermediate_result.jac.shape))

    res = curvopt.minimize(fun, np.array(flat.reshape(shape), order=order), method=method, jac=jac, hessp=hessp,
                           callback=callback, options=options)
    assert shapes == {shape} and res.x.shape == res.jac.shape == shape
    assert all(x.shape == shape for x in res.allvecs)
    np.testing.assert_array_equal(np.array(res.allvecs).reshape(-1, 4), np.array(expected.allvecs))
    res.x, res.jac = res.x.ravel(), res.jac.ravel()
    same_run(res, expected)


def test_matrix_valued_starts_in_the_compiled_loop(method, compiled, jitted, same_run):
    import curvopt._jit

    flat = np.array([3.0, -2.0, 1.5, 0.5])
    options = {"maxiter": 5, "history": True}
    expected = curvopt.minimize(jitted.fun, flat, method=method, jac=jitted.jac, hessp=jitted.hessp,
                                options={**options, "compiled": False})
    three = matrix_functions(jitted) if compiled else (
        lambda x: jitted.fun(x.ravel()), lambda x: jitted.jac(x.ravel()).reshape(x.shape),
        lambda x, p: jitted.hessp(x.ravel(), p.ravel()).reshape(x.shape))
    res = curvopt.minimize(three[0], flat.reshape(2, 2), method=method, jac=three[1], hessp=three[2],
                           options={**options, "compiled": compiled})
    assert res.x.shape == (2, 2) and res.compiled == compiled
    res.x, res.jac = res.x.ravel(), res.jac.ravel()
    same_run(res, expected)


MATRIX_FUNCTIONS = []


def matrix_functions(jitted):
    import numba

    f, j, h = jitted.fun, jitted.jac, jitted.hessp
    if not MATRIX_FUNCTIONS:
        MATRIX_FUNCTIONS.extend((
            numba.njit(lambda x: f(x.ravel())), numba.njit(lambda x: j(x.ravel()).reshape(x.shape)),
            numba.njit(lambda x, p: h(x.ravel(), p.ravel()).reshape(x.shape))))
    return MATRIX_FUNCTIONS
