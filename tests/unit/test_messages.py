"""What a user is told: errors that name the argument at fault, and sentences of reports that a run in trouble gets."""
import pickle

import numpy as np
import pytest

from curvopt import Expectation, FiniteSum, check_derivatives, minimize
from curvopt.baselines import SGD

ROWS = np.array([1.0, 2.0, 6.0])


def mean(x, idx):
    return float(np.mean((x[0] - ROWS[idx]) ** 2))


def mean_jac(x, idx):
    return np.array([np.mean(2.0 * (x[0] - ROWS[idx]))])


def square(x):
    return float(x @ x)


def square_jac(x):
    return 2.0 * x


def draw(rng, size):
    return rng.integers(3, size=size)


def of_sum(**keywords):
    return minimize(FiniteSum(mean, mean_jac, 3), [0.0], options={"maxiter": 5, "rng": 0}, **keywords)


ERRORS = {
    "a sum over no rows": (ValueError, "the data set is empty", lambda: FiniteSum(mean, mean_jac, 0)),
    "fun of a stream that is no function": (TypeError, "fun must be callable", lambda: Expectation(1.0, mean_jac, np.empty)),
    "a batch larger than the data": (
        ValueError, "batch_size is 7, but there are only 3 rows", lambda: of_sum(method=SGD.replace(batch_size=7))),
    "a stream for a method that needs full values": (
        TypeError, "needs full values of fun", lambda: minimize(Expectation(mean, mean_jac, draw), [0.0], method="SGM")),
    "hessp that is no function": (
        TypeError, "hessp must be callable as hessp", lambda: minimize(square, [1.0], jac=square_jac, hessp=np.eye(1))),
    "a strategy of SciPy": (
        TypeError, "strategy objects are for SciPy", lambda: minimize(square, [1.0], jac=square_jac, hess=object())),
    "a rule for jac that does not exist": (
        ValueError, "jac must be a callable", lambda: minimize(square, [1.0], jac="4-point")),
    "a report on batches": (
        ValueError, "needs full sums", lambda: of_sum(method=SGD.replace(batch_size=1)).curvature_report()),
    "a report without jac": (
        ValueError, "differences of differences", lambda: minimize(square, [1.0], method="QuasiNewton").curvature_report()),
    "a report that was pickled": (
        ValueError, "solve again", lambda: pickle.loads(pickle.dumps(
            minimize(square, [1.0], jac=square_jac, method="QuasiNewton"))).curvature_report()),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_name_what_is_wrong(case):
    kind, text, call = ERRORS[case]
    with pytest.raises(kind, match=text):
        call()


def test_objectives_have_names():
    assert repr(FiniteSum(mean, mean_jac, 12345)) == "<FiniteSum of 12,345 rows>"
    assert repr(Expectation(mean, mean_jac, np.empty)) == "<Expectation over a stream of samples>"


def test_derivatives_at_a_kink_and_products_that_are_none():
    kink = check_derivatives(lambda x: float(np.abs(x).sum()), [0.0, 1.0], jac=np.sign)
    assert "kink at x0" in str(kink)
    x0 = np.array([1.0, -2.0])
    lopsided = check_derivatives(square, x0, jac=square_jac, hessp=lambda x, p: np.array([[2.0, 1.0], [0.0, 2.0]]) @ p)
    assert not lopsided.ok and "hessp" in str(lopsided)
    bent = check_derivatives(lambda x: float(0.5 * x @ np.abs(x)), [0.0, 1.0], jac=np.abs, hessp=lambda x, p: np.sign(x) * p)
    assert "jac has a kink at x0" in str(bent)


def test_explain_tells_differences_scales_and_curvature():
    scales = np.array([1.0, 1e-9])
    told = minimize(lambda x: float(np.sum((x / scales - 1.0) ** 4)), 2.0 * scales, method="QuasiNewton",
                    options={"maxiter": 2}).explain()
    assert "The gradient is made of differences of fun" in told and "The entries of x differ by a factor of" in told
    saddle = minimize(lambda x: float(x[0] ** 4 - x[0] ** 2 + x[1] ** 2), [0.1, 1.0], method="SGM", options={"history": True},
                      jac=lambda x: np.array([4.0 * x[0] ** 3 - 2.0 * x[0], 2.0 * x[1]]),
                      hessp=lambda x, p: np.array([(12.0 * x[0] ** 2 - 2.0) * p[0], 2.0 * p[1]]))
    assert "Negative curvature was met in" in saddle.explain()
