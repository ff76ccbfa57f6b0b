"""Clause: a run that stopped and went on is the run that never stopped."""
import pickle

import numpy as np
import pytest

import curvopt
from curvopt import SGM, Status, minimize


def joined(first, second):
    """Columns of two histories, the second of which begins where the first one ended."""
    return {name: np.concatenate((first.history[name], second.history[name][1:])) for name in first.history.columns}


@pytest.mark.parametrize("stop", [1, 5])
@pytest.mark.parametrize("kind", ["jac", "differences"])
def test_resume_is_going_on(stop, kind, method, compiled, jitted):
    functions = {"jac": jitted.jac, "hessp": jitted.hessp} if kind == "jac" else {"jac": jitted.jac}

    def run(**options):
        return minimize(jitted.fun, jitted.x0, method=method, **functions,
                        options={"history": True, "compiled": compiled, "gtol": 1e-9, **options})

    whole, first = run(maxiter=12), run(maxiter=stop)
    kept = pickle.dumps(first.state)
    for state in (first.state, pickle.loads(kept)):
        second = run(maxiter=12, resume=state)
        np.testing.assert_array_equal(second.x, whole.x)
        for name in ("fun", "nit", "nfev", "njev", "nhev", "status"):
            assert second[name] == whole[name], name
        rows = joined(first, second)
        for name in whole.history.columns:
            if name != "time":
                np.testing.assert_array_equal(rows[name], whole.history[name], err_msg=name)
        assert np.all(np.diff(rows["time"]) >= 0.0)
    assert pickle.dumps(first.state) == kept, "the state may be used again and again"


def test_resume_of_a_pair(method, plain):
    calls = []

    def both(x):
        calls.append(1)
        return plain.fun(x), plain.jac(x)

    def run(**options):
        return minimize(both, plain.x0, method=method, jac=True, hessp=plain.hessp, options={"gtol": 1e-9, **options})

    whole, first = run(maxiter=9), run(maxiter=4)
    del calls[:]
    second = run(maxiter=9, resume=first.state)
    assert len(calls) == whole.nfev - first.nfev
    np.testing.assert_array_equal(second.x, whole.x)
    assert second.nfev == whole.nfev


def test_interpreted_and_compiled_may_take_turns(method, compiled, jitted):
    def run(**options):
        return minimize(jitted.fun, jitted.x0, method=method, jac=jitted.jac, hessp=jitted.hessp,
                        options={"gtol": 1e-9, **options})

    first = run(maxiter=5, compiled=compiled)
    second = run(maxiter=12, compiled=not compiled if compiled else False, resume=first.state)
    np.testing.assert_array_equal(second.x, run(maxiter=12).x)


def test_a_finished_run_stays_finished(method, solve, plain):
    res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, tol=1e-2, options={"maxiter": 10_000})
    again = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, tol=1e-2,
                  options={"resume": res.state, "maxiter": 10_000})
    assert (again.status, again.nit, again.nfev) == (Status.CONVERGED, res.nit, res.nfev)
    np.testing.assert_array_equal(again.x, res.x)


def test_through_the_other_door_and_from_a_callback(door, solve, plain):
    def callback(intermediate_result):
        if intermediate_result.nit == 3:
            raise StopIteration

    kw = {"method": SGM, "jac": plain.jac, "hessp": plain.hessp}
    first = solve(plain.fun, plain.x0, callback=callback, **kw)
    assert first.status == Status.CALLBACK
    res = solve(plain.fun, plain.x0, options={"resume": first.state}, **kw)
    np.testing.assert_array_equal(res.x, solve(plain.fun, plain.x0, **kw).x)


def test_iterate_resumes_too(plain):
    kw = {"method": SGM, "jac": plain.jac, "hessp": plain.hessp}
    state = minimize(plain.fun, plain.x0, options={"maxiter": 2}, **kw).state
    seen = list(curvopt.iterate(plain.fun, plain.x0, options={"resume": state, "maxiter": 5}, **kw))
    assert [it.nit for it in seen] == [2, 3, 4, 5]


def test_states_that_do_not_fit(plain):
    state = minimize(plain.fun, plain.x0, method=SGM, jac=plain.jac, hessp=plain.hessp, options={"maxiter": 2}).state
    with pytest.raises(TypeError, match="resume must be the `state`"):
        minimize(plain.fun, plain.x0, method=SGM, jac=plain.jac, options={"resume": plain.x0})
    with pytest.raises(ValueError, match="resume: the state is one of"):
        minimize(plain.fun, plain.x0, method=SGM.replace(sigma=0.0), jac=plain.jac, options={"resume": state})
    with pytest.raises(ValueError, match="3 variables, x0 has 2"):
        minimize(plain.fun, [1.0, 2.0], method=SGM, jac=plain.jac, options={"resume": state})


def test_the_state_is_shown_in_a_line(plain):
    res = minimize(plain.fun, plain.x0, method=SGM, jac=plain.jac, hessp=plain.hessp, options={"maxiter": 2})
    assert repr(res.state) == "<RunState of SGM at iteration 2>"
