"""Clause: the methods work as local minimizers inside SciPy's global ones."""
import numpy as np
import pytest
from scipy.optimize import basinhopping, dual_annealing

from curvopt import SGM


def fun(x):
    """Several minima; the least one near the origin."""
    return float(np.sum(1.0 - np.cos(2.0 * x)) + 0.1 * x @ x)


def jac(x):
    return 2.0 * np.sin(2.0 * x) + 0.2 * x


def hessp(x, p):
    return (4.0 * np.cos(2.0 * x) + 0.2) * p


def test_basinhopping(method):
    res = basinhopping(fun, [2.5, -2.5], niter=6, stepsize=2.5, rng=1,
                       minimizer_kwargs={"method": method, "jac": jac, "hessp": hessp, "options": {"maxiter": 60}})
    assert res.fun < fun(np.array([2.5, -2.5]))
    assert res.lowest_optimization_result.method == method


def test_basinhopping_finds_the_least_minimum():
    res = basinhopping(fun, [2.5, -2.5], niter=25, stepsize=2.5, rng=1,
                       minimizer_kwargs={"method": SGM, "jac": jac, "hessp": hessp})
    np.testing.assert_allclose(res.x, 0.0, atol=1e-4)


@pytest.mark.parametrize("kw", [{"jac": jac, "hessp": hessp}, {"jac": jac}, {}], ids=["products", "gradient", "values"])
def test_dual_annealing(kw):
    res = dual_annealing(fun, [(-5, 5)] * 2, maxiter=60, rng=1, minimizer_kwargs={"method": SGM, **kw})
    np.testing.assert_allclose(res.x, 0.0, atol=1e-3)
