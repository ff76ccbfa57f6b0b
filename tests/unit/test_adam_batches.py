"""Adam on batches: the full batch is Adam, the rest is sampling."""
import numpy as np
import pytest

import curvopt

rng = np.random.default_rng(7)
A, B = rng.standard_normal((60, 5)), rng.standard_normal(60)


def fun(x, idx):
    r = A[idx] @ x - B[idx]
    return 0.5 * float(np.mean(r * r))


def jac(x, idx):
    return A[idx].T @ (A[idx] @ x - B[idx]) / len(idx)


MEAN = curvopt.FiniteSum(fun, jac, 60)
X0 = np.full(5, 2.0)


def run(method, problem=MEAN, **options):
    return curvopt.minimize(problem, X0, method=method,
                            options={"compiled": False, "history": True, "gtol": 0.0, "maxiter": 200, "rng": 3, **options})


@pytest.mark.parametrize("form", ["torch", "paper", "relative"])
def test_a_batch_of_all_rows_is_adam(form):
    method = curvopt.Adam.replace(lr=0.05, form=form)
    full, batches = run(method), run(method.replace(batch_size=60, check_every=1))
    assert np.allclose(full.history.fun, batches.history.fun, rtol=1e-9)


def test_batches_come_near_the_minimizer_and_the_best_measurement_is_returned():
    best = np.linalg.lstsq(A, B, rcond=None)[0]
    res = run(curvopt.Adam.replace(lr=0.02, batch_size=10), maxiter=1500)
    assert np.abs(res.x - best).max() < 0.1
    assert res.fun == pytest.approx(MEAN(res.x), rel=1e-14) and res.fun == res.history.fun.min()


def test_the_seed_decides():
    method = curvopt.Adam.replace(batch_size=8, lr=0.05)
    a, b, c = run(method, maxiter=50), run(method, maxiter=50), run(method, maxiter=50, rng=4)
    assert np.array_equal(a.x, b.x) and not np.array_equal(a.x, c.x)


def test_batches_need_a_sum():
    with pytest.raises((TypeError, ValueError), match="FiniteSum"):
        curvopt.minimize(lambda x: float(x @ x), X0, jac=lambda x: 2 * x, method=curvopt.Adam.replace(batch_size=4))


@pytest.mark.parametrize("bad", [{"batch_size": 0}, {"batch_size": 4, "sampling": "epohc"}, {"check_every": -1}])
def test_bad_parameters(bad):
    with pytest.raises(ValueError, match=r"at least|did you mean 'epoch'"):
        curvopt.Adam.replace(**bad)
