"""The trust region of truncated Newton: Steihaug's step, the way back along its path, the ratio test, and the runs."""
import math

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der, rosen_hess_prod

import curvopt
from curvopt import problems
from curvopt._objective import Objective
from curvopt._oracle import NFEV, NHEV, NJEV
from curvopt.directions import krylov, steihaug
from curvopt.directions.inverse_hessian import learn_pair, make_inverse, times
from curvopt.linesearch import region
from curvopt.stepsize import turns

REGION = curvopt.TruncatedNewton.replace(globalization="region")
N = 25
X0 = np.tile([-1.2, 1.0], 20)


def matrix_of(kind, seed=1):
    print("seed", seed)
    rng = np.random.default_rng(seed)
    q = np.linalg.qr(rng.standard_normal((N, N)))[0]
    lam = np.logspace(0, 4, N)
    if kind == "indefinite":
        lam[::5] *= -1.0
    return q @ np.diag(lam) @ q.T, rng.standard_normal(N)


def solved(matrix, g, radius, pairs=0, cap=200, eta=1e-10):
    """(how it ended, the Solve after Steihaug's step, the preconditioner)."""
    inverse, rng = make_inverse(N, 30, 0), np.random.default_rng(7)
    for _ in range(pairs):
        s = rng.standard_normal(N)
        learn_pair(inverse, s, matrix @ s)
    solve = krylov.make_solve(N, 8)
    oracle = Objective(lambda x: 0.0, lambda x: x, None, lambda x, v: matrix @ v, (), (N,), True).oracle()
    ended = krylov.truncated_cg(oracle, np.zeros(N), g, inverse, False, eta, cap, radius, solve)
    if ended == krylov.NEGATIVE:
        steihaug.to_edge(radius, solve.d, solve.hd, solve.p, solve.r, solve.real)
    return ended, solve, inverse


def model(matrix, g, p):
    return g @ p + 0.5 * p @ matrix @ p


# ---- Steihaug's step -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("pairs", [0, 6])
@pytest.mark.parametrize("kind", ["convex", "indefinite"])
def test_model_falls_at_least_as_by_its_first_step(kind, pairs):
    """The best point in the ball along the preconditioned gradient; without pairs that is the Cauchy point."""
    matrix, g = matrix_of(kind)
    for radius in (1e-6, 1e-3, 0.1, 10.0):
        _, solve, inverse = solved(matrix, g, radius, pairs)
        d = np.empty(N)
        times(inverse, -1.0, g, d)
        dhd, longest = d @ matrix @ d, radius / np.linalg.norm(d)
        cauchy = d * (min(-(g @ d) / dhd, longest) if dhd > 0 else longest)
        assert model(matrix, g, solve.p) <= model(matrix, g, cauchy) * (1.0 - 1e-9)
        assert region.promise(g, solve.r, solve.p) == pytest.approx(-model(matrix, g, solve.p), rel=1e-6)


@pytest.mark.parametrize("pairs", [0, 6])
def test_iterates_grow_in_the_norm_of_the_preconditioner(pairs):
    """So the path that is left at an edge is not met again; the Euclidean norm is that one where there are no pairs."""
    matrix, g = matrix_of("convex")
    lengths = []
    for cap in range(1, 12):
        ended, solve, inverse = solved(matrix, g, 1e300, pairs, cap, 0.0)
        assert ended == krylov.CAPPED
        dense = np.empty((N, N))
        for i, e in enumerate(np.eye(N)):
            times(inverse, 1.0, e, dense[i])
        lengths.append(solve.p @ np.linalg.solve(dense, solve.p))
    assert np.all(np.diff(lengths) > 0)


@pytest.mark.parametrize("pairs", [0, 6])
def test_negative_curvature_leads_to_the_edge(pairs):
    matrix, g = matrix_of("indefinite")
    for radius in (0.5, 7.0, 1e4):
        ended, solve, _ = solved(matrix, g, radius, pairs)
        assert ended in (krylov.NEGATIVE, krylov.LIMITED)
        assert np.linalg.norm(solve.p) == pytest.approx(radius, rel=1e-12) == solve.real[krylov.LENGTH]
        assert np.linalg.norm(matrix @ solve.p + g - solve.r) <= 1e-9 * np.linalg.norm(matrix @ solve.p)
    assert ended == krylov.NEGATIVE, "the largest region has met it"


