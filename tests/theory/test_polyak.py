"""What is known about short and long steps on flat minima: identities, limits, rates and floors.

Sources: arXiv:2409.19791 and arXiv:2604.13393 for the setting, the limits by our own derivation (docs/methods/polyak.md).
"""
import math

import numpy as np
import pytest

import curvopt
from curvopt import problems
from curvopt.baselines import GD, PolyakGD
from curvopt.directions import aware_memory as aware
from curvopt.stepsize.polyak import polyak_length, secant

GDPolyak, Adaptive = curvopt.GDPolyak, curvopt.GDPolyakAdaptive
LIMIT = (3 / 4) ** 4            # of f over one epoch where fun grows like u^4


def run(problem, method, iterations, **options):
    return curvopt.minimize(problem.fun, problem.x0, args=problem.args, jac=problem.jac, method=method,
                            options={"gtol": 0.0, "maxiter": iterations, "history": True, "compiled": False, **options})


def epochs(res):
    """(values before the long steps, long steps)."""
    long = np.flatnonzero(res.history.long_step > 0)
    return res.history.fun[long - 1], res.history.step[long]


# ---- exact identities -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("p, step_growth", [(2, 1.0), (3, 3 / 2), (4, 16 / 9)])
def test_polyak_steps_on_a_power(p, step_growth):
    """x shrinks by 1 - 1/p, f by its p-th power, and the step grows by (1 - 1/p)^(2 - p)."""
    res = curvopt.minimize(lambda x: float(abs(x[0]) ** p), [0.9], jac=lambda x: p * np.abs(x) ** (p - 1) * np.sign(x),
                           method=PolyakGD, options={"gtol": 0.0, "maxiter": 20, "history": True})
    f, alpha = res.history.fun, res.history.step
    np.testing.assert_allclose(f[1:] / f[:-1], (1 - 1 / p) ** p, rtol=1e-12)
    np.testing.assert_allclose(alpha[2:] / alpha[1:-1], step_growth, rtol=1e-12)


def test_a_short_step_of_1_over_2a_on_the_rosenbrock_quartic():
    """y+ = x^2, and n = y - x^2 becomes -4 x^2 n + (4/a) x^4 - 4 x^2 (n - x^2/a)^2."""
    rng = np.random.default_rng(1)
    for _ in range(200):
        a, (x, y) = rng.uniform(0.5, 20.0), rng.uniform(-1.0, 1.0, 2)
        problem = problems.rosenbrock_quartic(a)
        x_new, y_new = np.array([x, y]) - problem.jac(np.array([x, y]), *problem.args) / (2 * a)
        n = y - x * x
        predicted = -4 * x * x * n + 4 / a * x ** 4 - 4 * x * x * (n - x * x / a) ** 2
        assert y_new == pytest.approx(x * x, abs=1e-13)
        assert y_new - x_new * x_new == pytest.approx(predicted, abs=1e-12)


@pytest.mark.parametrize("p", [2, 3, 4, 6])
def test_the_curvature_test_sees_the_order(p):
    """On a power the Polyak step times the curvature along a tiny short step is (p - 1)/p."""
    x, eta = 0.3, 1e-7
    slope = p * x ** (p - 1)
    g = np.array([slope, 0.0])
    _, kappa, _ = secant(g, np.array([p * (x - eta * slope) ** (p - 1), 0.0]), eta)
    assert polyak_length(x ** p, g) * kappa == pytest.approx((p - 1) / p, rel=1e-5)


def test_gradient_over_gap_on_the_ravine_and_in_general():
    """||g|| / gap^(3/4) is 4 a^(1/4) for a u^4, and at least alpha^(1/4) for convex f >= alpha |x|^4."""
    for a in (0.25, 1.0, 16.0):
        u = 0.1
        assert 4 * a * u ** 3 / (a * u ** 4) ** 0.75 == pytest.approx(4 * a ** 0.25, rel=1e-12)
    problem, rng = problems.convex_quartic(12), np.random.default_rng(0)
    B = problem.args[1]
    alpha = 0.25 * np.linalg.eigvalsh(B.T @ B)[0] ** 2 / B.shape[0]     # sum t^4 >= (sum t^2)^2 / count
    for _ in range(100):
        x = rng.standard_normal(12) * 10 ** rng.uniform(-3, 0)
        gap, g = problem.fun(x, *problem.args), problem.jac(x, *problem.args)
        ratio = np.linalg.norm(g) / gap ** 0.75
        assert ratio >= alpha ** 0.25
        after = x - gap / (g @ g) * g
        assert after @ after <= x @ x - np.sqrt(gap) / ratio ** 2 + 1e-15      # the contraction of a long step


