"""Whose turn it is and how far a solve may go: what turns.py and the radius of krylov.py promise."""
import math

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der, rosen_hess, rosen_hess_prod

import curvopt
from curvopt._objective import Objective
from curvopt._oracle import NFEV, NHEV, NJEV
from curvopt.directions import krylov
from curvopt.directions.inverse_hessian import HELD, learn_pair, make_inverse, times
from curvopt.stepsize import turns

NEWTON = curvopt.TruncatedNewton
X0 = np.tile([-1.2, 1.0], 20)


def walk(steps, method=NEWTON, x0=X0, jac=rosen_der, hessp=rosen_hess_prod, hess=None):
    """Yield (state before, state after, counts before, counts after) of each step; the book is copied."""
    oracle = Objective(rosen, jac, hess, hessp, (), x0.shape, True).oracle()
    state = method.init(oracle, x0, method.params)
    for _ in range(steps):
        before = state._replace(book=state.book.copy(), x=state.x.copy(), g=state.g.copy())
        counts = oracle.data.counts.copy()
        state = method.step(oracle, state, method.params)
        yield before, state, counts, oracle.data.counts.copy()


# ---- the radius ------------------------------------------------------------------------------------------------------

def solve_within(radius, pairs=0, n=30, seed=1):
    print("seed", seed)
    rng = np.random.default_rng(seed)
    q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    matrix, g = q @ np.diag(np.logspace(0, 4, n)) @ q.T, rng.standard_normal(n)
    inverse = make_inverse(n, 30, 0)
    for _ in range(pairs):
        s = rng.standard_normal(n)
        learn_pair(inverse, s, matrix @ s)
    solve = krylov.make_solve(n, 8)
    oracle = Objective(lambda x: 0.0, lambda x: x, None, lambda x, v: matrix @ v, (), (n,), True).oracle()
    ended = krylov.truncated_cg(oracle, np.zeros(n), g, inverse, False, 1e-10, 200, radius, solve)
    return ended, solve, matrix, g, inverse


@pytest.mark.parametrize("pairs", [0, 6])
def test_a_solve_ends_at_its_radius(pairs):
    ended, solve, matrix, g, _ = solve_within(math.inf, pairs)
    assert ended == krylov.SOLVED
    whole = np.linalg.norm(solve.p)
    for share in (1e-6, 0.03, 0.5, 0.97):
        ended, part, *_ = solve_within(share * whole, pairs)
        assert ended == krylov.LIMITED and np.linalg.norm(part.p) == pytest.approx(share * whole, rel=1e-9)
        assert np.linalg.norm(matrix @ part.p + g - part.r) <= 1e-9 * np.linalg.norm(g), "the residual is that of the part"
        assert part.whole[krylov.DEPTH] <= solve.whole[krylov.DEPTH] and g @ part.p < 0
    assert solve_within(1.1 * whole, 0)[0] == krylov.SOLVED or pairs


@pytest.mark.parametrize("pairs", [0, 6])
def test_iterates_grow_in_the_norm_of_the_preconditioner(pairs):
    """So what is cut off at a radius in that norm is never met again; in the Euclidean norm this holds without pairs."""
    lengths = []
    for cap in range(1, 12):
        *_, g, inverse = solve_within(math.inf, pairs)
        _, solve, matrix, g, inverse = capped(cap, pairs)
        dense = np.empty((30, 30))
        for i, e in enumerate(np.eye(30)):
            times(inverse, 1.0, e, dense[i])
        lengths.append(solve.p @ np.linalg.solve(dense, solve.p))
    assert np.all(np.diff(lengths) > 0)


def capped(cap, pairs):
    ended, solve, matrix, g, inverse = solve_within(math.inf, pairs)
    oracle = Objective(lambda x: 0.0, lambda x: x, None, lambda x, v: matrix @ v, (), (30,), True).oracle()
    return krylov.truncated_cg(oracle, np.zeros(30), g, inverse, False, 0.0, cap, math.inf, solve), solve, matrix, g, inverse


def test_an_earlier_iterate_comes_with_its_residual():
    _, solve, matrix, g, _ = solve_within(math.inf)
    length = np.linalg.norm(solve.p)
    krylov.shortened(g, solve.p, solve.r, solve.short, solve.longer, solve.r_short, solve.r_longer, solve.real)
    assert 0.0 < np.linalg.norm(solve.p) <= 0.5 * length * (1 + 1e-12)
    assert np.linalg.norm(matrix @ solve.p + g - solve.r) <= 1e-9 * np.linalg.norm(g)


def test_the_radius_is_where_the_error_would_be_one():
    """Along a cubic the Hessian changes evenly, so that the prediction from one step is exact for any other."""
    book = turns.make_book(np.zeros(1), True, 1.0)
    assert turns.radius(np.ones(3), turns.REACH, book) == math.inf
    third, g = 0.7, np.array([2.0])

    def error(p):       # g(x + p) - g - H p = third p^2 / 2
        return 0.5 * third * p * p / abs(g[0])

    book[turns.BEND] = turns.bend_of(error(0.01), g, 0.01)
    for reach in (turns.REACH, turns.REACH_LARGE):
        assert error(turns.radius(g, reach, book)) == pytest.approx(reach)


# ---- products of every price -----------------------------------------------------------------------------------------