def test_a_doubtful_curvature_is_followed_to_its_minimum_only():
    """1e-12 of the largest is no step for conjugate gradients, and is not negative either: the edge lies too far."""
    matrix, g = np.diag(np.r_[1.0, 1e-12, np.ones(N - 2)]), np.r_[0.0, 1e-6, np.zeros(N - 2)]
    for radius, length in ((1e9, 1e6), (1e4, 1e4)):
        solve = krylov.make_solve(N, 0)
        solve.real[krylov.LARGEST] = 1.0
        oracle = Objective(lambda x: 0.0, lambda x: x, None, lambda x, v: matrix @ v, (), (N,), True).oracle()
        ended = krylov.truncated_cg(oracle, np.zeros(N), g, make_inverse(N, 3, 0), False, 0.1, 5, radius, solve)
        assert ended == krylov.NEGATIVE
        steihaug.to_edge(radius, solve.d, solve.hd, solve.p, solve.r, solve.real)
        assert np.linalg.norm(solve.p) == pytest.approx(length) and region.promise(g, solve.r, solve.p) > 0.0


@pytest.mark.parametrize("pairs", [0, 6])
@pytest.mark.parametrize("kind", ["convex", "indefinite"])
def test_the_way_back_keeps_to_the_path(kind, pairs):
    """Each smaller radius is met exactly, with the residual there and a quarter of the exact step's decrease."""
    matrix, g = matrix_of(kind)
    _, solve, _ = solved(matrix, g, 10.0, pairs)
    before = model(matrix, g, solve.p)
    radius = np.linalg.norm(solve.p)
    products = solve.whole[krylov.DEPTH]
    for _ in range(9):
        radius *= 0.25
        steihaug.retreat(radius, g, solve)
        assert np.linalg.norm(solve.p) == pytest.approx(radius, rel=1e-7) == solve.real[krylov.LENGTH]
        assert np.linalg.norm(matrix @ solve.p + g - solve.r) <= 1e-7 * np.linalg.norm(g)
        now = model(matrix, g, solve.p)
        assert before < now < 0.0, "the model rises on the way back, and stays below its start"
        assert now <= 0.25 * model(matrix, g, solved(matrix, g, radius, pairs)[1].p)
        before = now
    assert solve.whole[krylov.DEPTH] == products


def test_the_way_back_within_the_last_segment_is_steihaugs_step():
    matrix, g = matrix_of("indefinite")
    _, solve, _ = solved(matrix, g, 1e4)
    steihaug.retreat(5e3, g, solve)
    assert np.allclose(solve.p, solved(matrix, g, 5e3)[1].p, rtol=1e-9, atol=1e-9)


# ---- the ratio test --------------------------------------------------------------------------------------------------

def ratio_of(fun, jac, x, p, hess, K=100.0):
    """(rho, values taken, gradients taken)."""
    oracle = Objective(fun, jac, None, lambda x, v: hess @ v, (), x.shape, True).oracle()
    f, g = fun(x), jac(x)
    promised = region.promise(g, g + hess @ p, p)
    rho, _ = region.ratio(oracle, f, g, p, promised, K, x + p, np.empty_like(x))
    return rho, oracle.data.counts[NFEV], oracle.data.counts[NJEV]


@pytest.mark.parametrize("size", [1.0, 1e-4, 1e-8, 1e-12])
@pytest.mark.parametrize("shift", [0.0, 1e8])
def test_on_a_quadratic_the_ratio_is_one_down_to_the_rounding_of_the_gradient(size, shift):
    """Also where the decrease is far below the rounding of f: there the slopes at both ends decide."""
    hess = np.diag([1.0, 3.0])
    x = np.array([size, -size])
    rho, values, gradients = ratio_of(lambda x: shift + 0.5 * float(x @ hess @ x), lambda x: hess @ x, x, -x, hess)
    assert rho == pytest.approx(1.0, abs=0.05 if shift and size == 1.0 else 1e-6) and (values, gradients) == (1, 1)


def test_what_is_not_finite_is_refused():
    one = np.eye(1)
    for fun, jac, gradients in ((lambda x: math.nan if x[0] == 0 else 1.0, lambda x: x, 0),
                                (lambda x: math.inf if x[0] == 0 else 1.0, lambda x: x, 0),
                                (lambda x: 0.5 * float(x @ x), lambda x: x * (math.nan if x[0] == 0 else 1.0), 1)):
        rho, values, taken = ratio_of(fun, jac, np.array([1.0]), np.array([-1.0]), one)
        assert rho == region.REFUSED and (values, taken) == (1, gradients)


