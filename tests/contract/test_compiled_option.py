"""Clause: compiled=None where possible, True insists, False never; a loop that does not compile falls back with one hint."""
import warnings

import numpy as np
import pytest

from curvopt import SGM, GDPolyak, PerformanceHint, minimize

numba = pytest.importorskip("numba")


def needs_compilation(jitted):
    from curvopt._jit import is_compiled

    if not is_compiled(jitted.fun):
        pytest.skip("nothing is compiled in this run")


def test_compiled_functions_run_compiled(method, jitted):
    needs_compilation(jitted)
    res = minimize(jitted.fun, jitted.x0, method=method, jac=jitted.jac, hessp=jitted.hessp, options={"maxiter": 2})
    assert res.compiled == (not method.interpreted_only)


def test_never(method, jitted):
    res = minimize(jitted.fun, jitted.x0, method=method, jac=jitted.jac, hessp=jitted.hessp,
                   options={"maxiter": 2, "compiled": False})
    assert res.compiled is False and res.compile_time == 0.0


def test_a_callback_wants_every_iteration(jitted):
    needs_compilation(jitted)
    kw = {"method": SGM, "jac": jitted.jac, "hessp": jitted.hessp, "callback": lambda x: None}
    assert not minimize(jitted.fun, jitted.x0, options={"maxiter": 2}, **kw).compiled
    assert minimize(jitted.fun, jitted.x0, options={"maxiter": 2, "compiled": True}, **kw).compiled


def test_insisting_in_vain_names_the_function(door, solve, plain, jitted):
    needs_compilation(jitted)
    options = {"compiled": True}
    with pytest.raises(ValueError, match=r"fun and jac and hessp not compiled with numba\.njit"):
        solve(plain.fun, plain.x0, method=SGM, jac=plain.jac, hessp=plain.hessp, options=options)
    with pytest.raises(ValueError, match="cannot be compiled: jac not compiled"):
        solve(jitted.fun, plain.x0, method=SGM, jac=plain.jac, hessp=jitted.hessp, options=options)
    with pytest.raises(ValueError, match="jac='cs' calls fun with complex numbers"):
        minimize(jitted.fun, plain.x0, method=SGM, jac="cs", options=options)
    # What the method does not call need not be compiled.
    assert solve(jitted.fun, plain.x0, method=GDPolyak, jac=jitted.jac, hessp=plain.hessp, options=options).compiled


@numba.njit
def list_jac(x):
    return [2.0 * (x[i] - 1.0) for i in range(x.size)]


@numba.njit
def square(x):
    total = 0.0
    for i in range(x.size):
        total += (x[i] - 1.0) * (x[i] - 1.0)
    return total


def test_one_hint_and_the_same_numbers(door, solve, jitted, same_run):
    """A gradient that returns a list is fine for Python and not for the compiled loop."""
    needs_compilation(jitted)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        res = solve(square, [3.0, 4.0], method=GDPolyak, jac=list_jac, options={"history": True, "maxiter": 5})
    hints = [w for w in caught if w.category is PerformanceHint]
    assert len(hints) == 1 and "GDPolyak runs interpreted" in str(hints[0].message)
    assert "cannot call jac" in str(hints[0].message) and "an array, not a list" in str(hints[0].message)
    assert hints[0].filename == __file__, "the hint must point at the caller's line"
    assert res.compiled is False and res.nit > 0
    expected = solve(square.py_func, [3.0, 4.0], method=GDPolyak, jac=list_jac.py_func,
                     options={"history": True, "maxiter": 5})
    same_run(res, expected)


def test_a_value_that_may_be_none(jitted):
    needs_compilation(jitted)

    @numba.njit
    def forgetful(x):
        if x[0] < 50.0:
            return x[0] * x[0]

    with pytest.warns(PerformanceHint, match="cannot call fun in compiled code: it may return None"):
        assert minimize(forgetful, [3.0, 4.0], method=GDPolyak, jac=numba.njit(lambda x: 2.0 * x)).compiled is False


@pytest.mark.parametrize("args", [(), (1.0, "text"), ({"a": 1}, 2.0)], ids=repr)
def test_arguments_that_numba_cannot_take(args, jitted):
    """numba's own words are kept; a note says once what the functions were called with, and what to do."""
    needs_compilation(jitted)
    scaled = numba.njit(lambda x, a, b: a * b * x[0])
    for _ in range(2):
        with pytest.raises(Exception, match=r"expected|No implementation|pyobject") as caught:
            minimize(scaled, [3.0, 4.0], args, method=GDPolyak, jac=list_jac)
        note, = caught.value.__notes__
        assert "args = (" + ", ".join(type(a).__name__ for a in args) + ")" in note and "not compiled" in note


def test_signatures_that_do_not_fit(jitted):
    needs_compilation(jitted)
    single = numba.njit("float64(float32[:])")(lambda x: x[0])
    with pytest.raises(TypeError, match="No matching definition") as caught:
        minimize(single, [3.0, 4.0], method=GDPolyak, jac=list_jac)
    assert "float64 array of shape (2,)" in caught.value.__notes__[0]


def test_insisting_where_the_loop_does_not_compile(door, solve, jitted):
    needs_compilation(jitted)
    with pytest.raises(ValueError, match="compiled=True, but the loop cannot be compiled: numba"):
        solve(square, [3.0, 4.0], method=GDPolyak, jac=list_jac, options={"compiled": True})


def test_evaluations_before_the_fallback_count(jitted):
    """The counts after a fallback are those of all calls: what was evaluated at x0 is used, not thrown away."""
    needs_compilation(jitted)
    calls = []

    @numba.njit
    def counting(x):
        with numba.objmode():
            calls_append()
        return [2.0 * (x[i] - 1.0) for i in range(x.size)]

    def calls_append():
        calls.append(1)

    globals()["calls_append"] = calls_append
    with pytest.warns(PerformanceHint):
        res = minimize(square, [3.0, 4.0], method=GDPolyak, jac=counting, options={"maxiter": 5})
    assert res.njev == len(calls)


def test_methods_of_one_layout_do_not_mix(jitted):
    """Two methods whose states have the same fields, one after the other and back."""
    needs_compilation(jitted)
    from curvopt import baselines

    runs = []
    for method in (baselines.GD.replace(lr=0.1), baselines.Baydin.replace(lr=0.1), baselines.GD.replace(lr=0.1)):
        runs.append(minimize(jitted.fun, jitted.x0, method=method, jac=jitted.jac, options={"maxiter": 4, "compiled": True}))
    np.testing.assert_array_equal(runs[0].x, runs[2].x)
