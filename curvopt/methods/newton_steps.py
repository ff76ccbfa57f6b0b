"""The steps of truncated Newton: a quasi-Newton step, and a Newton step under a search or in a trust region.

What they share is a State: the quasi-Newton method's own, whose memory also preconditions, the room of a solve, and the
book in which `stepsize/turns.py` keeps what has been measured.
"""
import math
from typing import NamedTuple

import numpy as np

from .._jit import routine
from .._oracle import value
from .._status import RUNNING
from .._vectors import axpy_to, dot, norm
from ..directions import krylov, steihaug
from ..directions.inverse_hessian import HELD, forget, learn_step
from ..linesearch import region
from ..linesearch.armijo import failure
from ..linesearch.first_trial import within_reach
from ..linesearch.wolfe import EPS, FAILED, search, strong_wolfe
from ..stepsize import turns
from . import quasi_newton as burst

AUTO = -1                               # Params.depth
BY_SIZE, SEARCH, REGION = range(3)      # Params.globalization
MAX_FAILURES = 2                        # in a row, each answered by forgetting the memory


class Params(NamedTuple):
    qn: burst.Params
    depth: int          # AUTO, 0 for bursts only, or products of every step
    globalization: int  # BY_SIZE, SEARCH or REGION
    good: float
    price: float
    plain_retry: bool
    learns: bool        # whether there is a memory


class State(NamedTuple):
    x: np.ndarray
    f: float
    g: np.ndarray
    alpha: float
    flag: int
    qn: burst.State         # x, g, the memory and the search are those of the quasi-Newton method
    solve: krylov.Solve
    book: np.ndarray


@routine
def in_region(n, params):
    """Whether Newton steps are taken in a trust region: by default where the memory stays limited and products are not dear."""
    return params.globalization == REGION or (
        params.globalization == BY_SIZE and n > burst.SMALL_N and not params.price > turns.DEAR)


# ---- quasi-Newton steps ----------------------------------------------------------------------------------------------

@routine
def burst_step(oracle, state, params):
    """One step of the quasi-Newton method itself. A start from nothing that fails leaves the word to a Newton step."""
    book = state.book
    qn = burst.step(oracle, state.qn, params.qn)
    flag = qn.flag
    book[turns.TAKEN] = 0.0
    book[turns.LEFT] -= 1.0
    book[turns.FAILURES] = book[turns.FAILURES] + 1.0 if qn.alpha == 0.0 else 0.0
    if flag != RUNNING and qn.alpha == 0.0 and book[turns.FAILURES] <= MAX_FAILURES and params.depth == AUTO:
        flag = RUNNING
        book[turns.LEFT] = 0.0
        qn = burst.searched(qn, qn.alpha, qn.x_trial, qn.g_trial, qn.g_spare, qn.K)
    if book[turns.LEFT] == 0.0:
        turns.end_burst(oracle, qn.g, params.price, book)
    return State(qn.x, qn.f, qn.g, qn.alpha, flag, qn, state.solve, book)


# ---- what both kinds of Newton steps share ---------------------------------------------------------------------------

@routine
def failed(oracle, state, qn, params, slope):
    """A Newton step that found nothing: forget the memory, and end where that has been tried."""
    book = state.book
    book[turns.FAILURES] += 1.0
    turns.plan(math.inf, params.good, params.depth == AUTO, False, book)
    flag = failure(state.f, slope) if book[turns.FAILURES] > MAX_FAILURES else RUNNING
    forget(qn.inverse)
    turns.begin_burst(oracle, state.g, params.price, book)
    return State(state.x, state.f, state.g, 0.0, flag, qn, state.solve, book)


@routine
def unusable(oracle, state, params):
    """A solve that broke down. After a product that was not finite a burst follows, longer each time: the memory is not to
    blame, and stays."""
    book = state.book
    if book[turns.TAKEN] > 0.0:
        book[turns.UNUSABLE] += 1.0
    if params.depth != AUTO or book[turns.TAKEN] == 0.0:
        return failed(oracle, state, state.qn, params, -dot(state.g, state.g))
    turns.plan(math.inf, params.good, True, False, book)
    turns.begin_burst(oracle, state.g, params.price, book)
    return State(state.x, state.f, state.g, 0.0, RUNNING, state.qn, state.solve, book)


@routine
def moved(oracle, state, params, f_new, g_new, g_spare, alpha, K):
    """The state after a step to x_trial: the memory has learned the pairs of the solve and that of the step."""
    qn, book = state.qn, state.book
    if params.learns:
        krylov.harvest(state.solve, qn.inverse)
        learn_step(qn.inverse, qn.x_trial, qn.x, g_new, qn.g, 0.0)
    book[turns.FAILURES] = 0.0
    turns.begin_burst(oracle, g_new, params.price, book)
    qn = burst.State(qn.x_trial, f_new, g_new, alpha, RUNNING, qn.inverse, qn.room, qn.d, qn.x, qn.g, g_spare, qn.length, K,
                     qn.failures, qn.weak)
    return State(qn.x, qn.f, qn.g, qn.alpha, RUNNING, qn, state.solve, book)


# ---- Newton steps under a search -------------------------------------------------------------------------------------

