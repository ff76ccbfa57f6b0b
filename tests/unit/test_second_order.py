"""The look at the Hessian: what it says of zero, of nonsense, and of the usual cases, on both sides of the dense limit."""
import numpy as np
import pytest

from curvopt import LBFGS, TruncatedNewton, minimize
from curvopt._second_order import DENSE_N

SIZES = [5, DENSE_N + 1, 60]


def saddle(n):
    def fun(x):
        return float(x[1:] @ x[1:] - x[0] ** 2 + x[0] ** 4)

    def jac(x):
        return np.r_[-2.0 * x[0] + 4.0 * x[0] ** 3, 2.0 * x[1:]]

    def hessp(x, p):
        return np.r_[(-2.0 + 12.0 * x[0] ** 2) * p[0], 2.0 * p[1:]]

    return fun, jac, hessp


@pytest.mark.parametrize("n", SIZES)
def test_the_four_verdicts(n):
    fun, jac, hessp = saddle(n)
    at_saddle = minimize(fun, np.zeros(n), jac=jac, hessp=hessp, method=LBFGS).curvature_report()
    assert (at_saddle.verdict, round(at_saddle.smallest, 6)) == ("saddle", -2.0)
    assert abs(at_saddle.direction[0]) == pytest.approx(1.0, abs=1e-3)
    lower = minimize(fun, np.full(n, 0.3), jac=jac, hessp=hessp, method=LBFGS).curvature_report()
    assert (lower.verdict, round(lower.smallest, 3)) == ("minimum", 2.0)
    for factor, verdict in ((0.0, "flat"), (np.nan, "unknown")):
        found = minimize(lambda x: 1.0, np.ones(n), jac=lambda x: 0.0 * x, hessp=lambda x, p: factor * p,
                         method=LBFGS).curvature_report()
        assert found.verdict == verdict and verdict in str(found)
        assert np.isnan(found.smallest) == np.isnan(factor)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(("factor", "verdict"), [(0.0, "flat"), (np.nan, "unknown"), (2.0, "minimum")])
def test_a_run_that_looks_back_ends_whatever_it_sees(n, factor, verdict):
    res = minimize(lambda x: float(x @ x), np.ones(n), jac=lambda x: 2.0 * x, hessp=lambda x, p: factor * p,
                   method=TruncatedNewton.replace(second_order=True))
    assert res.success and res.second_order == verdict and verdict in str(res.explain())
