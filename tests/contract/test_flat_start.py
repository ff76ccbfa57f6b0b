"""Clause: a start where the gradient vanishes is converged, and nothing else happens there."""
import numpy as np

from curvopt import Status


def test_a_flat_start_has_converged(method, solve, spied):
    res = solve(spied.fun, np.ones(3), method=method, jac=spied.jac, hessp=spied.hessp)
    assert (res.nit, res.status, res.success) == (0, Status.CONVERGED, True)
    np.testing.assert_array_equal(res.x, np.ones(3))
    assert len(spied.fun) == res.nfev <= 1 and len(spied.hessp) == 0


def test_a_flat_start_with_gtol_zero(method, solve, plain):
    res = solve(plain.fun, np.ones(3), method=method, jac=plain.jac, hessp=plain.hessp, options={"gtol": 0.0})
    assert (res.nit, res.status) == (0, Status.CONVERGED)


def test_a_constant_function(method, solve):
    res = solve(lambda x: 3.0, np.ones(2), method=method, jac=np.zeros_like, hessp=lambda x, p: np.zeros_like(x))
    assert (res.nit, res.fun, res.success) == (0, 3.0, True)
