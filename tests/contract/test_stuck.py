"""Clause: a run that gets no further says whether that is rounding or a gradient that promises what fun does not keep."""
import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der, rosen_hess_prod

import curvopt
from curvopt import Status, minimize


def fun(x):
    return float(np.sum((x - 1.0) ** 2))


def test_a_gradient_of_the_wrong_sign(method):
    """fun rises along every step: the derivative is to be suspected, and rounding is not."""
    with np.errstate(over="ignore"):    # a constant step runs away
        res = minimize(fun, [3.0, 4.5], method=method, jac=lambda x: -2.0 * (x - 1.0), hessp=lambda x, p: -2.0 * p,
                       options={"maxiter": 1200})
    assert res.status not in (Status.PRECISION, Status.CONVERGED, Status.TARGET)
    assert res.fun >= 0.99 * fun(np.array([3.0, 4.5]))


def test_values_that_cancel(method):
    """A constant is added and taken away: near the minimum values fall on a grid of 2^-52 that nothing in them shows."""
    scale = np.array([1.0, 30.0])
    with np.errstate(over="ignore"):
        res = minimize(lambda x: float(scale @ (x - 1.0) ** 2 + 1.0 - 1.0), [3.0, 1.3], method=method,
                       jac=lambda x: 2.0 * scale * (x - 1.0), hessp=lambda x, p: 2.0 * scale * p,
                       options={"gtol": 1e-15, "maxiter": 3000, "maxfev": 6000})
    assert res.status != Status.STEP_FAILED or np.abs(res.jac).max() > 1e-6 * 39.0


def test_the_edge_of_the_domain(method):
    """The minimum lies where fun has no values: no method calls that rounding, and the message tells of the values."""
    def fun(x):
        return float("nan") if x[0] > 1.5 else float((x[0] - 2.0) ** 2 + x[1] ** 2)

    res = minimize(fun, [1.0, 1.0], method=method, jac=lambda x: np.array([2.0 * x[0] - 4.0, 2.0 * x[1]]),
                   hessp=lambda x, p: 2.0 * p, options={"maxiter": 3000})
    assert not res.success and res.fun <= 2.0
    assert res.status != Status.PRECISION
    if res.status == Status.STEP_FAILED:
        assert "not finite" in res.message


@pytest.mark.parametrize("shift", [0.0, 1e3])
@pytest.mark.parametrize("edge", [0.8, 1.4])
@pytest.mark.parametrize("name", ["QuasiNewton", "FUSEPV", "RavineQN", "FUSE", "GDPolyakAdaptive", "TruncatedNewton"])
def test_an_edge_in_a_valley(name, edge, shift):
    """Rosenbrock's function with values right of the edge only. The end at 1.4 is not rounding, although the gradient has
    fallen to less than a thousandth; that at the minimum is, although the edge at 0.8 was met before."""
    res = minimize(lambda x: rosen(x) + shift if x[0] >= edge else np.nan, [edge + 1.0, 2.0], method=name, jac=rosen_der,
                   hessp=rosen_hess_prod, options={"gtol": 1e-14, "maxiter": 5000})
    at_the_edge = res.state.state.x[0] - edge < 1e-6    # the last point; the best one of GDPolyakAdaptive came before it
    assert at_the_edge if edge > 1.0 or name == "GDPolyakAdaptive" else np.allclose(res.x, 1.0, rtol=1e-4)
    assert res.status in ((Status.STEP_FAILED,) if at_the_edge else (Status.PRECISION, Status.CONVERGED))
    assert res.status == Status.CONVERGED or "not finite" in res.message


@pytest.mark.parametrize("name, length", [("GD", "lr=1.0"), ("HeavyBall", "lr=1.0"), ("GDPolyak", "eta=1.0")])
def test_steps_of_a_fixed_length_that_run_away(name, length):
    """The length is to blame before the derivative, and the advice names it."""
    method = {"lr": curvopt.baselines, "eta": curvopt}[length[:-4]]
    with np.errstate(over="ignore"):
        res = minimize(lambda x: 50.0 * float(x @ x), [1.0, 2.0], jac=lambda x: 100.0 * x,
                       method=getattr(method, name).replace(**{length[:-4]: 1.0}))
    assert res.status == Status.STEP_FAILED and "steps are too long" in res.message
    assert f"a shorter step than {length}" in res.explain()


def test_batches_and_steps_that_are_too_long():
    rows = np.random.default_rng(0).standard_normal((40, 2))
    total = curvopt.FiniteSum(lambda x, i: float(np.mean((rows[i] @ x - 1.0) ** 2)), n_samples=40,
                              jac=lambda x, i: 2.0 * rows[i].T @ (rows[i] @ x - 1.0) / len(i))
    with np.errstate(all="ignore"):
        res = minimize(total, [3.0, 4.0], method=curvopt.baselines.SGD.replace(gamma=1e8), options={"rng": 1})
    assert res.status == Status.NONFINITE and "gamma=100000000.0 may be too long a step" in res.message


def test_explain_where_nothing_was_gained():
    res = minimize(lambda x: float(x @ x), [1.0, 2.0], method=curvopt.baselines.NormalizedGD, jac=lambda x: -2.0 * x,
                   options={"maxiter": 50, "history": True})
    assert res.status == Status.MAXITER and "No value below that of x0" in res.explain()
    assert "check_derivatives" in res.explain() and "gamma=0.1 is too long a step" in res.explain()


@pytest.mark.parametrize("start", [[0.0, 0.0], [1.0 + 1e-9, 1.0]])
def test_a_start_at_the_level_of_rounding(start):
    """Decreases that cannot be seen in a large fun are lost in rounding, from the first iteration on."""
    for size, status in ((1e-9, Status.PRECISION), (1e8, Status.STEP_FAILED)):
        res = minimize(lambda x: 1e9, start, method=curvopt.HDM, jac=lambda x: np.full(2, size), options={"gtol": 1e-30})
        assert res.status == status
