"""Clause: a start that is no point is refused with a sentence that says what is wrong, before anything is evaluated."""
import numpy as np
import pytest

BAD = {
    "complex": (np.array([1.0 + 1j, 2.0]), TypeError, "complex"),
    "object": (np.array([1.0, None], dtype=object), TypeError, "real numbers"),
    "text": (np.array(["1.0", "2.0"]), TypeError, "real numbers"),
    "empty": (np.array([]), ValueError, "empty"),
    "NaN": (np.array([1.0, np.nan]), ValueError, "entry 1"),
    "inf": (np.array([np.inf, 1.0]), ValueError, "entry 0"),
}


def test_bad_starts_are_refused(method, solve, spied):
    for x0, error, words in BAD.values():
        with pytest.raises(error, match=words):
            solve(spied.fun, x0, method=method, jac=spied.jac, hessp=spied.hessp)
    assert not spied.fun.calls and not spied.jac.calls


def test_masked_entries(spied):
    """SciPy's own door takes the mask off before a method sees it."""
    from curvopt import minimize

    with pytest.raises(ValueError, match="x0 is masked"):
        minimize(spied.fun, np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False]), jac=spied.jac)
    assert not spied.fun.calls


def test_ragged_lists(door, solve, spied):
    from curvopt import SGM as method

    with pytest.raises(ValueError, match=r"x0 must be an array|inhomogeneous"):
        solve(spied.fun, [[1.0], [1.0, 2.0]], method=method, jac=spied.jac, hessp=spied.hessp)
