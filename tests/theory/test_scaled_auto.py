"""SAUTO: where its scalings come from, what a step costs, and what its line search keeps."""
import math

import numpy as np
import pytest

import curvopt
from curvopt import problems
from curvopt._jit import ENABLED
from curvopt.directions.curvature import scalings, secant_scalings
from curvopt.methods.scaled_auto import SHORTEST, WINDOW, long_or_short

SAUTO = curvopt.SAUTO
LOG_SPACED = problems.quadratic(np.logspace(0, 4, 30))
ROSENBROCK = problems.rosenbrock(10)
SEED = 20250203


@pytest.fixture
def rng():
    print(f"rng seed {SEED}")
    return np.random.default_rng(SEED)


def run(problem, method=SAUTO, compiled=False, gtol=1e-6, **options):
    return curvopt.minimize(problem.fun, problem.x0, args=problem.args, jac=problem.jac, hessp=problem.hessp,
                            method=method, options={"compiled": compiled, "history": True, "gtol": gtol, **options})


def random_definite(rng, n=6):
    q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    return (q * np.exp(rng.uniform(0.0, 5.0, n))) @ q.T


def pair(H, g):
    """(s_CG, s_MR) by their definition."""
    Hg = H @ g
    return g @ g / (g @ Hg), g @ Hg / (Hg @ Hg)


@pytest.mark.parametrize("factor", [1.0, 1e-170, 1e170])
def test_scalings_are_their_definition_at_any_size(rng, factor):
    H, g = random_definite(rng), rng.standard_normal(6)
    c, s_cg, s_mr = scalings(factor * g, factor * (H @ g))
    np.testing.assert_allclose((1.0 / c, s_cg, s_mr), (pair(H, g)[0], *pair(H, g)), rtol=1e-12)
    for bent in (-H, 0.0 * H):
        c, s_cg, s_mr = scalings(g, bent @ g)
        assert c <= 0.0 and s_cg == s_mr == 0.0


def test_a_secant_gives_the_scalings_of_the_gradient_before(rng):
    H, x_old = random_definite(rng), rng.standard_normal(6)
    g_old = H @ x_old
    x = x_old - 0.01 * g_old
    spare_x, spare_g = x_old.copy(), g_old.copy()
    c, s_cg, s_mr = secant_scalings(x, H @ x, spare_x, spare_g)
    np.testing.assert_allclose((1.0 / c, s_cg, s_mr), (pair(H, g_old)[0], *pair(H, g_old)), rtol=1e-9)
    np.testing.assert_array_equal(spare_x, x - x_old)
    np.testing.assert_array_equal(spare_g, H @ x - g_old)


def test_in_two_dimensions_the_short_step_is_one_over_the_larger_eigenvalue(rng):
    short = 0
    for _ in range(200):
        H = random_definite(rng, 2)
        largest = np.linalg.eigvalsh(H)[1]
        g = rng.standard_normal(2)
        before, now = pair(H, g), pair(H, g - rng.uniform(0.1, 1.9) / largest * (H @ g))
        s = long_or_short(*now, *before)
        if now[1] < 0.5 * now[0]:
            short += 1
            assert s == pytest.approx(1.0 / largest, rel=1e-6)
        else:
            assert s == now[0]
    assert short > 20


def test_the_scaling_is_short_or_long_and_never_vanishes(rng):
    for _ in range(2000):
        s_cg, cg_before = np.exp(rng.uniform(-20.0, 20.0, 2))
        s_mr, mr_before = s_cg * rng.uniform(1e-6, 1.0), cg_before * rng.uniform(1e-6, 1.0)
        s = long_or_short(s_cg, s_mr, cg_before, mr_before)
        if s_mr < 0.5 * s_cg:
            assert s_mr / (1.0 + SHORTEST) <= s <= s_mr
        else:
            assert s == s_cg
    assert long_or_short(1.0, 0.1, 0.0, 0.0) == 0.1         # no pair before
    assert long_or_short(1.0, 0.1, 1.0 + 1e-12, 0.1) == 0.1     # the same pair again


@pytest.mark.parametrize("kappa", [1e1, 1e2, 1e4, 1e6])
def test_terminates_quickly_in_the_plane(rng, kappa):
    for _ in range(10):
        p = problems.quadratic([1.0, kappa], rng.standard_normal(2))
        res = run(p, SAUTO.replace(sigma=0.0), gtol=1e-8 * np.abs(p.jac(p.x0, *p.args)).max())
        assert res.success and res.nit <= 12, (kappa, p.x0, res.nit)


@pytest.mark.parametrize("cycle", [0, 1, 3, 50])
def test_a_frozen_step_costs_a_value_and_a_gradient_and_comes_at_most_cycle_times_in_a_row(cycle):
    h = run(LOG_SPACED, SAUTO.replace(cycle=cycle), maxiter=120, gtol=0.0).history
    frozen = h.frozen[1:] == 1.0
    assert np.array_equal(np.diff(h.nhev), np.where(frozen, 0, 1))
    assert np.all(np.diff(h.njev) == 1)
    refused = np.round(np.log2(1.0 / h.step[1:])).astype(int)
    assert np.array_equal(np.diff(h.nfev), 1 + refused)
    # On a convex quadratic nothing but the cycle asks for a product.
    expected = np.arange(120) % (cycle + 1) != 0
    assert np.array_equal(frozen, expected)


