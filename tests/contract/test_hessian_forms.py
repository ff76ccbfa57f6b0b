"""Clause: second derivatives as hessp, or as hess that is an array, a list, a sparse matrix or a LinearOperator."""
import numpy as np
import pytest
from scipy.sparse import csr_array, csr_matrix
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from curvopt import SGM, minimize


def matrix(plain, x):
    return np.diag(plain.hessp(x, np.ones(x.size)))


def mutating_operator(m):
    def matvec(v):
        result = m @ v
        v[...] = np.nan
        return result

    return LinearOperator(m.shape, matvec=matvec, dtype=float)


FORMS = {
    "array": lambda m: m, "list": lambda m: m.tolist(), "Fortran": np.asfortranarray, "matrix": np.matrix,
    "sparse array": csr_array, "sparse matrix": csr_matrix, "operator": aslinearoperator, "rude operator": mutating_operator,
}


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_every_form_gives_the_same_run(method, solve, plain, same_run):
    options = {"maxiter": 6, "history": True}
    expected = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hess=lambda x: matrix(plain, x), options=options)
    for form in FORMS.values():
        res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hess=lambda x: form(matrix(plain, x)), options=options)
        same_run(res, expected)
    by_products = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options=options)
    np.testing.assert_allclose(by_products.x, expected.x, rtol=1e-9)


def test_hessp_is_preferred_to_hess(method, solve, plain, same_run):
    def never(x):
        raise AssertionError("hess was called although hessp was given")

    options = {"maxiter": 6, "history": True}
    res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, hess=never, options=options)
    same_run(res, solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options=options))


@pytest.mark.parametrize("word", ["2-point", "3-point", "cs"])
def test_words_for_hess_mean_differences_of_jac(word, door, solve, plain, same_run):
    options = {"maxiter": 6, "history": True}
    res = solve(plain.fun, plain.x0, method=SGM, jac=plain.jac, hess=word, options=options)
    same_run(res, solve(plain.fun, plain.x0, method=SGM, jac=plain.jac, options=options))


def test_one_matrix_serves_all_products_at_a_point(door, solve, plain):
    points = []

    def hess(x):
        points.append(x.tobytes())
        return matrix(plain, x)

    res = solve(plain.fun, plain.x0, method=SGM, jac=plain.jac, hess=hess, options={"maxiter": 8})
    assert len(points) == len(set(points)) == res.nhev == res.nit


@pytest.mark.parametrize(("result", "error"), [
    (np.eye(4), ValueError), (np.ones(3), ValueError), (None, ValueError), (csr_array(np.eye(2)), ValueError),
    (np.eye(3) * 1j, TypeError), (1.0, ValueError),
], ids=["4 by 4", "vector", "None", "sparse 2 by 2", "complex", "scalar"])
def test_matrices_that_are_none(result, error, door, solve, plain):
    with pytest.raises(error, match="hess returned"):
        solve(plain.fun, plain.x0, method=SGM, jac=plain.jac, hess=lambda x: result)


def test_a_compiled_hess(method, compiled, jitted, same_run):
    def run(hess, compiled):
        return minimize(jitted.fun, jitted.x0, method=method, jac=jitted.jac, hess=hess,
                        options={"maxiter": 8, "history": True, "compiled": compiled})

    hess = compiled_hess(jitted) if compiled else lambda x: matrix(jitted, x)
    same_run(run(hess, compiled), run(hess, False))


COMPILED = []


def compiled_hess(jitted):
    import numba

    hessp = jitted.hessp
    if not COMPILED:
        @numba.njit
        def hess(x):
            h = np.zeros((x.size, x.size))
            d = hessp(x, np.ones(x.size))
            for i in range(x.size):
                h[i, i] = d[i]
            return h

        COMPILED.append(hess)
    return COMPILED[0]