# ---- Fejer monotonicity -----------------------------------------------------------------------------------------------

def distances(problem, method, iterations):
    res = run(problem, method, iterations, return_all=True)
    return np.linalg.norm(np.array(res.allvecs), axis=1)


def test_on_a_convex_function_no_step_leads_away_from_the_minimizer():
    problem = problems.convex_quartic(12)
    E, B = problem.args
    radius = np.linalg.norm(problem.x0)
    L = np.linalg.norm(E, 2) ** 2 + 3 * radius ** 2 * np.max(np.sum(B * B, axis=1)) * np.linalg.norm(B, 2) ** 2
    for K in (0, 3, 20):
        assert np.all(np.diff(distances(problem, GDPolyak.replace(eta=1 / L, K=K), 300)) <= 1e-15)


def test_on_a_nonconvex_function_some_do():
    assert np.diff(distances(problems.rosenbrock_quartic(10.0), GDPolyak.replace(eta=0.0125), 500)).max() > 1e-4


# ---- rates of GDPolyak ------------------------------------------------------------------------------------------------

def test_rosenbrock_quartic_tends_to_the_rate_of_u4():
    f, alpha = epochs(run(problems.rosenbrock_quartic(10.0), GDPolyak.replace(eta=0.0125, K=100), 50 * 101))
    np.testing.assert_allclose(f[11:40] / f[10:39], LIMIT, rtol=3e-3)
    np.testing.assert_allclose(alpha[11:40] / alpha[10:39], 16 / 9, rtol=2e-3)
    assert alpha[-1] * 16 * np.sqrt(f[-1]) == pytest.approx(1.0, rel=0.02)     # 1 / (16 x^2) with f = x^4
    assert alpha[-1] > 1e13 * 0.0125


@pytest.mark.parametrize("a", [0.25, 1.0, 10.0, 100.0])
def test_two_short_steps_are_enough_with_the_right_length(a):
    """eta = 1/(2a), K = 2: f falls by 81/256, n / x^4 -> 4/a before a long step and n / x^2 -> -1/9 after."""
    problem = problems.rosenbrock_quartic(a, x0=(0.2, 0.04))
    res = run(problem, GDPolyak.replace(eta=0.5 / a, K=2), 90, return_all=True)
    long = np.flatnonzero(res.history.long_step > 0)[16:28]
    x, y = np.array(res.allvecs).T
    n = y - x * x
    np.testing.assert_allclose(res.history.fun[long[1:] - 1] / res.history.fun[long[:-1] - 1], LIMIT, rtol=5e-3)
    np.testing.assert_allclose(n[long - 1] / x[long - 1] ** 4, 4 / a, rtol=0.05)
    np.testing.assert_allclose(n[long] / x[long] ** 2, -1 / 9, rtol=0.02)


@pytest.mark.parametrize("a, linear", [(0.25, True), (0.75, True), (2.0, False), (10.0, False)])
def test_one_short_step_is_enough_up_to_nine_eighths(a, linear):
    """With K = 1 the ratio n / x^2 has the fixed point -1/(9 - 8a) with multiplier 8a/9."""
    res = run(problems.rosenbrock_quartic(a, x0=(0.2, 0.04)), GDPolyak.replace(eta=0.5 / a, K=1), 60, return_all=True)
    long = np.flatnonzero(res.history.long_step > 0)
    rate = (res.history.fun[long[24]] / res.history.fun[long[14]]) ** 0.1
    if linear:
        x, y = np.array(res.allvecs)[long[20]]
        assert rate == pytest.approx(LIMIT, rel=0.02)
        assert (y - x * x) / (x * x) == pytest.approx(-1 / (9 - 8 * a), rel=0.1)
    else:
        assert rate > 0.36


def test_two_neurons_tend_to_the_rate_of_u3():
    f, alpha = epochs(run(problems.two_neurons(10), GDPolyak.replace(eta=1.5, K=100), 20 * 101))
    np.testing.assert_allclose(f[16:] / f[15:-1], 8 / 27, rtol=0.02)
    np.testing.assert_allclose(alpha[16:] / alpha[15:-1], 3 / 2, rtol=0.02)


def test_an_anisotropic_quartic_is_slower_than_an_isotropic_one():
    f, alpha = epochs(run(problems.quadratic_sensing(8, 1, 3, 60), GDPolyak.replace(eta=0.02, K=200), 12 * 201))
    ratio = f[5:] / f[4:-1]
    assert np.all(ratio > LIMIT) and np.all(ratio < 0.9)
    assert np.all(alpha[7:] > alpha[5:-2])      # they alternate, and grow