def test_scalings_of_a_run_on_a_quadratic_are_those_of_the_rule():
    res = run(LOG_SPACED, SAUTO.replace(cycle=4), maxiter=60, gtol=0.0, return_all=True)
    H, before = np.diag(LOG_SPACED.args[0]), (0.0, 0.0)
    x, h = np.array(res.allvecs), res.history
    for k in range(60):
        frozen = h.frozen[k + 1] == 1.0
        now = pair(H, H @ x[k - 1] if frozen else H @ x[k])
        assert h.curvature[k + 1] == pytest.approx(1.0 / now[0], rel=1e-6)
        assert h.scaling[k + 1] == pytest.approx(long_or_short(*now, *before), rel=1e-4)
        before = now if frozen else before
        np.testing.assert_allclose(x[k + 1], x[k] - h.step[k + 1] * h.scaling[k + 1] * (H @ x[k]), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("problem", [LOG_SPACED, ROSENBROCK], ids=["quadratic", "rosenbrock"])
def test_armijo_holds_against_the_largest_of_the_last_values(problem):
    res = run(problem, maxiter=300, return_all=True)
    f, h = res.history.fun, res.history
    for k in range(len(f) - 1):
        g = problem.jac(res.allvecs[k], *problem.args)
        top = max(f[max(0, k + 1 - WINDOW):k + 1])
        assert f[k + 1] <= top - SAUTO.rho * h.step[k + 1] * h.scaling[k + 1] * (g @ g) + 1e-13 * abs(top)
    assert np.any(np.diff(f) > 0.0), "fun never rose: the window has no effect"
    assert res.fun == problem.fun(res.x, *problem.args)


def saddle_fun(x):
    return 0.25 * x[0] * x[0] * x[0] * x[0] - 0.5 * x[0] * x[0] + 0.5 * x[1] * x[1]


def saddle_jac(x):
    return np.array([x[0] * x[0] * x[0] - x[0], x[1]])


def saddle_hessp(x, p):
    return np.array([(3.0 * x[0] * x[0] - 1.0) * p[0], p[1]])


@pytest.mark.parametrize("x0", [(0.1, 0.0), (1e-3, 1.0), (-1e-9, 0.5)])
def test_negative_curvature_is_noticed_and_the_saddle_is_left(x0):
    res = curvopt.minimize(saddle_fun, np.array(x0), jac=saddle_jac, hessp=saddle_hessp, method=SAUTO,
                           options={"history": True, "gtol": 1e-10})
    assert res.success
    np.testing.assert_allclose(res.x, (math.copysign(1.0, x0[0]), 0.0), atol=1e-8)
    negative = res.history.curvature < 0.0
    assert np.any(negative)
    assert np.all(res.history.frozen[negative] == 0.0)      # a product decided it
    assert np.all(res.history.scaling[negative] == SAUTO.s_negative)


def test_changing_the_units_by_powers_of_two_changes_no_bit():
    p = ROSENBROCK
    method = SAUTO.replace(sigma=0.0)
    plain = run(p, method, maxiter=80, gtol=0.0)
    for a, b in ((4.0, 1.0), (1.0, 8.0), (0.5, 0.25)):      # f -> a f, x = b y
        res = curvopt.minimize(
            lambda y: a * p.fun(b * y), p.x0 / b, jac=lambda y: a * b * p.jac(b * y),
            hessp=lambda y, v: a * b * b * p.hessp(b * y, v),
            method=method.replace(s_negative=method.s_negative / (a * b * b)),
            options={"history": True, "maxiter": 80, "gtol": 0.0})
        assert np.array_equal(b * res.x, plain.x), (a, b)
        assert np.array_equal(res.history.fun, a * plain.history.fun)
        assert np.array_equal(res.history.nfev, plain.history.nfev)


@pytest.mark.skipif(not ENABLED, reason="without the compiler there is one execution")
def test_compiled_equals_interpreted_for_any_chunk():
    runs = [run(ROSENBROCK, compiled=compiled, chunk=chunk) for compiled, chunk in ((False, None), (True, 7), (True, 256))]
    assert runs[0].success and np.any(runs[0].history.frozen == 0.0)
    for other in runs[1:]:
        assert other.compiled and np.array_equal(other.x, runs[0].x)
        for name in other.history.columns:
            if name != "time":
                assert np.array_equal(other.history[name], runs[0].history[name]), name


def test_cheaper_than_the_alternation_it_replaces():
    """By a factor of 3 in the geometric mean of the eight problems (benchmarks); here twice, on two of them."""
    for p in (LOG_SPACED, ROSENBROCK):
        assert 2 * run(p).history.units[-1] < run(p, curvopt.MRCG, maxiter=100_000).history.units[-1]


@pytest.mark.parametrize("change, words", [
    ({"cycle": -1}, "cycle must be at least 0"),
    ({"cycle": 2.5}, "cycle must be an integer"),
    ({"sigma": -1.0}, "sigma must be non-negative"),
    ({"sigma": 0.1, "s_limited": 11.0}, "s_limited must be at most 1/sigma = 10"),
    ({"rho": 0.5}, "rho must lie in the open interval"),
])
def test_bad_parameters(change, words):
    with pytest.raises((TypeError, ValueError), match=words):
        SAUTO.replace(**change)
