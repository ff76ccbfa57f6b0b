"""Clause: a gradient or product of the wrong shape or type is an error in both doors and both executions."""
import numpy as np
import pytest
import scipy.sparse

from curvopt import SGM, minimize

WRONG_SHAPES = {
    "longer": lambda x: np.ones(x.size + 1),
    "shorter": lambda x: np.ones(x.size - 1),
    "row": lambda x: np.ones((1, x.size)),
    "column": lambda x: np.ones((x.size, 1)),
    "scalar": lambda x: 1.0,
    "None": lambda x: None,
}
WRONG_TYPES = {
    "complex": lambda x: np.ones(x.size) * 1j,
    "object": lambda x: np.array([None] * x.size),
    "text": lambda x: np.array(["a"] * x.size),
}


def test_gradients_of_the_wrong_shape(method, solve, plain):
    for jac in WRONG_SHAPES.values():
        with pytest.raises(ValueError, match=r"jac returned .*x has shape \(3,\)"):
            solve(plain.fun, plain.x0, method=method, jac=jac, hessp=plain.hessp)


def test_gradients_of_the_wrong_type(method, solve, plain):
    for jac in WRONG_TYPES.values():
        with pytest.raises(TypeError, match=r"jac returned values of type .*real numbers"):
            solve(plain.fun, plain.x0, method=method, jac=jac, hessp=plain.hessp)


def test_the_shape_is_looked_at_every_time(method, solve, plain):
    calls = []
    begun = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options={"maxiter": 2}).njev

    def jac(x):
        calls.append(1)
        return plain.jac(x) if len(calls) <= begun else plain.jac(x)[:-1]

    with pytest.raises(ValueError, match="jac returned") as caught:
        solve(plain.fun, plain.x0, method=method, jac=jac, hessp=plain.hessp)
    assert "best point so far" in caught.value.__notes__[0]


def test_a_sparse_gradient_is_named(plain):
    with pytest.raises(ValueError, match="jac returned an object of type csr_array"):
        minimize(plain.fun, plain.x0, method=SGM, jac=lambda x: scipy.sparse.csr_array(plain.jac(x)))


@pytest.mark.parametrize("wrong", [*WRONG_SHAPES, *WRONG_TYPES])
def test_products_of_the_wrong_shape_or_type(wrong, door, solve, plain):
    function = {**WRONG_SHAPES, **WRONG_TYPES}[wrong]
    with pytest.raises((ValueError, TypeError), match="hessp returned"):
        solve(plain.fun, plain.x0, method=SGM, jac=plain.jac, hessp=lambda x, p: function(x))


@pytest.mark.parametrize("gradient", [np.ones(4), np.ones((3, 1)), None, np.ones(3) * 1j],
                         ids=["long", "2-D", "None", "complex"])
def test_the_second_half_of_a_pair(gradient, door, solve, plain):
    with pytest.raises((ValueError, TypeError), match="gradient"):
        solve(lambda x: (1.0, gradient), plain.x0, method=SGM, jac=True)


@pytest.mark.parametrize("result", [1.0, None, (1.0,), (1.0, np.ones(3), 3.0), np.ones(4)], ids=repr)
def test_no_pair_at_all(result, door, solve, plain):
    with pytest.raises(TypeError, match=r"jac=True fun must return the pair|value, gradient"):
        solve(lambda x: result, plain.x0, method=SGM, jac=True)


@pytest.mark.parametrize("jac", ["4-point", 3, [1.0], np.zeros(3)], ids=repr)
def test_things_that_are_no_gradient(jac, plain):
    with pytest.raises(ValueError, match="jac must be"):
        minimize(plain.fun, plain.x0, method=SGM, jac=jac)


def test_gradients_as_lists_and_of_other_types_are_taken(method, solve, plain, same_run):
    options = {"maxiter": 5, "history": True}
    expected = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options=options)
    for convert in (list, tuple, lambda g: np.asfortranarray(g.astype(">f8")), lambda g: g.astype(object).astype(float)):
        res = solve(plain.fun, plain.x0, method=method, jac=lambda x: convert(plain.jac(x)),
                    hessp=lambda x, p: convert(plain.hessp(x, p)), options=options)
        same_run(res, expected)


def long_jac(x):
    return np.ones(x.size + 1)


def long_after_a_while(x):
    return np.ones(x.size + (x[0] < 2.9))


COMPILED = {}


@pytest.mark.parametrize("jac", [long_jac, long_after_a_while])
def test_compiled_gradients_of_the_wrong_shape(jac, method, compiled, jitted):
    if compiled:
        import numba

        jac = COMPILED.setdefault(jac, numba.njit(jac))
    with pytest.raises(ValueError, match=r"jac returned an array of shape \(4,\); x has shape \(3,\)"):
        minimize(jitted.fun, jitted.x0, method=method, jac=jac, hessp=jitted.hessp, options={"compiled": compiled})
