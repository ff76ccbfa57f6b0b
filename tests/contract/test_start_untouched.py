"""Clause: the start belongs to the user, and what comes back is the user's own as well."""
import numpy as np


def test_x0_is_not_written_to(method, solve, plain):
    x0 = plain.x0.copy()
    res = solve(plain.fun, x0, method=method, jac=plain.jac, hessp=plain.hessp, options={"maxiter": 5})
    np.testing.assert_array_equal(x0, plain.x0)
    assert not np.shares_memory(res.x, x0)


def test_the_result_is_no_view_of_the_state(method, solve, plain):
    res = solve(plain.fun, plain.x0, method=method, jac=plain.jac, hessp=plain.hessp, options={"maxiter": 3})
    kept = res.state.state.x.copy()
    res.x[:] = np.nan
    res.jac[:] = np.nan
    np.testing.assert_array_equal(res.state.state.x, kept)
