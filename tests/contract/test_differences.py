"""Clause: derivatives that were not given are taken by differences, counted where they fall, and announced when dear."""
import warnings

import numpy as np
import pytest
from scipy.optimize import OptimizeWarning

from curvopt import SGM, GDPolyak, baselines, minimize


def analytic(x):
    return np.sum(np.sqrt(1.0 + (x - 1.0) ** 2) - 1.0)


def gradient(x):
    return (x - 1.0) / np.sqrt(1.0 + (x - 1.0) ** 2)


GD = baselines.GD.replace(lr=0.5)


@pytest.mark.parametrize(("jac", "accuracy", "price"), [
    ("2-point", 1e-7, 4), ("3-point", 1e-9, 7), ("cs", 1e-14, 4), (None, 1e-7, 4)])
def test_forms_of_jac(jac, accuracy, price):
    """n more values for forward differences (fun at the point is known), 2n central, n complex ones."""
    x0 = np.array([3.0, -2.0, 1.5])
    res = minimize(analytic, x0, method=GD, jac=jac, options={"maxiter": 0})
    np.testing.assert_allclose(res.jac, gradient(x0), rtol=accuracy, atol=accuracy)
    assert (res.nfev, res.njev) == (price, 0)


@pytest.mark.parametrize("jac", ["2-point", "3-point", "cs", None])
def test_every_form_reaches_the_minimum(jac):
    res = minimize(analytic, [3.0, -2.0], method=SGM, jac=jac, options={"gtol": 1e-4})
    assert res.success and np.abs(res.x - 1.0).max() < 1e-3


def test_cs_needs_a_complex_answer():
    with pytest.raises(TypeError, match="jac='cs' needs"):
        minimize(lambda x: float(np.real(analytic(x))), [3.0], method=GD, jac="cs")


def test_cs_takes_an_array_of_one():
    res = minimize(lambda x: np.atleast_1d(analytic(x)), [3.0, 2.0], method=GD, jac="cs", options={"maxiter": 1})
    np.testing.assert_allclose(res.nit, 1)


def test_one_warning_above_twenty_variables(door, solve):
    for n, expected in ((20, 0), (21, 1)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            solve(analytic, np.zeros(n), method=GD, options={"maxiter": 2})
        assert len(caught) == expected
    assert caught[0].category is OptimizeWarning and "pass jac" in str(caught[0].message)
    assert caught[0].filename == __file__, "the warning must point at the caller's line"


def test_no_warning_for_who_asks_for_differences():
    minimize(analytic, np.zeros(21), method=GD, jac="2-point", options={"maxiter": 1})


def test_the_warning_of_iterate_points_at_the_caller_too():
    from curvopt import iterate

    with pytest.warns(OptimizeWarning, match="pass jac") as caught:
        iterate(analytic, np.zeros(30), method=GD, options={"maxiter": 1})
    assert caught[0].filename == __file__


def test_products_by_differences_cost_one_gradient_each(method, solve, spied):
    """The gradient at the point itself is known from the step before and not asked for again."""
    with_products = solve(spied.fun, spied.x0, method=method, jac=spied.jac, hessp=spied.hessp, options={"maxiter": 5})
    by_differences = solve(spied.fun, spied.x0, method=method, jac=spied.jac, options={"maxiter": 5})
    assert by_differences.nhev == 0
    if "hessp" in method.needs and by_differences.nfev == with_products.nfev:
        assert by_differences.njev == with_products.njev + with_products.nhev
    np.testing.assert_allclose(by_differences.x, with_products.x, rtol=1e-4, atol=1e-4)


def test_products_by_differences_of_a_pair(method, solve, plain, same_run):
    """jac=True without hessp: the numbers are those of separate functions."""
    options = {"maxiter": 5}
    pair = solve(lambda x: (plain.fun(x), plain.jac(x)), plain.x0, method=method, jac=True, options=options)
    apart = solve(plain.fun, plain.x0, method=method, jac=plain.jac, options=options)
    np.testing.assert_array_equal(pair.x, apart.x)
    assert pair.fun == apart.fun


@pytest.mark.parametrize("kind", ["jac only", "fun only", "3-point", "pair", "pair and product"])
def test_differences_in_the_compiled_loop(kind, method, compiled, jitted, same_run):
    fun, jac, hessp = jitted.fun, jitted.jac, None
    if kind in ("fun only", "3-point"):
        jac = None if kind == "fun only" else kind
    elif kind.startswith("pair"):
        fun, jac, hessp = pair_of(jitted, compiled), True, jitted.hessp if kind == "pair and product" else None

    def run(compiled):
        return minimize(fun, jitted.x0, method=method, jac=jac, hessp=hessp,
                        options={"maxiter": 5, "history": True, "compiled": compiled})

    same_run(run(compiled), run(False))


COMPILED = []


def pair_of(jitted, compiled):
    fun, jac = jitted.fun, jitted.jac
    if not compiled:
        return lambda x: (fun(x), jac(x))
    if not COMPILED:
        import numba

        COMPILED.append(numba.njit(lambda x: (fun(x), jac(x))))
    return COMPILED[0]


def test_a_method_without_second_order_never_asks_for_it(door, solve, spied):
    for method in (GD, GDPolyak):
        solve(spied.fun, spied.x0, method=method, jac=spied.jac, hessp=spied.hessp, options={"maxiter": 3})
    assert not spied.hessp.calls


@pytest.mark.parametrize("jac", ["2-point", "3-point"])
@pytest.mark.parametrize("x", [1.0 / 3.0, -1e-9, 0.0, 12345.678, -7e11])
def test_differences_divide_by_the_step_really_made(jac, x):
    """x + h is rounded: the gradient of a coordinate is 1 without an error only if the step is taken from the points."""
    res = minimize(lambda v: v[0], [x, 1.0], jac=jac, method=GD, options={"maxiter": 0})
    assert res.jac.tolist() == [1.0, 0.0]