def test_radius_follows_the_ratio():
    assert region.next_radius(0.9, 2.0, 2.0) == 4.0
    assert region.next_radius(0.9, 1.0, 2.0) == 2.0, "a step inside says nothing about the edge"
    assert region.next_radius(0.5, 2.0, 2.0) == 2.0
    assert region.next_radius(0.1, 2.0, 2.0) == region.next_radius(-1.0, 2.0, 4.0) == 0.5
    assert region.next_radius(math.nan, 2.0, 2.0) == 0.5


def test_a_refused_step_costs_a_value_and_no_product():
    """A wall beyond ||x|| = 1/4: the step of length 1 becomes one of 1/4, then 1/16."""
    hess = np.eye(2)
    oracle = Objective(lambda x: -float(x.sum()) if np.linalg.norm(x) < 0.2 else math.inf, lambda x: -np.ones(2), None,
                       lambda x, v: 0.0 * v, (), (2,), True).oracle()
    x, g, x_new = np.zeros(2), -np.ones(2), np.empty(2)
    solve = krylov.make_solve(2, 0)
    krylov.truncated_cg(oracle, x, g, make_inverse(2, 3, 0), False, 0.1, 5, 1.0, solve)
    steihaug.to_edge(1.0, solve.d, solve.hd, solve.p, solve.r, solve.real)
    taken, f, radius = region.search(oracle, x, 0.0, g, solve, 1.0, 100.0, x_new, np.empty(2))
    assert taken and np.linalg.norm(x_new) == pytest.approx(1 / 16) and f == pytest.approx(-x_new.sum())
    assert radius == 2.0 * np.linalg.norm(x_new) or radius == pytest.approx(1 / 8)
    assert list(oracle.data.counts[[NFEV, NJEV, NHEV]]) == [3, 1, 1] and hess is not None


def test_a_step_that_does_not_change_x_is_none():
    """The slopes at both ends are then equal, and would take it again and again."""
    oracle = Objective(lambda x: 1.0, lambda x: x, None, lambda x, v: 1e30 * v, (), (2,), True).oracle()
    x, g = np.array([1.0, 2.0]), np.array([1.0, 2.0])
    solve = krylov.make_solve(2, 0)
    assert krylov.truncated_cg(oracle, x, g, make_inverse(2, 3, 0), False, 0.1, 5, 1.0, solve) == krylov.SOLVED
    taken, f, radius = region.search(oracle, x, 1.0, g, solve, 1.0, 100.0, np.empty(2), np.empty(2))
    assert not taken and (f, radius) == (1.0, 1.0) and oracle.data.counts[NFEV] == 0


# ---- turns -----------------------------------------------------------------------------------------------------------

def test_dear_solves_let_bursts_try_and_cheap_ones_go_on():
    book = turns.make_book(np.zeros(3), False, 1.0)
    assert book[turns.LEFT] == 0.0 and book[turns.RADIUS] == 1.0
    turns.plan_in_region(0.1, 0.3, True, False, turns.TURN, book)
    assert book[turns.LEFT] == 0.0, "cheap: bursts are not asked"
    turns.plan_in_region(0.1, 0.3, True, True, 150.0, book)
    assert book[turns.LEFT] == 100.0, "untried: a burst as dear as the solve"
    book[turns.RATE] = 0.1
    turns.plan_in_region(0.1, 0.3, True, False, 150.0, book)
    assert book[turns.LEFT] == 200.0, "it won more: twice as long"
    turns.plan_in_region(0.1, 0.3, True, False, 1e9, book)
    assert book[turns.LEFT] == turns.LONGEST_TURN
    turns.plan_in_region(0.1, 0.3, True, True, 1e9, book)
    assert book[turns.LEFT] == 0.0 and book[turns.LENGTH] == turns.FIRST_BURST, "it won less"
    turns.plan_in_region(0.1, 0.3, False, False, 1e9, book)
    assert book[turns.LEFT] == 0.0, "no bursts where the depth is given"


