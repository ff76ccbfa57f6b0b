"""FUSE and FUSE-PV: invariances, pairs, monotonicity, when a switch pays and where it should be."""
import math

import numpy as np
import pytest

import curvopt
from curvopt.directions.inverse_hessian import learn_step, make_inverse
from curvopt.directions.limited_memory import PAIR_TEST, curved, products, two_loop
from curvopt.methods import fuse_auto
from curvopt.methods.quasi_newton import descent

ROSENBROCK = curvopt.problems.rosenbrock(10)


def run(method, fun, x0, jac=True, **options):
    return curvopt.minimize(fun, x0, jac=jac, method=method,
                            options={"maxiter": 400, "gtol": 1e-9, "history": True, "compiled": False, **options})


def rosenbrock(x):
    return ROSENBROCK.fun(x), ROSENBROCK.jac(x)


def wood(x):
    a, b, c, d = x
    t, u = b - a * a, d - c * c
    f = 100 * t * t + (1 - a) ** 2 + 90 * u * u + (1 - c) ** 2 + 10.1 * ((b - 1) ** 2 + (d - 1) ** 2) + 19.8 * (b - 1) * (d - 1)
    return float(f), np.array([-400 * a * t - 2 * (1 - a), 200 * t + 20.2 * (b - 1) + 19.8 * (d - 1),
                               -360 * c * u - 2 * (1 - c), 180 * u + 20.2 * (d - 1) + 19.8 * (b - 1)])


def himmelblau(x):
    u, v = x[0] ** 2 + x[1] - 11, x[0] + x[1] ** 2 - 7
    return float(u * u + v * v), np.array([4 * x[0] * u + 2 * v, 2 * u + 4 * x[1] * v])


STARTS = [(rosenbrock, ROSENBROCK.x0), (wood, np.array([-3.0, -1.0, -3.0, -1.0])), (himmelblau, np.zeros(2))]


def changed(fun, c, s):
    def other(x):
        f, g = fun(x)
        return c * f + s, c * g

    return other