def test_a_fixed_number_of_short_steps_has_a_floor():
    """The linear phase ends near 1e-3 (1 - eta lam)^(2K): the normal part is unstable once x^2 is below (1 - eta lam)^K."""
    sizes, floors = (20, 30, 40, 50), []
    for K in sizes:
        f, _ = epochs(run(problems.rosenbrock_quartic(10.0, x0=(0.3, 0.09)), GDPolyak.replace(eta=0.0125, K=K), 60 * (K + 1)))
        ratio = f[1:] / f[:-1]
        end = np.flatnonzero(np.abs(ratio[3:] - LIMIT) > 0.1)[0] + 3
        floors.append(math.log(f[end]))
    slope = np.polyfit(sizes, floors, 1)[0]
    assert slope == pytest.approx(2 * math.log(0.75), rel=0.15), np.exp(floors)


# ---- rates of the others ----------------------------------------------------------------------------------------------

def slope(res, first, last):
    t = np.arange(first, last)
    return np.polyfit(np.log(t), np.log(res.history.fun[first:last]), 1)[0]


def test_gradient_descent_is_sublinear():
    """f ~ 1 / (64 eta^2 t^2) on the Rosenbrock quartic, and in general the slope -p / (p - 2)."""
    eta = 0.0125
    res = run(problems.rosenbrock_quartic(10.0), GD.replace(lr=eta), 10_000)
    assert res.history.fun[-1] * 64 * eta ** 2 * 1e8 == pytest.approx(1.0, rel=0.05)
    assert slope(res, 3000, 10_000) == pytest.approx(-2.0, rel=0.04)
    assert slope(run(problems.two_neurons(5), GD.replace(lr=1.5), 6000), 3000, 6000) == pytest.approx(-3.0, rel=0.02)
    sextic = run(problems.rosenbrock_quartic(5.0, p=6, x0=(0.8, 0.64)), GD.replace(lr=0.02), 6000)
    assert slope(sextic, 3000, 6000) == pytest.approx(-1.5, rel=0.1)


def test_polyaks_method_is_sublinear_and_erratic():
    """The slope -2p / (p - 2) is an observation without proof, and trajectories are chaotic: hence a band."""
    res = run(problems.rosenbrock_quartic(10.0), PolyakGD, 6000)
    best = np.minimum.accumulate(res.history.fun)
    t = np.arange(300, best.size)
    assert -6.0 < np.polyfit(np.log(t), np.log(best[300:]), 1)[0] < -2.5
    assert np.any(np.diff(res.history.fun) > 0.0)


def test_the_reconstruction_follows_a_log_squared_law():
    """Short steps between long ones grow by 2 an epoch, since ln(4/3)^2 is what a long step undoes."""
    problem = problems.rosenbrock_quartic(10.0, x0=(0.3, 0.09))
    res = run(problem, Adaptive.replace(rule="order4", f_star=0.0, eta=0.0125), 6000, ftarget=1e-28)
    gaps = np.diff(np.flatnonzero(res.history.long_step > 0))
    assert np.polyfit(np.arange(gaps.size)[8:], gaps[8:], 1)[0] == pytest.approx(2.0, rel=0.1)
    counts = [np.argmax(res.history.fun <= 10.0 ** -k) / k ** 2 for k in (16, 20, 24, 28)]
    assert max(counts) <= 1.1 * min(counts)


def test_the_curvature_rule_is_linear():
    res = run(problems.rosenbrock_quartic(10.0), Adaptive.replace(f_star=0.0), 2000, ftarget=1e-28)
    decades = (np.argmax(res.history.fun <= 1e-28) - np.argmax(res.history.fun <= 1e-12)) / 16
    assert decades == pytest.approx(8.0, rel=0.2)


# ---- quasi-Newton -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("p, factor", [(3, 0.618034), (4, 0.754878), (6, 0.856675)])
def test_secant_steps_on_a_power(p, factor):
    """One-dimensional quasi-Newton is the secant method on u^q, q = p - 1: c^2 = c - c^q (c - 1) / (c^q - 1)."""
    q = p - 1
    assert factor ** 2 == pytest.approx(factor - factor ** q * (factor - 1) / (factor ** q - 1), abs=1e-6)
    memory = aware.make_aware(1, 1)
    u, new, direction = np.array([1.0]), np.array([0.9]), np.empty(1)
    for _ in range(40):
        aware.learn_step(memory, new, u, new ** q, u ** q)
        aware.times(memory, -1.0, new ** q, direction)
        u, new = new, new + direction
    assert new[0] / u[0] == pytest.approx(factor, rel=1e-4)
