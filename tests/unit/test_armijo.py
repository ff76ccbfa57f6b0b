"""Line searches by Armijo's rule: the conditions that hold at what they return."""
import math

import numpy as np
import pytest

from curvopt._oracle import Oracle, make_data
from curvopt.linesearch.armijo import backtrack, decreases, track_forward

RHO = 1e-4


def oracle_of(fun, n):
    def value(x, data):
        data.counts[0] += 1
        return fun(x)

    return Oracle(value, None, None, make_data(n, ()))


def search(fun, x, d, slope, theta, alpha=1.0):
    out, oracle = np.empty_like(x), oracle_of(fun, x.size)
    a, f_new, found = backtrack(oracle, x, fun(x), d, slope, alpha, RHO, theta, out)
    return a, f_new, found, out, oracle


@pytest.mark.parametrize("theta", [0.3, 0.5, 0.9])
def test_backtracking_holds_at_alpha_and_fails_one_step_before(theta, rng):
    for _ in range(30):
        scale, x = 10.0 ** rng.uniform(0.0, 4.0), rng.standard_normal(3)

        def fun(x):
            return scale * float(x @ x)

        d = -2.0 * scale * x
        slope = float(d @ d) * -1.0
        alpha, f_new, found, out, oracle = search(fun, x, d, slope, theta)
        assert found and f_new == fun(out)
        np.testing.assert_array_equal(out, x + alpha * d)
        assert decreases(f_new, fun(x), slope, alpha, RHO)
        trials = round(math.log(alpha) / math.log(theta)) + 1
        assert oracle.data.counts[0] == trials
        assert trials == 1 or not decreases(fun(x + alpha / theta * d), fun(x), slope, alpha / theta, RHO)


def test_a_value_that_is_not_finite_is_a_failed_trial():
    def fun(x):
        return float(x @ x) if x @ x < 1.1 else math.nan

    alpha, _, found, out, oracle = search(fun, np.array([1.0]), np.array([-8.0]), -16.0, 0.5)
    assert found and alpha == 0.125 and out[0] == 0.0
    assert oracle.data.counts[3] == 2       # the trials at -7 and -3; the one at -1 is finite and too high


def test_a_direction_that_leads_nowhere_is_given_up_when_x_stops_moving():
    alpha, f_new, found, _, _ = search(lambda x: 1.0 if x[0] == 1.0 else 2.0, np.array([1.0]), np.array([2.0]), -4.0, 0.5)
    assert not found and (alpha, f_new) == (0.0, 1.0)


def test_tracking_forward_returns_the_last_accepted_step():
    def fun(x):
        return -float(x @ x) + 0.01 * float(np.sum(x ** 4))

    x = np.array([0.1, -0.05])
    g = -2.0 * x + 0.04 * x ** 3
    out, slope = np.empty(2), -float(g @ g)
    alpha, f_new = track_forward(oracle_of(fun, 2), x, fun(x), -g, slope, fun(x - g), RHO, 0.5, out)
    assert alpha > 1.0 and f_new == fun(out)
    np.testing.assert_array_equal(out, x - alpha * g)
    assert decreases(f_new, fun(x), slope, alpha, RHO)
    assert not decreases(fun(x - 2.0 * alpha * g), fun(x), slope, 2.0 * alpha, RHO)


def test_slack_is_ten_rounding_errors_and_no_more():
    assert decreases(1.0 + 9 * 2.0 ** -52, 1.0, -1e-20, 1.0, RHO)
    assert not decreases(1.0 + 12 * 2.0 ** -52, 1.0, -1e-20, 1.0, RHO)
    assert not decreases(math.nan, 1.0, -1.0, 1.0, RHO) and not decreases(-math.inf, 1.0, -1.0, 1.0, RHO)


def test_rounding_does_not_pass_for_a_decrease_that_was_promised():
    """Uphill, with a slope that says downhill: the slack would take a step of 1e-15."""
    _, _, found, _, oracle = search(lambda x: 5.0 + float(x[0]), np.array([1.0]), np.array([1.0]), -1.0, 0.5)
    assert not found and oracle.data.counts[0] < 60


def test_a_promise_within_rounding_passes():
    _, _, found, _, oracle = search(lambda x: 5.0, np.array([1.0]), np.array([1e-6]), -1e-12, 0.5)
    assert found and oracle.data.counts[0] == 1


@pytest.mark.parametrize("name", ["SCG", "SMR", "SGM", "MRCG", "SAUTO", "ANGD", "ArmijoGD", "LBFGS", "QuasiNewton", "RavineQN",
                                  "TruncatedNewton", "GDPolyakAdaptive"])
def test_a_gradient_of_the_wrong_sign_is_found_out(name):
    import curvopt

    p = curvopt.problems.rosenbrock(4)

    def wrong(x):
        return p.jac(x) * [1.0, 1.0, 1.0, -1.0]

    method = getattr(curvopt, name, None) or getattr(curvopt.baselines, name)
    res = curvopt.minimize(p.fun, [-1.2, 1.0, 0.5, 1.2], jac=wrong, hessp=p.hessp, method=method)
    assert res.status.name == "STEP_FAILED" and res.nit < 100, (res.status, res.nit)