# ---- runs ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("parameters", [{}, {"depth": 7}, {"depth": 1, "m": 0}, {"m": 5, "plain_retry": True}])
def test_values_never_rise_and_the_radius_is_kept(parameters):
    """f falls beyond rounding, no step is longer than its radius, and no gradient is taken twice at a point."""
    points = []
    method = REGION.replace(**parameters)
    oracle = Objective(rosen, lambda x: points.append(x.tobytes()) or rosen_der(x), None, rosen_hess_prod, (), X0.shape,
                       True).oracle()
    state = method.init(oracle, X0, method.params)
    for _ in range(60):
        x, f, radius, burst = state.x.copy(), state.f, state.book[turns.RADIUS], state.book[turns.LEFT] > 0.0
        state = method.step(oracle, state, method.params)
        assert state.f <= f + 1e-12 * abs(f)
        assert burst or np.linalg.norm(state.x - x) <= radius * (1.0 + 1e-12)
    assert len(points) == len(set(points)) == oracle.data.counts[NJEV]


@pytest.mark.xdist_group("compiled-TruncatedNewton")    # one worker, so that the loop is compiled once
def test_compiled_and_interpreted_runs_have_the_same_bits():
    p = problems.rosenbrock(40)
    runs = [curvopt.minimize(p.fun, p.x0, jac=p.jac, hessp=p.hessp, method=REGION,
                             options={"compiled": compiled, "chunk": 7, "history": True, "gtol": 1e-9})
            for compiled in (False, None)]
    assert runs[0].success and np.array_equal(runs[0].x, runs[1].x)
    for column in ("fun", "grad_norm", "nfev", "njev", "nhev", "depth"):
        assert np.array_equal(runs[0].history[column], runs[1].history[column])


def test_saddles_and_walls():
    """The run leaves a saddle, and does not mind where fun is NaN."""
    saddle = curvopt.minimize(lambda x: x[0] ** 4 / 4 - x[0] ** 2 / 2 + x[1] ** 2 / 2, [1e-3, 1.0],
                              jac=lambda x: np.array([x[0] ** 3 - x[0], x[1]]),
                              hessp=lambda x, v: np.array([(3 * x[0] ** 2 - 1) * v[0], v[1]]), method=REGION)
    assert saddle.success and abs(abs(saddle.x[0]) - 1.0) < 1e-5
    wall = curvopt.minimize(lambda x: rosen(x) if np.abs(x).max() < 1.5 else np.nan, [-1.2, 1.0], jac=rosen_der,
                            hessp=rosen_hess_prod, method=REGION)
    assert wall.success


def test_values_that_are_useless_do_not_stop_it():
    res = curvopt.minimize(lambda x: 1e8 + rosen(x), X0[:4], jac=rosen_der, hessp=rosen_hess_prod, method=REGION,
                           options={"gtol": 1e-6})
    assert np.abs(rosen_der(res.x)).max() <= 1e-6


def test_a_plateau_ends_the_run_in_a_few_steps():
    """No gradient below rounding can be met; a wrong gradient is no reason to go on either."""
    hopeless = curvopt.minimize(lambda x: 1e6 + rosen(x), X0[:4], jac=rosen_der, hessp=rosen_hess_prod, method=REGION,
                                options={"gtol": 0.0})
    assert hopeless.status.name in ("PRECISION", "CONVERGED") and hopeless.nit < 150
    wrong = curvopt.minimize(rosen, X0[:4], jac=lambda x: -rosen_der(x), hessp=rosen_hess_prod, method=REGION)
    assert wrong.status.name == "STEP_FAILED" and wrong.nit < 50


def test_scaling_fun_by_a_power_of_two_changes_no_bit():
    runs = [curvopt.minimize(lambda x, c=c: c * rosen(x), X0[:10], jac=lambda x, c=c: c * rosen_der(x),
                             hessp=lambda x, v, c=c: c * rosen_hess_prod(x, v), method=REGION,
                             options={"gtol": 0.0, "maxiter": 30, "return_all": True}) for c in (1.0, 2.0 ** -20)]
    assert np.array_equal(runs[0].allvecs, runs[1].allvecs)


def test_auto_takes_the_region_where_the_memory_stays_limited_and_products_are_cheap():
    def same(n, other, **parameters):
        x0 = np.tile([-1.2, 1.0], n // 2)
        runs = [curvopt.minimize(rosen, x0, jac=rosen_der, hessp=rosen_hess_prod, options={"maxiter": 8},
                                 method=curvopt.TruncatedNewton.replace(globalization=g, **parameters)).x
                for g in ("auto", other)]
        return np.array_equal(*runs)

    assert same(500, "search") and same(502, "region") and same(502, "search", price=2.0)
    assert not same(500, "region") and not same(502, "search")
    with pytest.raises(ValueError, match="globalization"):
        curvopt.TruncatedNewton.replace(globalization="ball")
