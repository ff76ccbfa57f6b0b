"""The Wolfe search: what it promises about the point it returns, and that it never pays twice."""
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curvopt._objective import Objective
from curvopt.linesearch import first_trial, wolfe
from curvopt.linesearch.wolfe import ACCEPTED, DELTA, EPS, FAILED, LOWER, strong_wolfe, weak_wolfe

DEFAULT = strong_wolfe(1e-4, 0.9)


class Line:
    """f and g of one variable, recording what is evaluated; searches start at x = 0 towards x > 0."""

    def __init__(self, f, g):
        self.f, self.g, self.points, self.gradients = f, g, [], []

    def fun(self, x):
        self.points.append(x[0])
        return float(self.f(x[0]))

    def jac(self, x):
        self.gradients.append(x[0])
        return np.array([float(self.g(x[0]))])

    def search(self, alpha, rule=DEFAULT, K=100.0, gtol=0.0, f_first=math.nan, d=1.0):
        x, d = np.zeros(1), np.array([d])
        x_trial, g_trial, g_spare = np.empty(1), np.full(1, np.nan), np.full(1, np.nan)
        oracle = Objective(self.fun, self.jac, None, None, (), (1,), False).oracle()
        f0, slope = float(self.f(0.0)), float(self.g(0.0)) * d[0]
        a, f, slope_new, outcome, K, g, spare = wolfe.search(
            oracle, x, f0, d, slope, alpha, f_first, rule, K, gtol, wolfe.make_room(rule), x_trial, g_trial, g_spare)
        assert x[0] == 0.0
        assert len(set(self.points)) == len(self.points), "a value was taken twice"
        assert len(set(self.gradients)) == len(self.gradients), "a gradient was taken twice"
        values = [self.f(t) for t in self.points]
        if outcome == FAILED:
            assert a == 0.0 and not any(v < f0 for v in values)
        else:
            assert x_trial[0] == a * d[0] and f == self.f(a * d[0])
            assert g[0] == self.g(a * d[0]) and slope_new == g[0] * d[0]
            assert g is not spare and {id(g), id(spare)} == {id(g_trial), id(g_spare)}
        if outcome == ACCEPTED:
            armijo = f <= f0 + rule.c1 * a * slope
            lowest, highest = rule.c2 * slope, -rule.c2 * slope if rule.strong else math.inf
            exact = armijo and lowest <= slope_new <= highest
            approximate = f <= f0 + K * EPS * abs(f0) and lowest <= slope_new <= (2.0 * DELTA - 1.0) * slope
            met = abs(g[0]) <= gtol and f <= f0 + K * EPS * abs(f0)
            assert exact or approximate or met
        if outcome == LOWER:
            assert f < f0 and f == min(v for v in values if math.isfinite(v))
        return a, f, outcome, K


COEFFICIENTS = st.floats(-3.0, 3.0, allow_nan=False)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(COEFFICIENTS, min_size=3, max_size=3), st.floats(0.05, 5.0), st.floats(-4.0, 4.0), st.booleans(),
       st.sampled_from([0.1, 0.9]))
def test_postconditions_on_wiggly_functions(waves, bowl, log_alpha, strong, c2):
    def f(t):
        return 0.5 * bowl * t * t + sum(w * math.sin((k + 1) * t + k) for k, w in enumerate(waves))

    def g(t):
        return bowl * t + sum(w * (k + 1) * math.cos((k + 1) * t + k) for k, w in enumerate(waves))

    if abs(g(0.0)) < 1e-3:
        return
    rule = (strong_wolfe if strong else weak_wolfe)(1e-4, c2)
    _, _, outcome, _ = Line(f, g).search(10.0 ** log_alpha, rule, d=-math.copysign(1.0, g(0.0)))
    # A step exists for every smooth function that is bounded below; twenty trials need not find one for a strict c2.
    assert outcome == ACCEPTED or (c2 == 0.1 and strong and outcome == LOWER)


@pytest.mark.parametrize("alpha", [1e-12, 1e-6, 1.0, 1e6, 1e12])
def test_first_trials_of_any_size(alpha):
    a, _, outcome, _ = Line(lambda t: (t - 3.0) ** 2, lambda t: 2.0 * (t - 3.0)).search(alpha)
    assert outcome == ACCEPTED and 0.0 < a < 6.0


def test_quadratic_takes_one_interpolation():
    line = Line(lambda t: (t - 3.0) ** 2, lambda t: 2.0 * (t - 3.0))
    a, _, _, _ = line.search(100.0, strong_wolfe(1e-4, 0.1))
    assert len(line.points) == 2 and a == pytest.approx(3.0)