@routine
def choose(oracle, state, params, ended):
    """(along, slope, first trial, f there or NaN, whether it was shortened)."""
    qn, solve, book = state.qn, state.solve, state.book
    depth = solve.whole[krylov.DEPTH]
    if ended == krylov.NEGATIVE:
        slope = dot(qn.g, solve.d)
        if depth > 1:
            wanted = max(book[turns.STRETCH], solve.real[krylov.LENGTH])
            return solve.d, slope, krylov.first_trial(wanted, solve.d), math.nan, False
        wanted = within_reach(max(1.0, norm(qn.x, 2)), qn.x)
        known = qn.inverse.phase[HELD] > 0 and book[turns.PLAIN] == 0.0
        return solve.d, slope, 1.0 if known else krylov.first_trial(wanted, solve.d), math.nan, False
    slope = dot(qn.g, solve.p)
    if depth < 2:
        return solve.p, slope, 1.0, math.nan, False
    axpy_to(1.0, solve.p, qn.x, qn.x_trial)
    f_full = value(oracle, qn.x_trial)
    if math.isfinite(f_full) and (f_full <= qn.f + params.qn.c1 * slope or f_full <= qn.f + qn.K * EPS * abs(qn.f)):
        return solve.p, slope, 1.0, f_full, False
    krylov.shortened(qn.g, solve.p, solve.r, solve.short, solve.longer, solve.r_short, solve.r_longer, solve.real)
    return solve.p, dot(qn.g, solve.p), 1.0, math.nan, True


@routine
def judge(solve, book, g, g_new, ended, along, t, first, cut):
    """The model error of a step, infinite where the step does not test the model; notes how the Hessian changed."""
    size = t * norm(along, 2)
    if ended == krylov.NEGATIVE:
        book[turns.STRETCH] = size
        return turns.MOST_FORCING if t >= first else math.inf
    error = krylov.model_error(t, g_new, solve.r, g)
    book[turns.BEND] = turns.bend_of(error, g, size)
    return error if t == 1.0 and not cut and ended != krylov.LIMITED else math.inf


@routine
def search_step(oracle, state, params):
    qn, solve, book = state.qn, state.solve, state.book
    spent, auto, large = turns.units(oracle, params.price), params.depth == AUTO, qn.x.size > burst.SMALL_N
    cap = turns.depth_cap(qn.x.size, spent, book) if auto else params.depth
    radius = turns.radius(qn.g, turns.REACH_LARGE if large else turns.REACH, book) if auto else math.inf
    plain, eta = book[turns.PLAIN] == 1.0, turns.forcing(turns.MOST_FORCING, book)
    ended = krylov.truncated_cg(oracle, qn.x, qn.g, qn.inverse, plain, eta, cap, radius, solve)
    turns.settle(solve.whole[krylov.DEPTH], turns.units(oracle, params.price) - spent, book)
    if ended == krylov.BROKEN:
        return unusable(oracle, state, params)
    along, slope, alpha, f_first, cut = choose(oracle, state, params, ended)
    if not (-math.inf < slope < 0.0 and 0.0 < alpha < math.inf):
        return failed(oracle, state, qn, params, slope)
    t, f_new, _, outcome, K, g_new, g_spare = search(
        oracle, qn.x, qn.f, along, slope, alpha, f_first, strong_wolfe(params.qn.c1, params.qn.c2), qn.K, 0.0, qn.room,
        qn.x_trial, qn.g_trial, qn.g_spare)
    if outcome == FAILED:
        qn = burst.searched(qn, 0.0, qn.x_trial, g_new, g_spare, K)
        return failed(oracle, state, qn, params, slope * min(alpha, 1.0))
    error = judge(solve, book, qn.g, g_new, ended, along, t, alpha, cut)
    paid = turns.units(oracle, params.price) - spent
    if auto and (large or turns.dear(book)) and not turns.worthwhile(qn.g, g_new, paid, book):
        error = math.inf
    turns.plan(error, params.good, auto, params.plain_retry, book)
    return moved(oracle, state, params, f_new, g_new, g_spare, min(t, 0.5) if cut else t, K)


# ---- Newton steps in a trust region ----------------------------------------------------------------------------------

@routine
def region_step(oracle, state, params):
    """A solve up to the edge of the region, and the ratio test. After a dear one bursts are given a turn as dear."""
    qn, solve, book = state.qn, state.solve, state.book
    spent, auto = turns.units(oracle, params.price), params.depth == AUTO
    cap = turns.depth_cap(qn.x.size, spent, book) if auto else params.depth
    plain, eta, radius = book[turns.PLAIN] == 1.0, turns.forcing(params.good, book), book[turns.RADIUS]
    ended = krylov.truncated_cg(oracle, qn.x, qn.g, qn.inverse, plain, eta, cap, radius, solve)
    turns.settle(solve.whole[krylov.DEPTH], turns.units(oracle, params.price) - spent, book)
    if ended == krylov.BROKEN:
        return unusable(oracle, state, params)
    if ended == krylov.NEGATIVE:
        steihaug.to_edge(radius, solve.d, solve.hd, solve.p, solve.r, solve.real)
    slope = dot(qn.g, solve.p)
    taken, f_new, book[turns.RADIUS] = region.search(
        oracle, qn.x, qn.f, qn.g, solve, radius, qn.K, qn.x_trial, qn.g_trial)
    if not taken:
        return failed(oracle, state, qn, params, slope)
    error = krylov.model_error(1.0, qn.g_trial, solve.r, qn.g)
    paid = turns.units(oracle, params.price) - spent
    turns.plan_in_region(error, params.good, auto, turns.worthwhile(qn.g, qn.g_trial, paid, book), paid, book)
    return moved(oracle, state, params, f_new, qn.g_trial, qn.g_spare, 1.0, qn.K)
