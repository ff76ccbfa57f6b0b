"""The interpreted loop in chunks: nobody can tell, not even an exception."""
import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

import curvopt


class Failing:
    """The Rosenbrock function, raising at a given call of its value."""

    def __init__(self, last):
        self.last, self.calls = last, 0

    def __call__(self, x):
        self.calls += 1
        if self.calls > self.last:
            raise LookupError("no more")
        return rosen(x)


def failure(last, **more):
    with pytest.raises(LookupError) as caught:
        curvopt.minimize(Failing(last), [-1.2, 1.0, -1.2, 1.0], jac=rosen_der, method="lbfgs", **more)
    return caught.value


@pytest.mark.parametrize("last", [1, 2, 3, 7, 25])
def test_an_exception_inside_a_chunk_knows_the_iterate_before_it(last):
    by_one, in_chunks = failure(last, callback=lambda x: None), failure(last)
    assert by_one.__notes__ == in_chunks.__notes__
    assert by_one.curvopt_fun == in_chunks.curvopt_fun and np.array_equal(by_one.curvopt_x, in_chunks.curvopt_x)


def test_history_and_result_are_the_same():
    results = [curvopt.minimize(rosen, [-1.2, 1.0], jac=rosen_der, method="lbfgs", callback=callback,
                                options={"history": True, "gtol": 1e-9}) for callback in (None, lambda x: None)]
    a, b = results
    assert a.nit == b.nit > 16 and np.array_equal(a.x, b.x)
    for column in ("nit", "fun", "grad_norm", "step", "nfev"):
        assert np.array_equal(a.history[column], b.history[column])


def test_maxtime_stops_slow_iterations_after_one():
    import time

    def slow(x):
        time.sleep(0.02)
        return rosen(x)

    res = curvopt.minimize(slow, [-1.2, 1.0], jac=rosen_der, method="lbfgs", options={"maxtime": 0.05})
    assert res.status == curvopt.Status.MAXTIME and res.nit <= 4
