"""Truncated Newton and products that are wrong in one way or another, and the memory it takes."""
import tracemalloc

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der, rosen_hess_prod

import curvopt

NEWTON = curvopt.TruncatedNewton
X0 = np.tile([-1.2, 1.0], 5)


def solve(hessp, globalization="search", **options):
    return curvopt.minimize(rosen, X0, jac=rosen_der, hessp=hessp, method=NEWTON.replace(globalization=globalization),
                            options={"gtol": 1e-6, "history": True, "compiled": False, **options})


@pytest.mark.parametrize(("hessp", "text"), [
    (lambda x, v: rosen_hess_prod(x, v)[:-1], r"hessp returned an array of shape \(9,\); x has shape \(10,\)"),
    (lambda x, v: np.outer(x, v), r"hessp returned an array of shape \(10, 10\)"),
    (lambda x, v: None, "hessp returned None"),
])
def test_products_of_the_wrong_shape_are_an_error_at_the_first_one(hessp, text):
    with pytest.raises(ValueError, match=text) as caught:
        solve(hessp)
    assert "best point so far" in caught.value.__notes__[0]


def test_products_that_are_the_buffer_they_were_given():
    """The Hessian is the identity and hessp returns v itself; nothing is overwritten, and the first solve is exact."""
    given = []

    def hessp(x, v):
        given.append((v, v.copy()))
        return v

    res = curvopt.minimize(lambda x: 0.5 * float(x @ x), [3.0, -4.0], jac=lambda x: x, hessp=hessp,
                           method=NEWTON.replace(depth=4), options={"compiled": False})
    assert res.success and res.nit == res.nhev == 1
    assert all(np.array_equal(v, copy) for v, copy in given), "what the user keeps is not written into"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_products_that_are_not_finite_leave_the_quasi_newton_method(bad):
    """A burst follows each such product, up to 20 steps long, and the memory is kept: nothing but a step is lost."""
    res = solve(lambda x, v: np.full(x.size, bad))
    alone = solve(None, depth=0)
    assert res.success and np.array_equal(res.x, alone.x)
    assert res.nhev <= 2 + res.nit // 20 + 1 and (res.nfev, res.njev) == (alone.nfev, alone.njev)


@pytest.mark.parametrize("globalization", ["search", "region"])
def test_products_that_are_finite_only_somewhere(globalization):
    res = solve(lambda x, v: rosen_hess_prod(x, v) * (1.0 if x[0] > 0.5 else np.nan), globalization)
    assert res.success and np.isfinite(res.history.model_error[res.history.depth > 1]).any()


def test_without_bursts_useless_products_end_the_run():
    res = solve(lambda x, v: np.full(x.size, np.nan), depth=3)
    assert not res.success and res.nit <= 3 and np.array_equal(res.x, X0)


def test_an_unsymmetric_hessp_is_found_on_demand_and_does_no_harm():
    skew = np.triu(np.ones((10, 10)), 1)

    def hessp(x, v):
        return rosen_hess_prod(x, v) + 20.0 * (skew @ v - skew.T @ v)

    report = curvopt.check_derivatives(rosen, X0, rosen_der, hessp)
    assert not report.ok and report.symmetry["hessp"] > 1e-3
    assert curvopt.check_derivatives(rosen, X0, rosen_der, rosen_hess_prod).ok
    res = solve(hessp)
    assert res.success and np.abs(rosen_der(res.x)).max() <= 1e-6


def peak(n, depth, m, globalization):
    """(vectors of length n held at the worst moment of a run, those of the user's functions included; the result).

    A string under a load: conjugate gradients gain nothing until they have come from end to end, after n / 2 products. The
    load is so small that no solve meets the edge of its region.
    """
    load = 2.0 ** -40

    def hessp(x, v):
        hv = 2.0 * v
        hv[1:] -= v[:-1]
        hv[:-1] -= v[1:]
        return hv

    tracemalloc.start()
    res = curvopt.minimize(lambda x: 0.5 * float(x @ hessp(x, x)) - load * float(x.sum()), np.zeros(n),
                           jac=lambda x: hessp(x, x) - load, hessp=hessp,
                           method=NEWTON.replace(depth=depth, m=m, globalization=globalization),
                           options={"maxiter": 1, "gtol": 0.0, "compiled": False})
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / (8.0 * n), res


@pytest.mark.thread_unsafe(reason="measures the memory of the whole process")
@pytest.mark.parametrize("globalization", ["search", "region"])
def test_the_path_of_a_solve_is_not_stored(globalization):
    """At n = 10^6: the memory of pairs, 20 rows for the harvest, and a few vectors, however deep the solve."""
    m = 2
    peak(10 ** 6, 1, m, globalization)      # imports, and the kernels for vectors as long as these
    shallow, res = peak(10 ** 6, 3, m, globalization)
    assert res.nhev == 3
    deep, res = peak(10 ** 6, 60, m, globalization)
    assert res.nhev == 60, "more products than there are vectors to spare"
    assert deep == pytest.approx(shallow, abs=0.1)
    assert deep <= 2 * (m + 1) + 20 + 38, "the state, the loop and the oracle, and what the user's functions make"
