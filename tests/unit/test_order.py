"""The order detector on exact powers, and where it has nothing to say."""
import math

import numpy as np
import pytest

from curvopt.stepsize.order import ORDER_MAX, mean_slope, power_min


def data(p, T, c, t1, f_star=3.0):
    def f(t):
        return f_star + c * abs(T - t) ** p

    def slope(t):
        return -c * p * abs(T - t) ** (p - 1) * math.copysign(1.0, T - t)

    return t1, f(0.0), f(t1), slope(0.0), slope(t1)


@pytest.mark.parametrize("p", [2.0, 2.5, 3.0, 4.0, 6.0, 8.0])
@pytest.mark.parametrize("T, c, t1", [(1.0, 1.0, 0.3), (7.0, 0.2, 1.0), (1e-3, 1e6, 4e-4)])
def test_exact_powers(p, T, c, t1):
    t_star, order = power_min(*data(p, T, c, t1, f_star=0.0))
    assert t_star == pytest.approx(T, rel=1e-7)
    assert order == pytest.approx(p, abs=1e-6)


@pytest.mark.parametrize("p", [3, 4, 6])
def test_a_newton_step_on_a_power_is_the_multiplicity_factor_short(p):
    t_star, order = power_min(*data(p, p - 1.0, 1.0, 1.0, f_star=0.0))
    assert t_star == pytest.approx(p - 1.0, abs=1e-6) and order == pytest.approx(p, abs=1e-6)


def test_no_verdict():
    assert power_min(1.0, 1.0, 0.5, -1.0, 0.1) == (math.inf, 0.0)       # overshoot
    assert power_min(1.0, 1.0, 0.5, -1.0, 0.0) == (math.inf, 0.0)       # the minimizer itself
    assert power_min(1.0, 1.0, -0.5, -1.0, -2.0) == (math.inf, 0.0)     # the slope grew
    assert power_min(1.0, 1.0, math.nan, -1.0, math.nan) == (math.inf, 0.0)


def test_steeper_than_a_parabola_is_taken_for_one():
    t_star, order = power_min(1.0, 1.0, 0.1, -1.0, -0.5)
    assert order == 2.0 and t_star == 2.0


def test_flatter_than_any_power_is_the_largest_order():
    t_star, order = power_min(1.0, 1.0, 1.0 - 1e-6, -1.0, -1e-3)
    assert order == ORDER_MAX and 1.0 < t_star < math.inf


def test_mean_slope_decreases_in_the_order():
    q = np.linspace(1.0, 11.0, 60)
    for r in (1e-9, 0.1, 0.5, 0.999):
        assert np.all(np.diff([mean_slope(r, v) for v in q]) < 0.0), r


def test_units_do_not_matter():
    t1, f0, f1, s0, s1 = data(4.0, 2.0, 1.0, 0.5, f_star=0.0)
    one, order = power_min(t1, f0, f1, s0, s1)
    other, same = power_min(4.0 * t1, 8.0 * f0, 8.0 * f1, 2.0 * s0, 2.0 * s1)
    assert (4.0 * one, order) == (other, same)