def test_weak_form_accepts_a_slope_that_has_grown():
    line = Line(lambda t: (t - 3.0) ** 2, lambda t: 2.0 * (t - 3.0))
    assert line.search(5.9, weak_wolfe(1e-4, 0.9))[0] == 5.9
    line = Line(lambda t: (t - 3.0) ** 2, lambda t: 2.0 * (t - 3.0))
    assert line.search(5.9)[0] != 5.9


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_wall_of_values_that_are_not_finite(bad):
    line = Line(lambda t: bad if t > 1e-3 else -t, lambda t: -1.0)
    a, _, outcome, _ = line.search(1.0, strong_wolfe(1e-4, 0.5))
    assert outcome in (ACCEPTED, LOWER) and 0.0 < a <= 1e-3
    assert all(t <= 1e-3 for t in line.gradients), "a gradient was taken where the value is not finite"


def test_gradient_that_is_not_finite():
    a, _, outcome, _ = Line(lambda t: (t - 1.0) ** 2, lambda t: 2.0 * (t - 1.0) if t < 1.5 else math.nan).search(2.5)
    assert outcome == ACCEPTED and a < 1.5


def test_out_of_trials_gives_the_lowest_point():
    rule = DEFAULT._replace(c2=1e-9, trials=3)
    line = Line(lambda t: math.cosh(t - 1.0), lambda t: math.sinh(t - 1.0))
    _, _, outcome, _ = line.search(1e-3, rule)
    assert outcome == LOWER and len(line.points) == 3


def test_wrong_sign_of_the_gradient_fails():
    line = Line(lambda t: t, lambda t: -1.0)
    a, _, outcome, K = line.search(1.0)
    assert outcome == FAILED and a == 0.0 and K == 100.0


def test_a_step_that_does_not_move_x_fails_without_evaluating():
    line = Line(lambda t: (t - 1.0) ** 2, lambda t: 2.0 * (t - 1.0))
    x, room, none = np.ones(1), wolfe.make_room(DEFAULT), np.empty(1)
    oracle = Objective(line.fun, line.jac, None, None, (), (1,), False).oracle()
    out = wolfe.search(oracle, x, 1.0, np.ones(1), -1.0, 1e-20, math.nan, DEFAULT, 100.0, 0.0, room, none, none, none.copy())
    assert out[3] == FAILED and not line.points


def test_small_gradient_is_accepted_at_once_when_asked():
    line = Line(lambda t: (t - 3.0) ** 2, lambda t: 2.0 * (t - 3.0))
    a, _, outcome, _ = line.search(3.0 + 1e-7, strong_wolfe(1e-4, 1e-12), gtol=1e-6)
    assert outcome == ACCEPTED and a == 3.0 + 1e-7 and len(line.points) == 1


def test_known_first_value_is_not_asked_for_again():
    line = Line(lambda t: (t - 3.0) ** 2, lambda t: 2.0 * (t - 3.0))
    line.search(2.0, f_first=1.0)
    assert line.points == [] and line.gradients == [2.0]


def rough(t, level):
    """A value in [-level, level] that looks random: rounding, in a form that repeats."""
    return level * (2.0 * ((math.sin(t * 12.9898e7) * 43758.5453) % 1.0) - 1.0)


@pytest.mark.parametrize("level", [1e-13, 1e-11, 1e-9])
@pytest.mark.parametrize("K", [100.0, 1e4])
def test_below_the_noise_of_f_the_slopes_decide(level, K):
    """f near 1 with a minimum at t = 1e-8: no value can tell, and K grows until the slopes are believed."""
    searches = [Line(lambda t, i=i: 1.0 + rough(t + i, level), lambda t: 1e-8 * (t - 1.0)) for i in range(30)]
    outcomes = [line.search(0.5, K=K)[2:] for line in searches]
    assert all(outcome in (ACCEPTED, LOWER) for outcome, _ in outcomes)
    assert all(K <= k <= 1e10 for _, k in outcomes)
    if level > 2 * K * EPS:
        assert any(k > K for _, k in outcomes)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.floats(0.1, 10.0), st.floats(-4.0, 4.0), st.integers(-40, 40))
def test_scaling_f_by_a_power_of_two_changes_no_trial(bowl, log_alpha, exponent):
    def line(c):
        line = Line(lambda t: c * (bowl * (t - 1.0) ** 2 + math.sin(5.0 * t)),
                    lambda t: c * (2.0 * bowl * (t - 1.0) + 5.0 * math.cos(5.0 * t)))
        if line.g(0.0) < 0.0:
            line.search(10.0 ** log_alpha, strong_wolfe(1e-4, 0.3))
        return line

    assert line(1.0).points == line(2.0 ** exponent).points


def test_what_searches_leave_of_the_slope_decides_the_next_first_trial():
    """Two steps in a row that were too short stretch the next trial; one, or a step past the minimizer, does not."""
    left = np.zeros(2)
    for slope_new, expected in ((-0.5, 1.0), (-0.5, 2.0), (-0.9, 3.0), (-0.999, 3.0), (0.1, 1.0), (-0.5, 1.0)):
        first_trial.note(left, slope_new, -1.0)
        assert first_trial.stretched(left) == pytest.approx(expected, rel=1e-15)
    first_trial.forget_slopes(left)
    assert first_trial.stretched(left) == 1.0