# ---- invariance ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("fun, x0", STARTS)
@pytest.mark.parametrize("c, s", [(1e-4, 0.0), (1e4, 0.0), (1.0, 10.0)])
def test_the_automatic_switch_does_not_see_units(fun, x0, c, s):
    method = curvopt.FUSEPV.replace(first="adam")
    plain, other = run(method, fun, x0), run(method, changed(fun, c, s), x0, gtol=1e-9 * c)
    assert plain.switch_nit is not None and plain.switch_nit == other.switch_nit
    k = plain.switch_nit + 5        # later, rounding grows as in every quasi-Newton method
    assert np.allclose(plain.history.fun[:k], (other.history.fun[:k] - s) / c, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("switch", [("grad", 0.5), ("loss", 1e-4), lambda k, x, f, g: f < 2.0])
def test_thresholds_see_units(switch):
    """The same function in three units: the switch moves, or does not come at all."""
    fun, x0 = curvopt.problems.rosenbrock(2), np.array([-1.2, 1.0])
    method = curvopt.FUSEPV.replace(switch=switch, lr=0.1)
    switches = [run(method, changed(lambda x: (fun.fun(x), fun.jac(x)), c, 0.0), x0, maxiter=1500, gtol=0.0).switch_nit
                for c in (1e-4, 1.0, 1e4)]
    assert len(set(switches)) == 3, switches


def test_rotation_is_nothing_to_lbfgs_and_much_to_adam():
    rng = np.random.default_rng(0)
    n = 12
    eigenvalues, x0 = np.logspace(0, 3, n), rng.standard_normal(n)
    basis = np.linalg.qr(rng.standard_normal((n, n)))[0]

    def straight(x):
        return 0.5 * float(eigenvalues @ (x * x)), eigenvalues * x

    def turned(y):
        f, g = straight(basis.T @ y)
        return f, basis @ g

    def values(switch):
        return [run(curvopt.FUSEPV.replace(switch=switch, lr=0.1), fun, start, maxiter=15).history.fun
                for fun, start in ((straight, x0), (turned, basis @ x0))]

    assert np.allclose(*values(0), rtol=1e-6)
    adam = values(math.inf)
    assert np.abs(np.log(adam[0][5:] / adam[1][5:])).max() > 0.1


# ---- pairs -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("schedule", [0.0, 0.5, 0.9, ("linear", 40)])
def test_every_stored_pair_curves_upward_and_the_recursion_is_bfgs(schedule):
    res = run(curvopt.FUSE.replace(schedule=schedule, lr=0.1, m=30), wood, np.array([-3.0, -1.0, -3.0, -1.0]), maxiter=24)
    S, Y, rho, coef, info, gamma = res.state.state.newton.inverse[:6]
    held = info[0]
    sy = np.einsum("ij,ij->i", S[:held], Y[:held])
    assert held > 0 and np.all(sy > 0.0) and np.allclose(rho[:held], 1.0 / sy)
    H = gamma[0] * np.eye(4)
    for s, y in zip(S[:held], Y[:held]):        # no pair has left the ring: the oldest is the first
        V = np.eye(4) - np.outer(y, s) / (s @ y)
        H = V.T @ H @ V + np.outer(s, s) / (s @ y)
    for v in np.eye(4):
        out = np.empty(4)
        two_loop(S, Y, rho, coef, info, gamma[0], 1.0, v, out)
        assert np.allclose(out, H @ v, rtol=1e-8, atol=1e-8 * np.abs(H).max())


def test_pairs_of_one_batch_and_of_two():
    """Convex quadratics f_i with eigenvalues in [mu, L]: mu s's <= s'y <= L s's for a difference of gradients over one
    batch; over two batches the difference holds sampling noise, and the pair may curve downward."""
    rng = np.random.default_rng(5)
    n, samples, mu, L = 6, 40, 0.5, 30.0
    bases = [np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in range(samples)]
    A = np.array([q @ np.diag(rng.uniform(mu, L, n)) @ q.T for q in bases])
    b = 20.0 * rng.standard_normal((samples, n))

    def gradient(x, rows):
        return np.mean(A[rows] @ x - b[rows], axis=0)

    downward = 0
    for _ in range(200):
        one, two = (rng.choice(samples, 4, replace=False) for _ in range(2))
        x, s = rng.standard_normal(n), 0.1 * rng.standard_normal(n)
        ss, sy, yy = products(s, gradient(x + s, one) - gradient(x, one))
        assert mu * ss * (1 - 1e-9) <= sy <= L * ss * (1 + 1e-9) and curved(ss, sy, yy, PAIR_TEST)
        ss, sy, yy = products(s, gradient(x + s, two) - gradient(x, one))
        downward += not curved(ss, sy, yy, PAIR_TEST)
    assert 20 < downward < 180


# ---- the second phase ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("fun, x0", STARTS)
@pytest.mark.parametrize("switch", [0, 15, "auto"])
def test_quasi_newton_phases_descend_and_the_best_point_is_returned(fun, x0, switch):
    res = run(curvopt.FUSEPV.replace(switch=switch, lr=0.1), fun, x0)
    f, newton = res.history.fun, res.history.phase == fuse_auto.NEWTON
    steps = np.flatnonzero(newton[1:] & newton[:-1]) + 1
    assert np.all(f[steps] <= f[steps - 1] + 1e-12 * np.abs(f[steps - 1]))
    assert res.fun == f.min() == fun(res.x)[0]


@pytest.mark.parametrize("fun, x0", STARTS)
@pytest.mark.parametrize("switch, lr", [(0, 0.1), (15, 0.1), ("auto", 0.01)])
def test_no_evaluated_point_was_lower_than_the_result(fun, x0, switch, lr):
    """Not even a trial of a search that was passed over, beyond the rounding that the search allows for."""
    seen = []

    def spy(x):
        f, g = fun(x)
        seen.append(f)
        return f, g

    res = run(curvopt.FUSEPV.replace(switch=switch, lr=lr), spy, x0)
    assert res.fun <= min(seen) + 1e2 * 2.0 ** -52 * abs(min(seen)) and len(seen) == res.nfev


@pytest.mark.parametrize("n", [2, 5, 9])
def test_a_quadratic_ends_in_as_many_steps_as_it_has_variables(n):
    """With exact steps and a memory that holds n pairs, L-BFGS is conjugate gradients. The search of the library does not
    look for exact steps, so they are made here; direction and memory are the library's."""
    eigenvalues, x = np.linspace(1.0, 8.0, n), np.ones(n)
    inverse, d = make_inverse(n, n, 0), np.empty(n)
    g = eigenvalues * x
    for _ in range(n):
        slope, _ = descent(inverse, g, d, 1.0)
        x_new = x - slope / float(d @ (eigenvalues * d)) * d
        g_new = eigenvalues * x_new
        assert learn_step(inverse, x_new, x, g_new, g, 0.0)[0]
        x, g = x_new, g_new
    assert np.abs(g).max() < 1e-10


def test_a_start_of_length_ten_is_quasi_newton_bit_for_bit():
    """The first trial is a tenth of ||x0||, at most 1, which is the first trial of QuasiNewton."""
    x0 = np.resize([-4.0, 3.0], 10)
    auto, newton = (run(m, rosenbrock, x0) for m in (curvopt.FUSEPV, curvopt.QuasiNewton))
    assert auto.nfev < fuse_auto.FIRST_CHECK
    assert np.array_equal(auto.history.fun, newton.history.fun) and auto.nfev == newton.nfev


def test_the_price_of_probes_that_are_rolled_back():
    """At most a tenth of the calls at each doubling, and never less than 20."""
    long = curvopt.problems.rosenbrock(200)
    res = run(curvopt.FUSEPV.replace(lr=1e-6), lambda x: (long.fun(x), long.jac(x)), long.x0, maxiter=3000)
    doublings = math.log2(res.nfev / fuse_auto.FIRST_CHECK)
    assert res.success and res.probes <= doublings + 1
    assert res.adam_steps <= 20 * res.probes + 0.2 * res.nfev


def test_a_wall_of_values_that_are_not_finite():
    two = curvopt.problems.rosenbrock(2)
    asked = []

    def wall(x):
        asked.append(x.copy())
        return (math.nan if x[0] > 1.05 or x[1] > 1.2 else two.fun(x)), two.jac(x)

    for method in (curvopt.FUSEPV, curvopt.FUSEPV.replace(first="adam", lr=0.1), curvopt.FUSEPV.replace(switch=30, lr=0.1)):
        asked.clear()
        res = run(method, wall, [-1.2, 1.0])
        assert res.fun < 1e-18 and len(asked) == res.nfev < 200


# ---- where to switch -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("p", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("price", [1.0, 5.0, 20.0])
@pytest.mark.parametrize("rho", [0.5, 0.9, 0.99])
def test_the_best_switch_matches_the_rates(p, price, rho):
    """Adam's gap C k^-p at a call a step, then a factor rho a step of L-BFGS at `price` calls: the total is least where both
    gain the same per call, k = p price / log(1/rho), whatever C and the accuracy are."""
    best = max(1.0, p * price / math.log(1.0 / rho))
    k = np.arange(1, int(2 * best) + 50)
    for C, accuracy in ((1.0, 1e-6), (1e3, 1e-10)):
        total = k + price * np.log(C * k ** -p / accuracy) / math.log(1.0 / rho)
        assert abs(k[np.argmin(total)] - best) < 1.0       # a whole number next to the minimum of a convex function


def test_when_the_switch_beats_adam_alone():
    """The condition c_L log(e/eps) / log(1/rho) <= c_A (N_A - k), on a real run: quadratic, exact second phase."""
    eigenvalues = np.array([1.0, 3.0, 10.0])
    eps = 1e-8

    def bowl(x):
        return 0.5 * float(eigenvalues @ (x * x)), eigenvalues * x

    adam = run(curvopt.Adam.replace(lr=0.05), bowl, np.ones(3), maxiter=3000)
    alone = np.flatnonzero(adam.history.fun <= eps)[0]
    for k in (5, 50, 150, alone - 2):
        both = run(curvopt.FUSEPV.replace(switch=int(k), lr=0.05), bowl, np.ones(3))
        second = both.history.nfev[np.flatnonzero(both.history.fun <= eps)[0]] - 1 - k
        assert (k + second <= alone) == (second <= alone - k)
        assert second <= 12         # bounded: an early switch wins, one just before Adam's end cannot win much
