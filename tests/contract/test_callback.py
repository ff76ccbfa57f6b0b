"""Clause: the callback in both forms: copies, every iterate and the final one, and StopIteration stops exactly there."""
import numpy as np
import pytest

from curvopt import Status, minimize

FIELDS = ("x", "fun", "jac", "nit", "nfev", "njev", "nhev", "step", "grad_norm", "time")


def test_plain_form_sees_every_iterate(method, solve, plain):
    seen = []
    res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, callback=seen.append,
                options={"maxiter": 6, "return_all": True})
    assert len(seen) == res.nit == 6
    np.testing.assert_array_equal(np.array(seen), np.array(res.allvecs[1:]))


def test_result_form_sees_every_iterate(method, solve, plain):
    seen = []

    def callback(intermediate_result):
        seen.append(intermediate_result)

    res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, callback=callback,
                options={"maxiter": 6, "history": True})
    assert [r.nit for r in seen] == list(range(1, res.nit + 1))
    for r in seen:
        assert set(FIELDS) <= set(r) and set(method.columns) <= set(r)
        assert r.fun == res.history.fun[r.nit]
        for name in ("nfev", "njev", "nhev", "step", "grad_norm", *method.columns):
            np.testing.assert_array_equal(r[name], res.history[name][r.nit])
    assert len({id(r.x) for r in seen}) == len(seen)


def test_the_final_iterate_is_shown_too(method, solve, plain):
    last = []

    def callback(intermediate_result):
        last[:] = [intermediate_result]

    res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, callback=callback, tol=1e-2,
                options={"maxiter": 10_000})
    assert res.status == Status.CONVERGED
    np.testing.assert_array_equal(last[0].x, res.x)
    assert (last[0].nit, last[0].fun) == (res.nit, res.fun)


@pytest.mark.parametrize("form", ["x", "result"])
def test_writing_into_what_the_callback_gets_does_no_harm(form, method, solve, plain, same_run):
    def spoil_x(x):
        x[:] = np.nan

    def spoil_result(intermediate_result):
        intermediate_result.x[:] = intermediate_result.jac[:] = np.nan
        intermediate_result.fun = np.nan

    options = {"maxiter": 6, "history": True}
    expected = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options=options)
    res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options=options,
                callback=spoil_x if form == "x" else spoil_result)
    same_run(res, expected)


@pytest.mark.parametrize("stop_at", [1, 4])
def test_stop_iteration_is_exact(stop_at, method, compiled, jitted):
    seen = []

    def callback(intermediate_result):
        seen.append(intermediate_result.x)
        if intermediate_result.nit == stop_at:
            raise StopIteration

    res = minimize(jitted.fun, jitted.x0, method=method, jac=jitted.jac, hessp=jitted.hessp, callback=callback,
                   options={"compiled": compiled, "history": True, "return_all": True})
    assert (res.nit, res.status, res.success) == (stop_at, Status.CALLBACK, False)
    assert len(seen) == stop_at and res.compiled == compiled
    assert res.history.nit.tolist() == list(range(stop_at + 1))
    np.testing.assert_array_equal(res.state.state.x, seen[-1])
    assert any(np.array_equal(res.x, x) for x in res.allvecs)


def test_stop_iteration_through_both_doors(method, solve, plain):
    def callback(x):
        raise StopIteration

    res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, callback=callback)
    assert (res.nit, res.status) == (1, Status.CALLBACK)
    assert res.message == str(Status.CALLBACK)


def test_with_or_without_a_callback_the_run_is_the_same(method, compiled, jitted, same_run):
    def run(callback):
        return minimize(jitted.fun, jitted.x0, method=method, jac=jitted.jac, hessp=jitted.hessp, callback=callback,
                        options={"compiled": compiled, "history": True, "maxiter": 15})

    same_run(run(lambda x: None), run(None))


def test_an_exception_of_the_callback_comes_out(method, solve, plain):
    class Own(Exception):
        pass

    def callback(x):
        raise Own("enough")

    with pytest.raises(Own, match="enough") as caught:
        solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, callback=callback)
    assert "iteration 1" in caught.value.__notes__[0]


class Recorder:
    def __init__(self):
        self.n = 0

    def __call__(self, intermediate_result):
        self.n = intermediate_result.nit


class Plain:
    def __init__(self):
        self.x = None

    def __call__(self, x):
        self.x = x


def test_callable_objects_of_both_forms(door, solve, plain):
    from curvopt import SGM

    for recorder, done in ((Recorder(), lambda r: r.n == 3), (Plain(), lambda r: r.x.shape == (3,))):
        solve(plain.fun, plain.x0, method=SGM, jac=plain.jac, hessp=plain.hessp, callback=recorder, options={"maxiter": 3})
        assert done(recorder)


def test_a_callback_that_cannot_be_called(door, solve, plain):
    from curvopt import SGM

    with pytest.raises(TypeError, match="callback"):
        solve(plain.fun, plain.x0, method=SGM, jac=plain.jac, callback=3)
