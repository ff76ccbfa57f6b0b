"""Clause: an exception of a user function comes out unchanged, with the iterate so far in a note."""
import re

import numpy as np
import pytest

from curvopt import SGM, GDPolyak, iterate, minimize


class Own(Exception):
    """An exception nobody expects."""


def after(count, function, error):
    calls = []

    def wrapped(*args):
        calls.append(1)
        if len(calls) > count:
            raise error
        return function(*args)

    return wrapped


@pytest.mark.parametrize("error", [Own("mine", 3), ValueError("x"), ZeroDivisionError(), StopIteration("late"),
                                   RuntimeError("r"), GeneratorExit("g"), SystemExit(3)], ids=repr)
def test_any_exception_comes_out_as_it_was(error, door, solve, plain):
    for late in (0, 3):
        for which in ("fun", "jac", "hessp"):
            three = {"fun": plain.fun, "jac": plain.jac, "hessp": plain.hessp}
            three[which] = after(late, three[which], error)
            with pytest.raises(type(error)) as caught:
                solve(three.pop("fun"), plain.x0, method=SGM, **three)
            assert caught.value is error and caught.value.args == error.args


def test_the_note_holds_the_iterate(method, solve, plain):
    """What is in the note is what a run that ends there returns."""
    whole = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp,
                  options={"maxiter": 6, "history": True})
    calls = int(whole.history.njev[4])      # the fifth iteration asks for one gradient more
    error = Own()
    with pytest.raises(Own) as caught:
        solve(plain.fun, plain.x0, method=method, jac=after(calls, plain.jac, error), hessp=plain.hessp)
    assert caught.value is error
    note, = caught.value.__notes__
    at = int(re.search(r"at iteration (\d+);", note)[1])
    assert method.name in note and 4 <= at <= 6
    stopped = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options={"maxiter": at})
    np.testing.assert_array_equal(error.curvopt_x, stopped.x)
    assert error.curvopt_fun == stopped.fun and repr(stopped.fun) in note


def test_the_message_at_the_start_has_no_note(method, solve, plain):
    with pytest.raises(Own) as caught:
        solve(after(0, plain.fun, Own()), plain.x0, method=method, jac=plain.jac, hessp=plain.hessp)
    assert not hasattr(caught.value, "__notes__")


def test_iterate_lets_exceptions_out(plain):
    stream = iterate(after(3, plain.fun, Own()), plain.x0, method=SGM, jac=plain.jac, hessp=plain.hessp)
    with pytest.raises(Own):
        list(stream)


def test_exceptions_without_room_for_the_iterate(door, solve, plain):
    class Slotted(Exception):
        def __setattr__(self, name, value):
            raise AttributeError(name)

    with pytest.raises(Slotted):
        solve(after(3, plain.fun, Slotted()), plain.x0, method=GDPolyak, jac=plain.jac)


def fragile(x):
    """The bowl, which breaks near its minimum."""
    total = 0.0
    for i in range(x.size):
        t = x[i] - 1.0
        total += t * t
    if total < 1e-2:
        raise ValueError("too near")
    return total


def fragile_jac(x):
    return 2.0 * (x - 1.0)


def fragile_hessp(x, p):
    return 2.2 * p      # not quite: with the exact one a scaled gradient would be there in one step


COMPILED = []
X0 = np.array([3.0, -2.0, 1.5])


def functions(compiled):
    three = fragile, fragile_jac, fragile_hessp
    if not compiled:
        return three
    import numba

    if not COMPILED:
        COMPILED[:] = list(map(numba.njit, three))
    return COMPILED


@pytest.mark.parametrize("chunk", [1, None])
def test_compiled_functions_raise_with_the_same_note(chunk, method, compiled):
    """The compiled chunk is lost; the replay of it, interpreted, ends at the same place with the same note."""
    def run(compiled):
        fun, jac, hessp = functions(compiled)
        with pytest.raises(ValueError, match="too near") as caught:
            minimize(fun, X0, method=method, jac=jac, hessp=hessp,
                     options={"compiled": compiled, "chunk": chunk, "history": True, "maxiter": 10_000})
        return caught.value

    error, expected = run(compiled), run(False)
    # The bits agree, and with them the iteration and the point.
    assert getattr(error, "__notes__", None) == getattr(expected, "__notes__", None)
    if hasattr(expected, "curvopt_x"):
        np.testing.assert_array_equal(error.curvopt_x, expected.curvopt_x)
        assert error.curvopt_fun == expected.curvopt_fun