def test_the_price_of_a_product_is_read_off_the_counts():
    prices = {}
    for name, given in {"product": {}, "dear product": {"method": NEWTON.replace(price=3.0)},
                        "difference": {"hessp": None}, "matrix": {"hessp": None, "hess": rosen_hess}}.items():
        for _, after, before_counts, counts in walk(100, **given):
            if after.book[turns.TAKEN] > 1:
                prices[name] = after.book[turns.PRICE], after.book[turns.TAKEN], counts[NHEV] - before_counts[NHEV]
    assert prices["product"][0] == 1.0 and prices["dear product"][0] == 3.0
    assert prices["difference"][0] == pytest.approx(1.0, abs=0.5), "and one gradient where none was known"
    price, depth, asked = prices["matrix"]
    assert asked == 1 and price == 1.0 / depth, "a matrix costs once"


def test_a_dear_product_shortens_the_budget():
    book = turns.make_book(np.zeros(1), True, 1.0)
    caps = []
    for price in (0.25, 1.0, 4.0):
        turns.settle(10, 10 * price, book)
        caps.append(turns.depth_cap(10 ** 6, 400.0, book))
    assert caps == [800, 200, 25], "and from a price of 1.5 on half of that again"


def test_solves_stay_within_their_budget():
    """At most 10 products, half of all that has been spent, or four times the last good solve; and 2 n + 5.

    So a chain of L good solves in a row takes at most (4^L - 1) / 3 times the first of these bounds at its beginning: only
    a model that keeps its promises can make the products outgrow the rest.
    """
    good, seen = 0.0, 0
    allowed = length = chain = 0.0
    for before, after, counts, _ in walk(120):
        taken = after.book[turns.TAKEN]
        spent = 0.5 * counts[NFEV] + counts[NJEV] + counts[NHEV]
        assert taken <= min(2 * X0.size + 5, max(10, 0.5 * spent, 4 * good))
        seen += taken > 0
        if taken > 0 and good == 0.0:       # a new chain
            allowed, length, chain = max(10.0, 0.5 * spent), 0, 0.0
        if taken > 0:
            length, chain = length + 1, chain + taken
            assert chain <= allowed * (4.0 ** length - 1.0) / 3.0
        good = after.book[turns.DEPTH] if taken > 0 else good
        assert before.book[turns.LEFT] <= 0 or taken == 0, "no product in a burst"
    assert seen >= 5


def test_bursts_that_win_more_per_unit_have_the_word():
    book = turns.make_book(np.zeros(1), True, 1.0)
    book[turns.MARK], book[turns.BILL] = turns.decades(np.array([1e3])), 10.0
    turns.note_rate(turns.decades(np.array([1.0])), 20.0, book)
    assert book[turns.RATE] == pytest.approx(math.log(1e3) / 10.0)
    assert turns.worthwhile(np.array([1.0]), np.array([1e-3]), 9.9, book)
    assert not turns.worthwhile(np.array([1.0]), np.array([1e-3]), 10.1, book)
    assert not turns.worthwhile(np.array([1.0]), np.array([1.5]), 1.0, book), "a gradient that grew is no win"


@pytest.mark.parametrize("price", [0.1, 1.0, 2.0])
def test_bursts_grow_while_newton_steps_are_poor_and_with_the_price(price):
    book = turns.make_book(np.zeros(1), True, price)
    lengths = [book[turns.LEFT]]
    for error in (math.inf, 0.5, 0.31, 0.2, 2.0):
        turns.plan(error, 0.3, True, False, book)
        lengths.append(book[turns.LEFT])
    assert lengths == ([5, 5, 10, 20, 0, 5] if price < turns.DEAR else [80, 80, 160, 320, 0, 80])


# ---- the memory and the search ---------------------------------------------------------------------------------------

def test_the_harvest_takes_no_pair_that_fails_the_test():
    inverse, solve = make_inverse(4, 10, 0), krylov.make_solve(4, 8)
    rng = np.random.default_rng(3)
    solve.S[:3] = rng.standard_normal((3, 4))
    solve.Y[0], solve.Y[1], solve.Y[2] = 2.0 * solve.S[0], -solve.S[1], np.nan
    solve.whole[krylov.KEPT] = 3
    krylov.harvest(solve, inverse)
    assert inverse.phase[HELD] == 1


def test_noise_factor_and_values_only_go_one_way():
    """K never falls, along Newton steps and bursts alike, and no point is asked for its gradient twice."""
    points = []

    def jac(x):
        points.append(x.tobytes())
        return rosen_der(x)

    K = 0.0
    for before, after, counts, now in walk(50, jac=jac):
        assert after.qn.K >= before.qn.K >= K and (after.f <= before.f + 1e-12 or not before.f > after.f)
        K = after.qn.K
        assert now[NJEV] > counts[NJEV] or after.alpha == 0.0
    assert len(points) == len(set(points))


# ---- products that cannot be used ------------------------------------------------------------------------------------

@pytest.mark.parametrize("globalization", ["search", "region"])
def test_products_that_are_not_finite_are_counted_and_said(globalization):
    def hessp(x, p):
        return np.full_like(p, math.nan)

    auto, fixed = (curvopt.minimize(rosen, X0, jac=rosen_der, hessp=hessp, options={"gtol": 1e-5},
                                    method=NEWTON.replace(depth=depth, globalization=globalization)) for depth in ("auto", 3))
    assert auto.success and auto.unusable_products == auto.nhev > 0 and "curvature" not in auto
    assert f"{auto.nhev} products of the Hessian were not finite" in auto.explain()
    assert fixed.status == curvopt.Status.STEP_FAILED and fixed.unusable_products == fixed.nhev    # not PRECISION: g is large
    fine = curvopt.minimize(rosen, X0, jac=rosen_der, hessp=rosen_hess_prod, method=NEWTON)
    assert "unusable_products" not in fine and "not finite" not in fine.explain()
