"""The compiled loop has addresses of the user's functions: these live as long as it runs, and are asked for once."""
import gc
import weakref

import numpy as np
import pytest

import curvopt
from curvopt import _compiled_adapters, _compiled_loop, _compiled_pointers
from curvopt._jit import ENABLED

pytestmark = pytest.mark.skipif(not ENABLED, reason="there is no compiled loop")
X0 = np.array([1.0, 2.0])


def quartic(scale):
    from numba import njit

    @njit
    def fun(x):
        return scale * (x[0] * x[0] + x[1] * x[1] + 0.1 * x[1] ** 4)

    @njit
    def jac(x):
        return scale * np.array([2.0 * x[0], 2.0 * x[1] + 0.4 * x[1] ** 3])

    return fun, jac


def record_addresses(monkeypatch, module):
    """The list of weak references to the functions whose addresses the module will ask for."""
    asked, address_of = [], _compiled_pointers.address_of

    def recording(function, signature):
        asked.append(weakref.ref(function))
        return address_of(function, signature)

    monkeypatch.setattr(module, "address_of", recording)
    return asked


def forget():
    """Everything that keeps the adapters of earlier functions alive."""
    _compiled_loop._ready.clear()
    for adapter in (_compiled_adapters.value, _compiled_adapters.gradient, _compiled_adapters.no_product):
        adapter.cache_clear()
    gc.collect()


def test_functions_live_while_their_loop_runs(monkeypatch):
    asked = record_addresses(monkeypatch, _compiled_pointers)

    def iterates(disturb):
        fun, jac = quartic(1.0)
        del asked[:]
        run = curvopt.iterate(fun, X0, jac=jac, method="armijogd", options={"compiled": True, "chunk": 1})
        points = [next(run).x.copy(), next(run).x.copy()]
        assert len(asked) == 3
        if disturb:
            del fun, jac
            forget()
            assert all(reference() is not None for reference in asked)
            other, derivative = quartic(2.0)
            curvopt.minimize(other, X0, jac=derivative, method="armijogd", options={"compiled": True})
            assert len(asked) == 6
        points += [iterate.x.copy() for iterate in run]
        return np.array(points)

    expected = iterates(False)
    assert np.array_equal(iterates(True), expected)


def test_addresses_are_asked_for_once(monkeypatch):
    fun, jac = quartic(3.0)

    def solve():
        return curvopt.minimize(fun, X0, jac=jac, method="armijogd", options={"compiled": True}).x

    first = solve()
    monkeypatch.setattr(_compiled_pointers, "address_of", None)     # whoever asks again fails
    assert np.array_equal(solve(), first)


def test_functions_live_while_many_problems_can_be_solved_again(monkeypatch):
    """The second call finds addresses of adapters that nothing else remembers."""
    from curvopt import _compiled_many

    asked = record_addresses(monkeypatch, _compiled_many)

    fun, jac = quartic(4.0)

    def solve():
        return curvopt.minimize_many(fun, np.array([X0, -X0]), jac=jac, method="QuasiNewton").x

    first = solve()
    forget()
    assert len(asked) == 3 and all(reference() is not None for reference in asked)
    assert np.array_equal(solve(), first) and len(asked) == 3
